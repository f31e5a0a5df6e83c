//! Replays `vectors/sig`. With `BARTIZAN_WRITE_VECTORS=1` it writes them first.

use std::path::{Path, PathBuf};
use std::{env, fs};

use bartizan_trust::envelope::{Envelope, EnvelopeError, pae};
use bartizan_trust::statement::SignatureRole;
use bartizan_trust::wire::Writer;
use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

use super::authenticators::*;

const PAYLOAD_TYPE: &str = "application/vnd.bartizan.login.v1+json";
const PAYLOAD: &str = r#"{"any":"payload"}"#;
const ROLE: SignatureRole = SignatureRole::Author;

/// One file. The envelope is text, as its exact bytes matter.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    about: String,
    envelope: String,
    expect: Expect,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Expect {
    /// Decodes, and every signature verifies.
    Accept { payload_type: String, payload: String, id: String, signatures: Vec<Signed> },
    /// Does not decode; `malformed` or `too_large`.
    EnvelopeRefused(String),
    /// Decodes, but its only signature does not verify; a word of the reason.
    SignatureRefused(String),
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Signed {
    key: String,
    role: String,
    hardware: bool,
    user_presence: bool,
    user_verification: bool,
    backup_eligible: bool,
    origin: Option<String>,
    counter: Option<u32>,
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors/sig").join(name)
}

fn accepted(envelope: &Envelope) -> Expect {
    let (verified, ignored) = envelope.verify_signatures();
    assert_eq!(ignored, []);
    let signatures = verified
        .into_iter()
        .map(|signature| Signed {
            key: signature.key.to_openssh(),
            role: signature.role.to_string(),
            hardware: signature.facts.hardware,
            user_presence: signature.facts.user_presence,
            user_verification: signature.facts.user_verification,
            backup_eligible: signature.facts.backup_eligible,
            origin: signature.facts.origin,
            counter: signature.facts.counter,
        })
        .collect();
    Expect::Accept {
        payload_type: envelope.payload_type().to_owned(),
        payload: BASE64.encode(envelope.payload()),
        id: envelope.id().to_string(),
        signatures,
    }
}

fn check(vector: &Vector) {
    let decoded = Envelope::decode(vector.envelope.as_bytes());
    match &vector.expect {
        expected @ Expect::Accept { .. } => {
            let found = accepted(&decoded.unwrap());
            let json = |expect| serde_json::to_string(expect).unwrap();
            assert_eq!(json(&found), json(expected));
        }
        Expect::EnvelopeRefused(word) => match (word.as_str(), decoded) {
            ("malformed", Err(EnvelopeError::Malformed(_)))
            | ("too_large", Err(EnvelopeError::TooLarge(_))) => {}
            (word, other) => panic!("expected {word}, found {other:?}"),
        },
        Expect::SignatureRefused(word) => {
            let (verified, ignored) = decoded.unwrap().verify_signatures();
            assert_eq!(verified, []);
            assert!(ignored[0].reason.contains(word), "{} is not about {word}", ignored[0].reason);
        }
    }
}

#[test]
fn vectors_are_judged_as_they_say() {
    if env::var_os("BARTIZAN_WRITE_VECTORS").is_some() {
        write();
    }
    for (name, accept, least) in [("accept", true, 6), ("reject", false, 30)] {
        let files: Vec<_> =
            fs::read_dir(folder(name)).unwrap().map(|f| f.unwrap().path()).collect();
        assert!(files.len() >= least, "{name}: {} files", files.len());
        for file in files {
            println!("{}", file.display());
            let vector: Vector = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
            assert_eq!(matches!(vector.expect, Expect::Accept { .. }), accept);
            check(&vector);
        }
    }
}

/// An envelope's text around raw signature blobs.
fn envelope(blobs: &[Vec<u8>]) -> String {
    let signatures: Vec<String> = blobs
        .iter()
        .map(|blob| format!(r#"{{"keyid":"","sig":"{}"}}"#, BASE64.encode(blob)))
        .collect();
    format!(
        r#"{{"payloadType":"{PAYLOAD_TYPE}","payload":"{}","signatures":[{}]}}"#,
        BASE64.encode(PAYLOAD.as_bytes()),
        signatures.join(",")
    )
}

fn message() -> Vec<u8> {
    pae(PAYLOAD_TYPE, PAYLOAD.as_bytes())
}

fn write() {
    for name in ["accept", "reject"] {
        let _ = fs::remove_dir_all(folder(name));
        fs::create_dir_all(folder(name)).unwrap();
    }
    write_accepted();
    write_refused_envelopes();
    write_refused_signatures();
    write_refused_passkeys();
}

fn save(directory: &str, name: &str, about: &str, envelope: String, expect: Expect) {
    let vector = Vector { about: about.to_owned(), envelope, expect };
    let text = serde_json::to_string_pretty(&vector).unwrap() + "\n";
    fs::write(folder(directory).join(format!("{name}.json")), text).unwrap();
}

fn write_accepted() {
    let accept = |name: &str, about: &str, text: String| {
        let expect = accepted(&Envelope::decode(text.as_bytes()).unwrap());
        save("accept", name, about, text, expect);
    };
    accept("unsigned", "no signature at all is still an envelope", envelope(&[]));
    let forms = every_form(ROLE, &message());
    for (name, _, blob) in &forms {
        accept(name, "one honest signature", envelope(std::slice::from_ref(blob)));
    }
    let all: Vec<Vec<u8>> = forms.into_iter().map(|(_, _, blob)| blob).collect();
    accept("every_form", "every form in one envelope", envelope(&all));
    let key = ed25519(1);
    let roles: Vec<Vec<u8>> = SignatureRole::ALL
        .iter()
        .map(|role| Blob::new(&key, *role, key.sign(*role, &message(), 0)).encode())
        .collect();
    accept("every_role", "one key in every role", envelope(&roles));
    let hinted = envelope(&all[..1]).replace(r#""keyid":"""#, r#""keyid":"SHA256:not this key""#);
    accept("wrong_keyid", "the key id is a hint, and this one is wrong", hinted);
}

fn write_refused_envelopes() {
    let good = envelope(&[]);
    let payload = BASE64.encode(PAYLOAD.as_bytes());
    let signature = r#"{"keyid":"","sig":"AAAA"}"#;
    let list = |count: usize| format!("[{}]", vec![signature; count].join(","));
    let cases = [
        ("newline", "\n", String::new()),
        ("space", "{\"payloadType", "{ \"payloadType".to_owned()),
        ("unknown_field", "\"signatures\":[]", "\"signatures\":[],\"x\":1".to_owned()),
        ("missing_signatures", ",\"signatures\":[]", String::new()),
        ("duplicate_payload", "\"payload\":", "\"payload\":\"\",\"payload\":".to_owned()),
        ("escaped_type", "application", "\\u0061pplication".to_owned()),
        ("base64_without_padding", "=", String::new()),
        ("base64_trailing_bits", "In0=", "In1=".to_owned()),
        ("base64_url_alphabet", payload.as_str(), "_-__".to_owned()),
        ("payload_type_with_control", "login", "log\\u0000in".to_owned()),
        ("signature_unknown_field", "[]", r#"[{"keyid":"","sig":"AAAA","x":1}]"#.to_owned()),
        ("signature_duplicate_field", "[]", r#"[{"keyid":"","sig":"","sig":"AAAA"}]"#.to_owned()),
        ("signature_without_keyid", "[]", r#"[{"sig":"AAAA"}]"#.to_owned()),
    ];
    for (name, from, to) in cases {
        let text =
            if name == "newline" { good.clone() + "\n" } else { good.replacen(from, &to, 1) };
        assert_ne!(text, good, "{name}");
        let expect = Expect::EnvelopeRefused("malformed".to_owned());
        save("reject", name, "not the one canonical form", text, expect);
    }
    let expect = Expect::EnvelopeRefused("too_large".to_owned());
    save("reject", "17_signatures", "one above the limit", good.replace("[]", &list(17)), expect);
}

fn write_refused_signatures() {
    let m = message();
    let (plain, sk, ecdsa) = (ed25519(1), sk_ed25519(2), sk_ecdsa("ssh:"));
    let good = Blob::new(&plain, ROLE, plain.sign(ROLE, &m, 0));
    let by = |key: &Key, flags| Blob::new(key, ROLE, key.sign(ROLE, &m, flags));
    let rsa = Writer::new().text("ssh-rsa").bytes(&[1, 0, 1]).bytes(&[0x55; 256]).into_bytes();
    let mut identity = [0; 32];
    identity[0] = 1;
    let low_order = Writer::new().text("ssh-ed25519").bytes(&identity).into_bytes();
    let other_type = pae("application/vnd.bartizan.job.v1+json", PAYLOAD.as_bytes());
    let cases = [
        (
            "other_role",
            "does not fit",
            Blob { namespace: "approve.v1@bartizan".to_owned(), ..good.clone() },
        ),
        ("other_namespace", "namespace", Blob { namespace: "git".to_owned(), ..good.clone() }),
        ("version_2", "version 1", Blob { version: 2, ..good.clone() }),
        ("sha256", "sha512", Blob { hash: "sha256".to_owned(), ..good.clone() }),
        ("reserved_bytes", "reserved", Blob { reserved: vec![0], ..good.clone() }),
        (
            "other_key",
            "does not fit",
            Blob { key: ed25519(3).public.blob().to_vec(), ..good.clone() },
        ),
        ("rsa_key", "only", Blob { key: rsa, ..good.clone() }),
        ("low_order_key", "low order", Blob { key: low_order, ..good.clone() }),
        (
            "other_payload_type",
            "does not fit",
            Blob::new(&plain, ROLE, plain.sign(ROLE, &other_type, 0)),
        ),
        (
            "form_of_another_key_type",
            "algorithm",
            Blob { signature: sk.sign(ROLE, &m, UP), ..good },
        ),
        ("sk_ed25519_untouched", "touched", by(&sk, 0)),
        ("sk_ecdsa_untouched", "touched", by(&ecdsa, UV)),
        ("sk_attested_data", "attested", by(&sk, UP | AT)),
        ("sk_extension_flag", "extension", by(&sk, UP | ED)),
    ];
    for (name, why, blob) in cases {
        let expect = Expect::SignatureRefused(why.to_owned());
        save("reject", name, "a signature that does not count", envelope(&[blob.encode()]), expect);
    }
    let trailing = [by(&plain, 0).encode(), vec![0]].concat();
    let expect = Expect::SignatureRefused("malformed".to_owned());
    save("reject", "trailing_byte", "a byte after the last field", envelope(&[trailing]), expect);
}

fn write_refused_passkeys() {
    let frame = r#""crossOrigin":true"#;
    let top = r#""crossOrigin":false,"topOrigin":"https://server.example""#;
    let same = r#""crossOrigin":false"#;
    let cases = [
        ("webauthn_create", "ceremony", "webauthn.get", "webauthn.create"),
        ("webauthn_challenge", "challenge", "CHALLENGE", "AAAA"),
        ("webauthn_challenge_padded", "challenge", "CHALLENGE", "CHALLENGE="),
        ("webauthn_origin", "two origins", ":7443", ":7444"),
        ("webauthn_cross_origin", "frame", same, frame),
        ("webauthn_top_origin", "frame", same, top),
        ("webauthn_duplicate", "not WebAuthn", same, r#""crossOrigin":true,"crossOrigin":false"#),
    ];
    let signed = |ceremony: &Ceremony| {
        let key = sk_ecdsa("localhost");
        Blob::new(&key, ROLE, key.sign_webauthn(ROLE, &message(), ceremony)).encode()
    };
    for (name, why, from, to) in cases {
        let mut ceremony = Ceremony::honest();
        ceremony.client_data = ceremony.client_data.replace(from, to);
        let expect = Expect::SignatureRefused(why.to_owned());
        let about = "a passkey's signature made some other way";
        save("reject", name, about, envelope(&[signed(&ceremony)]), expect);
    }
    let mut ceremony = Ceremony::honest();
    ceremony.extensions = vec![0xa0];
    let expect = Expect::SignatureRefused("extension".to_owned());
    let about = "extension data without the flag";
    save(
        "reject",
        "webauthn_extension_without_flag",
        about,
        envelope(&[signed(&ceremony)]),
        expect,
    );
}
