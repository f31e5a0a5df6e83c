//! Alerts and their rules: the server's word. Check, instance, text and host name are what endpoints say: hostile text, bounded.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::hundred;

/// Which alerts.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AlertsQuery {
    /// Rows to pass over.
    #[serde(default)]
    pub(crate) offset: u64,
    /// Rows wanted; at most 500.
    #[serde(default = "hundred")]
    #[param(default = 100, maximum = 500)]
    pub(crate) limit: u64,
    /// How far they have come; open and acknowledged ones unless said.
    pub(crate) state: Option<AlertState>,
    /// How bad.
    pub(crate) severity: Option<AlertSeverity>,
    /// Bare name.
    pub(crate) tenant: Option<String>,
    /// Bare name.
    pub(crate) site: Option<String>,
    /// `ep_…`
    pub(crate) endpoint: Option<String>,
    /// Those that are hidden behind this one, `al_…`.
    pub(crate) behind: Option<String>,
    /// In check, instance, text or host name, whatever the case.
    pub(crate) search: Option<String>,
    /// Also those that are hidden behind another one.
    #[serde(default)]
    pub(crate) hidden: bool,
}

/// How far alerts have come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AlertState {
    /// Open or acknowledged.
    Active,
    /// Somebody is needed.
    Open,
    /// Somebody looks after it.
    Acknowledged,
    /// It is over.
    Resolved,
}

/// How bad an alert is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AlertSeverity {
    /// Somebody should look.
    Warning,
    /// Something does not work.
    Error,
    /// Many things do not work.
    Critical,
}

/// A part of the list, newest change first.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct AlertsWindow {
    /// How many fit.
    pub(crate) total: u64,
    /// Of the first row.
    pub(crate) offset: u64,
    /// Some of them.
    pub(crate) rows: Vec<AlertItem>,
}

/// An alert.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct AlertItem {
    /// `al_…`
    pub(crate) id: String,
    /// `waiting`, `open`, `acknowledged` or `resolved`.
    pub(crate) state: String,
    /// How bad it is.
    pub(crate) severity: AlertSeverity,
    /// None for sites and the server itself.
    pub(crate) endpoint: Option<String>,
    /// As it calls itself.
    pub(crate) hostname: Option<String>,
    /// Bare name.
    pub(crate) tenant: Option<String>,
    /// Bare name.
    pub(crate) site: Option<String>,
    /// Which check, or `link`, `site.link`, `server.network`, `alerts.flood`.
    pub(crate) check: String,
    /// Of what: a mount point, a service; may be empty.
    pub(crate) instance: String,
    /// In words.
    pub(crate) text: String,
    /// Since when, as the endpoint claims.
    pub(crate) since: u64,
    /// When something last happened to it.
    pub(crate) changed: u64,
    /// When it was over.
    pub(crate) resolved: Option<u64>,
    /// Who looks after it.
    pub(crate) acknowledged: Option<AlertCare>,
    /// Behind which alert it is hidden.
    pub(crate) hidden_by: Option<String>,
    /// How many are hidden behind it.
    pub(crate) hidden: u64,
    /// It goes up and down, and nothing is sent until it is calm.
    pub(crate) flapping: bool,
}

/// Who looks after an alert.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct AlertCare {
    /// The operator's name.
    pub(crate) name: String,
    /// Since when.
    pub(crate) at: u64,
    /// In their words.
    pub(crate) note: String,
}

/// One alert with all that is known of it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct AlertView {
    /// The alert.
    pub(crate) alert: AlertItem,
    /// In order.
    pub(crate) history: Vec<AlertEvent>,
    /// What was sent, or will be.
    pub(crate) messages: Vec<AlertMessage>,
    /// What decides what is sent; empty for one that has been over for a while.
    pub(crate) why: Vec<AlertReason>,
}

/// A line of a history.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct AlertEvent {
    /// When, by the server's clock.
    pub(crate) at: u64,
    /// When, as the endpoint claims.
    pub(crate) claimed: Option<u64>,
    /// `opened`, `acknowledged`, `sent` …
    pub(crate) what: String,
    /// Who did it.
    pub(crate) name: Option<String>,
    /// In words.
    pub(crate) text: String,
}

/// A message about an alert.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct AlertMessage {
    /// Over which channel.
    pub(crate) channel: String,
    /// `waiting`, `sent` or `failed`.
    pub(crate) state: String,
    /// When it was decided.
    pub(crate) created: u64,
    /// When it is tried next, or was settled.
    pub(crate) due: u64,
    /// How often it was tried.
    pub(crate) tries: u64,
    /// What went wrong last.
    pub(crate) problem: Option<String>,
}

/// One reason why an alert is told, or is not.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct AlertReason {
    /// `state`, `rule`, `window`, `dependency`, `flapping`, `route`, `step`, `next` …
    pub(crate) about: String,
    /// In words.
    pub(crate) says: String,
}

/// What somebody does with some alerts.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AlertDeed {
    /// Which; at most 200.
    pub(crate) ids: Vec<String>,
    /// What.
    pub(crate) deed: AlertDeedKind,
    /// In their words; at most 1,024 bytes.
    #[serde(default)]
    pub(crate) note: String,
}

/// What can be done with alerts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AlertDeedKind {
    /// "I look after it."
    Acknowledge,
    /// "It is over."
    Resolve,
    /// Just words.
    Note,
}

/// "Tell me when they are back."
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TellMeRequest {
    /// Endpoints; at most 200.
    pub(crate) endpoints: Vec<String>,
    /// Over which channel.
    pub(crate) channel: String,
}

/// What became of a deed with many.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct ManyDone {
    /// With how many it was done.
    pub(crate) done: u64,
    /// The others.
    pub(crate) left: Vec<NotDone>,
}

/// One with which it was not done.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct NotDone {
    /// Which.
    pub(crate) id: String,
    /// Stable.
    pub(crate) code: String,
    /// Why.
    pub(crate) message: String,
}

/// The rules in force.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct AlertRules {
    /// 0 for the defaults.
    pub(crate) version: u64,
    /// When nothing is sent.
    pub(crate) windows: Vec<MaintenanceWindow>,
    /// Who is told, in order; the first that fits is taken.
    pub(crate) routes: Vec<AlertRule>,
    /// Which endpoints are told when they are away, and which depend on others; in order.
    pub(crate) links: Vec<AlertRule>,
    /// Channels of the server.
    pub(crate) channels: Vec<AlertChannel>,
    /// Who changed the rules, newest first.
    pub(crate) history: Vec<AlertRulesVersion>,
}

/// A rule in words.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct AlertRule {
    /// Its name, where it has one.
    pub(crate) name: Option<String>,
    /// What it applies to.
    pub(crate) applies: String,
    /// What it says, a line each.
    pub(crate) says: Vec<String>,
}

/// A channel.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct AlertChannel {
    /// Its name.
    pub(crate) name: String,
    /// `email`, `webhook` or `syslog`.
    pub(crate) kind: String,
}

/// A version of the rules.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct AlertRulesVersion {
    /// Which.
    pub(crate) version: u64,
    /// When.
    pub(crate) at: u64,
    /// Who.
    pub(crate) name: String,
}

/// A maintenance window: once, from and until; or again and again, a calendar, its zone and its minutes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MaintenanceWindow {
    /// Its name, once among the windows.
    pub(crate) name: String,
    /// Only of this tenant; bare name.
    pub(crate) tenant: Option<String>,
    /// Only at this site; bare name.
    pub(crate) site: Option<String>,
    /// Only this endpoint.
    pub(crate) endpoint: Option<String>,
    /// Only this check; with `*` at its end, all that begin so.
    pub(crate) check: Option<String>,
    /// Minute, hour, day, month, weekday.
    pub(crate) cron: Option<String>,
    /// IANA name.
    pub(crate) zone: Option<String>,
    /// How long.
    pub(crate) minutes: Option<u32>,
    /// Begins once, then.
    pub(crate) from: Option<u64>,
    /// Ends then.
    pub(crate) until: Option<u64>,
}

/// A window to be made.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WindowRequest {
    /// The version of the rules that it was written under.
    pub(crate) base: u64,
    /// The window.
    pub(crate) window: MaintenanceWindow,
}

/// A window to be ended: it is taken out of the rules.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EndWindowRequest {
    /// The version of the rules that were shown.
    pub(crate) base: u64,
    /// Its name.
    pub(crate) name: String,
}
