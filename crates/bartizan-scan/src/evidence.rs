//! What is handed to the engine, and what it hands back.

use crate::digest::Digests;
use crate::model::{Coverage, Evidence, Finding, Rule};
use crate::path;
use crate::time::UnixSeconds;

/// One file: its name, its facts and as much of its bytes as the limits allow.
#[derive(Debug, Clone, Copy)]
pub struct FileEvidence<'a> {
    /// Where a person finds it.
    pub place: &'a str,
    /// Its path below the root that is scanned.
    pub path: &'a str,
    /// Its size in bytes.
    pub size: u64,
    /// When it was last changed.
    pub modified: Option<UnixSeconds>,
    /// When it came to be.
    pub created: Option<UnixSeconds>,
    /// Its mode, where the system has such a thing.
    pub mode: Option<u32>,
    /// It has no name any more: only a process still runs it.
    pub is_deleted: bool,
    /// All of it, or its beginning.
    pub head: &'a [u8],
    /// Its end, where `head` is not all of it.
    pub tail: &'a [u8],
    /// Of a registry hive that was not closed: what lies beside it as its logs.
    pub logs: &'a [Vec<u8>],
    /// Its digests; absent for files above the limit.
    pub digests: Option<Digests>,
}

impl FileEvidence<'_> {
    /// The last bytes there are.
    pub fn end(&self) -> &[u8] {
        if self.tail.is_empty() { self.head } else { self.tail }
    }

    /// Whether all of it is here.
    pub fn is_whole(&self) -> bool {
        u64::try_from(self.head.len()).is_ok_and(|length| length == self.size)
    }

    /// As it stands in a finding.
    pub fn evidence(&self) -> Evidence {
        Evidence {
            sha256: self.digests.map(|digests| digests.sha256_hex()),
            size: Some(self.size),
            modified: self.modified,
            created: self.created,
            ..Evidence::at(path::shown(self.place))
        }
    }
}

/// What came of looking at something.
#[derive(Debug, Default)]
pub struct Output {
    /// Findings, in the order they were made.
    pub findings: Vec<Finding>,
    /// What was covered.
    pub coverage: Coverage,
    /// Files whose names and bytes look as encryption leaves them.
    pub batch: Vec<crate::batch::Trace>,
}

impl Output {
    /// Adds a finding.
    pub fn add(&mut self, pack: &str, rule: &Rule, evidence: Evidence) {
        self.findings.push(Finding::new(pack, rule, evidence));
    }
}
