//! CSV as RFC 4180 has it, with cells that no spreadsheet takes for a formula.

use crate::model::{Finding, Report};

pub(super) const fn head() -> [&'static str; 15] {
    [
        "level",
        "confidence",
        "pack",
        "rule",
        "reason",
        "place",
        "excerpt",
        "sha256",
        "size",
        "happened",
        "modified",
        "created",
        "stage",
        "source",
        "advice",
    ]
}

pub(super) fn render(report: &Report) -> String {
    let mut text = head().join(",");
    text.push_str("\r\n");
    for finding in &report.findings {
        text.push_str(&cells(finding));
        text.push_str("\r\n");
    }
    text
}

pub(super) fn cells(finding: &Finding) -> String {
    let (rule, evidence) = (&finding.rule, &finding.evidence);
    let time =
        |time: Option<crate::time::UnixSeconds>| time.map(|t| t.to_string()).unwrap_or_default();
    let cells = [
        format!("{:?}", rule.level).to_lowercase(),
        format!("{:?}", rule.confidence).to_lowercase(),
        finding.pack.clone(),
        rule.id.clone(),
        rule.reason.clone(),
        evidence.place.clone(),
        evidence.excerpt.clone(),
        evidence.sha256.clone().unwrap_or_default(),
        evidence.size.map(|size| size.to_string()).unwrap_or_default(),
        time(evidence.happened),
        time(evidence.modified),
        time(evidence.created),
        rule.stage.clone().unwrap_or_default(),
        rule.source.clone(),
        rule.advice.clone(),
    ];
    let cells: Vec<String> = cells.iter().map(|cell| quote(cell)).collect();
    cells.join(",")
}

pub(super) fn quote(cell: &str) -> String {
    let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let cell = if formula { format!("'{cell}") } else { cell.to_owned() };
    if cell.contains(['"', ',', '\r', '\n', '\'']) {
        return format!("\"{}\"", cell.replace('"', "\"\""));
    }
    cell
}
