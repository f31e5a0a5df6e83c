//! Series of samples. Labels are what endpoints say: hostile text, bounded.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Which series, and when.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct SeriesQuery {
    /// From this second on; an hour before the end unless given.
    pub(crate) from: Option<u64>,
    /// To this second, included; now unless given.
    pub(crate) to: Option<u64>,
    /// Seconds between points; unless given as many as make 360 points, at least 60. More than 2,000 points are refused.
    #[param(minimum = 1)]
    pub(crate) step_s: Option<u64>,
    /// What stands for the values between two points; of a counter always its last.
    pub(crate) stat: Option<SeriesStat>,
    /// Only this metric, such as `bartizan_load1`.
    pub(crate) name: Option<String>,
    /// Only of this disk, mount point, interface or program.
    pub(crate) label: Option<String>,
}

/// What stands for the values between two points.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SeriesStat {
    /// Their mean.
    Mean,
    /// The smallest.
    Min,
    /// The largest.
    Max,
    /// The last.
    Last,
}

/// What an endpoint measured of itself.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct SeriesView {
    /// From here.
    pub(crate) from: u64,
    /// To here, included.
    pub(crate) to: u64,
    /// Seconds between points; each stands at the beginning of what it sums up.
    pub(crate) step_s: u64,
    /// By name and label.
    pub(crate) series: Vec<SeriesLine>,
    /// What its reports lost; nothing if it has sent none.
    pub(crate) losses: Option<SeriesLosses>,
}

/// One series.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct SeriesLine {
    /// The metric.
    pub(crate) name: String,
    /// What the label says: `mount`, `interface`, …
    pub(crate) label_key: Option<String>,
    /// Which one.
    pub(crate) label: Option<String>,
    /// It only rises, until the machine starts again: show what it rises by.
    pub(crate) counter: bool,
    /// Rising.
    pub(crate) times: Vec<u64>,
    /// As many as times.
    pub(crate) values: Vec<f64>,
}

/// What an endpoint's reports lost, in all.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct SeriesLosses {
    /// Samples, results and events that it threw away for want of room.
    pub(crate) dropped: u64,
    /// Reports that were not what they should be.
    pub(crate) refused: u64,
    /// Why, of the last of those.
    pub(crate) refusal: Option<String>,
}
