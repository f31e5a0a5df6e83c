//! The receipt: an endpoint's account of what it did. Specification: `docs/spec/receipt.md`.

use serde::{Deserialize, Serialize};

use super::{V1, check_crit, is_plain_text};
use crate::id::{EndpointId, OrgId, Sha256, StatementId};
use crate::json::Validate;
use crate::limits;
use crate::time::UnixSeconds;

/// Signed by the device key; receipts of one endpoint form a chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// Format version.
    pub v: V1,
    /// The organisation.
    pub org: OrgId,
    /// When it was made, by the endpoint's clock.
    pub iat: UnixSeconds,
    /// What a reader must understand.
    pub crit: Vec<String>,
    /// Who.
    pub endpoint: EndpointId,
    /// Counts from 1.
    pub seq: u64,
    /// The receipt before; absent in the first only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prev: Option<StatementId>,
    /// The job this answers.
    #[serde(rename = "ref")]
    pub job: StatementId,
    /// Of a standing order: which run, by the time it was due.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub occurrence: Option<UnixSeconds>,
    /// What became of it.
    pub decision: Decision,
    /// `ok`, or the stable code of the refusal or failure.
    pub code: String,
    /// Start, by the endpoint's clock.
    pub t0: UnixSeconds,
    /// End, by the endpoint's clock.
    pub t1: UnixSeconds,
    /// Exit status of the script, if it had one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit: Option<i32>,
    /// The whole output: its hash and size, also of what was cut off.
    pub output: Output,
    /// Of a scan: the hash of the scanner that ran.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub program: Option<Sha256>,
    /// What the endpoint believed at that moment.
    pub state: StateSummary,
}

/// What became of a job on an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// The endpoint said no; `code` says why.
    Refused,
    /// It ran and exited with 0; a scan came to a verdict, which is its exit status.
    Done,
    /// It ran and exited otherwise, or could not be started.
    Failed,
    /// It ran longer than allowed and was ended.
    TimedOut,
    /// The guard or the machine stopped while it ran; it is not run again.
    Interrupted,
    /// A standing order was taken in.
    Standing,
    /// A standing order is over; `code` says why.
    Ended,
}

/// The output of a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// Hash of all bytes written, standard output and error as they came.
    pub sha256: Sha256,
    /// How many.
    pub size: u64,
}

/// What the endpoint believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StateSummary {
    /// Bundle version.
    pub bundle: u64,
    /// Size of the control log.
    pub clog: u64,
    /// Size of the jobs log.
    pub jlog: u64,
    /// Witness time.
    pub floor: UnixSeconds,
}

statement_header!(Receipt);

impl Validate for Receipt {
    fn validate(&self) -> Result<(), &'static str> {
        check_crit(&self.crit)?;
        if self.seq == 0 || self.seq > limits::INTEGER_MAX || (self.seq == 1) == self.prev.is_some()
        {
            return Err("seq, prev: counts from 1, prev absent in the first only");
        }
        if self.code.is_empty() || !is_plain_text(&self.code, 64) {
            return Err("code: a short name");
        }
        if self.output.size > limits::INTEGER_MAX {
            return Err("output.size: out of range");
        }
        if [self.state.bundle, self.state.clog, self.state.jlog]
            .iter()
            .any(|n| *n > limits::INTEGER_MAX)
        {
            return Err("state: out of range");
        }
        Ok(())
    }
}
