//! What is remembered of checks over a start: states, and how far logs were read.

use std::collections::BTreeMap;
use std::path::Path;

use bartizan_os::files;
use bartizan_os::looks::Left;
use bartizan_proto::checks::Settling;
use bartizan_trust::statement::Subject;
use serde::{Deserialize, Serialize};

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Remembered {
    /// What it looks at: of another subject nothing is remembered.
    pub(super) subject: Subject,
    pub(super) left: Left,
    /// By instance.
    pub(super) instances: BTreeMap<String, Instance>,
}

/// One instance of a check.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Instance {
    pub(super) settling: Settling,
    /// When its state was last told; 0: not yet, or it must be told anew.
    pub(super) told: u64,
}

/// Everything, by the ids of checks. A damaged file counts as none: states settle again.
pub(super) fn load(path: &Path) -> BTreeMap<String, Remembered> {
    let bytes = match files::read_own(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return BTreeMap::new(),
        Err(error) => {
            eprintln!("{}: {error}; states of checks settle again", path.display());
            return BTreeMap::new();
        }
    };
    serde_json::from_slice(&bytes).unwrap_or_else(|error| {
        eprintln!("{} is damaged: {error}; states of checks settle again", path.display());
        BTreeMap::new()
    })
}

/// Stores it atomically.
pub(super) fn store(path: &Path, all: &BTreeMap<String, Remembered>) {
    let stored = serde_json::to_vec(all)
        .map_err(std::io::Error::other)
        .and_then(|bytes| files::write_atomically(path, &bytes));
    if let Err(error) = stored {
        // Checks go on; after a start some lines of a log may be counted again.
        eprintln!("{}: {error}; is the disk full?", path.display());
    }
}
