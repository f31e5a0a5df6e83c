//! What is sent of an alert, and when.

use bartizan_trust::id::AlertId;
use bartizan_trust::time::UnixSeconds;

use super::document::RouteRule;
use super::limits;
use super::machine::Machine;
use super::rules::is_link;
use super::types::{Alert, Happening, Message, Notification, Phase, Reason, Sent};

const MINUTE_S: u64 = 60;

/// A step that is due.
struct Due {
    route: String,
    step: usize,
    channels: Vec<String>,
    reason: Reason,
}

impl Machine {
    /// Does what is due with one alert.
    pub(super) fn step(&mut self, id: AlertId, now: UnixSeconds) {
        let Some(before) = self.alerts.get(&id) else { return };
        let idle = match before.phase {
            Phase::Waiting => before.due.is_some_and(|due| now < due),
            Phase::Resolved => before.owes.is_empty(),
            Phase::Open | Phase::Acknowledged => false,
        };
        // Right after a start nobody knows which links are lost.
        if idle || (self.grace_until.is_some() && is_link(before)) {
            return;
        }
        let before = before.clone();
        let mut alert = before.clone();
        self.advance(&mut alert, now);
        if alert != before {
            self.keep(alert);
        }
    }

    fn advance(&mut self, alert: &mut Alert, now: UnixSeconds) {
        if alert.phase == Phase::Waiting {
            self.open(alert, now);
        }
        if alert.calm.is_some_and(|calm| calm <= now) {
            alert.calm = None;
            alert.opens.clear();
            self.record(alert, now, Happening::Calm, "");
            if alert.well {
                self.end(alert, now);
                self.record(alert, now, Happening::Resolved, "well since it is calm");
            }
        }
        match alert.phase {
            Phase::Resolved => self.tell_end(alert, now),
            Phase::Waiting => {}
            Phase::Open | Phase::Acknowledged => {
                self.look_for_cause(alert, now);
                if alert.phase == Phase::Open && alert.hidden_by.is_none() {
                    self.tell(alert, now);
                }
            }
        }
    }

    fn open(&mut self, alert: &mut Alert, now: UnixSeconds) {
        let what = if alert.opened.is_some() { Happening::Reopened } else { Happening::Opened };
        alert.phase = Phase::Open;
        (alert.due, alert.resolved, alert.well) = (None, None, false);
        // Whoever was to be told of the last end hears of the new beginning instead.
        alert.owes.clear();
        alert.opened = Some(now);
        alert.changed = now;
        alert.opens.retain(|at| now.since(*at) < limits::FLAP_WINDOW_S);
        alert.opens.push(now);
        let text = alert.text.clone();
        self.record(alert, now, what, &text);
        if alert.opens.len() >= limits::FLAP_OPENS {
            alert.calm = Some(now.plus(limits::CALM_S));
            self.record(alert, now, Happening::Flapping, "");
        }
    }

    fn look_for_cause(&mut self, alert: &mut Alert, now: UnixSeconds) {
        let cause = self.cause(alert);
        match (alert.hidden_by, cause) {
            (None, Some(cause)) => {
                self.record(alert, now, Happening::Hidden, &format!("behind {cause}"));
            }
            (Some(_), None) => {
                alert.hold = Some(now.plus(limits::RELEASE_S));
                self.record(alert, now, Happening::Released, "");
            }
            (None, None) | (Some(_), Some(_)) => {}
        }
        alert.hidden_by = cause;
    }

    /// Sends what is due of an open alert.
    fn tell(&mut self, alert: &mut Alert, now: UnixSeconds) {
        let is_quiet = alert.hold.is_some_and(|hold| now < hold)
            || self.rules.window(alert, now).is_some()
            || (alert.calm.is_some() && !alert.sent.is_empty());
        if is_quiet {
            return;
        }
        alert.hold = None;
        let base = *alert.base.get_or_insert(now);
        let first = match (alert.calm, alert.told) {
            (Some(_), _) => Reason::Flapping,
            (None, Some(told)) if told < alert.severity => Reason::Worse,
            (None, _) => Reason::Opened,
        };
        let routes = self.rules.routes(alert, now);
        let due: Vec<Due> = routes
            .into_iter()
            .flat_map(|route| due_steps(route, alert, (base, first), now))
            .collect();
        for step in due {
            self.take_step(alert, &step, now);
        }
    }

    fn take_step(&mut self, alert: &mut Alert, due: &Due, now: UnixSeconds) {
        match alert.sent.iter_mut().find(|sent| sent.route == due.route && sent.step == due.step) {
            Some(sent) => sent.last = now,
            None => alert.sent.push(Sent { route: due.route.clone(), step: due.step, last: now }),
        }
        alert.told = alert.told.max(Some(alert.severity));
        let text =
            format!("{} to {} by route {}", due.reason.name(), due.channels.join(", "), due.route);
        self.record(alert, now, Happening::Sent, &text);
        for channel in &due.channels {
            let message = self.message(alert, due.reason, now);
            self.notify(Notification::new(channel, message, ""));
        }
    }

    fn tell_end(&mut self, alert: &mut Alert, now: UnixSeconds) {
        if alert.owes.is_empty() || self.rules.window(alert, now).is_some() {
            return;
        }
        let owes = core::mem::take(&mut alert.owes);
        self.record(alert, now, Happening::Sent, &format!("resolved to {}", owes.join(", ")));
        for channel in &owes {
            let message = self.message(alert, Reason::Resolved, now);
            self.notify(Notification::new(channel, message, ""));
        }
    }

    /// Channels that were told of this alert and want to be told of its end.
    pub(super) fn told_of(&self, alert: &Alert) -> Vec<String> {
        let mut channels: Vec<String> = Vec::new();
        for sent in &alert.sent {
            let routes = &self.rules.document().routes;
            let route = routes.iter().find(|route| route.name == sent.route);
            let step = route
                .filter(|route| route.recovery.unwrap_or(true))
                .and_then(|route| route.steps.get(sent.step));
            for channel in step.into_iter().flat_map(|step| &step.channels) {
                if !channels.contains(channel) {
                    channels.push(channel.clone());
                }
            }
        }
        channels
    }

    fn message(&self, alert: &Alert, reason: Reason, now: UnixSeconds) -> Message {
        let known = alert.endpoint.and_then(|id| self.endpoints.get(&id));
        let hidden = self.alerts.values().filter(|other| other.hidden_by == Some(alert.id)).count();
        Message {
            reason,
            alert: Some(alert.id),
            severity: Some(alert.severity),
            endpoint: alert.endpoint,
            hostname: known.map_or_else(String::new, |known| known.facts.hostname.clone()),
            tenant: alert.tenant.clone(),
            site: alert.site.clone(),
            key: alert.key.clone(),
            instance: alert.instance.clone(),
            text: alert.text.clone(),
            since: alert.since,
            at: now,
            hidden: u64::try_from(hidden).unwrap_or(u64::MAX),
        }
    }
}

/// The steps of a route that are due: new ones, and all that were taken if it is time to repeat.
fn due_steps(
    route: &RouteRule,
    alert: &Alert,
    (base, first): (UnixSeconds, Reason),
    now: UnixSeconds,
) -> Vec<Due> {
    let last =
        alert.sent.iter().filter(|sent| sent.route == route.name).map(|sent| sent.last).max();
    let again = route
        .resend_min
        .zip(last)
        .is_some_and(|(minutes, last)| now >= last.plus(u64::from(minutes) * MINUTE_S));
    let mut due = Vec::new();
    for (step, rule) in route.steps.iter().enumerate() {
        let is_taken = alert.sent.iter().any(|sent| sent.route == route.name && sent.step == step);
        let is_time = now >= base.plus(u64::from(rule.after_min) * MINUTE_S);
        let reason = match (is_taken, step) {
            (true, _) if again => Reason::Again,
            (false, 0) if is_time => first,
            (false, _) if is_time => Reason::Escalated,
            (true | false, _) => continue,
        };
        let (route, channels) = (route.name.clone(), rule.channels.clone());
        due.push(Due { route, step, channels, reason });
    }
    due
}
