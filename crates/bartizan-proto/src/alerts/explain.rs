//! Why an alert is told, or is not.

use bartizan_trust::id::AlertId;
use bartizan_trust::time::UnixSeconds;

use super::machine::Machine;
use super::rules::is_link;
use super::types::{Alert, Phase, Why};

impl Machine {
    /// Everything that decides what is sent of an alert now, in the order in which it is looked at.
    pub fn explain(&self, id: AlertId, now: UnixSeconds) -> Option<Vec<Why>> {
        let alert = self.alerts.get(&id)?;
        let mut why = Vec::new();
        let mut say = |about: &str, says: String| why.push(Why { about: about.to_owned(), says });
        say("state", state(alert));
        say("rule", self.rule(alert));
        if let Some(cause) = alert.hidden_by {
            say("dependency", format!("a consequence of {cause}: only that one is told"));
        }
        if let Some(calm) = alert.calm {
            say(
                "flapping",
                format!(
                    "goes up and down; quiet until it has held still, at the earliest at {}",
                    calm.get()
                ),
            );
        }
        if let Some(hold) = alert.hold.filter(|hold| now < *hold) {
            say(
                "dependency",
                format!("released a moment ago; told from {} on if it is still so", hold.get()),
            );
        }
        if let Some((window, until)) = self.rules.window(alert, now) {
            say(
                "window",
                format!(
                    "in the maintenance window `{}` until {}: nothing is sent",
                    window.name,
                    until.get()
                ),
            );
        }
        if let Some(who) = &alert.acknowledged {
            say(
                "acknowledged",
                format!(
                    "{} looks after it: nothing more is sent unless it gets worse",
                    who.operator
                ),
            );
        }
        self.explain_routes(alert, now, &mut say);
        Some(why)
    }

    fn rule(&self, alert: &Alert) -> String {
        let known = alert.endpoint.and_then(|id| Some((id, self.endpoints.get(&id)?)));
        match known {
            Some((id, known)) if is_link(alert) => {
                let (rule, says) = self.rules.offline(id, &known.facts);
                match rule {
                    Some((severity, after_s)) => format!(
                        "{says}: {} when it is away for {} minutes",
                        severity.name(),
                        after_s / 60
                    ),
                    None => format!("{says}: its link is no alert any more"),
                }
            }
            Some(_) => "the check's own policy, judged on the endpoint".to_owned(),
            None => "most links were lost together: one alert for all of them".to_owned(),
        }
    }

    fn explain_routes(&self, alert: &Alert, now: UnixSeconds, say: &mut impl FnMut(&str, String)) {
        let routes = &self.rules.document().routes;
        if routes.is_empty() {
            say(
                "route",
                "there are no routes: alerts are kept and shown, nothing is sent".to_owned(),
            );
        }
        let mut is_taken = false;
        for route in routes {
            let name = &route.name;
            if is_taken {
                say("route", format!("`{name}`: not looked at, an earlier one was taken"));
                continue;
            }
            if let Some(refuses) = self.rules.refuses(route, alert, now) {
                say("route", format!("`{name}`: {refuses}"));
                continue;
            }
            is_taken = !route.also;
            say("route", format!("`{name}`: taken"));
            for (at, step) in route.steps.iter().enumerate() {
                let to = step.channels.join(", ");
                let sent = alert.sent.iter().find(|sent| sent.route == *name && sent.step == at);
                let says = match (sent, alert.base) {
                    (Some(sent), _) => format!("sent to {to} at {}", sent.last.get()),
                    (None, Some(base)) => {
                        let due = base.plus(u64::from(step.after_min) * 60);
                        format!("to {to} at {}, if nobody looks after it", due.get())
                    }
                    (None, None) => {
                        format!("to {to}, {} minutes after it can be sent", step.after_min)
                    }
                };
                say("step", says);
            }
        }
    }
}

fn state(alert: &Alert) -> String {
    match (alert.phase, alert.due, alert.opened, alert.resolved) {
        (Phase::Waiting, Some(due), ..) => {
            format!("waits: opens at {} if it is still so", due.get())
        }
        (Phase::Open | Phase::Acknowledged, _, Some(opened), _) => {
            format!(
                "{} since {}; by the endpoint's clock since {}",
                alert.phase.name(),
                opened.get(),
                alert.since.get()
            )
        }
        (Phase::Resolved, _, None, Some(at)) => {
            format!("was over before the server heard of it at {}", at.get())
        }
        (Phase::Resolved, _, _, Some(at)) => format!("resolved at {}", at.get()),
        (phase, ..) => phase.name().to_owned(),
    }
}
