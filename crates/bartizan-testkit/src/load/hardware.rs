//! Security keys in software: the bytes that hardware keys and passkeys would make, for benchmarks and seeds.

use anyhow::{Result, anyhow};
use bartizan_trust::id::Sha256;
use bartizan_trust::keys::PublicKey;
use bartizan_trust::sshsig::{SshSig, to_be_signed};
use bartizan_trust::statement::SignatureRole;
use bartizan_trust::wire::{Reader, Writer};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};

use super::organisation::Key;

const APPLICATION: &str = "ssh:";
const SK_ED25519: &str = "sk-ssh-ed25519@openssh.com";
const SK_ECDSA: &str = "sk-ecdsa-sha2-nistp256@openssh.com";
const WEBAUTHN: &str = "webauthn-sk-ecdsa-sha2-nistp256@openssh.com";
/// User present and verified.
const FLAGS: u8 = 0x05;
const COUNTER: u32 = 7;
/// Where the passkey of [`P256::webauthn`] is exercised.
pub const ORIGIN: &str = "http://localhost:7443";

/// A signature as `sk-ssh-ed25519` hardware makes it.
pub fn sk_ed25519(key: &Key, role: SignatureRole, message: &[u8]) -> Result<SshSig> {
    let raw = key.public.ed25519_bytes().ok_or_else(|| anyhow!("an Ed25519 key"))?;
    let blob = Writer::new().text(SK_ED25519).bytes(&raw).text(APPLICATION).into_bytes();
    let signed = assertion(APPLICATION, &to_be_signed(role, message));
    let signature = Writer::new().text(SK_ED25519).bytes(&key.raw(&signed)?).u8(FLAGS).u32(COUNTER);
    Ok(SshSig::from_ssh_signature(&PublicKey::decode(&blob)?, role, &signature.into_bytes())?)
}

/// A P-256 key as hardware holds it.
pub struct P256 {
    pair: EcdsaKeyPair,
    rng: SystemRandom,
}

impl P256 {
    /// A new one.
    pub fn generate() -> Result<Self> {
        let rng = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let pkcs8 =
            EcdsaKeyPair::generate_pkcs8(algorithm, &rng).map_err(|_| anyhow!("make a key"))?;
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &rng)
            .map_err(|_| anyhow!("read the key"))?;
        Ok(Self { pair, rng })
    }

    /// A signature as `sk-ecdsa` hardware makes it for OpenSSH.
    pub fn native(&self, role: SignatureRole, message: &[u8]) -> Result<SshSig> {
        let signed = assertion(APPLICATION, &to_be_signed(role, message));
        let signature = self.sign(SK_ECDSA, &signed)?.u8(FLAGS).u32(COUNTER);
        self.sshsig(APPLICATION, role, signature)
    }

    /// A signature as a passkey makes it in a browser.
    pub fn webauthn(&self, role: SignatureRole, message: &[u8]) -> Result<SshSig> {
        let challenge = data_encoding::BASE64URL_NOPAD.encode(&to_be_signed(role, message));
        let client_data = format!(
            r#"{{"type":"webauthn.get","challenge":"{challenge}","origin":"{ORIGIN}","crossOrigin":false}}"#
        );
        let signed = assertion("localhost", client_data.as_bytes());
        let signature = self.sign(WEBAUTHN, &signed)?.u8(FLAGS).u32(COUNTER);
        self.sshsig("localhost", role, signature.text(ORIGIN).text(&client_data).text(""))
    }

    /// Type and the two integers.
    fn sign(&self, name: &str, signed: &[u8]) -> Result<Writer> {
        let signature = self.pair.sign(&self.rng, signed).map_err(|_| anyhow!("sign"))?;
        let mut halves = Reader::new(signature.as_ref());
        let (r, s) = (halves.take(32)?, halves.take(32)?);
        let integers = Writer::new().bytes(&mpint(r)).bytes(&mpint(s)).into_bytes();
        Ok(Writer::new().text(name).bytes(&integers))
    }

    fn sshsig(&self, application: &str, role: SignatureRole, signature: Writer) -> Result<SshSig> {
        let point = self.pair.public_key().as_ref();
        let blob = Writer::new().text(SK_ECDSA).text("nistp256").bytes(point).text(application);
        let key = PublicKey::decode(&blob.into_bytes())?;
        Ok(SshSig::from_ssh_signature(&key, role, &signature.into_bytes())?)
    }
}

/// What the authenticator signs: application, flags, counter, and the hash of what it was given.
fn assertion(application: &str, given: &[u8]) -> Vec<u8> {
    let application = Sha256::of(application.as_bytes());
    let writer = Writer::new().raw(application.as_bytes()).u8(FLAGS).u32(COUNTER);
    writer.raw(Sha256::of(given).as_bytes()).into_bytes()
}

/// The shortest two's complement form of a positive integer.
fn mpint(bytes: &[u8]) -> Vec<u8> {
    let digits =
        bytes.iter().position(|byte| *byte != 0).and_then(|at| bytes.get(at..)).unwrap_or_default();
    let negative = digits.first().is_some_and(|byte| byte & 0x80 != 0);
    if negative { [&[0], digits].concat() } else { digits.to_vec() }
}
