//! Bundles over time (I7, I9): whoever is removed counts no longer, whatever was signed before; an organisation whose
//! bundle is over runs nothing and is no brick.

use bartizan_testkit::load::organisation::Key;
use bartizan_testkit::world::{World, operator, operator_key, signed};
use bartizan_trust::authorize::{Outcome, Verdict, authorize};
use bartizan_trust::control::{ControlUpdate, ControlView, enrol, judge_enrolment, rejoin, replay};
use bartizan_trust::id::{Anchor, OrgId, Sha256};
use bartizan_trust::limits;
use bartizan_trust::refusal::Refusal;
use bartizan_trust::state::{Joined, State};
use bartizan_trust::statement::SignatureRole::{Approve, Author, Customer as ByCustomer, Recover};
use bartizan_trust::statement::*;
use bartizan_trust::time::UnixSeconds;

const ROOT: [&str; 2] = ["alice", "bob"];

fn judge(world: &World, state: &State, delivery: &bartizan_testkit::world::Delivery) -> Outcome {
    authorize(state, &world.facts(), &delivery.as_ref())
}

#[track_caller]
fn refused(outcome: &Outcome, expected: Refusal) {
    let Verdict::Refused(refusal) = outcome.verdict else { panic!("{:?}", outcome.verdict) };
    assert_eq!(refusal, expected);
}

/// A job by people who are still there runs.
#[track_caller]
fn still_runs(world: &mut World, state: &State, signers: &[(&str, SignatureRole)]) {
    let job = world.job().unwrap();
    let delivery = world.deliver(&signed(&job, signers).unwrap(), state).unwrap();
    let outcome = judge(world, state, &delivery);
    assert!(matches!(outcome.verdict, Verdict::Run(_)), "{:?}", outcome.verdict);
}

/// Replays what is new; what was skipped, by code.
fn seen(world: &World, state: &State) -> (State, Vec<Refusal>) {
    let (entries, checkpoint) = world.control_for(state).unwrap();
    let update =
        ControlUpdate { start: state.control.size(), entries: &entries, checkpoint: &checkpoint };
    let (state, skipped) = replay(state, &world.facts(), &update).unwrap();
    (state, skipped.into_iter().map(|entry| entry.refusal).collect())
}

/// What `carol` signed waits at the endpoint's door while she is removed.
#[track_caller]
fn removed_before_delivery(signers: &[(&str, SignatureRole)], expected: Refusal) {
    let mut world = World::new().unwrap();
    let state = world.endpoint(0).unwrap();
    world.now = world.now.plus(2 * limits::FIRST_WEEK_S);
    let queued = signed(&world.job().unwrap(), signers).unwrap();
    world.publish(|bundle| bundle.operators.truncate(2), &ROOT).unwrap();
    let state = world.caught_up(&state).unwrap();
    assert_eq!(state.trust.as_ref().unwrap().bundle.version, 2, "it acts at once");
    let delivery = world.deliver(&queued, &state).unwrap();
    let outcome = judge(&world, &state, &delivery);
    refused(&outcome, expected);
    still_runs(&mut world, &outcome.state, &[("alice", Author), ("bob", Approve)]);
}

#[test]
fn a_queued_job_of_a_removed_author_is_refused() {
    removed_before_delivery(&[("carol", Author), ("alice", Approve)], Refusal::AuthorMissing);
}

#[test]
fn a_queued_job_approved_by_a_removed_operator_is_refused() {
    removed_before_delivery(&[("alice", Author), ("carol", Approve)], Refusal::ApprovalsMissing);
}

#[test]
fn a_queued_job_signed_with_a_removed_key_is_refused() {
    let mut world = World::with(|bundle| {
        bundle.operators[1].keys.push(operator_key(&Key::named("bob's spare").unwrap().public));
        Ok(())
    })
    .unwrap();
    let state = world.endpoint(0).unwrap();
    world.now = world.now.plus(limits::FIRST_WEEK_S);
    let stolen = signed(&world.job().unwrap(), &[("alice", Author), ("bob", Approve)]).unwrap();
    // Bob signs the removal of his lost key with the one he kept elsewhere.
    world
        .publish(
            |bundle| {
                bundle.operators[1].keys.remove(0);
            },
            &["alice", "bob's spare"],
        )
        .unwrap();
    let state = world.caught_up(&state).unwrap();
    assert_eq!(state.trust.as_ref().unwrap().bundle.version, 2);
    let delivery = world.deliver(&stolen, &state).unwrap();
    let outcome = judge(&world, &state, &delivery);
    refused(&outcome, Refusal::ApprovalsMissing);
    still_runs(&mut world, &outcome.state, &[("alice", Author), ("bob's spare", Approve)]);
}

#[test]
fn an_enrolment_and_a_freeze_of_a_removed_operator_count_no_longer() {
    let mut world = World::new().unwrap();
    let state = world.endpoint(0).unwrap();
    let mut statement: Enrolment = world.enrolment("acme").unwrap().statement().unwrap();
    statement.exp = world.now.plus(90 * limits::DAY_S);
    let enrolment = signed(&statement, &[("carol", SignatureRole::Enroll)]).unwrap();
    world.now = world.now.plus(limits::FIRST_WEEK_S);
    let freeze = signed(&world.freeze(FreezeScope::Org, 600), &[("carol", SignatureRole::Freeze)]);
    world.publish(|bundle| bundle.operators.truncate(2), &ROOT).unwrap();
    world.log_control(&freeze.unwrap());
    let (state, skipped) = seen(&world, &state);
    assert_eq!(skipped, [Refusal::FreezeInvalid]);

    let fresh = State::new(Anchor::new(world.org), World::endpoint_id(1).unwrap());
    let fresh = world.caught_up(&fresh).unwrap();
    let late = enrol(&fresh, &world.facts(), &enrolment.encode()).map(|_| ());
    assert_eq!(late, Err(Refusal::EnrolmentInvalid));
    let bundle = &state.trust.as_ref().unwrap().bundle;
    let server = judge_enrolment(bundle, world.org, world.now, &enrolment.encode()).map(|_| ());
    assert_eq!(server, Err(Refusal::EnrolmentInvalid), "the server admits nobody with it either");
    still_runs(&mut world, &state, &[("alice", Author), ("bob", Approve)]);
}

#[test]
fn a_removed_operator_vetoes_nothing() {
    let mut world = World::new().unwrap();
    let state = world.endpoint(0).unwrap();
    world.now = world.now.plus(limits::FIRST_WEEK_S);
    world.publish(|bundle| bundle.operators.truncate(2), &ROOT).unwrap();
    world.publish(|bundle| bundle.operators.push(operator("dora").unwrap()), &ROOT).unwrap();
    let veto = signed(&world.veto(world.bundle_id), &[("carol", SignatureRole::Root)]).unwrap();
    world.log_control(&veto);
    let (state, skipped) = seen(&world, &state);
    assert_eq!((skipped, state.pending.len()), (vec![Refusal::VetoInvalid], 1));
    still_runs(&mut world, &state, &[("alice", Author), ("bob", Approve)]);
}

/// An organisation whose bundle has just expired, and an endpoint of it.
fn expired() -> (World, State) {
    let mut world = World::with(|bundle| {
        bundle.recovery.keys = vec![Key::named("paper").unwrap().public.to_openssh()];
        Ok(())
    })
    .unwrap();
    let state = world.endpoint(0).unwrap();
    world.now = world.bundle.expires;
    let state = world.caught_up(&state).unwrap();
    (world, state)
}

#[test]
fn an_expired_bundle_refuses_a_job_of_every_class() {
    let (mut world, state) = expired();
    for class in [Class::Routine, Class::Change, Class::Fleet] {
        let mut job = world.job().unwrap();
        job.class = class;
        let people = [("alice", Author), ("bob", Approve), ("carol", Approve)];
        let delivery = world.deliver(&signed(&job, &people).unwrap(), &state).unwrap();
        refused(&judge(&world, &state, &delivery), Refusal::BundleExpired);
    }
    // Nor does a clock set back revive it: witness time has passed its end.
    let delivery = world.good_delivery(&state).unwrap();
    world.now = bartizan_testkit::world::BEGINNING;
    refused(&judge(&world, &state, &delivery), Refusal::BundleExpired);
}

#[test]
fn no_script_passes_as_observe_under_an_expired_bundle() {
    let (mut world, state) = expired();
    let mut job = world.job().unwrap();
    job.class = Class::Observe;
    let envelope = signed(&job, &[("alice", Author), ("bob", Approve)]).unwrap();
    let delivery = world.deliver(&envelope, &state).unwrap();
    refused(&judge(&world, &state, &delivery), Refusal::BundleExpired);
}

#[test]
fn an_expired_bundle_still_processes_the_control_log() {
    let (mut world, state) = expired();
    let freeze = world.freeze(FreezeScope::Org, 3600);
    let freeze = signed(&freeze, &[("carol", SignatureRole::Freeze)]).unwrap();
    world.log_control(&freeze);
    let (state, skipped) = seen(&world, &state);
    assert_eq!((skipped, state.freezes.standing(state.floor).count()), (vec![], 1));
    let by = [("carol", SignatureRole::Freeze), ("bob", SignatureRole::Freeze)];
    world.log_control(&signed(&world.thaw(freeze.id()), &by).unwrap());
    // People can be removed, and what weakens can be vetoed.
    world.publish(|bundle| bundle.operators.truncate(2), &ROOT).unwrap();
    let (state, skipped) = seen(&world, &state);
    assert_eq!((skipped, state.freezes.standing(state.floor).count()), (vec![], 0));
    assert_eq!(state.trust.as_ref().unwrap().bundle.operators.len(), 2);
    let before = (world.bundle.clone(), world.bundle_id);
    world.publish(|bundle| bundle.root.threshold = 1, &ROOT).unwrap();
    world.log_control(
        &signed(&world.veto(world.bundle_id), &[("bob", SignatureRole::Root)]).unwrap(),
    );
    let (state, skipped) = seen(&world, &state);
    assert_eq!((skipped, state.pending.len()), (vec![], 0));
    (world.bundle, world.bundle_id) = before;
    renewed_and_running(world, &state);
}

/// What is left of an endpoint whose state is gone.
fn begun_again(world: &World, number: u32) -> State {
    let fresh = State::new(Anchor::new(world.org), World::endpoint_id(number).unwrap());
    let mut state = world.caught_up(&fresh).unwrap();
    state.replay_floor = world.now;
    state
}

#[test]
fn an_endpoint_that_lost_its_state_stays_a_member_although_its_enrolment_is_over() {
    let mut world = World::new().unwrap();
    let mut statement: Enrolment = world.enrolment("acme").unwrap().statement().unwrap();
    statement.exp = world.now.plus(limits::DAY_S);
    let grant = signed(&statement, &[("carol", SignatureRole::Enroll)]).unwrap().encode();
    let fresh = State::new(Anchor::new(world.org), World::endpoint_id(0).unwrap());
    let fresh = world.caught_up(&fresh).unwrap();
    assert_eq!(Joined::of(&fresh), None, "no member yet, so nothing to note");
    let member = enrol(&fresh, &world.facts(), &grant).unwrap();
    let joined = Joined::of(&member).unwrap();

    // Time goes by, and Carol leaves.
    world.now = world.now.plus(limits::FIRST_WEEK_S);
    world.publish(|bundle| bundle.operators.truncate(2), &ROOT).unwrap();
    let lost = begun_again(&world, 0);
    let anew = enrol(&lost, &world.facts(), &grant).map(|_| ());
    assert_eq!(anew, Err(Refusal::EnrolmentInvalid), "without the note it is over");
    let again = rejoin(&lost, &joined, &grant).unwrap();
    assert_eq!(again.membership, member.membership);
    assert_eq!(again.replay_floor, lost.replay_floor, "what it may have run stays refused");
    world.now = world.now.plus(limits::CLOCK_SKEW_S + 1);
    still_runs(&mut world, &again, &[("alice", Author), ("bob", Approve)]);
}

#[test]
fn after_a_loss_nothing_counts_that_was_signed_before_the_witnesses_word_and_the_skew_of_clocks() {
    let world = World::new().unwrap();
    let fresh = State::new(Anchor::new(world.org), World::endpoint_id(0).unwrap());
    // A local clock that was set back wrote this floor.
    let lost = State { replay_floor: UnixSeconds::new(60), ..fresh };
    let again = world.caught_up(&lost).unwrap();
    assert_eq!(again.replay_floor, again.floor.plus(121));
    assert!(again.floor >= world.now);
}

#[test]
fn nobody_else_becomes_a_member_by_such_a_note() {
    let mut world = World::new().unwrap();
    let grant = world.enrolment("acme").unwrap().encode();
    let joined = Joined::of(&world.endpoint(0).unwrap()).unwrap();
    let elsewhere = world.enrolment("globex").unwrap().encode();
    world.now = world.now.plus(limits::FIRST_WEEK_S);
    let lost = begun_again(&world, 0);
    assert!(rejoin(&lost, &joined, &grant).is_ok());
    let no = |state: &State, joined: &Joined, grant: &[u8]| {
        assert_eq!(rejoin(state, joined, grant).map(|_| ()), Err(Refusal::EnrolmentInvalid));
    };
    // Another machine with a copy of note and enrolment; another tenant's enrolment; another organisation's.
    no(&begun_again(&world, 1), &joined, &grant);
    no(&lost, &joined, &elsewhere);
    no(&lost, &Joined { org: OrgId::new(Sha256::of(b"other")), ..joined }, &grant);
    no(&lost, &joined, b"{}");
    // A member does not change places, and before the control log was verified nobody is one.
    no(&rejoin(&lost, &joined, &grant).unwrap(), &joined, &grant);
    let blank = State::new(Anchor::new(world.org), World::endpoint_id(0).unwrap());
    let early = rejoin(&blank, &joined, &grant).map(|_| ());
    assert_eq!(early, Err(Refusal::BundleTooOld));
}

/// A later end is a weakening: it waits its delay, and then everything works again.
#[track_caller]
fn renewed_and_running(mut world: World, state: &State) {
    let end = world.now.plus(365 * limits::DAY_S);
    world.publish(|bundle| bundle.expires = end, &ROOT).unwrap();
    let state = world.caught_up(state).unwrap();
    let delivery = world.good_delivery(&state).unwrap();
    refused(&judge(&world, &state, &delivery), Refusal::BundleExpired);
    world.now = world.now.plus(limits::DAY_S);
    let state = world.caught_up(&state).unwrap();
    assert_eq!(state.trust.as_ref().unwrap().bundle.expires, end);
    still_runs(&mut world, &state, &[("alice", Author), ("bob", Approve)]);
}

#[test]
fn an_endpoint_that_begins_under_an_expired_bundle_follows_its_renewal() {
    let (world, _) = expired();
    let fresh = State::new(Anchor::new(world.org), World::endpoint_id(0).unwrap());
    let fresh = world.caught_up(&fresh).unwrap();
    let mut statement: Enrolment = world.enrolment("acme").unwrap().statement().unwrap();
    statement.exp = world.now.plus(limits::DAY_S);
    let enrolment = signed(&statement, &[("alice", SignatureRole::Enroll)]).unwrap();
    let state = enrol(&fresh, &world.facts(), &enrolment.encode()).unwrap();
    renewed_and_running(world, &state);
}

#[test]
fn the_recovery_key_works_under_an_expired_bundle_and_renews_nothing_by_itself() {
    let (mut world, state) = expired();
    let mut next = world.bundle.clone();
    next.org = Some(world.org);
    next.version += 1;
    next.prev = Some(world.bundle_id);
    next.iat = world.now;
    next.expires = world.now.plus(365 * limits::DAY_S);
    next.operators = vec![operator("dora").unwrap(), operator("emil").unwrap()];
    let root = SignatureRole::Root;
    let by = [("paper", Recover), ("dora", root), ("emil", root)];
    // A recovery key gives no time: it may change nothing but people.
    world.log_control(&signed(&next, &by).unwrap());
    next.expires = world.bundle.expires;
    let rotation = signed(&next, &by).unwrap();
    world.log_control(&rotation);
    let (state, skipped) = seen(&world, &state);
    assert_eq!(skipped, [Refusal::BundleThreshold]);
    world.now = world.now.plus(3 * limits::DAY_S);
    let state = world.caught_up(&state).unwrap();
    assert_eq!(state.trust.as_ref().unwrap().id, rotation.id());
    // The new people renew it by themselves.
    (world.bundle, world.bundle_id) = (next, rotation.id());
    let end = world.now.plus(limits::DAY_S * 100);
    world.publish(|bundle| bundle.expires = end, &["dora", "emil"]).unwrap();
    let state = world.caught_up(&state).unwrap();
    world.now = world.now.plus(limits::DAY_S);
    let state = world.caught_up(&state).unwrap();
    still_runs(&mut world, &state, &[("dora", Author), ("emil", Approve)]);
}

#[test]
fn a_customers_removed_key_countersigns_nothing_that_waits() {
    let with_customer = |bundle: &mut Bundle| {
        bundle.customers = vec![Customer {
            tenant: bartizan_trust::id::TenantId::from_name("acme").unwrap(),
            keys: ["acme's old key", "acme's new key"]
                .map(|name| operator_key(&Key::named(name).unwrap().public))
                .to_vec(),
            rule: CustomerRule { from_class: Class::Change },
        }];
        Ok(())
    };
    let mut world = World::with(with_customer).unwrap();
    let state = world.endpoint(0).unwrap();
    let people = [("alice", Author), ("bob", Approve)];
    let by = |customer| [people[0], people[1], (customer, ByCustomer)];
    let queued = signed(&world.job().unwrap(), &by("acme's old key")).unwrap();
    world
        .publish(
            |bundle| {
                bundle.customers[0].keys.remove(0);
            },
            &ROOT,
        )
        .unwrap();
    let state = world.caught_up(&state).unwrap();
    let delivery = world.deliver(&queued, &state).unwrap();
    let outcome = judge(&world, &state, &delivery);
    refused(&outcome, Refusal::CustomerMissing);
    still_runs(&mut world, &outcome.state, &by("acme's new key"));
}

#[test]
fn a_recovery_dated_back_gains_nothing_where_the_log_knows_when_it_came() {
    let (world, state) = expired();
    let mut next = world.bundle.clone();
    (next.org, next.prev, next.version) = (Some(world.org), Some(world.bundle_id), 2);
    // Made long ago, its makers say.
    next.iat = bartizan_testkit::world::BEGINNING;
    next.operators = vec![operator("eve").unwrap(), operator("mallory").unwrap()];
    let root = SignatureRole::Root;
    let by = [("paper", Recover), ("mallory", root), ("eve", root)];
    let thief = signed(&next, &by).unwrap();
    let mut view = ControlView::new(state.trust.clone().unwrap());
    let now = world.now;
    view.advise(world.org, now, Some(now), &thief.encode()).unwrap();
    assert_eq!((view.chain.current.bundle.version, view.chain.pending.len()), (1, 1));
    let veto = signed(&world.veto(thief.id()), &[("bob", root)]).unwrap();
    view.advise(world.org, now, Some(now), &veto.encode()).unwrap();
    assert_eq!((view.chain.current.bundle.version, view.chain.pending.len()), (1, 0));
    // Whoever knows no such time has only the makers' word. Endpoints never take it.
    let mut blind = ControlView::new(state.trust.clone().unwrap());
    blind.advise(world.org, now, None, &thief.encode()).unwrap();
    assert_eq!(blind.chain.current.bundle.version, 2);
    let (mut world, state) = expired();
    world.log_control(&thief);
    let (state, skipped) = seen(&world, &state);
    assert_eq!((skipped, state.trust.as_ref().unwrap().bundle.version), (vec![], 1));
}
