//! When a standing order would run, for people who write one. Endpoints judge each run by themselves.

use anyhow::Result;
use bartizan_trust::calendar::Offsets;
use bartizan_trust::standing::next_of;
use bartizan_trust::statement::{On, Trigger};
use bartizan_trust::time::UnixSeconds;

use crate::zone;

/// A time of a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Planned {
    pub(crate) at: UnixSeconds,
    /// Why no run starts then.
    pub(crate) passed_over: Option<PassedOver>,
}

/// Which bound keeps a run from starting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PassedOver {
    /// Too near to the run before.
    Distance,
    /// There were as many already.
    Rate,
}

/// The next times of an order that begins at `begins`; none where it is no schedule.
pub(crate) fn times(
    trigger: &Trigger,
    begins: UnixSeconds,
    now: UnixSeconds,
    count: usize,
) -> Result<Vec<Planned>> {
    let offsets = match &trigger.on {
        On::Calendar { zone, .. } => zone::ahead(zone, now)?,
        _ => Offsets::UTC,
    };
    let mut at = now;
    let mut found: Vec<Planned> = Vec::new();
    let mut runs: Vec<UnixSeconds> = Vec::new();
    while found.len() < count {
        let Some(next) = next_of(trigger, begins, at, &offsets) else { break };
        let passed_over = judge(trigger, &runs, next);
        if passed_over.is_none() {
            runs.push(next);
        }
        found.push(Planned { at: next, passed_over });
        at = next;
    }
    Ok(found)
}

fn judge(trigger: &Trigger, runs: &[UnixSeconds], at: UnixSeconds) -> Option<PassedOver> {
    if runs.last().is_some_and(|last| at.since(*last) < trigger.distance_s) {
        return Some(PassedOver::Distance);
    }
    let recent = runs.iter().filter(|run| at.since(**run) < trigger.rate.per_s).count();
    let most = usize::try_from(trigger.rate.runs).unwrap_or(usize::MAX);
    (recent >= most).then_some(PassedOver::Rate)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bartizan_trust::statement::RunRate;

    fn trigger(on: On) -> Trigger {
        Trigger {
            on,
            until: UnixSeconds::new(1_000_000),
            freshness_s: 86_400,
            rate: RunRate { runs: 1440, per_s: 86_400 },
            distance_s: 60,
            jitter_s: 0,
            late_s: 0,
        }
    }

    fn check(trigger: &Trigger, count: usize, expect: &[(u64, Option<PassedOver>)]) {
        let zero = UnixSeconds::new(0);
        let found = times(trigger, zero, zero, count).expect("times");
        let found: Vec<_> = found.iter().map(|one| (one.at.get(), one.passed_over)).collect();
        assert_eq!(found, expect);
    }

    #[test]
    fn times_come_until_the_order_ends() {
        let hourly = trigger(On::Interval { every_s: 3600 });
        check(&hourly, 2, &[(3600, None), (7200, None)]);
        let short = Trigger { until: UnixSeconds::new(7200), ..hourly };
        check(&short, 10, &[(3600, None)]);
        check(&trigger(On::Start {}), 10, &[]);
        let cron = On::Calendar { cron: "30 1 * * *".to_owned(), zone: "UTC".to_owned() };
        check(&trigger(cron), 2, &[(5400, None), (91_800, None)]);
    }

    #[test]
    fn what_the_bounds_forbid_is_said() {
        let often = trigger(On::Interval { every_s: 60 });
        let far = Trigger { distance_s: 120, ..often.clone() };
        let distance = Some(PassedOver::Distance);
        check(&far, 4, &[(60, None), (120, distance), (180, None), (240, distance)]);
        let rare = Trigger { rate: RunRate { runs: 2, per_s: 3600 }, ..often };
        let rate = Some(PassedOver::Rate);
        check(&rare, 4, &[(60, None), (120, None), (180, rate), (240, rate)]);
    }
}
