//! Signatures that must never count.

use bartizan_testkit::world::{World, signed};
use bartizan_trust::envelope::{Envelope, EnvelopeError};
use bartizan_trust::limits;
use bartizan_trust::sshsig::{SignatureFacts, SshSig};
use bartizan_trust::statement::{FreezeScope, SignatureRole};
use bartizan_trust::wire::Writer;

use super::authenticators::*;

const MESSAGE: &[u8] = b"DSSEv1 1 x 2 {}";
const ROLE: SignatureRole = SignatureRole::Author;

/// The facts, or at which step and why it was refused.
fn judge(blob: &[u8]) -> Result<SignatureFacts, String> {
    SshSig::decode(blob).and_then(|sig| sig.verify(MESSAGE)).map_err(|error| error.to_string())
}

#[track_caller]
fn refused(blob: &[u8], why: &str) {
    let error = judge(blob).expect_err(why);
    assert!(error.contains(why), "{error} is not about {why}");
}

#[test]
fn each_form_states_how_it_was_made() {
    let none = SignatureFacts::default();
    let touched =
        SignatureFacts { hardware: true, user_presence: true, counter: Some(7), ..none.clone() };
    let verified = SignatureFacts { user_verification: true, ..touched.clone() };
    let passkey = SignatureFacts { origin: Some(ORIGIN.to_owned()), ..verified.clone() };
    let expected = [none, touched, verified, passkey.clone(), passkey];
    for ((name, key, blob), facts) in every_form(ROLE, MESSAGE).into_iter().zip(expected) {
        assert_eq!(judge(&blob), Ok(facts), "{name}");
        let sig = SshSig::decode(&blob).unwrap();
        assert_eq!((sig.encode(), sig.public_key(), sig.role()), (&blob[..], &key.public, ROLE));
    }
    let mut synced = Ceremony::honest();
    synced.flags |= BE;
    let key = sk_ecdsa("localhost");
    let blob = Blob::new(&key, ROLE, key.sign_webauthn(ROLE, MESSAGE, &synced)).encode();
    assert!(judge(&blob).unwrap().backup_eligible);
}

#[test]
fn no_changed_byte_of_a_signature_verifies() {
    for (name, _, blob) in every_form(ROLE, MESSAGE) {
        assert!(judge(&blob).is_ok());
        for place in 0..blob.len() {
            for flip in [0x01, 0x20, 0x80, 0xff] {
                let mut changed = blob.clone();
                changed[place] ^= flip;
                assert!(judge(&changed).is_err(), "{name}: byte {place} ^ {flip:#x}");
            }
        }
    }
}

#[test]
fn no_cut_or_lengthened_signature_decodes() {
    for (name, _, blob) in every_form(ROLE, MESSAGE) {
        for end in 0..blob.len() {
            assert!(SshSig::decode(&blob[..end]).is_err(), "{name}: cut at {end}");
        }
        assert!(SshSig::decode(&[&blob[..], &[0]].concat()).is_err(), "{name}");
    }
}

#[test]
fn a_signature_for_one_role_does_not_serve_another() {
    for (_, key, _) in every_form(ROLE, MESSAGE) {
        let signature = key.sign(SignatureRole::Author, MESSAGE, UP);
        assert!(judge(&Blob::new(&key, SignatureRole::Author, signature.clone()).encode()).is_ok());
        for role in SignatureRole::ALL.iter().filter(|role| **role != SignatureRole::Author) {
            refused(&Blob::new(&key, *role, signature.clone()).encode(), "does not fit");
        }
    }
}

#[test]
fn a_signature_of_another_key_or_message_is_refused() {
    let (one, two) = (ed25519(1), ed25519(2));
    refused(&Blob::new(&one, ROLE, two.sign(ROLE, MESSAGE, 0)).encode(), "does not fit");
    refused(&Blob::new(&one, ROLE, one.sign(ROLE, b"other", 0)).encode(), "does not fit");
}

#[test]
fn other_versions_hashes_namespaces_and_reserved_bytes_are_refused() {
    let key = ed25519(1);
    let good = Blob::new(&key, ROLE, key.sign(ROLE, MESSAGE, 0));
    refused(&Blob { version: 2, ..good.clone() }.encode(), "version 1");
    refused(&Blob { version: 0, ..good.clone() }.encode(), "version 1");
    refused(&Blob { hash: "sha256".to_owned(), ..good.clone() }.encode(), "sha512");
    refused(&Blob { reserved: vec![0], ..good.clone() }.encode(), "reserved");
    refused(&Blob { namespace: String::new(), ..good.clone() }.encode(), "namespace");
    refused(&Blob { namespace: "file".to_owned(), ..good.clone() }.encode(), "namespace");
    refused(&Blob { namespace: "author.v1@bartizan\0".to_owned(), ..good }.encode(), "namespace");
}

#[test]
fn a_signature_form_of_another_key_type_is_refused() {
    let (plain, sk, ecdsa) = (ed25519(1), sk_ed25519(1), sk_ecdsa("ssh:"));
    for (key, signer) in [(&plain, &sk), (&sk, &plain), (&sk, &ecdsa), (&ecdsa, &sk)] {
        refused(&Blob::new(key, ROLE, signer.sign(ROLE, MESSAGE, UP)).encode(), "algorithm");
    }
    let webauthn = ecdsa.sign_webauthn(ROLE, MESSAGE, &Ceremony::honest());
    refused(&Blob::new(&sk, ROLE, webauthn).encode(), "algorithm");
    let rsa = Writer::new().text("rsa-sha2-512").bytes(&[1; 256]).into_bytes();
    refused(&Blob::new(&plain, ROLE, rsa).encode(), "algorithm");
}

#[test]
fn an_untouched_key_is_refused_although_the_signature_is_right() {
    for key in [sk_ed25519(1), sk_ecdsa("ssh:")] {
        for (flags, why) in
            [(0, "touched"), (UV, "touched"), (UP | AT, "attested"), (UP | ED, "extension")]
        {
            refused(&Blob::new(&key, ROLE, key.sign(ROLE, MESSAGE, flags)).encode(), why);
        }
    }
}

#[test]
fn a_signature_for_another_application_is_refused() {
    let key = sk_ecdsa("ssh:");
    let mut blob = Blob::new(&key, ROLE, key.sign(ROLE, MESSAGE, UP));
    assert!(judge(&blob.encode()).is_ok());
    let point = key.public.blob();
    blob.key = [&point[..point.len() - 8], &Writer::new().text("evil").into_bytes()].concat();
    refused(&blob.encode(), "does not fit");
}

fn passkey(change: impl FnOnce(&mut Ceremony)) -> Vec<u8> {
    let key = sk_ecdsa("localhost");
    let mut ceremony = Ceremony::honest();
    change(&mut ceremony);
    Blob::new(&key, ROLE, key.sign_webauthn(ROLE, MESSAGE, &ceremony)).encode()
}

fn client_data(from: &str, to: &str) -> Vec<u8> {
    passkey(|c| {
        assert!(c.client_data.contains(from));
        c.client_data = c.client_data.replace(from, to);
    })
}

#[test]
fn client_data_of_another_ceremony_or_page_are_refused() {
    assert!(judge(&client_data("\"x\"", "\"y\"")).is_ok());
    assert!(judge(&client_data("\"crossOrigin\":false,", "")).is_ok());

    refused(&client_data("webauthn.get", "webauthn.create"), "ceremony");
    refused(&client_data("CHALLENGE", "CHALLENGE="), "challenge");
    refused(&client_data("CHALLENGE", "AAAA"), "challenge");
    refused(&client_data("CHALLENGE", ""), "challenge");
    refused(&client_data(":7443", ":7444"), "two origins");
    refused(&passkey(|c| c.origin = "http://localhost:7444".to_owned()), "two origins");
    refused(&client_data("\"crossOrigin\":false", "\"crossOrigin\":true"), "frame");
    refused(&client_data("\"crossOrigin\":false", "\"crossOrigin\":\"\""), "not WebAuthn");
    refused(
        &client_data("\"crossOrigin\":false", "\"topOrigin\":\"https://server.example\""),
        "frame",
    );
}

#[test]
fn client_data_that_can_be_read_in_two_ways_are_refused() {
    for field in
        ["\"type\":\"webauthn.get\"", "\"challenge\":\"CHALLENGE\"", "\"crossOrigin\":false"]
    {
        refused(&client_data(field, &format!("{field},{field}")), "not WebAuthn");
    }
    let list = format!("[\"webauthn.get\",\"CHALLENGE\",\"{ORIGIN}\",false,null]");
    refused(&passkey(|c| c.client_data = list), "not WebAuthn");
    refused(&passkey(|c| c.client_data.push('x')), "not WebAuthn");
    refused(&passkey(|c| c.client_data = String::new()), "not WebAuthn");
}

#[test]
fn a_passkey_needs_a_touch_and_honest_flags() {
    refused(&passkey(|c| c.flags = UV), "touched");
    refused(&passkey(|c| c.flags |= AT), "attested");
    refused(&passkey(|c| c.flags |= ED), "extension");
    refused(&passkey(|c| c.extensions = vec![0xa0]), "extension");
    assert!(!judge(&passkey(|c| c.flags = UP)).unwrap().user_verification);
}

#[test]
fn client_data_limit_holds_at_and_above() {
    let of_length = |wanted: usize| {
        let challenge = data_encoding::BASE64URL_NOPAD
            .encode(&bartizan_trust::sshsig::to_be_signed(ROLE, MESSAGE));
        passkey(|c| {
            let now = c.client_data.len() - "CHALLENGE".len() + challenge.len();
            let fill = "x".repeat(wanted - now + 1);
            c.client_data = c.client_data.replace("\"x\"", &format!("\"{fill}\""));
        })
    };
    assert!(judge(&of_length(limits::CLIENT_DATA_BYTES_MAX)).is_ok());
    refused(&of_length(limits::CLIENT_DATA_BYTES_MAX + 1), "client data longer");
}

#[test]
fn signature_size_limit_holds_at_and_above() {
    let key = ed25519(1);
    let good = Blob::new(&key, ROLE, key.sign(ROLE, MESSAGE, 0)).encode();
    let padded = |length: usize| [&good[..], &vec![0; length - good.len()]].concat();
    refused(&padded(limits::SSHSIG_BYTES_MAX), "malformed");
    refused(&padded(limits::SSHSIG_BYTES_MAX + 1), "4 KiB");
}

fn envelope() -> Envelope {
    Envelope::decode(br#"{"payloadType":"x","payload":"e30=","signatures":[]}"#).unwrap()
}

fn signature(seed: u8, role: SignatureRole) -> SshSig {
    let key = ed25519(seed);
    SshSig::from_ssh_signature(&key.public, role, &key.sign(role, MESSAGE, 0)).unwrap()
}

#[test]
fn a_signature_pasted_twice_is_kept_once() {
    let mut envelope = envelope();
    assert_eq!(envelope.pae(), MESSAGE);
    for _ in 0..2 {
        envelope.add_signature(&signature(1, SignatureRole::Author)).unwrap();
    }
    assert_eq!(envelope.signature_count(), 1);
    envelope.add_signature(&signature(1, SignatureRole::Approve)).unwrap();
    assert_eq!(envelope.signature_count(), 2);
}

#[test]
fn an_envelope_gives_out_every_signature_in_its_order() {
    let world = World::new().unwrap();
    let roles = [("alice", SignatureRole::Freeze), ("bob", SignatureRole::Freeze)];
    let freeze = world.freeze(FreezeScope::Org, 60);
    let blobs = |roles: &[_]| -> Vec<Vec<u8>> {
        signed(&freeze, roles).unwrap().signature_blobs().map(<[u8]>::to_vec).collect()
    };
    assert_eq!(blobs(&roles), [blobs(&roles[..1]), blobs(&roles[1..])].concat());
    assert_eq!(blobs(&roles).len(), 2);
}

#[test]
fn an_envelope_takes_sixteen_signatures_and_no_more() {
    let mut envelope = envelope();
    for seed in 0..16 {
        envelope.add_signature(&signature(seed, ROLE)).unwrap();
    }
    let more = envelope.add_signature(&signature(16, ROLE));
    assert!(matches!(more, Err(EnvelopeError::TooLarge("signatures"))));
    let read = Envelope::decode(&envelope.encode()).unwrap();
    assert_eq!(read.verify_signatures().0.len(), 16);
}

#[test]
fn a_bad_signature_does_not_spoil_a_good_one() {
    let mut envelope = envelope();
    let key = ed25519(1);
    let wrong =
        SshSig::from_ssh_signature(&key.public, ROLE, &key.sign(ROLE, b"other", 0)).unwrap();
    envelope.add_signature(&wrong).unwrap();
    envelope.add_signature(&signature(2, ROLE)).unwrap();
    let text = String::from_utf8(envelope.encode()).unwrap();
    // One more, which is no SSHSIG at all.
    let text = text.replace("]}", r#",{"keyid":"","sig":"AAAA"}]}"#);
    let (verified, ignored) = Envelope::decode(text.as_bytes()).unwrap().verify_signatures();
    assert_eq!(verified.iter().map(|v| v.index).collect::<Vec<_>>(), [1]);
    assert_eq!(ignored.iter().map(|i| i.index).collect::<Vec<_>>(), [0, 2]);
}

#[test]
fn the_key_id_is_a_hint_and_never_believed() {
    let mut envelope = envelope();
    envelope.add_signature(&signature(1, ROLE)).unwrap();
    let text = String::from_utf8(envelope.encode()).unwrap();
    let text = text.replace(&ed25519(1).public.fingerprint(), &ed25519(2).public.fingerprint());
    let (verified, _) = Envelope::decode(text.as_bytes()).unwrap().verify_signatures();
    assert_eq!(verified[0].key, ed25519(1).public);
}

#[test]
fn the_same_bytes_under_another_payload_type_do_not_verify() {
    let mut envelope = envelope();
    envelope.add_signature(&signature(1, ROLE)).unwrap();
    let text = String::from_utf8(envelope.encode()).unwrap();
    let other = text.replace(r#""payloadType":"x""#, r#""payloadType":"y""#);
    assert_eq!(Envelope::decode(other.as_bytes()).unwrap().verify_signatures().0, []);
}
