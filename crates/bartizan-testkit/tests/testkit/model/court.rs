//! The real `replay` and `authorize`, asked once for each question: small worlds ask the same thing again and again.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::sync::Mutex;

use bartizan_testkit::world::{CONTENT, Delivery, Log, World};
use bartizan_trust::authorize::{Outcome, Verdict, authorize};
use bartizan_trust::control::{self, ControlUpdate, replay};
use bartizan_trust::id::{Anchor, Sha256};
use bartizan_trust::limits::CLOCK_SKEW_S;
use bartizan_trust::refusal::Refusal;
use bartizan_trust::state::{LocalFacts, State};
use bartizan_trust::time::UnixSeconds;

use super::cast::{self, Cast, Entry, Paper, UNIT_S, at};
use super::mutations::Mutation;

/// A state of an endpoint, by number: the same number is the same state.
pub(super) type Known = u32;

/// A checkpoint that honest witnesses have co-signed: how many entries, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Witnessed {
    pub(super) size: usize,
    pub(super) clock: u8,
}

/// Under what a job is delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Under {
    /// A co-signed checkpoint.
    Honest(Witnessed),
    /// A history of the server's own, which Carol's witness co-signs for a time far ahead.
    Carols,
}

/// What the endpoint's own clock says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Clock {
    Right,
    SetBack,
    SetForward,
}

impl Clock {
    fn read(self, clock: u8) -> UnixSeconds {
        match self {
            Self::Right => at(clock),
            Self::SetBack => at(0),
            Self::SetForward => at(clock).plus(10 * UNIT_S),
        }
    }

    /// In steps of the model's clock; nothing is before its beginning.
    pub(super) const fn steps(self, clock: u8) -> u8 {
        match self {
            Self::Right => clock,
            Self::SetBack => 0,
            Self::SetForward => clock + 10,
        }
    }
}

/// One delivery, whole.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Question {
    pub(super) state: Known,
    pub(super) paper: Paper,
    pub(super) jobs: Vec<Paper>,
    pub(super) under: Under,
    pub(super) local: Clock,
    pub(super) clock: u8,
    pub(super) other_content: bool,
}

/// What an endpoint said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) state: Known,
    /// Whether it ran; otherwise the refusal, if it was one.
    pub(super) ran: bool,
    pub(super) refusal: Option<Refusal>,
}

/// A part of the control log that is shown to an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Shown {
    pub(super) state: Known,
    pub(super) control: Vec<Entry>,
    pub(super) under: Under,
    pub(super) clock: u8,
}

/// States by their bytes, and in order.
type States = (HashMap<Vec<u8>, Known>, Vec<State>);
/// An endpoint, what is in both logs, and when.
type Hope = (Known, Vec<Entry>, Vec<Paper>, u8);

pub(super) struct Court {
    pub(super) cast: Cast,
    mutation: Option<Mutation>,
    states: Mutex<States>,
    answers: Mutex<HashMap<Question, Answer>>,
    replays: Mutex<HashMap<Shown, Option<Known>>>,
    hopes: Mutex<HashMap<Hope, bool>>,
}

fn once<K: Hash + Eq + Clone, V: Copy>(
    memory: &Mutex<HashMap<K, V>>,
    key: &K,
    ask: impl FnOnce() -> V,
) -> V {
    if let Some(known) = memory.lock().unwrap().get(key) {
        return *known;
    }
    let value = ask();
    memory.lock().unwrap().insert(key.clone(), value);
    value
}

impl Court {
    pub(super) fn new(mutation: Option<Mutation>) -> Self {
        Self {
            cast: Cast::new(),
            mutation,
            states: Mutex::default(),
            answers: Mutex::default(),
            replays: Mutex::default(),
            hopes: Mutex::default(),
        }
    }

    /// Both endpoints, enrolled and up to date.
    pub(super) fn beginning(&self) -> [Known; 2] {
        [0, 1].map(|number| self.know(self.cast.world.endpoint(number).unwrap()))
    }

    fn know(&self, state: State) -> Known {
        let bytes = serde_json::to_vec(&state).unwrap();
        let mut states = self.states.lock().unwrap();
        let (numbers, all) = &mut *states;
        *numbers.entry(bytes).or_insert_with(|| {
            all.push(state);
            Known::try_from(all.len() - 1).unwrap()
        })
    }

    pub(super) fn state(&self, known: Known) -> State {
        self.states.lock().unwrap().1[usize::try_from(known).unwrap()].clone()
    }

    /// Delivers a job.
    pub(super) fn judge(&self, question: &Question) -> Answer {
        once(&self.answers, question, || {
            let delivery = self.delivery(question);
            let facts = facts(question.local.read(question.clock));
            let outcome = self.authorize(&self.state(question.state), &facts, &delivery);
            let refusal = match &outcome.verdict {
                Verdict::Refused(refusal) => Some(*refusal),
                Verdict::Run(_)
                | Verdict::Update(_)
                | Verdict::Scan(_)
                | Verdict::Stand(_)
                | Verdict::NeedContent(_) => None,
            };
            let ran =
                matches!(outcome.verdict, Verdict::Run(_) | Verdict::Update(_) | Verdict::Scan(_));
            Answer { state: self.know(outcome.state), ran, refusal }
        })
    }

    /// Whether the witness time of a delivery is now the endpoint's, if it was later.
    pub(super) fn moved(&self, question: &Question, answer: Answer) -> bool {
        match question.under {
            Under::Honest(witnessed) => self.state(answer.state).floor >= at(witnessed.clock),
            Under::Carols => false,
        }
    }

    /// How much was asked, and every refusal that came up.
    pub(super) fn account(&self) -> String {
        let answers = self.answers.lock().unwrap();
        let refusals: BTreeSet<_> = answers.values().filter_map(|answer| answer.refusal).collect();
        format!(
            "{} deliveries, {} parts of the control log, {} ways on, {} states of endpoints; {refusals:?}",
            answers.len(),
            self.replays.lock().unwrap().len(),
            self.hopes.lock().unwrap().len(),
            self.states.lock().unwrap().1.len(),
        )
    }

    fn authorize(&self, state: &State, facts: &LocalFacts<'_>, delivery: &Delivery) -> Outcome {
        match self.mutation {
            Some(mutation) => mutation.authorize(&self.cast, state, facts, delivery),
            None => authorize(state, facts, &delivery.as_ref()),
        }
    }

    fn delivery(&self, question: &Question) -> Delivery {
        let Question { paper, jobs, under, .. } = question;
        let envelope = self.cast.paper(*paper).encode();
        let seen = self.state(question.state).jobs.size;
        let (log, place, size, note) = match under {
            Under::Honest(witnessed) => {
                let log = self.cast.jobs(jobs);
                let size = u64::try_from(witnessed.size).unwrap();
                let place = jobs.iter().position(|each| each == paper).unwrap();
                let all = self.cast.world.all_witnesses();
                let note = log.note(size, &all, at(witnessed.clock)).unwrap();
                (log, u64::try_from(place).unwrap(), size, note)
            }
            Under::Carols => {
                let mut log = self.cast.jobs(&[]);
                let place = log.append(envelope.clone());
                let carols = [(cast::rogue(&self.cast.world), at(100))];
                let note = log.note_at(1, &carols).unwrap();
                (log, place, 1, note)
            }
        };
        let targets = paper.targets();
        let tree = World::tree(targets).unwrap();
        // An endpoint that is not meant gets the place of one that is.
        let own = self.state(question.state).endpoint;
        let first = World::endpoint_id(targets[0]).unwrap();
        let place_of = tree.place(&own).or_else(|| tree.place(&first)).unwrap();
        let content = if question.other_content { b"echo other\n" } else { CONTENT };
        Delivery {
            envelope,
            proof: log.proof(place, size, note).unwrap(),
            consistency: consistency(&log, seen, size),
            stage: place_of.stage,
            index: place_of.index,
            path: place_of.path,
            promotions: Vec::new(),
            content: Some(content.to_vec()),
            package: None,
        }
    }

    /// Shows the control log; nothing when it is refused.
    pub(super) fn show(&self, shown: &Shown) -> Option<Known> {
        once(&self.replays, shown, || {
            let state = self.state(shown.state);
            let log = self.cast.control(&shown.control);
            let (size, note) = match shown.under {
                Under::Honest(witnessed) => {
                    let size = u64::try_from(witnessed.size + 1).unwrap();
                    let all = self.cast.world.all_witnesses();
                    (size, log.note(size, &all, at(witnessed.clock)).unwrap())
                }
                Under::Carols => {
                    let carols = [(cast::rogue(&self.cast.world), at(100))];
                    (log.size(), log.note_at(log.size(), &carols).unwrap())
                }
            };
            let start = state.control.size();
            let mut entries = log.entries_from(start);
            entries.truncate(usize::try_from(size.saturating_sub(start)).unwrap());
            let update = ControlUpdate { start, entries: &entries, checkpoint: &note };
            let facts = facts(at(shown.clock));
            let replayed = match self.mutation {
                Some(mutation) => mutation.replay(&state, &facts, &update),
                None => replay(&state, &facts, &update),
            };
            Some(self.know(self.enrolled(replayed.ok()?.0)))
        })
    }

    /// An endpoint that had lost its state enrols again as soon as it knows who may sign that.
    fn enrolled(&self, mut state: State) -> State {
        if state.membership.is_none() {
            let number = u32::from(state.endpoint != World::endpoint_id(0).unwrap());
            state.membership = self.cast.world.endpoint(number).unwrap().membership;
        }
        state
    }

    /// Hands Bob's freeze to an endpoint as a file.
    pub(super) fn hand_over(&self, state: Known, clock: u8) -> Option<Known> {
        let freeze = self.cast.entry(Entry::Freeze).encode();
        let frozen = control::freeze(&self.state(state), &facts(at(clock)), &freeze).ok()?;
        Some(self.know(frozen))
    }

    /// What a guard does that finds its state gone.
    pub(super) fn lose(&self, state: Known, clock: u8) -> Known {
        let lost = self.state(state);
        let mut fresh = State::new(Anchor::new(lost.org), lost.endpoint);
        fresh.replay_floor = at(clock).plus(CLOCK_SKEW_S + 1);
        if self.mutation == Some(Mutation::LossForgetsEverything) {
            fresh.replay_floor = UnixSeconds::ZERO;
        }
        self.know(fresh)
    }

    /// Whether honest work can go on from here: people sign a new job, the server passes on what it has, witnesses look,
    /// and the endpoint runs it. Three steps later, so that freezes that were made have ended.
    pub(super) fn can_go_on(
        &self,
        state: Known,
        control: &[Entry],
        jobs: &[Paper],
        clock: u8,
    ) -> bool {
        let key = (state, control.to_vec(), jobs.to_vec(), clock);
        once(&self.hopes, &key, || {
            let later = clock + 3;
            let size = control.len();
            let under = Under::Honest(Witnessed { size, clock: later });
            let shown = Shown { state, control: control.to_vec(), under, clock: later };
            let Some(state) = self.show(&shown) else { return false };
            // After a loss of state an endpoint takes nothing made before it heard of the time, and a little after.
            let made = at(later).plus(CLOCK_SKEW_S + 1);
            let outcome = self.authorize(
                &self.state(state),
                &facts(made),
                &self.honest_delivery(&self.state(state), jobs, made),
            );
            matches!(outcome.verdict, Verdict::Run(_))
        })
    }

    fn honest_delivery(&self, state: &State, jobs: &[Paper], now: UnixSeconds) -> Delivery {
        let envelope = self.cast.later_job(now).encode();
        let mut log = self.cast.jobs(jobs);
        let place = log.append(envelope.clone());
        let note = log.note(log.size(), &self.cast.world.all_witnesses(), now).unwrap();
        let place_of = World::tree(&[0, 1]).unwrap().place(&state.endpoint).unwrap();
        Delivery {
            envelope,
            proof: log.proof(place, log.size(), note).unwrap(),
            consistency: consistency(&log, state.jobs.size, log.size()),
            stage: place_of.stage,
            index: place_of.index,
            path: place_of.path,
            promotions: Vec::new(),
            content: Some(CONTENT.to_vec()),
            package: None,
        }
    }
}

fn consistency(log: &Log, seen: u64, size: u64) -> Vec<Sha256> {
    log.consistency(seen.min(log.size()), size).unwrap()
}

fn facts(now: UnixSeconds) -> LocalFacts<'static> {
    LocalFacts { now, agent_version: "0.1.0" }
}
