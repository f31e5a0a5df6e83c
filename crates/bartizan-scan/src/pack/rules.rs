//! The kinds of rules.

use serde::{Deserialize, Serialize};

use crate::model::Rule;
use crate::time::UnixSeconds;

/// A file: every condition that is given must hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileRule {
    /// Its head.
    pub rule: Rule,
    /// What must hold.
    #[serde(flatten)]
    pub when: FileCondition,
}

/// Conditions on a file. Paths are compared with `/`, without a drive, in lower case.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FileCondition {
    /// One of these globs matches the path: `**/kworking/agent.crt`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub path: Vec<String>,
    /// None of these globs does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_path: Vec<String>,
    /// One of these digests: hexadecimal MD5, SHA-1 or SHA-256.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub digest: Vec<String>,
    /// One of these kinds of content.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kind: Vec<FileKind>,
    /// None of these kinds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_kind: Vec<FileKind>,
    /// The name a program gives itself: the original file name of a PE file, the `SONAME` of a Linux library.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub original_name: Vec<String>,
    /// That name is another than the file's.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub renamed: bool,
    /// At least so many bytes follow the end of a program, its signature included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overlay_min: Option<u64>,
    /// A Linux program has no table of symbols, or has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stripped: Option<bool>,
    /// A Linux program needs no loader and no libraries, or does.
    #[serde(default, rename = "static", skip_serializing_if = "Option::is_none")]
    pub is_static: Option<bool>,
    /// One of these globs matches the program that loads a Linux program.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub interpreter: Vec<String>,
    /// The code of a program is compressed or encrypted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub packed: bool,
    /// It runs with the rights of its owner or group.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub setuid: bool,
    /// It was deleted while a process runs it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
    /// Whether a PE file carries a signature block at all; it is not judged here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub has_signature: Option<bool>,
    /// It is base64 text that decodes to this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decodes_to: Option<FileKind>,
    /// All of these texts stand in it, as ASCII or UTF-16LE, in any case.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contains: Vec<String>,
    /// A structure that the engine knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub structure: Option<Structure>,
}

/// Kinds of content, by their first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileKind {
    /// A Windows program or library.
    Pe,
    /// A Linux program or library.
    Elf,
    /// A macOS program or library.
    MachO,
    /// `#!`
    Script,
    /// A picture.
    Image,
    /// An archive the engine opens.
    Archive,
    /// A registry hive.
    Hive,
    /// A Windows event log.
    EventLog,
    /// Readable text.
    Text,
    /// Anything else.
    Other,
}

impl FileKind {
    /// All of them.
    pub(crate) const ALL: [Self; 10] = [
        Self::Pe,
        Self::Elf,
        Self::MachO,
        Self::Script,
        Self::Image,
        Self::Archive,
        Self::Hive,
        Self::EventLog,
        Self::Text,
        Self::Other,
    ];
}

/// Structures that bytes alone do not show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Structure {
    /// The 232 bytes that end a file which REvil encrypted: a key whose CRC-32 stands behind it.
    RevilFooter,
    /// A name and random-looking content as encryption with a changed name leaves behind, many in one folder beside a note.
    EncryptedBatch,
}

/// A list of digests with one head.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DigestList {
    /// Its head.
    pub rule: Rule,
    /// Only files under one of these globs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub path: Vec<String>,
    /// The digests.
    pub entries: Vec<DigestEntry>,
}

/// One file of a digest list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DigestEntry {
    /// Hexadecimal MD5, SHA-1 or SHA-256.
    pub digest: String,
    /// Weaker digests of the same file. They are kept for people: every file's SHA-256 is taken, so that none of them is needed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
    /// What it is.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub what: String,
}

/// A registry key, or a value of it. Compared in lower case; `WOW6432Node` is looked through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegistryRule {
    /// Its head.
    pub rule: Rule,
    /// A glob with `\`, beginning at the hive: `software\blacklivesmatter`.
    pub key: String,
    /// A glob of the value's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The data, as text, contains one of these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub data: Vec<String>,
}

/// A command line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommandRule {
    /// Its head.
    pub rule: Rule,
    /// All of these stand in it, in any case.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub all: Vec<String>,
    /// One of these does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub any: Vec<String>,
    /// None of these does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub none: Vec<String>,
    /// A word directly after this text is a number of at least this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<NumberAfter>,
}

/// A number that follows a word: `-n 5693`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NumberAfter {
    /// The word.
    pub word: String,
    /// The least number.
    pub min: u64,
}

/// YARA source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct YaraRule {
    /// The head of each rule in it; a rule's own `description`, `reference` and `advice` go before.
    pub rule: Rule,
    /// The source.
    pub source: String,
    /// How many rules stand in it.
    pub rules: u32,
}

/// Requests that one client makes in this order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SequenceRule {
    /// Its head.
    pub rule: Rule,
    /// The steps, in order; other requests may stand between them.
    pub steps: Vec<RequestStep>,
    /// How many of them, in order, are enough; the steps marked `needed` must be among them.
    pub steps_min: u32,
    /// From the first to the last at most so many seconds.
    pub within_s: u64,
}

/// One request.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestStep {
    /// The method, upper case; absent: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// A glob of the path, compared in lower case, without the query.
    pub path: String,
    /// The query contains this, in any case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// The user agent contains this, in any case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// The answer was one of these; absent: any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub status: Vec<u16>,
    /// Without it there is no finding.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub needed: bool,
}

/// A Sigma rule: its own text says everything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SigmaRule {
    /// YAML, one document or a rule with its correlations.
    pub source: String,
    /// Where it comes from, with its licence.
    pub origin: String,
}

/// An address or a name that was bad for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkRule {
    /// Its head.
    pub rule: Rule,
    /// An address, a network (`192.0.2.0/24`) or a domain (with its subdomains).
    pub indicator: String,
    /// Not before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<UnixSeconds>,
    /// Not at or after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<UnixSeconds>,
}
