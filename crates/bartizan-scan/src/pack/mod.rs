//! Rule packs: the one format all detections come from. Specification: `docs/spec/pack.md`.

mod container;
mod rules;

pub use container::*;
pub use rules::*;

use serde::{Deserialize, Serialize};

use crate::limits;
use crate::time::UnixSeconds;

/// A pack of rules.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pack {
    /// Format version: 1.
    pub v: u32,
    /// Its name, as `kaseya-2021`.
    pub name: String,
    /// Its version.
    pub version: String,
    /// When it was made.
    pub made: UnixSeconds,
    /// What it is about.
    pub title: String,
    /// Where its knowledge comes from.
    #[serde(default)]
    pub references: Vec<String>,
    /// Files by digest, path and structure.
    #[serde(default)]
    pub files: Vec<FileRule>,
    /// Digest lists.
    #[serde(default)]
    pub digests: Vec<DigestList>,
    /// Registry keys and values.
    #[serde(default)]
    pub registry: Vec<RegistryRule>,
    /// Command lines, wherever they stand: tasks, units, histories, run keys, events.
    #[serde(default)]
    pub commands: Vec<CommandRule>,
    /// YARA sources.
    #[serde(default)]
    pub yara: Vec<YaraRule>,
    /// Requests of one client in order.
    #[serde(default)]
    pub sequences: Vec<SequenceRule>,
    /// Sigma rules.
    #[serde(default)]
    pub sigma: Vec<SigmaRule>,
    /// Addresses and names, each within the dates it was bad.
    #[serde(default)]
    pub network: Vec<NetworkRule>,
}

/// Why a pack cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// Not the format.
    #[error("not a rule pack: {0}")]
    Malformed(String),
    /// A version this tool does not know.
    #[error("a rule pack of format {0}; this tool reads format {FORMAT}")]
    Version(u32),
    /// Above a limit.
    #[error("a rule pack above a limit: {0}")]
    TooLarge(&'static str),
    /// The digest does not fit.
    #[error("the rule pack was changed after it was made: its digest does not fit")]
    Digest,
}

/// The format this tool reads and writes.
pub const FORMAT: u32 = 1;

impl Pack {
    /// Reads the JSON of a pack.
    pub fn parse(text: &[u8]) -> Result<Self, PackError> {
        if text.len() > limits::PACK_TEXT_BYTES_MAX {
            return Err(PackError::TooLarge("bytes"));
        }
        let pack: Self = serde_json::from_slice(text)
            .map_err(|error| PackError::Malformed(error.to_string()))?;
        if pack.v != FORMAT {
            return Err(PackError::Version(pack.v));
        }
        if pack.rule_count() > limits::PACK_RULES_MAX {
            return Err(PackError::TooLarge("rules"));
        }
        if pack.digest_count() > limits::PACK_DIGESTS_MAX {
            return Err(PackError::TooLarge("digests"));
        }
        Ok(pack)
    }

    /// Writes it.
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Rules, digest list entries not counted.
    pub fn rule_count(&self) -> usize {
        self.files.len()
            + self.registry.len()
            + self.commands.len()
            + self
                .yara
                .iter()
                .map(|source| usize::try_from(source.rules).unwrap_or(usize::MAX))
                .fold(0, usize::saturating_add)
            + self.sequences.len()
            + self.sigma.len()
            + self.network.len()
    }

    /// Entries of digest lists.
    pub fn digest_count(&self) -> usize {
        self.digests.iter().map(|list| list.entries.len()).sum()
    }

    /// Everything that must be in force.
    pub fn expected(&self) -> u64 {
        u64::try_from(self.rule_count().saturating_add(self.digest_count())).unwrap_or(u64::MAX)
    }
}
