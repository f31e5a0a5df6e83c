//! What policies come to: against a naive reading of `policy.md`, and by example.

use bartizan_trust::monitoring::{Why, effective};
use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
struct Sketch {
    layer: Layer,
    name: &'static str,
    inherit: bool,
    exclude: Vec<&'static str>,
    checks: Vec<&'static str>,
}

const IDS: [&str; 4] = ["cpu", "disk", "load", "swap"];

fn sketch() -> impl Strategy<Value = Sketch> {
    let layer = prop::sample::select(vec![Layer::Org, Layer::Tenant, Layer::Site, Layer::Endpoint]);
    let ids = || prop::sample::subsequence(IDS.to_vec(), 0..=4);
    let name = prop::sample::select(vec!["a", "b"]);
    (layer, name, prop::bool::weighted(0.8), ids(), ids()).prop_map(
        |(layer, name, inherit, exclude, checks)| Sketch { layer, name, inherit, exclude, checks },
    )
}

fn place(layer: Layer) -> PolicyPlace {
    match layer {
        Layer::Org => PolicyPlace::Org {},
        Layer::Tenant => tenant(),
        Layer::Site => site("hq"),
        Layer::Endpoint => only(0),
    }
}

fn made(world: &World, sketch: &Sketch) -> (StatementId, MonitoringPolicy) {
    let policy = MonitoringPolicy {
        name: sketch.name.to_owned(),
        inherit: sketch.inherit,
        exclude: sketch.exclude.iter().map(|id| (*id).to_owned()).collect(),
        checks: sketch.checks.iter().map(|id| check(id)).collect(),
        ..policy(world, place(sketch.layer), 1)
    };
    (Envelope::new(&policy).id(), policy)
}

/// The page, read by somebody slow: for each check of each policy, is there anything that speaks against it?
fn applies(all: &[Sketch], at: usize, id: &str) -> bool {
    let own = &all[at];
    let nearer = |other: &Sketch| other.layer > own.layer;
    let speaks = |(number, other): (usize, &Sketch)| {
        let against = nearer(other) && (!other.inherit || other.exclude.contains(&id));
        let first = nearer(other) || (other.layer == own.layer && other.name < own.name);
        let there = number != at && first && other.checks.contains(&id);
        against || (there && applies(all, number, id))
    };
    !all.iter().enumerate().any(speaks)
}

proptest! {
    #![proptest_config(crate::cases(256))]

    #[test]
    fn the_checks_of_an_endpoint_are_what_the_page_says(mut all in prop::collection::vec(sketch(), 0..6)) {
        all.sort_by_key(|sketch| (sketch.layer, sketch.name));
        all.dedup_by_key(|sketch| (sketch.layer, sketch.name));
        let world = world();
        let made: Vec<_> = all.iter().map(|sketch| made(&world, sketch)).collect();
        let policies: Vec<_> = made.iter().map(|(id, policy)| (*id, policy)).collect();
        let found = effective(&policies);
        let mut backwards = policies.clone();
        backwards.reverse();
        prop_assert_eq!(&effective(&backwards), &found, "the order of delivery means nothing");
        let mut count = 0;
        for (at, sketch) in all.iter().enumerate() {
            for id in &sketch.checks {
                count += 1;
                let here = found.checks.iter().any(|c| c.policy == policies[at].0 && c.check.id == *id);
                let not = found.passed_over.iter().any(|p| {
                    p.check.policy == policies[at].0 && p.check.check.id == *id
                });
                prop_assert_eq!((here, not), (applies(&all, at, id), !applies(&all, at, id)));
            }
        }
        prop_assert_eq!(found.checks.len() + found.passed_over.len(), count);
    }
}

#[test]
fn every_reason_names_the_policy_that_gave_it() {
    let world = world();
    let (far, mut near) = (policy(&world, PolicyPlace::Org {}, 1), policy(&world, tenant(), 1));
    let ids = [StatementId::new(Sha256::of(b"far")), StatementId::new(Sha256::of(b"near"))];
    let why = |near: &MonitoringPolicy| {
        let found = effective(&[(ids[0], &far), (ids[1], near)]);
        found.passed_over.first().map(|passed| passed.why)
    };
    assert_eq!(why(&near), Some(Why::Replaced(ids[1])));
    near.checks.clear();
    assert_eq!(why(&near), None);
    near.exclude = vec!["reboot".to_owned()];
    assert_eq!(why(&near), Some(Why::Excluded(ids[1])));
    near.exclude.clear();
    near.inherit = false;
    assert_eq!(why(&near), Some(Why::Blocked(ids[1])));
}

#[test]
fn an_endpoint_does_256_checks_and_says_which_it_does_not() {
    let world = world();
    let many = |place, from: usize, to: usize| MonitoringPolicy {
        checks: (from..to).map(|number| check(&format!("c{number:03}"))).collect(),
        ..policy(&world, place, 1)
    };
    let (one, two) = (many(only(0), 0, 128), many(tenant(), 128, 256));
    let three = many(PolicyPlace::Org {}, 256, 257);
    let ids = [b"1", b"2", b"3"].map(|name| StatementId::new(Sha256::of(name)));
    let found = effective(&[(ids[0], &one), (ids[1], &two)]);
    assert_eq!((found.checks.len(), found.passed_over.len()), (limits::EFFECTIVE_CHECKS_MAX, 0));
    let found = effective(&[(ids[2], &three), (ids[0], &one), (ids[1], &two)]);
    assert_eq!(found.checks.len(), limits::EFFECTIVE_CHECKS_MAX);
    assert_eq!(found.passed_over[0].why, Why::Beyond);
    assert_eq!(found.passed_over[0].check.policy, ids[2]);
}

#[test]
fn an_endpoint_asks_64_questions_over_the_network_and_does_its_other_checks() {
    let world = world();
    let ping = |id: String| Check {
        subject: Subject::Ping {
            host: "acme.example".to_owned(),
            loss: Some(Levels { warn: None, error: Some(50) }),
            above: None,
        },
        ..check(&id)
    };
    let near = MonitoringPolicy {
        checks: (0..limits::NETWORK_CHECKS_MAX).map(|n| ping(format!("a{n:03}"))).collect(),
        ..policy(&world, only(0), 1)
    };
    let far = MonitoringPolicy {
        checks: vec![ping("b".to_owned()), check("c")],
        ..policy(&world, tenant(), 1)
    };
    let ids = [b"1", b"2"].map(|name| StatementId::new(Sha256::of(name)));
    let found = effective(&[(ids[0], &near), (ids[1], &far)]);
    assert_eq!(found.checks.len(), limits::NETWORK_CHECKS_MAX + 1);
    let passed: Vec<_> =
        found.passed_over.iter().map(|p| (p.check.check.id.as_str(), p.why)).collect();
    assert_eq!(passed, [("b", Why::Beyond)]);
}
