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
    sk_ed25519_with(key, role, message, FLAGS)
}

/// The same with other authenticator flags.
pub fn sk_ed25519_with(
    key: &Key,
    role: SignatureRole,
    message: &[u8],
    flags: u8,
) -> Result<SshSig> {
    let signed = assertion(APPLICATION, flags, &to_be_signed(role, message));
    let signature = Writer::new().text(SK_ED25519).bytes(&key.raw(&signed)?).u8(flags).u32(COUNTER);
    Ok(SshSig::from_ssh_signature(&sk_ed25519_public(key)?, role, &signature.into_bytes())?)
}

/// The public half of such a key.
pub fn sk_ed25519_public(key: &Key) -> Result<PublicKey> {
    let raw = key.public.ed25519_bytes().ok_or_else(|| anyhow!("an Ed25519 key"))?;
    let blob = Writer::new().text(SK_ED25519).bytes(&raw).text(APPLICATION).into_bytes();
    Ok(PublicKey::decode(&blob)?)
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
        let signed = assertion(APPLICATION, FLAGS, &to_be_signed(role, message));
        let signature = self.sign(SK_ECDSA, &signed)?.u8(FLAGS).u32(COUNTER);
        self.sshsig(APPLICATION, role, signature)
    }

    /// A signature as a passkey makes it in a browser.
    pub fn webauthn(&self, role: SignatureRole, message: &[u8]) -> Result<SshSig> {
        self.webauthn_with(role, message, ORIGIN, FLAGS)
    }

    /// The same from another page or with other authenticator flags.
    pub fn webauthn_with(
        &self,
        role: SignatureRole,
        message: &[u8],
        origin: &str,
        flags: u8,
    ) -> Result<SshSig> {
        let challenge = data_encoding::BASE64URL_NOPAD.encode(&to_be_signed(role, message));
        let client_data = format!(
            r#"{{"type":"webauthn.get","challenge":"{challenge}","origin":"{origin}","crossOrigin":false}}"#
        );
        let signed = assertion("localhost", flags, client_data.as_bytes());
        let signature = self.sign(WEBAUTHN, &signed)?.u8(flags).u32(COUNTER);
        self.sshsig("localhost", role, signature.text(origin).text(&client_data).text(""))
    }

    /// Type and the two integers.
    fn sign(&self, name: &str, signed: &[u8]) -> Result<Writer> {
        let signature = self.pair.sign(&self.rng, signed).map_err(|_| anyhow!("sign"))?;
        let mut halves = Reader::new(signature.as_ref());
        let (r, s) = (halves.take(32)?, halves.take(32)?);
        let integers = Writer::new().bytes(&mpint(r)).bytes(&mpint(s)).into_bytes();
        Ok(Writer::new().text(name).bytes(&integers))
    }

    /// The public half of the passkey.
    pub fn passkey_public(&self) -> Result<PublicKey> {
        self.public("localhost")
    }

    fn public(&self, application: &str) -> Result<PublicKey> {
        let point = self.pair.public_key().as_ref();
        let blob = Writer::new().text(SK_ECDSA).text("nistp256").bytes(point).text(application);
        Ok(PublicKey::decode(&blob.into_bytes())?)
    }

    fn sshsig(&self, application: &str, role: SignatureRole, signature: Writer) -> Result<SshSig> {
        let key = self.public(application)?;
        Ok(SshSig::from_ssh_signature(&key, role, &signature.into_bytes())?)
    }
}

/// What the authenticator signs: application, flags, counter, and the hash of what it was given.
fn assertion(application: &str, flags: u8, given: &[u8]) -> Vec<u8> {
    let application = Sha256::of(application.as_bytes());
    let writer = Writer::new().raw(application.as_bytes()).u8(flags).u32(COUNTER);
    writer.raw(Sha256::of(given).as_bytes()).into_bytes()
}

/// The shortest two's complement form of a positive integer.
fn mpint(bytes: &[u8]) -> Vec<u8> {
    let digits =
        bytes.iter().position(|byte| *byte != 0).and_then(|at| bytes.get(at..)).unwrap_or_default();
    let negative = digits.first().is_some_and(|byte| byte & 0x80 != 0);
    if negative { [&[0], digits].concat() } else { digits.to_vec() }
}
