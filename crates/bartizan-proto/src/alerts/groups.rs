//! Links, and what many lost links have in common: a site, or the server's own network.

use std::collections::{BTreeMap, BTreeSet};

use bartizan_trust::id::{AlertId, EndpointId, SiteId, TenantId};
use bartizan_trust::time::UnixSeconds;

use super::machine::{Key, Link, Machine, Subject};
use super::types::{Alert, Phase, Severity};
use super::{LINK, NETWORK, SITE, limits, rules};

/// Endpoints that can lose their links together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Group {
    /// Everything: the server's own network.
    Network,
    /// A site.
    Site(Option<TenantId>, Option<SiteId>),
}

impl Group {
    /// The group an alert is about.
    pub(super) fn of(alert: &Alert) -> Option<Self> {
        match alert.key.as_str() {
            NETWORK if alert.endpoint.is_none() => Some(Self::Network),
            SITE if alert.endpoint.is_none() => {
                Some(Self::Site(alert.tenant.clone(), alert.site.clone()))
            }
            _ => None,
        }
    }

    fn key(&self) -> Key {
        let (subject, key) = match self {
            Self::Network => (Subject::Server, NETWORK),
            Self::Site(tenant, site) => (Subject::Site(tenant.clone(), site.clone()), SITE),
        };
        Key { subject, check: key.to_owned(), instance: String::new() }
    }

    /// Whether so many losses together are one.
    fn is_lost(&self, tally: &Tally) -> bool {
        let lost = tally.recent;
        let most = 2 * lost > lost + tally.up;
        most && match self {
            Self::Network => lost >= limits::NETWORK_LOST_MIN && tally.sites.len() >= 2,
            Self::Site(..) => lost >= limits::SITE_LOST_MIN,
        }
    }
}

/// How the links of a group stand.
#[derive(Debug, Default)]
struct Tally {
    up: usize,
    /// Lost just now.
    recent: usize,
    first: Option<UnixSeconds>,
    sites: BTreeSet<(Option<TenantId>, Option<SiteId>)>,
    /// When each of those that are away was lost.
    lost: Vec<UnixSeconds>,
}

fn link_key(id: EndpointId) -> Key {
    Key { subject: Subject::Endpoint(id), check: LINK.to_owned(), instance: String::new() }
}

impl Machine {
    /// An endpoint was away already when the server was stopped: its alert, if any, is in the database.
    pub fn set_away(&mut self, id: EndpointId, since: UnixSeconds) {
        if let Some(known) = self.endpoints.get_mut(&id) {
            known.link = Link::Down { since };
        }
    }

    /// The link of an endpoint has come up or was lost.
    pub fn handle_link(&mut self, id: EndpointId, is_up: bool, now: UnixSeconds) {
        let Some(known) = self.endpoints.get_mut(&id) else { return };
        match (known.link, is_up) {
            (Link::Up, true) | (Link::Down { .. }, false) => return,
            (Link::Unknown | Link::Down { .. }, true) => {
                known.link = Link::Up;
                self.find_again(id, now);
            }
            // Within the grace after a start it is like one that has not come yet.
            (Link::Unknown | Link::Up, false) if self.grace_until.is_some() => {
                known.link = Link::Unknown;
            }
            (Link::Unknown | Link::Up, false) => {
                known.link = Link::Down { since: now };
                self.lose(id, now);
            }
        }
        self.links_changed = true;
    }

    fn find_again(&mut self, id: EndpointId, now: UnixSeconds) {
        self.grant_wishes(id, now);
        let Some(mut alert) = self.find(&link_key(id)).cloned() else { return };
        match alert.phase {
            Phase::Waiting => self.withdraw(alert, now),
            Phase::Open | Phase::Acknowledged => {
                alert.at = now;
                self.recover(alert, "connected again", now);
            }
            Phase::Resolved => {}
        }
    }

    fn lose(&mut self, id: EndpointId, now: UnixSeconds) {
        let Some(known) = self.endpoints.get(&id) else { return };
        let (Some((severity, after_s)), _) = self.rules.offline(id, &known.facts) else { return };
        let key = link_key(id);
        let alert = self.find(&key).cloned();
        if alert.as_ref().is_some_and(|alert| {
            matches!(alert.phase, Phase::Waiting | Phase::Acknowledged)
                || (alert.phase == Phase::Open && alert.calm.is_none())
        }) {
            return;
        }
        let mut alert = alert.unwrap_or_else(|| self.make(&key, severity, now));
        alert.severity = severity;
        "not connected".clone_into(&mut alert.text);
        (alert.since, alert.at, alert.late) = (now, now, false);
        if alert.phase == Phase::Open {
            alert.well = false;
            alert.calm = Some(now.plus(limits::CALM_S));
            return self.keep(alert);
        }
        alert.due = Some(now.plus(after_s));
        self.begin(alert, now);
    }

    /// After a start everybody had time to come back; who did not is away from now on.
    pub(super) fn end_grace(&mut self, now: UnixSeconds) {
        if self.grace_until.is_none_or(|until| now < until) {
            return;
        }
        self.grace_until = None;
        let missing = |(id, known): (&EndpointId, &super::machine::Known)| {
            (known.link == Link::Unknown).then_some(*id)
        };
        let missing: Vec<EndpointId> = self.endpoints.iter().filter_map(missing).collect();
        for id in missing {
            if let Some(known) = self.endpoints.get_mut(&id) {
                known.link = Link::Down { since: now };
            }
            self.lose(id, now);
        }
        self.links_changed = true;
    }

    /// Whether most links of a site, or of all, were lost together, or have come back.
    pub(super) fn judge_groups(&mut self, now: UnixSeconds) {
        if !self.links_changed || self.grace_until.is_some() {
            return;
        }
        self.links_changed = false;
        let tallies = self.tallies(now);
        for (group, tally) in &tallies {
            match self.groups.get(group).copied() {
                None if group.is_lost(tally) => self.lose_group(group, tally, now),
                None => {}
                Some(id) => self.look_at_group(group, id, tally, now),
            }
        }
        let left: Vec<Group> =
            self.groups.keys().filter(|group| !tallies.contains_key(group)).cloned().collect();
        for group in left {
            if let Some(id) = self.groups.get(&group).copied() {
                self.look_at_group(&group, id, &Tally::default(), now);
            }
        }
    }

    /// Only endpoints whose loss is an alert count: that people go home is no loss of a site.
    fn tallies(&self, now: UnixSeconds) -> BTreeMap<Group, Tally> {
        let mut tallies: BTreeMap<Group, Tally> = BTreeMap::new();
        for (id, known) in &self.endpoints {
            if self.rules.offline(*id, &known.facts).0.is_none() {
                continue;
            }
            let place = (known.facts.tenant.clone(), known.facts.site.clone());
            for group in [Group::Network, Group::Site(place.0.clone(), place.1.clone())] {
                let tally = tallies.entry(group).or_default();
                match known.link {
                    Link::Up => tally.up += 1,
                    Link::Unknown => {}
                    Link::Down { since } => {
                        tally.lost.push(since);
                        if now.since(since) <= limits::TOGETHER_S {
                            tally.recent += 1;
                            tally.first = Some(tally.first.map_or(since, |first| first.min(since)));
                            tally.sites.insert(place.clone());
                        }
                    }
                }
            }
        }
        tallies
    }

    fn lose_group(&mut self, group: &Group, tally: &Tally, now: UnixSeconds) {
        let key = group.key();
        let known = self.find(&key).cloned();
        let mut alert = known.unwrap_or_else(|| self.make(&key, Severity::Critical, now));
        let all = tally.recent + tally.up;
        alert.text = match group {
            Group::Network => format!(
                "{} of {all} endpoints at {} sites lost their connection together: look at the server's own network",
                tally.recent,
                tally.sites.len()
            ),
            Group::Site(..) => {
                format!(
                    "{} of {all} endpoints of this site lost their connection together",
                    tally.recent
                )
            }
        };
        (alert.since, alert.at) = (tally.first.unwrap_or(now), now);
        alert.due = Some(now.plus(limits::GROUP_AFTER_S));
        self.groups.insert(group.clone(), alert.id);
        self.begin(alert, now);
    }

    /// It is over when no more than half of those that were lost with it, or since, are away.
    fn look_at_group(&mut self, group: &Group, id: AlertId, tally: &Tally, now: UnixSeconds) {
        let Some(mut alert) = self.alerts.get(&id).cloned() else {
            self.groups.remove(group);
            return;
        };
        let together = alert.since.get().saturating_sub(limits::TOGETHER_S);
        let away = tally.lost.iter().filter(|since| since.get() >= together).count();
        if away > 0 && 2 * away > away + tally.up {
            return;
        }
        self.groups.remove(group);
        match alert.phase {
            Phase::Waiting => self.withdraw(alert, now),
            Phase::Open | Phase::Acknowledged => {
                alert.at = now;
                self.recover(alert, "most are connected again", now);
            }
            Phase::Resolved => {}
        }
    }

    /// The alert whose consequence this one is.
    pub(super) fn cause(&self, alert: &Alert) -> Option<AlertId> {
        let network = self.groups.get(&Group::Network).copied();
        if Group::of(alert) == Some(Group::Network) {
            return None;
        }
        if Group::of(alert).is_some() {
            return network;
        }
        let id = alert.endpoint.filter(|_| rules::is_link(alert))?;
        let known = self.endpoints.get(&id)?;
        let Link::Down { since } = known.link else { return None };
        let site = Group::Site(known.facts.tenant.clone(), known.facts.site.clone());
        let together = |group: &AlertId| {
            self.alerts.get(group).is_some_and(|group| {
                since.get() >= group.since.get().saturating_sub(limits::TOGETHER_S)
            })
        };
        let groups = [network, self.groups.get(&site).copied()];
        groups.into_iter().flatten().find(together).or_else(|| self.lost_parent(id))
    }

    /// An endpoint through which this one is reached, and which is away itself.
    fn lost_parent(&self, id: EndpointId) -> Option<AlertId> {
        let known = self.endpoints.get(&id)?;
        self.rules.parents(id, &known.facts).find_map(|parent| {
            let alert = self.find(&link_key(parent))?;
            (alert.phase != Phase::Resolved && !alert.well).then_some(alert.id)
        })
    }
}
