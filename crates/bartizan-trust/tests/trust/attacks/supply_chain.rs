//! Supply chain: the vendor's key alone, or the organisation's alone, replaces no program on any endpoint.

use bartizan_testkit::world::trigger;
use bartizan_trust::state::LocalFacts;
use bartizan_trust::statement::On;
use bartizan_trust::update::{Package, VendorTarget};

use super::*;

const PROGRAM: &[u8] = b"the endpoint's programs";

fn content(bytes: &[u8]) -> Content {
    Content { sha256: Sha256::of(bytes), size: u32::try_from(bytes.len()).unwrap() }
}

fn update(version: &str) -> Update {
    Update {
        target: "bartizan-endpoint.tar".to_owned(),
        version: version.to_owned(),
        program: content(PROGRAM),
        content: content(b"metadata, and the endpoint's programs"),
    }
}

fn package(version: &str) -> Package {
    let update = update(version);
    Package {
        content: update.content,
        program: update.program,
        vendor: Some(VendorTarget {
            name: update.target,
            version: update.version,
            program: update.program,
        }),
    }
}

/// An organisation whose bundle has the class `update`; Carol is no root operator.
fn organisation() -> World {
    World::with(|bundle| {
        let fleet = bundle.classes.last().unwrap().clone();
        bundle.classes.push(ClassRule {
            class: Class::Update,
            approvals: 0,
            stages_min: 1,
            delay_s: 0,
            ..fleet
        });
        bundle.operators[2].roles.retain(|role| *role != OperatorRole::Root);
        Ok(())
    })
    .unwrap()
}

fn delivery(
    world: &mut World,
    state: &State,
    signers: &[(&str, SignatureRole)],
    change: impl FnOnce(&mut Job),
) -> Delivery {
    let mut job = world.job().unwrap();
    job.class = Class::Update;
    job.action = Action::Update(update("0.2.0"));
    change(&mut job);
    let mut delivery = world.deliver(&signed(&job, signers).unwrap(), state).unwrap();
    delivery.content = None;
    delivery.package = Some(package("0.2.0"));
    delivery
}

/// Refused, and both an honest job and an honest update are accepted afterwards.
#[track_caller]
fn update_refused(
    signers: &[(&str, SignatureRole)],
    change: impl FnOnce(&mut Job),
    spoil: impl FnOnce(&mut Delivery),
    expected: Refusal,
) {
    let mut world = organisation();
    let state = world.endpoint(0).unwrap();
    let mut bad = delivery(&mut world, &state, signers, change);
    spoil(&mut bad);
    refused(&mut world, &state, &bad, expected);
    let good = delivery(&mut world, &state, &BOTH, |_| {});
    assert!(matches!(deliver(&world, &state, &good).verdict, Verdict::Update(_)));
}

#[test]
fn both_keys_together_replace_the_programs_once() {
    let mut world = organisation();
    let state = world.endpoint(0).unwrap();
    let good = delivery(&mut world, &state, &BOTH, |_| {});
    let outcome = deliver(&world, &state, &good);
    let Verdict::Update(proof) = outcome.verdict else { panic!("{:?}", outcome.verdict) };
    assert_eq!(proof.action(), &update("0.2.0"));
    assert_eq!(proof.signers().len(), 2);
    refused(&mut world, &outcome.state, &good, Refusal::Replayed);
}

#[test]
fn without_the_package_it_is_asked_for_and_nothing_is_used_up() {
    let mut world = organisation();
    let state = world.endpoint(0).unwrap();
    let mut good = delivery(&mut world, &state, &BOTH, |_| {});
    let package = good.package.take();
    // Bytes of a script are no package.
    good.content = Some(PROGRAM.to_vec());
    let outcome = deliver(&world, &state, &good);
    assert!(
        matches!(outcome.verdict, Verdict::NeedContent(wanted) if wanted == update("0.2.0").content)
    );
    good.package = package;
    assert!(matches!(deliver(&world, &outcome.state, &good).verdict, Verdict::Update(_)));
}

#[test]
fn the_vendors_key_alone_runs_nothing() {
    // What the vendor signed, in a job that too few of the organisation signed.
    update_refused(&[], |_| {}, |_| {}, Refusal::AuthorMissing);
    update_refused(&[("alice", Author)], |_| {}, |_| {}, Refusal::RootMissing);
    update_refused(&[("alice", Author), ("alice", Approve)], |_| {}, |_| {}, Refusal::RootMissing);
    update_refused(
        &[("mallory", Author), ("bob", Approve)],
        |_| {},
        |_| {},
        Refusal::AuthorMissing,
    );
}

#[test]
fn approvers_who_are_no_root_operators_do_not_update() {
    update_refused(&[("alice", Author), ("carol", Approve)], |_| {}, |_| {}, Refusal::RootMissing);
}

#[test]
fn the_organisations_keys_alone_run_nothing() {
    let silent = |delivery: &mut Delivery| delivery.package.as_mut().unwrap().vendor = None;
    update_refused(&BOTH, |_| {}, silent, Refusal::VendorRefused);
}

#[test]
fn what_the_vendor_signed_under_another_name_or_version_is_refused() {
    let vendor = |change: fn(&mut VendorTarget)| {
        move |delivery: &mut Delivery| {
            change(delivery.package.as_mut().unwrap().vendor.as_mut().unwrap());
        }
    };
    let other_name = vendor(|vendor| vendor.name = "other.tar".to_owned());
    update_refused(&BOTH, |_| {}, other_name, Refusal::VendorRefused);
    let other_version = vendor(|vendor| vendor.version = "0.3.0".to_owned());
    update_refused(&BOTH, |_| {}, other_version, Refusal::VendorRefused);
    let other_bytes = vendor(|vendor| vendor.program = content(b"another program"));
    update_refused(&BOTH, |_| {}, other_bytes, Refusal::VendorRefused);
}

#[test]
fn a_program_that_was_swapped_on_the_way_is_refused() {
    let swap = |delivery: &mut Delivery| {
        delivery.package.as_mut().unwrap().program = content(b"another program");
    };
    update_refused(&BOTH, |_| {}, swap, Refusal::ContentMismatch);
    let swap = |delivery: &mut Delivery| {
        delivery.package.as_mut().unwrap().content = content(b"another package");
    };
    update_refused(&BOTH, |_| {}, swap, Refusal::ContentMismatch);
}

#[test]
fn an_update_never_goes_back() {
    let older = |job: &mut Job| job.action = Action::Update(update("0.1.0"));
    update_refused(&BOTH, older, |_| {}, Refusal::UpdateNotNewer);
    // Not below what was confirmed here either, whatever runs now.
    let mut world = organisation();
    let state = State { version_floor: Some("0.2.0".to_owned()), ..world.endpoint(0).unwrap() };
    let good = delivery(&mut world, &state, &BOTH, |_| {});
    refused(&mut world, &state, &good, Refusal::UpdateNotNewer);
}

#[test]
fn a_running_version_that_nobody_can_read_updates_nothing_and_says_so() {
    let mut world = organisation();
    let state = world.endpoint(0).unwrap();
    let good = delivery(&mut world, &state, &BOTH, |_| {});
    let facts = LocalFacts { agent_version: "unknown", ..world.facts() };
    let verdict = authorize(&state, &facts, &good.as_ref()).verdict;
    assert!(matches!(verdict, Verdict::Refused(Refusal::AgentTooOld)));
}

#[test]
fn an_endpoint_below_the_least_version_takes_the_update_that_lifts_it_there_and_nothing_else() {
    let mut world = organisation();
    let state = world.endpoint(0).unwrap();
    world.publish(|bundle| "0.2.0".clone_into(&mut bundle.min_agent), &["alice", "bob"]).unwrap();
    let state = world.caught_up(&state).unwrap();
    let to_an_older = |job: &mut Job| job.action = Action::Update(update("0.1.9"));
    let short = delivery(&mut world, &state, &BOTH, to_an_older);
    let answer = authorize(&state, &world.facts(), &short.as_ref()).verdict;
    assert!(matches!(answer, Verdict::Refused(Refusal::AgentTooOld)), "{answer:?}");
    let script = world.good_delivery(&state).unwrap();
    let answer = authorize(&state, &world.facts(), &script.as_ref()).verdict;
    assert!(matches!(answer, Verdict::Refused(Refusal::AgentTooOld)), "{answer:?}");
    let enough = delivery(&mut world, &state, &BOTH, |_| {});
    let answer = authorize(&state, &world.facts(), &enough.as_ref()).verdict;
    assert!(matches!(answer, Verdict::Update(_)), "{answer:?}");
}

#[test]
fn an_update_cannot_claim_a_milder_class() {
    let milder = |job: &mut Job| job.class = Class::Change;
    update_refused(&BOTH, milder, |_| {}, Refusal::ClassTooWeak);
}

#[test]
fn a_script_cannot_claim_the_class_and_escape_stages_and_delay() {
    let mut world = organisation();
    for signers in [&BOTH[..], &[("alice", Author), ("carol", Approve)]] {
        let claim = |job: &mut Job| job.class = Class::Update;
        job_refused_in(&mut world, claim, signers, Refusal::ClassTooWeak);
    }
}

#[test]
fn without_the_class_in_the_bundle_nothing_updates() {
    let mut world = world();
    let state = world.endpoint(0).unwrap();
    let good = delivery(&mut world, &state, &BOTH, |_| {});
    refused(&mut world, &state, &good, Refusal::ClassUnknown);
}

#[test]
fn a_malformed_update_is_refused() {
    for change in [
        (|update| update.target = "../guard".to_owned()) as fn(&mut Update),
        |update| update.target = String::new(),
        |update| update.version = "0.2".to_owned(),
        |update| update.content.size = limits::UPDATE_BYTES_MAX + 1,
        |update| update.program.size = 0,
        |update| update.program.size = update.content.size,
    ] {
        let change = |job: &mut Job| {
            let mut action = update("0.2.0");
            change(&mut action);
            job.action = Action::Update(action);
        };
        update_refused(&BOTH, change, |_| {}, Refusal::Malformed);
    }
    let standing = |job: &mut Job| job.trigger = Some(trigger(On::Start {}, job.window.exp));
    update_refused(&BOTH, standing, |_| {}, Refusal::Malformed);
}

#[test]
fn the_largest_update_is_within_the_limit() {
    let mut largest = update("0.2.0");
    largest.content.size = limits::UPDATE_BYTES_MAX;
    let mut job = world().job().unwrap();
    job.action = Action::Update(largest);
    let envelope = Envelope::new(&job);
    assert_eq!(Envelope::decode(&envelope.encode()).unwrap().statement::<Job>().unwrap(), job);
}
