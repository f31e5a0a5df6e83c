//! A fleet in the forms of a report.

use core::fmt::Write as _;

use super::html::{STYLE, escape};
use super::table::{cells, head, quote};
use crate::model::Verdict;
use crate::path::shown;
use crate::rollup::{Answer, Rollup, Row, State};

/// Endpoints that a terminal names of one rule; more are counted.
const ENDPOINTS_PER_RULE: usize = 10;

fn state(row: &Row) -> String {
    let verdict = row.verdict.map(|verdict| match (verdict, row.complete) {
        (Verdict::NoIndicators, true) => "no indicators found",
        (Verdict::NoIndicators, false) => "no indicators found, coverage incomplete",
        (verdict, _) => verdict.name(),
    });
    match (row.state, verdict) {
        (State::Scanned, Some(verdict)) => verdict.to_owned(),
        (State::ResultMissing, Some(verdict)) => format!("{verdict}; its findings are missing"),
        (State::Failed, _) => "no verdict: the scan failed".to_owned(),
        (State::Refused, _) => "no verdict: refused".to_owned(),
        (State::NoAnswer | State::Scanned | State::ResultMissing, _) => {
            "no verdict: no answer".to_owned()
        }
    }
}

pub(super) fn text(all: &Rollup) -> String {
    let mut text = String::new();
    for rule in &all.rules {
        let (count, hits) = (rule.findings, rule.endpoints.len());
        let name = shown(&format!("{}/{}", rule.pack, rule.rule));
        let _ = writeln!(text, "{:?} · {name} · {count} findings on {hits} endpoints", rule.level);
        let _ = writeln!(text, "  {}", shown(&rule.reason));
        for hit in rule.endpoints.iter().take(ENDPOINTS_PER_RULE) {
            let places = shown(&hit.places.join(", "));
            let _ = writeln!(text, "  {}: {} × {places}", shown(&hit.name), hit.findings);
        }
        if hits > ENDPOINTS_PER_RULE {
            let _ = writeln!(text, "  and {} more endpoints", hits - ENDPOINTS_PER_RULE);
        }
        let _ = writeln!(text, "  what to do: {}\n", shown(&rule.advice));
    }
    for row in &all.endpoints {
        let (name, code) = (shown(&row.name), shown(&row.code));
        let _ = writeln!(text, "{name} ({}): {} [{code}]", shown(&row.endpoint), state(row));
        for gap in &row.gaps {
            let _ = writeln!(text, "  not seen: {}", shown(gap));
        }
        if row.evidence > 0 {
            let _ = writeln!(text, "  evidence: {} bytes, encrypted", row.evidence);
        }
    }
    let _ = writeln!(text, "\n{}", counts(all));
    let _ = writeln!(text, "{}", all.conclusion());
    text
}

fn counts(all: &Rollup) -> String {
    let counts = &all.counts;
    format!(
        "{} endpoints: {} compromised, {} suspicious, {} no indicators found, {} of them incomplete; no verdict of {}: {} failed, {} refused, {} did not answer; findings missing of {}",
        counts.endpoints,
        counts.compromised,
        counts.suspicious,
        counts.no_indicators + counts.incomplete,
        counts.incomplete,
        counts.failed + counts.refused + counts.no_answer,
        counts.failed,
        counts.refused,
        counts.no_answer,
        counts.result_missing
    )
}

pub(super) fn html(all: &Rollup) -> String {
    let mut page = String::from("<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">");
    page.push_str(
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
    );
    let class = match all.verdict {
        Some(Verdict::Compromised) => "compromised",
        Some(Verdict::Suspicious) => "suspicious",
        Some(Verdict::NoIndicators) | None => "none",
    };
    let _ = writeln!(page, "<title>Scan of a fleet</title><style>{STYLE}</style>");
    let _ = writeln!(page, "<h1>Scan of a fleet</h1><p>Job <code>{}</code></p>", escape(&all.job));
    let _ = writeln!(
        page,
        "<p class=\"verdict {class}\">{}.<br>{}</p>",
        escape(&all.conclusion()),
        escape(&counts(all))
    );
    let _ = writeln!(page, "<h2>Findings by rule ({})</h2>", all.rules.len());
    for rule in &all.rules {
        let _ = writeln!(
            page,
            "<article><h3>{}</h3><p>{:?} · <code>{}/{}</code> · {} findings on {} endpoints</p><ul>",
            escape(&rule.reason),
            rule.level,
            escape(&rule.pack),
            escape(&rule.rule),
            rule.findings,
            rule.endpoints.len()
        );
        for hit in &rule.endpoints {
            let (name, places) = (escape(&hit.name), escape(&hit.places.join(", ")));
            let _ = writeln!(page, "<li>{name}: {} × <code>{places}</code></li>", hit.findings);
        }
        let _ = writeln!(page, "</ul><p>What to do: {}</p></article>", escape(&rule.advice));
    }
    let _ = writeln!(page, "<h2>Endpoints ({})</h2>", all.endpoints.len());
    for row in &all.endpoints {
        let _ = writeln!(
            page,
            "<article><h3>{}</h3><p><code>{}</code>: {} (<code>{}</code>)</p><ul>",
            escape(&row.name),
            escape(&row.endpoint),
            escape(&state(row)),
            escape(&row.code)
        );
        for gap in &row.gaps {
            let _ = writeln!(page, "<li>not seen: {}</li>", escape(gap));
        }
        page.push_str("</ul></article>\n");
    }
    page.push_str("</html>\n");
    page
}

/// A line for each finding, and one for each endpoint without any.
pub(super) fn csv(all: &Rollup, answers: &[Answer]) -> String {
    let mut names = vec!["endpoint", "name", "state", "code"];
    names.extend(head());
    let mut text = names.join(",") + "\r\n";
    for row in &all.endpoints {
        let of = [row.endpoint.clone(), row.name.clone(), state(row), row.code.clone()];
        let of: Vec<String> = of.iter().map(|cell| quote(cell)).collect();
        let answer = answers.iter().find(|answer| answer.endpoint == row.endpoint);
        let findings = answer.and_then(|answer| answer.report.as_ref());
        let findings = findings.map_or(&[][..], |report| &report.findings);
        for finding in findings {
            text += &[of.join(","), cells(finding)].join(",");
            text += "\r\n";
        }
        if findings.is_empty() {
            text += &of.join(",");
            text += &",".repeat(head().len());
            text += "\r\n";
        }
    }
    text
}
