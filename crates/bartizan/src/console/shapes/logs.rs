//! The public logs.

use serde::Serialize;
use utoipa::ToSchema;

use super::{Alert, SignedBy, Verification};

/// Both logs, by checkpoints that their keys signed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Logs {
    /// `control` and `jobs`.
    pub(crate) logs: Vec<LogView>,
    /// What does not fit.
    pub(crate) alerts: Vec<Alert>,
}

/// A log.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LogView {
    /// `control` or `jobs`.
    pub(crate) name: String,
    /// Its name in checkpoints.
    pub(crate) origin: String,
    /// Entries.
    pub(crate) size: u64,
    /// Root hash, recomputed here.
    pub(crate) root: String,
    /// The signed note.
    pub(crate) checkpoint: String,
    /// Whether entries, root, signature and what this console co-signed before agree.
    pub(crate) verification: Verification,
    /// Up to where this console has co-signed it.
    pub(crate) cosigned_here: Option<u64>,
    /// Who co-signed the checkpoint.
    pub(crate) witnesses: Vec<Cosigned>,
}

/// A witness and a checkpoint.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Cosigned {
    /// Its name in the policy.
    pub(crate) name: String,
    /// When, by its clock; absent when it has not.
    pub(crate) at: Option<u64>,
}

/// Entries of a log, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EntriesWindow {
    /// How many there are.
    pub(crate) total: u64,
    /// Of the first row, counted from the newest.
    pub(crate) offset: u64,
    /// The rows.
    pub(crate) rows: Vec<EntryRow>,
}

/// An entry.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EntryRow {
    /// Its place.
    pub(crate) index: u64,
    /// `job`, `bundle` … or `unknown`.
    pub(crate) kind: String,
    /// Absent when it is no statement.
    pub(crate) id: Option<String>,
    /// In a line.
    pub(crate) title: String,
    /// Who signed it.
    pub(crate) signatures: Vec<SignedBy>,
}

/// One entry, with everything to verify it without this program.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EntryView {
    /// The row.
    pub(crate) row: EntryRow,
    /// In words, from its exact bytes.
    pub(crate) text: String,
    /// Eight words of the statement.
    pub(crate) words: String,
    /// Whether its proof leads to the checkpoint that was verified here.
    pub(crate) verification: Verification,
    /// The leaf's hash.
    pub(crate) leaf: String,
    /// The proof, as a C2SP `tlog-proof`.
    pub(crate) proof: String,
    /// The files that the commands read.
    pub(crate) files: Vec<ProofFile>,
    /// Exact commands of stock tools, to be run where the files were saved.
    pub(crate) commands: Vec<String>,
}

/// A file to save.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProofFile {
    /// Its name.
    pub(crate) name: String,
    /// Its bytes, in base64.
    pub(crate) base64: String,
}

/// Something changed; pages ask again for what they show. Events of `GET /events` and `GET /jobs/{id}/events`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum News {
    /// The counts of the fleet moved.
    Fleet {
        /// All.
        total: u64,
        /// A connection is open.
        connected: u64,
        /// Not let in.
        quarantined: u64,
    },
    /// A job came or moved.
    Jobs {
        /// How many stand in which state.
        pending: u64,
        /// At work.
        active: u64,
        /// Entries of the jobs log: each signature and promotion adds one.
        log_size: u64,
    },
    /// The control log grew: freezes, bundles, vetoes, withdrawals.
    Control {
        /// Entries.
        size: u64,
        /// Statements of it that lack signatures.
        drafts: u64,
    },
    /// Confirmations of a freeze counted up, by the server's word.
    Freeze {
        /// Which.
        id: String,
        /// How many.
        confirmed: u64,
    },
    /// Something happened to an alert.
    Alerts {
        /// Nobody looks after them.
        open: u64,
        /// Somebody does.
        acknowledged: u64,
        /// When.
        changed: u64,
    },
    /// A job moved on an endpoint.
    Target {
        /// Where.
        endpoint: String,
        /// As in `TargetRow`.
        state: String,
        /// As in `TargetRow`.
        code: Option<String>,
        /// As in `TargetRow`.
        exit: Option<i32>,
    },
    /// Live output: hostile text.
    Output {
        /// Where.
        endpoint: String,
        /// 1 standard output, 2 standard error.
        stream: u8,
        /// Bytes that are no text are replacement characters.
        text: String,
    },
    /// The job has ended everywhere; the stream ends.
    Ended {
        /// `finished`, `expired` or `cancelled`.
        state: String,
    },
    /// The server does not answer, or something does not verify.
    Trouble {
        /// Stable.
        code: String,
        /// What it is.
        text: String,
        /// What to do.
        next: String,
    },
}
