//! Known bugs of others, by their names: each would be a way in here if it were made again.

use bartizan_trust::control::{ControlUpdate, replay};

use super::*;

/// Sigstore and others: one valid signature, written several times, met a threshold.
#[test]
fn cve_2026_6966_one_signature_written_many_times_meets_no_threshold() {
    let mut world = world();
    let state = world.endpoint(0).unwrap();
    let job = world.job().unwrap();
    let text = String::from_utf8(signed(&job, &[("alice", Author)]).unwrap().encode()).unwrap();
    let start = text.find("{\"keyid\"").unwrap();
    let one = text[start..].trim_end_matches("]}").to_owned();
    let many = format!("{}{}]}}", &text[..start], [one.as_str(); 12].join(","));
    let delivery = world.deliver_bytes(many.into_bytes(), &state).unwrap();
    refused(&mut world, &state, &delivery, Refusal::ApprovalsMissing);
}

/// A TUF client took a root of any higher version.
#[test]
fn cve_2025_2885_a_bundle_whose_version_is_not_the_next_one_is_skipped() {
    for version in [3, 4, 200] {
        let mut world = world();
        let state = world.endpoint(0).unwrap();
        let before = world.bundle_id;
        world.publish(|bundle| bundle.version = version, &["alice", "bob"]).unwrap();
        let (entries, checkpoint) = world.control_for(&state).unwrap();
        let update = ControlUpdate { start: 1, entries: &entries, checkpoint: &checkpoint };
        let (state, skipped) = replay(&state, &world.facts(), &update).unwrap();
        assert_eq!(skipped[0].refusal, Refusal::BundleChain);
        assert_eq!(state.trust.as_ref().unwrap().id, before);
        let honest = world.good_delivery(&state).unwrap();
        runs(&world, &state, &honest);
    }
}

/// The same client kept metadata that it had rejected, and then could not take the right one.
#[test]
fn cve_2025_2888_what_was_rejected_does_not_block_what_is_right() {
    let mut world = world();
    let state = world.endpoint(0).unwrap();
    world.publish(|bundle| bundle.operators.truncate(2), &["alice", "bob"]).unwrap();
    let (right, checkpoint) = world.control_for(&state).unwrap();
    let wrong = vec![b"something else".to_vec()];
    let bad = ControlUpdate { start: 1, entries: &wrong, checkpoint: &checkpoint };
    assert_eq!(replay(&state, &world.facts(), &bad).unwrap_err(), Refusal::LogFork);
    let good = ControlUpdate { start: 1, entries: &right, checkpoint: &checkpoint };
    let (state, skipped) = replay(&state, &world.facts(), &good).unwrap();
    assert_eq!(skipped, []);
    // And a job that was refused because it came without its content's evidence runs when that is there.
    let delivery = world.good_delivery(&state).unwrap();
    let early = Delivery { proof: Vec::new(), ..delivery.clone() };
    let outcome = deliver(&world, &state, &early);
    assert!(matches!(outcome.verdict, Verdict::Refused(Refusal::NotLogged)));
    runs(&world, &outcome.state, &delivery);
}

/// VSA: a request without its password field counted as one with the right password.
#[test]
fn cve_2021_30116_what_is_absent_is_not_right() {
    for field in ["signatures", "payload", "payloadType"] {
        let mut world = world();
        let state = world.endpoint(0).unwrap();
        let envelope = signed(&world.job().unwrap(), &BOTH).unwrap().encode();
        let mut value: serde_json::Value = serde_json::from_slice(&envelope).unwrap();
        value.as_object_mut().unwrap().remove(field);
        let delivery = world.deliver_bytes(value.to_string().into_bytes(), &state).unwrap();
        refused(&mut world, &state, &delivery, Refusal::Malformed);
    }
    for empty in ["[]", "[{}]", "[{\"keyid\":\"\",\"sig\":\"\"}]", "null"] {
        let mut world = world();
        let state = world.endpoint(0).unwrap();
        let text = String::from_utf8(signed(&world.job().unwrap(), &BOTH).unwrap().encode());
        let text = text.unwrap();
        let (before, _) = text.split_once("\"signatures\":").unwrap();
        let bytes = format!("{before}\"signatures\":{empty}}}").into_bytes();
        let delivery = world.deliver_bytes(bytes, &state).unwrap();
        let outcome = deliver(&world, &state, &delivery);
        let Verdict::Refused(code) = outcome.verdict else { panic!("{empty} is accepted") };
        assert!(matches!(code, Refusal::Malformed | Refusal::AuthorMissing), "{empty}: {code}");
        let honest = world.good_delivery(&outcome.state).unwrap();
        runs(&world, &outcome.state, &honest);
    }
}

/// VSA: the second factor was asked for by the page, and not missed by the server.
#[test]
fn cve_2021_30120_a_second_factor_is_judged_where_it_counts() {
    let mut world = World::with(|bundle| {
        bundle.classes[1].user_check = UserCheck::Verification;
        Ok(())
    })
    .unwrap();
    let state = world.endpoint(0).unwrap();
    let delivery = world.good_delivery(&state).unwrap();
    let outcome = deliver(&world, &state, &delivery);
    assert!(matches!(outcome.verdict, Verdict::Refused(Refusal::UserCheckMissing)));
}
