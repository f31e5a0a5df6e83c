//! I5 and I6: only if logged and witnessed, never with a stale control view.

use super::*;

// I5: only if logged and witnessed.

#[test]
fn i5_a_job_that_is_not_logged() {
    let mut world = world();
    let state = world.endpoint(0).unwrap();
    let good = world.good_delivery(&state).unwrap();
    let other = signed(&world.job().unwrap(), &BOTH).unwrap();
    for delivery in [
        Delivery { envelope: other.encode(), ..good.clone() },
        Delivery { proof: Vec::new(), ..good.clone() },
        Delivery { proof: vec![b'x'; limits::LOG_PROOF_BYTES_MAX + 1], ..good.clone() },
    ] {
        refused(&mut world, &state, &delivery, Refusal::NotLogged);
    }
}

#[test]
fn i5_a_signature_added_after_logging() {
    let mut world = world();
    let state = world.endpoint(0).unwrap();
    let job = world.job().unwrap();
    let mut delivery = world.deliver(&signed(&job, &[("alice", Author)]).unwrap(), &state).unwrap();
    delivery.envelope = signed(&job, &BOTH).unwrap().encode();
    refused(&mut world, &state, &delivery, Refusal::NotLogged);
}

#[test]
fn i5_a_job_nobody_or_one_person_witnessed() {
    let mut world = world();
    let state = world.endpoint(0).unwrap();
    let good = world.good_delivery(&state).unwrap();
    let stranger = Witness::named("stranger").unwrap();
    let size = world.jobs.size();
    let with = |witnesses: &[&Witness]| Delivery {
        proof: world
            .jobs
            .proof(size - 1, size, world.jobs.note(size, witnesses, world.now).unwrap())
            .unwrap(),
        ..good.clone()
    };
    let one = &world.witnesses[0];
    let deliveries = [with(&[]), with(&[one]), with(&[one, one]), with(&[one, &stranger])];
    for delivery in deliveries {
        refused(&mut world, &state, &delivery, Refusal::NotWitnessed);
    }
}

#[test]
fn i5_a_checkpoint_of_another_log() {
    let mut world = world();
    let state = world.endpoint(0).unwrap();
    let good = world.good_delivery(&state).unwrap();
    let note = world.control.note(1, &world.all_witnesses(), world.now).unwrap();
    let size = world.jobs.size();
    let delivery = Delivery { proof: world.jobs.proof(size - 1, size, note).unwrap(), ..good };
    refused(&mut world, &state, &delivery, Refusal::LogSignature);
}

#[test]
fn i5_a_fork_of_the_jobs_log() {
    let mut world = world();
    let state = world.endpoint(0).unwrap();
    for _ in 0..3 {
        world.good_delivery(&state).unwrap();
    }
    let first = world.good_delivery(&state).unwrap();
    let state = runs(&world, &state, &first);
    // Whoever holds the log key shows this endpoint another history of a larger size.
    for extra in [0, 1] {
        let mut fork = world.jobs.fork(2).unwrap();
        let envelope = signed(&world.job().unwrap(), &BOTH).unwrap().encode();
        for _ in 0..extra {
            fork.append(b"more".to_vec());
        }
        let index = fork.append(envelope.clone());
        let size = fork.size();
        let note = fork.note(size, &world.all_witnesses(), world.now).unwrap();
        let delivery = Delivery {
            envelope,
            proof: fork.proof(index, size, note).unwrap(),
            consistency: fork.consistency(state.jobs.size, size).unwrap(),
            ..first.clone()
        };
        refused(&mut world, &state, &delivery, Refusal::LogFork);
    }
}

#[test]
fn i5_another_history_of_the_same_size_is_a_fork() {
    let mut world = world();
    let state = world.endpoint(0).unwrap();
    world.good_delivery(&state).unwrap();
    let last = world.good_delivery(&state).unwrap();
    let state = runs(&world, &state, &last);
    let mut fork = Fork::shorter(&world.jobs, 1);
    let envelope = signed(&world.job().unwrap(), &BOTH).unwrap().encode();
    let index = fork.append(envelope.clone());
    let size = fork.size();
    assert_eq!(size, state.jobs.size);
    let note = fork.note(size, &world.all_witnesses(), world.now).unwrap();
    let proof = fork.proof(index, size, note).unwrap();
    let delivery = Delivery { envelope, proof, consistency: Vec::new(), ..last };
    refused(&mut world, &state, &delivery, Refusal::LogFork);
}

#[test]
fn i5_a_jobs_checkpoint_that_shrinks() {
    let mut world = world();
    let state = world.endpoint(0).unwrap();
    for _ in 0..4 {
        world.good_delivery(&state).unwrap();
    }
    let last = world.good_delivery(&state).unwrap();
    let state = runs(&world, &state, &last);
    let mut fork = world.jobs.fork(4).unwrap().fork(4).unwrap();
    let envelope = signed(&world.job().unwrap(), &BOTH).unwrap().encode();
    let short = fork.size();
    assert!(short <= state.jobs.size);
    fork = Fork::shorter(&fork, 2);
    let index = fork.append(envelope.clone());
    let size = fork.size();
    assert!(size < state.jobs.size);
    let note = fork.note(size, &world.all_witnesses(), world.now).unwrap();
    let delivery = Delivery {
        envelope,
        proof: fork.proof(index, size, note).unwrap(),
        consistency: Vec::new(),
        ..last
    };
    refused(&mut world, &state, &delivery, Refusal::LogShrunk);
}

struct Fork;

impl Fork {
    /// The same log, cut.
    fn shorter(log: &bartizan_testkit::world::Log, size: usize) -> bartizan_testkit::world::Log {
        let mut cut = bartizan_testkit::world::Log::named("jobs").unwrap();
        for entry in log.entries_from(0).into_iter().take(size) {
            cut.append(entry);
        }
        cut
    }
}

#[test]
fn i5_an_older_consistent_checkpoint_is_no_attack() {
    let mut world = world();
    let state = world.endpoint(0).unwrap();
    let first = world.good_delivery(&state).unwrap();
    let second = world.good_delivery(&state).unwrap();
    let state = runs(&world, &state, &second);
    let older = Delivery { consistency: world.jobs.consistency(1, 2).unwrap(), ..first };
    let after = runs(&world, &state, &older);
    assert_eq!(after.jobs, state.jobs, "the larger view stays");
}

// I6, as far as this release goes: a stale control view starts nothing.

#[test]
fn i6_a_stale_control_view_starts_nothing() {
    let mut world = world();
    let state = world.endpoint(0).unwrap();
    world.now = world.now.plus(3601);
    let delivery = world.good_delivery(&state).unwrap();
    let outcome = deliver(&world, &state, &delivery);
    assert!(
        matches!(outcome.verdict, Verdict::Refused(Refusal::ControlStale)),
        "{:?}",
        outcome.verdict
    );
    let fresh = world.caught_up(&outcome.state).unwrap();
    runs(&world, &fresh, &delivery);
}
