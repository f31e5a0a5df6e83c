//! Standing orders: what stands on an endpoint runs by itself, and the attacker sets its clock and writes over what its guard has
//! kept on the disk.

use bartizan_trust::authorize::orders::{Kept, ends_order, judge_run};
use bartizan_trust::calendar::Offsets;
use bartizan_trust::standing::{Sensed, Surroundings};

use super::*;

const EVERY_S: u64 = 600;
const LIFE_S: u64 = 30_000;
const FRESH_S: u64 = 6000;

/// What the guard finds where it kept the order.
#[derive(Debug, Clone, Copy)]
pub(super) enum Found {
    /// What it wrote.
    Kept,
    /// The same order with the author's signature alone.
    AuthorOnly,
    /// Another job with its signatures.
    Another(Index),
    /// Other content.
    Content,
}

/// An endpoint looks at its orders.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tick {
    endpoint: u32,
    /// So much later.
    wait: u64,
    found: Found,
    clock_off: i64,
    before: Before,
}

/// What happens before it looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    Nothing,
    /// It is shown the control log.
    Control,
    /// Carol freezes everything for ten minutes, and it hears of that.
    Freeze,
    /// Carol takes back what stands there, and it hears of that.
    Withdraw,
}

pub(super) fn tick() -> impl Strategy<Value = Tick> {
    let found = prop_oneof![
        12 => Just(Found::Kept), 2 => Just(Found::AuthorOnly),
        2 => any::<Index>().prop_map(Found::Another), 3 => Just(Found::Content),
    ];
    let clock_off = prop_oneof![8 => Just(0i64), 1 => Just(-100_000), 1 => Just(20_000)];
    let wait = prop_oneof![1 => Just(0u64), 4 => 100..1500u64, 1 => Just(EVERY_S)];
    let before = prop_oneof![
        8 => Just(Before::Nothing), 6 => Just(Before::Control), 1 => Just(Before::Freeze),
        1 => Just(Before::Withdraw),
    ];
    (0..ENDPOINTS, wait, found, clock_off, before).prop_map(
        |(endpoint, wait, found, clock_off, before)| Tick {
            endpoint,
            wait,
            found,
            clock_off,
            before,
        },
    )
}

pub(super) fn trigger(now: UnixSeconds) -> Trigger {
    let on = On::Interval { every_s: EVERY_S };
    let trigger = bartizan_testkit::world::trigger(on, now.plus(LIFE_S));
    Trigger { freshness_s: FRESH_S, late_s: EVERY_S, ..trigger }
}

impl Machine {
    /// Carol takes a job back.
    pub(super) fn withdraw(&mut self, number: usize) {
        let id = self.jobs[number].whole.id();
        let withdrawal = self.world.withdrawal(id);
        let envelope = signed(&withdrawal, &[("carol", SignatureRole::Freeze)]).unwrap();
        let place = self.world.control.size();
        self.world.log_control(&envelope);
        self.withdrawn.entry(id).or_insert(place);
    }

    /// Whoever has replayed the control log beyond a withdrawal does nothing of what it names.
    pub(super) fn check_not_withdrawn(&self, number: u32, id: StatementId) {
        let heard = self.endpoints[number as usize].control.size();
        let taken_back = self.withdrawn.get(&id).is_some_and(|place| *place < heard);
        assert!(
            !taken_back,
            "{id} ran on endpoint {number}, which had heard that it was taken back"
        );
    }

    pub(super) fn tick(&mut self, tick: &Tick) {
        self.world.now = self.world.now.plus(tick.wait);
        // One where something stands, if there is one.
        let on: Vec<u32> = self.kept.keys().map(|(on, _)| *on).collect();
        let number =
            on.get(tick.endpoint as usize % on.len().max(1)).map_or(tick.endpoint, |on| *on);
        let ids: Vec<_> = self.kept.keys().filter(|(on, _)| *on == number).copied().collect();
        match (tick.before, ids.first()) {
            (Before::Freeze, _) => self.freeze(number),
            (Before::Withdraw, Some((_, id))) => {
                let job = self.jobs.iter().position(|job| job.whole.id() == *id);
                self.withdraw(job.expect("a job of ours"));
            }
            _ => {}
        }
        if matches!(tick.before, Before::Control | Before::Withdraw) {
            let caught_up = self.world.caught_up(&self.endpoints[number as usize]).unwrap();
            self.endpoints[number as usize] = caught_up;
        }
        for (_, id) in ids {
            self.look(tick, number, id);
        }
    }

    fn look(&mut self, tick: &Tick, number: u32, id: StatementId) {
        let clock = self.world.now.get().saturating_add_signed(tick.clock_off);
        let facts = LocalFacts { now: UnixSeconds::new(clock), agent_version: "0.1.0" };
        let job = self.jobs.iter().find(|job| job.whole.id() == id).expect("a job of ours");
        let envelope = match tick.found {
            Found::Kept | Found::Content => self.kept[&(number, id)].clone(),
            Found::AuthorOnly => job.author_only.encode(),
            Found::Another(other) => other.get(&self.jobs).whole.encode(),
        };
        let content =
            if matches!(tick.found, Found::Content) { &b"rm -rf /\n"[..] } else { CONTENT };
        let kept = Kept { envelope: &envelope, content };
        let around = Surroundings { sensed: Sensed::Nothing, offsets: &Offsets::UTC };
        let state = &self.endpoints[number as usize];
        let name = match judge_run(state, &facts, &kept, &around) {
            Ok(run) => {
                let ran = run.proof.job();
                assert_eq!(run.proof.content(), CONTENT, "{ran} ran with other content");
                let due = run.occurrence.due;
                assert!(self.order_runs.insert((number, ran, due)), "{ran} ran twice for {due:?}");
                self.check_run(number, ran, run.state.now(&facts));
                self.endpoints[number as usize] = run.state;
                "order ran".to_owned()
            }
            Err(refusal) => {
                // What a guard does; but the bytes the attacker put there end nothing here, so that the order goes on being tried.
                if ends_order(refusal) && matches!(tick.found, Found::Kept) {
                    self.endpoints[number as usize].end_order(id);
                    self.kept.remove(&(number, id));
                }
                format!("order: {refusal}")
            }
        };
        *self.outcomes.entry(name).or_default() += 1;
    }

    /// A run is of an order that people signed, for this endpoint, that stands, is not over, not frozen, and not taken back.
    fn check_run(&self, number: u32, id: StatementId, now: UnixSeconds) {
        let state = &self.endpoints[number as usize];
        let job = self.jobs.iter().find(|job| job.whole.id() == id).expect("a job of ours");
        let trigger = job.statement.trigger.as_ref().expect("an order");
        assert!(job.intent.approved, "I1: nobody approved {id}");
        assert!(job.intent.targets.contains(&number), "I2: {id} is not for endpoint {number}");
        assert!(self.ran.contains(&(number, id)), "{id} was never taken in on endpoint {number}");
        assert!(now < trigger.until, "I4: {id} ran after its end");
        let frozen_until = self.frozen_until[number as usize];
        assert!(state.floor >= frozen_until, "I6: {id} ran under a freeze");
        let view_age = now.since(state.control_seen_at);
        assert!(view_age <= FRESH_S, "I6: {id} ran with a control view of {view_age} s");
        self.check_not_withdrawn(number, id);
    }
}
