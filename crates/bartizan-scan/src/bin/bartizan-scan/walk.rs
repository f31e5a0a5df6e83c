//! Finds files in a fixed order, follows nothing, and opens nothing but folders and files.

use std::collections::VecDeque;
use std::fs::{self, DirEntry, Metadata};
use std::path::{Path, PathBuf};

use bartizan_scan::model::Coverage;

/// Deepest folder: a loop that is none of links still ends.
const DEPTH_MAX: usize = 512;

/// A file to read.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    /// Where it is.
    pub(crate) place: PathBuf,
    /// Below the root, `/` between the parts.
    pub(crate) path: String,
    /// As it was when it was met.
    pub(crate) facts: Metadata,
}

/// What the walk meets.
pub(crate) enum Met {
    /// A file.
    File(Found),
    /// Anything else, counted.
    Other(Coverage),
}

/// What is walked.
pub(crate) struct Plan {
    /// The roots.
    pub(crate) roots: Vec<PathBuf>,
    /// Folders that are not entered, with the reason.
    pub(crate) skipped: Vec<(PathBuf, &'static str)>,
    /// Patterns of what is left out.
    pub(crate) excluded: globset::GlobSet,
    /// Everything up to and including this path was seen in an earlier run.
    pub(crate) after: Option<String>,
}

/// Walks; `meet` returns whether to go on.
pub(crate) fn walk(plan: &Plan, meet: &mut dyn FnMut(Met) -> bool) {
    for root in &plan.roots {
        let after: VecDeque<String> = plan
            .after
            .as_ref()
            .map(|path| path.split('/').map(str::to_owned).collect())
            .unwrap_or_default();
        if !walk_root(plan, root, after, meet) {
            return;
        }
    }
}

struct Level {
    entries: std::vec::IntoIter<DirEntry>,
    path: String,
    /// While this level is still on the way to where the earlier run stopped.
    resumes: bool,
}

fn walk_root(
    plan: &Plan,
    root: &Path,
    mut after: VecDeque<String>,
    meet: &mut dyn FnMut(Met) -> bool,
) -> bool {
    let Some(level) = open(root, String::new(), !after.is_empty(), meet) else { return true };
    let mut levels = vec![level];
    while let Some(level) = levels.last_mut() {
        let Some(entry) = level.entries.next() else {
            levels.pop();
            continue;
        };
        let name = entry.file_name().to_string_lossy().into_owned();
        let path =
            if level.path.is_empty() { name.clone() } else { format!("{}/{name}", level.path) };
        let mut resumes = false;
        if level.resumes
            && let Some(next) = after.front()
        {
            if name < *next {
                continue;
            }
            level.resumes = false;
            resumes = name == *next;
            if resumes {
                after.pop_front();
                if after.is_empty() {
                    // This is where the earlier run stopped.
                    continue;
                }
            }
        }
        match visit(plan, &entry, path, resumes, levels.len(), meet) {
            Step::Into(level) => levels.push(level),
            Step::On => {}
            Step::Stop => return false,
        }
    }
    true
}

enum Step {
    Into(Level),
    On,
    Stop,
}

fn visit(
    plan: &Plan,
    entry: &DirEntry,
    path: String,
    resumes: bool,
    depth: usize,
    meet: &mut dyn FnMut(Met) -> bool,
) -> Step {
    let place = entry.path();
    let mut coverage = Coverage::default();
    coverage.files.found = 1;
    // `DirEntry::metadata` does not follow links.
    let facts = match entry.metadata() {
        Ok(facts) => facts,
        Err(error) => {
            coverage.files.unreadable = 1;
            coverage.add_unreadable(shown(&place), error.to_string());
            return on(meet(Met::Other(coverage)));
        }
    };
    if plan.excluded.is_match(bartizan_scan::path::normalise(&path)) {
        coverage.files.excluded = 1;
        return on(meet(Met::Other(coverage)));
    }
    if let Some((_, why)) = plan.skipped.iter().find(|(folder, _)| *folder == place) {
        coverage.files.excluded = 1;
        coverage.not_understood.insert(format!("folders not entered: {why}"), 1);
        return on(meet(Met::Other(coverage)));
    }
    if facts.is_dir() {
        if depth >= DEPTH_MAX {
            coverage.add_unreadable(shown(&place), "folders too deep");
            return on(meet(Met::Other(coverage)));
        }
        return match open(&place, path, resumes, meet) {
            Some(level) => Step::Into(level),
            None => Step::On,
        };
    }
    if !facts.is_file() {
        coverage.files.special = 1;
        return on(meet(Met::Other(coverage)));
    }
    on(meet(Met::File(Found { place, path, facts })))
}

fn on(go_on: bool) -> Step {
    if go_on { Step::On } else { Step::Stop }
}

fn open(
    place: &Path,
    path: String,
    resumes: bool,
    meet: &mut dyn FnMut(Met) -> bool,
) -> Option<Level> {
    let mut coverage = Coverage::default();
    let mut entries = Vec::new();
    match fs::read_dir(place) {
        Ok(listing) => {
            for entry in listing {
                match entry {
                    Ok(entry) => entries.push(entry),
                    Err(error) => coverage.add_unreadable(shown(place), error.to_string()),
                }
            }
        }
        Err(error) => coverage.add_unreadable(shown(place), error.to_string()),
    }
    if coverage.unreadable_count > 0 && !meet(Met::Other(coverage)) {
        return None;
    }
    entries.sort_by_key(|entry| entry.file_name().to_string_lossy().into_owned());
    Some(Level { entries: entries.into_iter(), path, resumes })
}

/// A path that cannot steer a terminal.
pub(crate) fn shown(place: &Path) -> String {
    bartizan_scan::path::shown(&place.to_string_lossy())
}
