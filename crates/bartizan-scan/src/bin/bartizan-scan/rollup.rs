//! `rollup`: what many endpoints said, as one picture. The operator's tool starts it with what it has verified; so can anybody
//! with a folder of reports.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use bartizan_scan::model::{Report, Verdict};
use bartizan_scan::report::{Form, render_fleet};
use bartizan_scan::rollup::{Answer, State, roll_up};
use serde::Deserialize;

use crate::output;

/// Largest report that is read, and how many of them.
const REPORT_BYTES_MAX: u64 = 64 * 1024 * 1024;
const ENDPOINTS_MAX: usize = 1 << 20;

/// What was verified of a job.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Index {
    job: String,
    endpoints: Vec<Said>,
}

/// One endpoint.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    endpoint: String,
    name: String,
    /// `done`, `failed`, `refused`, `none`.
    answer: String,
    code: String,
    /// The signed exit status.
    exit: Option<u8>,
    /// Its result beside the index, where it is what the endpoint signed.
    result: Option<String>,
}

/// `rollup INDEX`
pub(crate) fn run(index: &Path, reports: &[PathBuf], json: bool) -> Result<u8> {
    let bytes = read_bounded(index)?;
    let index_of: Index =
        serde_json::from_slice(&bytes).with_context(|| format!("read {}", index.display()))?;
    if index_of.endpoints.len() > ENDPOINTS_MAX {
        bail!("more endpoints than a job can name");
    }
    let folder = index.parent().unwrap_or_else(|| Path::new("."));
    let answers: Vec<Answer> =
        index_of.endpoints.into_iter().map(|said| answer(said, folder)).collect();
    let all = roll_up(&index_of.job, &answers);
    let write = |form| {
        render_fleet(&all, &answers, form)
            .context("of a fleet there are reports in .json, .html, .csv and .txt")
    };
    for file in reports {
        output::save_bytes(write(output::form(file)?)?.as_bytes(), file)?;
    }
    output::print(&write(if json { Form::Json } else { Form::Text })?)?;
    Ok(all.exit_code())
}

fn answer(said: Said, folder: &Path) -> Answer {
    let signed = match said.exit {
        Some(0) => Some((Verdict::NoIndicators, true)),
        Some(1) => Some((Verdict::Suspicious, false)),
        Some(2) => Some((Verdict::Compromised, false)),
        Some(3) => Some((Verdict::NoIndicators, false)),
        Some(_) | None => None,
    };
    // What its exit status does not confirm is not its result.
    let report = said
        .result
        .as_deref()
        .and_then(|name| read_report(folder, name).ok())
        .filter(|report| Some(report.exit_code()) == said.exit);
    let state = match (said.answer.as_str(), signed, &report) {
        ("done", Some(_), Some(_)) => State::Scanned,
        ("done", Some(_), None) => State::ResultMissing,
        ("refused", ..) => State::Refused,
        ("none", ..) => State::NoAnswer,
        _ => State::Failed,
    };
    let verdict = match state {
        State::Scanned | State::ResultMissing => signed.map(|(verdict, _)| verdict),
        State::Failed | State::Refused | State::NoAnswer => None,
    };
    // The exit status of what was found says nothing of the coverage; the report does.
    let complete = match &report {
        Some(report) => report.is_complete(),
        None => signed.is_some_and(|(_, complete)| complete),
    };
    let (endpoint, name, code) = (said.endpoint, said.name, said.code);
    Answer { endpoint, name, state, verdict, complete, code, report }
}

/// The first line of a result; the archive behind it is none of our business.
fn read_report(folder: &Path, name: &str) -> Result<Report> {
    if name.contains(['/', '\\']) || name.starts_with('.') {
        bail!("{name}: a name beside the index");
    }
    let bytes = read_bounded(&folder.join(name))?;
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    serde_json::from_slice(line).with_context(|| format!("read {name}"))
}

fn read_bounded(path: &Path) -> Result<Vec<u8>> {
    let file = fs::File::open(path).with_context(|| format!("read {}", path.display()))?;
    let mut bytes = Vec::new();
    file.take(REPORT_BYTES_MAX)
        .read_to_end(&mut bytes)
        .with_context(|| format!("read {}", path.display()))?;
    Ok(bytes)
}
