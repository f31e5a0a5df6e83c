//! Signing: a sheet is made, shown, and signed by its one-time token.

use bartizan_trust::statement::Interpreter;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{OrderTrigger, PreviewScript, ScriptReview, SignedBy, Verification};

/// A job to be signed.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Compose {
    /// Where: `all`, `tenant:NAME`, `site:NAME`, ids or host names.
    pub(crate) on: Vec<String>,
    /// The script.
    pub(crate) script: String,
    /// `bash`, `sh` or `python3`.
    pub(crate) interpreter: ScriptLanguage,
    /// What it does, in a line.
    pub(crate) title: String,
    /// A ticket.
    #[serde(default)]
    pub(crate) ticket: String,
    /// Why.
    #[serde(default)]
    pub(crate) reason: String,
    /// Arguments for the script.
    #[serde(default)]
    pub(crate) args: Vec<String>,
    /// Variables.
    #[serde(default)]
    pub(crate) env: Vec<Variable>,
    /// Local account; root unless said.
    pub(crate) run_as: Option<String>,
    /// Longest run; ten minutes unless said.
    pub(crate) timeout_s: Option<u32>,
    /// For endpoints that are away; a day unless said.
    pub(crate) expires_s: Option<u64>,
    /// A stricter class than the derived one.
    pub(crate) class: Option<ChosenClass>,
    /// It deletes or disables something.
    #[serde(default)]
    pub(crate) destructive: bool,
    /// In which waves, like `canary:3,10%,rest`; what the class demands unless said.
    pub(crate) stages: Option<String>,
    /// How long each stage soaks.
    pub(crate) soak_s: Option<u64>,
    /// Most failures of a stage before the next, in per cent; 10 unless said.
    pub(crate) failures_percent_max: Option<u32>,
    /// How many people let each later stage begin; 1 unless said.
    pub(crate) promoters: Option<u32>,
    /// Only after these jobs have ended well on the endpoint.
    #[serde(default)]
    pub(crate) after: Vec<String>,
    /// Makes it a standing order.
    pub(crate) trigger: Option<OrderTrigger>,
}

/// Who reads a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ScriptLanguage {
    /// GNU Bash.
    Bash,
    /// The system's shell.
    Sh,
    /// Python 3.
    Python3,
}

impl From<ScriptLanguage> for Interpreter {
    fn from(language: ScriptLanguage) -> Self {
        match language {
            ScriptLanguage::Bash => Self::Bash,
            ScriptLanguage::Sh => Self::Sh,
            ScriptLanguage::Python3 => Self::Python3,
        }
    }
}

/// A class a person may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ChosenClass {
    /// Everyday work.
    Routine,
    /// A change.
    Change,
    /// Many endpoints.
    Fleet,
}

/// A variable of a script.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Variable {
    /// Its name.
    pub(crate) name: String,
    /// Its value.
    pub(crate) value: String,
}

/// What a selection would need, before anything is written.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PreviewRequest {
    /// Where, as in `Compose`.
    pub(crate) on: Vec<String>,
    /// It deletes or disables something.
    #[serde(default)]
    pub(crate) destructive: bool,
    /// A stricter class than the derived one.
    pub(crate) class: Option<ChosenClass>,
    /// What is to run, where it is known already; otherwise a script that nobody has seen.
    pub(crate) script: Option<PreviewScript>,
    /// Whether it is to stand.
    pub(crate) trigger: Option<OrderTrigger>,
}

/// The answer: what a new script on these endpoints would need.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Preview {
    /// Bare name of the one tenant they belong to.
    pub(crate) tenant: String,
    /// How many.
    pub(crate) endpoints: u32,
    /// The class.
    pub(crate) class: String,
    /// How many more people must sign.
    pub(crate) approvals_needed: u32,
    /// The same in words.
    pub(crate) who_else: String,
    /// In which waves.
    pub(crate) stages: Vec<PlannedStage>,
    /// The newest job that shows that people have reviewed exactly this script in exactly this form.
    pub(crate) review: Option<ScriptReview>,
    /// Whether every one of these endpoints has run it since, which makes the class milder.
    pub(crate) ran_everywhere: bool,
    /// Why this operator cannot write such a job.
    pub(crate) disabled: Option<String>,
}

/// A wave that is planned.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct PlannedStage {
    /// For people.
    pub(crate) name: String,
    /// How many endpoints.
    pub(crate) count: u32,
    /// How long the stage before it soaks.
    pub(crate) soak_s: u64,
}

/// What is to be signed, rendered from the exact bytes.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Sheet {
    /// For `POST /sign`, good once, for this statement in this role only.
    pub(crate) token: String,
    /// When the token ends.
    pub(crate) expires: u64,
    /// Digest of the statement, `st_…`.
    pub(crate) id: String,
    /// `job`, `bundle`, `freeze`, `thaw`, `veto`, `promotion` or `withdrawal`.
    pub(crate) kind: String,
    /// `author`, `approve`, `root`, `freeze` or `promote`.
    pub(crate) role: String,
    /// Eight words of the digest.
    pub(crate) words: String,
    /// The whole statement in words. This is what is signed.
    pub(crate) text: String,
    /// What to ask.
    pub(crate) question: String,
    /// Why this console cannot sign it.
    pub(crate) disabled: Option<String>,
    /// Bare name.
    pub(crate) tenant: Option<String>,
    /// The class.
    pub(crate) class: Option<String>,
    /// How many endpoints.
    pub(crate) endpoints: Option<u32>,
    /// Ends.
    pub(crate) until: Option<u64>,
    /// Who must sign besides, in words.
    pub(crate) who_else: Option<String>,
    /// Signatures it has.
    pub(crate) signatures: Vec<SignedBy>,
    /// In which waves.
    pub(crate) stages: Vec<PlannedStage>,
    /// What a person must know before signing.
    pub(crate) notes: Vec<String>,
    /// What differs from the last job of the same title; of a bundle, from the one before.
    pub(crate) difference: Option<Difference>,
    /// How to sign with a passkey, when the key is one.
    pub(crate) passkey: Option<PasskeyRequest>,
}

/// A difference, line by line.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Difference {
    /// From what: a job or a bundle.
    pub(crate) from: String,
    /// When that was.
    pub(crate) at: u64,
    /// Whether nothing differs.
    pub(crate) same: bool,
    /// The lines.
    pub(crate) lines: Vec<DifferenceLine>,
}

/// A line of a difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct DifferenceLine {
    /// What became of it.
    pub(crate) change: Change,
    /// The line.
    pub(crate) text: String,
}

/// What became of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Change {
    /// It stands in both.
    Same,
    /// It is new.
    Added,
    /// It is gone.
    Removed,
}

/// For `navigator.credentials.get`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PasskeyRequest {
    /// Base64url without padding.
    pub(crate) challenge: String,
    /// `localhost`.
    pub(crate) rp_id: String,
    /// Base64url of each credential that may answer.
    pub(crate) credentials: Vec<String>,
}

/// What the browser gave for a `PasskeyRequest`; each in base64url without padding.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Assertion {
    /// The credential's `rawId`.
    pub(crate) credential: String,
    /// `response.authenticatorData`
    pub(crate) authenticator_data: String,
    /// `response.clientDataJSON`
    pub(crate) client_data: String,
    /// `response.signature`
    pub(crate) signature: String,
}

/// Confirms a sheet.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignRequest {
    /// Of the sheet.
    pub(crate) token: String,
    /// The digest that was shown.
    pub(crate) id: String,
    /// The eight words that were shown and confirmed.
    pub(crate) words: String,
    /// With a passkey.
    pub(crate) assertion: Option<Assertion>,
}

/// What became of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Signed {
    /// The statement.
    pub(crate) id: String,
    /// Its kind.
    pub(crate) kind: String,
    /// Whether enough people have signed it.
    pub(crate) enough: bool,
    /// In words.
    pub(crate) text: String,
    /// Its place in its log, once enough people have signed it.
    pub(crate) log_index: Option<u64>,
    /// Of an enrolment: what to run on each new endpoint, as root.
    pub(crate) command: Option<String>,
}

/// Statements that lack signatures.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Inbox {
    /// Jobs first, newest first.
    pub(crate) items: Vec<InboxItem>,
    /// Jobs that wait, too, and were too many to be looked into.
    pub(crate) left_off: u64,
}

/// A statement that lacks signatures.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct InboxItem {
    /// `st_…`
    pub(crate) id: String,
    /// `job`, `bundle`, `freeze` or `thaw`.
    pub(crate) kind: String,
    /// What it is, in a line.
    pub(crate) title: String,
    /// Of a job.
    pub(crate) class: Option<String>,
    /// Bare name, of a job.
    pub(crate) tenant: Option<String>,
    /// Of a job.
    pub(crate) endpoints: Option<u32>,
    /// When it was made.
    pub(crate) at: u64,
    /// When it ends.
    pub(crate) until: Option<u64>,
    /// Signatures it has.
    pub(crate) signatures: Vec<SignedBy>,
    /// Who must sign besides, in words.
    pub(crate) who_else: String,
    /// Whether it is what an operator signed.
    pub(crate) verification: Verification,
    /// Why this operator cannot sign it.
    pub(crate) disabled: Option<String>,
}

/// A promotion to be signed.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PromotionRequest {
    /// The job.
    pub(crate) job: String,
    /// Go on although endpoints refused, and why.
    pub(crate) despite_refusals: Option<String>,
}

/// A statement about another.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AboutRequest {
    /// The freeze, bundle or job.
    pub(crate) id: String,
    /// Why, for the others.
    #[serde(default)]
    pub(crate) reason: String,
}

/// A statement to be countersigned.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApprovalRequest {
    /// From the inbox.
    pub(crate) id: String,
}

/// A freeze to be signed.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FreezeRequest {
    /// `org`, `tenant:NAME`, `class:NAME`, `job:ID`, `operator:NAME` or `sessions`.
    pub(crate) scope: String,
    /// For how long; four hours unless said, longer when enough others sign.
    pub(crate) seconds: Option<u64>,
    /// Why, for the others.
    #[serde(default)]
    pub(crate) reason: String,
}

/// New endpoints to be let in.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EnrolmentRequest {
    /// Bare name.
    pub(crate) tenant: String,
    /// Bare name.
    pub(crate) site: String,
    /// How many; ten unless said.
    pub(crate) uses: Option<u32>,
    /// For how long; seven days unless said.
    pub(crate) expires_s: Option<u64>,
    /// Labels for new endpoints.
    #[serde(default)]
    pub(crate) labels: Vec<String>,
    /// Hold each new endpoint until somebody admits it.
    #[serde(default)]
    pub(crate) manual: bool,
}
