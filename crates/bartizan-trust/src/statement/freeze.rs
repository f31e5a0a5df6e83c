//! Freeze, thaw and veto: stopping things. Specification: `docs/spec/freeze.md`.

use serde::{Deserialize, Serialize};

use super::{Class, V1, check_crit, is_plain_text};
use crate::id::{OperatorId, OrgId, StatementId, TenantId};
use crate::json::Validate;
use crate::limits;
use crate::time::UnixSeconds;

/// Stops everything in its scope until it ends or is thawed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Freeze {
    /// Format version.
    pub v: V1,
    /// The organisation.
    pub org: OrgId,
    /// When it was made; it acts from the moment an endpoint sees it.
    pub iat: UnixSeconds,
    /// What a reader must understand.
    pub crit: Vec<String>,
    /// What is stopped.
    pub scope: FreezeScope,
    /// Not at or after, by witness time.
    pub exp: UnixSeconds,
    /// Why, for people.
    pub reason: String,
}

/// What a freeze stops.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum FreezeScope {
    /// Everything.
    Org,
    /// One tenant's endpoints.
    Tenant(TenantId),
    /// Jobs of one class.
    Class(Class),
    /// One job.
    Job(StatementId),
    /// Whatever one operator wrote or approved.
    Operator(OperatorId),
    /// Remote sessions.
    Sessions,
}

/// Ends a freeze.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Thaw {
    /// Format version.
    pub v: V1,
    /// The organisation.
    pub org: OrgId,
    /// When it was made.
    pub iat: UnixSeconds,
    /// What a reader must understand.
    pub crit: Vec<String>,
    /// The freeze's digest.
    pub freeze: StatementId,
    /// Why, for people.
    pub reason: String,
}

/// Stops a bundle that waits for its delay, and those that follow it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Veto {
    /// Format version.
    pub v: V1,
    /// The organisation.
    pub org: OrgId,
    /// When it was made.
    pub iat: UnixSeconds,
    /// What a reader must understand.
    pub crit: Vec<String>,
    /// The bundle's digest.
    pub bundle: StatementId,
    /// Why, for people.
    pub reason: String,
}

/// Takes a job or a standing order back for good: no endpoint starts it any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Withdrawal {
    /// Format version.
    pub v: V1,
    /// The organisation.
    pub org: OrgId,
    /// When it was made.
    pub iat: UnixSeconds,
    /// What a reader must understand.
    pub crit: Vec<String>,
    /// The digest of the job.
    pub job: StatementId,
    /// Remembered until then by witness time: not before the end of the job's window.
    pub exp: UnixSeconds,
    /// Why, for people.
    pub reason: String,
}

statement_header!(Freeze);
statement_header!(Thaw);
statement_header!(Veto);
statement_header!(Withdrawal);

fn check_reason(reason: &str) -> Result<(), &'static str> {
    if is_plain_text(reason, limits::TEXT_BYTES_MAX) {
        Ok(())
    } else {
        Err("reason: one line of plain text")
    }
}

impl Validate for Freeze {
    fn validate(&self) -> Result<(), &'static str> {
        check_crit(&self.crit)?;
        if self.exp <= self.iat {
            return Err("exp: after iat");
        }
        check_reason(&self.reason)
    }
}

impl Validate for Thaw {
    fn validate(&self) -> Result<(), &'static str> {
        check_crit(&self.crit)?;
        check_reason(&self.reason)
    }
}

impl Validate for Veto {
    fn validate(&self) -> Result<(), &'static str> {
        check_crit(&self.crit)?;
        check_reason(&self.reason)
    }
}

impl Validate for Withdrawal {
    fn validate(&self) -> Result<(), &'static str> {
        check_crit(&self.crit)?;
        if self.exp <= self.iat || self.exp.since(self.iat) > limits::ORDER_S_MAX {
            return Err("exp: after iat, by at most 366 days");
        }
        check_reason(&self.reason)
    }
}
