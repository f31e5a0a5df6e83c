//! The operator plane's JSON about quarantine and preflight. Specification: `docs/spec/operator-api.md`.

use bartizan_trust::id::{OperatorId, StatementId};
use bartizan_trust::time::UnixSeconds;
use serde::{Deserialize, Serialize};

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// As it should be.
    Ok,
    /// Works, and somebody should look.
    Warn,
    /// Must be mended before work goes on.
    Fail,
}

/// One check of `bartizan preflight`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// Stable name, like `plane.private`.
    pub name: String,
    /// How it ended.
    pub outcome: Outcome,
    /// What was found.
    pub found: String,
    /// What to do; empty where nothing is.
    pub next: String,
}

impl Check {
    /// As it should be.
    pub fn ok(name: &str, found: impl Into<String>) -> Self {
        Self::new(name, Outcome::Ok, found, "")
    }

    /// Works, and somebody should look.
    pub fn warn(name: &str, found: impl Into<String>, next: impl Into<String>) -> Self {
        Self::new(name, Outcome::Warn, found, next)
    }

    /// Must be mended.
    pub fn fail(name: &str, found: impl Into<String>, next: impl Into<String>) -> Self {
        Self::new(name, Outcome::Fail, found, next)
    }

    fn new(
        name: &str,
        outcome: Outcome,
        found: impl Into<String>,
        next: impl Into<String>,
    ) -> Self {
        Self { name: name.to_owned(), outcome, found: found.into(), next: next.into() }
    }
}

/// Why a server keeps its jobs to itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarantine {
    /// Since when.
    pub since: UnixSeconds,
    /// At least one.
    pub reasons: Vec<QuarantineReason>,
}

/// One reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuarantineReason {
    /// `update`, `alarm`, or one that begins with `restore.`
    pub code: String,
    /// For people.
    pub text: String,
}

/// A quarantine that somebody ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lifted {
    /// When.
    pub at: UnixSeconds,
    /// By whom.
    pub operator: OperatorId,
    /// What was lifted.
    pub quarantine: Quarantine,
}

/// `GET /v1/preflight`: what the server says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerPreflight {
    /// Its version.
    pub version: String,
    /// Its clock.
    pub now: UnixSeconds,
    /// While it is in quarantine.
    pub quarantine: Option<Quarantine>,
    /// Its own checks.
    pub checks: Vec<Check>,
    /// Jobs that a quarantine ended before they were done, newest first, at most 200: they need signing again.
    pub cancelled: Vec<StatementId>,
    /// Earlier quarantines, newest first.
    pub lifted: Vec<Lifted>,
}

/// `POST /v1/quarantine`: an operator's alarm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alarm {
    /// Why, for the others.
    pub reason: String,
}
