//! A report in the forms people and machines want it. Everything that came from evidence is escaped for its form.

mod fleet;
mod html;
mod sarif;
mod stix;
mod table;
mod text;

use crate::model::Report;
use crate::rollup::{Answer, Rollup};

/// The forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// For a terminal.
    Text,
    /// One JSON document.
    Json,
    /// One JSON object on each line: findings, then the report without them.
    JsonLines,
    /// A page that needs nothing else.
    Html,
    /// Findings as a table.
    Csv,
    /// STIX 2.1: observed data, indicators and sightings.
    Stix,
    /// SARIF 2.1.0.
    Sarif,
}

impl Form {
    /// The form a file name asks for.
    pub fn of_name(name: &str) -> Option<Self> {
        let name = name.to_lowercase();
        let ends = |ending: &str| name.ends_with(ending);
        match () {
            () if ends(".stix.json") => Some(Self::Stix),
            () if ends(".sarif") || ends(".sarif.json") => Some(Self::Sarif),
            () if ends(".jsonl") => Some(Self::JsonLines),
            () if ends(".json") => Some(Self::Json),
            () if ends(".html") => Some(Self::Html),
            () if ends(".csv") => Some(Self::Csv),
            () if ends(".txt") => Some(Self::Text),
            () => None,
        }
    }
}

/// Writes a report.
pub fn render(report: &Report, form: Form) -> String {
    match form {
        Form::Text => text::render(report),
        Form::Json => line(report),
        Form::JsonLines => json_lines(report),
        Form::Html => html::render(report),
        Form::Csv => table::render(report),
        Form::Stix => stix::render(report),
        Form::Sarif => sarif::render(report),
    }
}

/// Writes the picture of a fleet; the forms that have no room for one give nothing.
pub fn render_fleet(all: &Rollup, answers: &[Answer], form: Form) -> Option<String> {
    match form {
        Form::Text => Some(fleet::text(all)),
        Form::Json => Some(line(all)),
        Form::Html => Some(fleet::html(all)),
        Form::Csv => Some(fleet::csv(all, answers)),
        Form::JsonLines | Form::Stix | Form::Sarif => None,
    }
}

fn line(value: &impl serde::Serialize) -> String {
    let mut text = serde_json::to_string(value).unwrap_or_default();
    text.push('\n');
    text
}

fn json_lines(report: &Report) -> String {
    let mut text: String = report.findings.iter().map(line).collect();
    text.push_str(&line(&Report { findings: Vec::new(), ..report.clone() }));
    text
}
