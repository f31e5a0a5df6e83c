//! Monitoring policies, and what came of their checks. Results are endpoints' word: hostile text, bounded.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Problem, SignedBy, Verification};

/// Policies by place, and the text of the one that is useful everywhere.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Policies {
    /// Newest first.
    pub(crate) policies: Vec<PolicyItem>,
    /// The source text of the policy that comes with the product.
    pub(crate) defaults: String,
}

/// A policy, read from its exact bytes here.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct PolicyItem {
    /// `st_…`
    pub(crate) id: String,
    /// Its name at its place.
    pub(crate) name: String,
    /// The next one of this name takes the place of this one.
    pub(crate) version: u64,
    /// In a few words.
    pub(crate) title: String,
    /// Whose endpoints.
    pub(crate) place: PolicyWhere,
    /// How many checks.
    pub(crate) checks: u64,
    /// `pending`, `active`, `replaced`, `withdrawn` or `over`, by the server's word.
    pub(crate) state: String,
    /// When it ends.
    pub(crate) until: u64,
    /// When it was signed, as it says.
    pub(crate) at: u64,
    /// Whether enough people stand behind it by the bundle in force.
    pub(crate) verification: Verification,
}

/// Whose endpoints a policy is for: all of the organisation, unless it says less.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct PolicyWhere {
    /// In words.
    pub(crate) words: String,
    /// Bare name.
    pub(crate) tenant: Option<String>,
    /// Bare name.
    pub(crate) site: Option<String>,
    /// `ep_…`
    pub(crate) endpoint: Option<String>,
}

/// One policy.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct PolicyView {
    /// The policy.
    pub(crate) policy: PolicyItem,
    /// From its exact bytes, as it was signed.
    pub(crate) text: String,
    /// The same as a source text, for a next version.
    pub(crate) source: String,
    /// Who signed it.
    pub(crate) signatures: Vec<SignedBy>,
    /// Every endpoint of its place, as the server has it; at most 1,000.
    pub(crate) targets: Vec<PolicyTarget>,
    /// How many there are.
    pub(crate) targets_total: u64,
    /// Why this operator cannot countersign it; nothing if so.
    pub(crate) approve_disabled: Option<String>,
    /// Why it cannot be taken back; nothing if so.
    pub(crate) withdraw_disabled: Option<String>,
}

/// Where a policy stands on an endpoint.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct PolicyTarget {
    /// `ep_…`
    pub(crate) endpoint: String,
    /// As it calls itself.
    pub(crate) hostname: Option<String>,
    /// In words: `stands`, `on its way`, `refused`, `over`.
    pub(crate) state: String,
    /// Of its last receipt.
    pub(crate) code: Option<String>,
    /// What to do about the code.
    pub(crate) next: Option<String>,
}

/// A policy that somebody writes.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PolicyRequest {
    /// As TOML.
    pub(crate) source: String,
    /// Only for this tenant; bare name.
    #[serde(default)]
    pub(crate) tenant: Option<String>,
    /// Only for this site of the tenant; bare name.
    #[serde(default)]
    pub(crate) site: Option<String>,
    /// Only for this endpoint.
    #[serde(default)]
    pub(crate) endpoint: Option<String>,
    /// How long it lasts.
    #[serde(default = "ninety")]
    #[schema(default = 90)]
    pub(crate) days: u64,
}

const fn ninety() -> u64 {
    90
}

/// What the process says of a source text before anybody signs.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct PolicyVerdict {
    /// What would be signed, in words; nothing if it is no policy.
    pub(crate) text: Option<String>,
    /// What is wrong.
    pub(crate) problem: Option<Problem>,
    /// Who else would have to sign.
    pub(crate) who_else: String,
}

/// What an endpoint looks at, and what it does not.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct EndpointChecks {
    /// In order of their ids, with what they found.
    pub(crate) running: Vec<RunningCheck>,
    /// Those that a nearer policy keeps from running.
    pub(crate) passed_over: Vec<PassedCheck>,
    /// Policies of its places that do not stand there, and why.
    pub(crate) not_there: Vec<PassedCheck>,
    /// Results of checks that no policy names any more.
    pub(crate) other: Vec<CheckResult>,
}

/// A check that runs, and why.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct RunningCheck {
    /// Its id.
    pub(crate) id: String,
    /// What it looks at, in words.
    pub(crate) words: String,
    /// Because of which policy.
    pub(crate) because: String,
    /// The policy.
    pub(crate) policy: String,
    /// Newest results, one for each instance.
    pub(crate) results: Vec<CheckResult>,
}

/// What does not run, and why.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct PassedCheck {
    /// The check in words, or the policy's name.
    pub(crate) words: String,
    /// Why not.
    pub(crate) why: String,
    /// The policy that names it.
    pub(crate) policy: String,
}

/// How a check stands, by the word of its endpoint.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct CheckResult {
    /// Which check.
    pub(crate) check: String,
    /// Which of several; may be empty.
    pub(crate) instance: String,
    /// `ok`, `warn`, `error` or `unknown`.
    pub(crate) state: String,
    /// Since when, by the endpoint's clock.
    pub(crate) since: u64,
    /// When it was looked at, by the endpoint's clock.
    pub(crate) at: u64,
    /// In words.
    pub(crate) text: String,
}
