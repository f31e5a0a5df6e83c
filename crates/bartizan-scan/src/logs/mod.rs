//! Logs of web servers and applications: requests in order, days that are missing, ends that were cut off.

mod request;
mod rhythm;
mod sequences;

pub use request::{Dialect, Line, LineReader, Request};
pub use sequences::Sequences;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead};

use serde_json::{Value, json};

use crate::integrity;
use crate::limits;
use crate::model::{Area, Coverage, Evidence, Finding, Period};
use crate::network::Indicators;
use crate::pack::Pack;
use crate::sigma::{Sigma, Source};
use crate::time::UnixSeconds;
use rhythm::Series;

/// Everything that is learnt from web logs.
#[derive(Debug)]
pub struct WebLogs<'s> {
    sequences: Sequences,
    indicators: Indicators,
    sigma: Option<&'s mut Sigma>,
    // Logs of one folder and form, whatever their rotation calls them, are one series.
    series: BTreeMap<String, Series>,
    findings: Vec<Finding>,
    // A client with a known address is told once for each rule, not once for each request.
    told: BTreeSet<(String, String)>,
    read: u64,
    entries: u64,
    not_understood: u64,
}

/// What stands in one log.
#[derive(Debug, Default)]
struct LogFacts {
    entries: u64,
    not_understood: u64,
    headless: u64,
    zero_bytes: u64,
    days: BTreeSet<i64>,
    first: Option<UnixSeconds>,
    last: Option<UnixSeconds>,
    whole: bool,
}

impl<'s> WebLogs<'s> {
    /// For the rules of these packs. Sigma rules about web servers are asked too, where there are any. Returns also what
    /// cannot be used.
    pub fn new(packs: &[&Pack], sigma: Option<&'s mut Sigma>) -> (Self, Vec<String>) {
        let (sequences, mut unusable) = Sequences::new(packs.iter().copied());
        let (indicators, more) = Indicators::new(packs.iter().copied());
        unusable.extend(more);
        let logs = Self {
            sequences,
            indicators,
            sigma: sigma.filter(|sigma| sigma.asks(&Source::WEB)),
            series: BTreeMap::new(),
            findings: Vec::new(),
            told: BTreeSet::new(),
            read: 0,
            entries: 0,
            not_understood: 0,
        };
        (logs, unusable)
    }

    /// Rules about sequences and the network that are in force.
    pub fn rules(&self) -> usize {
        self.sequences.len() + self.indicators.len()
    }

    /// Reads one log to its end. `rotated` says that a newer log of the same name exists, so that this one must be whole.
    pub fn read(
        &mut self,
        place: &str,
        dialect: Dialect,
        rotated: bool,
        log: impl BufRead,
    ) -> io::Result<()> {
        let mut facts = LogFacts::default();
        let mut reader = LineReader::new(dialect);
        let mut lines = Lines::new(log);
        let mut number = 0_u64;
        while let Some(line) = lines.next()? {
            number += 1;
            facts.zero_bytes += u64::from(line.contains(&0));
            let text = String::from_utf8_lossy(line);
            match reader.read(&text) {
                Line::Request(request) => {
                    facts.note(request.at);
                    self.handle(&request, || format!("{place}:{number}"), &text);
                }
                Line::Other => {}
                Line::Headless => facts.headless += 1,
                Line::NotUnderstood => facts.not_understood += 1,
            }
        }
        facts.whole = lines.ended_with_newline;
        facts.not_understood += lines.too_long;
        self.close(place, dialect, rotated, &facts);
        Ok(())
    }

    fn handle(&mut self, request: &Request<'_>, place: impl Fn() -> String, line: &str) {
        self.sequences.handle(request, &place, line);
        if !self.indicators.is_empty() {
            let evidence = Evidence::at(place()).with_excerpt(line);
            for finding in self.indicators.check(&request.client, request.at, &evidence) {
                if self.told.len() < limits::LOG_CLIENTS_MAX
                    && self.told.insert((finding.rule.id.clone(), request.client.to_string()))
                {
                    self.findings.push(finding);
                }
            }
        }
        if let Some(sigma) = self.sigma.as_mut() {
            let event = web_event(request);
            let evidence = || Evidence::at(place()).with_excerpt(line);
            sigma.handle(&event, &Source::WEB, request.at, evidence);
        }
    }

    fn close(&mut self, place: &str, dialect: Dialect, rotated: bool, facts: &LogFacts) {
        self.read += 1;
        self.entries += facts.entries;
        self.not_understood += facts.not_understood;
        let evidence = |text: &str| {
            let mut evidence = Evidence::at(place).with_excerpt(text);
            evidence.happened = facts.first;
            evidence
        };
        if facts.headless > 0 {
            let text = format!("{} entries before the first `#Fields:` line", facts.headless);
            self.findings.push(integrity::finding(&integrity::HEAD_MISSING, evidence(&text)));
        }
        if facts.zero_bytes > 0 {
            let text = format!("{} lines with zero bytes", facts.zero_bytes);
            self.findings.push(integrity::finding(&integrity::ZERO_BYTES, evidence(&text)));
        }
        if rotated && !facts.whole && facts.entries > 0 {
            let text = "the last line of a closed log has no end";
            self.findings.push(integrity::finding(&integrity::CUT_OFF, evidence(text)));
        }
        let series = self.series.entry(series_of(place, dialect)).or_default();
        series.add(&facts.days, facts.first, facts.last);
    }

    /// Ends the reading: what was found, and what the logs speak about.
    pub fn finish(mut self, coverage: &mut Coverage) -> Vec<Finding> {
        for (name, series) in &self.series {
            let missing = series.missing();
            if let (Some(from), Some(until)) = (series.first, series.last) {
                coverage.periods.push(Period {
                    log: name.clone(),
                    from,
                    until,
                    missing: missing.clone(),
                });
            }
            if !missing.is_empty() {
                let evidence = Evidence::at(name).with_excerpt(&missing.join(", "));
                self.findings.push(integrity::finding(&integrity::DAYS_MISSING, evidence));
            }
        }
        let area = coverage.areas.entry(Area::WebLogs).or_default();
        area.existed += self.read;
        area.read += self.read;
        area.entries += self.entries;
        if self.not_understood > 0 {
            let lines = "lines of web logs".to_owned();
            *coverage.not_understood.entry(lines).or_default() += self.not_understood;
        }
        if self.sequences.omitted() > 0 {
            let hits = "requests on suspicious paths beyond the limit".to_owned();
            *coverage.not_understood.entry(hits).or_default() += self.sequences.omitted();
        }
        self.findings.extend(self.sequences.finish());
        self.findings
    }
}

impl LogFacts {
    fn note(&mut self, at: UnixSeconds) {
        self.entries += 1;
        if self.days.len() < limits::LOG_DAYS_MAX {
            self.days.insert(at.day_number());
        }
        self.first = Some(self.first.map_or(at, |first| first.min(at)));
        self.last = Some(self.last.map_or(at, |last| last.max(at)));
    }
}

/// Logs in one folder belong together, apart from their form: `u_ex210702.log` and `u_ex210703.log`, `access.log` and
/// `access.log.2.gz`.
fn series_of(place: &str, dialect: Dialect) -> String {
    let (folder, name) = place.rsplit_once(['/', '\\']).unwrap_or(("", place));
    let stem: String = name
        .trim_end_matches(".gz")
        .chars()
        .map(|c| if c.is_ascii_digit() { '#' } else { c })
        .collect();
    let mut stem = stem.trim_end_matches(['#', '.', '-']).to_owned();
    while stem.contains("##") {
        stem = stem.replace("##", "#");
    }
    let form = match dialect {
        Dialect::W3c => "W3C",
        Dialect::Combined => "combined",
        Dialect::Caddy => "Caddy",
    };
    format!("{folder}/{stem} ({form})")
}

/// The field names that Sigma rules of the category `webserver` use.
fn web_event(request: &Request<'_>) -> Value {
    json!({
        "c-ip": request.client,
        "cs-method": request.method,
        "cs-uri-stem": request.path,
        "cs-uri-query": request.query,
        "cs-uri": if request.query.is_empty() {
            request.path.to_string()
        } else {
            format!("{}?{}", request.path, request.query)
        },
        "cs-user-agent": request.agent,
        "c-useragent": request.agent,
        "sc-status": request.status,
    })
}

/// Lines of a log, each no longer than a limit.
struct Lines<R> {
    source: R,
    line: Vec<u8>,
    too_long: u64,
    ended_with_newline: bool,
}

impl<R: BufRead> Lines<R> {
    const fn new(source: R) -> Self {
        Self { source, line: Vec::new(), too_long: 0, ended_with_newline: true }
    }

    /// The next line without its end. Of one that is too long only the beginning comes.
    fn next(&mut self) -> io::Result<Option<&[u8]>> {
        self.line.clear();
        let mut any = false;
        let mut cut = false;
        loop {
            let piece = self.source.fill_buf()?;
            if piece.is_empty() {
                break;
            }
            any = true;
            let end = piece.iter().position(|byte| *byte == b'\n');
            let content = piece.get(..end.unwrap_or(piece.len())).unwrap_or_default();
            let room = limits::LOG_LINE_BYTES_MAX.saturating_sub(self.line.len());
            cut |= content.len() > room;
            self.line.extend_from_slice(content.get(..room).unwrap_or(content));
            let used = content.len() + usize::from(end.is_some());
            self.source.consume(used);
            self.ended_with_newline = end.is_some();
            if end.is_some() {
                break;
            }
        }
        self.too_long += u64::from(cut);
        if self.line.last() == Some(&b'\r') {
            self.line.pop();
        }
        Ok(any.then_some(self.line.as_slice()))
    }
}

#[cfg(test)]
mod tests;
