//! Replays `vectors/log`. With `BARTIZAN_WRITE_VECTORS=1` it writes them first.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs};

use bartizan_testkit::world::{Log, Witness, World};
use bartizan_trust::checkpoint;
use bartizan_trust::id::{EndpointId, Sha256};
use bartizan_trust::merkle::{leaf_hash, verify_consistency, verify_inclusion};
use bartizan_trust::note::{Note, VerifierKey};
use bartizan_trust::proof::LogProof;
use bartizan_trust::statement::Targets;
use bartizan_trust::targets::{TargetPlace, verify_target};
use bartizan_trust::time::UnixSeconds;
use bartizan_trust::witness::{AddCheckpoint, View};
use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

use super::{entry, tree};

const AT: UnixSeconds = UnixSeconds::new(1_800_000_000);

/// One question. Entries are base64; notes and proofs are text, as their exact bytes matter.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Vector {
    /// The entry stands there under this root.
    Inclusion { entry: String, index: u64, size: u64, path: Vec<Sha256>, root: Sha256 },
    /// The old tree is a prefix of the new one.
    Consistency { old: u64, old_root: Sha256, new: u64, new_root: Sha256, path: Vec<Sha256> },
    /// A checkpoint that its log signed.
    Checkpoint { log: String, note: String },
    /// A checkpoint that a witness co-signed at that time.
    Cosignature { witness: String, note: String, at: u64 },
    /// A `tlog-proof` of an entry, under the log's checkpoint.
    Proof { log: String, entry: String, proof: String },
    /// What a witness that stands there answers to an `add-checkpoint`.
    AddCheckpoint { log: String, size: u64, root: Sha256, body: String, status: u16 },
    /// An endpoint's leaf in a target tree.
    Target { targets: Targets, endpoint: EndpointId, stage: u32, index: u32, path: Vec<Sha256> },
}

fn holds(vector: &Vector) -> bool {
    let leaf = |entry: &str| leaf_hash(&BASE64.decode(entry.as_bytes()).unwrap());
    let key = |text: &str| VerifierKey::parse(text).unwrap();
    match vector {
        Vector::Inclusion { entry, index, size, path, root } => {
            verify_inclusion(&leaf(entry), *index, *size, path, root).is_ok()
        }
        Vector::Consistency { old, old_root, new, new_root, path } => {
            verify_consistency(*old, old_root, *new, new_root, path).is_ok()
        }
        Vector::Checkpoint { log, note } => checkpoint::open(note.as_bytes(), &key(log)).is_ok(),
        Vector::Cosignature { witness, note, at } => Note::decode(note.as_bytes())
            .is_ok_and(|note| note.cosigned_at(&key(witness)) == Some(UnixSeconds::new(*at))),
        Vector::Proof { log, entry, proof } => {
            let Ok(proof) = LogProof::decode(proof.as_bytes()) else { return false };
            let Ok(opened) = checkpoint::open(&proof.checkpoint, &key(log)) else { return false };
            let (size, root) = (opened.checkpoint.size, opened.checkpoint.root);
            verify_inclusion(&leaf(entry), proof.index, size, &proof.path, &root).is_ok()
        }
        Vector::AddCheckpoint { log, size, root, body, status } => {
            let known = (*size > 0).then_some(View { size: *size, root: *root });
            let request = AddCheckpoint::decode(body.as_bytes());
            let judged = request.and_then(|request| request.judge(known, &key(log)));
            let answer = judged.as_ref().map_or_else(|refusal| refusal.status(), |_| 200);
            assert_eq!(answer, *status, "{judged:?}");
            judged.is_ok()
        }
        Vector::Target { targets, endpoint, stage, index, path } => {
            verify_target(targets, endpoint, *stage, *index, path)
        }
    }
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors/log").join(name)
}

#[test]
fn log_vectors_are_judged_as_they_say() {
    if env::var_os("BARTIZAN_WRITE_VECTORS").is_some() {
        write();
    }
    for (name, accept, least) in [("accept", true, 18), ("reject", false, 46)] {
        let files: Vec<_> =
            fs::read_dir(folder(name)).unwrap().map(|file| file.unwrap().path()).collect();
        assert!(files.len() >= least, "{name}: {} files", files.len());
        for file in files {
            let vector: Vector = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
            assert_eq!(holds(&vector), accept, "{}", file.display());
        }
    }
}

type Files = BTreeMap<String, Vector>;

fn write() {
    let (mut accept, mut reject) = (Files::new(), Files::new());
    trees(&mut accept, &mut reject);
    notes(&mut accept, &mut reject);
    witnesses(&mut accept, &mut reject);
    targets(&mut accept, &mut reject);
    for (name, files) in [("accept", accept), ("reject", reject)] {
        let _ = fs::remove_dir_all(folder(name));
        fs::create_dir_all(folder(name)).unwrap();
        for (file, vector) in files {
            let mut text = serde_json::to_vec_pretty(&vector).unwrap();
            text.push(b'\n');
            fs::write(folder(name).join(format!("{file}.json")), text).unwrap();
        }
    }
}

fn trees(accept: &mut Files, reject: &mut Files) {
    let tree = tree(13);
    let inclusion = |index, size, change: &dyn Fn(&mut Vec<Sha256>)| {
        let mut path = tree.inclusion_path(index, size).unwrap();
        change(&mut path);
        let root = tree.root_at(size).unwrap();
        Vector::Inclusion { entry: BASE64.encode(&entry(index)), index, size, path, root }
    };
    let consistency = |old, new, change: &dyn Fn(&mut Vec<Sha256>)| {
        let mut path = tree.consistency_path(old, new).unwrap();
        change(&mut path);
        let root = |size| tree.root_at(size).unwrap();
        Vector::Consistency { old, old_root: root(old), new, new_root: root(new), path }
    };
    let keep = |_: &mut Vec<Sha256>| {};
    accept.insert("inclusion_only_entry".to_owned(), inclusion(0, 1, &keep));
    accept.insert("inclusion_right_edge".to_owned(), inclusion(12, 13, &keep));
    accept.insert("inclusion_middle".to_owned(), inclusion(5, 11, &keep));
    accept.insert("consistency_from_nothing".to_owned(), consistency(0, 7, &keep));
    accept.insert("consistency_same_size".to_owned(), consistency(7, 7, &keep));
    accept.insert("consistency_power_of_two".to_owned(), consistency(8, 13, &keep));
    accept.insert("consistency_odd".to_owned(), consistency(6, 13, &keep));
    let longer = |path: &mut Vec<Sha256>| path.push(Sha256::of(b"one more"));
    let shorter = |path: &mut Vec<Sha256>| path.truncate(path.len() - 1);
    let swapped = |path: &mut Vec<Sha256>| path.swap(0, 1);
    reject.insert("inclusion_longer".to_owned(), inclusion(5, 11, &longer));
    reject.insert("inclusion_shorter".to_owned(), inclusion(5, 11, &shorter));
    reject.insert("inclusion_swapped".to_owned(), inclusion(5, 11, &swapped));
    reject.insert("consistency_longer".to_owned(), consistency(6, 13, &longer));
    reject.insert("consistency_shorter".to_owned(), consistency(6, 13, &shorter));
    reject.insert("consistency_from_nothing_with_path".to_owned(), consistency(0, 7, &longer));
    reject.insert("consistency_same_size_with_path".to_owned(), consistency(7, 7, &longer));
    let Vector::Inclusion { entry, size, path, root, .. } = inclusion(5, 11, &keep) else { return };
    let beyond = Vector::Inclusion { entry, index: size, size, path, root };
    reject.insert("inclusion_beyond_the_end".to_owned(), beyond);
    let Vector::Consistency { old, old_root, new, new_root, path } = consistency(6, 13, &keep)
    else {
        return;
    };
    let backwards =
        Vector::Consistency { old: new, old_root: new_root, new: old, new_root: old_root, path };
    reject.insert("consistency_backwards".to_owned(), backwards);
}

fn notes(accept: &mut Files, reject: &mut Files) {
    let mut log = Log::named("vectors").unwrap();
    (0..3).for_each(|n| {
        log.append(entry(n));
    });
    let (one, two) = (Witness::named("one").unwrap(), Witness::named("two").unwrap());
    let note = String::from_utf8(log.note(3, &[&one], AT).unwrap()).unwrap();
    let vkey = log.vkey.to_string();
    let checkpoint = |note: String| Vector::Checkpoint { log: vkey.clone(), note };
    accept.insert("checkpoint".to_owned(), checkpoint(note.clone()));
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let root = lines(&note)[2].clone();
    for (name, changed) in [
        ("checkpoint_other_size", note.replace("\n3\n", "\n4\n")),
        ("checkpoint_leading_zero", note.replace("\n3\n", "\n03\n")),
        ("checkpoint_extension_line", note.replace(&root, &format!("{root}\nextension"))),
        ("checkpoint_without_last_line_feed", note.trim_end().to_owned()),
        ("checkpoint_carriage_return", note.replace("\n3\n", "\r\n3\r\n")),
        ("checkpoint_without_signatures", note.split_once("\n\n").unwrap().0.to_owned() + "\n\n"),
        ("checkpoint_root_without_padding", note.replace(&root, root.trim_end_matches('='))),
    ] {
        reject.insert(name.to_owned(), checkpoint(changed));
    }
    let other = Log::named("another").unwrap().vkey.to_string();
    reject.insert(
        "checkpoint_of_another_log".to_owned(),
        Vector::Checkpoint { log: other, note: note.clone() },
    );
    let strange = edited(&note, |note| {
        note.signatures[0].signature[0] ^= 1;
        let unspoilt = Note::decode(log.note(3, &[], AT).unwrap().as_slice()).unwrap();
        note.signatures.extend(unspoilt.signatures);
    });
    // Where we differ from C2SP: a bad line of a known key is skipped.
    accept.insert("checkpoint_with_a_bad_line_too".to_owned(), checkpoint(strange));
    let witness_only = edited(&note, |note| drop(note.signatures.remove(0)));
    reject.insert("checkpoint_signed_by_a_witness_only".to_owned(), checkpoint(witness_only));
    let cosignature = |witness: &Witness, note: &str, at: u64| Vector::Cosignature {
        witness: witness.vkey.to_string(),
        note: note.to_owned(),
        at,
    };
    accept.insert("cosignature".to_owned(), cosignature(&one, &note, AT.get()));
    reject.insert("cosignature_other_time".to_owned(), cosignature(&one, &note, AT.get() + 1));
    reject.insert("cosignature_other_witness".to_owned(), cosignature(&two, &note, AT.get()));
    let twice =
        String::from_utf8(log.note_at(3, &[(&one, AT), (&one, AT.plus(60))]).unwrap()).unwrap();
    accept.insert("cosignature_newest_counts".to_owned(), cosignature(&one, &twice, AT.get() + 60));
    reject.insert("cosignature_older_of_two".to_owned(), cosignature(&one, &twice, AT.get()));
    let retimed = edited(&note, |note| note.signatures[1].signature[7] += 1);
    reject.insert("cosignature_retimed".to_owned(), cosignature(&one, &retimed, AT.get() + 1));
    let untimed = edited(&note, |note| drop(note.signatures[1].signature.drain(..8)));
    reject.insert("cosignature_without_time".to_owned(), cosignature(&one, &untimed, AT.get()));
    let moved = note.replace("\n3\n", "\n4\n");
    reject.insert("cosignature_other_text".to_owned(), cosignature(&one, &moved, AT.get()));
    proofs(&log, &note, accept, reject);
}

/// The note with its lines changed.
fn edited(note: &str, change: impl FnOnce(&mut Note)) -> String {
    let mut note = Note::decode(note.as_bytes()).unwrap();
    change(&mut note);
    String::from_utf8(note.encode()).unwrap()
}

fn proofs(log: &Log, note: &str, accept: &mut Files, reject: &mut Files) {
    let text = String::from_utf8(log.proof(1, 3, note.as_bytes().to_vec()).unwrap()).unwrap();
    let proof = |text: String| Vector::Proof {
        log: log.vkey.to_string(),
        entry: BASE64.encode(&entry(1)),
        proof: text,
    };
    accept.insert("proof".to_owned(), proof(text.clone()));
    let alone = String::from_utf8(log.note(1, &[], AT).unwrap()).unwrap();
    let only = log.proof(0, 1, alone.into_bytes()).unwrap();
    let only = Vector::Proof {
        log: log.vkey.to_string(),
        entry: BASE64.encode(&entry(0)),
        proof: String::from_utf8(only).unwrap(),
    };
    accept.insert("proof_without_hashes".to_owned(), only);
    let smaller = String::from_utf8(log.note(2, &[], AT).unwrap()).unwrap();
    let older = text.split_once("\n\n").unwrap().0.to_owned() + "\n\n" + &smaller;
    for (name, changed) in [
        ("proof_other_index", text.replace("index 1", "index 2")),
        ("proof_extra_line", text.replace("\nindex", "\nextra AAAA\nindex")),
        ("proof_index_with_a_zero", text.replace("index 1", "index 01")),
        ("proof_under_a_smaller_checkpoint", older),
        ("proof_carriage_returns", text.replace('\n', "\r\n")),
        ("proof_other_version", text.replace("@v1", "@v2")),
        ("proof_without_checkpoint", text.split_once("\n\n").unwrap().0.to_owned()),
    ] {
        reject.insert(name.to_owned(), proof(changed));
    }
}

fn witnesses(accept: &mut Files, reject: &mut Files) {
    let mut log = Log::named("vectors").unwrap();
    (0..13).for_each(|n| {
        log.append(entry(n));
    });
    let fork = log.fork(7).unwrap();
    let body = |log: &Log, old: u64, size: u64| {
        let note = log.note(size, &[], AT).unwrap();
        let path = log.consistency(old.min(size), size).unwrap();
        String::from_utf8(AddCheckpoint { old, path, note }.encode()).unwrap()
    };
    let at = |size: u64, body: String, status: u16| Vector::AddCheckpoint {
        log: log.vkey.to_string(),
        size,
        root: tree(13).root_at(size).unwrap(),
        body,
        status,
    };
    for (name, size, old, new) in
        [("first", 0, 0, 7), ("growth", 7, 7, 13), ("the_same", 7, 7, 7), ("empty", 0, 0, 0)]
    {
        accept.insert(format!("witness_{name}"), at(size, body(&log, old, new), 200));
    }
    let good = body(&log, 7, 13);
    let other = Log::named("another").unwrap();
    let unsigned = edited_body(&good, |note| note.signatures[0].signature[9] ^= 1);
    for (name, size, body, status) in [
        ("from_zero", 7, body(&log, 0, 13), 409),
        ("shrunk", 13, body(&log, 7, 7), 409),
        ("another_root", 13, body(&fork, 13, 13), 409),
        ("fork", 10, body(&fork, 10, 13), 422),
        (
            "proof_with_a_hash_more",
            7,
            good.replacen("\n\n", &format!("\n{}\n\n", BASE64.encode(&[7; 32])), 1),
            422,
        ),
        ("old_above_new", 7, body(&log, 9, 7), 400),
        ("old_with_a_zero", 7, good.replace("old 7", "old 07"), 400),
        ("without_old", 7, good.replace("old 7\n", ""), 400),
        ("hash_without_padding", 7, good.replacen("=\n", "\n", 1), 400),
        ("unknown_log", 0, body(&other, 0, 0), 404),
        ("not_signed_by_the_log", 7, unsigned, 403),
    ] {
        reject.insert(format!("witness_{name}"), at(size, body, status));
    }
}

/// The body with the note at its end changed.
fn edited_body(body: &str, change: impl FnOnce(&mut Note)) -> String {
    let (head, note) = body.split_once("\n\n").unwrap();
    format!("{head}\n\n{}", edited(note, change))
}

fn targets(accept: &mut Files, reject: &mut Files) {
    let tree = World::tree(&[0, 1, 2, 3, 4]).unwrap();
    let endpoint = World::endpoint_id(3).unwrap();
    let TargetPlace { index, path, .. } = tree.place(&endpoint).unwrap();
    let target = |endpoint, stage, index, path: Vec<Sha256>, count| Vector::Target {
        targets: Targets { count, ..tree.targets() },
        endpoint,
        stage,
        index,
        path,
    };
    accept.insert("target".to_owned(), target(endpoint, 0, index, path.clone(), 5));
    let stranger = World::endpoint_id(9).unwrap();
    reject.insert("target_not_listed".to_owned(), target(stranger, 0, index, path.clone(), 5));
    reject.insert("target_other_stage".to_owned(), target(endpoint, 1, index, path.clone(), 5));
    reject.insert(
        "target_other_place".to_owned(),
        target(endpoint, 0, (index + 1) % 5, path.clone(), 5),
    );
    reject.insert("target_fewer_than_signed".to_owned(), target(endpoint, 0, index, path, 2));
}
