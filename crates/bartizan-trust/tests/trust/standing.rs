//! Standing orders: taken in like jobs, judged anew for every run, at most once per occurrence whatever the clocks do.

mod attacks;
mod model;
mod schedules;

use bartizan_testkit::world::{CONTENT, Delivery, World, signed, trigger};
use bartizan_trust::authorize::orders::{Kept, Run, ends_order, judge_run, review};
use bartizan_trust::authorize::{Verdict, authorize};
use bartizan_trust::calendar::Offsets;
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::{OperatorId, Sha256, StatementId};
use bartizan_trust::limits;
use bartizan_trust::refusal::Refusal;
use bartizan_trust::standing::{Sensed, Surroundings, due};
use bartizan_trust::state::{LocalFacts, State};
use bartizan_trust::statement::*;
use bartizan_trust::time::UnixSeconds;

use SignatureRole::{Approve, Author};

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;
const HOURLY: On = On::Interval { every_s: HOUR };

/// An endpoint where an order stands, and everything it has kept of it.
struct Standing {
    world: World,
    state: State,
    envelope: Envelope,
    content: Vec<u8>,
    offsets: Offsets,
    sensed: Sensed,
}

impl Standing {
    /// An order of Carol, approved by Bob, that stands for 30 days.
    fn of(on: On, change: impl FnOnce(&mut Trigger)) -> Self {
        Self::in_world(World::new().unwrap(), on, change)
    }

    fn in_world(mut world: World, on: On, change: impl FnOnce(&mut Trigger)) -> Self {
        let state = world.endpoint(0).unwrap();
        let envelope = order(&mut world, on, change);
        let delivery = world.deliver(&envelope, &state).unwrap();
        let state = stands(&world, &state, &delivery);
        let (offsets, sensed) = (Offsets::UTC, Sensed::Nothing);
        Self { world, state, envelope, content: CONTENT.to_vec(), offsets, sensed }
    }

    fn id(&self) -> StatementId {
        self.envelope.id()
    }

    fn job(&self) -> Job {
        self.envelope.statement().unwrap()
    }

    /// Time passes, and the endpoint hears of it.
    fn pass(&mut self, seconds: u64) {
        self.world.now = self.world.now.plus(seconds);
        self.state = self.world.caught_up(&self.state).unwrap();
    }

    /// Time passes while the server is away.
    fn pass_alone(&mut self, seconds: u64) {
        self.world.now = self.world.now.plus(seconds);
    }

    fn judge(&self) -> Result<Run, Refusal> {
        self.judge_at(self.world.now)
    }

    fn judge_at(&self, clock: UnixSeconds) -> Result<Run, Refusal> {
        let envelope = self.envelope.encode();
        let kept = Kept { envelope: &envelope, content: &self.content };
        let facts = LocalFacts { now: clock, agent_version: "0.1.0" };
        let around = Surroundings { sensed: self.sensed, offsets: &self.offsets };
        judge_run(&self.state, &facts, &kept, &around)
    }

    #[track_caller]
    fn runs(&mut self) -> UnixSeconds {
        let run = self.judge().unwrap();
        assert_eq!((run.proof.job(), run.proof.content()), (self.id(), CONTENT));
        self.state = run.state;
        run.occurrence.due
    }

    #[track_caller]
    fn refused(&self, expected: Refusal) {
        assert_eq!(self.judge().map(|_| ()).unwrap_err(), expected);
    }

    /// A refusal changes nothing: the same order runs once what was wrong is gone, and other work runs anyway (I9).
    #[track_caller]
    fn other_work_runs(&mut self) {
        let delivery = self.world.good_delivery(&self.state).unwrap();
        let outcome = authorize(&self.state, &self.world.facts(), &delivery.as_ref());
        assert!(matches!(outcome.verdict, Verdict::Run(_)), "{:?}", outcome.verdict);
    }
}

/// An order of Carol, approved by Bob, for endpoints 0 to 2.
fn order(world: &mut World, on: On, change: impl FnOnce(&mut Trigger)) -> Envelope {
    let mut job = world.job().unwrap();
    let mut trigger = trigger(on, world.now.plus(30 * DAY));
    change(&mut trigger);
    job.trigger = Some(trigger);
    signed(&job, &[("carol", Author), ("bob", Approve)]).unwrap()
}

#[track_caller]
fn stands(world: &World, state: &State, delivery: &Delivery) -> State {
    let outcome = authorize(state, &world.facts(), &delivery.as_ref());
    let Verdict::Stand(order) = outcome.verdict else { panic!("{:?}", outcome.verdict) };
    assert!(outcome.state.orders.contains_key(&order.id));
    outcome.state
}

#[track_caller]
fn not_taken(world: &World, state: &State, envelope: &Envelope, expected: Refusal) {
    let mut log = World::new().unwrap();
    log.now = world.now;
    let delivery = log.deliver(envelope, state).unwrap();
    let verdict = authorize(state, &world.facts(), &delivery.as_ref()).verdict;
    assert!(matches!(verdict, Verdict::Refused(found) if found == expected), "{verdict:?}");
}

#[test]
fn an_order_runs_again_and_again_without_a_server() {
    let mut order = Standing::of(HOURLY, |_| {});
    order.refused(Refusal::OrderNotDue);
    let begun = order.world.now;
    for hour in 1..=24 {
        order.pass_alone(HOUR);
        assert_eq!(order.runs(), begun.plus(hour * HOUR));
        order.refused(Refusal::OrderNotDue);
    }
    // Of what was missed meanwhile, only the newest runs.
    order.state.orders.get_mut(&order.envelope.id()).unwrap().since = begun;
    order.pass(5 * HOUR);
    assert_eq!(order.runs(), begun.plus(29 * HOUR));
    order.refused(Refusal::OrderNotDue);
}

#[test]
fn a_run_that_is_late_starts_as_long_as_it_may() {
    let mut order = Standing::of(On::Interval { every_s: DAY }, |t| t.late_s = HOUR);
    order.pass(DAY + HOUR + 61);
    order.refused(Refusal::OrderNotDue);
    order.pass(DAY - 61);
    order.runs();
}

#[test]
fn jitter_spreads_endpoints_and_each_keeps_its_moment() {
    let mut seen = std::collections::BTreeSet::new();
    for endpoint in 0..3 {
        let mut world = World::new().unwrap();
        let state = world.endpoint(endpoint).unwrap();
        let envelope = super::standing::order(&mut world, On::Interval { every_s: DAY }, |t| {
            t.jitter_s = HOUR;
        });
        let delivery = world.deliver(&envelope, &state).unwrap();
        let state = stands(&world, &state, &delivery);
        let (offsets, sensed) = (Offsets::UTC, Sensed::Nothing);
        let mut order =
            Standing { world, state, envelope, content: CONTENT.to_vec(), offsets, sensed };
        let begun = order.world.now.plus(DAY);
        let around = Surroundings { sensed: Sensed::Nothing, offsets: &Offsets::UTC };
        let (id, job) = (order.id(), order.job());
        let is_due = |late: &u64| due(&order.state, id, &job, begun.plus(*late), &around).is_some();
        let first = (0..HOUR).find(is_due).unwrap();
        seen.insert(first);
        order.pass(DAY + first - 1);
        order.refused(Refusal::OrderNotDue);
        order.pass(1);
        assert_eq!(order.runs(), begun);
    }
    assert_eq!(seen.len(), 3, "{seen:?}");
}

/// 02:30 comes twice in Berlin on 25 October 2026, and not at all on 29 March.
#[test]
fn a_local_time_that_comes_twice_runs_once() {
    let change = UnixSeconds::new(1_792_890_000);
    let world = World::at(UnixSeconds::new(change.get() - 2 * HOUR), |_| Ok(())).unwrap();
    let on = On::Calendar { cron: "30 2 * * *".to_owned(), zone: "Europe/Berlin".to_owned() };
    let mut order = Standing::in_world(world, on, |_| {});
    order.offsets = Offsets { first_s: 7200, changes: vec![(change, 3600)] };
    order.pass(HOUR + 1800);
    assert_eq!(order.runs(), UnixSeconds::new(change.get() - 1800));
    order.pass(HOUR);
    order.refused(Refusal::OrderNotDue);
    order.pass(DAY);
    assert_eq!(order.runs(), change.plus(DAY + 1800));
}

#[test]
fn conditions_run_while_they_hold_and_keep_their_distance() {
    let on = On::DiskBelow { path: "/".to_owned(), percent: 10 };
    let mut order = Standing::of(on, |t| t.distance_s = HOUR);
    order.pass(1);
    order.refused(Refusal::OrderNotDue);
    order.sensed = Sensed::Holds;
    order.runs();
    order.pass(HOUR - 1);
    order.refused(Refusal::OrderNotDue);
    order.pass(1);
    order.runs();
}

#[test]
fn what_starts_with_a_difference_runs_once_for_each() {
    let mut order = Standing::of(On::FileChanged { path: "/etc/hosts".to_owned() }, |_| {});
    let seen = |text: &[u8]| Sensed::Seen(Sha256::of(text));
    order.sensed = seen(b"one");
    order.pass(60);
    // Nothing is known to differ before the first look.
    order.refused(Refusal::OrderNotDue);
    order.state = order.state.first_look(order.id(), &order.job(), order.sensed).unwrap();
    order.refused(Refusal::OrderNotDue);
    order.sensed = seen(b"two");
    order.runs();
    order.pass(60);
    order.refused(Refusal::OrderNotDue);
    order.sensed = seen(b"one");
    order.runs();
    assert_eq!(order.state.first_look(order.id(), &order.job(), seen(b"three")), None);
}

#[test]
fn an_order_follows_the_end_of_another() {
    let mut order = Standing::of(HOURLY, |_| {});
    let first = order.id();
    let follower =
        super::standing::order(&mut order.world, On::Ended { order: first, well: false }, |_| {});
    let delivery = order.world.deliver(&follower, &order.state).unwrap();
    let state = stands(&order.world, &order.state, &delivery);
    let (offsets, sensed) = (Offsets::UTC, Sensed::Nothing);
    let mut second = Standing {
        world: order.world,
        state,
        envelope: follower,
        content: CONTENT.to_vec(),
        offsets,
        sensed,
    };
    second.state = second.state.first_look(second.id(), &second.job(), Sensed::Nothing).unwrap();
    let ends = |second: &mut Standing, decision| {
        let now = second.world.now;
        let receipt = ended(&second.state, first, now, decision);
        second.state.record_receipt(Envelope::new(&receipt).id(), &receipt);
    };
    second.pass(60);
    second.refused(Refusal::OrderNotDue);
    ends(&mut second, Decision::Done);
    second.refused(Refusal::OrderNotDue);
    second.pass(60);
    ends(&mut second, Decision::Failed);
    second.runs();
    second.pass(60);
    second.refused(Refusal::OrderNotDue);
    ends(&mut second, Decision::TimedOut);
    second.runs();
}

fn ended(state: &State, job: StatementId, due: UnixSeconds, decision: Decision) -> Receipt {
    Receipt {
        v: V1,
        org: state.org,
        iat: due,
        crit: Vec::new(),
        endpoint: state.endpoint,
        seq: state.receipt_seq + 1,
        prev: state.receipt_prev,
        job,
        occurrence: Some(due),
        decision,
        code: "ok".to_owned(),
        t0: due,
        t1: due,
        exit: None,
        output: Output { sha256: Sha256::of(b""), size: 0 },
        program: None,
        state: state.summary(),
    }
}
