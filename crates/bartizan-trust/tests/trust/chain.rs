//! The bundle chain and the control log under attack (I7), asserting codes; a refusal leaves the state as it was.

use bartizan_testkit::world::{World, signed};
use bartizan_trust::control::{ControlUpdate, enrol, replay};
use bartizan_trust::id::{Anchor, OrgId, Sha256};
use bartizan_trust::limits;
use bartizan_trust::refusal::Refusal;
use bartizan_trust::state::State;
use bartizan_trust::statement::*;

fn world() -> World {
    World::new().unwrap()
}

fn fresh(world: &World) -> State {
    State::new(Anchor::new(world.org), World::endpoint_id(0).unwrap())
}

#[track_caller]
fn refused(
    world: &World,
    state: &State,
    entries: &[Vec<u8>],
    checkpoint: &[u8],
    expected: Refusal,
) {
    let update = ControlUpdate { start: state.control.size(), entries, checkpoint };
    assert_eq!(replay(state, &world.facts(), &update).map(|_| ()), Err(expected));
    // An honest update afterwards still works.
    world.caught_up(state).unwrap();
}

/// A bundle that is logged and witnessed but has no effect, for this reason.
#[track_caller]
fn skipped(change: impl FnOnce(&mut Bundle), signers: &[&str], expected: Refusal) {
    let mut world = world();
    let state = world.endpoint(0).unwrap();
    let honest = (world.bundle.clone(), world.bundle_id);
    world.publish(change, signers).unwrap();
    let (entries, checkpoint) = world.control_for(&state).unwrap();
    let update = ControlUpdate { start: 1, entries: &entries, checkpoint: &checkpoint };
    let (after, skipped) = replay(&state, &world.facts(), &update).unwrap();
    assert_eq!(
        skipped.iter().map(|entry| (entry.index, entry.refusal)).collect::<Vec<_>>(),
        [(1, expected)]
    );
    assert_eq!(after.trust, state.trust, "trust has not moved");
    // I9: the next honest bundle is accepted.
    (world.bundle, world.bundle_id) = honest;
    world.publish(|bundle| bundle.weaken_delay_s += 1, &["alice", "bob"]).unwrap();
    let last = world.caught_up(&after).unwrap();
    assert_eq!(last.trust.unwrap().bundle.version, 2);
}

#[test]
fn i7_a_genesis_that_is_not_the_anchors() {
    let (honest, other) = (
        world(),
        World::with(|bundle| {
            bundle.min_agent = "0.0.1".to_owned();
            Ok(())
        })
        .unwrap(),
    );
    let (entries, checkpoint) = other.control_for(&fresh(&other)).unwrap();
    refused(&honest, &fresh(&honest), &entries, &checkpoint, Refusal::AnchorMismatch);
}

#[test]
fn i7_a_genesis_signed_by_fewer_than_its_own_threshold() {
    let honest = world();
    let genesis = signed(&honest.bundle, &[("alice", SignatureRole::Root)]).unwrap();
    assert_eq!(
        OrgId::new(*genesis.id().hash()),
        honest.org,
        "signatures are no part of the digest"
    );
    let mut log = bartizan_testkit::world::Log::named("control").unwrap();
    log.append(genesis.encode());
    let checkpoint = log.note(1, &honest.all_witnesses(), honest.now).unwrap();
    refused(&honest, &fresh(&honest), &[genesis.encode()], &checkpoint, Refusal::BundleThreshold);
}

#[test]
fn i7_a_bundle_that_skips_a_version_or_follows_another() {
    skipped(|bundle| bundle.version = 3, &["alice", "bob"], Refusal::BundleChain);
    skipped(
        |bundle| bundle.prev = Some(bartizan_trust::id::StatementId::new(Sha256::of(b"other"))),
        &["alice", "bob"],
        Refusal::BundleChain,
    );
    skipped(
        |bundle| bundle.org = Some(OrgId::new(Sha256::of(b"other"))),
        &["alice", "bob"],
        Refusal::BundleChain,
    );
}

#[test]
fn a_bundle_that_demands_to_be_understood_and_is_not_has_no_effect() {
    let later = |bundle: &mut Bundle| bundle.crit = vec!["later".to_owned()];
    skipped(later, &["alice", "bob"], Refusal::CriticalUnknown);
}

#[test]
fn i7_a_bundle_signed_by_too_few_or_by_one_person_twice() {
    skipped(|_| {}, &["alice"], Refusal::BundleThreshold);
    skipped(|_| {}, &["alice", "alice"], Refusal::BundleThreshold);
    skipped(|_| {}, &["alice", "mallory"], Refusal::BundleThreshold);
}

#[test]
fn i7_a_bundle_signed_by_the_old_root_only_or_the_new_root_only() {
    // The new root wants three people.
    skipped(|bundle| bundle.root.threshold = 3, &["alice", "bob"], Refusal::BundleThreshold);
    // Carol is no longer root in the new bundle.
    skipped(
        |bundle| {
            bundle.operators[2].roles.retain(|role| *role != OperatorRole::Root);
        },
        &["alice", "carol"],
        Refusal::BundleThreshold,
    );
}

#[test]
fn what_tightens_acts_at_once() {
    let tighten: [fn(&mut Bundle); 7] = [
        |b| b.operators.truncate(2),
        |b| b.classes[0].endpoints_new_max = 1,
        |b| b.classes[1].approvals = 2,
        |b| b.classes[1].user_check = UserCheck::Presence,
        |b| b.limits.output_max = 1,
        |b| b.min_agent = "0.1.1".to_owned(),
        |b| b.operators[2].tenants = TenantScope::Only(vec![]),
    ];
    for change in tighten {
        let mut world = world();
        let state = world.endpoint(0).unwrap();
        world.publish(change, &["alice", "bob"]).unwrap();
        assert_eq!(world.caught_up(&state).unwrap().trust.unwrap().bundle, world.bundle);
    }
}

#[test]
fn i7_a_control_log_that_shrinks_forks_or_leaves_something_out() {
    let mut world = world();
    let old = world.endpoint(0).unwrap();
    world.publish(|bundle| bundle.weaken_delay_s += 1, &["alice", "bob"]).unwrap();
    world.publish(|bundle| bundle.weaken_delay_s += 1, &["alice", "bob"]).unwrap();
    let state = world.caught_up(&old).unwrap();
    let note = |log: &bartizan_testkit::world::Log, size| {
        log.note(size, &world.all_witnesses(), world.now).unwrap()
    };

    refused(&world, &state, &[], &note(&world.control, 2), Refusal::LogShrunk);
    let fork = world.control.fork(1).unwrap();
    refused(&world, &state, &[], &note(&fork, 3), Refusal::LogFork);
    // One entry kept back, however the rest is numbered.
    let entries = world.control.entries_from(1);
    refused(&world, &old, &entries[1..], &note(&world.control, 3), Refusal::ControlGap);
    refused(&world, &old, &entries[..1], &note(&world.control, 3), Refusal::ControlGap);
    let update =
        ControlUpdate { start: 2, entries: &entries[1..], checkpoint: &note(&world.control, 3) };
    assert_eq!(replay(&old, &world.facts(), &update).map(|_| ()), Err(Refusal::ControlGap));
    // One entry changed.
    let mut changed = entries.clone();
    changed[0].push(b' ');
    refused(&world, &old, &changed, &note(&world.control, 3), Refusal::LogFork);
}

#[test]
fn i7_a_control_checkpoint_without_its_log_or_its_quorum() {
    let world = world();
    let state = world.endpoint(0).unwrap();
    let by = |log: &bartizan_testkit::world::Log, witnesses: &[_]| {
        log.note(1, witnesses, world.now).unwrap()
    };
    let mut jobs = bartizan_testkit::world::Log::named("jobs").unwrap();
    jobs.append(world.control.entries_from(0).remove(0));
    refused(&world, &state, &[], &by(&jobs, &world.all_witnesses()), Refusal::LogSignature);
    refused(&world, &state, &[], b"no note", Refusal::LogSignature);
    refused(&world, &state, &[], &by(&world.control, &[]), Refusal::NotWitnessed);
    refused(
        &world,
        &state,
        &[],
        &by(&world.control, &[&world.witnesses[0]]),
        Refusal::NotWitnessed,
    );
}

#[test]
fn one_rogue_witness_cannot_push_the_clock() {
    let world = world();
    let state = world.endpoint(0).unwrap();
    let honest = world.control.note(1, &[&world.witnesses[0]], world.now).unwrap();
    let rogue = world.control.note(1, &[&world.witnesses[1]], world.now.plus(1_000_000)).unwrap();
    let line = String::from_utf8(rogue).unwrap().lines().last().unwrap().to_owned() + "\n";
    let both = [honest, line.into_bytes()].concat();
    let update = ControlUpdate { start: 1, entries: &[], checkpoint: &both };
    let (after, _) = replay(&state, &world.facts(), &update).unwrap();
    assert_eq!(after.floor, world.now);
}

/// Where one witness satisfies the quorum, as in a new organisation of two people.
fn any_one() -> World {
    World::with(|bundle| {
        bundle.log.policy = bundle.log.policy.replace("quorum both", "quorum any-one");
        Ok(())
    })
    .unwrap()
}

#[test]
fn one_rogue_witness_cannot_push_the_clock_even_where_one_is_enough() {
    let world = any_one();
    let state = world.endpoint(0).unwrap();
    let future = world.now.plus(1_000_000);
    let shown = |witnesses: &[(&bartizan_testkit::world::Witness, _)]| {
        let checkpoint = world.control.note_at(1, witnesses).unwrap();
        let update = ControlUpdate { start: 1, entries: &[], checkpoint: &checkpoint };
        replay(&state, &world.facts(), &update).unwrap().0
    };
    let [one, two] = &world.witnesses;
    let latest = world.now.plus(limits::CLOCK_SKEW_S);
    let alone = shown(&[(one, future)]);
    assert_eq!((alone.floor, alone.control_seen_at), (latest, latest));
    let beside = shown(&[(one, future), (two, world.now)]);
    assert_eq!((beside.floor, beside.control_seen_at), (latest, latest));
    // The other way round: a clock that is slow follows two who agree, and no further than the slower of them.
    let agreed = shown(&[(one, future), (two, world.now.plus(500_000))]);
    assert_eq!(agreed.floor, world.now.plus(500_000));
    // An honest witness alone keeps the view fresh.
    assert_eq!(shown(&[(two, world.now)]).control_seen_at, world.now);
}

#[test]
fn junk_in_the_control_log_is_skipped_and_reported() {
    let mut world = world();
    let state = world.endpoint(0).unwrap();
    world.control.append(b"junk".to_vec());
    let freeze = String::from_utf8(world.enrolment("acme").unwrap().encode()).unwrap();
    world.control.append(freeze.replace("enrolment.v1", "freeze.v1").into_bytes());
    world.control.append(freeze.into_bytes());
    world.publish(|bundle| bundle.weaken_delay_s += 1, &["alice", "bob"]).unwrap();
    let (entries, checkpoint) = world.control_for(&state).unwrap();
    let update = ControlUpdate { start: 1, entries: &entries, checkpoint: &checkpoint };
    let (after, skipped) = replay(&state, &world.facts(), &update).unwrap();
    let codes: Vec<_> = skipped.iter().map(|entry| entry.refusal).collect();
    assert_eq!(codes, [Refusal::Malformed, Refusal::Malformed, Refusal::UnknownKind]);
    assert_eq!(after.trust.unwrap().bundle.version, 2);
}

#[test]
fn a_backlog_above_the_limits_is_refused() {
    let world = world();
    let state = world.endpoint(0).unwrap();
    let (_, checkpoint) = world.control_for(&state).unwrap();
    let many = vec![Vec::new(); limits::CONTROL_REPLAY_ENTRIES_MAX + 1];
    refused(&world, &state, &many, &checkpoint, Refusal::TooLarge);
    refused(
        &world,
        &state,
        &[vec![0; limits::ENVELOPE_BYTES_MAX + 1]],
        &checkpoint,
        Refusal::TooLarge,
    );
    let at = vec![Vec::new(); limits::CONTROL_REPLAY_ENTRIES_MAX];
    refused(&world, &state, &at, &checkpoint, Refusal::ControlGap);
    // As large as an entry may be, and as all of them may be together.
    let largest = vec![0; limits::ENVELOPE_BYTES_MAX];
    refused(&world, &state, std::slice::from_ref(&largest), &checkpoint, Refusal::ControlGap);
    let mut all = vec![largest; limits::CONTROL_REPLAY_BYTES_MAX / limits::ENVELOPE_BYTES_MAX];
    all.push(vec![0; limits::CONTROL_REPLAY_BYTES_MAX % limits::ENVELOPE_BYTES_MAX]);
    refused(&world, &state, &all, &checkpoint, Refusal::ControlGap);
    all.push(vec![0]);
    refused(&world, &state, &all, &checkpoint, Refusal::TooLarge);
}

#[test]
fn an_enrolment_must_be_this_organisations_signed_and_in_time() {
    let mut world = world();
    let state = world.caught_up(&fresh(&world)).unwrap();
    let good = world.enrolment("acme").unwrap();
    let mut statement: Enrolment = good.statement().unwrap();
    let check = |world: &World, envelope: &bartizan_trust::envelope::Envelope| {
        enrol(&state, &world.facts(), &envelope.encode()).map(|_| ())
    };
    assert_eq!(check(&world, &good), Ok(()));
    let by = |statement: &Enrolment, name, role| signed(statement, &[(name, role)]).unwrap();
    assert_eq!(
        check(&world, &by(&statement, "mallory", SignatureRole::Enroll)),
        Err(Refusal::EnrolmentInvalid)
    );
    assert_eq!(
        check(&world, &by(&statement, "alice", SignatureRole::Author)),
        Err(Refusal::EnrolmentInvalid)
    );
    statement.org = OrgId::new(Sha256::of(b"other"));
    assert_eq!(
        check(&world, &by(&statement, "alice", SignatureRole::Enroll)),
        Err(Refusal::EnrolmentInvalid)
    );
    world.now = statement.exp;
    assert_eq!(check(&world, &good), Err(Refusal::EnrolmentInvalid));
}

#[test]
fn a_second_enrolment_moves_an_endpoint_nowhere() {
    let world = world();
    let state = world.endpoint_of(0, "acme").unwrap();
    let other = world.enrolment("globex").unwrap().encode();
    assert_eq!(enrol(&state, &world.facts(), &other).map(|_| ()), Err(Refusal::EnrolmentInvalid));
    let same = world.enrolment("acme").unwrap().encode();
    assert_eq!(enrol(&state, &world.facts(), &same).unwrap(), state);
}
