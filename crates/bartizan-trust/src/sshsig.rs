//! SSHSIG blobs (OpenSSH `PROTOCOL.sshsig`, `PROTOCOL.u2f`): decode, encode, verify.
#![expect(clippy::todo, reason = "skeleton")]
use crate::keys::PublicKey;
use crate::statement::SignatureRole;

/// Why a signature is no signature.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid signature: {0}")]
pub struct SshSigError(pub &'static str);

/// What a valid signature says about how it was made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SignatureFacts {
    /// Made by a hardware key type.
    pub hardware: bool,
    /// The key was touched.
    pub user_presence: bool,
    /// The key verified its user.
    pub user_verification: bool,
    /// The credential can be synced.
    pub backup_eligible: bool,
    /// The web origin, for passkeys.
    pub origin: Option<String>,
    /// The authenticator's counter; recorded, not judged.
    pub counter: Option<u32>,
}

/// A decoded SSHSIG blob whose namespace is one of our roles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SshSig {
    blob: Vec<u8>,
    public_key: PublicKey,
    role: SignatureRole,
}

impl SshSig {
    /// Reads the binary blob (not the armoured text).
    pub fn decode(_blob: &[u8]) -> Result<Self, SshSigError> { todo!() }
    /// The exact blob.
    pub fn encode(&self) -> &[u8] { &self.blob }
    /// Packs a plain Ed25519 signature over [`to_be_signed`].
    pub fn from_ed25519(_key: &PublicKey, _role: SignatureRole, _signature: [u8; 64]) -> Self { todo!() }
    /// Packs an SSH signature blob (as ssh-agent returns it) over [`to_be_signed`].
    pub fn from_ssh_signature(_key: &PublicKey, _role: SignatureRole, _signature_blob: &[u8]) -> Result<Self, SshSigError> { todo!() }
    /// Who it claims made it.
    pub fn public_key(&self) -> &PublicKey { &self.public_key }
    /// In which role.
    pub fn role(&self) -> SignatureRole { self.role }
    /// Verifies it over `message` (the PAE).
    pub fn verify(&self, _message: &[u8]) -> Result<SignatureFacts, SshSigError> { todo!() }
}

/// The bytes a key signs: `SSHSIG`, namespace, reserved, hash name, SHA-512 of the message.
pub fn to_be_signed(_role: SignatureRole, _message: &[u8]) -> Vec<u8> { todo!() }
