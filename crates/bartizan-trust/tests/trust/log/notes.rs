//! Signed notes: the `signed_note` crate opens ours, we open its, and both refuse the same damage.

use bartizan_testkit::load::organisation::Key;
use bartizan_testkit::world::{Log, Witness};
use bartizan_trust::checkpoint::{self, Checkpoint};
use bartizan_trust::note::{Note, NoteKeyType, NoteSignature, VerifierKey};
use bartizan_trust::proof::LogProof;
use bartizan_trust::time::UnixSeconds;
use data_encoding::BASE64;
use signed_note::{StandardSigner, StandardVerifier, Verifier, VerifierList};

const AT: UnixSeconds = UnixSeconds::new(1_800_000_000);

fn log() -> Log {
    let mut log = Log::named("peer").unwrap();
    log.append(b"one".to_vec());
    log.append(b"two".to_vec());
    log
}

/// Whether the crate finds a good signature of this key.
fn they_verify(note: &[u8], vkey: &VerifierKey) -> bool {
    let verifier: Box<dyn Verifier> =
        Box::new(StandardVerifier::new(&vkey.to_string()).expect("a key of ours"));
    signed_note::Note::from_bytes(note)
        .is_ok_and(|note| note.verify(&VerifierList::new(vec![verifier])).is_ok())
}

#[test]
fn our_checkpoint_opens_in_the_peer_and_any_damage_in_neither() {
    let log = log();
    let witness = Witness::named("one").unwrap();
    // The peer knows no co-signatures; it must skip that line as an unknown key's.
    let note = log.note(2, &[&witness], AT).unwrap();
    assert!(they_verify(&note, &log.vkey));
    assert!(checkpoint::open(&note, &log.vkey).is_ok());
    let other = Log::named("another").unwrap();
    assert!(!they_verify(&note, &other.vkey));
    assert!(checkpoint::open(&note, &other.vkey).is_err());
    let signature_ends = note.windows(4).position(|w| w == "\n\u{2014}".as_bytes()).unwrap();
    for at in 0..signature_ends {
        let mut damaged = note.clone();
        damaged[at] ^= 1;
        assert!(!they_verify(&damaged, &log.vkey), "byte {at}");
        assert!(checkpoint::open(&damaged, &log.vkey).is_err(), "byte {at}");
    }
}

#[test]
fn a_note_signed_by_the_peer_opens_here() {
    let key = Key::named("peer's signer").unwrap();
    let vkey = VerifierKey::new(
        "peer.test/log",
        NoteKeyType::Ed25519,
        key.public.ed25519_bytes().unwrap(),
    )
    .unwrap();
    // PKCS #8 ends in the seed, which is what the peer's key format carries.
    let pkcs8 = key.pkcs8();
    let seed =
        &pkcs8[pkcs8.windows(4).position(|w| w == [0x04, 0x22, 0x04, 0x20]).unwrap() + 4..][..32];
    let id = data_encoding::HEXLOWER.encode(&vkey.key_id());
    let skey = format!("PRIVATE+KEY+peer.test/log+{id}+{}", BASE64.encode(&[&[1], seed].concat()));
    let signer = StandardSigner::new(&skey).expect("the peer takes our key id");
    let root = BASE64.encode(&[7; 32]);
    let text = format!("peer.test/log\n9\n{root}\n");
    let mut note = signed_note::Note::new(text.as_bytes(), &[]).unwrap();
    note.add_sigs(&[&signer]).unwrap();
    let bytes = note.to_bytes();
    let opened = checkpoint::open(&bytes, &vkey).unwrap();
    assert_eq!((opened.checkpoint.size, *opened.checkpoint.root.as_bytes()), (9, [7; 32]));
    assert_eq!(Note::decode(&bytes).unwrap().encode(), bytes);
}

#[test]
fn the_example_key_of_the_specification_has_the_id_it_says() {
    // From the text of C2SP `signed-note`.
    let vkey = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    let note = "This is an example message.\n\n\u{2014} example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";
    let key = VerifierKey::parse(vkey).unwrap();
    assert_eq!(key.to_string(), vkey);
    assert!(Note::decode(note.as_bytes()).unwrap().is_signed_by(&key));
    assert!(
        !Note::decode(note.replace("example m", "example-m").as_bytes())
            .unwrap()
            .is_signed_by(&key)
    );
}

#[test]
fn malformed_notes_are_refused_by_both() {
    let log = log();
    let good = String::from_utf8(log.note(2, &[], AT).unwrap()).unwrap();
    let bad = [
        good.trim_end().to_owned(),
        good.replace("\n\n", "\n"),
        good.replace('\u{2014}', "-"),
        good.replace("log.test/peer\n2", "log.test/peer\r\n2"),
        format!("{good}\n"),
        format!("{good}trailing\n"),
        good.replace("= ", "=  "),
        String::new(),
        "\n\n".to_owned(),
    ];
    assert!(they_verify(good.as_bytes(), &log.vkey));
    for text in bad.iter().filter(|text| **text != good) {
        assert!(!they_verify(text.as_bytes(), &log.vkey), "{text:?}");
        assert!(checkpoint::open(text.as_bytes(), &log.vkey).is_err(), "{text:?}");
    }
}

/// Where the specification says that we differ: one bad line spoils no checkpoint.
#[test]
fn a_bad_line_of_a_known_key_is_skipped_where_the_peer_refuses_the_note() {
    let log = log();
    let good = log.note(2, &[], AT).unwrap();
    let mut note = Note::decode(&good).unwrap();
    let mut bad = note.signatures[0].clone();
    bad.signature[0] ^= 1;
    note.signatures.insert(0, bad);
    assert!(!they_verify(&note.encode(), &log.vkey));
    assert!(checkpoint::open(&note.encode(), &log.vkey).is_ok());
    note.signatures.pop();
    assert!(checkpoint::open(&note.encode(), &log.vkey).is_err(), "the bad line alone");
}

/// The three lines of a checkpoint, in `tlog_tiles`.
#[test]
fn checkpoint_texts_are_read_as_by_the_peer() {
    let root = BASE64.encode(&[7; 32]);
    for size in [0, 1, 1_u64 << 40] {
        let text = format!("peer.test/log\n{size}\n{root}\n");
        let ours = Checkpoint::parse(&text).unwrap();
        let theirs = tlog_tiles::Checkpoint::from_bytes(text.as_bytes()).unwrap();
        assert_eq!((ours.origin.as_str(), ours.size), (theirs.origin(), theirs.size()));
        assert_eq!(*ours.root.as_bytes(), theirs.hash().0);
        assert_eq!(ours.to_text().into_bytes(), theirs.to_bytes());
    }
    let bad = [
        format!("\n9\n{root}\n"),
        format!("peer.test/log\n09\n{root}\n"),
        format!("peer.test/log\n+9\n{root}\n"),
        format!("peer.test/log\n-9\n{root}\n"),
        format!("peer.test/log\n\n{root}\n"),
        format!("peer.test/log\n18446744073709551616\n{root}\n"),
        format!("peer.test/log\n9\n{root}"),
        "peer.test/log\n9\n".to_owned(),
        format!("peer.test/log\n9\n{}\n", BASE64.encode(&[7; 31])),
        format!("peer.test/log\n9\n{}\n", root.trim_end_matches('=')),
    ];
    for text in bad {
        assert!(tlog_tiles::Checkpoint::from_bytes(text.as_bytes()).is_err(), "{text:?}");
        assert!(Checkpoint::parse(&text).is_err(), "{text:?}");
    }
    // Where the specification says that we are stricter.
    let extended = format!("peer.test/log\n9\n{root}\nextension\n");
    assert!(tlog_tiles::Checkpoint::from_bytes(extended.as_bytes()).is_ok());
    assert!(Checkpoint::parse(&extended).is_err());
}

#[test]
fn a_line_counts_only_with_both_the_name_and_the_id_of_its_key() {
    let log = log();
    let good = Note::decode(&log.note(2, &[], AT).unwrap()).unwrap();
    assert!(good.is_signed_by(&log.vkey));
    let mut renamed = good.clone();
    renamed.signatures[0].name = "log.test/another".to_owned();
    assert!(!renamed.is_signed_by(&log.vkey), "the right id under another name");
    let mut other_id = good;
    other_id.signatures[0].key_id[0] ^= 1;
    assert!(!other_id.is_signed_by(&log.vkey), "the right name with another id");
}

#[test]
fn a_signature_line_has_a_signature() {
    let line = |bytes: &[u8]| format!("\u{2014} log.test/peer {}\n", BASE64.encode(bytes));
    assert!(NoteSignature::parse(&line(b"1234s")).is_ok());
    assert!(NoteSignature::parse(&line(b"1234")).is_err(), "nothing after the id");
    assert!(NoteSignature::parse(&line(b"123")).is_err(), "no whole id");
}

#[test]
fn key_names_are_short_and_without_what_parts_fields() {
    let key = |name: &str| VerifierKey::new(name, NoteKeyType::Ed25519, [7; 32]);
    let longest = "n".repeat(128);
    for good in ["n", "log.test/peer", &longest] {
        assert!(key(good).is_ok(), "{good}");
    }
    for bad in ["", &format!("{longest}n"), "a b", "a\u{a0}b", "a\u{7}b", "a+b"] {
        assert!(key(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn a_note_of_exactly_the_longest_size_is_read_and_no_longer_one() {
    let line = "\u{2014} log.test/peer MTIzNHM=\n";
    let sized = |bytes: usize| format!("{}\n\n{line}", "t".repeat(bytes - line.len() - 2));
    assert!(Note::decode(sized(16 * 1024).as_bytes()).is_ok());
    assert!(Note::decode(sized(16 * 1024 + 1).as_bytes()).is_err());
}

#[test]
fn a_note_has_at_most_64_signatures() {
    let with =
        |lines: usize| format!("text\n\n{}", "\u{2014} log.test/peer MTIzNHM=\n".repeat(lines));
    assert_eq!(Note::decode(with(64).as_bytes()).unwrap().signatures.len(), 64);
    assert!(Note::decode(with(65).as_bytes()).is_err());
    assert!(Note::decode(with(0).as_bytes()).is_err(), "and at least one");
}

#[test]
fn a_log_proof_is_read_up_to_each_of_its_limits() {
    let proof = |hashes: usize, checkpoint: usize| {
        let hash = format!("{}\n", BASE64.encode(&[7; 32]));
        format!(
            "c2sp.org/tlog-proof@v1\nindex 3\n{}\n{}",
            hash.repeat(hashes),
            "c".repeat(checkpoint)
        )
    };
    let read = |text: &str| LogProof::decode(text.as_bytes()).map(|proof| proof.path.len());
    assert_eq!(read(&proof(64, 16 * 1024)), Ok(64));
    assert!(read(&proof(65, 10)).is_err());
    assert!(read(&proof(0, 16 * 1024 + 1)).is_err());
    // What is too long as a whole is not looked at; what is not is told apart.
    let why = |bytes: usize| LogProof::decode(&vec![0xff; bytes]).unwrap_err().0;
    assert_eq!(why(24 * 1024), "log proof");
    assert_eq!(why(24 * 1024 + 1), "log proof: too long");
}
