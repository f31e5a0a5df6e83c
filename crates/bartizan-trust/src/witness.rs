//! C2SP `tlog-witness`: what a witness is asked, and when it may co-sign. Specification: `docs/spec/logs.md`, "Witnesses".

use core::fmt::Write as _;

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

use crate::checkpoint::{self, Checkpoint, OpenedCheckpoint, parse_decimal, parse_hash};
use crate::id::Sha256;
use crate::limits;
use crate::merkle::{empty_root, verify_consistency};
use crate::note::{Note, VerifierKey};

/// The newest checkpoint of a log that a witness vouches for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct View {
    /// Its size.
    pub size: u64,
    /// Its root.
    pub root: Sha256,
}

impl View {
    /// What a witness vouches for before it has seen anything.
    pub fn nothing() -> Self {
        Self { size: 0, root: empty_root() }
    }
}

/// Why a witness does not co-sign. Each has one HTTP status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WitnessRefusal {
    /// 400: not of the form of C2SP.
    #[error("not an add-checkpoint request: {0}")]
    Malformed(&'static str),
    /// 404: not a log this witness knows.
    #[error("no log of this origin is known here")]
    UnknownLog,
    /// 403: the log did not sign it.
    #[error("the checkpoint is not signed by its log")]
    NotSigned,
    /// 400: the old size is above the new one.
    #[error("the old size is above that of the checkpoint")]
    OldSize,
    /// 409: the proof begins elsewhere than this witness stands.
    #[error("the last checkpoint co-signed here has {0} entries")]
    Stale(u64),
    /// 409: the log signed two roots for one size. This is proof of a fork.
    #[error("another root was co-signed here at {0} entries")]
    Forked(u64),
    /// 422: the proof does not fit.
    #[error("the consistency proof does not fit")]
    Inconsistent,
}

impl WitnessRefusal {
    /// The HTTP status.
    pub const fn status(self) -> u16 {
        match self {
            Self::Malformed(_) | Self::OldSize => 400,
            Self::NotSigned => 403,
            Self::UnknownLog => 404,
            Self::Stale(_) | Self::Forked(_) => 409,
            Self::Inconsistent => 422,
        }
    }
}

/// The body of `add-checkpoint`: a proof from `old`, and the checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddCheckpoint {
    /// The size the proof begins at.
    pub old: u64,
    /// The consistency proof.
    pub path: Vec<Sha256>,
    /// The checkpoint's signed note.
    pub note: Vec<u8>,
}

impl AddCheckpoint {
    /// Reads a body.
    pub fn decode(body: &[u8]) -> Result<Self, WitnessRefusal> {
        let bad = WitnessRefusal::Malformed;
        if body.len() > limits::ADD_CHECKPOINT_BYTES_MAX {
            return Err(bad("too long"));
        }
        let text = core::str::from_utf8(body).map_err(|_| bad("not UTF-8"))?;
        let (head, note) = text.split_once("\n\n").ok_or(bad("no empty line"))?;
        let mut lines = head.split('\n');
        let old = lines.next().and_then(|line| line.strip_prefix("old ")).and_then(parse_decimal);
        let old = old.ok_or(bad("the first line is `old SIZE`"))?;
        let path: Option<Vec<Sha256>> =
            lines.take(limits::ADD_CHECKPOINT_PROOF_MAX + 1).map(parse_hash).collect();
        let path = path.ok_or(bad("a hash is 32 bytes in base64"))?;
        if path.len() > limits::ADD_CHECKPOINT_PROOF_MAX {
            return Err(bad("more than 63 hashes"));
        }
        Ok(Self { old, path, note: note.as_bytes().to_vec() })
    }

    /// Writes it.
    pub fn encode(&self) -> Vec<u8> {
        let mut head = format!("old {}\n", self.old);
        for hash in &self.path {
            // Writing to a string does not fail.
            let _ = writeln!(head, "{}", BASE64.encode(hash.as_bytes()));
        }
        head.push('\n');
        let mut body = head.into_bytes();
        body.extend_from_slice(&self.note);
        body
    }

    /// The origin the checkpoint names. Nothing vouches for it yet.
    pub fn origin(&self) -> Result<String, WitnessRefusal> {
        let bad = |_| WitnessRefusal::Malformed("no checkpoint after the empty line");
        let note = Note::decode(&self.note).map_err(bad)?;
        Ok(Checkpoint::parse(&note.text).map_err(bad)?.origin)
    }

    /// Judges it for a witness that has co-signed `view` of this log, or nothing yet. Whoever gets the new view stores it
    /// durably before a co-signature leaves.
    // SPEC: logs.md "Witnesses"
    pub fn judge(
        &self,
        view: Option<View>,
        log: &VerifierKey,
    ) -> Result<(View, OpenedCheckpoint), WitnessRefusal> {
        if self.origin()? != log.name() {
            return Err(WitnessRefusal::UnknownLog);
        }
        let opened = checkpoint::open(&self.note, log).map_err(|_| WitnessRefusal::NotSigned)?;
        let seen = &opened.checkpoint;
        if self.old > seen.size {
            return Err(WitnessRefusal::OldSize);
        }
        let known = view.unwrap_or_else(View::nothing);
        if seen.size == known.size && seen.root != known.root {
            return Err(WitnessRefusal::Forked(known.size));
        }
        if self.old != known.size {
            return Err(WitnessRefusal::Stale(known.size));
        }
        verify_consistency(known.size, &known.root, seen.size, &seen.root, &self.path)
            .map_err(|_| WitnessRefusal::Inconsistent)?;
        Ok((View { size: seen.size, root: seen.root }, opened))
    }
}
