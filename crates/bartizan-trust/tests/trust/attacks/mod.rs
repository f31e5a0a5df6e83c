//! Attacks by name. Each ends with a refusal code, and leaves an endpoint that still accepts an honest job (I9).

mod caps;
mod form;
mod known;
mod log;
mod newcomer;
mod people;
mod place_and_time;
mod scans;
mod stages;
mod supply_chain;

use bartizan_testkit::load::hardware::{ORIGIN, P256, sk_ed25519_public, sk_ed25519_with};
use bartizan_testkit::load::organisation::Key;
use bartizan_testkit::world::{
    Delivery, Witness, World, operator, operator_key, script, signed, stage, targets_of,
};
use bartizan_trust::authorize::{Outcome, Verdict, authorize};
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::{Anchor, OperatorId, Sha256, StatementId, TenantId};
use bartizan_trust::limits;
use bartizan_trust::refusal::Refusal;
use bartizan_trust::state::{LocalFacts, State};
use bartizan_trust::statement::*;
use bartizan_trust::time::UnixSeconds;

use SignatureRole::{Approve, Author};

/// Authenticator flags.
const TOUCHED: u8 = 0x01;
const VERIFIED: u8 = 0x05;
const BOTH: [(&str, SignatureRole); 2] = [("alice", Author), ("bob", Approve)];

fn world() -> World {
    World::new().unwrap()
}

fn deliver(world: &World, state: &State, delivery: &Delivery) -> Outcome {
    authorize(state, &world.facts(), &delivery.as_ref())
}

/// The delivery is refused with this code, and an honest job afterwards is not.
#[track_caller]
fn refused(world: &mut World, state: &State, delivery: &Delivery, expected: Refusal) {
    let outcome = deliver(world, state, delivery);
    let Verdict::Refused(found) = outcome.verdict else {
        panic!("it should be refused: {expected}")
    };
    assert_eq!(found, expected);
    let honest = world.good_delivery(&outcome.state).unwrap();
    runs(world, &outcome.state, &honest);
}

/// The same of an endpoint that takes nothing made before a moment that is still to come: the honest job is made then.
#[track_caller]
fn refused_later(world: &mut World, state: &State, delivery: &Delivery, expected: Refusal) {
    let verdict = deliver(world, state, delivery).verdict;
    assert!(matches!(verdict, Verdict::Refused(found) if found == expected), "{verdict:?}");
    world.now = state.replay_floor;
    let honest = world.good_delivery(state).unwrap();
    runs(world, state, &honest);
}

#[track_caller]
fn runs(world: &World, state: &State, delivery: &Delivery) -> State {
    let outcome = deliver(world, state, delivery);
    assert!(
        matches!(outcome.verdict, Verdict::Run(_)),
        "{:?}; ignored {:?}",
        outcome.verdict,
        outcome.ignored
    );
    outcome.state
}

/// A job changed by the attack, signed by these people, otherwise delivered as it should be.
#[track_caller]
fn job_refused(
    change: impl FnOnce(&mut Job),
    signers: &[(&str, SignatureRole)],
    expected: Refusal,
) {
    let mut world = world();
    job_refused_in(&mut world, change, signers, expected);
}

#[track_caller]
fn job_refused_in(
    world: &mut World,
    change: impl FnOnce(&mut Job),
    signers: &[(&str, SignatureRole)],
    expected: Refusal,
) {
    let state = world.endpoint(0).unwrap();
    let mut job = world.job().unwrap();
    change(&mut job);
    let delivery = world.deliver(&signed(&job, signers).unwrap(), &state).unwrap();
    refused(world, &state, &delivery, expected);
}

/// A job for any number of endpoints, all in one stage.
fn aim(job: &mut Job, targets: Targets) {
    job.targets = targets;
    job.stages = vec![Stage::only(targets.count)];
}

fn on_script(change: impl FnOnce(&mut Script)) -> impl FnOnce(&mut Job) {
    |job| {
        let Action::Script(script) = &mut job.action else { panic!("a script") };
        change(script);
    }
}
