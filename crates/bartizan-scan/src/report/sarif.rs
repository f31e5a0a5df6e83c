//! SARIF 2.1.0, for tools that show findings beside files.

use serde_json::{Value, json};

use crate::model::{Level, Report};

pub(super) fn render(report: &Report) -> String {
    let mut rules: Vec<Value> = Vec::new();
    let mut ids: Vec<String> = Vec::new();
    let mut results = Vec::new();
    for finding in &report.findings {
        let id = format!("{}/{}", finding.pack, finding.rule.id);
        if !ids.contains(&id) {
            ids.push(id.clone());
            rules.push(json!({
                "id": id,
                "shortDescription": { "text": finding.rule.reason },
                "help": { "text": format!("{}. Source: {}", finding.rule.advice, finding.rule.source) },
            }));
        }
        let level = match finding.rule.level {
            Level::Note => "note",
            Level::Suspicious => "warning",
            Level::Compromised => "error",
        };
        results.push(json!({
            "ruleId": id, "level": level,
            "message": { "text": format!("{} {}", finding.rule.reason, finding.evidence.excerpt).trim() },
            "locations": [{ "physicalLocation": { "artifactLocation": { "uri": uri(&finding.evidence.place) } } }],
            "properties": { "confidence": finding.rule.confidence, "sha256": finding.evidence.sha256 },
        }));
    }
    super::line(&json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "bartizan-scan", "version": report.tool.rsplit(' ').next(), "rules": rules } },
            "invocations": [{ "executionSuccessful": report.is_complete(), "exitCode": report.exit_code() }],
            "results": results,
            "properties": { "verdict": report.verdict, "coverage": report.coverage },
        }],
    }))
}

/// A path as a relative or absolute URI reference.
fn uri(place: &str) -> String {
    let mut text = String::with_capacity(place.len());
    for byte in place.replace('\\', "/").bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b'~' | b'!' => {
                text.push(char::from(byte));
            }
            other => text.push_str(&format!("%{other:02X}")),
        }
    }
    text
}
