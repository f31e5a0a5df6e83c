//! The rule pack: vouches for rules of the scanner. Specification: `docs/spec/pack.md`.

use serde::{Deserialize, Serialize};

use super::{V1, check_crit, is_plain_text};
use crate::id::{OrgId, Sha256};
use crate::json::Validate;
use crate::limits;
use crate::time::UnixSeconds;

/// "These rules are ours." No endpoint acts on it; the scanner uses no pack without it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pack {
    /// Format version.
    pub v: V1,
    /// The organisation.
    pub org: OrgId,
    /// When it was made.
    pub iat: UnixSeconds,
    /// What a reader must understand.
    pub crit: Vec<String>,
    /// The pack's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// SHA-256 of its encoded body.
    pub body: Sha256,
}

statement_header!(Pack);

impl Validate for Pack {
    fn validate(&self) -> Result<(), &'static str> {
        check_crit(&self.crit)?;
        let plain = |text: &str| !text.is_empty() && is_plain_text(text, limits::TEXT_BYTES_MAX);
        if !plain(&self.name) || !plain(&self.version) {
            return Err("name, version: one line of plain text");
        }
        Ok(())
    }
}
