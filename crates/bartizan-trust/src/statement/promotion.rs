//! The promotion: moves a roll-out to its next stage, on evidence. Specification: `docs/spec/promotion.md`.

use serde::{Deserialize, Serialize};

use super::{Stage, V1, check_crit, is_plain_text};
use crate::id::{OrgId, Sha256, StatementId};
use crate::json::Validate;
use crate::limits;
use crate::time::UnixSeconds;

/// Lets the endpoints of one later stage begin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Promotion {
    /// Format version.
    pub v: V1,
    /// The organisation.
    pub org: OrgId,
    /// When it was made.
    pub iat: UnixSeconds,
    /// What a reader must understand.
    pub crit: Vec<String>,
    /// The job's digest.
    pub job: StatementId,
    /// The stage that may begin, counted from 0; never the first.
    pub to: u32,
    /// The digest of the promotion to the stage before; absent for stage 1 only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prev: Option<StatementId>,
    /// How the stage before went.
    pub evidence: Evidence,
    /// Why it goes on although endpoints refused; present exactly when some did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub despite_refusals: Option<String>,
}

/// How a stage went, by the receipts its promoter verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// Endpoints on which it ended well.
    pub ok: u32,
    /// Endpoints on which it ran and did not.
    pub fail: u32,
    /// Endpoints that refused for good.
    pub refused: u32,
    /// The others: not heard of, waiting, or running.
    pub pending: u32,
    /// Root of the tree over the digests of the receipts counted as `ok`, `fail` or `refused`, sorted.
    pub receipts_root: Sha256,
}

impl Evidence {
    /// Endpoints it speaks of: every one of the stage.
    pub fn endpoints(&self) -> u64 {
        [self.ok, self.fail, self.refused, self.pending].into_iter().map(u64::from).sum()
    }

    /// Whether a stage may begin after one that went like this: the share of failures is within its limit, and something
    /// ended well, unless the limit says that it need not.
    pub fn allows(&self, next: &Stage) -> bool {
        let (ok, fail) = (u64::from(self.ok), u64::from(self.fail));
        let limit = u64::from(next.failures_percent_max);
        fail * 100 <= limit * (ok + fail) && (ok > 0 || limit == 100)
    }
}

statement_header!(Promotion);

impl Validate for Promotion {
    fn validate(&self) -> Result<(), &'static str> {
        check_crit(&self.crit)?;
        if self.to == 0 || usize::try_from(self.to).is_ok_and(|to| to >= limits::JOB_STAGES_MAX) {
            return Err("to: 1 to 7");
        }
        if (self.to == 1) == self.prev.is_some() {
            return Err("prev: absent for stage 1, present afterwards");
        }
        if self.evidence.endpoints() > u64::from(limits::TARGETS_MAX) {
            return Err("evidence: more endpoints than a job can have");
        }
        if (self.evidence.refused > 0) != self.despite_refusals.is_some() {
            return Err("despite_refusals: present exactly when endpoints refused");
        }
        let reason =
            |text: &String| !text.is_empty() && is_plain_text(text, limits::TEXT_BYTES_MAX);
        if self.despite_refusals.as_ref().is_some_and(|text| !reason(text)) {
            return Err("despite_refusals: one line of plain text");
        }
        Ok(())
    }
}
