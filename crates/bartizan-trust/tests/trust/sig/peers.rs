//! OpenSSH accepts what we pack, and we accept what OpenSSH signs.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use bartizan_trust::keys::PublicKey;
use bartizan_trust::sshsig::SshSig;
use bartizan_trust::statement::SignatureRole;
use data_encoding::BASE64;

use super::authenticators::{ed25519, every_form};

const MESSAGE: &[u8] = b"DSSEv1 1 x 2 {}";

fn ssh_keygen() -> Command {
    let mut command = Command::new("ssh-keygen");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().expect("the tool ssh-keygen is needed for this test");
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned())
}

fn armour(blob: &[u8]) -> String {
    let text = BASE64.encode(blob);
    let lines: Vec<&str> =
        text.as_bytes().chunks(70).map(|line| core::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN SSH SIGNATURE-----\n{}\n-----END SSH SIGNATURE-----\n", lines.join("\n"))
}

fn dearmour(text: &str) -> Vec<u8> {
    let body: String = text.lines().filter(|line| !line.starts_with("-----")).collect();
    BASE64.decode(body.as_bytes()).unwrap()
}

/// `ssh-keygen -Y verify` for one allowed signer.
fn openssh_verifies(
    key: &PublicKey,
    role: SignatureRole,
    blob: &[u8],
    message: &[u8],
) -> Result<(), String> {
    let dir = tempfile::tempdir().unwrap();
    let (allowed, signature, signed) =
        (dir.path().join("allowed"), dir.path().join("sig"), dir.path().join("message"));
    fs::write(&allowed, format!("alice {}\n", key.to_openssh())).unwrap();
    fs::write(&signature, armour(blob)).unwrap();
    fs::write(&signed, message).unwrap();
    run(ssh_keygen()
        .args(["-Y", "verify", "-I", "alice", "-n", role.namespace(), "-f"])
        .arg(&allowed)
        .arg("-s")
        .arg(&signature)
        .stdin(fs::File::open(&signed).unwrap()))
}

#[test]
fn openssh_accepts_every_form_we_accept() {
    for (name, key, blob) in every_form(SignatureRole::Author, MESSAGE) {
        let facts = SshSig::decode(&blob).unwrap().verify(MESSAGE).unwrap();
        assert_eq!(facts.hardware, name != "ed25519");
        assert_eq!(
            openssh_verifies(&key.public, SignatureRole::Author, &blob, MESSAGE),
            Ok(()),
            "{name}"
        );
        assert!(
            openssh_verifies(&key.public, SignatureRole::Author, &blob, b"other").is_err(),
            "{name}"
        );
        assert!(
            openssh_verifies(&key.public, SignatureRole::Approve, &blob, MESSAGE).is_err(),
            "{name}"
        );
        let stranger = ed25519(99);
        assert!(
            openssh_verifies(&stranger.public, SignatureRole::Author, &blob, MESSAGE).is_err(),
            "{name}"
        );
    }
}

fn generate(dir: &Path, kind: &str) -> (std::path::PathBuf, String) {
    let file = dir.join(kind);
    run(ssh_keygen().args(["-q", "-N", "", "-C", "test", "-t", kind, "-f"]).arg(&file)).unwrap();
    let public = fs::read_to_string(file.with_extension("pub")).unwrap();
    let (key, _comment) = public.trim_end().rsplit_once(' ').unwrap();
    (file, key.to_owned())
}

fn openssh_signs(key_file: &Path, namespace: &str, message: &[u8], hash: &str) -> Vec<u8> {
    let signed = key_file.with_extension("message");
    let signature = key_file.with_extension("message.sig");
    let _ = fs::remove_file(&signature);
    fs::write(&signed, message).unwrap();
    run(ssh_keygen()
        .args(["-Y", "sign", "-n", namespace, "-O", &format!("hashalg={hash}"), "-f"])
        .arg(key_file)
        .arg(&signed))
    .unwrap();
    dearmour(&fs::read_to_string(signature).unwrap())
}

#[test]
fn we_accept_what_openssh_signs_in_every_role() {
    let dir = tempfile::tempdir().unwrap();
    let (file, public) = generate(dir.path(), "ed25519");
    let public = PublicKey::parse_openssh(&public).unwrap();
    for role in SignatureRole::ALL {
        let blob = openssh_signs(&file, role.namespace(), MESSAGE, "sha512");
        let sig = SshSig::decode(&blob).unwrap();
        assert_eq!((sig.role(), sig.public_key()), (*role, &public));
        assert!(sig.verify(MESSAGE).is_ok());
        assert!(sig.verify(b"another message").is_err());
    }
}

#[test]
fn openssh_signatures_of_other_uses_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (file, _) = generate(dir.path(), "ed25519");
    for (namespace, hash) in [
        ("git", "sha512"),
        ("author.v2@bartizan", "sha512"),
        ("author.v1@bartizan ", "sha512"),
        ("author.v1@bartizan", "sha256"),
    ] {
        let blob = openssh_signs(&file, namespace, MESSAGE, hash);
        assert!(SshSig::decode(&blob).is_err(), "{namespace} {hash}");
    }
}

#[test]
fn rsa_and_plain_ecdsa_keys_and_signatures_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    for kind in ["rsa", "ecdsa"] {
        let (file, public) = generate(dir.path(), kind);
        assert!(PublicKey::parse_openssh(&public).is_err(), "{kind}");
        let blob = openssh_signs(&file, SignatureRole::Author.namespace(), MESSAGE, "sha512");
        assert!(SshSig::decode(&blob).is_err(), "{kind}");
    }
}

#[test]
fn fingerprints_are_those_openssh_prints() {
    let dir = tempfile::tempdir().unwrap();
    let (file, public) = generate(dir.path(), "ed25519");
    let output = ssh_keygen().stdout(Stdio::piped()).arg("-lf").arg(&file).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let fingerprint = PublicKey::parse_openssh(&public).unwrap().fingerprint();
    assert_eq!(text.split(' ').nth(1), Some(fingerprint.as_str()));
}

#[test]
fn a_second_reader_sees_the_same_signatures() {
    let (role, other) = (SignatureRole::Author.namespace(), SignatureRole::Approve.namespace());
    // It does not know the form of passkeys.
    for (name, key, blob) in every_form(SignatureRole::Author, MESSAGE).into_iter().take(3) {
        let peer: ssh_key::SshSig = armour(&blob).parse().unwrap();
        let public: ssh_key::PublicKey = key.public.to_openssh().parse().unwrap();
        assert_eq!(public.verify(role, MESSAGE, &peer), Ok(()), "{name}");
        assert!(public.verify(role, b"other", &peer).is_err(), "{name}");
        assert!(public.verify(other, MESSAGE, &peer).is_err(), "{name}");
    }
}
