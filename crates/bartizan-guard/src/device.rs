//! The device key: who this endpoint is. It signs descriptors, receipts and TLS handshakes, each in a form
//! that cannot be taken for another.

use std::path::Path;

use anyhow::{Context, Result, bail};
use bartizan_os::files;
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::EndpointId;
use bartizan_trust::keys::PublicKey;
use bartizan_trust::sshsig::{SshSig, to_be_signed};
use bartizan_trust::statement::SignatureRole;
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair};

/// What RFC 8446 section 4.4.3 puts before the hash in a client's `CertificateVerify`.
const TLS_CLIENT_CONTEXT: &[u8] = b"TLS 1.3, client CertificateVerify\0";

/// The endpoint's private key. No `Debug`: it is a secret.
pub(crate) struct DeviceKey {
    pair: Ed25519KeyPair,
    public: PublicKey,
    public_bytes: [u8; 32],
}

impl DeviceKey {
    /// Makes a new key and stores it, readable by its owner only.
    pub(crate) fn create(path: &Path) -> Result<Self> {
        let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new())
            .ok()
            .context("the system gives no randomness")?;
        files::write_atomically(path, document.as_ref()).context("store the device key")?;
        Self::from_pkcs8(document.as_ref())
    }

    /// Reads the stored key.
    pub(crate) fn load(path: &Path) -> Result<Self> {
        let bytes = files::read_own(path).with_context(|| {
            format!("read {}; run `bartizan-guard enroll` first", path.display())
        })?;
        Self::from_pkcs8(&bytes).with_context(|| format!("read {}", path.display()))
    }

    fn from_pkcs8(bytes: &[u8]) -> Result<Self> {
        let Ok(pair) = Ed25519KeyPair::from_pkcs8(bytes) else {
            bail!(
                "the device key is damaged; restore it from a backup, or enrol this endpoint anew"
            );
        };
        let public_bytes: [u8; 32] =
            pair.public_key().as_ref().try_into().context("an Ed25519 key has 32 bytes")?;
        Ok(Self { pair, public: PublicKey::from_ed25519(public_bytes), public_bytes })
    }

    pub(crate) const fn public(&self) -> &PublicKey {
        &self.public
    }

    pub(crate) const fn public_bytes(&self) -> &[u8; 32] {
        &self.public_bytes
    }

    pub(crate) fn endpoint(&self) -> EndpointId {
        self.public.endpoint_id()
    }

    /// Adds this endpoint's signature to a descriptor or receipt; other roles are not an endpoint's to play.
    pub(crate) fn sign(&self, envelope: &mut Envelope, role: SignatureRole) -> Result<()> {
        if !matches!(role, SignatureRole::Descriptor | SignatureRole::Receipt) {
            bail!("a device key signs descriptors and receipts only");
        }
        let signature = self.raw(&to_be_signed(role, &envelope.pae()));
        envelope
            .add_signature(&SshSig::from_ed25519(&self.public, role, signature))
            .context("add the signature")
    }

    /// Signs the content of a TLS 1.3 client `CertificateVerify`, and nothing that is not exactly one: 64 spaces,
    /// the context and a hash. The network half asks for it, and may be in an attacker's hands.
    pub(crate) fn sign_handshake(&self, content: &[u8]) -> Option<[u8; 64]> {
        let hash = content.strip_prefix(&[b' '; 64])?.strip_prefix(TLS_CLIENT_CONTEXT)?;
        matches!(hash.len(), 32 | 48).then(|| self.raw(content))
    }

    /// Signs the one certificate body that `certificate` makes at enrolment.
    pub(crate) fn sign_certificate_body(&self, body: &[u8]) -> [u8; 64] {
        self.raw(body)
    }

    fn raw(&self, message: &[u8]) -> [u8; 64] {
        let mut out = [0; 64];
        out.copy_from_slice(self.pair.sign(message).as_ref());
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> (tempfile::TempDir, DeviceKey) {
        let folder = tempfile::tempdir().unwrap();
        let key = DeviceKey::create(&folder.path().join("key")).unwrap();
        (folder, key)
    }

    fn handshake(hash: usize) -> Vec<u8> {
        [&[b' '; 64][..], TLS_CLIENT_CONTEXT, &vec![7; hash]].concat()
    }

    #[test]
    fn only_a_client_handshake_is_signed_for_the_network_half() {
        let (_folder, key) = key();
        assert!(key.sign_handshake(&handshake(32)).is_some());
        assert!(key.sign_handshake(&handshake(48)).is_some());
        let server = [&[b' '; 64][..], b"TLS 1.3, server CertificateVerify\0", &[7; 32]].concat();
        let receipt = to_be_signed(SignatureRole::Receipt, b"DSSEv1 ...");
        for other in
            [server, receipt, handshake(31), handshake(33), handshake(0), vec![], vec![b' '; 130]]
        {
            assert!(key.sign_handshake(&other).is_none(), "{other:?}");
        }
    }

    #[test]
    fn an_operators_role_is_never_signed_by_a_device() {
        use bartizan_trust::id::{OrgId, Sha256};
        use bartizan_trust::statement::{Login, V1};
        use bartizan_trust::time::UnixSeconds;
        let (_folder, key) = key();
        let login = Login {
            v: V1,
            org: OrgId::new(Sha256::of(b"org")),
            iat: UnixSeconds::new(1),
            crit: vec![],
            console_key: Sha256::of(b"c"),
            server: Sha256::of(b"s"),
            exp: UnixSeconds::new(2),
        };
        let mut envelope = Envelope::new(&login);
        assert!(key.sign(&mut envelope, SignatureRole::Author).is_err());
        assert!(key.sign(&mut envelope, SignatureRole::Receipt).is_ok());
        assert_eq!(envelope.signature_count(), 1);
    }

    #[test]
    fn a_damaged_key_is_an_error_that_says_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, b"damaged").unwrap();
        let error =
            DeviceKey::load(&path).err().map(|error| format!("{error:#}")).unwrap_or_default();
        assert!(error.contains("enrol this endpoint anew"), "{error}");
    }
}
