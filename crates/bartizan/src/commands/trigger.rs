//! What makes `run` a standing order.

use anyhow::Result;
use bartizan_trust::id::StatementId;
use bartizan_trust::statement::{On, RunRate, Trigger};
use bartizan_trust::time::UnixSeconds;
use clap::Args;

use super::options;
use crate::exit::{Code, fail};
use crate::zone;

/// What starts the runs of a standing order, and its bounds.
#[derive(Debug, Args)]
#[group(skip)]
pub(crate) struct TriggerOptions {
    /// Again and again: every 5m, 1h, 1d …
    #[arg(long, value_parser = options::seconds, group = "trigger", help_heading = "Standing orders")]
    every: Option<u64>,
    /// At the times of a calendar: minute, hour, day, month, weekday (0 is Sunday)
    #[arg(long, group = "trigger", help_heading = "Standing orders")]
    cron: Option<String>,
    /// The time zone of --cron
    #[arg(long, requires = "cron", default_value = "UTC", help_heading = "Standing orders")]
    zone: String,
    /// Once after each start of the machine
    #[arg(long, group = "trigger", help_heading = "Standing orders")]
    at_start: bool,
    /// While or whenever something holds: `disk:PATH:10%`, `service:NAME`, `reboot`, `file:PATH`, `failed:ORDER`, `done:ORDER`
    #[arg(long, value_parser = condition, group = "trigger", help_heading = "Standing orders")]
    when: Option<On>,
    /// Most runs: 4/day, 10/hour, 3/7d [default: 24/day, or what a schedule needs]
    #[arg(long, value_parser = rate, requires = "trigger", help_heading = "Standing orders")]
    rate: Option<RunRate>,
    /// How long it stands: 30d …
    #[arg(long, value_parser = options::seconds, requires = "trigger", default_value = "30d", help_heading = "Standing orders")]
    until: u64,
    /// Least time between two runs [default: 1m for schedules, 1h for conditions]
    #[arg(long, value_parser = options::seconds, requires = "trigger", help_heading = "Standing orders")]
    distance: Option<u64>,
    /// Spread endpoints over so much time
    #[arg(long, value_parser = options::seconds, requires = "trigger", help_heading = "Standing orders")]
    jitter: Option<u64>,
    /// A run that was missed may start so much later; without it, it is passed over after a minute
    #[arg(long, value_parser = options::seconds, requires = "trigger", help_heading = "Standing orders")]
    late: Option<u64>,
    /// Stop after so much time without news from the server; for so long a withheld freeze can go unseen
    #[arg(long, value_parser = options::seconds, requires = "trigger", default_value = "7d", help_heading = "Standing orders")]
    alone: u64,
}

impl TriggerOptions {
    /// The trigger, if any was asked for.
    pub(crate) fn trigger(&self, now: UnixSeconds) -> Result<Option<Trigger>> {
        let Some(on) = self.on() else { return Ok(None) };
        let bounds = Bounds {
            until_s: self.until,
            alone_s: Some(self.alone),
            rate: self.rate,
            distance_s: self.distance,
            jitter_s: self.jitter,
            late_s: self.late,
        };
        bounds.around(on, now).map(Some)
    }

    fn on(&self) -> Option<On> {
        if let Some(every_s) = self.every {
            return Some(On::Interval { every_s });
        }
        if let Some(cron) = &self.cron {
            return Some(On::Calendar { cron: cron.clone(), zone: self.zone.clone() });
        }
        if self.at_start {
            return Some(On::Start {});
        }
        self.when.clone()
    }
}

/// What a person may say of an order's bounds; the rest is as usual.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) until_s: u64,
    pub(crate) alone_s: Option<u64>,
    pub(crate) rate: Option<RunRate>,
    pub(crate) distance_s: Option<u64>,
    pub(crate) jitter_s: Option<u64>,
    pub(crate) late_s: Option<u64>,
}

/// A week without news.
const ALONE_S: u64 = 7 * 86_400;

impl Bounds {
    /// The trigger of an order that begins now.
    pub(crate) fn around(&self, on: On, now: UnixSeconds) -> Result<Trigger> {
        if let On::Calendar { zone, .. } = &on {
            zone::ahead(zone, now)?;
        }
        let schedule = on.is_schedule();
        let usual = RunRate { runs: if schedule { 1440 } else { 24 }, per_s: 86_400 };
        let lateness = self.jitter_s.or(self.late_s);
        if !schedule && lateness.is_some() {
            let next = "leave --jitter and --late out: a condition runs when it holds";
            return Err(fail(Code::Usage, "only schedules have a time to be late for", next));
        }
        let trigger = Trigger {
            on,
            until: now.plus(self.until_s),
            freshness_s: self.alone_s.unwrap_or(ALONE_S),
            rate: self.rate.unwrap_or(usual),
            distance_s: self.distance_s.unwrap_or(if schedule { 60 } else { 3600 }),
            jitter_s: self.jitter_s.unwrap_or(0),
            late_s: self.late_s.unwrap_or(0),
        };
        match trigger.check() {
            Ok(()) => Ok(trigger),
            Err(problem) => Err(fail(Code::Error, problem, "change it and try again")),
        }
    }
}

/// Reads a condition as people write it.
fn condition(text: &str) -> Result<On, String> {
    let (kind, rest) = text.split_once(':').unwrap_or((text, ""));
    let order = || rest.parse::<StatementId>().map_err(|_| "the whole id of the order".to_owned());
    match (kind, rest) {
        ("disk", rest) => {
            let (path, percent) = rest.rsplit_once(':').ok_or("write disk:PATH:10%")?;
            let number = percent.strip_suffix('%').and_then(|number| number.parse().ok());
            let percent = number.ok_or("write the room that is left like 10%")?;
            Ok(On::DiskBelow { path: path.to_owned(), percent })
        }
        ("service", unit) if !unit.is_empty() => Ok(On::ServiceDown { unit: unit.to_owned() }),
        ("file", path) if !path.is_empty() => Ok(On::FileChanged { path: path.to_owned() }),
        ("reboot", "") => Ok(On::RebootPending {}),
        ("failed", _) => Ok(On::Ended { order: order()?, well: false }),
        ("done", _) => Ok(On::Ended { order: order()?, well: true }),
        _ => {
            Err("disk:PATH:10%, service:NAME, reboot, file:PATH, failed:ORDER or done:ORDER"
                .to_owned())
        }
    }
}

/// `4/day`, `10/hour`, `3/7d`.
fn rate(text: &str) -> Result<RunRate, String> {
    let (runs, per) = text.split_once('/').ok_or("write it like 4/day")?;
    let runs = runs.parse().map_err(|_| "a number of runs, like 4/day".to_owned())?;
    let per_s = match per {
        "hour" => 3600,
        "day" => 86_400,
        other => options::seconds(other)?,
    };
    Ok(RunRate { runs, per_s })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_and_rates_are_read() {
        assert_eq!(
            condition("disk:/srv/a:b:5%"),
            Ok(On::DiskBelow { path: "/srv/a:b".to_owned(), percent: 5 })
        );
        assert_eq!(condition("reboot"), Ok(On::RebootPending {}));
        assert_eq!(condition("service:nginx"), Ok(On::ServiceDown { unit: "nginx".to_owned() }));
        for bad in
            ["", "disk:/", "disk:/:ten", "reboot:now", "service:", "failed:st_x", "moon:full"]
        {
            assert!(condition(bad).is_err(), "{bad}");
        }
        assert_eq!(rate("4/day"), Ok(RunRate { runs: 4, per_s: 86_400 }));
        assert_eq!(rate("3/7d"), Ok(RunRate { runs: 3, per_s: 604_800 }));
        for bad in ["4", "x/day", "4/", "4/moon", "-1/day"] {
            assert!(rate(bad).is_err(), "{bad}");
        }
    }
}
