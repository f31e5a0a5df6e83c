//! Which state was stored last, noted where the machine forgets it at shutdown. A state file that is put back to an older
//! one while the machine runs does not fit the note, and is treated as lost: what ran in between must not run again.

use std::path::PathBuf;

use anyhow::{Context, Result};
use bartizan_os::files;

/// Set by systemd for units with `RuntimeDirectory=`: a folder in memory, of this service alone.
const RUNTIME_DIRECTORY: &str = "RUNTIME_DIRECTORY";

/// The note, where there is a place for it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Latest(Option<PathBuf>);

impl Latest {
    /// In the folder that the service manager names.
    pub(crate) fn from_environment() -> Self {
        Self(std::env::var_os(RUNTIME_DIRECTORY).map(|folder| PathBuf::from(folder).join("latest")))
    }

    #[cfg(test)]
    pub(crate) fn at(path: PathBuf) -> Self {
        Self(Some(path))
    }

    /// Whether there is a place for it.
    pub(crate) const fn is_noted(&self) -> bool {
        self.0.is_some()
    }

    /// In one line.
    pub(crate) const fn describe(&self) -> &'static str {
        match self.0 {
            Some(_) => {
                "a state that is put back to an older one while this machine runs is noticed"
            }
            None => {
                "no folder in memory (RuntimeDirectory=): a state that is put back to an older one is not noticed"
            }
        }
    }

    /// Notes which states may be found: two while one is being replaced, so that a crash in between is no attack.
    pub(crate) fn note(&self, hashes: &[&str]) -> Result<()> {
        let Some(path) = &self.0 else { return Ok(()) };
        files::write_atomically(path, hashes.join("\n").as_bytes())
            .with_context(|| format!("note the latest state in {}", path.display()))
    }

    /// Whether a state may be the last one that was stored. Without a note it may: the machine has just started.
    pub(crate) fn may_be(&self, hash: &str) -> Result<bool> {
        let Some(path) = &self.0 else { return Ok(true) };
        match files::read_own(path) {
            Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).lines().any(|known| known == hash)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(true),
            Err(error) => Err(error).with_context(|| format!("read {}", path.display())),
        }
    }
}
