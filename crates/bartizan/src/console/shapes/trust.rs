//! Who may do what.

use serde::Serialize;
use utoipa::ToSchema;

use super::{DifferenceLine, SignedBy};

/// The bundle in force, verified from the anchor.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Trust {
    /// `st_…`
    pub(crate) id: String,
    /// Eight words of it.
    pub(crate) words: String,
    /// Counts from 1.
    pub(crate) version: u64,
    /// When it was made.
    pub(crate) at: u64,
    /// When it ends.
    pub(crate) expires: u64,
    /// How many root operators change it.
    pub(crate) root_threshold: u32,
    /// How long changes that weaken something wait.
    pub(crate) weaken_delay_s: u64,
    /// How long a recovery waits.
    pub(crate) recovery_delay_s: u64,
    /// Fingerprints of the recovery keys.
    pub(crate) recovery_keys: Vec<String>,
    /// The people.
    pub(crate) operators: Vec<Person>,
    /// What each class demands.
    pub(crate) classes: Vec<ClassRow>,
    /// Who co-signs the logs.
    pub(crate) witnesses: Vec<WitnessRow>,
    /// Where agents find the server.
    pub(crate) servers: Vec<ServerRow>,
    /// Tenants that countersign.
    pub(crate) customers: Vec<CustomerRow>,
    /// The oldest agent that may act.
    pub(crate) min_agent: String,
    /// Bundles that wait for their delay.
    pub(crate) pending: Vec<PendingBundle>,
}

/// A person.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Person {
    /// `op_…`
    pub(crate) id: String,
    /// For people.
    pub(crate) name: String,
    /// `author`, `approve`, `root`, `enroll`, `freeze`, `promote`.
    pub(crate) roles: Vec<String>,
    /// For these tenants only; absent means all.
    pub(crate) tenants: Option<Vec<String>>,
    /// Their keys.
    pub(crate) keys: Vec<PersonKey>,
    /// Whether this console signs with one of them.
    pub(crate) me: bool,
}

/// A person's key.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PersonKey {
    /// `SHA256:…`
    pub(crate) fingerprint: String,
    /// `ssh-ed25519` …
    pub(crate) key_type: String,
    /// `type base64`.
    pub(crate) ssh: String,
    /// Of a passkey: where it may be used.
    pub(crate) origins: Vec<String>,
    /// Must verify its user.
    pub(crate) user_verification: bool,
    /// May be synced.
    pub(crate) may_be_synced: bool,
    /// Which device.
    pub(crate) note: String,
}

/// What a class demands.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ClassRow {
    /// Its name.
    pub(crate) class: String,
    /// People besides the author.
    pub(crate) approvals: u32,
    /// `none`, `presence` or `verification`.
    pub(crate) user_check: String,
    /// Most endpoints with a script they have not seen.
    pub(crate) endpoints_new_max: u32,
    /// Most endpoints.
    pub(crate) endpoints_max: u32,
    /// Least stages.
    pub(crate) stages_min: u32,
    /// Most endpoints in the first.
    pub(crate) first_stage_max: u32,
    /// Least soak.
    pub(crate) soak_s_min: u64,
    /// How long it waits after it was logged.
    pub(crate) delay_s: u64,
    /// Longest window.
    pub(crate) window_s_max: u64,
    /// Which group of witnesses.
    pub(crate) witnesses: String,
}

/// A witness.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WitnessRow {
    /// Its name in the policy.
    pub(crate) name: String,
    /// Whether it is this console.
    pub(crate) me: bool,
}

/// A server.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ServerRow {
    /// `host:port`
    pub(crate) addresses: Vec<String>,
    /// SHA-256 of its TLS key.
    pub(crate) spki: String,
}

/// A tenant that countersigns.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CustomerRow {
    /// Bare name.
    pub(crate) tenant: String,
    /// Fingerprints.
    pub(crate) keys: Vec<String>,
}

/// A bundle that waits for its delay.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct PendingBundle {
    /// `st_…`
    pub(crate) id: String,
    /// Eight words of it.
    pub(crate) words: String,
    /// Its version.
    pub(crate) version: u64,
    /// In force from then on, unless somebody vetoes it.
    pub(crate) due: u64,
    /// What it changes.
    pub(crate) changes: Vec<DifferenceLine>,
}

/// Every bundle there ever was.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BundleHistory {
    /// Newest first.
    pub(crate) bundles: Vec<BundleRow>,
}

/// What became of a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum BundleState {
    /// In force.
    InForce,
    /// Waits for its delay.
    Waits,
    /// Was in force.
    Former,
    /// Had no effect: vetoed, dropped, or signed by too few.
    NoEffect,
}

/// A bundle in the control log.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BundleRow {
    /// `st_…`
    pub(crate) id: String,
    /// Its place in the control log.
    pub(crate) index: u64,
    /// Its version.
    pub(crate) version: u64,
    /// When it was made.
    pub(crate) at: u64,
    /// What became of it.
    pub(crate) state: BundleState,
    /// Who signed it.
    pub(crate) signatures: Vec<SignedBy>,
    /// What it changes of the one it follows; of the first, everything.
    pub(crate) changes: Vec<DifferenceLine>,
}
