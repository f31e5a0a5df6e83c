//! What checks say, and how alerts begin and end.

use bartizan_trust::time::UnixSeconds;

use super::limits;
use super::machine::{Key, Machine, Subject};
use super::types::{Alert, Happening, Observation, Phase, Severity};
use crate::checks::CheckState;

impl Machine {
    /// An endpoint says how a check stands. Observations of one endpoint come in the order in which they were made, but for what
    /// broken clocks and lost spools do to it.
    pub fn handle_observation(&mut self, observation: Observation, now: UnixSeconds) {
        let observation = observation.tidied(now);
        let key = Key {
            subject: Subject::Endpoint(observation.endpoint),
            check: observation.key.clone(),
            instance: observation.instance.clone(),
        };
        if self.is_disordered(&key, &observation, now) {
            if let Some(mut alert) = self.find(&key).cloned() {
                let text = format!("{:?}, judged before what is known already", observation.state);
                self.record(&mut alert, now, Happening::Disordered, &text);
                self.keep(alert);
            }
            return;
        }
        if self.seen.len() >= limits::SEEN_MAX && !self.seen.contains_key(&key) {
            self.seen.clear();
        }
        self.seen.insert(key.clone(), (observation.at, now));
        match observation.state {
            // What nobody looks at any more needs nobody.
            CheckState::Ok | CheckState::Gone => self.handle_well(&key, &observation, now),
            CheckState::Warn => self.handle_ill(&key, Severity::Warning, &observation, now),
            CheckState::Error => self.handle_ill(&key, Severity::Error, &observation, now),
            CheckState::Unknown => self.handle_unknown(&key, &observation, now),
        }
    }

    fn is_disordered(&self, key: &Key, observation: &Observation, now: UnixSeconds) -> bool {
        let newer = |(at, heard): &(UnixSeconds, UnixSeconds)| {
            observation.at < *at && now.since(*heard) < limits::REORDER_S
        };
        self.seen.get(key).is_some_and(newer)
    }

    fn handle_well(&mut self, key: &Key, observation: &Observation, now: UnixSeconds) {
        let Some(mut alert) = self.find(key).cloned() else { return };
        match alert.phase {
            Phase::Waiting if alert.late => {
                // It began and ended while nobody listened: known, but nobody is called.
                alert.phase = Phase::Resolved;
                (alert.resolved, alert.due) = (Some(now), None);
                alert.at = observation.at;
                self.record(&mut alert, now, Happening::Past, &observation.text);
                self.keep(alert);
            }
            Phase::Waiting => self.withdraw(alert, now),
            Phase::Open | Phase::Acknowledged => {
                alert.at = observation.at;
                self.recover(alert, &observation.text, now);
            }
            Phase::Resolved => {}
        }
    }

    /// It was over before anybody was told. An alert that was there before goes back to being over.
    pub(super) fn withdraw(&mut self, mut alert: Alert, now: UnixSeconds) {
        if alert.opened.is_none() {
            self.forget(alert.id);
            return;
        }
        alert.phase = Phase::Resolved;
        (alert.resolved, alert.due) = (Some(now), None);
        self.keep(alert);
    }

    /// It is well again. A flapping alert has to stay well for a while before it is over.
    pub(super) fn recover(&mut self, mut alert: Alert, text: &str, now: UnixSeconds) {
        alert.changed = now;
        if alert.calm.is_some() {
            if !alert.well {
                alert.well = true;
                alert.calm = Some(now.plus(limits::CALM_S));
            }
            self.keep(alert);
            return;
        }
        self.end(&mut alert, now);
        self.record(&mut alert, now, Happening::Resolved, text);
        self.keep(alert);
    }

    /// Ends an alert; whoever was told of it is told of the end.
    pub(super) fn end(&mut self, alert: &mut Alert, now: UnixSeconds) {
        alert.owes = self.told_of(alert);
        alert.phase = Phase::Resolved;
        (alert.resolved, alert.changed) = (Some(now), now);
        (alert.due, alert.calm, alert.well) = (None, None, false);
        (alert.hidden_by, alert.hold, alert.base, alert.told) = (None, None, None, None);
        alert.sent.clear();
        alert.acknowledged = None;
    }

    fn handle_ill(
        &mut self,
        key: &Key,
        severity: Severity,
        observation: &Observation,
        now: UnixSeconds,
    ) {
        let late = now.since(observation.at) > limits::LATE_S;
        let due = if late { now.plus(limits::SETTLE_S) } else { now };
        let Some(mut alert) = self.find(key).cloned() else {
            let Some(mut alert) = self.room_for(key, severity, now) else { return };
            fill(&mut alert, severity, observation);
            (alert.late, alert.due) = (late, Some(due));
            return self.begin(alert, now);
        };
        match alert.phase {
            Phase::Resolved => {
                fill(&mut alert, severity, observation);
                (alert.late, alert.due) = (late, Some(due));
                self.begin(alert, now);
            }
            Phase::Waiting => {
                fill(&mut alert, severity, observation);
                alert.late &= late;
                alert.due = Some(due);
                self.begin(alert, now);
            }
            Phase::Open | Phase::Acknowledged => self.go_on(alert, severity, observation, now),
        }
    }

    fn go_on(
        &mut self,
        mut alert: Alert,
        severity: Severity,
        observation: &Observation,
        now: UnixSeconds,
    ) {
        let before = alert.severity;
        fill(&mut alert, severity, observation);
        if alert.calm.is_some() {
            // While it flaps, only that it does is kept.
            if alert.well {
                alert.well = false;
                alert.calm = Some(now.plus(limits::CALM_S));
            }
        } else if severity > before {
            alert.changed = now;
            self.record(&mut alert, now, Happening::Worse, severity.name());
            if alert.told.is_none_or(|told| told < severity) {
                // Whoever looks after it did so when it was not so bad.
                alert.phase = Phase::Open;
                alert.acknowledged = None;
                alert.sent.clear();
                alert.base = None;
            }
        } else if severity < before {
            alert.changed = now;
            self.record(&mut alert, now, Happening::Better, severity.name());
        }
        let id = alert.id;
        self.keep(alert);
        self.step(id, now);
    }

    fn handle_unknown(&mut self, key: &Key, observation: &Observation, now: UnixSeconds) {
        if let Some(alert) = self.find(key).filter(|alert| alert.phase != Phase::Resolved) {
            // What was wrong is not well because nobody can look.
            let mut alert = alert.clone();
            alert.text.clone_from(&observation.text);
            return self.keep(alert);
        }
        let known = self.find(key).cloned();
        let Some(mut alert) = known.or_else(|| self.room_for(key, Severity::Warning, now)) else {
            return;
        };
        fill(&mut alert, Severity::Warning, observation);
        let text = format!("could not be judged: {}", observation.text);
        alert.text = super::types::plain(&text, limits::TEXT_BYTES_MAX);
        (alert.late, alert.due) = (false, Some(now.plus(limits::UNKNOWN_AFTER_S)));
        self.begin(alert, now);
    }

    /// Makes it wait, or opens it if it is due.
    pub(super) fn begin(&mut self, mut alert: Alert, now: UnixSeconds) {
        alert.phase = Phase::Waiting;
        alert.changed = now;
        let id = alert.id;
        self.keep(alert);
        self.step(id, now);
    }

    /// A new alert, if the endpoint does not have too many. One alert says that it has.
    fn room_for(&mut self, key: &Key, severity: Severity, now: UnixSeconds) -> Option<Alert> {
        let Subject::Endpoint(endpoint) = key.subject else {
            return Some(self.make(key, severity, now));
        };
        let of_it = self.alerts.values().filter(|alert| alert.endpoint == Some(endpoint)).count();
        if of_it < limits::ENDPOINT_ALERTS_MAX {
            return Some(self.make(key, severity, now));
        }
        let flood = Key { check: super::FLOOD.to_owned(), instance: String::new(), ..key.clone() };
        if self.find(&flood).is_none_or(|alert| alert.phase == Phase::Resolved) {
            let mut alert = self.make(&flood, Severity::Error, now);
            let most = limits::ENDPOINT_ALERTS_MAX;
            alert.text = format!("this endpoint has {most} alerts; more are not kept");
            alert.due = Some(now);
            self.begin(alert, now);
        }
        None
    }
}

fn fill(alert: &mut Alert, severity: Severity, observation: &Observation) {
    alert.severity = severity;
    alert.text.clone_from(&observation.text);
    (alert.since, alert.at) = (observation.since, observation.at);
}
