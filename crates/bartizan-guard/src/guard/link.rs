//! The network half: started, watched and replaced; what the guard says over it.

use std::time::{Duration, Instant};

use bartizan_os::{inventory, signals};
use bartizan_proto::limits::{INVENTORY_BYTES_MAX, PROTOCOL_VERSION};
use bartizan_proto::message::{Hello, Message, Setup};
use bartizan_trust::id::Sha256;
use bartizan_trust::statement::Mirror;

use super::{Guard, VERSION};
use crate::pipe::Agent;

/// How often a changed inventory is sent.
const INVENTORY_INTERVAL: Duration = Duration::from_mins(15);
/// First pause before a network half that ended is started again; doubles until a link is up.
pub(super) const RESTART_PAUSE: Duration = Duration::from_millis(500);
/// Longest pause before a network half that ended is started again.
const RESTART_PAUSE_MAX: Duration = Duration::from_mins(1);

impl Guard {
    pub(super) fn keep_agent_running(&mut self) {
        if self.agent.is_some() || Instant::now() < self.restart_at || signals::stop_requested() {
            return;
        }
        let started = Agent::start(
            &self.program,
            &self.separation,
            self.generation,
            self.sender.clone(),
            &self.launcher,
        );
        match started {
            Ok(agent) => {
                self.agent = Some(agent);
                self.send_setup();
            }
            Err(error) => {
                eprintln!("{error:#}");
                self.replace_agent();
            }
        }
    }

    pub(super) fn replace_agent(&mut self) {
        if let Some(agent) = self.agent.take()
            && let Err(error) = agent.end(&self.launcher)
        {
            eprintln!("{error:#}");
        }
        self.generation += 1;
        self.linked = false;
        self.awaited = None;
        self.restart_at = Instant::now() + self.restart_pause;
        self.restart_pause = (self.restart_pause * 2).min(RESTART_PAUSE_MAX);
    }

    pub(super) fn link_up(&mut self, spki: &Sha256) {
        let pins = self.pins();
        if !pins.is_empty() && !pins.contains(spki) {
            eprintln!("the agent reached a server with another key than the bundle names");
            self.replace_agent();
            return;
        }
        self.linked = true;
        self.restart_pause = RESTART_PAUSE;
        self.backlog.clear();
        self.awaited = None;
        self.updating.begin_link();
        self.send(Message::Hello(Hello {
            protocol: PROTOCOL_VERSION,
            agent: VERSION.to_owned(),
            descriptor: self.enrolled.descriptor.clone().into_bytes(),
            enrolment: self.enrolled.enrolment.clone().into_bytes(),
            control_size: self.state.control.size(),
            jobs_size: self.state.jobs.size,
        }));
        self.send_inventory();
        self.collector.link_up();
        self.receipts_sent = 0;
        self.results.begin_link();
        // Not before the server has said who it takes this endpoint for.
        self.admitted = false;
        self.reports.begin_link();
        self.send_receipts();
    }

    pub(super) fn send(&mut self, message: Message) {
        let taken = self.agent.as_ref().is_none_or(|agent| agent.send(message));
        if !taken {
            eprintln!("the agent takes no messages; starting another");
            self.replace_agent();
        }
    }

    pub(super) fn send_setup(&mut self) {
        let mut addresses: Vec<String> = self
            .state
            .trust
            .iter()
            .flat_map(|trust| &trust.bundle.servers)
            .flat_map(|s| s.addresses.clone())
            .collect();
        if addresses.is_empty() {
            addresses.push(self.enrolled.server.clone());
        }
        let certificate = self.certificate.clone();
        let setup = Setup { certificate, addresses, spkis: self.pins(), mirrors: self.mirrors() };
        self.send(Message::Setup(setup));
    }

    pub(super) fn pins(&self) -> Vec<Sha256> {
        self.state
            .trust
            .iter()
            .flat_map(|trust| &trust.bundle.servers)
            .map(|server| server.spki)
            .collect()
    }

    pub(super) fn mirrors(&self) -> Vec<Mirror> {
        self.state.trust.as_ref().map_or_else(Vec::new, |trust| trust.bundle.mirrors.clone())
    }

    pub(super) fn send_inventory(&mut self) {
        let json = serde_json::to_vec(&inventory::read(VERSION, &self.limits)).unwrap_or_default();
        if !json.is_empty() && json.len() <= INVENTORY_BYTES_MAX {
            self.inventory_sent = Some((Instant::now(), Sha256::of(&json)));
            self.send(Message::Inventory { json });
        }
    }

    pub(super) fn refresh_inventory(&mut self) {
        let Some((at, hash)) = self.inventory_sent else { return };
        if !self.linked || at.elapsed() < INVENTORY_INTERVAL {
            return;
        }
        let json = serde_json::to_vec(&inventory::read(VERSION, &self.limits)).unwrap_or_default();
        if Sha256::of(&json) == hash {
            self.inventory_sent = Some((Instant::now(), hash));
        } else {
            self.send_inventory();
        }
    }
}
