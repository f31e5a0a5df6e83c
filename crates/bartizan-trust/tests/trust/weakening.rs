//! Bundles that weaken (I7): they wait, can be vetoed, and never overtake what tightens.

use bartizan_testkit::load::organisation::Key;
use bartizan_testkit::world::{World, operator, operator_key, signed};
use bartizan_trust::control::{ControlUpdate, replay};
use bartizan_trust::id::{OrgId, Sha256, StatementId};
use bartizan_trust::limits;
use bartizan_trust::refusal::Refusal;
use bartizan_trust::state::State;
use bartizan_trust::statement::*;

const ROOT: [&str; 2] = ["alice", "bob"];

/// An organisation that is older than a week, and one endpoint of it.
fn settled() -> (World, State) {
    settled_with(|_| {})
}

fn settled_with(change: impl FnOnce(&mut Bundle)) -> (World, State) {
    let mut world = World::with(|bundle| {
        change(bundle);
        Ok(())
    })
    .unwrap();
    let state = world.endpoint(0).unwrap();
    world.now = world.now.plus(limits::FIRST_WEEK_S);
    let state = world.caught_up(&state).unwrap();
    (world, state)
}

fn seen(world: &World, state: &State) -> (State, Vec<Refusal>) {
    let (entries, checkpoint) = world.control_for(state).unwrap();
    let update =
        ControlUpdate { start: state.control.size(), entries: &entries, checkpoint: &checkpoint };
    let (state, skipped) = replay(state, &world.facts(), &update).unwrap();
    (state, skipped.into_iter().map(|entry| entry.refusal).collect())
}

fn version(state: &State) -> u64 {
    state.trust.as_ref().unwrap().bundle.version
}

fn more_endpoints(bundle: &mut Bundle) {
    bundle.classes[0].endpoints_new_max += 1;
}

#[test]
fn i7_what_weakens_waits_for_its_delay() {
    let weaken: [fn(&mut Bundle); 17] = [
        |b| b.operators.push(operator("mallory").unwrap()),
        |b| b.operators[0].keys.insert(0, operator_key(&Key::named("another key").unwrap().public)),
        |b| b.root.threshold = 1,
        |b| b.classes[1].approvals = 0,
        more_endpoints,
        |b| b.classes[0].freshness_s += 1,
        |b| b.classes[0].operator_jobs_per_hour_max += 1,
        |b| b.classes[1].orders.freshness_s_max += 1,
        |b| b.tenants[0].endpoints += 1,
        |b| b.tenants.clear(),
        |b| b.classes[1].witnesses = "any-one".to_owned(),
        |b| b.limits.timeout_s_max += 1,
        |b| b.servers[0].spki = Sha256::of(b"the attacker's key"),
        |b| b.mirrors.push(Mirror { url: "http://inside.example".to_owned(), every_s: 60 }),
        |b| b.expires = b.expires.plus(1),
        |b| b.weaken_delay_s = 0,
        |b| b.log.policy = b.log.policy.replace("quorum both", "quorum any-one"),
    ];
    for change in weaken {
        let (mut world, state) = settled_with(|bundle| {
            let tenant = bartizan_trust::id::TenantId::from_name("acme").unwrap();
            bundle.tenants = vec![TenantSize { tenant, endpoints: 100 }];
        });
        world.publish(change, &ROOT).unwrap();
        let (state, skipped) = seen(&world, &state);
        assert_eq!((skipped, version(&state), state.pending.len()), (vec![], 1, 1));
        world.now = world.now.plus(limits::DAY_S - 1);
        let state = world.caught_up(&state).unwrap();
        assert_eq!(version(&state), 1);
        world.now = world.now.plus(1);
        let state = world.caught_up(&state).unwrap();
        assert_eq!((version(&state), state.pending.len()), (2, 0));
        assert_eq!(state.trust.unwrap().bundle, world.bundle);
    }
}

#[test]
fn i7_a_mirror_is_taken_away_only_after_the_delay() {
    let mirror = Mirror { url: "https://mirror.example/acme".to_owned(), every_s: 60 };
    let (mut world, state) = settled_with(|bundle| bundle.mirrors.push(mirror));
    world.publish(|bundle| bundle.mirrors.clear(), &ROOT).unwrap();
    let (state, skipped) = seen(&world, &state);
    assert_eq!((skipped, version(&state), state.pending.len()), (vec![], 1, 1));
}

#[test]
fn a_new_organisation_changes_without_delay_for_a_week() {
    let mut world = World::new().unwrap();
    let state = world.endpoint(0).unwrap();
    world.now = world.now.plus(limits::FIRST_WEEK_S - 1);
    world.publish(more_endpoints, &ROOT).unwrap();
    let state = world.caught_up(&state).unwrap();
    assert_eq!(version(&state), 2);
    world.now = world.now.plus(1);
    world.publish(more_endpoints, &ROOT).unwrap();
    assert_eq!(version(&world.caught_up(&state).unwrap()), 2);
}

#[test]
fn i7_one_root_operator_vetoes_and_a_later_change_is_not_blocked() {
    let (mut world, state) = settled();
    let before = (world.bundle.clone(), world.bundle_id);
    world.publish(more_endpoints, &ROOT).unwrap();
    let state = world.caught_up(&state).unwrap();
    let veto = signed(&world.veto(world.bundle_id), &[("carol", SignatureRole::Root)]).unwrap();
    world.log_control(&veto);
    let (state, skipped) = seen(&world, &state);
    assert_eq!((skipped, state.pending.len()), (vec![], 0));
    world.now = world.now.plus(2 * limits::DAY_S);
    let state = world.caught_up(&state).unwrap();
    assert_eq!(version(&state), 1);
    (world.bundle, world.bundle_id) = before;
    world.publish(|bundle| bundle.operators.truncate(2), &ROOT).unwrap();
    assert_eq!(version(&world.caught_up(&state).unwrap()), 2);
}

#[test]
fn i7_a_veto_counts_also_when_it_is_seen_with_the_end_of_the_delay() {
    let (mut world, state) = settled();
    world.publish(more_endpoints, &ROOT).unwrap();
    let state = world.caught_up(&state).unwrap();
    world.log_control(
        &signed(&world.veto(world.bundle_id), &[("carol", SignatureRole::Root)]).unwrap(),
    );
    world.now = world.now.plus(2 * limits::DAY_S);
    let state = world.caught_up(&state).unwrap();
    assert_eq!((version(&state), state.pending.len()), (1, 0));
}

#[test]
fn a_veto_of_a_stranger_or_of_nothing_is_reported() {
    let (mut world, state) = settled_with(|bundle| {
        bundle.operators[2].roles.retain(|role| *role != OperatorRole::Root);
    });
    world.publish(more_endpoints, &ROOT).unwrap();
    for (bundle, name, role) in [
        (world.bundle_id, "mallory", SignatureRole::Root),
        (world.bundle_id, "carol", SignatureRole::Root),
        (world.bundle_id, "alice", SignatureRole::Approve),
        (StatementId::new(Sha256::of(b"unknown")), "alice", SignatureRole::Root),
    ] {
        world.log_control(&signed(&world.veto(bundle), &[(name, role)]).unwrap());
    }
    let (state, skipped) = seen(&world, &state);
    assert_eq!(skipped, [Refusal::VetoInvalid; 4]);
    assert_eq!(state.pending.len(), 1);
}

#[test]
fn a_veto_of_another_organisation_or_with_something_unknown_drops_nothing() {
    for (change, expected) in [
        (|veto: &mut Veto| veto.crit = vec!["later".to_owned()], Refusal::CriticalUnknown),
        (|veto| veto.org = OrgId::new(Sha256::of(b"another")), Refusal::WrongOrg),
    ] as [(fn(&mut Veto), Refusal); 2]
    {
        let (mut world, state) = settled();
        world.publish(more_endpoints, &ROOT).unwrap();
        let mut veto = world.veto(world.bundle_id);
        change(&mut veto);
        world.log_control(&signed(&veto, &[("bob", SignatureRole::Root)]).unwrap());
        let (state, skipped) = seen(&world, &state);
        assert_eq!((skipped, state.pending.len()), (vec![expected], 1));
    }
}

#[test]
fn i7_while_a_change_waits_people_can_still_be_removed() {
    let (mut world, state) = settled();
    let before = (world.bundle.clone(), world.bundle_id);
    world.publish(more_endpoints, &ROOT).unwrap();
    let state = world.caught_up(&state).unwrap();
    (world.bundle, world.bundle_id) = before.clone();
    world.publish(|bundle| bundle.operators.truncate(2), &ROOT).unwrap();
    let (state, skipped) = seen(&world, &state);
    assert_eq!((skipped, version(&state), state.pending.len()), (vec![], 2, 0));
    // Another change of the same version that weakens does not take its place.
    let (mut world, state) = settled();
    let before = (world.bundle.clone(), world.bundle_id);
    world.publish(more_endpoints, &ROOT).unwrap();
    (world.bundle, world.bundle_id) = before;
    world.publish(|bundle| bundle.root.threshold = 1, &ROOT).unwrap();
    assert_eq!(seen(&world, &state).1, [Refusal::BundleChain]);
}

#[test]
fn i7_while_a_change_waits_what_follows_nothing_has_no_effect() {
    let (mut world, state) = settled();
    let honest = |world: &World| (world.bundle.clone(), world.bundle_id);
    world.publish(more_endpoints, &ROOT).unwrap();
    let waits = honest(&world);
    // It only tightens, and is signed by all; but it follows neither what waits nor what is in force.
    world.bundle.version += 5;
    let stricter_than_both = |bundle: &mut Bundle| {
        bundle.classes[0].endpoints_new_max -= 1;
        bundle.weaken_delay_s += 1;
    };
    world.publish(stricter_than_both, &ROOT).unwrap();
    (world.bundle, world.bundle_id) = waits;
    let (state, skipped) = seen(&world, &state);
    assert_eq!(skipped, [Refusal::BundleChain]);
    assert_eq!((version(&state), state.pending.len()), (1, 1));
    world.now = world.now.plus(limits::DAY_S);
    assert_eq!(version(&world.caught_up(&state).unwrap()), 2);
}

#[test]
fn what_follows_a_waiting_bundle_waits_behind_it() {
    let (mut world, state) = settled();
    world.publish(more_endpoints, &ROOT).unwrap();
    let state = world.caught_up(&state).unwrap();
    world.now = world.now.plus(limits::DAY_S / 2);
    world.publish(|bundle| bundle.operators.truncate(2), &ROOT).unwrap();
    let (state, skipped) = seen(&world, &state);
    assert_eq!((skipped, version(&state), state.pending.len()), (vec![], 1, 2));
    world.now = world.now.plus(limits::DAY_S / 2);
    let state = world.caught_up(&state).unwrap();
    assert_eq!((version(&state), state.pending.len()), (3, 0));
    assert_eq!(state.trust.unwrap().bundle.operators.len(), 2);
}

#[test]
fn i7_a_weaker_key_rule_for_the_log_does_not_judge_its_own_checkpoint() {
    let (mut world, state) = settled();
    world
        .publish(
            |bundle| {
                bundle.log.policy = bundle.log.policy.replace("quorum both", "quorum any-one");
            },
            &ROOT,
        )
        .unwrap();
    let entries = world.control.entries_from(1);
    let note = world.control.note(2, &[&world.witnesses[0]], world.now).unwrap();
    let update = ControlUpdate { start: 1, entries: &entries, checkpoint: &note };
    assert_eq!(replay(&state, &world.facts(), &update).map(|_| ()), Err(Refusal::NotWitnessed));
}

fn with_recovery(bundle: &mut Bundle) {
    bundle.recovery.keys = vec![Key::named("paper").unwrap().public.to_openssh()];
}

/// Everybody is gone: the recovery key names new people, who accept.
fn rotation(world: &World, change: impl FnOnce(&mut Bundle)) -> bartizan_trust::envelope::Envelope {
    let mut next = world.bundle.clone();
    next.org = Some(world.org);
    next.version += 1;
    next.prev = Some(world.bundle_id);
    next.iat = world.now;
    next.operators = vec![operator("dora").unwrap(), operator("emil").unwrap()];
    change(&mut next);
    let root = SignatureRole::Root;
    signed(&next, &[("paper", SignatureRole::Recover), ("dora", root), ("emil", root)]).unwrap()
}

#[test]
fn the_recovery_key_replaces_people_after_its_delay() {
    let (mut world, state) = settled_with(with_recovery);
    world.log_control(&rotation(&world, |_| {}));
    let (state, skipped) = seen(&world, &state);
    assert_eq!((skipped, version(&state)), (vec![], 1));
    world.now = world.now.plus(3 * limits::DAY_S - 1);
    let state = world.caught_up(&state).unwrap();
    assert_eq!(version(&state), 1);
    world.now = world.now.plus(1);
    let state = world.caught_up(&state).unwrap();
    let names: Vec<_> =
        state.trust.unwrap().bundle.operators.iter().map(|o| o.id.name().to_owned()).collect();
    assert_eq!(names, ["dora", "emil"]);
}

#[test]
fn i7_a_stolen_recovery_key_is_vetoed_and_can_change_nothing_but_people() {
    let (mut world, state) = settled_with(with_recovery);
    let stolen = rotation(&world, |_| {});
    world.log_control(&stolen);
    world.log_control(&signed(&world.veto(stolen.id()), &[("bob", SignatureRole::Root)]).unwrap());
    let (state, _) = seen(&world, &state);
    world.now = world.now.plus(9 * limits::DAY_S);
    assert_eq!(version(&world.caught_up(&state).unwrap()), 1);

    let more: [fn(&mut Bundle); 4] = [
        |b| b.classes[1].approvals = 0,
        |b| b.root.threshold = 1,
        |b| b.weaken_delay_s = 0,
        |b| b.recovery.keys.clear(),
    ];
    for change in more {
        let (mut world, state) = settled_with(with_recovery);
        world.log_control(&rotation(&world, change));
        assert_eq!(seen(&world, &state).1, [Refusal::BundleThreshold]);
    }
    // Without the new people's own signatures, or by a key that is not in the bundle.
    let (mut world, state) = settled_with(with_recovery);
    let next: Bundle = rotation(&world, |_| {}).statement().unwrap();
    world.log_control(&signed(&next, &[("paper", SignatureRole::Recover)]).unwrap());
    let root = SignatureRole::Root;
    let other = [("mallory", SignatureRole::Recover), ("dora", root), ("emil", root)];
    world.log_control(&signed(&next, &other).unwrap());
    assert_eq!(seen(&world, &state).1, [Refusal::BundleThreshold; 2]);
}
