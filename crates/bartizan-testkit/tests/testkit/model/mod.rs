//! The protocol as a model: every history up to a stated length, of three operators of whom one is corrupt, two
//! endpoints, a server that owns both logs' keys and one of two witnesses, and a clock.
//!
//! `BARTIZAN_MODEL_DEPTH=1 cargo nextest run -p bartizan-testkit model` looks a step further.

mod cast;
mod court;
mod mutations;
mod system;

use stateright::{Checker, HasDiscoveries, Model, Property};

use cast::{Entry, Paper};
use court::{Clock, Court};
use mutations::Mutation;
use system::{Powers, Protocol, System};

/// A model in which nothing ever runs would find nothing.
const RUNS: &str = "something runs";

/// What an invariant is called, and the property that it is never broken.
fn properties() -> Vec<Property<Protocol>> {
    vec![
        Property::always("I1", |_, system: &System| system.broken != Some("I1")),
        Property::always("I2", |_, system: &System| system.broken != Some("I2")),
        Property::always("I3", |_, system: &System| system.broken != Some("I3")),
        Property::always("I4", |_, system: &System| system.broken != Some("I4")),
        Property::always("I5", |_, system: &System| system.broken != Some("I5")),
        Property::always("I6", |_, system: &System| system.broken != Some("I6")),
        Property::always("I7", |_, system: &System| system.broken != Some("I7")),
        Property::always("I8", |_, system: &System| system.broken != Some("I8")),
        // From every state there is a way on; the way itself is walked. (`eventually` would ask that every way leads
        // there, which no server that withholds work allows, and stateright looks for it on ways without loops only.)
        Property::always("I9", |model: &Protocol, system: &System| {
            system.broken.is_some() || model.can_go_on(system)
        }),
        Property::sometimes(RUNS, |_, system: &System| system.has_run_anything()),
    ]
}

/// Who can sign and what is logged; no time passes.
const PEOPLE: Powers = Powers {
    papers: &Paper::ALL,
    entries: &[Entry::Tighten],
    clocks: &[Clock::Right],
    last_clock: 0,
    loses: true,
    files: false,
};
/// Windows, freezes and stale views.
const TIME: Powers = Powers {
    papers: &[Paper::Honest],
    entries: &[Entry::Freeze, Entry::Thaw],
    clocks: &[Clock::Right, Clock::SetBack, Clock::SetForward],
    last_clock: 3,
    loses: false,
    files: true,
};
/// Bundles that follow one another, and what they do to a job with one signature.
const TRUST: Powers = Powers {
    papers: &[Paper::HalfDone, Paper::HalfDoneAndCarol],
    entries: &[Entry::Tighten, Entry::Forged, Entry::Weaken, Entry::Veto],
    clocks: &[Clock::Right],
    last_clock: 1,
    loses: false,
    files: false,
};
/// All of it.
const EVERYTHING: Powers = Powers {
    papers: &Paper::ALL,
    entries: &Entry::ALL,
    clocks: &[Clock::Right, Clock::SetBack],
    last_clock: 3,
    loses: true,
    files: true,
};

fn deeper() -> usize {
    std::env::var("BARTIZAN_MODEL_DEPTH").map_or(0, |more| more.parse().unwrap())
}

/// Every state that can be reached in `depth` steps is judged. One thread: with more, a state could be found on a detour
/// first and its successors be left out.
fn explore(powers: Powers, depth: usize) {
    let model = Protocol { court: Court::new(None), powers };
    let depth = depth + deeper();
    let checker = model.checker().target_max_depth(depth + BEYOND).spawn_bfs().join();
    println!("all that {depth} steps lead to; {} states", checker.unique_state_count());
    println!("{}", checker.model().court.account());
    checker.assert_properties();
}

/// The first state has depth one, and states at the target are found and not judged.
const BEYOND: usize = 2;

#[test]
fn model_of_people() {
    explore(PEOPLE, 7);
}

#[test]
fn model_of_time() {
    explore(TIME, 5);
}

#[test]
fn model_of_trust() {
    explore(TRUST, 5);
}

#[test]
fn model_of_everything() {
    explore(EVERYTHING, 3);
}

/// Without the rule, and with enough steps, this invariant is broken.
#[track_caller]
fn notices(mutation: Mutation, powers: Powers, depth: usize, invariant: &'static str) {
    let model = Protocol { court: Court::new(Some(mutation)), powers };
    let checker = model.checker().target_max_depth(depth + BEYOND);
    let checker = checker.finish_when(HasDiscoveries::AnyOf([invariant].into())).spawn_bfs().join();
    let path = checker.discovery(invariant);
    let others: Vec<_> = checker.discoveries().into_keys().collect();
    assert!(path.is_some(), "{mutation:?} breaks {others:?} and not {invariant}");
}

#[test]
fn model_notices_an_author_who_may_approve() {
    notices(Mutation::AuthorMayApprove, PEOPLE, 1, "I1");
}

#[test]
fn model_notices_that_nobody_need_approve() {
    notices(Mutation::NoApprovals, PEOPLE, 1, "I1");
}

#[test]
fn model_notices_that_removed_people_count() {
    notices(Mutation::RemovedPeopleCount, PEOPLE, 3, "I1");
}

#[test]
fn model_notices_that_everybody_is_listed() {
    notices(Mutation::EverybodyIsListed, PEOPLE, 1, "I2");
}

#[test]
fn model_notices_a_missing_seen_set() {
    notices(Mutation::NoSeenSet, PEOPLE, 2, "I3");
}

#[test]
fn model_notices_that_a_loss_forgets_everything() {
    notices(
        Mutation::LossForgetsEverything,
        Powers { papers: &[Paper::Honest], ..PEOPLE },
        6,
        "I3",
    );
}

#[test]
fn model_notices_a_window_judged_by_the_local_clock_alone() {
    let powers = Powers { entries: &[], files: false, ..TIME };
    notices(Mutation::LocalClockOnly, powers, 8, "I4");
}

#[test]
fn model_notices_that_no_witness_is_needed() {
    notices(Mutation::NoWitnesses, PEOPLE, 2, "I5");
}

#[test]
fn model_notices_that_freezes_cover_nothing() {
    notices(Mutation::FreezesCoverNothing, Powers { last_clock: 0, ..TIME }, 5, "I6");
}

#[test]
fn model_notices_a_view_that_never_grows_stale() {
    notices(Mutation::NoFreshness, Powers { entries: &[], files: false, ..TIME }, 5, "I6");
}

#[test]
fn model_notices_a_bundle_with_one_root_signature() {
    notices(Mutation::OneRootSignature, TRUST, 2, "I7");
}

#[test]
fn model_notices_a_weakening_that_does_not_wait() {
    notices(Mutation::NoDelay, TRUST, 2, "I7");
}
