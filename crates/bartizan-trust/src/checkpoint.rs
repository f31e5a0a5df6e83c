//! C2SP `tlog-checkpoint`: the text of a log's signed note.
#![expect(clippy::todo, reason = "skeleton")]
use crate::id::Sha256;
use crate::note::{Note, NoteError, VerifierKey};

/// A log's size and root under its origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint { /// The log's name: the name of its vkey.
    pub origin: String, /// Entries.
    pub size: u64, /// Root.
    pub root: Sha256 }
impl Checkpoint {
    /// Reads the three lines; extension lines are refused.
    pub fn parse(_text: &str) -> Result<Self, NoteError> { todo!() }
    /// Writes them, with the final LF.
    pub fn to_text(&self) -> String { todo!() }
}
/// A checkpoint whose log signature was verified; co-signatures are judged by a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenedCheckpoint { /// What it says.
    pub checkpoint: Checkpoint, /// The whole note.
    pub note: Note }
/// Decodes a note, checks that `log` signed it and that the origin is the key's name.
pub fn open(_note: &[u8], _log: &VerifierKey) -> Result<OpenedCheckpoint, NoteError> { todo!() }
