//! Go's `golang.org/x/mod`: the implementation behind the checksum database of Go modules.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use bartizan_testkit::world::{Log, Witness};
use bartizan_trust::checkpoint;
use bartizan_trust::id::Sha256;
use bartizan_trust::merkle::Tree;
use bartizan_trust::note::{Note, NoteKeyType, VerifierKey};
use bartizan_trust::tiles::{TILE_WIDTH, tile_path};
use bartizan_trust::time::UnixSeconds;
use data_encoding::BASE64;
use serde_json::{Value, json};

use super::{entry, tree};

const SIZE: u64 = 70;
const AT: UnixSeconds = UnixSeconds::new(1_800_000_000);

/// One run of `tests/peers/go`, without modules or network.
fn ask(request: &Value) -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/peers/go");
    let cache = tempfile::tempdir().unwrap();
    let mut child = Command::new("go")
        .args(["run", "main.go"])
        .current_dir(folder)
        .env("GO111MODULE", "off")
        .env("GOPATH", "/usr/share/gocode")
        .env("GOFLAGS", "")
        .env("GOTOOLCHAIN", "local")
        .env("GOCACHE", cache.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the packages golang-go and golang-golang-x-mod-dev are needed for this test");
    child.stdin.take().unwrap().write_all(request.to_string().as_bytes()).unwrap();
    let out = child.wait_with_output().unwrap();
    assert!(
        out.status.success(),
        "go (packages golang-go, golang-golang-x-mod-dev): {}",
        String::from_utf8_lossy(&out.stderr)
    );
    serde_json::from_slice(&out.stdout).unwrap()
}

fn base64(hash: &Sha256) -> String {
    BASE64.encode(hash.as_bytes())
}

fn entries(size: u64) -> Vec<String> {
    (0..size).map(|n| BASE64.encode(&entry(n))).collect()
}

fn all(path: &[Sha256]) -> Vec<String> {
    path.iter().map(base64).collect()
}

/// A list in Go's JSON: an empty one is `null`.
fn made(value: &Value) -> Vec<String> {
    let list = value.as_array().cloned().unwrap_or_default();
    list.iter().map(|hash| hash.as_str().unwrap().to_owned()).collect()
}

struct Case {
    request: Value,
    good: bool,
    path: Vec<String>,
    root: String,
}

fn records(tree: &Tree) -> Vec<Case> {
    let mut cases = Vec::new();
    for (size, index) in [(1, 0), (2, 1), (7, 3), (8, 7), (33, 32), (64, 0), (SIZE, 69), (SIZE, 5)]
    {
        let path = tree.inclusion_path(index, size).unwrap();
        let root = tree.root_at(size).unwrap();
        let case = |path: &[Sha256], root: &Sha256, entry: Vec<u8>, good| Case {
            request: json!({
                "Size": size, "Index": index, "Path": all(path), "Root": base64(root), "Entry": BASE64.encode(&entry),
            }),
            good,
            path: all(&tree.inclusion_path(index, size).unwrap()),
            root: base64(&tree.root_at(size).unwrap()),
        };
        cases.push(case(&path, &root, entry(index), true));
        cases.push(case(&path, &Sha256::of(b"other"), entry(index), false));
        cases.push(case(&path, &root, b"another".to_vec(), false));
        let longer: Vec<Sha256> = path.iter().copied().chain([root]).collect();
        cases.push(case(&longer, &root, entry(index), false));
    }
    cases
}

fn trees(tree: &Tree) -> Vec<Case> {
    let mut cases = Vec::new();
    for (old, new) in [(1, 2), (3, 7), (4, 8), (6, 6), (32, 33), (33, 64), (64, SIZE), (69, SIZE)] {
        let path = tree.consistency_path(old, new).unwrap();
        let (old_root, new_root) = (tree.root_at(old).unwrap(), tree.root_at(new).unwrap());
        let case = |path: &[Sha256], old_root: &Sha256, good| Case {
            request: json!({
                "Old": old, "New": new, "Path": all(path), "OldRoot": base64(old_root), "NewRoot": base64(&new_root),
            }),
            good,
            path: all(&tree.consistency_path(old, new).unwrap()),
            root: base64(&tree.root_at(old).unwrap()),
        };
        cases.push(case(&path, &old_root, true));
        cases.push(case(&path, &Sha256::of(b"another history"), false));
        let longer: Vec<Sha256> = path.iter().copied().chain([old_root]).collect();
        cases.push(case(&longer, &old_root, false));
    }
    cases
}

fn requests(cases: &[Case]) -> Vec<&Value> {
    cases.iter().map(|case| &case.request).collect()
}

#[test]
fn go_makes_the_same_trees_and_proofs_and_judges_ours_the_same() {
    let tree = tree(SIZE);
    let (records, trees) = (records(&tree), trees(&tree));
    let answer = ask(&json!({
        "Entries": entries(SIZE), "Records": requests(&records), "Trees": requests(&trees),
    }));
    for (kind, cases) in [("Records", &records), ("Trees", &trees)] {
        let judged = answer[kind].as_array().unwrap();
        assert_eq!(judged.len(), cases.len());
        for (found, case) in judged.iter().zip(cases) {
            assert_eq!(found["Good"], case.good, "{kind} {}", case.request);
            assert_eq!(made(&found["Made"]), case.path, "{kind} {}", case.request);
            assert_eq!(found["Root"], case.root.as_str(), "{kind} {}", case.request);
        }
    }
}

#[test]
fn go_draws_the_same_tiles() {
    let size = 600;
    let tree = tree(size);
    let drawn = [(0, 0, 256), (0, 1, 256), (0, 2, 88), (1, 0, 2)];
    let beyond = [(0, 999, 256), (1, 1000, 7), (2, 1_234_067, 1), (5, 12_345_678_901, 255)];
    let tiles: Vec<(u8, u64, u16)> = drawn.into_iter().chain(beyond).collect();
    let asked: Vec<Value> = tiles
        .iter()
        .map(|(level, index, width)| json!({ "Level": level, "Index": index, "Width": width }))
        .collect();
    let answer = ask(&json!({ "Entries": entries(size), "Tiles": asked }));
    let found = answer["Tiles"].as_array().unwrap();
    assert_eq!(found.len(), tiles.len());
    for (found, (level, index, width)) in found.iter().zip(&tiles) {
        // Go writes the height of tiles; C2SP fixes it at 8 and leaves it out.
        let path = found["Path"].as_str().unwrap().replacen("tile/8/", "tile/", 1);
        assert_eq!(path, tile_path(*level, *index, *width));
    }
    for (found, (level, index, width)) in found.iter().zip(drawn) {
        let first = index * u64::from(TILE_WIDTH);
        let nodes = (first..first + u64::from(width))
            .flat_map(|n| *tree.node(usize::from(level) * 8, n).unwrap().as_bytes());
        let bytes: Vec<u8> = nodes.collect();
        assert_eq!(found["Data"], BASE64.encode(&bytes), "tile {index} of level {level}");
    }
}

#[test]
fn go_opens_our_checkpoints_and_refuses_what_we_refuse() {
    let mut log = Log::named("go").unwrap();
    for n in 0..5 {
        log.append(entry(n));
    }
    let (witness, absent) = (Witness::named("one").unwrap(), Witness::named("two").unwrap());
    let text = String::from_utf8(log.note(5, &[&witness], AT).unwrap()).unwrap();
    let stranger = Log::named("stranger").unwrap();
    let later = cosigned_one_second_later(&text, &witness.vkey);
    let cases = [
        (&log.vkey, text.clone(), "good: "),
        (&log.vkey, text.replace("\n5\n", "\n6\n"), "refused: "),
        (&log.vkey, text.replace("\n\n", "\n"), "refused: "),
        (&log.vkey, text.trim_end().to_owned(), "refused: "),
        (&stranger.vkey, text.clone(), "refused: "),
        (&witness.vkey, text.clone(), "good: "),
        (&witness.vkey, text.replace("\n5\n", "\n6\n"), "refused: "),
        (&witness.vkey, later, "refused: "),
        (&absent.vkey, text.clone(), "refused: "),
    ];
    let notes: Vec<Value> = cases
        .iter()
        .map(|(key, text, _)| json!({ "Key": key.to_string(), "Note": BASE64.encode(text.as_bytes()) }))
        .collect();
    let answer = ask(&json!({ "Notes": notes }));
    let judged = answer["Notes"].as_array().unwrap();
    assert_eq!(judged.len(), cases.len());
    for (found, (key, text, expected)) in judged.iter().zip(cases) {
        let found = found.as_str().unwrap();
        assert!(found.starts_with(expected), "{found}: {text:?}");
        let ours = match key.key_type() {
            NoteKeyType::Ed25519 => checkpoint::open(text.as_bytes(), key).is_ok(),
            NoteKeyType::CosignatureV1 => {
                Note::decode(text.as_bytes()).is_ok_and(|note| note.cosigned_at(key) == Some(AT))
            }
        };
        assert_eq!(ours, expected == "good: ", "{text:?}");
    }
}

/// The same signature, its time moved.
fn cosigned_one_second_later(text: &str, key: &VerifierKey) -> String {
    let mut note = Note::decode(text.as_bytes()).unwrap();
    let line = note.signatures.iter_mut().find(|line| line.name == key.name()).unwrap();
    line.signature[7] += 1;
    String::from_utf8(note.encode()).unwrap()
}

#[test]
fn a_checkpoint_signed_and_cosigned_by_go_opens_here() {
    let wish = json!({
        "Log": "go.test/log", "Witness": "go.test/witness", "Seed": BASE64.encode(&[7; 32]), "Time": AT.get(), "Size": 9,
    });
    let answer = ask(&json!({ "Entries": entries(9), "Wishes": [wish] }));
    let granted = &answer["Wishes"][0];
    let key = |name: &str| VerifierKey::parse(granted[name].as_str().unwrap()).unwrap();
    let (log, witness) = (key("Log"), key("Witness"));
    assert_eq!(witness.key_type(), NoteKeyType::CosignatureV1);
    let note = BASE64.decode(granted["Note"].as_str().unwrap().as_bytes()).unwrap();
    let opened = checkpoint::open(&note, &log).unwrap();
    assert_eq!(opened.checkpoint.size, 9);
    assert_eq!(Some(opened.checkpoint.root), tree(9).root_at(9));
    assert_eq!(opened.note.cosigned_at(&witness), Some(AT));
    assert_eq!(opened.note.encode(), note);
    let moved = Note { text: opened.note.text.replace("\n9\n", "\n8\n"), ..opened.note };
    assert!(!moved.is_signed_by(&log));
    assert_eq!(moved.cosigned_at(&witness), None);
}
