//! What makes a job a standing order: what starts its runs, how often, how late, until when. Specification: `docs/spec/job.md`.

use serde::{Deserialize, Serialize};

use super::is_plain_text;
use crate::calendar::Cron;
use crate::id::StatementId;
use crate::limits;
use crate::time::UnixSeconds;

/// Makes a job a standing order: the endpoint keeps it and runs it again and again by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trigger {
    /// What starts a run.
    pub on: On,
    /// The order ends; not at or after.
    pub until: UnixSeconds,
    /// Longest age of the control view at the start of a run, in seconds: for so long a withheld freeze can go unseen.
    pub freshness_s: u64,
    /// Most runs.
    pub rate: RunRate,
    /// Least seconds between two runs.
    pub distance_s: u64,
    /// A run of a schedule starts up to so many seconds later, each endpoint at its own moment.
    pub jitter_s: u64,
    /// A run of a schedule that could not start in time may still start so many seconds late; then it is passed over.
    pub late_s: u64,
}

/// What starts a run. Everything is judged by the endpoint itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum On {
    /// Every so many seconds, counted from the beginning of the window.
    Interval {
        /// At least 60.
        every_s: u64,
    },
    /// At the times of a calendar.
    Calendar {
        /// Minute, hour, day, month, weekday; see the specification.
        cron: String,
        /// A name of the IANA time zone database.
        zone: String,
    },
    /// Once after each start of the machine.
    Start {},
    /// While a file system has less room than this.
    DiskBelow {
        /// Where it is mounted, or any path on it.
        path: String,
        /// Per cent of free space.
        percent: u32,
    },
    /// While a service of this machine does not run.
    ServiceDown {
        /// Its name, as the service manager of the machine knows it.
        unit: String,
    },
    /// While the machine says that it wants to be started anew.
    RebootPending {},
    /// Whenever the content of a file is another one.
    FileChanged {
        /// Its path.
        path: String,
    },
    /// Whenever a run of another standing order has ended.
    Ended {
        /// The other order.
        order: StatementId,
        /// Well, or not well.
        well: bool,
    },
}

impl On {
    /// Whether it is a schedule, whose runs have times of their own.
    pub const fn is_schedule(&self) -> bool {
        matches!(self, Self::Interval { .. } | Self::Calendar { .. })
    }
}

/// Most runs within some time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunRate {
    /// So many.
    pub runs: u32,
    /// Within so many seconds.
    pub per_s: u64,
}

impl Trigger {
    /// Which limit it breaks.
    pub fn check(&self) -> Result<(), &'static str> {
        check_on(&self.on)?;
        let RunRate { runs, per_s } = self.rate;
        if !(1..=limits::ORDER_RUNS_MAX).contains(&runs)
            || !(60..=limits::ORDER_RATE_S_MAX).contains(&per_s)
        {
            return Err("trigger.rate: 1 to 1,440 runs within a minute to 31 days");
        }
        if self.distance_s < limits::ORDER_DISTANCE_S_MIN
            || self.distance_s > limits::ORDER_RATE_S_MAX
        {
            return Err("trigger.distance_s: 1 second to 31 days");
        }
        if self.freshness_s == 0 || self.freshness_s > limits::ORDER_S_MAX {
            return Err("trigger.freshness_s: 1 second to 366 days");
        }
        if self.jitter_s > limits::ORDER_LATE_S_MAX || self.late_s > limits::ORDER_LATE_S_MAX {
            return Err("trigger.jitter_s, late_s: at most 7 days");
        }
        if !self.on.is_schedule() && (self.jitter_s, self.late_s) != (0, 0) {
            return Err("trigger.jitter_s, late_s: 0 where there is no schedule");
        }
        Ok(())
    }
}

fn check_on(on: &On) -> Result<(), &'static str> {
    match on {
        On::Interval { every_s } if (60..=limits::ORDER_RATE_S_MAX).contains(every_s) => Ok(()),
        On::Interval { .. } => Err("trigger.every_s: a minute to 31 days"),
        On::Calendar { cron, .. } if Cron::parse(cron).is_none() => {
            Err("trigger.cron: five fields of numbers")
        }
        On::Calendar { zone, .. } if !is_zone_name(zone) => {
            Err("trigger.zone: a name like Europe/Berlin")
        }
        On::DiskBelow { percent, .. } if !(1..=99).contains(percent) => {
            Err("trigger.percent: 1 to 99")
        }
        On::DiskBelow { path, .. } | On::FileChanged { path } if !is_path(path) => {
            Err("trigger.path: an absolute path")
        }
        On::ServiceDown { unit } if !is_unit_name(unit) => Err("trigger.unit: a service's name"),
        On::Calendar { .. }
        | On::Start {}
        | On::DiskBelow { .. }
        | On::ServiceDown { .. }
        | On::RebootPending {}
        | On::FileChanged { .. }
        | On::Ended { .. } => Ok(()),
    }
}

/// Absolute, and not back up again.
pub(super) fn is_path(path: &str) -> bool {
    path.starts_with('/') && is_plain_text(path, limits::TEXT_BYTES_MAX) && !path.contains("/../")
}

/// Names become paths below the zone database: no dots, nothing absolute.
fn is_zone_name(name: &str) -> bool {
    let part = |part: &str| {
        part.bytes().next().is_some_and(|b| b.is_ascii_alphabetic())
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'+'))
    };
    name.len() <= 64 && name.split('/').all(part)
}

pub(super) fn is_unit_name(name: &str) -> bool {
    let fine = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'@' | b':');
    name.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric())
        && name.len() <= 128
        && name.bytes().all(fine)
}
