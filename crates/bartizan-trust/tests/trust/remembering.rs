//! What an endpoint remembers and for how long: by witness time, both sides of every limit.

use bartizan_testkit::world::{CONTENT, Delivery, World, script, signed};
use bartizan_trust::authorize::{Outcome, Verdict, authorize};
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::{OperatorId, Sha256, StatementId};
use bartizan_trust::limits;
use bartizan_trust::refusal::Refusal;
use bartizan_trust::state::{State, Waiting};
use bartizan_trust::statement::*;
use bartizan_trust::time::UnixSeconds;

use SignatureRole::{Approve, Author};

const BOTH: [(&str, SignatureRole); 2] = [("alice", Author), ("bob", Approve)];

fn number(number: usize) -> Sha256 {
    Sha256::of(&number.to_be_bytes())
}

fn job_number(of: usize) -> StatementId {
    StatementId::new(number(of))
}

fn deliver(world: &World, state: &State, delivery: &Delivery) -> Outcome {
    authorize(state, &world.facts(), &delivery.as_ref())
}

/// An honest job comes to an endpoint that remembers what a test makes it remember; witness time is that of the world.
fn after(
    world: &mut World,
    remember: impl FnOnce(&mut State, UnixSeconds),
) -> (StatementId, Outcome) {
    let mut state = world.endpoint(0).unwrap();
    remember(&mut state, world.now);
    let delivery = world.good_delivery(&state).unwrap();
    let outcome = deliver(world, &state, &delivery);
    assert_eq!(outcome.state.floor, world.now);
    (Envelope::decode(&delivery.envelope).unwrap().id(), outcome)
}

#[track_caller]
fn runs(outcome: &Outcome) {
    assert!(matches!(outcome.verdict, Verdict::Run(_)), "{:?}", outcome.verdict);
}

#[track_caller]
fn refused(outcome: &Outcome, expected: Refusal) {
    let found = &outcome.verdict;
    assert!(matches!(found, Verdict::Refused(found) if *found == expected), "{found:?}");
}

#[test]
fn a_job_whose_window_is_over_takes_no_room_among_those_remembered() {
    let with = |end_s: u64| {
        after(&mut World::new().unwrap(), |state, now| {
            state.seen =
                (0..limits::SEEN_MAX).map(|of| (job_number(of), now.plus(end_s))).collect();
        })
        .1
    };
    let outcome = with(0);
    runs(&outcome);
    assert_eq!(outcome.state.seen.len(), 1, "only the one that runs is left");
    refused(&with(1), Refusal::SeenFull);
}

#[test]
fn jobs_are_forgotten_when_their_windows_are_over_by_witness_time() {
    let (over, lasts) = (job_number(1), job_number(2));
    let (id, outcome) = after(&mut World::new().unwrap(), |state, now| {
        for remembered in [&mut state.seen, &mut state.succeeded] {
            remembered.insert(over, now);
            remembered.insert(lasts, now.plus(1));
        }
    });
    runs(&outcome);
    let seen: Vec<_> = outcome.state.seen.keys().copied().collect();
    assert!(seen.len() == 2 && seen.contains(&lasts) && seen.contains(&id), "{seen:?}");
    assert_eq!(outcome.state.succeeded.keys().collect::<Vec<_>>(), [&lasts]);
}

#[test]
fn starts_are_forgotten_after_an_hour_of_witness_time() {
    let alice = OperatorId::from_name("alice").unwrap();
    let ago = |now: UnixSeconds, seconds| UnixSeconds::new(now.get() - seconds);
    let mut world = World::new().unwrap();
    let (_, outcome) = after(&mut world, |state, now| {
        let starts = vec![ago(now, 3601), ago(now, 3600), ago(now, 3599)];
        state.starts.insert(Class::Change, starts.clone());
        state.starts.insert(Class::Fleet, vec![ago(now, 3600)]);
        state.signed_starts.insert(alice.clone(), starts);
    });
    runs(&outcome);
    let kept = vec![ago(world.now, 3599), world.now];
    assert_eq!(outcome.state.starts[&Class::Change], kept);
    assert_eq!(outcome.state.signed_starts[&alice], kept);
    assert!(!outcome.state.starts.contains_key(&Class::Fleet), "nothing is left of that class");
}

#[test]
fn so_many_reviewed_scripts_are_remembered_and_no_more() {
    for others in [limits::REVIEWED_MAX - 1, limits::REVIEWED_MAX] {
        let (_, outcome) = after(&mut World::new().unwrap(), |state, _| {
            state.reviewed = (0..others).map(number).collect();
        });
        runs(&outcome);
        assert_eq!(outcome.state.reviewed.len(), limits::REVIEWED_MAX, "{others} others");
    }
}

#[test]
fn a_job_whose_window_is_over_waits_for_no_delay_any_more() {
    let with = |end_s: u64| {
        let world = World::with(|bundle| {
            bundle.classes[1].delay_s = 900;
            Ok(())
        });
        after(&mut world.unwrap(), |state, now| {
            let waiting = Waiting { since: now, exp: now.plus(end_s) };
            state.waiting = (0..limits::WAITING_MAX).map(|of| (job_number(of), waiting)).collect();
        })
    };
    let (id, outcome) = with(0);
    refused(&outcome, Refusal::DelayRuns);
    assert_eq!(outcome.state.waiting.keys().collect::<Vec<_>>(), [&id]);
    refused(&with(1).1, Refusal::SeenFull);
}

/// A job that comes after `first`, for an endpoint of that state.
fn follower(world: &mut World, first: StatementId, state: &State) -> Delivery {
    let mut job = world.job().unwrap();
    job.after = vec![first];
    world.deliver(&signed(&job, &BOTH).unwrap(), state).unwrap()
}

#[test]
fn a_job_comes_after_another_only_until_the_others_window_is_over() {
    let mut world = World::new().unwrap();
    let mut state = world.endpoint(0).unwrap();
    let delivery = follower(&mut world, job_number(1), &state);
    state.succeeded.insert(job_number(1), world.now);
    refused(&deliver(&world, &state, &delivery), Refusal::AfterMissing);
    state.succeeded.insert(job_number(1), world.now.plus(1));
    runs(&deliver(&world, &state, &delivery));
}

#[test]
fn a_job_comes_after_another_only_if_that_ended_well() {
    let mut world = World::new().unwrap();
    let state = world.endpoint(0).unwrap();
    let first = world.good_delivery(&state).unwrap();
    let mut state = deliver(&world, &state, &first).state;
    let first = Envelope::decode(&first.envelope).unwrap().id();
    let second = follower(&mut world, first, &state);
    for decision in [Decision::Failed, Decision::TimedOut, Decision::Interrupted] {
        let receipt = ended(&world, &state, first, decision);
        state.record_receipt(Envelope::new(&receipt).id(), &receipt);
        assert_eq!(state.receipt_prev, Some(Envelope::new(&receipt).id()));
        refused(&deliver(&world, &state, &second), Refusal::AfterMissing);
    }
    let receipt = ended(&world, &state, first, Decision::Done);
    state.record_receipt(Envelope::new(&receipt).id(), &receipt);
    assert_eq!(state.receipt_seq, 4);
    runs(&deliver(&world, &state, &second));
}

fn ended(world: &World, state: &State, job: StatementId, decision: Decision) -> Receipt {
    Receipt {
        v: V1,
        org: state.org,
        iat: world.now,
        crit: Vec::new(),
        endpoint: state.endpoint,
        seq: state.receipt_seq + 1,
        prev: state.receipt_prev,
        job,
        occurrence: None,
        decision,
        code: "ok".to_owned(),
        t0: world.now,
        t1: world.now,
        exit: None,
        output: Output { sha256: Sha256::of(b""), size: 0 },
        program: None,
        state: state.summary(),
    }
}

#[test]
fn an_order_makes_its_content_reviewed_only_with_a_second_person() {
    let trigger = |world: &World| {
        let on = On::Interval { every_s: 3600 };
        Some(bartizan_testkit::world::trigger(on, world.now.plus(limits::DAY_S)))
    };
    let reviewed = script(CONTENT).unwrap().reviewed_as();
    let cases = [(Class::Routine, &BOTH[..1], false), (Class::Change, &BOTH[..], true)];
    for (class, signers, expected) in cases {
        let mut world = World::new().unwrap();
        let state = world.endpoint(0).unwrap();
        let job = world.job().unwrap();
        let job = Job { class, trigger: trigger(&world), ..job };
        let delivery = world.deliver(&signed(&job, signers).unwrap(), &state).unwrap();
        let outcome = deliver(&world, &state, &delivery);
        assert!(matches!(outcome.verdict, Verdict::Stand(_)), "{:?}", outcome.verdict);
        assert_eq!(outcome.state.reviewed.contains(&reviewed), expected, "{class:?}");
    }
}
