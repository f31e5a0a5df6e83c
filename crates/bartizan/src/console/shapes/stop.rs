//! Freezes.

use serde::Serialize;
use utoipa::ToSchema;

use super::EndpointText;

/// What stands still, by the control log.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FreezeList {
    /// Oldest first.
    pub(crate) freezes: Vec<FreezeRow>,
}

/// A standing freeze.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct FreezeRow {
    /// `st_…`
    pub(crate) id: String,
    /// As people write it: `org`, `tenant:NAME` …
    pub(crate) scope: String,
    /// Since.
    pub(crate) since: u64,
    /// Until.
    pub(crate) until: u64,
    /// Operators who signed it.
    pub(crate) by: Vec<String>,
    /// Endpoints that have confirmed, by the server's word.
    pub(crate) confirmed: u64,
}

/// Who stands still, from receipts that were verified here.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FreezeView {
    /// The freeze.
    pub(crate) row: FreezeRow,
    /// Endpoints that are let in.
    pub(crate) endpoints: u64,
    /// Have confirmed, by their own signature.
    pub(crate) confirmed: u64,
    /// Are connected and have not.
    pub(crate) missing: u64,
    /// Are away and have not.
    pub(crate) offline: u64,
    /// Confirmations that do not verify.
    pub(crate) bad: u64,
    /// Those that have not confirmed first; at most 500.
    pub(crate) rows: Vec<FreezeTarget>,
}

/// An endpoint and a freeze.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FreezeTarget {
    /// Who.
    pub(crate) endpoint: EndpointText,
    /// As it reported it: hostile text.
    pub(crate) hostname: String,
    /// Whether it has confirmed.
    pub(crate) state: FreezeState,
    /// By which way the freeze came: `server`, `lan`, `file` …
    pub(crate) way: Option<String>,
    /// When it confirmed, by its clock; or when it was last heard of.
    pub(crate) at: Option<u64>,
}

/// Whether an endpoint has confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FreezeState {
    /// It stands still.
    Frozen,
    /// It is connected and has not said so.
    NotYet,
    /// It is away.
    Offline,
}
