//! The verdict: three values, and never "clean".

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Confidence, Finding, Level};

/// Distinct steps of one attack that together leave no innocent explanation.
const STAGES_OF_A_COMPROMISE: usize = 3;

/// What a scan concludes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing was found in what was read.
    NoIndicators,
    /// A person must look.
    Suspicious,
    /// Somebody was here.
    Compromised,
}

impl Verdict {
    /// The highest level of any finding; three suspicious steps of one attack count as a compromise.
    pub fn of(findings: &[Finding]) -> Self {
        let highest = findings.iter().map(|finding| finding.rule.level).max();
        match highest {
            Some(Level::Compromised) => Self::Compromised,
            Some(Level::Suspicious) if has_chain(findings) => Self::Compromised,
            Some(Level::Suspicious) => Self::Suspicious,
            Some(Level::Note) | None => Self::NoIndicators,
        }
    }

    /// For people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoIndicators => "no indicators found",
            Self::Suspicious => "suspicious",
            Self::Compromised => "compromised",
        }
    }
}

fn has_chain(findings: &[Finding]) -> bool {
    let mut stages: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for finding in findings {
        if finding.rule.level >= Level::Suspicious
            && finding.rule.confidence >= Confidence::Medium
            && let Some(stage) = &finding.rule.stage
        {
            stages.entry(&finding.pack).or_default().insert(stage);
        }
    }
    stages.values().any(|steps| steps.len() >= STAGES_OF_A_COMPROMISE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Evidence, Rule};

    fn finding(pack: &str, level: Level, stage: &str) -> Finding {
        let rule = Rule {
            id: "x".to_owned(),
            reason: String::new(),
            level,
            confidence: Confidence::Medium,
            stage: Some(stage.to_owned()),
            source: String::new(),
            advice: String::new(),
        };
        Finding::new(pack, &rule, Evidence::default())
    }

    #[test]
    fn the_highest_level_decides_and_notes_do_not() {
        assert_eq!(Verdict::of(&[]), Verdict::NoIndicators);
        assert_eq!(Verdict::of(&[finding("p", Level::Note, "a")]), Verdict::NoIndicators);
        assert_eq!(Verdict::of(&[finding("p", Level::Suspicious, "a")]), Verdict::Suspicious);
        assert_eq!(Verdict::of(&[finding("p", Level::Compromised, "a")]), Verdict::Compromised);
    }

    #[test]
    fn three_steps_of_one_attack_are_a_compromise_and_two_are_not() {
        let steps = |names: &[&str]| -> Vec<Finding> {
            names.iter().map(|name| finding("p", Level::Suspicious, name)).collect()
        };
        assert_eq!(Verdict::of(&steps(&["a", "b", "b"])), Verdict::Suspicious);
        assert_eq!(Verdict::of(&steps(&["a", "b", "c"])), Verdict::Compromised);
        let mut apart = steps(&["a", "b"]);
        apart.push(finding("q", Level::Suspicious, "c"));
        assert_eq!(Verdict::of(&apart), Verdict::Suspicious);
    }
}
