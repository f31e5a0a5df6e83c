//! Series of samples as the operator plane shows them.

use std::collections::BTreeMap;

use bartizan_trust::id::{OperatorId, TenantId};
use bartizan_trust::time::UnixSeconds;
use serde::{Deserialize, Serialize};

/// Most points of one series in an answer.
pub const SERIES_POINTS_MAX: u64 = 2000;
/// Most points of all series in an answer.
pub const SERIES_VALUES_MAX: usize = 250_000;

/// What stands for the values between two points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stat {
    /// Their mean; of a counter the last.
    #[default]
    Mean,
    /// The smallest; of a counter the last.
    Min,
    /// The largest; of a counter the last.
    Max,
    /// The last.
    Last,
}

/// `GET /v1/endpoints/{id}/series`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeriesAnswer {
    /// From here.
    pub from: UnixSeconds,
    /// To here, included.
    pub to: UnixSeconds,
    /// Seconds between points; each stands at the beginning of what it sums up.
    pub step_s: u64,
    /// What stands for the values in between.
    pub stat: Stat,
    /// In order of name and label; what the endpoint says of itself.
    pub series: Vec<SeriesRow>,
    /// How far its reports have come.
    pub reports: Option<ReportsRow>,
}

/// One series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeriesRow {
    /// The metric.
    pub name: String,
    /// At most one: which disk, interface or program.
    pub labels: BTreeMap<String, String>,
    /// Whether it only rises.
    pub counter: bool,
    /// Time and value; where nothing was measured there is no point.
    pub points: Vec<(u64, f64)>,
}

/// An endpoint's reports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportsRow {
    /// Samples, results and events that it threw away for want of room, in all.
    pub dropped: u64,
    /// Reports that were not what they should be, in all.
    pub refused: u64,
    /// Why, of the last of those.
    pub refusal: Option<String>,
}

/// `POST /v1/metrics/tokens`: a token that may read series, and nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewReadToken {
    /// What people call it.
    pub name: String,
    /// Of which tenant it reads; of all unless given.
    pub tenant: Option<TenantId>,
    /// For how long, in days.
    pub days: u32,
}

/// What comes back, once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadTokenMade {
    /// The token. The server keeps its hash only.
    pub token: String,
    /// Until when it counts.
    pub exp: UnixSeconds,
}

/// A token as it is listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadToken {
    /// What people call it.
    pub name: String,
    /// Of which tenant it reads, if not of all.
    pub tenant: Option<TenantId>,
    /// Who made it.
    pub operator: OperatorId,
    /// When.
    pub at: UnixSeconds,
    /// Until when it counts.
    pub exp: UnixSeconds,
}

/// `GET /v1/metrics/tokens`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadTokens {
    /// By name.
    pub tokens: Vec<ReadToken>,
}

/// `POST /v1/metrics/tokens/revoke`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RevokeReadToken {
    /// Which.
    pub name: String,
}
