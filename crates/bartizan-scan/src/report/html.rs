//! A page that needs nothing else: no script, no style from elsewhere.

use core::fmt::Write as _;

use super::text::coverage_lines;
use crate::model::{Finding, Report};

pub(super) const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:70em;margin:2em auto;padding:0 1em}\
h1{font-size:1.4em}.verdict{padding:.8em 1em;border-left:.4em solid #777;background:#f3f3f3}\
.compromised{border-color:#b00020}.suspicious{border-color:#c77700}\
article{border:1px solid #ccc;padding:.6em 1em;margin:1em 0}\
code{overflow-wrap:anywhere;background:#f3f3f3}dt{font-weight:600}";

pub(super) fn render(report: &Report) -> String {
    let mut page = String::from("<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">");
    page.push_str(
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
    );
    let _ =
        writeln!(page, "<title>Scan of {}</title><style>{STYLE}</style>", escape(&report.scope));
    let _ = writeln!(page, "<h1>Scan of {}</h1>", escape(&report.scope));
    let class = match report.verdict {
        crate::model::Verdict::Compromised => "compromised",
        crate::model::Verdict::Suspicious => "suspicious",
        crate::model::Verdict::NoIndicators => "none",
    };
    let coverage = if report.is_complete() { "complete" } else { "incomplete" };
    let _ = writeln!(
        page,
        "<p class=\"verdict {class}\"><strong>{}</strong> (coverage {coverage}).<br>Next: {}.</p>",
        escape(report.verdict.name()),
        escape(report.next_step())
    );
    let _ = writeln!(
        page,
        "<p>{} to {}, by {}.</p>",
        report.started,
        report.ended,
        escape(&report.tool)
    );
    let _ = writeln!(page, "<h2>Findings ({})</h2>", report.findings.len());
    for finding in &report.findings {
        add_finding(&mut page, finding);
    }
    if report.findings_omitted > 0 {
        let _ = writeln!(page, "<p>{} more are counted, not shown.</p>", report.findings_omitted);
    }
    page.push_str("<h2>Coverage</h2>\n<ul>\n");
    for line in coverage_lines(&report.coverage) {
        let _ = writeln!(page, "<li>{}</li>", escape(&line));
    }
    page.push_str("</ul>\n</html>\n");
    page
}

fn add_finding(page: &mut String, finding: &Finding) {
    let (rule, evidence) = (&finding.rule, &finding.evidence);
    let _ = write!(
        page,
        "<article><h3>{}</h3><dl><dt>Place</dt><dd><code>{}</code></dd>",
        escape(&rule.reason),
        escape(&evidence.place)
    );
    let mut add = |name: &str, value: &str| {
        if !value.is_empty() {
            let _ = write!(page, "<dt>{name}</dt><dd><code>{}</code></dd>", escape(value));
        }
    };
    add("Evidence", &evidence.excerpt);
    add("Level, confidence", &format!("{:?}, {:?}", rule.level, rule.confidence));
    add("Rule", &format!("{}/{}", finding.pack, rule.id));
    add("SHA-256", evidence.sha256.as_deref().unwrap_or_default());
    add("Happened", &evidence.happened.map(|time| time.to_string()).unwrap_or_default());
    add("Changed", &evidence.modified.map(|time| time.to_string()).unwrap_or_default());
    add("Created", &evidence.created.map(|time| time.to_string()).unwrap_or_default());
    add("Source", &rule.source);
    add("What to do", &rule.advice);
    page.push_str("</dl></article>\n");
}

pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}
