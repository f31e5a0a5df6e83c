//! C2SP `tlog-proof`: index, inclusion path and checkpoint in one text.
#![expect(clippy::todo, reason = "skeleton")]
use crate::id::Sha256;
use crate::note::NoteError;

/// An offline proof that an entry is in a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogProof { /// Place of the entry.
    pub index: u64, /// Inclusion path.
    pub path: Vec<Sha256>, /// The signed note.
    pub checkpoint: Vec<u8> }
impl LogProof {
    /// Reads the text.
    pub fn decode(_bytes: &[u8]) -> Result<Self, NoteError> { todo!() }
    /// Writes it.
    pub fn encode(&self) -> Vec<u8> { todo!() }
}
