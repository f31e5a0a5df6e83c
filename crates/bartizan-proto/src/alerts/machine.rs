//! The machine: what it remembers, what it is told, what it says.

use std::collections::{BTreeMap, HashMap};

use bartizan_trust::id::{AlertId, EndpointId, Id, OperatorId, Sha256, SiteId, TenantId};
use bartizan_trust::time::UnixSeconds;

use super::groups::Group;
use super::limits;
use super::rules::Rules;
use super::types::{
    Acknowledgement, Alert, EndpointFacts, Entry, Happening, Message, Notification, OperatorDeed,
    Phase, Reason, Severity, Wish, plain,
};

/// What an alert is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Subject {
    Endpoint(EndpointId),
    Site(Option<TenantId>, Option<SiteId>),
    Server,
}

/// By what alerts are told apart.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) subject: Subject,
    pub(super) check: String,
    pub(super) instance: String,
}

impl Key {
    fn of(alert: &Alert) -> Self {
        let subject = match (alert.endpoint, alert.key.as_str()) {
            (Some(id), _) => Subject::Endpoint(id),
            (None, super::NETWORK) => Subject::Server,
            (None, _) => Subject::Site(alert.tenant.clone(), alert.site.clone()),
        };
        Self { subject, check: alert.key.clone(), instance: alert.instance.clone() }
    }
}

/// Whether an endpoint is connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Link {
    /// Not heard of since the start.
    Unknown,
    Up,
    Down {
        since: UnixSeconds,
    },
}

#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) facts: EndpointFacts,
    pub(super) link: Link,
}

/// What is to be kept, all in one transaction.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Alerts as they are now.
    pub alerts: BTreeMap<AlertId, Alert>,
    /// Alerts that came to nothing: forget them and their history.
    pub forgotten: Vec<AlertId>,
    /// New lines of histories, in order.
    pub entries: Vec<Entry>,
    /// Messages to send.
    pub notifications: Vec<Notification>,
    /// Wishes that were granted.
    pub granted: Vec<Wish>,
}

impl Changes {
    /// Whether there is nothing to keep.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Decides which alerts there are and what is sent. Drive it with `handle_*`, then [`Machine::take_changes`].
#[derive(Debug)]
pub struct Machine {
    pub(super) rules: Rules,
    pub(super) alerts: BTreeMap<AlertId, Alert>,
    pub(super) by_key: HashMap<Key, AlertId>,
    pub(super) endpoints: BTreeMap<EndpointId, Known>,
    /// When each check was judged last by the endpoint's claim, and when the server heard it.
    pub(super) seen: HashMap<Key, (UnixSeconds, UnixSeconds)>,
    pub(super) groups: BTreeMap<Group, AlertId>,
    pub(super) links_changed: bool,
    pub(super) grace_until: Option<UnixSeconds>,
    wishes: Vec<Wish>,
    changes: Changes,
}

impl Machine {
    /// Begins at a start of the server, with the alerts that were not over, or not for long, and the wishes.
    pub fn new(rules: Rules, alerts: Vec<Alert>, wishes: Vec<Wish>, now: UnixSeconds) -> Self {
        let mut machine = Self {
            rules,
            alerts: BTreeMap::new(),
            by_key: HashMap::new(),
            endpoints: BTreeMap::new(),
            seen: HashMap::new(),
            groups: BTreeMap::new(),
            links_changed: true,
            grace_until: Some(now.plus(limits::GRACE_S)),
            wishes,
            changes: Changes::default(),
        };
        for alert in alerts {
            let key = Key::of(&alert);
            if let Some(group) = Group::of(&alert).filter(|_| alert.phase != Phase::Resolved) {
                machine.groups.insert(group, alert.id);
            }
            machine.seen.insert(key.clone(), (alert.at, alert.changed));
            machine.by_key.insert(key, alert.id);
            machine.alerts.insert(alert.id, alert);
        }
        machine
    }

    /// Other rules are in force.
    pub fn set_rules(&mut self, rules: Rules) {
        self.rules = rules;
        self.links_changed = true;
    }

    /// The rules in force.
    pub const fn rules(&self) -> &Rules {
        &self.rules
    }

    /// What is known of an endpoint: when the server starts, and whenever one introduces itself.
    pub fn set_endpoint(&mut self, id: EndpointId, facts: EndpointFacts) {
        let hostname = plain(&facts.hostname, limits::INSTANCE_BYTES_MAX);
        let facts = EndpointFacts { hostname, ..facts };
        match self.endpoints.get_mut(&id) {
            Some(known) => known.facts = facts,
            None => {
                self.endpoints.insert(id, Known { facts, link: Link::Unknown });
            }
        }
        self.links_changed = true;
    }

    /// An alert that this machine remembers.
    pub fn alert(&self, id: AlertId) -> Option<&Alert> {
        self.alerts.get(&id)
    }

    /// All alerts it remembers.
    pub fn alerts(&self) -> impl Iterator<Item = &Alert> {
        self.alerts.values()
    }

    /// Whether an endpoint is connected, as far as the machine was told.
    pub fn is_up(&self, id: EndpointId) -> bool {
        self.endpoints.get(&id).is_some_and(|known| known.link == Link::Up)
    }

    /// What has to be kept since the last time.
    pub fn take_changes(&mut self) -> Changes {
        core::mem::take(&mut self.changes)
    }

    /// An operator wants to be told once when an endpoint is back. False: too many wait already.
    pub fn wish(&mut self, wish: Wish) -> bool {
        if self.wishes.contains(&wish) {
            return true;
        }
        let room = self.wishes.len() < limits::WISHES_MAX;
        if room {
            self.wishes.push(wish);
        }
        room
    }

    pub(super) fn grant_wishes(&mut self, endpoint: EndpointId, now: UnixSeconds) {
        let (granted, left): (Vec<Wish>, Vec<Wish>) =
            self.wishes.drain(..).partition(|wish| wish.endpoint == endpoint);
        self.wishes = left;
        for wish in granted {
            let facts = self.endpoints.get(&endpoint).map(|known| known.facts.clone());
            let message = Message {
                reason: Reason::Back,
                alert: None,
                severity: None,
                endpoint: Some(endpoint),
                hostname: facts.as_ref().map_or_else(String::new, |facts| facts.hostname.clone()),
                tenant: facts.as_ref().and_then(|facts| facts.tenant.clone()),
                site: facts.and_then(|facts| facts.site),
                key: super::LINK.to_owned(),
                instance: String::new(),
                text: format!("{} asked to be told: the endpoint is back", wish.operator),
                since: now,
                at: now,
                hidden: 0,
            };
            let salt = wish.operator.to_string();
            self.changes.notifications.push(Notification::new(&wish.channel, message, &salt));
            self.changes.granted.push(wish);
        }
    }

    /// An operator does something with an alert. False: there is no such alert, or it is not in a state for it.
    pub fn handle_operator(
        &mut self,
        id: AlertId,
        deed: OperatorDeed,
        (operator, note): (&OperatorId, &str),
        now: UnixSeconds,
    ) -> bool {
        let note = plain(note, limits::NOTE_BYTES_MAX);
        let Some(mut alert) = self.alerts.get(&id).cloned() else { return false };
        let what = match deed {
            OperatorDeed::Acknowledge
                if matches!(alert.phase, Phase::Open | Phase::Acknowledged) =>
            {
                alert.phase = Phase::Acknowledged;
                let note = note.clone();
                alert.acknowledged =
                    Some(Acknowledgement { operator: operator.clone(), at: now, note });
                Happening::Acknowledged
            }
            OperatorDeed::Resolve if matches!(alert.phase, Phase::Open | Phase::Acknowledged) => {
                self.end(&mut alert, now);
                Happening::Resolved
            }
            OperatorDeed::Note => Happening::Note,
            OperatorDeed::Acknowledge | OperatorDeed::Resolve => return false,
        };
        alert.changed = now;
        self.record_by(&mut alert, now, what, &note, Some(operator.clone()));
        self.keep(alert);
        true
    }

    /// Time has passed: call it every second or so.
    pub fn handle_timeout(&mut self, now: UnixSeconds) {
        self.rules.judge_windows(now);
        self.end_grace(now);
        self.judge_groups(now);
        let ids: Vec<AlertId> = self.alerts.keys().copied().collect();
        for id in ids {
            self.step(id, now);
        }
        self.forget_old(now);
    }

    /// What has been over for a while is only in the database.
    fn forget_old(&mut self, now: UnixSeconds) {
        let over = |alert: &Alert| {
            alert.phase == Phase::Resolved
                && alert.owes.is_empty()
                && alert.resolved.is_none_or(|at| now.since(at) > limits::REOPEN_S)
        };
        let gone: Vec<AlertId> =
            self.alerts.values().filter(|alert| over(alert)).map(|alert| alert.id).collect();
        for id in gone {
            if let Some(alert) = self.alerts.remove(&id) {
                self.by_key.remove(&Key::of(&alert));
            }
        }
    }

    pub(super) fn find(&self, key: &Key) -> Option<&Alert> {
        self.by_key.get(key).and_then(|id| self.alerts.get(id))
    }

    /// A new alert; it is nothing yet.
    pub(super) fn make(&self, key: &Key, severity: Severity, now: UnixSeconds) -> Alert {
        let (endpoint, tenant, site) = match &key.subject {
            Subject::Endpoint(id) => {
                let facts = self.endpoints.get(id).map(|known| &known.facts);
                let tenant = facts.and_then(|facts| facts.tenant.clone());
                (Some(*id), tenant, facts.and_then(|facts| facts.site.clone()))
            }
            Subject::Site(tenant, site) => (None, tenant.clone(), site.clone()),
            Subject::Server => (None, None, None),
        };
        let text = format!("{key:?}\n{}", now.get());
        Alert {
            id: Id::new(Sha256::of(text.as_bytes())),
            endpoint,
            tenant,
            site,
            key: key.check.clone(),
            instance: key.instance.clone(),
            phase: Phase::Waiting,
            severity,
            text: String::new(),
            since: now,
            at: now,
            opened: None,
            changed: now,
            resolved: None,
            due: None,
            late: false,
            hidden_by: None,
            hold: None,
            opens: Vec::new(),
            calm: None,
            well: false,
            acknowledged: None,
            base: None,
            told: None,
            sent: Vec::new(),
            owes: Vec::new(),
            entries: 0,
        }
    }

    pub(super) fn keep(&mut self, alert: Alert) {
        self.by_key.insert(Key::of(&alert), alert.id);
        self.changes.alerts.insert(alert.id, alert.clone());
        self.alerts.insert(alert.id, alert);
    }

    pub(super) fn forget(&mut self, id: AlertId) {
        if let Some(alert) = self.alerts.remove(&id) {
            self.by_key.remove(&Key::of(&alert));
        }
        self.changes.alerts.remove(&id);
        self.changes.entries.retain(|entry| entry.alert != id);
        self.changes.forgotten.push(id);
    }

    pub(super) fn notify(&mut self, notification: Notification) {
        // Two routes that lead to one channel at the same moment are one message.
        if !self.changes.notifications.iter().any(|known| known.id == notification.id) {
            self.changes.notifications.push(notification);
        }
    }

    pub(super) fn record(
        &mut self,
        alert: &mut Alert,
        now: UnixSeconds,
        what: Happening,
        text: &str,
    ) {
        self.record_by(alert, now, what, text, None);
    }

    fn record_by(
        &mut self,
        alert: &mut Alert,
        now: UnixSeconds,
        what: Happening,
        text: &str,
        operator: Option<OperatorId>,
    ) {
        alert.entries = alert.entries.saturating_add(1);
        let what = match alert.entries.cmp(&limits::ENTRIES_MAX) {
            core::cmp::Ordering::Less => what,
            core::cmp::Ordering::Equal => Happening::Full,
            core::cmp::Ordering::Greater => return,
        };
        let text = text.to_owned();
        let entry =
            Entry { alert: alert.id, at: now, claimed: Some(alert.at), what, operator, text };
        self.changes.entries.push(entry);
    }
}
