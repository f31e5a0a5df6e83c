//! The nouns of alerts.

use bartizan_trust::id::{
    AlertId, EndpointId, Id, NotificationId, OperatorId, Sha256, SiteId, TenantId,
};
use bartizan_trust::time::UnixSeconds;
use serde::{Deserialize, Serialize};

use super::limits;
use crate::checks::CheckState;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Somebody should look.
    Warning,
    /// Something does not work.
    Error,
    /// Many things do not work.
    Critical,
}

impl Severity {
    /// In words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
        }
    }
}

/// What an endpoint says of one check. Hostile until [`Observation::tidied`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Observation {
    /// Who says it.
    pub endpoint: EndpointId,
    /// Which check.
    pub key: String,
    /// Of what: a mount point, a service.
    pub instance: String,
    /// How it stands.
    pub state: CheckState,
    /// Since when, as the endpoint claims.
    pub since: UnixSeconds,
    /// When it was judged, as the endpoint claims.
    pub at: UnixSeconds,
    /// For people.
    pub text: String,
}

impl Observation {
    /// Within limits, without control characters, and not from the future.
    #[must_use]
    pub fn tidied(mut self, now: UnixSeconds) -> Self {
        self.key = plain(&self.key, limits::KEY_BYTES_MAX);
        self.instance = plain(&self.instance, limits::INSTANCE_BYTES_MAX);
        self.text = plain(&self.text, limits::TEXT_BYTES_MAX);
        self.at = self.at.min(now);
        self.since = self.since.min(self.at);
        self
    }
}

/// Text on one line: control characters and marks that turn or hide text are replaced, what is too long is cut.
pub(crate) fn plain(text: &str, bytes_max: usize) -> String {
    let hides = |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    let mut out = String::new();
    for c in text.chars() {
        let shown = if c.is_control() || hides(c) { '\u{fffd}' } else { c };
        if out.len() + shown.len_utf8() > bytes_max {
            break;
        }
        out.push(shown);
    }
    out
}

/// What is known of an endpoint besides its observations. Name and system are hostile text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointFacts {
    /// Whose it is.
    pub tenant: Option<TenantId>,
    /// Where it stands.
    pub site: Option<SiteId>,
    /// Its name, as it says.
    pub hostname: String,
    /// Its system, as it says.
    pub os: String,
}

/// How far an alert has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// It may be over before anybody needs to know.
    Waiting,
    /// Somebody is needed.
    Open,
    /// Somebody looks after it.
    Acknowledged,
    /// It is over.
    Resolved,
}

impl Phase {
    /// In words, as the database has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Open => "open",
            Self::Acknowledged => "acknowledged",
            Self::Resolved => "resolved",
        }
    }
}

/// Who looks after an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acknowledgement {
    /// Who.
    pub operator: OperatorId,
    /// Since when.
    pub at: UnixSeconds,
    /// In their words.
    pub note: String,
}

/// A step of a route that was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sent {
    /// Name of the route.
    pub route: String,
    /// Which of its steps, from 0.
    pub step: usize,
    /// When its message was sent last.
    pub last: UnixSeconds,
}

/// An alert. Everything the machine must remember of it is in here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alert {
    /// Its id.
    pub id: AlertId,
    /// Whose check it is; none for sites and the server.
    pub endpoint: Option<EndpointId>,
    /// Of which tenant.
    pub tenant: Option<TenantId>,
    /// At which site.
    pub site: Option<SiteId>,
    /// Which check, or `link`, `site.link`, `server.network`, `alerts.flood`.
    pub key: String,
    /// Of what.
    pub instance: String,
    /// How far it has come.
    pub phase: Phase,
    /// How bad it is now.
    pub severity: Severity,
    /// For people; hostile text.
    pub text: String,
    /// Since when, as the endpoint claims.
    pub since: UnixSeconds,
    /// When it was judged last, as the endpoint claims.
    pub at: UnixSeconds,
    /// When the server opened it.
    pub opened: Option<UnixSeconds>,
    /// When something last happened to it.
    pub changed: UnixSeconds,
    /// When it is over: the server's time.
    pub resolved: Option<UnixSeconds>,
    /// Opens then, if it is still so.
    pub due: Option<UnixSeconds>,
    /// Its beginning was told late; nobody was told of it then.
    pub late: bool,
    /// Whose consequence it is.
    pub hidden_by: Option<AlertId>,
    /// Nothing is sent before.
    pub hold: Option<UnixSeconds>,
    /// Openings of the last hour.
    pub opens: Vec<UnixSeconds>,
    /// It flaps, and is quiet until then.
    pub calm: Option<UnixSeconds>,
    /// While it flaps: whether it is well right now.
    pub well: bool,
    /// Who looks after it.
    pub acknowledged: Option<Acknowledgement>,
    /// Since when it could be sent: steps count from here.
    pub base: Option<UnixSeconds>,
    /// The worst severity that was sent.
    pub told: Option<Severity>,
    /// Steps taken.
    pub sent: Vec<Sent>,
    /// Its end must be told to these channels.
    pub owes: Vec<String>,
    /// Lines of its history.
    pub entries: u32,
}

/// What happened to an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Happening {
    /// It began.
    Opened,
    /// It came back.
    Reopened,
    /// It got worse.
    Worse,
    /// It got better, but is not over.
    Better,
    /// It goes up and down; nothing is sent until it is calm.
    Flapping,
    /// It is calm again.
    Calm,
    /// A consequence of another alert.
    Hidden,
    /// No longer a consequence of another alert.
    Released,
    /// Somebody looks after it.
    Acknowledged,
    /// Somebody wrote a note.
    Note,
    /// It is over.
    Resolved,
    /// It was over before the server heard of it.
    Past,
    /// A result came out of order and changes nothing.
    Disordered,
    /// A message goes out.
    Sent,
    /// A message could not be delivered.
    Undelivered,
    /// More is not kept.
    Full,
}

/// A line of an alert's history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Of which alert.
    pub alert: AlertId,
    /// When, by the server's clock.
    pub at: UnixSeconds,
    /// When, as the endpoint claims.
    pub claimed: Option<UnixSeconds>,
    /// What.
    pub what: Happening,
    /// By whom.
    pub operator: Option<OperatorId>,
    /// In words; may hold hostile text.
    pub text: String,
}

/// Why a message goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reason {
    /// Something is wrong.
    Opened,
    /// It is worse than before.
    Worse,
    /// It goes up and down.
    Flapping,
    /// Nobody looked after it in time.
    Escalated,
    /// It is still so.
    Again,
    /// It is over.
    Resolved,
    /// An endpoint that somebody waited for is back.
    Back,
    /// Somebody tries the channel.
    Test,
}

impl Reason {
    /// In words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Worse => "worse",
            Self::Flapping => "flapping",
            Self::Escalated => "escalated",
            Self::Again => "again",
            Self::Resolved => "resolved",
            Self::Back => "back",
            Self::Test => "test",
        }
    }
}

/// What a message says. Host name, key, instance and text are hostile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// Why it is sent.
    pub reason: Reason,
    /// Of which alert; none for a test or for an endpoint that is back.
    pub alert: Option<AlertId>,
    /// How bad it is.
    pub severity: Option<Severity>,
    /// Of which endpoint.
    pub endpoint: Option<EndpointId>,
    /// Its name.
    pub hostname: String,
    /// Whose it is.
    pub tenant: Option<TenantId>,
    /// Where it stands.
    pub site: Option<SiteId>,
    /// Which check.
    pub key: String,
    /// Of what.
    pub instance: String,
    /// In words.
    pub text: String,
    /// Since when, as the endpoint claims.
    pub since: UnixSeconds,
    /// When it was decided to send it.
    pub at: UnixSeconds,
    /// Endpoints that are hidden behind it.
    pub hidden: u64,
}

/// A message that waits for its channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// The same for each attempt.
    pub id: NotificationId,
    /// Over which channel.
    pub channel: String,
    /// What it says.
    pub message: Message,
}

impl Notification {
    /// Names a message by all that makes it one.
    pub fn new(channel: &str, message: Message, salt: &str) -> Self {
        let alert = message.alert.map_or_else(String::new, |id| id.to_string());
        let endpoint = message.endpoint.map_or_else(String::new, |id| id.to_string());
        let at = message.at.get().to_string();
        let parts = [&alert, &endpoint, channel, message.reason.name(), &at, salt];
        let text = parts.join("\n");
        Self { id: Id::new(Sha256::of(text.as_bytes())), channel: channel.to_owned(), message }
    }
}

/// An operator who wants to know when an endpoint is back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wish {
    /// Which endpoint.
    pub endpoint: EndpointId,
    /// Who waits.
    pub operator: OperatorId,
    /// Where to tell it.
    pub channel: String,
    /// Since when.
    pub at: UnixSeconds,
}

/// What an operator does with an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OperatorDeed {
    /// "I look after it."
    Acknowledge,
    /// "It is over."
    Resolve,
    /// Just words.
    Note,
}

/// One reason why an alert is told, or is not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Why {
    /// `state`, `rule`, `window`, `dependency`, `flapping`, `route`, `step`, `next` …
    pub about: String,
    /// In words.
    pub says: String,
}
