//! What was done at this console and stands in no log: letting endpoints in, files that were saved, scripts that were kept. And when
//! something was signed here, which no statement says.
//!
//! It is the operator's own note, on the operator's own disk: it proves nothing to anybody else.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;

use anyhow::{Context as _, Result};
use bartizan_trust::time::UnixSeconds;
use serde::{Deserialize, Serialize};

use crate::home::{Home, now, read_bounded};

const FILE: &str = "journal.jsonl";
const BEFORE: &str = "journal.1.jsonl";
const LOCK: &str = "journal.lock";
/// Then the file becomes the one before, and the one before that is gone: some 20,000 notes are kept.
const BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Longest note about something: a few names.
const ABOUT_CHARS_MAX: usize = 300;

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Did {
    /// A statement was signed.
    Signed,
    /// An endpoint was let in from quarantine.
    Admitted,
    /// An endpoint was asked for its inventory.
    Refreshed,
    /// A list was saved as a file.
    Exported,
    /// A script was kept, or forgotten, or many were taken in.
    Scripts,
}

/// One note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Note {
    pub(crate) at: UnixSeconds,
    pub(crate) did: Did,
    /// Kind and id, or what it was in words.
    pub(crate) about: String,
    /// The statement, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<String>,
}

/// Notes that something was done here.
pub(crate) fn note(home: &Home, did: Did, about: &str, id: Option<String>) -> Result<()> {
    let about = about.chars().take(ABOUT_CHARS_MAX).collect();
    append(home, &Note { at: now(), did, about, id }, BYTES_MAX)
}

fn append(home: &Home, note: &Note, bytes_max: u64) -> Result<()> {
    let _alone = home.lock(LOCK)?;
    let path = home.path(FILE);
    if fs::metadata(&path).is_ok_and(|file| file.len() >= bytes_max) {
        fs::rename(&path, home.path(BEFORE)).context("begin a new journal")?;
    }
    let line = serde_json::to_string(note).context("write a note")? + "\n";
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(&path)
        .with_context(|| format!("open {}", path.display()))?;
    file.write_all(line.as_bytes()).with_context(|| format!("write {}", path.display()))
}

/// All notes, oldest first. A line that was cut off, by a full disk say, is passed over.
pub(crate) fn notes(home: &Home) -> Result<Vec<Note>> {
    let mut found = Vec::new();
    for name in [BEFORE, FILE] {
        if home.path(name).exists() {
            let bytes = read_bounded(&home.path(name))?;
            let text = String::from_utf8_lossy(&bytes);
            found.extend(text.lines().filter_map(|line| serde_json::from_str::<Note>(line).ok()));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_come_back_in_their_order_and_only_so_many_are_kept() {
        let folder = tempfile::tempdir().expect("folder");
        let home = Home::open(Some(folder.path().to_owned())).expect("home");
        assert_eq!(notes(&home).expect("notes"), []);
        let one = |count: u64| Note {
            at: UnixSeconds::new(count),
            did: Did::Exported,
            about: "endpoints".to_owned(),
            id: None,
        };
        let all: Vec<Note> = (1..=5).map(one).collect();
        let size =
            u64::try_from(serde_json::to_string(&all[0]).expect("JSON").len() + 1).expect("u64");
        for note in &all {
            append(&home, note, 2 * size).expect("append");
        }
        // Two files of two notes each: the first two are gone with the file before.
        assert_eq!(notes(&home).expect("notes"), all[2..]);
        let mut file = OpenOptions::new().append(true).open(home.path(FILE)).expect("open");
        file.write_all(b"{\"at\":").expect("write");
        assert_eq!(notes(&home).expect("notes"), all[2..], "half a line is none");
    }

    #[test]
    fn a_long_note_is_cut() {
        let folder = tempfile::tempdir().expect("folder");
        let home = Home::open(Some(folder.path().to_owned())).expect("home");
        note(&home, Did::Scripts, &"x".repeat(ABOUT_CHARS_MAX + 1), None).expect("note");
        assert_eq!(notes(&home).expect("notes")[0].about.len(), ABOUT_CHARS_MAX);
    }
}
