//! Findings: what was seen, where, why it matters and what to do.

use serde::{Deserialize, Serialize};

use crate::limits;
use crate::time::UnixSeconds;

/// What a finding means for the verdict when it stands alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Worth knowing; changes no verdict.
    Note,
    /// A person must look at it.
    Suspicious,
    /// Nothing else explains it.
    Compromised,
}

/// How sure the rule is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// Often has an innocent explanation.
    Low,
    /// Sometimes has one.
    Medium,
    /// Has none that we know of.
    High,
}

/// The head every rule has, whatever it looks at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Stable name: lower-case letters, digits, `-` and `.`; unique within its pack.
    pub id: String,
    /// What was seen, as a sentence for a person.
    pub reason: String,
    /// What it means alone.
    pub level: Level,
    /// How sure it is.
    pub confidence: Confidence,
    /// Step of an attack it belongs to; several suspicious steps of one pack make a compromise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// Who says so: a reference.
    pub source: String,
    /// What to do.
    pub advice: String,
}

/// What a rule saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The pack of the rule.
    pub pack: String,
    /// The rule.
    #[serde(flatten)]
    pub rule: Rule,
    /// What it saw.
    pub evidence: Evidence,
}

impl Finding {
    /// A finding of a rule.
    pub fn new(pack: &str, rule: &Rule, evidence: Evidence) -> Self {
        Self { pack: pack.to_owned(), rule: rule.clone(), evidence }
    }
}

/// Where it was and what can be said about it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// The file, `archive!member`, registry key, log and line, or process.
    pub place: String,
    /// The matching line, value or fact; bounded by [`Evidence::with_excerpt`].
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub excerpt: String,
    /// SHA-256 of the bytes, where there are bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Their number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// When it happened, by the evidence's own account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub happened: Option<UnixSeconds>,
    /// When the file was last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified: Option<UnixSeconds>,
    /// When the file came to be, where the file system knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<UnixSeconds>,
}

impl Evidence {
    /// Evidence at a place.
    pub fn at(place: impl Into<String>) -> Self {
        Self { place: place.into(), ..Self::default() }
    }

    /// With the matching text, cut to [`limits::EXCERPT_BYTES_MAX`].
    #[must_use]
    pub fn with_excerpt(mut self, text: &str) -> Self {
        self.excerpt = cut(text, limits::EXCERPT_BYTES_MAX);
        self
    }
}

/// The beginning of a text, whole characters only.
pub fn cut(text: &str, bytes_max: usize) -> String {
    if text.len() <= bytes_max {
        return text.to_owned();
    }
    let mut end = bytes_max;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}…", text.get(..end).unwrap_or_default())
}
