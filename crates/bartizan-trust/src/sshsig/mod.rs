//! SSHSIG blobs (OpenSSH `PROTOCOL.sshsig`, `PROTOCOL.u2f`): decode, encode, verify.
//! Specification: `docs/spec/envelope.md`, "Signatures".

mod form;
mod webauthn;

use ring::digest;

use crate::keys::PublicKey;
use crate::limits;
use crate::statement::SignatureRole;
use crate::wire::{Reader, WireError, Writer};

use form::Form;

const MAGIC: &[u8; 6] = b"SSHSIG";
const HASH: &[u8] = b"sha512";

/// Why a signature is no signature.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid signature: {0}")]
pub struct SshSigError(pub &'static str);

impl From<WireError> for SshSigError {
    fn from(_: WireError) -> Self {
        Self("the blob is malformed")
    }
}

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
    // INVARIANT: `blob` is the encoding of the other fields.
    blob: Vec<u8>,
    public_key: PublicKey,
    role: SignatureRole,
    form: Form,
}

impl SshSig {
    /// Reads the binary blob (not the armoured text).
    pub fn decode(blob: &[u8]) -> Result<Self, SshSigError> {
        if blob.len() > limits::SSHSIG_BYTES_MAX {
            return Err(SshSigError("longer than 4 KiB"));
        }
        let mut r = Reader::new(blob);
        if r.take(MAGIC.len())? != MAGIC || r.u32()? != 1 {
            return Err(SshSigError("not an SSHSIG of version 1"));
        }
        let public_key = PublicKey::decode(r.bytes()?).map_err(|error| SshSigError(error.0))?;
        let role = SignatureRole::from_namespace(r.bytes()?)
            .ok_or(SshSigError("the namespace is no role"))?;
        if !r.bytes()?.is_empty() {
            return Err(SshSigError("the reserved field is not empty"));
        }
        if r.bytes()? != HASH {
            return Err(SshSigError("the hash is not sha512"));
        }
        let form = Form::decode(r.bytes()?, public_key.key_type())?;
        r.finish()?;
        Ok(Self { blob: blob.to_vec(), public_key, role, form })
    }

    /// The exact blob.
    pub fn encode(&self) -> &[u8] {
        &self.blob
    }

    /// Packs a plain Ed25519 signature over [`to_be_signed`].
    pub fn from_ed25519(key: &PublicKey, role: SignatureRole, signature: [u8; 64]) -> Self {
        let form = Form::Ed25519(signature);
        let blob =
            pack(key, role, &Writer::new().text("ssh-ed25519").bytes(&signature).into_bytes());
        Self { blob, public_key: key.clone(), role, form }
    }

    /// Packs an SSH signature blob (as ssh-agent returns it) over [`to_be_signed`].
    pub fn from_ssh_signature(
        key: &PublicKey,
        role: SignatureRole,
        signature_blob: &[u8],
    ) -> Result<Self, SshSigError> {
        Self::decode(&pack(key, role, signature_blob))
    }

    /// Who it claims made it.
    pub const fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// In which role.
    pub const fn role(&self) -> SignatureRole {
        self.role
    }

    /// Verifies it over `message` (the PAE).
    pub fn verify(&self, message: &[u8]) -> Result<SignatureFacts, SshSigError> {
        self.form.verify(&self.public_key, &to_be_signed(self.role, message))
    }
}

/// The bytes a key signs: `SSHSIG`, namespace, reserved, hash name, SHA-512 of the message.
pub fn to_be_signed(role: SignatureRole, message: &[u8]) -> Vec<u8> {
    let hash = digest::digest(&digest::SHA512, message);
    Writer::new()
        .raw(MAGIC)
        .text(role.namespace())
        .bytes(b"")
        .bytes(HASH)
        .bytes(hash.as_ref())
        .into_bytes()
}

fn pack(key: &PublicKey, role: SignatureRole, signature: &[u8]) -> Vec<u8> {
    Writer::new()
        .raw(MAGIC)
        .u32(1)
        .bytes(key.blob())
        .text(role.namespace())
        .bytes(b"")
        .bytes(HASH)
        .bytes(signature)
        .into_bytes()
}
