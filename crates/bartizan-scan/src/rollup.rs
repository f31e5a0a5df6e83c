//! Many scans as one picture: a verdict of each endpoint, what the fleet does not know, and findings by their rule.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::model::{Area, Confidence, Ending, Level, Report, Verdict};

/// Places of one rule on one endpoint that are named; the rest is counted.
const PLACES_PER_ENDPOINT: usize = 3;

/// What came of one endpoint.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Its id.
    pub endpoint: String,
    /// What it calls itself.
    pub name: String,
    /// Whether there is anything to believe.
    pub state: State,
    /// The verdict that the endpoint signed.
    pub verdict: Option<Verdict>,
    /// Whether its coverage was complete, as the endpoint signed.
    pub complete: bool,
    /// A stable code that says more.
    pub code: String,
    /// What it found, where that came whole.
    pub report: Option<Report>,
}

/// What became of a scan on an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It scanned.
    Scanned,
    /// It scanned; what it found did not arrive, or is not what it signed.
    ResultMissing,
    /// It began and did not come to a verdict.
    Failed,
    /// It said no.
    Refused,
    /// Nothing was heard of it.
    NoAnswer,
}

/// The picture.
#[derive(Debug, Clone, Serialize)]
pub struct Rollup {
    /// Format version.
    pub v: u8,
    /// The job.
    pub job: String,
    /// The worst verdict; `None`: no endpoint came to one.
    pub verdict: Option<Verdict>,
    /// Every endpoint answered, and saw everything.
    pub complete: bool,
    /// Endpoints by what came of them.
    pub counts: Counts,
    /// The worst first.
    pub endpoints: Vec<Row>,
    /// The worst first, then those on most endpoints.
    pub rules: Vec<RuleRow>,
}

/// Endpoints by what came of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Counts {
    /// All that the job names.
    pub endpoints: u64,
    /// Of these: compromised.
    pub compromised: u64,
    /// Suspicious.
    pub suspicious: u64,
    /// No indicators found, coverage complete.
    pub no_indicators: u64,
    /// No indicators found, coverage incomplete.
    pub incomplete: u64,
    /// A verdict, but not what it stands on.
    pub result_missing: u64,
    /// No verdict: the scan failed.
    pub failed: u64,
    /// No verdict: refused.
    pub refused: u64,
    /// No verdict: not heard of.
    pub no_answer: u64,
}

/// One endpoint.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// Its id.
    pub endpoint: String,
    /// What it calls itself.
    pub name: String,
    /// What came of it.
    pub state: State,
    /// Its verdict.
    pub verdict: Option<Verdict>,
    /// Whether it saw everything.
    pub complete: bool,
    /// A stable code.
    pub code: String,
    /// Findings that count for the verdict, also those left out of the result.
    pub findings: u64,
    /// Bytes of evidence that came with it.
    pub evidence: u64,
    /// What it did not see.
    pub gaps: Vec<String>,
}

/// One rule, wherever it found something.
#[derive(Debug, Clone, Serialize)]
pub struct RuleRow {
    /// Its pack.
    pub pack: String,
    /// Its id.
    pub rule: String,
    /// What was seen.
    pub reason: String,
    /// What it means alone.
    pub level: Level,
    /// How sure it is.
    pub confidence: Confidence,
    /// What to do.
    pub advice: String,
    /// Findings.
    pub findings: u64,
    /// Where.
    pub endpoints: Vec<Hit>,
}

/// A rule on one endpoint.
#[derive(Debug, Clone, Serialize)]
pub struct Hit {
    /// Its id.
    pub endpoint: String,
    /// What it calls itself.
    pub name: String,
    /// Findings there.
    pub findings: u64,
    /// The first places.
    pub places: Vec<String>,
}

/// Makes the picture of all answers.
pub fn roll_up(job: &str, answers: &[Answer]) -> Rollup {
    let mut endpoints: Vec<Row> = answers.iter().map(row).collect();
    endpoints.sort_by(|a, b| {
        (b.verdict, a.state).cmp(&(a.verdict, b.state)).then_with(|| a.name.cmp(&b.name))
    });
    let counts = count(&endpoints);
    Rollup {
        v: 1,
        job: job.to_owned(),
        verdict: endpoints.iter().filter_map(|row| row.verdict).max(),
        complete: !endpoints.is_empty()
            && endpoints.iter().all(|row| row.state == State::Scanned && row.complete),
        counts,
        endpoints,
        rules: rules(answers),
    }
}

impl Rollup {
    /// As of one scan: 0 no indicators, 1 suspicious, 2 compromised, 3 no indicators but not everything was seen.
    pub fn exit_code(&self) -> u8 {
        match self.verdict {
            Some(Verdict::Compromised) => 2,
            Some(Verdict::Suspicious) => 1,
            Some(Verdict::NoIndicators) if self.complete => 0,
            Some(Verdict::NoIndicators) | None => 3,
        }
    }

    /// The last line.
    pub fn conclusion(&self) -> String {
        let verdict = self.verdict.map_or("no verdict", Verdict::name);
        let coverage = if self.complete { "complete" } else { "incomplete" };
        let next = match self.exit_code() {
            2 => {
                "isolate the endpoints that are compromised now, keep them on, and work through the rules from the top"
            }
            1 => "have a person judge each finding today",
            0 => {
                "this says that nothing known was found in what exists now, not that nothing happened"
            }
            _ => {
                "see which endpoints did not answer or did not see everything, and scan those again"
            }
        };
        format!("fleet verdict: {verdict} (coverage {coverage}); next: {next}")
    }
}

fn row(answer: &Answer) -> Row {
    let counted = |report: &Report| {
        let shown = report.findings.iter().filter(|f| f.rule.level > Level::Note).count();
        u64::try_from(shown).unwrap_or(u64::MAX).saturating_add(report.findings_omitted)
    };
    Row {
        endpoint: answer.endpoint.clone(),
        name: answer.name.clone(),
        state: answer.state,
        verdict: answer.verdict,
        complete: answer.complete,
        code: answer.code.clone(),
        findings: answer.report.as_ref().map_or(0, counted),
        evidence: answer.report.as_ref().and_then(|r| r.archive.as_ref()).map_or(0, |a| a.size),
        gaps: gaps(answer),
    }
}

/// What one endpoint does not know, in a few words each.
fn gaps(answer: &Answer) -> Vec<String> {
    let mut gaps = Vec::new();
    match answer.state {
        State::Scanned => {}
        State::ResultMissing => {
            gaps.push("its findings did not arrive as it signed them".to_owned());
        }
        State::Failed | State::Refused | State::NoAnswer => {
            gaps.push("it was not looked at".to_owned());
        }
    }
    let Some(report) = &answer.report else { return gaps };
    let coverage = &report.coverage;
    match coverage.ending {
        Ending::Complete => {}
        Ending::Interrupted => gaps.push("the scan was interrupted".to_owned()),
        Ending::OutOfTime => gaps.push("the time for the scan was up".to_owned()),
    }
    if coverage.unreadable_count > 0 {
        gaps.push(format!("{} places could not be read", coverage.unreadable_count));
    }
    for (area, counts) in coverage.areas.iter().filter(|(_, counts)| counts.read < counts.existed) {
        let missing = counts.existed - counts.read;
        gaps.push(format!("{missing} of {} {} not understood", counts.existed, Area::name(*area)));
    }
    for period in coverage.periods.iter().filter(|period| !period.missing.is_empty()) {
        gaps.push(format!("{}: {} gaps", period.log, period.missing.len()));
    }
    for pack in coverage.packs.iter().filter(|pack| pack.loaded < pack.expected) {
        gaps.push(format!("{}: {} of {} rules", pack.name, pack.loaded, pack.expected));
    }
    if report.findings_omitted > 0 {
        gaps.push(format!("{} findings are counted, not shown", report.findings_omitted));
    }
    gaps
}

fn count(rows: &[Row]) -> Counts {
    let mut counts = Counts::default();
    for row in rows {
        counts.endpoints += 1;
        match (row.state, row.verdict) {
            (State::Failed, _) => counts.failed += 1,
            (State::Refused, _) => counts.refused += 1,
            (State::NoAnswer, _) | (_, None) => counts.no_answer += 1,
            (_, Some(Verdict::Compromised)) => counts.compromised += 1,
            (_, Some(Verdict::Suspicious)) => counts.suspicious += 1,
            (_, Some(Verdict::NoIndicators)) if row.complete => counts.no_indicators += 1,
            (_, Some(Verdict::NoIndicators)) => counts.incomplete += 1,
        }
        counts.result_missing += u64::from(row.state == State::ResultMissing);
    }
    counts
}

fn rules(answers: &[Answer]) -> Vec<RuleRow> {
    let mut all: BTreeMap<(&str, &str), RuleRow> = BTreeMap::new();
    for answer in answers {
        let findings = answer.report.iter().flat_map(|report| &report.findings);
        for finding in findings.filter(|finding| finding.rule.level > Level::Note) {
            let rule = &finding.rule;
            let row = all.entry((&finding.pack, &rule.id)).or_insert_with(|| RuleRow {
                pack: finding.pack.clone(),
                rule: rule.id.clone(),
                reason: rule.reason.clone(),
                level: rule.level,
                confidence: rule.confidence,
                advice: rule.advice.clone(),
                findings: 0,
                endpoints: Vec::new(),
            });
            // Rules are the endpoints' word: the worst that any of them says counts.
            row.level = row.level.max(rule.level);
            row.findings += 1;
            if row.endpoints.last().is_none_or(|hit| hit.endpoint != answer.endpoint) {
                row.endpoints.push(Hit {
                    endpoint: answer.endpoint.clone(),
                    name: answer.name.clone(),
                    findings: 0,
                    places: Vec::new(),
                });
            }
            if let Some(hit) = row.endpoints.last_mut() {
                hit.findings += 1;
                if hit.places.len() < PLACES_PER_ENDPOINT {
                    hit.places.push(finding.evidence.place.clone());
                }
            }
        }
    }
    let mut rows: Vec<RuleRow> = all.into_values().collect();
    rows.sort_by(|a, b| {
        let key = |row: &RuleRow| (row.level, row.confidence, row.endpoints.len());
        key(b).cmp(&key(a)).then_with(|| (&a.pack, &a.rule).cmp(&(&b.pack, &b.rule)))
    });
    rows
}

#[cfg(test)]
mod tests;
