//! Dividing a fleet into stages.

use core::str::FromStr;
use std::collections::BTreeSet;

use bartizan_trust::id::EndpointId;
use bartizan_trust::limits;
use bartizan_trust::statement::{ClassRule, Stage};
use bartizan_trust::targets::sort_endpoints;

/// `canary:3,10%,rest`: names are for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan(Vec<Wave>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Wave {
    name: String,
    size: Size,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Size {
    Count(u32),
    /// Of all.
    Percent(u32),
    Rest,
}

/// What each stage after the first demands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Demands {
    pub(crate) soak_s: u64,
    pub(crate) promote_min: u32,
    pub(crate) failures_percent_max: u32,
}

const FORM: &str = "write stages like canary:3,10%,rest";

impl FromStr for Plan {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let waves = text.split(',').map(wave).collect::<Result<Vec<_>, _>>()?;
        if waves.len() > limits::JOB_STAGES_MAX {
            return Err(format!("at most {} stages", limits::JOB_STAGES_MAX));
        }
        Ok(Self(waves))
    }
}

fn wave(text: &str) -> Result<Wave, String> {
    let (name, size) = text.split_once(':').unwrap_or((text, text));
    let number = |digits: &str| digits.parse().ok().filter(|number| *number > 0_u32);
    let size = match size.strip_suffix('%') {
        _ if size == "rest" => Some(Size::Rest),
        Some(digits) => number(digits).filter(|percent| *percent <= 100).map(Size::Percent),
        None => number(size).map(Size::Count),
    };
    let size = size.ok_or(FORM)?;
    if name.is_empty() {
        return Err(FORM.to_owned());
    }
    Ok(Wave { name: name.to_owned(), size })
}

impl Plan {
    /// What a class asks for at least: a few canaries, tenths, the rest.
    pub(crate) fn usual(rule: Option<&ClassRule>, count: u32) -> Self {
        let stages = rule.map_or(1, |rule| rule.stages_min).clamp(1, count.max(1));
        let first_max = rule.map_or(u32::MAX, |rule| rule.first_stage_max);
        let mut left = count;
        let mut waves = Vec::new();
        for number in 1..stages {
            let wanted = if number == 1 { (count / 20).min(10).min(first_max) } else { count / 10 };
            // One for each stage that follows.
            let size = wanted.clamp(1, left.saturating_sub(stages - number).max(1));
            left = left.saturating_sub(size);
            let name = if number == 1 { "canary".to_owned() } else { format!("wave {number}") };
            waves.push(Wave { name, size: Size::Count(size) });
        }
        let name = if waves.is_empty() { "all" } else { "rest" }.to_owned();
        waves.push(Wave { name, size: Size::Rest });
        Self(waves)
    }

    /// The stages of so many endpoints. A small fleet has fewer: no stage is empty.
    pub(crate) fn divide(&self, count: u32, demands: Demands) -> Result<Vec<Stage>, String> {
        let mut left = count;
        let mut stages: Vec<Stage> = Vec::new();
        for wave in &self.0 {
            let wanted = match wave.size {
                Size::Count(count) => count,
                Size::Percent(percent) => percent_of(count, percent),
                Size::Rest => left,
            };
            let own = wanted.min(left);
            if own == 0 {
                continue;
            }
            left -= own;
            let mut stage = Stage { name: wave.name.clone(), ..Stage::only(own) };
            if !stages.is_empty() {
                stage.soak_s = demands.soak_s;
                stage.promote_min = demands.promote_min;
                stage.failures_percent_max = demands.failures_percent_max;
            }
            stages.push(stage);
        }
        if left > 0 {
            return Err(format!("{left} endpoints are in no stage: end with `rest`"));
        }
        Ok(stages)
    }
}

/// In the order in which a target tree takes them: who is there goes before who is away, so that no roll-out waits for a
/// canary that is switched off.
pub(crate) fn order(
    endpoints: &[EndpointId],
    present: &BTreeSet<EndpointId>,
    stages: &[Stage],
) -> Vec<EndpointId> {
    let (there, away): (Vec<_>, Vec<_>) = endpoints.iter().partition(|id| present.contains(id));
    let mut left = there.into_iter().chain(away);
    let mut ordered = Vec::with_capacity(endpoints.len());
    for stage in stages {
        let count = usize::try_from(stage.count).unwrap_or(usize::MAX);
        let mut own: Vec<EndpointId> = left.by_ref().take(count).collect();
        sort_endpoints(&mut own);
        ordered.append(&mut own);
    }
    ordered
}

/// Rounded up, so that ten per cent of seven is one.
fn percent_of(count: u32, percent: u32) -> u32 {
    let share = (u64::from(count) * u64::from(percent)).div_ceil(100);
    u32::try_from(share).unwrap_or(u32::MAX)
}

/// `10%` or `10`.
pub(crate) fn percent(text: &str) -> Result<u32, String> {
    let number = text.strip_suffix('%').unwrap_or(text).parse().ok();
    number.filter(|percent| *percent <= 100).ok_or_else(|| "0% to 100%".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use bartizan_trust::id::Sha256;
    use bartizan_trust::targets::{TargetTree, in_stages};

    const DEMANDS: Demands = Demands { soak_s: 1800, promote_min: 1, failures_percent_max: 10 };

    fn counts(plan: &Plan, count: u32) -> Vec<u32> {
        let stages = plan.divide(count, DEMANDS).expect("a plan for all");
        stages.iter().map(|stage| stage.count).collect()
    }

    #[test]
    fn plans_are_read_and_divide_every_fleet() {
        let plan: Plan = "canary:3,10%,rest".parse().expect("a plan");
        for (count, expected) in [
            (1, &[1][..]),
            (3, &[3]),
            (4, &[3, 1]),
            (7, &[3, 1, 3]),
            (100, &[3, 10, 87]),
            (5000, &[3, 500, 4497]),
        ] {
            assert_eq!(counts(&plan, count), expected);
        }
        let stages = plan.divide(100, DEMANDS).expect("stages");
        assert_eq!(stages[0], Stage { name: "canary".to_owned(), ..Stage::only(3) });
        assert_eq!((stages[1].soak_s, stages[1].promote_min), (1800, 1));
        assert!("3,2".parse::<Plan>().expect("a plan").divide(9, DEMANDS).is_err());
        for bad in ["", "canary", "0", "canary:0", "101%", "0%", ":3", "3,,rest", "-1"] {
            assert!(bad.parse::<Plan>().is_err(), "{bad}");
        }
        assert!("1,1,1,1,1,1,1,1,rest".parse::<Plan>().is_err());
    }

    #[test]
    fn who_is_there_goes_before_who_is_away() {
        let id = |byte: u8| EndpointId::new(Sha256::of(&[byte]));
        let mut all: Vec<EndpointId> = (0..5).map(id).collect();
        sort_endpoints(&mut all);
        let stages = Plan::usual(Some(&rule(2)), 5).divide(5, DEMANDS).expect("stages");
        // All there, or none: as they are sorted.
        assert_eq!(order(&all, &all.iter().copied().collect(), &stages), all);
        assert_eq!(order(&all, &BTreeSet::new(), &stages), all);
        let ordered = order(&all, &BTreeSet::from([all[3]]), &stages);
        assert_eq!(ordered, [all[3], all[0], all[1], all[2], all[4]]);
        let leaves = in_stages(&ordered, &stages);
        assert!(TargetTree::new(&leaves).is_ok(), "sorted within each stage");
        // One stage: nobody goes first, and the tree is the same as ever.
        let one = Plan::usual(None, 5).divide(5, DEMANDS).expect("a stage");
        assert_eq!(order(&all, &BTreeSet::from([all[3]]), &one), all);
    }

    fn rule(stages_min: u32) -> ClassRule {
        let text = format!(
            r#"{{"class":"fleet","approvals":1,"user_check":"none","endpoints_new_max":9,"endpoints_max":9,"stages_min":{stages_min},
            "first_stage_max":5,"soak_s_min":0,"delay_s":0,"freshness_s":1,"window_s_max":1,"jobs_per_hour_max":1,
            "operator_jobs_per_hour_max":1,"witnesses":"none","orders":{{"life_s_max":0,"freshness_s_max":0,"runs_per_hour_max":0}}}}"#
        );
        serde_json::from_str(&text).expect("a rule")
    }

    #[test]
    fn the_usual_stages_are_what_a_class_demands() {
        for (stages_min, count, expected) in [
            (1, 7, &[7][..]),
            (2, 1, &[1]),
            (2, 2, &[1, 1]),
            (2, 100, &[5, 95]),
            (3, 1, &[1]),
            (3, 2, &[1, 1]),
            (3, 3, &[1, 1, 1]),
            (3, 4, &[1, 1, 2]),
            (3, 5000, &[5, 500, 4495]),
        ] {
            assert_eq!(counts(&Plan::usual(Some(&rule(stages_min)), count), count), expected);
        }
        assert_eq!(counts(&Plan::usual(None, 3), 3), [3]);
    }
}
