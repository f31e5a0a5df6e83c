//! The login: binds an operator to a console's TLS key. Specification: `docs/spec/login.md`.

use serde::{Deserialize, Serialize};

use super::{V1, check_crit};
use crate::id::{OrgId, Sha256};
use crate::json::Validate;
use crate::limits;
use crate::time::UnixSeconds;

/// "Until `exp`, whoever holds this TLS key speaks for me to this server."
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// Format version.
    pub v: V1,
    /// The organisation.
    pub org: OrgId,
    /// When it was made.
    pub iat: UnixSeconds,
    /// What a reader must understand.
    pub crit: Vec<String>,
    /// SHA-256 of the console's TLS SubjectPublicKeyInfo.
    pub console_key: Sha256,
    /// SHA-256 of the server's TLS SubjectPublicKeyInfo.
    pub server: Sha256,
    /// At most twelve hours after `iat`.
    pub exp: UnixSeconds,
}

statement_header!(Login);

impl Validate for Login {
    fn validate(&self) -> Result<(), &'static str> {
        check_crit(&self.crit)?;
        if self.exp <= self.iat || self.exp.since(self.iat) > limits::LOGIN_S_MAX {
            return Err("exp: after iat, by at most twelve hours");
        }
        Ok(())
    }
}
