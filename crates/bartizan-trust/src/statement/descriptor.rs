//! The descriptor: an endpoint introduces itself. Specification: `docs/spec/descriptor.md`.

use serde::{Deserialize, Serialize};

use super::{V1, check_crit, is_plain_text};
use crate::id::{OrgId, StatementId};
use crate::json::Validate;
use crate::limits;
use crate::time::UnixSeconds;

/// What a new endpoint says of itself, signed by its device key. Hostile until somebody admits it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Descriptor {
    /// Format version.
    pub v: V1,
    /// The organisation.
    pub org: OrgId,
    /// When it was made.
    pub iat: UnixSeconds,
    /// What a reader must understand.
    pub crit: Vec<String>,
    /// The device key, `ssh-ed25519 base64`; the endpoint's id is the hash of its blob.
    pub device_key: String,
    /// The enrolment it came with.
    pub enrolment: StatementId,
    /// Its own word for itself.
    pub hostname: String,
    /// Operating system and version.
    pub os: String,
}

statement_header!(Descriptor);

impl Validate for Descriptor {
    fn validate(&self) -> Result<(), &'static str> {
        check_crit(&self.crit)?;
        if !is_plain_text(&self.hostname, limits::TEXT_BYTES_MAX)
            || !is_plain_text(&self.os, limits::TEXT_BYTES_MAX)
        {
            return Err("hostname, os: one line of plain text");
        }
        crate::keys::PublicKey::parse_openssh(&self.device_key)
            .map(|_| ())
            .map_err(|_| "device_key: an ssh-ed25519 key")
    }
}
