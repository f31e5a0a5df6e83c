//! Software authenticators: they sign as hardware would, and as dishonest hardware would.

use bartizan_trust::keys::PublicKey;
use bartizan_trust::sshsig::to_be_signed;
use bartizan_trust::statement::SignatureRole;
use bartizan_trust::wire::Writer;
use data_encoding::BASE64URL_NOPAD;
use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};

pub(super) const UP: u8 = 0x01;
pub(super) const UV: u8 = 0x04;
pub(super) const BE: u8 = 0x08;
pub(super) const AT: u8 = 0x40;
pub(super) const ED: u8 = 0x80;
pub(super) const ORIGIN: &str = "http://localhost:7443";
pub(super) const WEBAUTHN: &str = "webauthn-sk-ecdsa-sha2-nistp256@openssh.com";

enum Pair {
    Ed25519(Ed25519KeyPair),
    P256(EcdsaKeyPair),
}

/// A key pair with what an authenticator adds to it.
pub(super) struct Key {
    pair: Pair,
    pub(super) public: PublicKey,
}

pub(super) fn ed25519(seed: u8) -> Key {
    let pair = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
    let public = PublicKey::from_ed25519(pair.public_key().as_ref().try_into().unwrap());
    Key { pair: Pair::Ed25519(pair), public }
}

pub(super) fn sk_ed25519(seed: u8) -> Key {
    let pair = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
    let blob = Writer::new()
        .text("sk-ssh-ed25519@openssh.com")
        .bytes(pair.public_key().as_ref())
        .text("ssh:")
        .into_bytes();
    Key { pair: Pair::Ed25519(pair), public: PublicKey::decode(&blob).unwrap() }
}

pub(super) fn sk_ecdsa(application: &str) -> Key {
    let rng = SystemRandom::new();
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &rng).unwrap();
    let pair =
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &rng).unwrap();
    let blob = Writer::new()
        .text("sk-ecdsa-sha2-nistp256@openssh.com")
        .text("nistp256")
        .bytes(pair.public_key().as_ref())
        .text(application)
        .into_bytes();
    Key { pair: Pair::P256(pair), public: PublicKey::decode(&blob).unwrap() }
}

/// What a passkey's browser and authenticator put around the challenge.
#[derive(Clone)]
pub(super) struct Ceremony {
    pub(super) flags: u8,
    pub(super) extensions: Vec<u8>,
    /// The field beside the client data.
    pub(super) origin: String,
    /// The client data; `CHALLENGE` stands for the challenge.
    pub(super) client_data: String,
}

impl Ceremony {
    /// As a browser of today does it, user verified.
    pub(super) fn honest() -> Self {
        Self {
            flags: UP | UV,
            extensions: Vec::new(),
            origin: ORIGIN.to_owned(),
            client_data: format!(
                r#"{{"type":"webauthn.get","challenge":"CHALLENGE","origin":"{ORIGIN}","crossOrigin":false,"other_keys_can_be_added_here":"x"}}"#
            ),
        }
    }
}

impl Key {
    /// The SSH signature blob of a key with these flags; an `ssh-ed25519` key has none.
    pub(super) fn sign(&self, role: SignatureRole, message: &[u8], flags: u8) -> Vec<u8> {
        let signed = to_be_signed(role, message);
        let name = self.public.key_type().name();
        if !self.public.key_type().is_hardware() {
            return Writer::new().text(name).bytes(&self.raw(&signed)).into_bytes();
        }
        let signature = self.raw(&self.authenticated(flags, &[], &signed));
        Writer::new().text(name).bytes(&self.body(&signature)).u8(flags).u32(7).into_bytes()
    }

    /// The SSH signature blob of a passkey.
    pub(super) fn sign_webauthn(
        &self,
        role: SignatureRole,
        message: &[u8],
        ceremony: &Ceremony,
    ) -> Vec<u8> {
        let challenge = BASE64URL_NOPAD.encode(&to_be_signed(role, message));
        let client_data = ceremony.client_data.replace("CHALLENGE", &challenge);
        let signed =
            self.authenticated(ceremony.flags, &ceremony.extensions, client_data.as_bytes());
        Writer::new()
            .text(WEBAUTHN)
            .bytes(&self.body(&self.raw(&signed)))
            .u8(ceremony.flags)
            .u32(7)
            .text(&ceremony.origin)
            .text(&client_data)
            .bytes(&ceremony.extensions)
            .into_bytes()
    }

    fn authenticated(&self, flags: u8, extensions: &[u8], message: &[u8]) -> Vec<u8> {
        Writer::new()
            .raw(digest(&SHA256, self.public.application().as_bytes()).as_ref())
            .u8(flags)
            .u32(7)
            .raw(extensions)
            .raw(digest(&SHA256, message).as_ref())
            .into_bytes()
    }

    fn raw(&self, message: &[u8]) -> Vec<u8> {
        match &self.pair {
            Pair::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
            Pair::P256(pair) => pair.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec(),
        }
    }

    /// The signature as it stands inside: 64 bytes, or two `mpint`s.
    fn body(&self, signature: &[u8]) -> Vec<u8> {
        match self.pair {
            Pair::Ed25519(_) => signature.to_vec(),
            Pair::P256(_) => Writer::new()
                .bytes(&mpint(&signature[..32]))
                .bytes(&mpint(&signature[32..]))
                .into_bytes(),
        }
    }
}

fn mpint(bytes: &[u8]) -> Vec<u8> {
    let start = bytes.iter().position(|byte| *byte != 0).unwrap();
    let digits = &bytes[start..];
    if digits[0] & 0x80 == 0 { digits.to_vec() } else { [&[0], digits].concat() }
}

/// The parts of an SSHSIG blob, each of which a test may replace.
#[derive(Clone)]
pub(super) struct Blob {
    pub(super) version: u32,
    pub(super) key: Vec<u8>,
    pub(super) namespace: String,
    pub(super) reserved: Vec<u8>,
    pub(super) hash: String,
    pub(super) signature: Vec<u8>,
}

impl Blob {
    pub(super) fn new(key: &Key, role: SignatureRole, signature: Vec<u8>) -> Self {
        Self {
            version: 1,
            key: key.public.blob().to_vec(),
            namespace: role.namespace().to_owned(),
            reserved: Vec::new(),
            hash: "sha512".to_owned(),
            signature,
        }
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        Writer::new()
            .raw(b"SSHSIG")
            .u32(self.version)
            .bytes(&self.key)
            .text(&self.namespace)
            .bytes(&self.reserved)
            .text(&self.hash)
            .bytes(&self.signature)
            .into_bytes()
    }
}

/// One honest signature of each form, with a name.
pub(super) fn every_form(role: SignatureRole, message: &[u8]) -> Vec<(&'static str, Key, Vec<u8>)> {
    let native = |name, key: Key, flags| {
        let blob = Blob::new(&key, role, key.sign(role, message, flags)).encode();
        (name, key, blob)
    };
    let passkey = |name, ceremony: &Ceremony| {
        let key = sk_ecdsa("localhost");
        let blob = Blob::new(&key, role, key.sign_webauthn(role, message, ceremony)).encode();
        (name, key, blob)
    };
    let mut extended = Ceremony::honest();
    extended.flags |= ED;
    extended.extensions = vec![0xa0];
    vec![
        native("ed25519", ed25519(1), 0),
        native("sk_ed25519", sk_ed25519(2), UP),
        native("sk_ecdsa", sk_ecdsa("ssh:"), UP | UV),
        passkey("webauthn", &Ceremony::honest()),
        passkey("webauthn_extensions", &extended),
    ]
}
