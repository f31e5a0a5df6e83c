//! The enrolment: lets new endpoints in. Specification: `docs/spec/enrolment.md`.

use serde::{Deserialize, Serialize};

use super::{V1, check_crit, is_plain_text};
use crate::id::{OrgId, SiteId, TenantId};
use crate::json::Validate;
use crate::time::UnixSeconds;

/// A signed permission to enrol endpoints into a tenant and site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Enrolment {
    /// Format version.
    pub v: V1,
    /// The organisation.
    pub org: OrgId,
    /// When it was made.
    pub iat: UnixSeconds,
    /// What a reader must understand.
    pub crit: Vec<String>,
    /// 32 hexadecimal digits, random.
    pub nonce: String,
    /// Into which tenant. Endpoints keep it for ever; a label on the server never counts.
    pub tenant: TenantId,
    /// Into which site.
    pub site: SiteId,
    /// Labels for new endpoints, sorted.
    pub labels: Vec<String>,
    /// How many endpoints; counted by the server.
    pub max_uses: u32,
    /// Not at or after.
    pub exp: UnixSeconds,
    /// Whether somebody must confirm each endpoint.
    pub admit: Admit,
}

/// How a new endpoint leaves quarantine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Admit {
    /// At once.
    Auto,
    /// When an operator admits it.
    Manual,
}

statement_header!(Enrolment);

impl Validate for Enrolment {
    fn validate(&self) -> Result<(), &'static str> {
        check_crit(&self.crit)?;
        let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if self.nonce.len() != 32 || !self.nonce.bytes().all(hex) {
            return Err("nonce: 32 lower-case hexadecimal digits");
        }
        let label = |text: &String| !text.is_empty() && is_plain_text(text, 64);
        if self.labels.len() > 16
            || !self.labels.is_sorted_by(|a, b| a < b)
            || !self.labels.iter().all(label)
        {
            return Err("labels: at most 16 short ones, sorted, each once");
        }
        if self.max_uses == 0 || self.max_uses > 100_000 {
            return Err("max_uses: 1 to 100,000");
        }
        if self.exp <= self.iat {
            return Err("exp: after iat");
        }
        Ok(())
    }
}
