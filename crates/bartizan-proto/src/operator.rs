//! The operator plane's JSON. Bytes (envelopes, content, notes) travel as standard base64.
//!
//! The server's answers are claims, not facts: the operator's tool verifies envelopes, proofs and
//! receipts itself before it shows them as true.

mod endpoints;

use bartizan_trust::id::{EndpointId, OperatorId, OrgId, Sha256, StatementId, TenantId};
use bartizan_trust::statement::{Class, Decision, FreezeScope};
use bartizan_trust::time::UnixSeconds;
use serde::{Deserialize, Serialize};

pub use endpoints::{
    EndpointBranch, EndpointBrief, EndpointDetail, EndpointIds, EndpointJob, EndpointJobs,
    EndpointLink, EndpointNames, EndpointPage, EndpointReceipts, EndpointRow, EndpointSort,
    EndpointTree, EndpointWindow, Standing,
};

/// `GET /v1/server`, without login: what a bundle needs to know of this server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerIdentity {
    /// Version of the server.
    pub version: String,
    /// The organisation, once it has a genesis bundle.
    pub org: Option<OrgId>,
    /// Agent-plane addresses, `host:port`.
    pub agent_addresses: Vec<String>,
    /// SHA-256 of the server's TLS SubjectPublicKeyInfo, the same on both planes.
    pub spki: Sha256,
    /// Verifier key of the control log.
    pub control_vkey: String,
    /// Verifier key of the jobs log.
    pub jobs_vkey: String,
}

/// Body of every refused request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiError {
    /// Stable code.
    pub code: String,
    /// What is wrong, for people.
    pub message: String,
    /// What to do next.
    pub next: String,
}

/// An envelope in a request or answer: `POST /v1/genesis`, `/v1/login`, `/v1/control`, `/v1/enrolments`,
/// `/v1/jobs/{id}/signatures`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnvelopeBody {
    /// Base64 of the exact envelope bytes.
    pub envelope: String,
}

/// Answer to `POST /v1/login`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginAnswer {
    /// Which operator; absent for a customer's or a recovery key.
    pub operator: Option<OperatorId>,
    /// Until when.
    pub exp: UnixSeconds,
}

/// Answer to a stored statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stored {
    /// The statement's id.
    pub id: StatementId,
    /// Its place in its log, if it is logged.
    pub log_index: Option<u64>,
}

/// `GET /v1/log/{control|jobs}/entries?start=0&end=64`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEntries {
    /// Index of the first entry.
    pub start: u64,
    /// Base64 of each entry.
    pub entries: Vec<String>,
}

/// Answer to `GET /v1/control/times`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlTimes {
    /// Index of an entry, and when the server says it logged it.
    pub times: Vec<(u64, UnixSeconds)>,
}

/// `POST /v1/log/{control|jobs}/cosignature`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CosignatureBody {
    /// Size of the co-signed checkpoint.
    pub size: u64,
    /// Its root.
    pub root: Sha256,
    /// The note signature line (`— name base64`).
    pub line: String,
}

/// `GET /v1/summary`: what a console that watches asks for again and again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Admitted, and a connection is open.
    pub connected: u64,
    /// Admitted, and none is.
    pub away: u64,
    /// Not admitted.
    pub quarantined: u64,
    /// How many jobs are in which state.
    pub jobs: Vec<(String, u64)>,
    /// Statements of the control log that lack signatures.
    pub drafts: u64,
    /// Entries of the control log.
    pub control_size: u64,
    /// Entries of the jobs log.
    pub jobs_size: u64,
    /// Standing freezes, and how many endpoints have confirmed each.
    pub freezes: Vec<(StatementId, u64)>,
    /// Alerts; none from a server that has no such count.
    #[serde(default)]
    pub alerts: AlertCounts,
}

/// How many alerts there are that are not hidden behind another one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertCounts {
    /// Nobody looks after them.
    pub open: u64,
    /// Somebody does.
    pub acknowledged: u64,
    /// When something last happened to any, those that are over too.
    pub changed: u64,
}

/// `POST /v1/jobs`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobSubmission {
    /// Base64 of the signed envelope.
    pub envelope: String,
    /// The leaves of the target tree, in its order: by stage, then by id.
    pub targets: Vec<EndpointId>,
    /// Base64 of the content.
    pub content: String,
}

/// Where a job stands as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// Needs more signatures.
    Pending,
    /// Signed; delivered as endpoints and witnesses appear.
    Active,
    /// Every endpoint has answered for good.
    Finished,
    /// The window passed.
    Expired,
    /// Ended by a quarantine of the server; it needs signing again.
    Cancelled,
}

/// Where a job stands on one endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TargetState {
    /// Not delivered yet: unsigned, unwitnessed or absent.
    Queued,
    /// On its way.
    Delivered,
    /// The endpoint said that it waits: for its stage, a soak or a delay.
    Waiting,
    /// The endpoint said no.
    Refused,
    /// At work.
    Running,
    /// Finished well.
    Done,
    /// Finished badly.
    Failed,
    /// The window passed before it could be delivered.
    Expired,
    /// Ended by a quarantine of the server before it was delivered.
    Cancelled,
}

/// A job on one endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetRow {
    /// Where.
    pub endpoint: EndpointId,
    /// How far.
    pub state: TargetState,
    /// Refusal or failure code of the last receipt.
    pub code: Option<String>,
    /// From the last receipt.
    pub decision: Option<Decision>,
    /// From the last receipt.
    pub exit: Option<i32>,
}

/// One row of `GET /v1/jobs`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobRow {
    /// Its id.
    pub id: StatementId,
    /// How far.
    pub state: JobState,
    /// Class it claims.
    pub class: Class,
    /// Its title; written by its author.
    pub title: String,
    /// When it was submitted.
    pub at: UnixSeconds,
    /// How many endpoints.
    pub targets: u32,
    /// Of a standing order: when it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<UnixSeconds>,
    /// Whose endpoints.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<TenantId>,
    /// Who wrote it, by the server's view of the bundle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<OperatorId>,
    /// How many endpoints stand where, in a list.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub counts: Vec<(TargetState, u64)>,
    /// Its newest entry of the jobs log; one more signature is one more entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_index: Option<u64>,
}

/// `GET /v1/jobs?state=&offset=&limit=`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobPage {
    /// Newest first, at most 200.
    pub jobs: Vec<JobRow>,
    /// How many fit; of a customer's own, only those of this page are counted.
    #[serde(default)]
    pub total: u64,
}

/// `GET /v1/jobs/{id}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobDetail {
    /// The row.
    pub row: JobRow,
    /// Base64 of the envelope with all signatures so far.
    pub envelope: String,
    /// Base64 of the content.
    pub content: String,
    /// Place of these exact bytes in the jobs log.
    pub log_index: u64,
    /// Whether a checkpoint that covers it has the class's witnesses.
    pub witnessed: bool,
    /// Each endpoint, in the order of the target tree.
    pub targets: Vec<TargetRow>,
    /// Base64 of the promotion to each later stage that has one, also one that lacks signatures.
    pub promotions: Vec<String>,
}

/// `GET /v1/jobs/{id}/receipts?after=`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptPage {
    /// Base64 of each receipt envelope, by endpoint, oldest first.
    pub receipts: Vec<String>,
    /// Ask again with `after` this, if there are more.
    pub next: Option<String>,
}

/// `GET /v1/jobs/{id}/events?after=0&wait_s=20`: answers at once when there is something, else after
/// at most `wait_s` seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobEvents {
    /// Oldest first.
    pub events: Vec<JobEvent>,
    /// Ask again with `after` this number.
    pub next: u64,
    /// State of the whole job now.
    pub state: JobState,
}

/// Something that happened to a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum JobEvent {
    /// A target moved.
    Target(TargetRow),
    /// Live output; hostile bytes in base64.
    Output {
        /// Where.
        endpoint: EndpointId,
        /// 1 standard output, 2 standard error.
        stream: u8,
        /// Base64.
        bytes: String,
    },
}

/// `GET /v1/control/drafts`: control statements that lack signatures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlDrafts {
    /// Base64 of each envelope with the signatures it has.
    pub drafts: Vec<String>,
}

/// `GET /v1/freezes`: the server's belief; consoles replay the control log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FreezeView {
    /// What stands still.
    pub freezes: Vec<FreezeRow>,
    /// Bundles that wait for their delay.
    pub pending: Vec<PendingRow>,
}

/// One standing freeze.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FreezeRow {
    /// Its digest.
    pub id: StatementId,
    /// What it stops.
    pub scope: FreezeScope,
    /// Not at or after.
    pub exp: UnixSeconds,
    /// Who signed it.
    pub by: Vec<OperatorId>,
    /// Endpoints whose receipt says that they stand still.
    pub confirmed: Vec<EndpointId>,
}

/// `GET /v1/freezes/{id}/receipts?after=`: what endpoints say of a freeze, in order of endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FreezeReceipts {
    /// Base64 of each receipt envelope.
    pub receipts: Vec<String>,
    /// Ask again with `after` this id.
    pub next: Option<EndpointId>,
}

/// A bundle that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingRow {
    /// Its digest.
    pub id: StatementId,
    /// Its version.
    pub version: u64,
    /// In force from then on, if nobody vetoes it.
    pub due: UnixSeconds,
}
