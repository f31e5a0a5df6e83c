//! Signed packs, with signatures that the stock tool makes.

use std::fs;
use std::path::Path;
use std::process::Command;

use bartizan_scan::pack::{join_pack, split_pack};
use bartizan_trust::envelope::Envelope;
use bartizan_trust::sshsig::SshSig;
use data_encoding::BASE64_MIME_PERMISSIVE;

use crate::tree::run;

const SOURCE: &str = r#"{"v":1,"name":"ours","version":"7","made":1800000000,"title":"t"}"#;
const ORG: &str = "org_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

fn keygen(arguments: &[&str]) {
    let output =
        Command::new("ssh-keygen").args(arguments).output().expect("ssh-keygen is missing");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Signs the pack's statement in a role, as `bartizan pack sign` does.
fn sign(folder: &Path, key: &str, role: &str, pack: &str) {
    let at = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let bytes = fs::read(at(pack)).unwrap();
    let parts = split_pack(&bytes).unwrap();
    let mut envelope = Envelope::decode(parts.envelope).unwrap();
    let _ = fs::remove_file(at("pae.sig"));
    fs::write(at("pae"), envelope.pae()).unwrap();
    keygen(&["-Y", "sign", "-q", "-f", &at(key), "-n", role, &at("pae")]);
    let armour = fs::read_to_string(at("pae.sig")).unwrap();
    let body: String = armour.lines().filter(|line| !line.starts_with("-----")).collect();
    let blob = BASE64_MIME_PERMISSIVE.decode(body.as_bytes()).unwrap();
    envelope.add_signature(&SshSig::decode(&blob).unwrap()).unwrap();
    fs::write(at(pack), join_pack(&envelope.encode(), parts.body)).unwrap();
}

/// A signed pack with a rule for the path of a file, and the line of the key that signed it.
pub(crate) fn signed_pack(name: &str, path: &str) -> (Vec<u8>, String) {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    keygen(&["-q", "-t", "ed25519", "-N", "", "-f", &at("key")]);
    let rule = serde_json::json!({
        "id": "a.name", "reason": "a name", "level": "suspicious", "confidence": "medium",
        "source": "us", "advice": "look at it",
    });
    let source = serde_json::json!({
        "v": 1, "name": name, "version": "1", "made": 1_800_000_000, "title": "t",
        "files": [{ "rule": rule, "path": [path] }],
    });
    fs::write(at("source.json"), source.to_string()).unwrap();
    let build = ["pack", "build", &at("source.json"), "--output", &at("pack"), "--org", ORG];
    let (_, error, code) = run(&build);
    assert_eq!(code, 0, "{error}");
    sign(folder.path(), "key", "pack.v1@bartizan", "pack");
    (fs::read(at("pack")).unwrap(), fs::read_to_string(at("key.pub")).unwrap())
}

#[test]
fn a_pack_counts_when_a_known_key_signed_this_body_in_the_role_pack() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    for key in ["alice", "bob"] {
        keygen(&["-q", "-t", "ed25519", "-N", "", "-f", &at(key)]);
    }
    fs::write(at("ours.json"), SOURCE).unwrap();
    let build = |source: &str, pack: &str| {
        let (_, error, code) =
            run(&["pack", "build", &at(source), "--output", &at(pack), "--org", ORG]);
        assert_eq!(code, 0, "{error}");
    };
    let shown =
        |pack: &str| run(&["pack", "show", "--pack", &at(pack), "--pack-keys", &at("alice.pub")]);
    let refused = |pack: &str, why: &str| {
        let (_, error, code) = shown(pack);
        assert!(code == 3 && error.contains(why), "{error}");
    };

    build("ours.json", "unsigned");
    refused("unsigned", "none of the keys");

    build("ours.json", "by-bob");
    sign(folder.path(), "bob", "pack.v1@bartizan", "by-bob");
    refused("by-bob", "none of the keys");

    build("ours.json", "as-author");
    sign(folder.path(), "alice", "author.v1@bartizan", "as-author");
    refused("as-author", "none of the keys");

    build("ours.json", "good");
    sign(folder.path(), "alice", "pack.v1@bartizan", "good");
    let (text, error, code) = shown("good");
    assert_eq!(code, 0, "{error}");
    assert!(text.contains("ours 7") && text.contains("signed by SHA256:"), "{text}");

    // The signature of one pack on the body of another.
    fs::write(at("other.json"), SOURCE.replace("\"7\"", "\"8\"")).unwrap();
    build("other.json", "other");
    let (good, other) = (fs::read(at("good")).unwrap(), fs::read(at("other")).unwrap());
    let (good, other) = (split_pack(&good).unwrap(), split_pack(&other).unwrap());
    fs::write(at("swapped"), join_pack(good.envelope, other.body)).unwrap();
    refused("swapped", "another pack");
}
