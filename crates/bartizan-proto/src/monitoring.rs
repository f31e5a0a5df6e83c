//! The operator plane's JSON about monitoring policies and checks. Specification: `docs/spec/operator-api.md`, "Policies".

use bartizan_trust::id::{EndpointId, StatementId};
use serde::{Deserialize, Serialize};

/// A policy as the server has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyRow {
    /// Its id.
    pub id: StatementId,
    /// `pending`, `active`, `replaced`, `withdrawn` or `over`.
    pub state: String,
    /// When it came, in seconds.
    pub submitted: u64,
    /// Base64 of the exact envelope.
    pub envelope: String,
    /// Its place in the jobs log.
    pub log_index: u64,
}

/// `GET /v1/policies`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyList {
    /// Newest first.
    pub policies: Vec<PolicyRow>,
}

/// Where a policy stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyTargetRow {
    /// The policy.
    pub policy: StatementId,
    /// The endpoint.
    pub endpoint: EndpointId,
    /// `queued`, `delivered`, `refused`, `running` or `done`.
    pub state: String,
    /// Of the endpoint's last receipt.
    pub code: Option<String>,
}

/// `GET /v1/policies/{id}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyDetail {
    /// The policy.
    pub policy: PolicyRow,
    /// Every endpoint of its place, as the server has it.
    pub targets: Vec<PolicyTargetRow>,
}

/// `GET /v1/endpoints/{id}/policies`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointPolicies {
    /// Active policies of its places.
    pub policies: Vec<PolicyRow>,
    /// How far each is there, in the same order.
    pub targets: Vec<PolicyTargetRow>,
}

/// How a check stands, by the word of its endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckRow {
    /// The endpoint.
    pub endpoint: EndpointId,
    /// The check.
    pub check: String,
    /// Which of several; may be empty.
    pub instance: String,
    /// The policy that named it.
    pub policy: StatementId,
    /// `ok`, `warn`, `error`, `unknown`; in a history `gone`, too.
    pub state: String,
    /// Since when, by the endpoint's clock.
    pub since: u64,
    /// When it was looked at, by the endpoint's clock.
    pub at: u64,
    /// When the server heard of it.
    pub received: u64,
    /// What was measured.
    pub value: Option<u64>,
    /// In words.
    pub text: String,
}

/// `GET /v1/checks` and `GET /v1/endpoints/{id}/checks/changes`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckPage {
    /// The results.
    pub checks: Vec<CheckRow>,
    /// Ask again with `after` set to it; absent at the end.
    pub next: Option<String>,
}
