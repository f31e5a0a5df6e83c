//! I2 to I4: only on listed endpoints, at most once, only inside the window.

use bartizan_trust::targets::{TargetPlace, TargetTree};

use super::*;

// I2: only on listed endpoints.

#[test]
fn i2_a_job_for_endpoint_a_delivered_to_b() {
    let mut world = world();
    let state = world.endpoint(0).unwrap();
    let mut job = world.job().unwrap();
    aim(&mut job, World::tree(&[1, 2]).unwrap().targets());
    let mut delivery = world.deliver(&signed(&job, &BOTH).unwrap(), &state).unwrap();
    // With the place and path of an endpoint that is listed.
    let place = World::tree(&[1, 2]).unwrap().place(&World::endpoint_id(1).unwrap()).unwrap();
    (delivery.index, delivery.path) = (place.index, place.path);
    refused(&mut world, &state, &delivery, Refusal::NotTargeted);
}

#[test]
fn i2_a_leaf_in_a_stage_the_job_does_not_have() {
    let mut world = world();
    let state = world.endpoint(0).unwrap();
    let tree = TargetTree::new(&[(state.endpoint, 1)]).unwrap();
    let mut job = world.job().unwrap();
    aim(&mut job, tree.targets());
    let envelope = signed(&job, &BOTH).unwrap();
    let TargetPlace { stage, index, path } = tree.place(&state.endpoint).unwrap();
    let delivered = world.deliver(&envelope, &state).unwrap();
    let delivery = Delivery { stage, index, path, ..delivered };
    refused(&mut world, &state, &delivery, Refusal::NotTargeted);
}

#[test]
fn i2_another_place_stage_or_path_in_the_tree() {
    let mut world = world();
    let state = world.endpoint(0).unwrap();
    let good = world.good_delivery(&state).unwrap();
    let changed = [
        Delivery { index: (good.index + 1) % 3, ..good.clone() },
        Delivery { stage: 1, ..good.clone() },
        Delivery { path: Vec::new(), ..good.clone() },
        Delivery { path: vec![Sha256::of(b"x"); limits::TARGET_PATH_MAX + 1], ..good.clone() },
    ];
    for delivery in changed {
        refused(&mut world, &state, &delivery, Refusal::NotTargeted);
    }
    runs(&world, &state, &good);
}

#[test]
fn i2_a_tenant_label_changed_by_the_server() {
    let mut world = world();
    // The server says that this endpoint belongs to globex and delivers a job of globex to it.
    let state = world.endpoint_of(0, "acme").unwrap();
    let mut job = world.job().unwrap();
    job.tenant = TenantId::from_name("globex").unwrap();
    let delivery = world.deliver(&signed(&job, &BOTH).unwrap(), &state).unwrap();
    refused(&mut world, &state, &delivery, Refusal::WrongTenant);
}

#[test]
fn i2_a_count_that_is_smaller_than_the_tree() {
    job_refused(|job| aim(job, Targets { count: 1, ..job.targets }), &BOTH, Refusal::NotTargeted);
}

#[test]
fn i4_a_window_that_is_over_by_the_time_of_the_jobs_own_proof() {
    let mut world = world();
    let state = world.endpoint(0).unwrap();
    let early = world.facts();
    let job = world.job().unwrap();
    let envelope = signed(&job, &BOTH).unwrap();
    // The local clock stands still, and the control log is not shown; but witnesses saw the proof after the end.
    world.now = job.window.exp;
    let delivery = world.deliver(&envelope, &state).unwrap();
    let outcome = authorize(&state, &early, &delivery.as_ref());
    assert!(matches!(outcome.verdict, Verdict::Refused(Refusal::Expired)), "{:?}", outcome.verdict);
    assert_eq!(outcome.state.floor, world.now);
}

/// Class `change` waits a quarter of an hour.
const DELAY_S: u64 = 900;

fn delayed() -> World {
    World::with(|bundle| {
        bundle.classes[1].delay_s = DELAY_S;
        Ok(())
    })
    .unwrap()
}

#[track_caller]
fn waits(world: &World, state: &State, delivery: &Delivery) -> State {
    let outcome = deliver(world, state, delivery);
    assert!(
        matches!(outcome.verdict, Verdict::Refused(Refusal::DelayRuns)),
        "{:?}",
        outcome.verdict
    );
    outcome.state
}

#[test]
fn i4_a_delayed_job_waits_in_witness_time_and_a_clock_set_forward_does_not_hurry_it() {
    let mut world = delayed();
    let state = world.endpoint(0).unwrap();
    let delivery = world.good_delivery(&state).unwrap();
    let mut state = waits(&world, &state, &delivery);
    let mut facts = world.facts();
    facts.now = facts.now.plus(2 * DELAY_S);
    let outcome = authorize(&state, &facts, &delivery.as_ref());
    assert!(
        matches!(outcome.verdict, Verdict::Refused(Refusal::DelayRuns)),
        "{:?}",
        outcome.verdict
    );
    world.now = world.now.plus(DELAY_S - 1);
    state = waits(&world, &world.caught_up(&outcome.state).unwrap(), &delivery);
    world.now = world.now.plus(1);
    let state = world.caught_up(&state).unwrap();
    let after = runs(&world, &state, &delivery);
    assert!(after.waiting.is_empty());
}

#[test]
fn i4_an_old_view_does_not_shorten_a_delay() {
    let mut world = delayed();
    // This endpoint was away for half an hour; the delay begins when it sees the job proven, not before.
    let state = world.endpoint(0).unwrap();
    world.now = world.now.plus(2 * DELAY_S);
    let delivery = world.good_delivery(&state).unwrap();
    let state = waits(&world, &state, &delivery);
    waits(&world, &world.caught_up(&state).unwrap(), &delivery);
}

#[test]
fn i4_one_witness_cannot_make_up_the_time_of_a_delay() {
    let mut world = World::with(|bundle| {
        bundle.classes[1].delay_s = DELAY_S;
        bundle.classes[1].witnesses = "any-one".to_owned();
        Ok(())
    })
    .unwrap();
    let state = world.endpoint(0).unwrap();
    let good = world.good_delivery(&state).unwrap();
    let size = world.jobs.size();
    let note = world.jobs.note(size, &[&world.witnesses[0]], world.now).unwrap();
    let delivery = Delivery { proof: world.jobs.proof(size - 1, size, note).unwrap(), ..good };
    let outcome = deliver(&world, &state, &delivery);
    assert!(
        matches!(outcome.verdict, Verdict::Refused(Refusal::NotWitnessed)),
        "{:?}",
        outcome.verdict
    );
}

#[test]
fn i6_a_freeze_during_the_delay_stops_the_job() {
    let mut world = delayed();
    let state = world.endpoint(0).unwrap();
    let delivery = world.good_delivery(&state).unwrap();
    let state = waits(&world, &state, &delivery);
    let id = Envelope::decode(&delivery.envelope).unwrap().id();
    let freeze = world.freeze(FreezeScope::Job(id), 4 * 3600);
    world.log_control(&signed(&freeze, &[("carol", SignatureRole::Freeze)]).unwrap());
    world.now = world.now.plus(DELAY_S);
    let state = world.caught_up(&state).unwrap();
    let outcome = deliver(&world, &state, &delivery);
    assert!(matches!(outcome.verdict, Verdict::Refused(Refusal::Frozen)), "{:?}", outcome.verdict);
}

// I3: at most once.

#[test]
fn i3_a_replayed_job_is_refused() {
    let mut world = world();
    let state = world.endpoint(0).unwrap();
    let delivery = world.good_delivery(&state).unwrap();
    let state = runs(&world, &state, &delivery);
    refused(&mut world, &state, &delivery, Refusal::Replayed);
}

#[test]
fn i3_a_replay_after_a_restart_is_refused() {
    let mut world = world();
    let state = world.endpoint(0).unwrap();
    let delivery = world.good_delivery(&state).unwrap();
    let state = runs(&world, &state, &delivery);
    let restarted: State = serde_json::from_slice(&serde_json::to_vec(&state).unwrap()).unwrap();
    assert_eq!(restarted, state);
    refused(&mut world, &restarted, &delivery, Refusal::Replayed);
}

#[test]
fn i3_a_replay_with_one_more_signature_is_refused() {
    let mut world = world();
    let state = world.endpoint(0).unwrap();
    let job = world.job().unwrap();
    let first = world.deliver(&signed(&job, &BOTH).unwrap(), &state).unwrap();
    let state = runs(&world, &state, &first);
    let more = signed(&job, &[BOTH[0], BOTH[1], ("carol", Approve)]).unwrap();
    let second = world.deliver(&more, &state).unwrap();
    refused(&mut world, &state, &second, Refusal::Replayed);
}

#[test]
fn i3_a_clock_set_forward_and_back_does_not_make_it_forget() {
    let mut world = world();
    let state = world.endpoint(0).unwrap();
    let first = world.good_delivery(&state).unwrap();
    let state = runs(&world, &state, &first);
    // Another job starts while the clock is far ahead; control views of that time are needed for it.
    let (real, witnesses) = (world.now, world.all_witnesses().len());
    assert_eq!(witnesses, 2);
    let mut ahead = world.job().unwrap();
    ahead.window = Window { nbf: real.plus(7000), exp: real.plus(9000) };
    let envelope = signed(&ahead, &BOTH).unwrap();
    let delivery = world.deliver(&envelope, &state).unwrap();
    world.now = real.plus(3601);
    let outcome = deliver(&world, &state, &delivery);
    world.now = real;
    let again = deliver(&world, &outcome.state, &first);
    assert!(matches!(again.verdict, Verdict::Refused(Refusal::Replayed)), "{:?}", again.verdict);
}

#[test]
fn i3_after_lost_memory_nothing_signed_before_runs() {
    let mut world = world();
    let mut state = world.endpoint(0).unwrap();
    let before = world.good_delivery(&state).unwrap();
    state.replay_floor = world.now.plus(1);
    let outcome = deliver(&world, &state, &before);
    assert!(matches!(outcome.verdict, Verdict::Refused(Refusal::Replayed)));
    world.now = world.now.plus(1);
    let after = world.good_delivery(&outcome.state).unwrap();
    runs(&world, &outcome.state, &after);
}

/// A job that says it was made tomorrow would count as made after any loss of memory until then.
#[test]
fn i3_a_job_dated_ahead_does_not_outlive_lost_memory() {
    let mut world = world();
    let state = world.endpoint(0).unwrap();
    let mut job = world.job().unwrap();
    job.iat = world.now.plus(limits::CLOCK_SKEW_S + 1);
    let ahead = world.deliver(&signed(&job, &BOTH).unwrap(), &state).unwrap();
    refused(&mut world, &state, &ahead, Refusal::TooEarly);
    // As far ahead as clocks may be apart: it runs, and never again, whenever its memory is lost.
    job.iat = world.now.plus(limits::CLOCK_SKEW_S);
    let envelope = signed(&job, &BOTH).unwrap();
    let within = world.deliver(&envelope, &state).unwrap();
    runs(&world, &state, &within);
    let mut lost = world.endpoint(0).unwrap();
    lost.replay_floor = world.now.plus(limits::CLOCK_SKEW_S + 1);
    let again = world.deliver(&envelope, &lost).unwrap();
    refused_later(&mut world, &lost, &again, Refusal::Replayed);
}

/// Memory is lost and the clock of the machine is wrong, too, as after a flat battery: the first witnesses it hears say what
/// time it is, and nothing signed before that runs.
#[test]
fn i3_lost_memory_under_a_clock_set_back_runs_nothing_again() {
    let mut world = world();
    let before = world.endpoint(0).unwrap();
    world.now = world.now.plus(1000);
    let ran = world.good_delivery(&before).unwrap();
    let ran_on = runs(&world, &before, &ran);
    world.now = world.now.plus(10);
    let long_ago = UnixSeconds::new(1000);
    let lost =
        State { replay_floor: long_ago, ..State::new(Anchor::new(world.org), ran_on.endpoint) };
    let mut lost = world.caught_up(&lost).unwrap();
    lost.membership.clone_from(&ran_on.membership);
    let again =
        Delivery { consistency: world.jobs.consistency(0, world.jobs.size()).unwrap(), ..ran };
    let facts = LocalFacts { now: long_ago, ..world.facts() };
    let verdict = authorize(&lost, &facts, &again.as_ref()).verdict;
    assert!(matches!(verdict, Verdict::Refused(Refusal::Replayed)), "{verdict:?}");
    world.now = world.now.plus(limits::CLOCK_SKEW_S + 1);
    let honest = world.good_delivery(&lost).unwrap();
    runs(&world, &lost, &honest);
    // A new endpoint has run nothing: it waits for nothing.
    let new = world.endpoint(1).unwrap();
    assert_eq!(new.replay_floor, UnixSeconds::ZERO);
}

#[test]
fn i3_a_full_memory_refuses_instead_of_forgetting() {
    let mut world = world();
    let mut state = world.endpoint(0).unwrap();
    let id = |n: u32| StatementId::new(Sha256::of(&n.to_be_bytes()));
    state.seen = (1..limits::SEEN_MAX as u32).map(|n| (id(n), world.now.plus(60))).collect();
    let last = world.good_delivery(&state).unwrap();
    let full = runs(&world, &state, &last);
    let more = world.good_delivery(&full).unwrap();
    let outcome = deliver(&world, &full, &more);
    assert!(matches!(outcome.verdict, Verdict::Refused(Refusal::SeenFull)));
}

// I4: only inside the window.

#[test]
fn i4_an_expired_job_is_refused() {
    job_refused(
        |job| job.window = Window { nbf: UnixSeconds::new(1), exp: job.iat },
        &BOTH,
        Refusal::WindowInvalid,
    );
    job_refused(
        |job| job.window = Window { nbf: UnixSeconds::new(job.iat.get() - 10), exp: job.iat },
        &BOTH,
        Refusal::Expired,
    );
}

#[test]
fn i4_a_job_before_its_window_waits() {
    let mut world = world();
    let state = world.endpoint(0).unwrap();
    let mut job = world.job().unwrap();
    let nbf = world.now.plus(limits::CLOCK_SKEW_S + 1);
    job.window = Window { nbf, exp: nbf.plus(60) };
    let delivery = world.deliver(&signed(&job, &BOTH).unwrap(), &state).unwrap();
    let outcome = deliver(&world, &state, &delivery);
    assert!(matches!(outcome.verdict, Verdict::Refused(Refusal::TooEarly)));
    world.now = world.now.plus(1);
    runs(&world, &outcome.state, &delivery);
}

#[test]
fn i4_a_clock_set_back_revives_nothing() {
    let mut world = world();
    let state = world.endpoint(0).unwrap();
    let delivery = world.good_delivery(&state).unwrap();
    world.now = world.now.plus(3601);
    let state = world.caught_up(&state).unwrap();
    world.now = UnixSeconds::new(world.now.get() - 3000);
    refused(&mut world, &state, &delivery, Refusal::Expired);
}

#[test]
fn i4_a_window_that_is_empty_or_longer_than_the_class_allows() {
    job_refused(|job| job.window.exp = job.window.nbf, &BOTH, Refusal::WindowInvalid);
    job_refused(
        |job| job.window.exp = job.window.nbf.plus(7 * 24 * 3600 + 1),
        &BOTH,
        Refusal::WindowInvalid,
    );
}

#[test]
fn i4_a_window_as_long_as_the_class_allows_is_valid() {
    let mut world = world();
    let state = world.endpoint(0).unwrap();
    let mut job = world.job().unwrap();
    job.window.exp = job.window.nbf.plus(7 * 24 * 3600);
    let delivery = world.deliver(&signed(&job, &BOTH).unwrap(), &state).unwrap();
    runs(&world, &state, &delivery);
}
