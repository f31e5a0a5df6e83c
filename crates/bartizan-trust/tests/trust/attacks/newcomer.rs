//! An endpoint that comes late, or begins again from its anchor, hears years of the control log at once. Whoever was removed in
//! the meantime, and owns the server today, must find it no easier than the others.

use super::*;

const ROOT: [&str; 2] = ["alice", "bob"];

/// An organisation older than a week whose bundle was weakened once, and then lost Carol, whose key is stolen. Long ago.
fn without_carol() -> World {
    let mut world = world();
    world.now = world.now.plus(limits::FIRST_WEEK_S);
    world.publish(|bundle| bundle.classes[0].endpoints_new_max += 1, &ROOT).unwrap();
    world.publish(|bundle| bundle.operators.truncate(2), &ROOT).unwrap();
    world.now = world.now.plus(30 * limits::DAY_S);
    world
}

/// An endpoint that is enrolled, and hears all of the control log at once. Its first bundle is in force, the others wait.
fn newcomer(world: &World) -> State {
    let fresh = State::new(Anchor::new(world.org), World::endpoint_id(0).unwrap());
    let mut state = world.caught_up(&fresh).unwrap();
    state.membership = super::world().endpoint(0).unwrap().membership;
    assert_eq!(state.trust.as_ref().unwrap().bundle.version, 1);
    state
}

fn version_in_a_day(world: &mut World, state: &State) -> u64 {
    world.now = world.now.plus(limits::DAY_S);
    world.caught_up(state).unwrap().trust.unwrap().bundle.version
}

#[test]
fn i1_a_removed_operator_is_nobody_to_an_endpoint_that_comes_later() {
    let mut world = without_carol();
    let state = newcomer(&world);
    let mut job = world.job().unwrap();
    job.class = Class::Routine;
    let alone = world.deliver(&signed(&job, &[("carol", Author)]).unwrap(), &state).unwrap();
    refused(&mut world, &state, &alone, Refusal::AuthorMissing);
    let job = world.job().unwrap();
    let signers = [("alice", Author), ("carol", Approve)];
    let beside = world.deliver(&signed(&job, &signers).unwrap(), &state).unwrap();
    refused(&mut world, &state, &beside, Refusal::ApprovalsMissing);
    assert_eq!(version_in_a_day(&mut world, &state), 3);
}

#[test]
fn i7_a_removed_operator_vetoes_nothing_at_an_endpoint_that_comes_later() {
    for behind in [0, 1] {
        let mut world = without_carol();
        let seen: Vec<_> = newcomer(&world).pending.iter().map(|waits| waits.trust.id).collect();
        let veto = world.veto(seen[behind]);
        world.log_control(&signed(&veto, &[("carol", SignatureRole::Root)]).unwrap());
        let state = newcomer(&world);
        assert_eq!(state.pending.len(), 2, "nothing was dropped");
        assert_eq!(version_in_a_day(&mut world, &state), 3);
    }
}

#[test]
fn i7_former_root_operators_take_no_endpoint_that_comes_later() {
    // Dora and Emil follow Alice and Bob, whose keys are stolen years later.
    let mut world = world();
    world.now = world.now.plus(limits::FIRST_WEEK_S);
    let genesis = (world.bundle.clone(), world.bundle_id);
    let newer = |bundle: &mut Bundle| {
        bundle.operators.extend([operator("dora").unwrap(), operator("emil").unwrap()]);
    };
    world.publish(newer, &ROOT).unwrap();
    let leave = |bundle: &mut Bundle| bundle.operators.retain(|o| o.id.name() > "carol");
    world.publish(leave, &["alice", "bob", "dora", "emil"]).unwrap();
    let today = (world.bundle.clone(), world.bundle_id);
    // With the server they write into its log what follows the first bundle and only tightens it.
    (world.bundle, world.bundle_id) = genesis;
    world.publish(|bundle| bundle.operators.truncate(2), &ROOT).unwrap();
    (world.bundle, world.bundle_id) = today;
    let state = newcomer(&world);
    assert_eq!(state.trust.as_ref().unwrap().bundle.operators.len(), 3, "it does not act");
    let job = world.job().unwrap();
    let theirs = world.deliver(&signed(&job, &BOTH).unwrap(), &state).unwrap();
    let verdict = deliver(&world, &state, &theirs).verdict;
    assert!(matches!(verdict, Verdict::Refused(Refusal::AuthorMissing)), "{verdict:?}");
    assert_eq!(version_in_a_day(&mut world, &state), 3);
}

#[test]
fn what_a_waiting_removal_leaves_of_a_person_still_counts() {
    let mut world = world();
    world.now = world.now.plus(limits::FIRST_WEEK_S);
    let another = operator_key(&Key::named("carol's other").unwrap().public);
    world.publish(|bundle| bundle.operators[2].keys = vec![another], &ROOT).unwrap();
    let less = |bundle: &mut Bundle| {
        bundle.operators[0].roles.retain(|role| *role != OperatorRole::Approve);
    };
    world.publish(less, &ROOT).unwrap();
    let state = newcomer(&world);
    let by = |world: &mut World, signers: &[(&str, SignatureRole)]| {
        let job = world.job().unwrap();
        let delivery = world.deliver(&signed(&job, signers).unwrap(), &state).unwrap();
        deliver(world, &state, &delivery).verdict
    };
    // Carol's key is replaced by one that waits: until then the old one counts, as the bundle in force says.
    assert!(matches!(by(&mut world, &[("carol", Author), ("bob", Approve)]), Verdict::Run(_)));
    assert!(matches!(by(&mut world, &[("alice", Author), ("bob", Approve)]), Verdict::Run(_)));
    let verdict = by(&mut world, &[("bob", Author), ("alice", Approve)]);
    assert!(matches!(verdict, Verdict::Refused(Refusal::ApprovalsMissing)), "{verdict:?}");
}

/// The organisation has lived for years. An endpoint that hears nine changes at once must not lose the ninth for ever.
#[test]
fn i7_years_of_changes_reach_an_endpoint_that_comes_late() {
    let mut world = world();
    world.now = world.now.plus(limits::FIRST_WEEK_S);
    for _ in 0..limits::PENDING_BUNDLES_MAX {
        world.publish(|bundle| bundle.expires = bundle.expires.plus(1), &ROOT).unwrap();
    }
    let state = newcomer(&world);
    assert_eq!(state.pending.len(), limits::PENDING_BUNDLES_MAX);
    // One above the limit is skipped; nothing before it is lost.
    world.publish(|bundle| bundle.expires = bundle.expires.plus(1), &ROOT).unwrap();
    let state = world.caught_up(&state).unwrap();
    let last = limits::PENDING_BUNDLES_MAX as u64 + 1;
    assert_eq!(version_in_a_day(&mut world, &state), last);
}

/// Whoever founds an organisation with a clock years ahead gets no years without delays.
#[test]
fn i7_a_genesis_dated_ahead_has_no_longer_first_week() {
    let mut world = World::with(|bundle| {
        bundle.iat = bundle.iat.plus(1000 * limits::DAY_S);
        bundle.expires = bundle.expires.plus(2000 * limits::DAY_S);
        Ok(())
    })
    .unwrap();
    let state = world.endpoint(0).unwrap();
    world.now = world.now.plus(limits::FIRST_WEEK_S);
    world.publish(|bundle| bundle.classes[0].endpoints_new_max += 1, &ROOT).unwrap();
    let state = world.caught_up(&state).unwrap();
    assert_eq!((state.trust.unwrap().bundle.version, state.pending.len()), (1, 1));
}
