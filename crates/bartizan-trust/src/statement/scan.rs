//! The scan: what the compromise scanner looks at, by which rules, within which limits. Specification: `docs/spec/scan.md`.

use serde::{Deserialize, Serialize};

use super::{Content, is_plain_text};
use crate::id::Sha256;
use crate::keys::PublicKey;
use crate::limits;

/// A scan for traces of a compromise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scan {
    /// By which rules; sorted by name, each once.
    pub packs: Vec<ScanPack>,
    /// The pack files that are delivered, one after the other.
    pub content: Content,
    /// What is looked at.
    pub look: Look,
    /// Whether the memory of processes is looked at; only of the machine itself.
    pub processes: bool,
    /// What is left out; the coverage counts it.
    pub exclude: Vec<String>,
    /// Remote-management tools that belong there.
    pub expect_tools: Vec<String>,
    /// Per cent of one processor at most.
    pub cpu_percent: u32,
    /// Megabytes read a second at most; absent: as fast as the disk is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub io_mb_per_s: Option<u32>,
    /// After so many seconds it reports what it has seen until then.
    pub time_budget_s: u32,
    /// Bytes of the result that passes the server.
    pub result_max: u32,
    /// Absent: nothing is collected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence: Option<EvidenceOrder>,
}

/// A rule pack, by what stands in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScanPack {
    /// Its name.
    pub name: String,
    /// SHA-256 of its encoded body.
    pub body: Sha256,
    /// Bytes of its file within the content; 0: it is built into the endpoint's scanner.
    pub size: u32,
}

/// What a scan looks at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Look {
    /// The endpoint as it runs.
    Machine {},
    /// A mounted image or a collected folder.
    Root {
        /// Where.
        path: String,
    },
    /// A folder of logs and other evidence only.
    Logs {
        /// Where.
        path: String,
    },
}

/// Asks for what findings are about, readable for these people only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvidenceOrder {
    /// For whom it is encrypted: `age1…` or `ssh-ed25519 …`; sorted, each once.
    pub recipients: Vec<String>,
    /// Bytes of the encrypted archive at most.
    pub bytes_max: u32,
}

impl Scan {
    /// Bytes that come back at most.
    pub fn output_max(&self) -> u32 {
        let evidence = self.evidence.as_ref().map_or(0, |order| order.bytes_max);
        self.result_max.saturating_add(evidence)
    }

    /// Seconds after which it is ended: its budget, and time to report.
    pub fn timeout_s(&self) -> u32 {
        self.time_budget_s.saturating_add(limits::SCAN_REPORT_S)
    }

    pub(super) fn check(&self) -> Result<(), &'static str> {
        check_packs(&self.packs, &self.content)?;
        self.look.check(self.processes)?;
        let globs = |texts: &[String]| {
            texts.len() <= limits::SCAN_NAMES_MAX && texts.iter().all(|text| is_line(text))
        };
        if !globs(&self.exclude) || !globs(&self.expect_tools) {
            return Err("exclude, expect_tools: at most 32 lines of plain text");
        }
        if !(1..=100).contains(&self.cpu_percent) {
            return Err("cpu_percent: 1 to 100");
        }
        if self.io_mb_per_s.is_some_and(|rate| !(1..=limits::SCAN_IO_MB_PER_S_MAX).contains(&rate))
        {
            return Err("io_mb_per_s: 1 to 10,000");
        }
        if !(1..=limits::SCAN_TIME_S_MAX).contains(&self.time_budget_s) {
            return Err("time_budget_s: 1 to 82,800");
        }
        let result = limits::SCAN_RESULT_BYTES_MIN..=limits::SCAN_RESULT_BYTES_MAX;
        if !result.contains(&self.result_max) {
            return Err("result_max: 64 KiB to 4 MiB");
        }
        self.evidence.as_ref().map_or(Ok(()), EvidenceOrder::check)
    }
}

impl Look {
    fn check(&self, processes: bool) -> Result<(), &'static str> {
        match self {
            Self::Machine {} => Ok(()),
            Self::Root { path } | Self::Logs { path } => {
                if !path.starts_with('/') || !is_line(path) {
                    return Err("look.path: an absolute path");
                }
                if processes { Err("processes: only of the machine itself") } else { Ok(()) }
            }
        }
    }
}

impl EvidenceOrder {
    fn check(&self) -> Result<(), &'static str> {
        let count = 1..=limits::SCAN_RECIPIENTS_MAX;
        if !count.contains(&self.recipients.len())
            || !self.recipients.is_sorted_by(|a, b| a < b)
            || !self.recipients.iter().all(|text| is_recipient(text))
        {
            return Err(
                "evidence.recipients: 1 to 16, `age1…` or `ssh-ed25519 …`, sorted, each once",
            );
        }
        let bytes = limits::SCAN_EVIDENCE_BYTES_MIN..=limits::SCAN_EVIDENCE_BYTES_MAX;
        if !bytes.contains(&self.bytes_max) {
            return Err("evidence.bytes_max: 64 KiB to 4 MiB");
        }
        Ok(())
    }
}

fn check_packs(packs: &[ScanPack], content: &Content) -> Result<(), &'static str> {
    if packs.is_empty()
        || packs.len() > limits::SCAN_PACKS_MAX
        || !packs.is_sorted_by(|a, b| a.name < b.name)
        || !packs.iter().all(|pack| is_line(&pack.name))
    {
        return Err("packs: 1 to 16, sorted by name, each once");
    }
    let total: u64 = packs.iter().map(|pack| u64::from(pack.size)).sum();
    if total != u64::from(content.size) || content.size > limits::SCAN_CONTENT_BYTES_MAX {
        return Err("content: at most 8 MiB, the sum of its packs");
    }
    Ok(())
}

fn is_line(text: &str) -> bool {
    !text.is_empty() && is_plain_text(text, limits::TEXT_BYTES_MAX)
}

/// Whether it has the form of a recipient. Whoever encrypts checks the sum at its end too.
fn is_recipient(text: &str) -> bool {
    const BECH32: &str = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    match text.strip_prefix("age1") {
        Some(rest) => rest.len() == 58 && rest.chars().all(|digit| BECH32.contains(digit)),
        None => {
            text.starts_with("ssh-ed25519 ")
                && PublicKey::parse_openssh(text).is_ok_and(|key| key.to_openssh() == text)
        }
    }
}
