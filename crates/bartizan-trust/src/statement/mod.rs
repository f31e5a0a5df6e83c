//! Statements: the signed documents, one type and one specification page per kind.

/// The header every statement after the genesis has: its kind, and `org`, `iat` and `crit` from its fields.
macro_rules! statement_header {
    ($kind:ident) => {
        impl $crate::statement::Statement for $kind {
            const TYPE: $crate::statement::StatementType = $crate::statement::StatementType::$kind;
            fn org(&self) -> Option<$crate::id::OrgId> {
                Some(self.org)
            }
            fn iat(&self) -> $crate::time::UnixSeconds {
                self.iat
            }
            fn crit(&self) -> &[String] {
                &self.crit
            }
        }
    };
}

mod bundle;
mod check;
mod descriptor;
mod enrolment;
mod freeze;
mod job;
mod login;
mod mirror;
mod network;
mod pack;
mod policy;
mod promotion;
mod receipt;
mod scan;
mod trigger;

pub use bundle::*;
pub use check::*;
pub use descriptor::*;
pub use enrolment::*;
pub use freeze::*;
pub use job::*;
pub use login::*;
pub use mirror::{Mirror, MirrorPlace};
pub use network::{
    DnsRecord, HttpMethod, TlsTrust, UrlParts, is_dns_name, is_host, may_be_asked,
    parse_name_server, parse_url,
};
pub use pack::*;
pub use policy::*;
pub use promotion::*;
pub use receipt::*;
pub use scan::*;
pub use trigger::*;

use core::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::id::{OrgId, StatementId};
use crate::json::{self, JsonError, Validate};
use crate::limits;
use crate::time::UnixSeconds;

/// The kinds of statement that have a payload type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StatementType {
    /// The trust root: who may do what.
    Bundle,
    /// Asks endpoints to act.
    Job,
    /// Lets new endpoints in.
    Enrolment,
    /// Binds an operator to a console key for some hours.
    Login,
    /// An endpoint introduces itself.
    Descriptor,
    /// An endpoint's account of what it did.
    Receipt,
    /// Moves a roll-out to its next stage.
    Promotion,
    /// Stops things.
    Freeze,
    /// Ends a freeze.
    Thaw,
    /// Stops a bundle that waits.
    Veto,
    /// Takes a job back.
    Withdrawal,
    /// One remote session. Typed; not acted on yet.
    Grant,
    /// Vouches for rules of the scanner.
    Pack,
    /// What endpoints of a place look at.
    Policy,
}

impl StatementType {
    /// Every kind.
    pub const ALL: &'static [Self] = &[
        Self::Bundle,
        Self::Job,
        Self::Enrolment,
        Self::Login,
        Self::Descriptor,
        Self::Receipt,
        Self::Promotion,
        Self::Freeze,
        Self::Thaw,
        Self::Veto,
        Self::Withdrawal,
        Self::Grant,
        Self::Pack,
        Self::Policy,
    ];

    /// The DSSE payload type.
    pub const fn payload_type(self) -> &'static str {
        match self {
            Self::Bundle => "application/vnd.bartizan.bundle.v1+json",
            Self::Job => "application/vnd.bartizan.job.v1+json",
            Self::Enrolment => "application/vnd.bartizan.enrolment.v1+json",
            Self::Login => "application/vnd.bartizan.login.v1+json",
            Self::Descriptor => "application/vnd.bartizan.descriptor.v1+json",
            Self::Receipt => "application/vnd.bartizan.receipt.v1+json",
            Self::Promotion => "application/vnd.bartizan.promotion.v1+json",
            Self::Freeze => "application/vnd.bartizan.freeze.v1+json",
            Self::Thaw => "application/vnd.bartizan.thaw.v1+json",
            Self::Veto => "application/vnd.bartizan.veto.v1+json",
            Self::Withdrawal => "application/vnd.bartizan.withdrawal.v1+json",
            Self::Grant => "application/vnd.bartizan.grant.v1+json",
            Self::Pack => "application/vnd.bartizan.pack.v1+json",
            Self::Policy => "application/vnd.bartizan.policy.v1+json",
        }
    }

    /// The kind in one word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bundle => "bundle",
            Self::Job => "job",
            Self::Enrolment => "enrolment",
            Self::Login => "login",
            Self::Descriptor => "descriptor",
            Self::Receipt => "receipt",
            Self::Promotion => "promotion",
            Self::Freeze => "freeze",
            Self::Thaw => "thaw",
            Self::Veto => "veto",
            Self::Withdrawal => "withdrawal",
            Self::Grant => "grant",
            Self::Pack => "pack",
            Self::Policy => "policy",
        }
    }

    /// The kind a payload type names.
    pub fn from_payload_type(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.payload_type() == text)
    }
}

/// The role a signature plays; its SSHSIG namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SignatureRole {
    /// Wrote the job.
    Author,
    /// Countersigned the job.
    Approve,
    /// Changed the bundle.
    Root,
    /// Let endpoints in.
    Enroll,
    /// Logged in.
    Login,
    /// An endpoint's receipt.
    Receipt,
    /// An endpoint's descriptor.
    Descriptor,
    /// A customer's countersignature.
    Customer,
    /// Recovery key: replaces people.
    Recover,
    /// Stopped something, or let it go on.
    Freeze,
    /// Moved a roll-out to its next stage.
    Promote,
    /// Grant. Typed; not acted on yet.
    Grant,
    /// Vouched for rules of the scanner.
    Pack,
}

impl SignatureRole {
    /// Every role.
    pub const ALL: &'static [Self] = &[
        Self::Author,
        Self::Approve,
        Self::Root,
        Self::Enroll,
        Self::Login,
        Self::Receipt,
        Self::Descriptor,
        Self::Customer,
        Self::Recover,
        Self::Freeze,
        Self::Promote,
        Self::Grant,
        Self::Pack,
    ];

    /// The SSHSIG namespace.
    pub const fn namespace(self) -> &'static str {
        match self {
            Self::Author => "author.v1@bartizan",
            Self::Approve => "approve.v1@bartizan",
            Self::Root => "root.v1@bartizan",
            Self::Enroll => "enroll.v1@bartizan",
            Self::Login => "login.v1@bartizan",
            Self::Receipt => "receipt.v1@bartizan",
            Self::Descriptor => "descriptor.v1@bartizan",
            Self::Customer => "customer.v1@bartizan",
            Self::Recover => "recover.v1@bartizan",
            Self::Freeze => "freeze.v1@bartizan",
            Self::Promote => "promote.v1@bartizan",
            Self::Grant => "grant.v1@bartizan",
            Self::Pack => "pack.v1@bartizan",
        }
    }

    /// The role a namespace names.
    pub fn from_namespace(text: &[u8]) -> Option<Self> {
        Self::ALL.iter().copied().find(|role| role.namespace().as_bytes() == text)
    }
}

impl fmt::Display for SignatureRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.namespace())
    }
}

/// A payload: a typed document with a header that every kind shares.
pub trait Statement: Serialize + DeserializeOwned + Validate {
    /// Its kind.
    const TYPE: StatementType;
    /// The organisation it belongs to; `None` only in a genesis bundle, whose digest *is* the organisation.
    fn org(&self) -> Option<OrgId>;
    /// When it was made, by its author's clock.
    fn iat(&self) -> UnixSeconds;
    /// What a reader must understand to act on it.
    fn crit(&self) -> &[String];
}

/// Reads the canonical payload of a statement.
pub fn decode_payload<S: Statement>(payload: &[u8]) -> Result<S, JsonError> {
    json::decode(payload, limits::PAYLOAD_BYTES_MAX)
}

/// Writes the canonical payload of a statement.
pub fn encode_payload<S: Statement>(statement: &S) -> Vec<u8> {
    json::encode(statement)
}

/// Format version of every payload: the integer 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct V1;

impl Serialize for V1 {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(1)
    }
}

impl<'de> Deserialize<'de> for V1 {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u8::deserialize(deserializer)? {
            1 => Ok(Self),
            _ => Err(serde::de::Error::custom("a version other than 1")),
        }
    }
}

/// Text for people: bounded, one line, no control, bidirectional or invisible characters.
pub(crate) fn is_plain_text(text: &str, bytes_max: usize) -> bool {
    text.len() <= bytes_max && text.chars().all(is_plain_char)
}

/// Whether a character shows as itself: no control codes, no bidirectional overrides, nothing invisible.
pub fn is_plain_char(c: char) -> bool {
    !c.is_control()
        && !matches!(c,
            '\u{00ad}' | '\u{061c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Checks that belong to every header.
pub(crate) fn check_crit(crit: &[String]) -> Result<(), &'static str> {
    if crit.len() > 8 || crit.iter().any(|c| c.is_empty() || !is_plain_text(c, 64)) {
        return Err("crit: at most 8 short names");
    }
    Ok(())
}

/// A statement with the digest that names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identified<S> {
    /// SHA-256 of the pre-authentication encoding.
    pub id: StatementId,
    /// The document.
    pub statement: S,
}
