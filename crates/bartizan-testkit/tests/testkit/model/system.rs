//! The system: what can happen, and what is true whatever the code says of it.
//!
//! Every step of an endpoint is the real `replay` or `authorize`. Beside it the model keeps its own, much simpler account of
//! what people signed, what witnesses saw and what the endpoint was shown; the invariants are judged by that account.

use stateright::{Model, Property};

use super::cast::{Entry, Paper};
use super::court::{Clock, Court, Known, Question, Shown, Under, Witnessed};

/// What the server and the others can do in a run of the model.
#[derive(Debug, Clone, Copy)]
pub(super) struct Powers {
    pub(super) papers: &'static [Paper],
    pub(super) entries: &'static [Entry],
    pub(super) clocks: &'static [Clock],
    pub(super) last_clock: u8,
    /// Whether an endpoint can lose its state, and a freeze can come as a file.
    pub(super) loses: bool,
    pub(super) files: bool,
}

pub(super) struct Protocol {
    pub(super) court: Court,
    pub(super) powers: Powers,
}

/// What an endpoint is, in truth.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Endpoint {
    state: Known,
    /// How often each job ran here, whatever the endpoint remembers.
    ran: [u8; 3],
    lost: bool,
    /// Entries of the control log it has accepted.
    control: usize,
    bundle: Trust,
    /// Since when a weakening waits.
    waits: Option<u8>,
    freeze: Freeze,
    /// The latest witness time it was shown, and the age of its control view.
    floor: u8,
    control_seen: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Trust {
    Nothing,
    Genesis,
    Tightened,
    Weakened,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Freeze {
    Unknown,
    Stands,
    Thawed,
}

/// The whole system.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct System {
    clock: u8,
    /// Alice and Bob have signed the honest job.
    signed: bool,
    /// Bob has signed the freeze; before that nobody has it.
    stopped: bool,
    control: Vec<Entry>,
    /// Everything that there is stands in the log: to leave something out gains a server nothing, and what honest
    /// witnesses have not seen is delivered with the word of Carol's.
    jobs: Vec<Paper>,
    /// The last checkpoints that honest witnesses co-signed, and those before.
    control_seen: [Witnessed; 2],
    jobs_seen: [Witnessed; 2],
    endpoints: [Endpoint; 2],
    /// The invariant that was broken last, if one was.
    pub(super) broken: Option<&'static str>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Deed {
    Tick,
    PeopleSign,
    BobFreezes,
    LogControl(Entry),
    /// Witnesses look at both logs.
    Witness,
    Show(usize, Under),
    Deliver {
        to: usize,
        paper: Paper,
        under: Under,
        local: Clock,
        other_content: bool,
    },
    HandOver(usize),
    Lose(usize),
}

impl Model for Protocol {
    type State = System;
    type Action = Deed;

    fn init_states(&self) -> Vec<System> {
        let papers = self.powers.papers.iter().copied();
        let jobs: Vec<_> = papers.filter(|paper| !paper.needs_the_honest_job()).collect();
        let seen = |size| [Witnessed { size, clock: 0 }; 2];
        let endpoint = |state| Endpoint {
            state,
            ran: [0; 3],
            lost: false,
            control: 0,
            bundle: Trust::Genesis,
            waits: None,
            freeze: Freeze::Unknown,
            floor: 0,
            control_seen: 0,
        };
        vec![System {
            clock: 0,
            signed: false,
            stopped: false,
            control: Vec::new(),
            control_seen: seen(0),
            jobs_seen: seen(jobs.len()),
            jobs,
            endpoints: self.court.beginning().map(endpoint),
            broken: None,
        }]
    }

    fn actions(&self, system: &System, deeds: &mut Vec<Deed>) {
        let powers = &self.powers;
        if system.broken.is_some() {
            return;
        }
        if system.clock < powers.last_clock {
            deeds.push(Deed::Tick);
        }
        if !system.signed {
            deeds.push(Deed::PeopleSign);
        }
        if !system.stopped && (powers.files || powers.entries.contains(&Entry::Freeze)) {
            deeds.push(Deed::BobFreezes);
        }
        let made = |entry: &Entry| system.stopped || !matches!(entry, Entry::Freeze | Entry::Thaw);
        let entries = powers.entries.iter().copied().filter(made);
        deeds.extend(entries.filter(|e| !system.control.contains(e)).map(Deed::LogControl));
        deeds.push(Deed::Witness);
        for to in 0..2 {
            let [newest, older] = system.control_seen;
            deeds.push(Deed::Show(to, Under::Honest(newest)));
            deeds.push(Deed::Show(to, Under::Carols));
            if older != newest {
                deeds.push(Deed::Show(to, Under::Honest(older)));
            }
            for paper in &system.jobs {
                deeds.extend(deliveries(system, powers, to, *paper));
            }
            if powers.files && system.stopped {
                deeds.push(Deed::HandOver(to));
            }
            if powers.loses && !system.endpoints[to].lost {
                deeds.push(Deed::Lose(to));
            }
        }
    }

    fn next_state(&self, system: &System, deed: Deed) -> Option<System> {
        let mut next = system.clone();
        match deed {
            Deed::Tick => next.clock += 1,
            Deed::PeopleSign => {
                next.signed = true;
                next.jobs.extend(self.powers.papers.iter().filter(|p| p.needs_the_honest_job()));
            }
            Deed::BobFreezes => next.stopped = true,
            Deed::LogControl(entry) => {
                next.control.push(entry);
                next.witness();
            }
            Deed::Witness => next.witness(),
            Deed::Show(to, under) => self.show(&mut next, to, under),
            Deed::Deliver { to, paper, under, local, other_content } => {
                let question = Question {
                    state: next.endpoints[to].state,
                    paper,
                    jobs: next.jobs.clone(),
                    under,
                    local,
                    clock: next.clock,
                    other_content,
                };
                self.deliver(&mut next, to, &question);
            }
            Deed::HandOver(to) => {
                let endpoint = &mut next.endpoints[to];
                if let Some(state) = self.court.hand_over(endpoint.state, next.clock) {
                    endpoint.state = state;
                    endpoint.freeze_seen();
                }
            }
            Deed::Lose(to) => next.endpoints[to].lose(&self.court, next.clock),
        }
        (next != *system).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        super::properties()
    }
}

fn deliveries(system: &System, powers: &Powers, to: usize, paper: Paper) -> Vec<Deed> {
    let right =
        |under| Deed::Deliver { to, paper, under, local: Clock::Right, other_content: false };
    let mut all = vec![right(Under::Carols)];
    let place = system.jobs.iter().position(|each| *each == paper);
    let mut seen = system.jobs_seen.to_vec();
    seen.dedup();
    seen.retain(|seen| place.is_some_and(|place| place < seen.size));
    for under in seen.into_iter().map(Under::Honest) {
        all.push(Deed::Deliver { to, paper, under, local: Clock::Right, other_content: true });
        for local in powers.clocks.iter().copied() {
            all.push(Deed::Deliver { to, paper, under, local, other_content: false });
        }
    }
    all
}

impl System {
    /// Honest witnesses co-sign both logs as they stand.
    fn witness(&mut self) {
        let clock = self.clock;
        let look = |seen: &mut [Witnessed; 2], size| {
            let newest = Witnessed { size, clock };
            if seen[0] != newest {
                *seen = [newest, seen[0]];
            }
        };
        look(&mut self.control_seen, self.control.len());
        look(&mut self.jobs_seen, self.jobs.len());
    }

    pub(super) fn has_run_anything(&self) -> bool {
        self.endpoints.iter().any(|endpoint| endpoint.ran != [0; 3])
    }
}

impl Protocol {
    pub(super) fn can_go_on(&self, system: &System) -> bool {
        system.endpoints.iter().all(|endpoint| {
            self.court.can_go_on(endpoint.state, &system.control, &system.jobs, system.clock)
        })
    }

    fn show(&self, next: &mut System, to: usize, under: Under) {
        let endpoint = &mut next.endpoints[to];
        let control = next.control.clone();
        let shown = Shown { state: endpoint.state, control, under, clock: next.clock };
        let Some(state) = self.court.show(&shown) else { return };
        endpoint.state = state;
        let Under::Honest(witnessed) = under else {
            // Honest witnesses had no part in it.
            next.broken = Some("I5");
            return;
        };
        endpoint.shown(&next.control, witnessed);
        let trust = self.court.state(state).trust.unwrap().id;
        let right = match endpoint.bundle {
            Trust::Nothing => false,
            Trust::Genesis => trust == self.court.cast.world.bundle_id,
            Trust::Tightened => trust == self.court.cast.tightened,
            Trust::Weakened => trust == self.court.cast.weakened,
        };
        if !right {
            next.broken = Some("I7");
        }
    }

    fn deliver(&self, next: &mut System, to: usize, question: &Question) {
        let answer = self.court.judge(question);
        let endpoint = &mut next.endpoints[to];
        endpoint.state = answer.state;
        if let Under::Honest(witnessed) = question.under
            && (answer.ran || self.court.moved(question, answer))
        {
            endpoint.floor = endpoint.floor.max(witnessed.clock);
        }
        if answer.ran {
            let endpoint = &mut next.endpoints[to];
            endpoint.ran[question.paper.job()] += 1;
            next.broken = endpoint.judge(to, question);
        }
    }
}

impl Endpoint {
    /// What is wrong with this run, by what is true of it.
    fn judge(&self, to: usize, question: &Question) -> Option<&'static str> {
        let paper = question.paper;
        let now = question.local.steps(question.clock).max(self.floor);
        let (authors, approvers) = paper.people();
        let in_bundle = |name: &&&str| match self.bundle {
            Trust::Nothing => false,
            Trust::Genesis | Trust::Weakened => true,
            Trust::Tightened => **name != "carol",
        };
        let others =
            approvers.iter().filter(in_bundle).filter(|name| !authors.contains(name)).count();
        let needed = usize::from(self.bundle != Trust::Weakened);
        let witnessed = match question.under {
            Under::Carols => false,
            Under::Honest(seen) => question.jobs.iter().take(seen.size).any(|e| *e == paper),
        };
        let listed = paper.targets().iter().any(|target| usize::try_from(*target) == Ok(to));
        let stands = self.freeze == Freeze::Stands && self.floor < 2;
        let rules = [
            ("I1", authors.iter().any(|name| in_bundle(&name)) && others >= needed),
            ("I2", listed),
            ("I3", self.ran[paper.job()] == 1),
            ("I4", now < 3),
            ("I5", witnessed),
            ("I6", !stands && now.saturating_sub(self.control_seen) <= 1),
            ("I8", !question.other_content),
        ];
        rules.iter().find(|(_, kept)| !kept).map(|(name, _)| *name)
    }

    /// The control log up to a co-signed checkpoint, as simply as it can be said.
    fn shown(&mut self, control: &[Entry], witnessed: Witnessed) {
        let at = self.floor.max(witnessed.clock);
        if self.bundle == Trust::Nothing {
            self.bundle = Trust::Genesis;
        }
        for entry in control.iter().take(witnessed.size).skip(self.control) {
            match entry {
                Entry::Tighten if self.bundle == Trust::Genesis => {
                    self.bundle = Trust::Tightened;
                    self.waits = None;
                }
                Entry::Weaken if self.bundle == Trust::Genesis => self.waits = Some(at),
                Entry::Veto => self.waits = None,
                Entry::Freeze if at < 2 => self.freeze_seen(),
                Entry::Thaw if self.freeze == Freeze::Stands => self.freeze = Freeze::Thawed,
                // Signed by too few, or too late to have an effect.
                Entry::Forged | Entry::Tighten | Entry::Weaken | Entry::Freeze | Entry::Thaw => {}
            }
        }
        if self.waits.is_some_and(|since| at > since) {
            self.bundle = Trust::Weakened;
            self.waits = None;
        }
        self.control = witnessed.size;
        self.floor = at;
        self.control_seen = self.control_seen.max(witnessed.clock);
    }

    fn freeze_seen(&mut self) {
        if self.freeze == Freeze::Unknown {
            self.freeze = Freeze::Stands;
        }
    }

    fn lose(&mut self, court: &Court, clock: u8) {
        *self = Self {
            state: court.lose(self.state, clock),
            ran: self.ran,
            lost: true,
            control: 0,
            bundle: Trust::Nothing,
            waits: None,
            freeze: Freeze::Unknown,
            floor: 0,
            control_seen: 0,
        };
    }
}
