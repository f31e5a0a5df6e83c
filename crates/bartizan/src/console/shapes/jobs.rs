//! Jobs and roll-outs.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{EndpointText, SignedBy, Verification, hundred};

/// Which jobs.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct JobsQuery {
    /// Rows to pass over.
    #[serde(default)]
    pub(crate) offset: u64,
    /// Rows wanted; at most 500.
    #[serde(default = "hundred")]
    #[param(default = 100, maximum = 500)]
    pub(crate) limit: u64,
    /// `pending`, `active`, `finished`, `expired` or `cancelled`.
    pub(crate) state: Option<String>,
}

/// Jobs, newest first. By the server's word.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct JobsWindow {
    /// How many fit.
    pub(crate) total: u64,
    /// Of the first row.
    pub(crate) offset: u64,
    /// The rows.
    pub(crate) rows: Vec<JobRow>,
}

/// A job, by the server's word.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct JobRow {
    /// `st_…`
    pub(crate) id: String,
    /// Written by its author.
    pub(crate) title: String,
    /// `routine`, `change`, `fleet`, `update` …
    pub(crate) class: String,
    /// `pending`, `active`, `finished`, `expired` or `cancelled`.
    pub(crate) state: String,
    /// When it was submitted.
    pub(crate) at: u64,
    /// How many endpoints.
    pub(crate) targets: u32,
    /// Of a standing order: when it ends.
    pub(crate) until: Option<u64>,
    /// Bare name.
    pub(crate) tenant: Option<String>,
    /// Name of its author.
    pub(crate) author: Option<String>,
    /// How many endpoints stand where, in lists of jobs.
    pub(crate) counts: Vec<StateCount>,
}

/// One job, verified.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct JobView {
    /// By the server's word.
    pub(crate) row: JobRow,
    /// Whether it is what an operator signed, with the script and endpoints that belong to it.
    pub(crate) verification: Verification,
    /// The statement in words, from its exact bytes.
    pub(crate) text: String,
    /// Eight words to compare.
    pub(crate) words: String,
    /// Bare name.
    pub(crate) tenant: String,
    /// Every signature.
    pub(crate) signatures: Vec<SignedBy>,
    /// Distinct people who have countersigned.
    pub(crate) approvals: u32,
    /// How many the class demands.
    pub(crate) approvals_needed: u32,
    /// In words.
    pub(crate) who_else: String,
    /// Whether the tenant's own people must still countersign.
    pub(crate) lacks_customer: bool,
    /// What it runs.
    pub(crate) script: Option<ScriptView>,
    /// Begins.
    pub(crate) begins: u64,
    /// Ends.
    pub(crate) ends: u64,
    /// A ticket.
    pub(crate) ticket: String,
    /// Why.
    pub(crate) reason: String,
    /// How many endpoints stand where, by the server's word.
    pub(crate) counts: Vec<StateCount>,
    /// Whether a checkpoint that covers it has the class's witnesses, by the server's word.
    pub(crate) witnessed: bool,
    /// Its place in the jobs log.
    pub(crate) log_index: u64,
    /// Whether it has more than one stage.
    pub(crate) staged: bool,
    /// Of a standing order: what starts it, in words.
    pub(crate) starts: Option<String>,
    /// Taken back for good, by the control log.
    pub(crate) withdrawn: bool,
}

/// A script that was signed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ScriptView {
    /// `bash`, `sh` or `python3`.
    pub(crate) interpreter: String,
    /// The exact text; of bytes that are no text, replacement characters.
    pub(crate) text: String,
    /// SHA-256, verified.
    pub(crate) sha256: String,
    /// Arguments.
    pub(crate) args: Vec<String>,
    /// `NAME=VALUE`.
    pub(crate) env: Vec<String>,
    /// Local account.
    pub(crate) run_as: Option<String>,
    /// Longest run.
    pub(crate) timeout_s: u32,
    /// Whether its author says that it deletes or disables something.
    pub(crate) destructive: bool,
}

/// So many stand there.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct StateCount {
    /// `queued`, `delivered`, `waiting`, `refused`, `running`, `done`, `failed`, `expired` or `cancelled`.
    pub(crate) state: String,
    /// How many.
    pub(crate) count: u64,
}

/// Which endpoints of a job.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct TargetsQuery {
    /// Rows to pass over.
    #[serde(default)]
    pub(crate) offset: u64,
    /// Rows wanted; at most 500.
    #[serde(default = "hundred")]
    #[param(default = 100, maximum = 500)]
    pub(crate) limit: u64,
    /// Only in this state.
    pub(crate) state: Option<String>,
}

/// Endpoints of a job, in the order of its target tree. States are the server's word.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TargetsWindow {
    /// How many fit.
    pub(crate) total: u64,
    /// Of the first row.
    pub(crate) offset: u64,
    /// The rows.
    pub(crate) rows: Vec<TargetRow>,
}

/// A job on one endpoint, by the server's word.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct TargetRow {
    /// Where.
    pub(crate) endpoint: EndpointText,
    /// As it reported it: hostile text.
    pub(crate) hostname: Option<String>,
    /// In which stage, from 0.
    pub(crate) stage: u32,
    /// `queued`, `delivered`, `waiting`, `refused`, `running`, `done`, `failed`, `expired` or `cancelled`.
    pub(crate) state: String,
    /// Refusal or failure code.
    pub(crate) code: Option<String>,
    /// What a person can do about that code.
    pub(crate) next: Option<String>,
    /// Exit status.
    pub(crate) exit: Option<i32>,
}

/// Receipts of a job or an endpoint, each verified here.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReceiptsWindow {
    /// How many there are.
    pub(crate) total: u64,
    /// Of the first row.
    pub(crate) offset: u64,
    /// How many of all do not verify.
    pub(crate) bad: u64,
    /// The rows.
    pub(crate) rows: Vec<ReceiptRow>,
}

/// An endpoint's signed account.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct ReceiptRow {
    /// `st_…`
    pub(crate) id: String,
    /// Who.
    pub(crate) endpoint: EndpointText,
    /// As it reported it: hostile text.
    pub(crate) hostname: Option<String>,
    /// What it answers.
    pub(crate) job: String,
    /// Counts from 1.
    pub(crate) seq: u64,
    /// Of a standing order: which run.
    pub(crate) occurrence: Option<u64>,
    /// `refused`, `done`, `failed`, `timed_out`, `interrupted`, `standing` or `ended`.
    pub(crate) decision: String,
    /// `ok`, or why.
    pub(crate) code: String,
    /// What a person can do about that code.
    pub(crate) next: Option<String>,
    /// Exit status.
    pub(crate) exit: Option<i32>,
    /// Size of the whole output.
    pub(crate) output_bytes: u64,
    /// Start, by the endpoint's clock.
    pub(crate) t0: u64,
    /// End, by the endpoint's clock.
    pub(crate) t1: u64,
    /// Whether the endpoint's own key signed it.
    pub(crate) verification: Verification,
}

/// How a roll-out goes, counted from receipts that were verified here.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RolloutView {
    /// The job.
    pub(crate) job: String,
    /// Its title.
    pub(crate) title: String,
    /// Its class.
    pub(crate) class: String,
    /// By the server's word.
    pub(crate) state: String,
    /// Whether another stage may begin.
    pub(crate) next: NextStep,
    /// The same in words.
    pub(crate) next_text: String,
    /// How long the stage still soaks.
    pub(crate) soak_left_s: u64,
    /// Each stage.
    pub(crate) stages: Vec<StageRow>,
    /// Why this operator cannot let the next stage begin now.
    pub(crate) promote_disabled: Option<String>,
}

/// Whether another stage may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum NextStep {
    /// Every stage may run.
    Nothing,
    /// Too few have ended well.
    TooEarly,
    /// The stage soaks.
    Soaks,
    /// More failed than the job allows.
    HaltedFailures,
    /// Endpoints refused.
    HaltedRefusals,
    /// A promotion can be signed.
    Ready,
}

/// One stage.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct StageRow {
    /// From 0.
    pub(crate) stage: u32,
    /// For people.
    pub(crate) name: String,
    /// How many endpoints.
    pub(crate) count: u32,
    /// How long the stage before it soaks.
    pub(crate) soak_s: u64,
    /// How many people let it begin.
    pub(crate) promoters: u32,
    /// Most failures of the stage before, in per cent.
    pub(crate) failures_percent_max: u32,
    /// Whether it may run.
    pub(crate) may_run: bool,
    /// On its way or not yet.
    pub(crate) queued: u32,
    /// Delivered.
    pub(crate) delivered: u32,
    /// The endpoint waits.
    pub(crate) waits: u32,
    /// At work.
    pub(crate) running: u32,
    /// Ended well, by receipts.
    pub(crate) done: u32,
    /// Ended badly, by receipts.
    pub(crate) failed: u32,
    /// Refused, by receipts.
    pub(crate) refused: u32,
    /// Who did not end well, and why; at most 50.
    pub(crate) reasons: Vec<Reason>,
}

/// Why an endpoint did not end well.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Reason {
    /// Who.
    pub(crate) endpoint: EndpointText,
    /// As it reported it: hostile text.
    pub(crate) hostname: Option<String>,
    /// `failed`, `refused` or `waits`.
    pub(crate) state: String,
    /// Stable code.
    pub(crate) code: String,
    /// What a person can do about it.
    pub(crate) next: Option<String>,
}

/// Standing orders.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Orders {
    /// Newest first.
    pub(crate) orders: Vec<OrderRow>,
}

/// A standing order.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OrderRow {
    /// `st_…`
    pub(crate) id: String,
    /// Its title.
    pub(crate) title: String,
    /// Its class.
    pub(crate) class: String,
    /// What starts it, in words.
    pub(crate) starts: String,
    /// When it ends.
    pub(crate) until: u64,
    /// When a schedule comes next, without its jitter.
    pub(crate) upcoming: Option<u64>,
    /// Taken back for good.
    pub(crate) withdrawn: bool,
    /// How many endpoints.
    pub(crate) targets: u64,
    /// The first 200 endpoints, by the server's word.
    pub(crate) endpoints: Vec<OrderTarget>,
}

/// A standing order on an endpoint.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OrderTarget {
    /// Where.
    pub(crate) endpoint: EndpointText,
    /// As it reported it: hostile text.
    pub(crate) hostname: Option<String>,
    /// In words: `standing`, `withdrawn` …
    pub(crate) state: String,
    /// Its last run, by its own newest receipt.
    pub(crate) last: Option<LastRun>,
}

/// How the last run of a standing order ended.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LastRun {
    /// When it ended, by the endpoint's clock.
    pub(crate) at: u64,
    /// `done`, `failed`, `refused` …
    pub(crate) decision: String,
    /// Its stable code.
    pub(crate) code: String,
    /// What to do about the code.
    pub(crate) next: Option<String>,
    /// Of the script.
    pub(crate) exit: Option<i32>,
    /// Whether the endpoint's own key signed it.
    pub(crate) verification: Verification,
}
