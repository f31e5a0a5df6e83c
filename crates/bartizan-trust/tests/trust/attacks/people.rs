//! I1: thresholds of distinct, authorised people.

use super::*;

#[test]
fn an_honest_job_runs_with_its_author_first() {
    let mut world = world();
    let state = world.endpoint(1).unwrap();
    let delivery = world.good_delivery(&state).unwrap();
    let outcome = deliver(&world, &state, &delivery);
    let Verdict::Run(proof) = outcome.verdict else { panic!("{:?}", outcome.verdict) };
    let names: Vec<_> = proof.signers().iter().map(OperatorId::name).collect();
    assert_eq!(names, ["alice", "bob"]);
    assert_eq!(proof.content(), bartizan_testkit::world::CONTENT);
}

#[test]
fn i1_one_signature_where_two_are_needed() {
    job_refused(|_| {}, &[("alice", Author)], Refusal::ApprovalsMissing);
}

#[test]
fn i1_no_signature_at_all() {
    job_refused(|_| {}, &[], Refusal::AuthorMissing);
}

#[test]
fn i1_approval_without_an_author() {
    job_refused(|_| {}, &[("bob", Approve), ("carol", Approve)], Refusal::AuthorMissing);
}

#[test]
fn i1_same_signature_twice_counts_once() {
    let mut world = World::with(|bundle| {
        bundle.classes[1].approvals = 2;
        Ok(())
    })
    .unwrap();
    let state = world.endpoint(0).unwrap();
    let job = world.job().unwrap();
    let good = signed(&job, &[("alice", Author), ("bob", Approve)]).unwrap();
    // Written twice by hand: `add_signature` would keep it once.
    let text = String::from_utf8(good.encode()).unwrap();
    let start = text.rfind("{\"keyid\"").unwrap();
    let one = text[start..].trim_end_matches("]}").to_owned();
    let twice = format!("{}{one},{one}]}}", &text[..start]);
    assert_eq!(Envelope::decode(twice.as_bytes()).unwrap().signature_count(), 3);
    let delivery = world.deliver_bytes(twice.into_bytes(), &state).unwrap();
    let outcome = deliver(&world, &state, &delivery);
    assert!(matches!(outcome.verdict, Verdict::Refused(Refusal::ApprovalsMissing)));
    let third = signed(&job, &[("alice", Author), ("bob", Approve), ("carol", Approve)]).unwrap();
    let honest = world.deliver(&third, &outcome.state).unwrap();
    runs(&world, &outcome.state, &honest);
}

#[test]
fn i1_same_person_with_two_keys_counts_once() {
    let mut world = World::with(|bundle| {
        bundle.operators[1].keys.push(operator_key(&Key::named("bob's second key")?.public));
        bundle.classes[1].approvals = 2;
        Ok(())
    })
    .unwrap();
    let state = world.endpoint(0).unwrap();
    let job = world.job().unwrap();
    let envelope =
        signed(&job, &[("alice", Author), ("bob", Approve), ("bob's second key", Approve)])
            .unwrap();
    let delivery = world.deliver(&envelope, &state).unwrap();
    let outcome = deliver(&world, &state, &delivery);
    assert!(
        matches!(outcome.verdict, Verdict::Refused(Refusal::ApprovalsMissing)),
        "{:?}",
        outcome.verdict
    );
}

#[test]
fn i1_an_author_approving_himself_does_not_count() {
    job_refused(|_| {}, &[("alice", Author), ("alice", Approve)], Refusal::ApprovalsMissing);
    job_refused(
        |_| {},
        &[("alice", Author), ("bob", Author), ("bob", Approve)],
        Refusal::ApprovalsMissing,
    );
}

#[test]
fn i1_an_author_signature_is_no_approval() {
    job_refused(|_| {}, &[("alice", Author), ("bob", Author)], Refusal::ApprovalsMissing);
}

#[test]
fn i1_a_stranger_counts_as_nobody() {
    job_refused(|_| {}, &[("mallory", Author), ("bob", Approve)], Refusal::AuthorMissing);
    job_refused(|_| {}, &[("alice", Author), ("mallory", Approve)], Refusal::ApprovalsMissing);
}

#[test]
fn i1_an_operator_without_the_role_counts_as_nobody() {
    let mut world = World::with(|bundle| {
        bundle.operators[2].roles = vec![OperatorRole::Author];
        Ok(())
    })
    .unwrap();
    job_refused_in(
        &mut world,
        |_| {},
        &[("alice", Author), ("carol", Approve)],
        Refusal::ApprovalsMissing,
    );
}

#[test]
fn i1_an_operator_of_another_tenant_counts_as_nobody() {
    let mut world = World::with(|bundle| {
        bundle.operators[2].tenants = TenantScope::Only(vec![TenantId::from_name("globex")?]);
        Ok(())
    })
    .unwrap();
    job_refused_in(
        &mut world,
        |_| {},
        &[("alice", Author), ("carol", Approve)],
        Refusal::ApprovalsMissing,
    );
}

#[test]
fn i1_a_removed_operators_earlier_signature_no_longer_counts() {
    let mut world = world();
    let state = world.endpoint(0).unwrap();
    let job = world.job().unwrap();
    let early = signed(&job, &[("alice", Author), ("carol", Approve)]).unwrap();
    world.publish(|bundle| bundle.operators.truncate(2), &["alice", "bob"]).unwrap();
    let state = world.caught_up(&state).unwrap();
    assert_eq!(state.trust.as_ref().unwrap().bundle.version, 2);
    let delivery = world.deliver(&early, &state).unwrap();
    refused(&mut world, &state, &delivery, Refusal::ApprovalsMissing);
}

#[test]
fn i1_a_software_key_where_the_user_must_be_verified() {
    let mut world = World::with(|bundle| {
        bundle.classes[1].user_check = UserCheck::Verification;
        bundle.operators[0].keys[0] = operator_key(&sk_ed25519_public(&Key::named("alice")?)?);
        bundle.operators[2].keys[0] = operator_key(&sk_ed25519_public(&Key::named("carol")?)?);
        // Alice's software key signs the genesis of every test world.
        bundle.operators[0].keys.push(operator_key(&Key::named("alice")?.public));
        Ok(())
    })
    .unwrap();
    let state = world.endpoint(0).unwrap();
    let with = |world: &mut World, signers: &[(&str, SignatureRole, u8)]| {
        let mut envelope = Envelope::new(&world.job().unwrap());
        for (name, role, flags) in signers {
            let signature =
                sk_ed25519_with(&Key::named(name).unwrap(), *role, &envelope.pae(), *flags)
                    .unwrap();
            envelope.add_signature(&signature).unwrap();
        }
        envelope
    };
    let mut software = with(&mut world, &[("alice", Author, VERIFIED)]);
    Key::named("bob").unwrap().sign(&mut software, Approve).unwrap();
    let touched = with(&mut world, &[("alice", Author, VERIFIED), ("carol", Approve, TOUCHED)]);
    let author_touched =
        with(&mut world, &[("alice", Author, TOUCHED), ("carol", Approve, VERIFIED)]);
    for envelope in [software, touched, author_touched] {
        let delivery = world.deliver(&envelope, &state).unwrap();
        let outcome = deliver(&world, &state, &delivery);
        assert!(
            matches!(outcome.verdict, Verdict::Refused(Refusal::UserCheckMissing)),
            "{:?}",
            outcome.verdict
        );
    }
    let good = with(&mut world, &[("alice", Author, VERIFIED), ("carol", Approve, VERIFIED)]);
    let delivery = world.deliver(&good, &state).unwrap();
    runs(&world, &state, &delivery);
}

#[test]
fn i1_a_passkey_from_another_localhost_port_does_not_count() {
    let passkey = P256::generate().unwrap();
    let public = passkey.passkey_public().unwrap();
    let mut world = World::with(|bundle| {
        bundle.operators[2].keys =
            vec![OperatorKey { origins: vec![ORIGIN.to_owned()], ..operator_key(&public) }];
        Ok(())
    })
    .unwrap();
    let state = world.endpoint(0).unwrap();
    let mut approved = |origin: &str, flags: u8| {
        let mut envelope = signed(&world.job().unwrap(), &[("alice", Author)]).unwrap();
        let signature = passkey.webauthn_with(Approve, &envelope.pae(), origin, flags).unwrap();
        envelope.add_signature(&signature).unwrap();
        let delivery = world.deliver(&envelope, &state).unwrap();
        deliver(&world, &state, &delivery).verdict
    };
    for origin in ["http://localhost:7444", "https://rmm.example", "http://localhost:74430", ""] {
        assert!(
            matches!(approved(origin, 0x05), Verdict::Refused(Refusal::ApprovalsMissing)),
            "{origin}"
        );
    }
    // A credential that can be synced, where the key does not allow it.
    assert!(matches!(approved(ORIGIN, 0x0d), Verdict::Refused(Refusal::ApprovalsMissing)));
    assert!(matches!(approved(ORIGIN, 0x05), Verdict::Run(_)));
}

#[test]
fn i1_a_key_that_lists_origins_counts_as_a_passkey_only() {
    let mut world = World::with(|bundle| {
        bundle.operators[2].keys[0].origins = vec![ORIGIN.to_owned()];
        Ok(())
    })
    .unwrap();
    let signers = [("alice", Author), ("carol", Approve)];
    job_refused_in(&mut world, |_| {}, &signers, Refusal::ApprovalsMissing);
}

#[test]
fn i1_a_key_that_demands_user_verification_counts_with_it_only() {
    let mut world = World::with(|bundle| {
        let public = sk_ed25519_public(&Key::named("carol")?)?;
        bundle.operators[2].keys = vec![OperatorKey { uv: true, ..operator_key(&public) }];
        Ok(())
    })
    .unwrap();
    let state = world.endpoint(0).unwrap();
    let mut approved = |flags: u8| {
        let mut envelope = signed(&world.job().unwrap(), &[("alice", Author)]).unwrap();
        let carol = Key::named("carol").unwrap();
        let signature = sk_ed25519_with(&carol, Approve, &envelope.pae(), flags).unwrap();
        envelope.add_signature(&signature).unwrap();
        let delivery = world.deliver(&envelope, &state).unwrap();
        deliver(&world, &state, &delivery).verdict
    };
    assert!(matches!(approved(TOUCHED), Verdict::Refused(Refusal::ApprovalsMissing)));
    assert!(matches!(approved(VERIFIED), Verdict::Run(_)));
}

#[test]
fn i1_the_customers_own_rule_is_kept() {
    let mut world = World::with(|bundle| {
        bundle.customers = vec![Customer {
            tenant: TenantId::from_name("acme")?,
            keys: vec![operator_key(&Key::named("acme's owner")?.public)],
            rule: CustomerRule { from_class: Class::Change },
        }];
        Ok(())
    })
    .unwrap();
    let state = world.endpoint(0).unwrap();
    let job = world.job().unwrap();
    let without = world.deliver(&signed(&job, &BOTH).unwrap(), &state).unwrap();
    let outcome = deliver(&world, &state, &without);
    assert!(matches!(outcome.verdict, Verdict::Refused(Refusal::CustomerMissing)));
    let by = |name| [BOTH[0], BOTH[1], (name, SignatureRole::Customer)];
    let forged = world.deliver(&signed(&job, &by("carol")).unwrap(), &outcome.state).unwrap();
    let outcome = deliver(&world, &outcome.state, &forged);
    assert!(matches!(outcome.verdict, Verdict::Refused(Refusal::CustomerMissing)));
    let signed =
        world.deliver(&signed(&job, &by("acme's owner")).unwrap(), &outcome.state).unwrap();
    runs(&world, &outcome.state, &signed);
}
