//! C2SP signed notes and verifier keys.
#![expect(clippy::todo, reason = "skeleton")]
use crate::time::UnixSeconds;

/// Not a signed note or verifier key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a valid {0}")]
pub struct NoteError(pub &'static str);

/// How a note key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NoteKeyType {
    /// 0x01: Ed25519 over the text.
    Ed25519,
    /// 0x04: cosignature/v1, Ed25519 over a timestamped text.
    CosignatureV1,
}

/// `name+hash+base64`, a C2SP vkey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey { name: String, key_type: NoteKeyType, key: [u8; 32] }
impl VerifierKey {
    /// From its parts.
    pub fn new(_name: &str, _key_type: NoteKeyType, _key: [u8; 32]) -> Result<Self, NoteError> { todo!() }
    /// Reads `name+hash+base64`.
    pub fn parse(_vkey: &str) -> Result<Self, NoteError> { todo!() }
    /// Its name.
    pub fn name(&self) -> &str { &self.name }
    /// How it signs.
    pub fn key_type(&self) -> NoteKeyType { self.key_type }
    /// First four bytes of SHA-256(name ‖ LF ‖ type ‖ key).
    pub fn key_id(&self) -> [u8; 4] { todo!() }
    /// The signature line (with the final LF) of an Ed25519 signature over the note text.
    pub fn signature_line(&self, _signature: &[u8; 64]) -> String { todo!() }
    /// The signature line (with the final LF) of a cosignature/v1 made at `at` over [`cosignature_message`].
    pub fn cosignature_line(&self, _at: UnixSeconds, _signature: &[u8; 64]) -> String { todo!() }
}
impl core::fmt::Display for VerifierKey {
    fn fmt(&self, _f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result { todo!() }
}

/// `cosignature/v1 LF time N LF` and the note text.
pub fn cosignature_message(_at: UnixSeconds, _note_text: &str) -> Vec<u8> { todo!() }

/// One signature line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteSignature { /// Key name.
    pub name: String, /// Key id.
    pub key_id: [u8; 4], /// The rest.
    pub signature: Vec<u8> }
impl NoteSignature {
    /// Reads one line `— name base64` (with or without the final LF).
    pub fn parse(_line: &str) -> Result<Self, NoteError> { todo!() }
}

/// A signed note: text (ending in LF) and signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note { /// The signed text, ending in LF.
    pub text: String, /// Its signatures.
    pub signatures: Vec<NoteSignature> }
impl Note {
    /// Reads a note.
    pub fn decode(_bytes: &[u8]) -> Result<Self, NoteError> { todo!() }
    /// Writes it.
    pub fn encode(&self) -> Vec<u8> { todo!() }
    /// True when `key` (type Ed25519) signed the text.
    pub fn is_signed_by(&self, _key: &VerifierKey) -> bool { todo!() }
    /// The newest valid cosignature time of `key` (type CosignatureV1).
    pub fn cosigned_at(&self, _key: &VerifierKey) -> Option<UnixSeconds> { todo!() }
}
