//! What checks of monitoring policies look at: facts about this machine, read and never changed. No process, no socket.
//! Specification: `docs/spec/policy.md`, "Subject".

mod certificates;
mod content;
mod disks;
mod files;
mod machine;

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use bartizan_trust::statement::{Levels, Severity, Subject, is_plain_char};
use bartizan_trust::time::UnixSeconds;
use serde::{Deserialize, Serialize};

pub use self::certificates::certificates;
pub use self::content::LogPlace;
use crate::limits::{FACT_BYTES_MAX, LOOK_TEXT_BYTES_MAX};

/// What one look found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Which of several; empty where there is one.
    pub instance: String,
    /// How it is.
    pub judged: Judged,
    /// What was measured.
    pub value: Option<u64>,
    /// In words.
    pub text: String,
}

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judged {
    /// Well.
    Fine,
    /// Not well.
    Bad(Severity),
    /// It could not be told.
    Unknown,
}

/// What a look leaves for the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Left {
    /// Nothing.
    #[default]
    Nothing,
    /// Time of the processors: used, and all of it.
    Cpu {
        /// Used.
        used: u64,
        /// All.
        all: u64,
    },
    /// How far a log was read.
    Log(LogPlace),
}

/// Looks once. Nothing is seen where there is nothing to compare with yet.
pub fn look(subject: &Subject, left: &mut Left, now: UnixSeconds) -> Vec<Seen> {
    match subject {
        Subject::Cpu { above } => machine::cpu(*above, left),
        Subject::Memory { above } => vec![machine::memory(*above)],
        Subject::Swap { above } => vec![machine::swap(*above)],
        Subject::Load { above } => vec![machine::load(*above)],
        Subject::Disk { paths, below } => disks::room(paths, *below),
        Subject::Inodes { paths, below } => disks::inodes(paths, *below),
        Subject::Service { units, severity } => machine::services(units, *severity),
        Subject::Process { name, least, most, severity } => {
            vec![machine::processes(name, *least..=*most, *severity)]
        }
        Subject::RebootPending { severity } => vec![machine::reboot_pending(*severity)],
        Subject::UpdateAge { above } => vec![machine::update_age(*above, now)],
        Subject::FileAge { path, above, absent } => {
            vec![files::age(Path::new(path), *above, *absent, now)]
        }
        Subject::FileSize { path, above, absent } => {
            vec![files::size(Path::new(path), *above, *absent)]
        }
        Subject::FileExists { path, wanted, severity } => {
            vec![files::exists(Path::new(path), *wanted, *severity)]
        }
        Subject::FileContent { path, pattern, wanted, severity } => {
            vec![content::file(Path::new(path), pattern, *wanted, *severity)]
        }
        Subject::Log { path, pattern, above } => {
            content::log(Path::new(path), pattern, *above, left)
        }
        Subject::BackupAge { folder, suffix, size_min, above } => {
            vec![files::backup(Path::new(folder), suffix, *size_min, *above, now)]
        }
        // What the guard remembers, and what it has a companion ask.
        Subject::Order { .. }
        | Subject::CertificateFile { .. }
        | Subject::Tcp { .. }
        | Subject::Http { .. }
        | Subject::Dns { .. }
        | Subject::Ping { .. } => Vec::new(),
    }
}

impl Seen {
    /// Well, or as bad as that.
    pub fn new(judged: Option<Severity>, value: impl Into<Option<u64>>, text: &str) -> Self {
        let judged = judged.map_or(Judged::Fine, Judged::Bad);
        Self { instance: String::new(), judged, value: value.into(), text: plain(text) }
    }

    fn above(levels: Levels, value: u64, text: &str) -> Self {
        Self::new(levels.above(value), value, text)
    }

    /// It could not be told, and why.
    pub fn unknown(why: &str) -> Self {
        let (instance, text) = (String::new(), plain(why));
        Self { instance, judged: Judged::Unknown, value: None, text }
    }

    /// Of one of several.
    #[must_use]
    pub fn of(self, instance: &str) -> Self {
        Self { instance: plain(instance), ..self }
    }
}

/// Text that shows as itself wherever it is shown.
fn plain(text: &str) -> String {
    let mut short = String::new();
    for c in text.chars().filter(|c| is_plain_char(*c)) {
        if short.len() + c.len_utf8() > LOOK_TEXT_BYTES_MAX {
            break;
        }
        short.push(c);
    }
    short
}

/// A small file of the kernel.
fn fact(path: &str) -> io::Result<String> {
    let mut text = Vec::new();
    File::open(path)?.take(FACT_BYTES_MAX).read_to_end(&mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

fn why(what: &Path, error: &io::Error) -> String {
    // Without the operating system's number, which says nothing to people.
    format!("{}: {}", what.display(), error.kind())
}
