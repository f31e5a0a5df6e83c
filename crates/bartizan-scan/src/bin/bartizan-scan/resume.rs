//! The state of a scan that may be interrupted.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use bartizan_scan::absence::Presence;
use bartizan_scan::batch::Batch;
use bartizan_scan::model::{Coverage, Findings};
use bartizan_scan::time::UnixSeconds;
use serde::{Deserialize, Serialize};

use crate::logs::LogFile;
use crate::output;

/// Everything up to a path, in the order of the walk.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct State {
    /// What was scanned with which rules; another scan does not go on from here.
    pub(crate) scan: String,
    /// When it began.
    pub(crate) started: UnixSeconds,
    /// The last path of which everything before is done.
    pub(crate) after: Option<String>,
    pub(crate) findings: Findings,
    pub(crate) coverage: Coverage,
    pub(crate) batch: Batch,
    /// Logs met so far: they are read together at the end.
    pub(crate) logs: Vec<LogFile>,
    pub(crate) presence: Presence,
}

/// Reads a state, if there is one.
pub(crate) fn load(file: &Path, scan: &str) -> Result<Option<State>> {
    if !file.exists() {
        return Ok(None);
    }
    let bytes = fs::read(file).with_context(|| format!("read {}", file.display()))?;
    let state: State = serde_json::from_slice(&bytes).with_context(|| {
        format!("{} is no state of a scan: delete it to begin again", file.display())
    })?;
    if state.scan != scan {
        bail!(
            "{} is the state of a scan of something else, or with other rules: delete it to begin again",
            file.display()
        );
    }
    Ok(Some(state))
}

/// Keeps a state.
pub(crate) fn save(state: &State, file: &Path) -> Result<()> {
    output::save_bytes(&serde_json::to_vec(state).context("write the state")?, file)
}

/// A scan that went to its end needs no state any more.
pub(crate) fn remove(file: &Path) -> Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("delete {}", file.display()))
        }
        _ => Ok(()),
    }
}
