//! Public keys in the OpenSSH encoding: `ssh-ed25519`, `sk-ssh-ed25519@openssh.com`, `sk-ecdsa-sha2-nistp256@openssh.com`.
#![expect(clippy::todo, reason = "skeleton")]

/// Not a supported key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a supported public key: {0}")]
pub struct KeyError(pub &'static str);

/// Which algorithm, and whether hardware holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum KeyType {
    /// `ssh-ed25519`
    Ed25519,
    /// `sk-ssh-ed25519@openssh.com`
    SkEd25519,
    /// `sk-ecdsa-sha2-nistp256@openssh.com`, native or WebAuthn signatures
    SkEcdsaP256,
}

/// A parsed, canonical public key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PublicKey {
    blob: Vec<u8>,
}

impl PublicKey {
    /// Reads `type base64` exactly: one space, no comment.
    pub fn parse_openssh(_text: &str) -> Result<Self, KeyError> { todo!() }
    /// Reads the SSH key blob.
    pub fn decode(_blob: &[u8]) -> Result<Self, KeyError> { todo!() }
    /// An `ssh-ed25519` key from its 32 bytes.
    pub fn from_ed25519(_bytes: [u8; 32]) -> Self { todo!() }
    /// The SSH key blob.
    pub fn blob(&self) -> &[u8] { &self.blob }
    /// `type base64`.
    pub fn to_openssh(&self) -> String { todo!() }
    /// `SHA256:…` as `ssh-keygen -l` prints it.
    pub fn fingerprint(&self) -> String { todo!() }
    /// Its algorithm.
    pub fn key_type(&self) -> KeyType { todo!() }
    /// The 32 bytes of an `ssh-ed25519` key (not of `sk-`).
    pub fn ed25519_bytes(&self) -> Option<[u8; 32]> { todo!() }
    /// The endpoint this device key names: SHA-256 of the blob.
    pub fn endpoint_id(&self) -> crate::id::EndpointId { crate::id::EndpointId::new(crate::id::Sha256::of(&self.blob)) }
}
