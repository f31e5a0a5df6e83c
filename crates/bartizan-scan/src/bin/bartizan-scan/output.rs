//! Standard output, and reports in files.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context, Result, bail};
use bartizan_scan::model::Report;
use bartizan_scan::report::{Form, render};

/// A line on standard output.
pub(crate) fn line(text: &str) -> Result<()> {
    print(&format!("{text}\n"))
}

/// Text on standard output.
pub(crate) fn print(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("write to standard output")
}

/// The form that a file's name asks for.
pub(crate) fn form(file: &Path) -> Result<Form> {
    match Form::of_name(&file.to_string_lossy()) {
        Some(form) => Ok(form),
        None => bail!(
            "{}: give a name that ends in .json, .jsonl, .html, .csv, .stix.json, .sarif or .txt",
            file.display()
        ),
    }
}

/// Writes a report into a file, all of it or nothing.
pub(crate) fn save(report: &Report, file: &Path, form: Form) -> Result<()> {
    save_bytes(render(report, form).as_bytes(), file)
}

/// Writes beside the file first, so that an interruption leaves the old one.
pub(crate) fn save_bytes(bytes: &[u8], file: &Path) -> Result<()> {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = file.with_file_name(name);
    fs::write(&new, bytes)
        .and_then(|()| fs::rename(&new, file))
        .with_context(|| format!("write {}", file.display()))
}
