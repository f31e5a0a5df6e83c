//! Alerts on the operator plane.

use bartizan_trust::id::{AlertId, EndpointId, NotificationId, OperatorId, SiteId, TenantId};
use bartizan_trust::time::UnixSeconds;
use serde::{Deserialize, Serialize};

use super::document::{Channel, RulesDocument};
use super::types::{Acknowledgement, Alert, Entry, Phase, Severity, Why};

/// An alert. Host name, check, instance and text are hostile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertRow {
    /// Its id.
    pub id: AlertId,
    /// How far it has come.
    pub phase: Phase,
    /// How bad it is.
    pub severity: Severity,
    /// Of which endpoint; none for sites and the server itself.
    pub endpoint: Option<EndpointId>,
    /// Its name, as it says.
    pub hostname: Option<String>,
    /// Of which tenant.
    pub tenant: Option<TenantId>,
    /// At which site.
    pub site: Option<SiteId>,
    /// Which check.
    pub check: String,
    /// Of what.
    pub instance: String,
    /// In words.
    pub text: String,
    /// Since when, as the endpoint claims.
    pub since: UnixSeconds,
    /// When it was judged last, as the endpoint claims.
    pub at: UnixSeconds,
    /// When the server opened it; none where it was over before the server heard of it.
    pub opened: Option<UnixSeconds>,
    /// When something last happened to it.
    pub changed: UnixSeconds,
    /// When it was over.
    pub resolved: Option<UnixSeconds>,
    /// Who looks after it.
    pub acknowledged: Option<Acknowledgement>,
    /// Behind which alert it is hidden.
    pub hidden_by: Option<AlertId>,
    /// How many are hidden behind it.
    pub hidden: u64,
    /// It goes up and down, and is quiet.
    pub flapping: bool,
}

impl AlertRow {
    /// As people see it.
    pub fn new(alert: Alert, hostname: Option<String>, hidden: u64) -> Self {
        Self {
            id: alert.id,
            phase: alert.phase,
            severity: alert.severity,
            endpoint: alert.endpoint,
            hostname,
            tenant: alert.tenant,
            site: alert.site,
            check: alert.key,
            instance: alert.instance,
            text: alert.text,
            since: alert.since,
            at: alert.at,
            opened: alert.opened,
            changed: alert.changed,
            resolved: alert.resolved,
            acknowledged: alert.acknowledged,
            hidden_by: alert.hidden_by,
            hidden,
            flapping: alert.calm.is_some(),
        }
    }
}

/// `GET /v1/alerts`: a window, newest change first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertPage {
    /// How many fit.
    pub total: u64,
    /// Some of them.
    pub alerts: Vec<AlertRow>,
}

/// A message about an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotificationRow {
    /// Its id, as receivers see it.
    pub id: NotificationId,
    /// Over which channel.
    pub channel: String,
    /// `waiting`, `sent` or `failed`.
    pub state: String,
    /// When it was decided.
    pub created: UnixSeconds,
    /// When it is tried next, or was settled.
    pub due: UnixSeconds,
    /// How often it was tried.
    pub tries: u64,
    /// What went wrong last.
    pub problem: Option<String>,
}

/// `GET /v1/alerts/{id}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertDetail {
    /// The alert.
    pub row: AlertRow,
    /// Its history, in order.
    pub history: Vec<Entry>,
    /// What was sent, or will be.
    pub notifications: Vec<NotificationRow>,
    /// What decides what is sent; empty for one that has been over for a while.
    pub why: Vec<Why>,
}

/// `POST /v1/alerts/{id}/acknowledge`, `resolve`, `note`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoteBody {
    /// In the operator's words.
    #[serde(default)]
    pub note: String,
}

/// `GET /v1/alerts/rules`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RulesAnswer {
    /// The rules in force; none: the defaults.
    pub document: Option<RulesDocument>,
    /// Their version, from 1; 0 for the defaults.
    pub version: u64,
    /// Earlier ones, newest first, the one in force included.
    pub history: Vec<RulesVersion>,
    /// Channels that rules can name.
    pub channels: Vec<Channel>,
}

/// Who put rules in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RulesVersion {
    /// Which.
    pub version: u64,
    /// When.
    pub at: UnixSeconds,
    /// Who.
    pub operator: OperatorId,
}

/// `PUT /v1/alerts/rules`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RulesBody {
    /// The version that these take the place of.
    pub base: u64,
    /// The document, read strictly.
    pub document: serde_json::Value,
}

/// Answer to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RulesStored {
    /// Their version.
    pub version: u64,
}

/// `POST /v1/alerts/test` and `POST /v1/endpoints/{id}/tell-me`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChannelBody {
    /// Name of a channel.
    pub channel: String,
}
