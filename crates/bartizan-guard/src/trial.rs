//! A new version on trial: the old one starts it, watches, and takes over again if it does not check in.
//!
//! What is at stake is one file, `trial.json`. It is written before anything changes, and each step is durable before
//! the next, so that whoever reads it after a power cut knows what to do. Nothing but a confirmed trial moves the link
//! to the current version.

use std::ffi::OsString;
use std::process::Child;
use std::time::Duration;

use anyhow::{Context, Result};
use bartizan_os::{signals, versions};
use bartizan_trust::id::StatementId;
use bartizan_trust::time::UnixSeconds;
use bartizan_trust::version::AgentVersion;
use serde::{Deserialize, Serialize};

use crate::arguments::{ON_TRIAL, Updates};
use crate::folder::Folder;
use crate::install::now;

/// How often the watcher looks.
const LOOK: Duration = Duration::from_millis(50);
/// Pause before a version that ended is started again.
const PAUSE: Duration = Duration::from_secs(1);
/// How long a version that is told to stop may take.
const STOP_PATIENCE: Duration = Duration::from_secs(12);

/// An update under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Trial {
    /// Which job asked for it.
    pub(crate) job: StatementId,
    /// The new version.
    pub(crate) version: String,
    /// When it began.
    pub(crate) t0: UnixSeconds,
    /// How far it is.
    pub(crate) phase: Phase,
    /// When the old version takes over again.
    pub(crate) deadline: UnixSeconds,
}

/// How far an update is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Phase {
    /// It is being written beside the others; the old one runs.
    Installing,
    /// The new one runs and has to check in.
    OnTrial,
    /// It did; the link is to be moved.
    Confirmed,
    /// It did not; the receipt is to be written.
    Over,
}

/// Gives way to a newer version that was confirmed earlier. Returns where there is none, or it cannot be started: then
/// this one runs, so that something does.
pub(crate) fn give_way(updates: &Updates) {
    let own = AgentVersion::parse(env!("CARGO_PKG_VERSION"));
    let Some((version, program)) = versions::current(&updates.versions) else { return };
    let is_this = std::env::current_exe()
        .is_ok_and(|this| program.canonicalize().is_ok_and(|program| program == this));
    if Some(version) <= own || is_this {
        return;
    }
    let error = versions::become_program(&program, &arguments());
    eprintln!("{} cannot be started, going on with this version: {error}", program.display());
}

/// Brings an update that is under way to its end, as far as the old version can: returns when this version should run.
pub(crate) fn settle(folder: &Folder, updates: &Updates) -> Result<()> {
    let Some(trial) = folder.load_trial()? else { return Ok(()) };
    if trial.phase == Phase::OnTrial {
        watch(folder, updates, &trial)?;
    }
    let Some(trial) = folder.load_trial()? else { return Ok(()) };
    match trial.phase {
        Phase::Confirmed => accept(folder, updates, &trial),
        Phase::OnTrial if signals::stop_requested() => Ok(()),
        Phase::OnTrial => {
            eprintln!("version {} did not check in; going on with this one", trial.version);
            folder.restore_readable_state().context("restore the state")?;
            folder.note_trial(&Trial { phase: Phase::Over, ..trial })
        }
        // Their receipts are written by the guard itself.
        Phase::Installing | Phase::Over => Ok(()),
    }
}

fn accept(folder: &Folder, updates: &Updates, trial: &Trial) -> Result<()> {
    versions::activate(&updates.versions, &trial.version).context("move the link")?;
    folder.forget_trial()?;
    versions::keep_only(&updates.versions, &[&trial.version]);
    let program = versions::program(&updates.versions, &trial.version);
    let error = versions::become_program(&program, &arguments());
    // It has just run. Starting anew finds it by the link.
    Err(error).with_context(|| format!("start {}", program.display()))
}

/// Keeps the new version running until it is confirmed, its time is over, or somebody asks to stop.
fn watch(folder: &Folder, updates: &Updates, trial: &Trial) -> Result<()> {
    // A clock that was set back does not make the trial longer.
    let left = trial.deadline.since(now()).min(updates.trial_s);
    let begun = std::time::Instant::now();
    let program = versions::program(&updates.versions, &trial.version);
    let mut arguments = arguments();
    arguments.extend([OsString::from(ON_TRIAL), trial.job.to_string().into()]);
    let mut child: Option<Child> = None;
    let mut next = begun;
    while begun.elapsed() < Duration::from_secs(left) && !signals::stop_requested() {
        match &mut child {
            Some(running) => {
                if let Some(status) = running.try_wait().context("wait for the new version")? {
                    if is_confirmed(folder)? {
                        return Ok(());
                    }
                    eprintln!("version {} ended: {status}", trial.version);
                    child = None;
                    next = std::time::Instant::now() + PAUSE;
                }
            }
            None if std::time::Instant::now() >= next => {
                next = std::time::Instant::now() + PAUSE;
                match versions::start(&program, &arguments) {
                    Ok(started) => child = Some(started),
                    Err(error) => eprintln!("version {} does not start: {error}", trial.version),
                }
            }
            None => {}
        }
        std::thread::sleep(LOOK);
    }
    if let Some(child) = child {
        end(child, signals::stop_requested());
    }
    Ok(())
}

fn is_confirmed(folder: &Folder) -> Result<bool> {
    Ok(folder.load_trial()?.is_some_and(|trial| trial.phase == Phase::Confirmed))
}

/// Asks first where this version stops too; otherwise its time is over.
fn end(mut child: Child, ask: bool) {
    if ask && versions::ask_to_stop(&child) {
        let asked = std::time::Instant::now();
        while asked.elapsed() < STOP_PATIENCE && !matches!(child.try_wait(), Ok(Some(_))) {
            std::thread::sleep(LOOK);
        }
    }
    let _ = child.kill();
    let _ = child.wait();
}

/// What this program was started with.
fn arguments() -> Vec<OsString> {
    std::env::args_os().skip(1).collect()
}
