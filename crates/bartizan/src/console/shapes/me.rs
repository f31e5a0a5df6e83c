//! Who uses this console.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Problem;

/// The launch token out of the page's address.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct Launch {
    /// From the fragment `#launch=…`; good once.
    pub(crate) launch: String,
}

/// A session of one page.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Session {
    /// For `Authorization: Bearer …`. Kept in memory by the page, and nowhere else.
    pub(crate) token: String,
    /// Seconds since 1970 at which it ends.
    pub(crate) expires: u64,
}

/// How far this console is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Standing {
    /// Connected, and what is shown has been verified.
    Ready,
    /// This console belongs to no organisation yet.
    NoOrganisation,
    /// The server does not answer.
    Unreachable,
    /// The key is a passkey, and has to sign a login first: `POST /sheets/login`.
    LoginNeeded,
    /// Something did not verify, or this key may not log in.
    Refused,
}

/// Whose console this is, and what it believes.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Me {
    /// Of this program.
    pub(crate) version: String,
    /// How far it is.
    pub(crate) standing: Standing,
    /// Why it is not `ready`.
    pub(crate) problem: Option<Problem>,
    /// The operator that the signing key belongs to by the bundle in force.
    pub(crate) operator: Option<MyOperator>,
    /// The key that signs.
    pub(crate) key: Option<SigningKey>,
    /// The organisation.
    pub(crate) organisation: Option<Organisation>,
    /// The server.
    pub(crate) server: Option<ServerLink>,
    /// How old that is.
    pub(crate) sync: Option<SyncState>,
    /// Pages that are logged in to this process.
    pub(crate) pages: u32,
}

/// The operator of this console.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MyOperator {
    /// `op_…`
    pub(crate) id: String,
    /// For people.
    pub(crate) name: String,
    /// `author`, `approve`, `root`, `enroll`, `freeze`, `promote`.
    pub(crate) roles: Vec<String>,
    /// For these tenants only; absent means all.
    pub(crate) tenants: Option<Vec<String>>,
}

/// Where a key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum KeyPlace {
    /// A file of this computer.
    File,
    /// The SSH agent.
    Agent,
    /// A hardware key, by its handle.
    SecurityKey,
    /// A passkey: the page asks the browser for each signature.
    Passkey,
}

/// The key that signs.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SigningKey {
    /// Where it is.
    pub(crate) place: KeyPlace,
    /// `SHA256:…`
    pub(crate) fingerprint: String,
    /// `ssh-ed25519` …
    pub(crate) key_type: String,
    /// Held by hardware, and to be touched.
    pub(crate) hardware: bool,
}

/// The organisation, verified from its anchor.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Organisation {
    /// `bz1-…`, what endpoints believe in.
    pub(crate) anchor: String,
    /// Eight words of it, to compare by telephone.
    pub(crate) words: String,
    /// Version of the bundle in force.
    pub(crate) bundle_version: u64,
    /// When that ends.
    pub(crate) bundle_expires: u64,
    /// What to know about that end, when it is near.
    pub(crate) warning: Option<String>,
}

/// The server.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ServerLink {
    /// `host:port` of its operator plane.
    pub(crate) address: String,
    /// SHA-256 of its TLS key, pinned.
    pub(crate) spki: String,
}

/// How old the view is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SyncState {
    /// When the control log was last verified.
    pub(crate) checked_at: u64,
    /// Entries it had.
    pub(crate) control_size: u64,
    /// Why this console co-signs nothing at present.
    pub(crate) keeps_still: Option<String>,
}

/// The first page.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Overview {
    /// By the server's word.
    pub(crate) endpoints: super::FleetCounts,
    /// Statements that lack signatures.
    pub(crate) waiting: u64,
    /// Those among them that this operator can sign.
    pub(crate) waiting_for_me: u64,
    /// Jobs at work, newest first, at most 20.
    pub(crate) active: Vec<super::JobRow>,
    /// What stands still, by the control log.
    pub(crate) freezes: Vec<super::FreezeRow>,
    /// Bundles that wait for their delay.
    pub(crate) pending: Vec<super::PendingBundle>,
    /// Alerts that nobody looks after.
    pub(crate) open_alerts: u64,
    /// What somebody must look into.
    pub(crate) alerts: Vec<Alert>,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Severity {
    /// Will get worse by itself.
    Warning,
    /// Somebody must look into it now.
    Urgent,
}

/// Something that a person must know.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Alert {
    /// Stable.
    pub(crate) code: String,
    /// How bad it is.
    pub(crate) severity: Severity,
    /// What it is.
    pub(crate) text: String,
    /// What to do.
    pub(crate) next: String,
}
