//! DSSE v1 envelopes.
#![expect(clippy::todo, reason = "skeleton")]
use crate::id::StatementId;
use crate::keys::PublicKey;
use crate::sshsig::{SignatureFacts, SshSig};
use crate::statement::{SignatureRole, Statement, StatementType};

/// Why bytes are not an envelope.
#[derive(Debug, thiserror::Error)]
pub enum EnvelopeError {
    /// JSON, base64, size or canonical form.
    #[error("malformed envelope: {0}")]
    Malformed(String),
    /// Above a limit.
    #[error("envelope above a limit: {0}")]
    TooLarge(&'static str),
}

/// A decoded envelope. Its payload is bytes until a statement is decoded from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    payload_type: String,
    payload: Vec<u8>,
    signatures: Vec<Vec<u8>>,
}

/// A signature that verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedSignature {
    /// Its place in the envelope.
    pub index: usize,
    /// By this key.
    pub key: PublicKey,
    /// In this role.
    pub role: SignatureRole,
    /// In this way.
    pub facts: SignatureFacts,
}

/// A signature that was passed over, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IgnoredSignature {
    /// Its place in the envelope.
    pub index: usize,
    /// Why.
    pub reason: String,
}

impl Envelope {
    /// An unsigned envelope around a statement.
    pub fn new<S: Statement>(_statement: &S) -> Self { todo!() }
    /// Reads the exact bytes: limits first, then strict, canonical JSON.
    pub fn decode(_bytes: &[u8]) -> Result<Self, EnvelopeError> { todo!() }
    /// Writes them.
    pub fn encode(&self) -> Vec<u8> { todo!() }
    /// The payload type as it stands.
    pub fn payload_type(&self) -> &str { &self.payload_type }
    /// The kind it names, if it is one of ours.
    pub fn kind(&self) -> Option<StatementType> { StatementType::from_payload_type(&self.payload_type) }
    /// The payload bytes.
    pub fn payload(&self) -> &[u8] { &self.payload }
    /// Pre-authentication encoding.
    pub fn pae(&self) -> Vec<u8> { pae(&self.payload_type, &self.payload) }
    /// SHA-256 of the pre-authentication encoding.
    pub fn id(&self) -> StatementId { StatementId::new(crate::id::Sha256::of(&self.pae())) }
    /// How many signatures it carries.
    pub fn signature_count(&self) -> usize { self.signatures.len() }
    /// Adds a signature; the same blob twice is kept once.
    pub fn add_signature(&mut self, _signature: &SshSig) -> Result<(), EnvelopeError> { todo!() }
    /// Decodes the payload as `S` if the payload type says so.
    pub fn statement<S: Statement>(&self) -> Result<S, EnvelopeError> { todo!() }
    /// Verifies each signature; those that fail are reported, never fatal.
    pub fn verify_signatures(&self) -> (Vec<VerifiedSignature>, Vec<IgnoredSignature>) { todo!() }
    /// The SSHSIG blobs, for export.
    pub fn signature_blobs(&self) -> impl Iterator<Item = &[u8]> { self.signatures.iter().map(Vec::as_slice) }
}

/// DSSE pre-authentication encoding.
pub fn pae(_payload_type: &str, _payload: &[u8]) -> Vec<u8> { todo!() }
