//! A whole scan as one document.

use serde::{Deserialize, Serialize};

use super::{Coverage, Finding, Verdict};
use crate::limits;
use crate::time::UnixSeconds;

/// What a scan found, with what it covered. The form of `--json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// Format version.
    pub v: u8,
    /// The tool and its version.
    pub tool: String,
    /// What was scanned: a host name, or the folder.
    pub scope: String,
    /// When it began, by the clock of the machine that scanned.
    pub started: UnixSeconds,
    /// When it ended.
    pub ended: UnixSeconds,
    /// The conclusion.
    pub verdict: Verdict,
    /// Findings, the worst first.
    pub findings: Vec<Finding>,
    /// Findings beyond the limits, counted only.
    pub findings_omitted: u64,
    /// What was covered.
    pub coverage: Coverage,
    /// Of a scan in the fleet that collected evidence: the archive that came with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archive: Option<Archive>,
}

/// An encrypted archive of evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Archive {
    /// Files in it.
    pub files: u64,
    /// Files that are not in it for want of room, or because they could not be read.
    pub omitted: u64,
    /// SHA-256 of the archive as it was encrypted.
    pub sha256: String,
    /// Its bytes.
    pub size: u64,
}

impl Report {
    /// Whether something that existed was not seen, so that the absence of findings says less.
    pub fn is_complete(&self) -> bool {
        self.coverage.is_complete()
    }

    /// The exit code: 0 no indicators, 1 suspicious, 2 compromised, 3 no indicators but not everything was seen.
    pub fn exit_code(&self) -> u8 {
        match self.verdict {
            Verdict::Compromised => 2,
            Verdict::Suspicious => 1,
            Verdict::NoIndicators if !self.is_complete() => 3,
            Verdict::NoIndicators => 0,
        }
    }

    /// Keeps so many findings, the worst, and counts the others. The verdict stays that of all of them.
    pub fn leave_findings_out(&mut self, keep: usize) {
        let left_out = self.findings.len().saturating_sub(keep);
        self.findings.truncate(keep);
        let left_out = u64::try_from(left_out).unwrap_or(u64::MAX);
        self.findings_omitted = self.findings_omitted.saturating_add(left_out);
    }

    /// Takes out what was found, and leaves where it was.
    pub fn leave_excerpts_out(&mut self) {
        for finding in &mut self.findings {
            finding.evidence.excerpt.clear();
        }
    }

    /// What to do now, in one sentence.
    pub fn next_step(&self) -> &'static str {
        match self.verdict {
            Verdict::Compromised => {
                "isolate this machine now, keep it powered on, and work through the findings from the top"
            }
            Verdict::Suspicious => {
                "have a person judge each finding today; isolate the machine first if any of them is unexplained"
            }
            Verdict::NoIndicators if !self.is_complete() => {
                "see in the coverage what could not be read, and scan again with the rights or evidence that were missing"
            }
            Verdict::NoIndicators => {
                "read the coverage: this says that nothing known was found in what exists now, not that nothing happened"
            }
        }
    }
}

/// Collects findings within the limits.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Findings {
    kept: Vec<Finding>,
    per_rule: std::collections::BTreeMap<String, usize>,
    omitted: u64,
}

impl Findings {
    /// Adds one, or counts it if there are too many of its kind.
    pub fn add(&mut self, finding: Finding) {
        let count =
            self.per_rule.entry(format!("{}/{}", finding.pack, finding.rule.id)).or_default();
        *count += 1;
        if *count > limits::FINDINGS_PER_RULE_MAX || self.kept.len() >= limits::FINDINGS_MAX {
            self.omitted += 1;
        } else {
            self.kept.push(finding);
        }
    }

    /// How many there are so far.
    pub fn count(&self) -> usize {
        self.kept.len()
    }

    /// The worst first, and the number of those left out.
    pub fn into_parts(mut self) -> (Vec<Finding>, u64) {
        self.kept.sort_by(|a, b| {
            (b.rule.level, b.rule.confidence)
                .cmp(&(a.rule.level, a.rule.confidence))
                .then_with(|| a.rule.id.cmp(&b.rule.id))
                .then_with(|| a.evidence.place.cmp(&b.evidence.place))
        });
        (self.kept, self.omitted)
    }
}
