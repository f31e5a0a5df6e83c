//! Standing orders that somebody writes.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What makes a job a standing order.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OrderTrigger {
    /// What starts a run.
    pub(crate) on: OrderStart,
    /// How long it stands.
    pub(crate) until_s: u64,
    /// It stops after so much time without news from the server; a week unless said.
    pub(crate) alone_s: Option<u64>,
    /// Most runs; 1,440 a day for schedules and 24 for conditions unless said.
    pub(crate) rate: Option<OrderRate>,
    /// Least time between two runs; a minute for schedules and an hour for conditions unless said.
    pub(crate) distance_s: Option<u64>,
    /// Of schedules: endpoints are spread over so much time.
    pub(crate) jitter_s: Option<u64>,
    /// Of schedules: a run that was missed may start so much later; otherwise it is passed over.
    pub(crate) late_s: Option<u64>,
}

/// Most runs within some time.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OrderRate {
    /// So many.
    pub(crate) runs: u32,
    /// Within so many seconds.
    pub(crate) per_s: u64,
}

/// What starts a run.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum OrderStart {
    /// Again and again.
    Interval {
        /// At least 60.
        every_s: u64,
    },
    /// At the times of a calendar.
    Calendar {
        /// Minute, hour, day, month, weekday (0 is Sunday).
        cron: String,
        /// A name like `Europe/Berlin`.
        zone: String,
    },
    /// Once after each start of the machine.
    Start,
    /// While a file system has less room than this.
    DiskBelow {
        /// Any path on it.
        path: String,
        /// Per cent.
        percent: u32,
    },
    /// While a service does not run.
    ServiceDown {
        /// Its name.
        unit: String,
    },
    /// While the machine wants to be started anew.
    RebootPending,
    /// Whenever the content of a file is another one.
    FileChanged {
        /// Its path.
        path: String,
    },
    /// Whenever a run of another standing order has ended.
    Ended {
        /// The whole id of the other order.
        order: String,
        /// Well, or badly.
        well: bool,
    },
}

/// The answer: what an order would do, before anything is signed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OrderPlan {
    /// What starts it, in words.
    pub(crate) starts: String,
    /// Whether it has times of its own.
    pub(crate) schedule: bool,
    /// When it ends.
    pub(crate) until: u64,
    /// Its bounds in words.
    pub(crate) bounds: Vec<String>,
    /// The next ten times of a schedule, without jitter.
    pub(crate) runs: Vec<OrderRun>,
    /// Whose clock the times are shown by.
    pub(crate) zone: String,
}

/// A time of a schedule.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OrderRun {
    /// When.
    pub(crate) at: u64,
    /// As a clock in the order's zone shows it.
    pub(crate) wall: String,
    /// Why no run starts then.
    pub(crate) passed_over: Option<String>,
}
