//! C2SP `tlog-proof`: index, inclusion path and checkpoint in one text. Specification: `docs/spec/logs.md`.

use data_encoding::BASE64;

use crate::checkpoint::{parse_decimal, parse_hash};
use crate::id::Sha256;
use crate::limits;
use crate::note::NoteError;

const HEADER: &str = "c2sp.org/tlog-proof@v1";

/// An offline proof that an entry is in a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogProof {
    /// Place of the entry.
    pub index: u64,
    /// Inclusion path.
    pub path: Vec<Sha256>,
    /// The signed note.
    pub checkpoint: Vec<u8>,
}

impl LogProof {
    /// Reads the text. A proof with an `extra` line is refused: nothing of ours reads one.
    pub fn decode(bytes: &[u8]) -> Result<Self, NoteError> {
        let bad = NoteError("log proof");
        if bytes.len() > limits::LOG_PROOF_BYTES_MAX {
            return Err(NoteError("log proof: too long"));
        }
        let text = core::str::from_utf8(bytes).map_err(|_| bad.clone())?;
        // The first empty line parts the proof and the checkpoint, which has an empty line of its own.
        let (head, checkpoint) = text.split_once("\n\n").ok_or_else(|| bad.clone())?;
        let mut lines = head.split('\n');
        if lines.next() != Some(HEADER) {
            return Err(bad);
        }
        let index = lines
            .next()
            .and_then(|line| line.strip_prefix("index "))
            .and_then(parse_decimal)
            .ok_or_else(|| bad.clone())?;
        let path: Vec<Sha256> =
            lines.map(parse_hash).collect::<Option<_>>().ok_or_else(|| bad.clone())?;
        if path.len() > limits::LOG_PROOF_MAX || checkpoint.len() > limits::NOTE_BYTES_MAX {
            return Err(NoteError("log proof: too long"));
        }
        Ok(Self { index, path, checkpoint: checkpoint.as_bytes().to_vec() })
    }

    /// Writes it.
    pub fn encode(&self) -> Vec<u8> {
        let path: String =
            self.path.iter().map(|hash| BASE64.encode(hash.as_bytes()) + "\n").collect();
        let head = format!("{HEADER}\nindex {}\n{path}\n", self.index);
        [head.as_bytes(), &self.checkpoint].concat()
    }
}
