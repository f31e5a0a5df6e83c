//! C2SP `tlog-checkpoint`: the text of a log's signed note. Specification: `docs/spec/logs.md`.

use data_encoding::BASE64;

use crate::id::Sha256;
use crate::limits;
use crate::note::{Note, NoteError, VerifierKey};

/// A log's size and root under its origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log's name: the name of its vkey.
    pub origin: String,
    /// Entries.
    pub size: u64,
    /// Root.
    pub root: Sha256,
}

impl Checkpoint {
    /// Reads the three lines; extension lines are refused.
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        let bad = NoteError("checkpoint (origin, size, root)");
        let body = text.strip_suffix('\n').ok_or_else(|| bad.clone())?;
        let lines: Vec<&str> = body.split('\n').collect();
        let [origin, size, root] = lines.as_slice() else { return Err(bad) };
        let parsed = Self {
            origin: (*origin).to_owned(),
            size: parse_decimal(size)
                .filter(|size| *size <= limits::LOG_SIZE_MAX)
                .ok_or_else(|| bad.clone())?,
            root: parse_hash(root).ok_or_else(|| bad.clone())?,
        };
        if origin.is_empty() { Err(bad) } else { Ok(parsed) }
    }

    /// Writes them, with the final LF.
    pub fn to_text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, BASE64.encode(self.root.as_bytes()))
    }
}

/// A checkpoint whose log signature was verified; co-signatures are judged by a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenedCheckpoint {
    /// What it says.
    pub checkpoint: Checkpoint,
    /// The whole note.
    pub note: Note,
}

/// Decodes a note, checks that `log` signed it and that the origin is the key's name.
pub fn open(note: &[u8], log: &VerifierKey) -> Result<OpenedCheckpoint, NoteError> {
    let note = Note::decode(note)?;
    let checkpoint = Checkpoint::parse(&note.text)?;
    if checkpoint.origin != log.name() {
        return Err(NoteError("checkpoint: of another log"));
    }
    if !note.is_signed_by(log) {
        return Err(NoteError("checkpoint: not signed by its log"));
    }
    Ok(OpenedCheckpoint { checkpoint, note })
}

/// A decimal number without sign or leading zeros.
pub(crate) fn parse_decimal(text: &str) -> Option<u64> {
    let canonical = text == "0" || !text.starts_with('0');
    (canonical && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

/// 32 bytes of canonical base64.
pub(crate) fn parse_hash(text: &str) -> Option<Sha256> {
    let bytes = crate::base64::decode(text)?;
    bytes.try_into().ok().map(Sha256::from_bytes)
}
