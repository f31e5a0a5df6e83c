//! Each rule by name, and generated histories against a naive reading of the rules.

mod checks;
mod document;
mod links;
mod model;
mod people;

use std::collections::BTreeMap;

use bartizan_trust::calendar::Offsets;
use bartizan_trust::id::{AlertId, EndpointId, Id, OperatorId, Sha256};
use bartizan_trust::time::UnixSeconds;
use serde_json::{Value, json};

use super::*;
use crate::checks::CheckState;

/// A Friday at noon, UTC.
const START: u64 = 1_795_780_800;

struct World {
    machine: Machine,
    now: u64,
    sent: Vec<Notification>,
    entries: Vec<Entry>,
    stored: BTreeMap<AlertId, Alert>,
}

fn endpoint(number: u64) -> EndpointId {
    EndpointId::new(Sha256::of(&number.to_le_bytes()))
}

fn operator() -> OperatorId {
    OperatorId::from_name("alice").unwrap()
}

fn channels() -> Vec<Channel> {
    ["mail", "hook", "boss"]
        .map(|name| Channel { name: name.to_owned(), kind: "email".to_owned() })
        .to_vec()
}

fn zones() -> BTreeMap<String, Offsets> {
    BTreeMap::from([("UTC".to_owned(), Offsets::UTC)])
}

fn rules(value: &Value) -> Rules {
    let document = RulesDocument::read(value).unwrap();
    assert_eq!(document.problems(&channels(), &zones()), Vec::<String>::new());
    Rules::new(Some(document), &channels(), zones())
}

fn everything_to_mail() -> Value {
    json!({ "routes": [{ "name": "all", "steps": [{ "channels": ["mail"] }] }] })
}

fn facts(site: &str) -> EndpointFacts {
    EndpointFacts {
        tenant: Some("tn_acme".parse().unwrap()),
        site: Some(format!("si_{site}").parse().unwrap()),
        hostname: "host".to_owned(),
        os: "Debian GNU/Linux 12".to_owned(),
    }
}

impl World {
    /// A server that has run for a while.
    fn new(value: &Value) -> Self {
        let machine =
            Machine::new(rules(value), Vec::new(), Vec::new(), UnixSeconds::new(START - 1000));
        let mut world = Self {
            machine,
            now: START - 1000,
            sent: Vec::new(),
            entries: Vec::new(),
            stored: BTreeMap::new(),
        };
        world.pass(1000);
        world
    }

    fn at(&self) -> UnixSeconds {
        UnixSeconds::new(self.now)
    }

    fn settle(&mut self) {
        let changes = self.machine.take_changes();
        for id in changes.forgotten {
            self.stored.remove(&id);
            self.entries.retain(|entry| entry.alert != id);
        }
        self.stored.extend(changes.alerts);
        self.entries.extend(changes.entries);
        self.sent.extend(changes.notifications);
    }

    /// Time passes, second by second where something may happen.
    fn pass(&mut self, seconds: u64) {
        let until = self.now + seconds;
        while self.now < until {
            self.now += (until - self.now).min(10);
            self.machine.handle_timeout(self.at());
            self.settle();
        }
    }

    /// Endpoints of a site that are connected.
    fn connect(&mut self, site: &str, numbers: core::ops::Range<u64>) {
        for number in numbers {
            self.machine.set_endpoint(endpoint(number), facts(site));
            self.link(number, true);
        }
    }

    fn link(&mut self, number: u64, is_up: bool) {
        self.machine.handle_link(endpoint(number), is_up, self.at());
        self.settle();
    }

    fn check(&mut self, number: u64, key: &str, state: CheckState) {
        self.check_at(number, key, state, self.now);
    }

    fn check_at(&mut self, number: u64, key: &str, state: CheckState, at: u64) {
        let observation = Observation {
            endpoint: endpoint(number),
            key: key.to_owned(),
            instance: "/".to_owned(),
            state,
            since: UnixSeconds::new(at),
            at: UnixSeconds::new(at),
            text: format!("{state:?}"),
        };
        self.machine.handle_observation(observation, self.at());
        self.settle();
    }

    /// What was sent since the last time: reason, channel and key.
    fn sent(&mut self) -> Vec<String> {
        let line = |sent: Notification| {
            format!("{} {} {}", sent.message.reason.name(), sent.channel, sent.message.key)
        };
        self.sent.drain(..).map(line).collect()
    }

    fn phases(&self) -> Vec<(String, Phase)> {
        self.stored.values().map(|alert| (alert.key.clone(), alert.phase)).collect()
    }

    fn the(&self, key: &str) -> Alert {
        let mut found = self.stored.values().filter(|alert| alert.key == key);
        let alert = found.next().unwrap().clone();
        assert_eq!(found.next(), None, "one alert of {key}");
        alert
    }

    fn happened(&self) -> Vec<Happening> {
        self.entries.iter().map(|entry| entry.what).collect()
    }

    fn deed(&mut self, id: AlertId, deed: OperatorDeed) -> bool {
        let done = self.machine.handle_operator(id, deed, (&operator(), "on it"), self.at());
        self.settle();
        done
    }

    /// The server is killed and started `seconds` later, with what was kept.
    fn restart(&mut self, value: &Value, seconds: u64) {
        self.now += seconds;
        let alerts = self.stored.values().cloned().collect();
        let known: Vec<_> =
            self.machine.endpoints.iter().map(|(id, known)| (*id, known.clone())).collect();
        self.machine = Machine::new(rules(value), alerts, Vec::new(), self.at());
        for (id, known) in known {
            self.machine.set_endpoint(id, known.facts);
            if let super::machine::Link::Down { since } = known.link {
                self.machine.set_away(id, since);
            }
        }
    }
}
