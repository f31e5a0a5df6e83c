//! A two-of-two envelope, counted by securesystemslib, each signature verified by stock `ssh-keygen`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use bartizan_testkit::load::organisation::Key;
use bartizan_testkit::world::{World, signed};
use bartizan_trust::envelope::Envelope;
use bartizan_trust::statement::SignatureRole::{Approve, Author};

/// The interpreter with the packages of `tests/peers/python/requirements.txt`.
fn python() -> PathBuf {
    let venv = std::env::var_os("BARTIZAN_VENV").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/venv"),
        PathBuf::from,
    );
    let python = venv.join("bin/python");
    assert!(python.exists(), "securesystemslib is needed for this test: run `scripts/setup test`");
    python
}

/// What the peer answers: its exit status.
fn judge(envelope: &[u8], threshold: u32) -> (Option<i32>, String) {
    let dir = tempfile::tempdir().unwrap();
    let (file, allowed) = (dir.path().join("envelope.json"), dir.path().join("allowed_signers"));
    let line = |name: &str, namespace: &str| {
        let public = Key::named(name).unwrap().public.to_openssh();
        format!("{name} namespaces=\"{namespace}\" {public}\n")
    };
    fs::write(&file, envelope).unwrap();
    fs::write(&allowed, line("alice", Author.namespace()) + &line("bob", Approve.namespace()))
        .unwrap();
    let script =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/peers/python/verify_envelope.py");
    let out = Command::new(python())
        .arg(script)
        .args([&file, &allowed])
        .arg(threshold.to_string())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&out.stdout) + String::from_utf8_lossy(&out.stderr);
    (out.status.code(), said.into_owned())
}

fn envelope() -> Envelope {
    let job = World::new().unwrap().job().unwrap();
    signed(&job, &[("alice", Author), ("bob", Approve)]).unwrap()
}

#[test]
fn a_two_of_two_envelope_is_accepted_by_the_peer() {
    let (code, said) = judge(&envelope().encode(), 2);
    assert_eq!((code, said.trim()), (Some(0), "good: 2 keys"));
}

/// The first signature once more, perhaps under another key id.
fn doubled(envelope: &[u8], keyid: Option<&str>) -> Vec<u8> {
    let mut envelope: serde_json::Value = serde_json::from_slice(envelope).unwrap();
    let signatures = envelope["signatures"].as_array_mut().unwrap();
    let mut copy = signatures[0].clone();
    if let Some(keyid) = keyid {
        copy["keyid"] = keyid.into();
    }
    signatures.push(copy);
    serde_json::to_vec(&envelope).unwrap()
}

#[test]
fn what_lacks_a_person_or_was_changed_is_refused_by_the_peer_too() {
    let job = World::new().unwrap().job().unwrap();
    let text = String::from_utf8(envelope().encode()).unwrap();
    let one = signed(&job, &[("alice", Author)]).unwrap();
    let same_person = signed(&job, &[("alice", Author), ("alice", Approve)]).unwrap();
    let swapped = signed(&job, &[("alice", Approve), ("bob", Author)]).unwrap();
    let stranger = signed(&job, &[("alice", Author), ("mallory", Approve)]).unwrap();
    let bob = Key::named("bob").unwrap().public.fingerprint();
    let cases = [
        ("one signature", one.encode(), 1),
        // securesystemslib refuses to read a key id twice; we read it and count the person once.
        ("one person twice", same_person.encode(), 2),
        ("roles swapped", swapped.encode(), 1),
        ("one signature twice", doubled(&one.encode(), None), 2),
        ("one signature twice, under the other's key id", doubled(&one.encode(), Some(&bob)), 1),
        ("a stranger", stranger.encode(), 1),
        ("another type", text.replace("job.v1", "job.v2").into_bytes(), 1),
        ("another payload", text.replace("\"payload\":\"ey", "\"payload\":\"fy").into_bytes(), 1),
    ];
    for (what, bytes, expected) in cases {
        let (code, said) = judge(&bytes, 2);
        assert_eq!(code, Some(expected), "{what}: {said}");
    }
}
