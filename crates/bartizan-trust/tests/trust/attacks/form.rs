//! I8: unknown, malformed, oversized.

use super::*;

// I8: unknown, malformed, oversized.

#[test]
fn i8_bytes_above_a_limit_are_refused_before_they_are_read() {
    let mut world = world();
    let state = world.endpoint(0).unwrap();
    let delivery = world.deliver_bytes(vec![b'{'; limits::ENVELOPE_BYTES_MAX + 1], &state).unwrap();
    refused(&mut world, &state, &delivery, Refusal::TooLarge);
    let delivery = world.deliver_bytes(vec![b'{'; limits::ENVELOPE_BYTES_MAX], &state).unwrap();
    refused(&mut world, &state, &delivery, Refusal::Malformed);
}

#[test]
fn i8_an_absent_field_is_no_acceptance() {
    let mut world = world();
    let state = world.endpoint(0).unwrap();
    let text = String::from_utf8(signed(&world.job().unwrap(), &BOTH).unwrap().encode()).unwrap();
    let without = text.split_once(",\"signatures\"").unwrap().0.to_owned() + "}";
    let delivery = world.deliver_bytes(without.into_bytes(), &state).unwrap();
    refused(&mut world, &state, &delivery, Refusal::Malformed);
}

#[test]
fn i8_another_kind_of_statement_is_no_job() {
    let mut world = world();
    let state = world.endpoint(0).unwrap();
    let enrolment = world.enrolment("acme").unwrap();
    let delivery = world.deliver(&enrolment, &state).unwrap();
    refused(&mut world, &state, &delivery, Refusal::UnknownKind);
    let bundle = signed(&world.bundle, &[("alice", Author), ("bob", Approve)]).unwrap();
    let delivery = world.deliver(&bundle, &state).unwrap();
    refused(&mut world, &state, &delivery, Refusal::UnknownKind);
}

#[test]
fn i8_a_payload_type_that_names_another_kind() {
    let mut world = world();
    let state = world.endpoint(0).unwrap();
    let text = String::from_utf8(signed(&world.job().unwrap(), &BOTH).unwrap().encode()).unwrap();
    for (kind, expected) in [
        ("freeze.v1", Refusal::UnknownKind),
        ("promotion.v1", Refusal::UnknownKind),
        ("grant.v1", Refusal::UnsupportedStatement),
        ("thaw.v1", Refusal::UnknownKind),
        ("veto.v1", Refusal::UnknownKind),
        ("job.v2", Refusal::UnsupportedVersion),
        ("login.v1", Refusal::UnknownKind),
        ("hotfix.v1", Refusal::UnknownKind),
    ] {
        let other = text.replace("job.v1", kind);
        let delivery = world.deliver_bytes(other.into_bytes(), &state).unwrap();
        let outcome = deliver(&world, &state, &delivery);
        assert!(
            matches!(outcome.verdict, Verdict::Refused(found) if found == expected),
            "{kind}: {:?}",
            outcome.verdict
        );
    }
    // An enrolment's bytes under a job's name: the signatures are over other bytes.
    let enrolment = String::from_utf8(world.enrolment("acme").unwrap().encode()).unwrap();
    let delivery = world
        .deliver_bytes(enrolment.replace("enrolment.v1", "job.v1").into_bytes(), &state)
        .unwrap();
    refused(&mut world, &state, &delivery, Refusal::Malformed);
}

#[test]
fn i8_what_is_not_understood_is_refused() {
    job_refused(|job| job.crit = vec!["moon-phase".to_owned()], &BOTH, Refusal::CriticalUnknown);
    // Stages whose counts do not add up, and a later one that nobody promotes to.
    job_refused(|job| job.stages.push(stage("rest", 0)), &BOTH, Refusal::Malformed);
    let nobody = |job: &mut Job| {
        job.stages = vec![Stage::only(1), Stage { promote_min: 0, count: 2, ..stage("rest", 0) }];
    };
    job_refused(nobody, &BOTH, Refusal::Malformed);
}

#[test]
fn i8_a_job_of_another_organisation() {
    let other = bartizan_trust::id::OrgId::new(Sha256::of(b"other"));
    job_refused(move |job| job.org = other, &BOTH, Refusal::WrongOrg);
}

#[test]
fn i8_signatures_over_other_bytes_are_ignored_and_reported() {
    let mut world = world();
    let state = world.endpoint(0).unwrap();
    let good = signed(&world.job().unwrap(), &BOTH).unwrap();
    let other = world.job().unwrap();
    let text = String::from_utf8(Envelope::new(&other).encode()).unwrap();
    let signatures = String::from_utf8(good.encode()).unwrap();
    let stolen = text.replace(
        "\"signatures\":[]}",
        &format!("\"signatures\"{}", signatures.split_once("\"signatures\"").unwrap().1),
    );
    let delivery = world.deliver_bytes(stolen.into_bytes(), &state).unwrap();
    assert_eq!(deliver(&world, &state, &delivery).ignored.len(), 2);
    refused(&mut world, &state, &delivery, Refusal::AuthorMissing);
}
