//! An authenticator in software, which does as it is told.

use bartizan_trust::statement::{Login, V1};
use bartizan_trust::time::UnixSeconds;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};

use super::*;

const ORIGIN: &str = "http://localhost:8740";

struct Authenticator {
    pair: EcdsaKeyPair,
    random: SystemRandom,
    name: &'static str,
    flags: u8,
}

impl Authenticator {
    fn new() -> Self {
        let random = SystemRandom::new();
        let pkcs8 =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).expect("key");
        let pair =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.as_ref(), &random)
                .expect("key");
        Self { pair, random, name: RP_ID, flags: USER_PRESENT | USER_VERIFIED }
    }

    fn data(&self, more: u8, rest: &[u8]) -> Vec<u8> {
        let hash = Sha256::of(self.name.as_bytes());
        [hash.as_bytes().as_slice(), &[self.flags | more], &7_u32.to_be_bytes(), rest].concat()
    }

    fn create(&self) -> Vec<u8> {
        let point = self.pair.public_key().as_ref();
        let key = [COSE_BEFORE_X.as_slice(), &point[1..33], &COSE_BEFORE_Y, &point[33..]].concat();
        self.data(HAS_KEY, &[[0; 16].as_slice(), &[0, 4], b"cred", &key].concat())
    }

    fn get(&self, client_data: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let data = self.data(0, &[]);
        let signed = [data.as_slice(), Sha256::of(client_data).as_bytes()].concat();
        (data, self.pair.sign(&self.random, &signed).expect("sign").as_ref().to_vec())
    }
}

fn client_data(kind: &str, challenge: &str, origin: &str) -> Vec<u8> {
    // Browsers add members like the last one.
    format!(r#"{{"type":"webauthn.{kind}","challenge":"{challenge}","origin":"{origin}","crossOrigin":false,"other":"x"}}"#).into_bytes()
}

fn registered(authenticator: &Authenticator) -> Result<Passkey> {
    register("abc", ORIGIN, &client_data("create", "abc", ORIGIN), &authenticator.create(), false)
}

fn envelope(exp: u64) -> Envelope {
    let hash = Sha256::of(b"x");
    Envelope::new(&Login {
        v: V1,
        org: bartizan_trust::id::OrgId::new(hash),
        iat: UnixSeconds::new(1_800_000_000),
        crit: Vec::new(),
        console_key: hash,
        server: hash,
        exp: UnixSeconds::new(exp),
    })
}

fn sign(
    passkey: &Passkey,
    authenticator: &Authenticator,
    challenge: &str,
    origin: &str,
) -> Result<Envelope> {
    let mut envelope = envelope(1_800_000_100);
    let client_data = client_data("get", challenge, origin);
    let (authenticator_data, signature) = authenticator.get(&client_data);
    let assertion = Assertion {
        authenticator_data: &authenticator_data,
        client_data: &client_data,
        signature: &signature,
    };
    passkey.sign(&mut envelope, SignatureRole::Login, &assertion)?;
    Ok(envelope)
}

#[test]
fn a_passkey_signs_what_it_was_asked_to_and_the_signature_is_an_ssh_one() {
    let authenticator = Authenticator::new();
    let passkey = registered(&authenticator).expect("registered");
    assert!(passkey.ssh.starts_with("sk-ecdsa-sha2-nistp256@openssh.com "));
    let wanted = challenge(&envelope(1_800_000_100), SignatureRole::Login);
    // ECDSA numbers have leading zeros now and then: each length must work.
    for _ in 0..64 {
        let signed = sign(&passkey, &authenticator, &wanted, ORIGIN).expect("signed");
        let (verified, ignored) = signed.verify_signatures();
        assert!(ignored.is_empty(), "{ignored:?}");
        assert_eq!(verified[0].facts.origin.as_deref(), Some(ORIGIN));
        assert!(verified[0].facts.user_verification && verified[0].facts.hardware);
    }
}

#[test]
fn signatures_for_something_else_or_from_elsewhere_are_refused_here_already() {
    let authenticator = Authenticator::new();
    let passkey = registered(&authenticator).expect("registered");
    let wanted = challenge(&envelope(1_800_000_100), SignatureRole::Login);
    let other_statement = challenge(&envelope(1_800_000_101), SignatureRole::Login);
    let other_role = challenge(&envelope(1_800_000_100), SignatureRole::Author);
    for wrong in [&other_statement, &other_role] {
        assert!(sign(&passkey, &authenticator, wrong, ORIGIN).is_err());
    }
    // A page on another port of this computer, the server's page, the same name without a port.
    for origin in [
        "http://localhost:8741",
        "https://rmm.example",
        "http://localhost",
        "http://127.0.0.1:8740",
    ] {
        assert!(sign(&passkey, &authenticator, &wanted, origin).is_err(), "{origin}");
    }
    assert!(sign(&passkey, &Authenticator::new(), &wanted, ORIGIN).is_err(), "another key");
    let mut authenticator = authenticator;
    for flags in [0, USER_PRESENT, USER_VERIFIED, USER_PRESENT | USER_VERIFIED | MAY_BE_SYNCED] {
        authenticator.flags = flags;
        assert!(sign(&passkey, &authenticator, &wanted, ORIGIN).is_err(), "{flags:#x}");
    }
    authenticator.flags = USER_PRESENT | USER_VERIFIED;
    assert!(sign(&passkey, &authenticator, &wanted, ORIGIN).is_ok());
    let elsewhere = Authenticator { name: "rmm.example", ..authenticator };
    assert!(sign(&passkey, &elsewhere, &wanted, ORIGIN).is_err(), "another relying party");
}

#[test]
fn only_a_credential_made_here_and_now_is_kept() {
    let authenticator = Authenticator::new();
    let made = authenticator.create();
    let good = client_data("create", "abc", ORIGIN);
    assert!(register("abc", ORIGIN, &good, &made, false).is_ok());
    for (kind, challenge, origin) in [
        ("get", "abc", ORIGIN),
        ("create", "abd", ORIGIN),
        ("create", "abc", "http://localhost:8741"),
        ("create", "abc", "https://rmm.example"),
    ] {
        assert!(
            register("abc", ORIGIN, &client_data(kind, challenge, origin), &made, false).is_err()
        );
    }
    let framed = br#"{"type":"webauthn.create","challenge":"abc","origin":"http://localhost:8740","crossOrigin":true}"#;
    assert!(register("abc", ORIGIN, framed, &made, false).is_err());
    for cut in 0..made.len() {
        assert!(register("abc", ORIGIN, &good, &made[..cut], false).is_err(), "{cut}");
    }
    for flags in [USER_PRESENT, USER_VERIFIED, 0] {
        assert!(registered(&Authenticator { flags, ..Authenticator::new() }).is_err());
    }
    let synced = Authenticator {
        flags: USER_PRESENT | USER_VERIFIED | MAY_BE_SYNCED,
        ..Authenticator::new()
    };
    assert!(registered(&synced).is_err());
    let told = register("abc", ORIGIN, &good, &synced.create(), true).expect("told");
    assert!(told.synced);
}
