//! Classes, caps, rates, order and content.

use super::*;

// Classes, caps, rates, order and content.

#[test]
fn a_class_milder_than_the_derived_one_is_refused() {
    job_refused(
        |job| {
            job.class = Class::Routine;
            aim(job, targets_of(11));
        },
        &BOTH,
        Refusal::ClassTooWeak,
    );
    job_refused(|job| job.class = Class::Observe, &BOTH, Refusal::ClassTooWeak);
    job_refused(on_script(|script| script.destructive = true), &BOTH, Refusal::ClassTooWeak);
    job_refused(|job| aim(job, targets_of(251)), &BOTH, Refusal::ClassTooWeak);
}

#[test]
fn a_class_the_bundle_does_not_have_is_refused() {
    let mut world = World::with(|bundle| {
        bundle.classes.truncate(2);
        Ok(())
    })
    .unwrap();
    job_refused_in(&mut world, |job| job.class = Class::Fleet, &BOTH, Refusal::ClassUnknown);
}

#[test]
fn caps_of_the_bundle_hold_whatever_the_job_says() {
    job_refused(on_script(|script| script.timeout_s = 3601), &BOTH, Refusal::ClassCap);
    job_refused(on_script(|script| script.output_max = 1024 * 1024 + 1), &BOTH, Refusal::ClassCap);
}

#[test]
fn a_job_names_as_many_endpoints_as_its_class_may_have_and_no_more() {
    let capped = |most| {
        World::with(|bundle| {
            bundle.classes[2].endpoints_new_max = most;
            Ok(())
        })
        .unwrap()
    };
    job_refused_in(&mut capped(2), |job| job.class = Class::Fleet, &BOTH, Refusal::ClassCap);
    let mut world = capped(3);
    let state = world.endpoint(0).unwrap();
    let job = Job { class: Class::Fleet, ..world.job().unwrap() };
    let delivery = world.deliver(&signed(&job, &BOTH).unwrap(), &state).unwrap();
    runs(&world, &state, &delivery);
}

#[test]
fn more_than_a_tenth_of_a_tenant_is_the_work_of_class_fleet() {
    let sized = |endpoints| {
        World::with(|bundle| {
            bundle.tenants = vec![TenantSize { tenant: TenantId::from_name("acme")?, endpoints }];
            Ok(())
        })
        .unwrap()
    };
    let on = |count| move |job: &mut Job| aim(job, targets_of(count));
    job_refused_in(&mut sized(109), on(11), &BOTH, Refusal::ClassTooWeak);
    // The tenth itself is not more; the target tree is only a number here, and refused later.
    job_refused_in(&mut sized(110), on(11), &BOTH, Refusal::NotTargeted);
    // Of another tenant, or where nobody has said: no tenth.
    let globex = |bundle: &mut Bundle| {
        bundle.tenants = vec![TenantSize { tenant: TenantId::from_name("globex")?, endpoints: 20 }];
        Ok(())
    };
    job_refused_in(&mut World::with(globex).unwrap(), on(11), &BOTH, Refusal::NotTargeted);
    // Everyday work on a small tenant stays everyday work.
    let mut world = sized(3);
    let state = world.endpoint(0).unwrap();
    let honest = world.good_delivery(&state).unwrap();
    runs(&world, &state, &honest);
}

#[test]
fn small_everyday_work_needs_one_person_and_becomes_less_of_a_risk_once_reviewed() {
    let mut world = world();
    let state = world.endpoint(0).unwrap();
    let mut routine = world.job().unwrap();
    routine.class = Class::Routine;
    let alone = world.deliver(&signed(&routine, &[("alice", Author)]).unwrap(), &state).unwrap();
    let state = runs(&world, &state, &alone);
    assert!(state.reviewed.is_empty(), "one person reviews nothing");
    let countersigned = world.good_delivery(&state).unwrap();
    let state = runs(&world, &state, &countersigned);
    let reviewed = script(bartizan_testkit::world::CONTENT).unwrap().reviewed_as();
    assert!(state.reviewed.contains(&reviewed));
}

/// What two people have looked at is a script with its arguments, its environment, its account and its interpreter. A stolen
/// key that finds one which runs whatever it is told gains nothing by that.
#[test]
fn a_reviewed_script_is_a_new_one_with_anything_else_beside_it() {
    let everyday = |script: Script| {
        let mut world = world();
        let state = world.endpoint(0).unwrap();
        let reviewed = world.good_delivery(&state).unwrap();
        let state = runs(&world, &state, &reviewed);
        let mut job = world.job().unwrap();
        job.class = Class::Routine;
        job.action = Action::Script(script);
        let numbers: Vec<u32> = (0..11).collect();
        let tree = World::tree(&numbers).unwrap();
        aim(&mut job, tree.targets());
        let envelope = signed(&job, &[("alice", Author)]).unwrap();
        let mut delivery = world.deliver(&envelope, &state).unwrap();
        let place = tree.place(&state.endpoint).unwrap();
        (delivery.index, delivery.path) = (place.index, place.path);
        deliver(&world, &state, &delivery).verdict
    };
    let same = script(bartizan_testkit::world::CONTENT).unwrap();
    assert!(matches!(everyday(same.clone()), Verdict::Run(_)));
    // How long it may take and how much it may say is the bundle's to limit.
    assert!(matches!(everyday(Script { timeout_s: 7, ..same.clone() }), Verdict::Run(_)));
    let var = EnvVar { name: "BASH_ENV".to_owned(), value: "/tmp/other".to_owned() };
    let others = [
        Script { args: vec!["-c".to_owned(), "something else".to_owned()], ..same.clone() },
        Script { env: vec![var], ..same.clone() },
        Script { run_as: Some("backup".to_owned()), ..same.clone() },
        Script { interpreter: Interpreter::Python3, ..same.clone() },
    ];
    for other in others {
        let verdict = everyday(other);
        assert!(matches!(verdict, Verdict::Refused(Refusal::ClassTooWeak)), "{verdict:?}");
    }
}

/// Two people agreed to something destructive. One alone says next that the same is harmless.
#[test]
fn a_script_countersigned_as_destructive_is_not_everyday_work_afterwards() {
    let mut world = world();
    let state = world.endpoint(0).unwrap();
    let mut job = world.job().unwrap();
    job.class = Class::Fleet;
    on_script(|script| script.destructive = true)(&mut job);
    let destructive = world.deliver(&signed(&job, &BOTH).unwrap(), &state).unwrap();
    let state = runs(&world, &state, &destructive);
    let mut job = world.job().unwrap();
    job.class = Class::Routine;
    aim(&mut job, targets_of(11));
    let alone = world.deliver(&signed(&job, &[("alice", Author)]).unwrap(), &state).unwrap();
    refused(&mut world, &state, &alone, Refusal::ClassTooWeak);
}

#[test]
fn more_jobs_an_hour_than_the_class_allows_wait() {
    let mut world = world();
    let mut state = world.endpoint(0).unwrap();
    for _ in 0..5 {
        let delivery = world.good_delivery(&state).unwrap();
        state = runs(&world, &state, &delivery);
    }
    let sixth = world.good_delivery(&state).unwrap();
    let outcome = deliver(&world, &state, &sixth);
    assert!(matches!(outcome.verdict, Verdict::Refused(Refusal::RateLimited)));
    world.now = world.now.plus(3599);
    assert!(matches!(
        deliver(&world, &state, &sixth).verdict,
        Verdict::Refused(Refusal::RateLimited)
    ));
}

/// Alice's key is stolen. However she spreads her jobs over classes and whoever she gets to approve them, an endpoint starts
/// no more than the rate says; the others go on working.
#[test]
fn a_stolen_key_starts_no_more_than_its_rate_whatever_classes_it_spreads_over() {
    let mut world = World::with(|bundle| {
        bundle.classes.iter_mut().for_each(|rule| rule.operator_jobs_per_hour_max = 4);
        Ok(())
    })
    .unwrap();
    let mut state = world.endpoint(0).unwrap();
    let ways = [(Class::Routine, "bob"), (Class::Change, "carol"), (Class::Fleet, "bob")];
    for (class, approver) in ways.into_iter().cycle().take(4) {
        let delivery = job_by(&mut world, &state, class, ("alice", approver));
        state = runs(&world, &state, &delivery);
    }
    for (class, approver) in ways {
        let delivery = job_by(&mut world, &state, class, ("alice", approver));
        assert_eq!(code(&world, &mut state, &delivery), Refusal::OperatorRateLimited);
    }
    // Nor by approving what others are made to write.
    let delivery = job_by(&mut world, &state, Class::Change, ("carol", "alice"));
    assert_eq!(code(&world, &mut state, &delivery), Refusal::OperatorRateLimited);
    let honest = job_by(&mut world, &state, Class::Change, ("bob", "carol"));
    let mut state = runs(&world, &state, &honest);
    // Nothing was used up: an hour later the same delivery runs.
    let late = job_by(&mut world, &state, Class::Change, ("alice", "bob"));
    assert_eq!(code(&world, &mut state, &late), Refusal::OperatorRateLimited);
    world.now = world.now.plus(3599);
    state = world.caught_up(&state).unwrap();
    assert_eq!(code(&world, &mut state, &late), Refusal::OperatorRateLimited);
    world.now = world.now.plus(1);
    assert!(matches!(deliver(&world, &state, &late).verdict, Verdict::Refused(Refusal::Expired)));
    let again = job_by(&mut world, &state, Class::Change, ("alice", "bob"));
    runs(&world, &state, &again);
}

#[test]
fn a_clock_set_forward_and_back_gives_no_operator_a_new_hour() {
    let mut world = World::with(|bundle| {
        bundle.classes.iter_mut().for_each(|rule| rule.operator_jobs_per_hour_max = 1);
        Ok(())
    })
    .unwrap();
    let state = world.endpoint(0).unwrap();
    let first = job_by(&mut world, &state, Class::Change, ("alice", "bob"));
    let mut state = runs(&world, &state, &first);
    let real = world.now;
    world.now = real.plus(3000);
    let second = job_by(&mut world, &state, Class::Change, ("alice", "carol"));
    assert_eq!(code(&world, &mut state, &second), Refusal::OperatorRateLimited);
    world.now = real;
    let third = job_by(&mut world, &state, Class::Change, ("alice", "carol"));
    assert_eq!(code(&world, &mut state, &third), Refusal::OperatorRateLimited);
    let others = job_by(&mut world, &state, Class::Change, ("carol", "bob"));
    assert_eq!(code(&world, &mut state, &others), Refusal::OperatorRateLimited, "bob signed, too");
}

fn job_by(
    world: &mut World,
    state: &State,
    class: Class,
    (author, approver): (&str, &str),
) -> Delivery {
    let mut job = world.job().unwrap();
    job.class = class;
    let signers = [(author, Author), (approver, Approve)];
    world.deliver(&signed(&job, &signers).unwrap(), state).unwrap()
}

/// Refused, with what the endpoint remembers afterwards.
#[track_caller]
fn code(world: &World, state: &mut State, delivery: &Delivery) -> Refusal {
    let outcome = deliver(world, state, delivery);
    *state = outcome.state;
    let Verdict::Refused(refusal) = outcome.verdict else { panic!("{:?}", outcome.verdict) };
    refusal
}

#[test]
fn a_job_waits_for_those_it_comes_after() {
    let mut world = world();
    let state = world.endpoint(0).unwrap();
    let first = world.good_delivery(&state).unwrap();
    let id = Envelope::decode(&first.envelope).unwrap().id();
    let mut second = world.job().unwrap();
    second.after = vec![id];
    let second = world.deliver(&signed(&second, &BOTH).unwrap(), &state).unwrap();
    let outcome = deliver(&world, &state, &second);
    assert!(matches!(outcome.verdict, Verdict::Refused(Refusal::AfterMissing)));
    let mut state = outcome.state;
    let window_end = world.now.plus(3600);
    state.succeeded.insert(id, window_end);
    runs(&world, &state, &second);
}

#[test]
fn content_that_was_swapped_is_refused_and_the_right_one_runs() {
    let mut world = world();
    let state = world.endpoint(0).unwrap();
    let good = world.good_delivery(&state).unwrap();
    for content in [&b"rm -rf everything\n"[..], b"", b"echo hello", b"echo hell0\n"] {
        let swapped = Delivery { content: Some(content.to_vec()), ..good.clone() };
        let outcome = deliver(&world, &state, &swapped);
        assert!(matches!(outcome.verdict, Verdict::Refused(Refusal::ContentMismatch)));
        let again = Delivery { consistency: Vec::new(), ..good.clone() };
        runs(&world, &outcome.state, &again);
    }
}

#[test]
fn missing_content_uses_nothing_up() {
    let mut world = world();
    let state = world.endpoint(0).unwrap();
    let good = world.good_delivery(&state).unwrap();
    let outcome = deliver(&world, &state, &Delivery { content: None, ..good.clone() });
    let Verdict::NeedContent(content) = outcome.verdict else { panic!("{:?}", outcome.verdict) };
    assert_eq!(content, script(bartizan_testkit::world::CONTENT).unwrap().content);
    assert!(outcome.state.seen.is_empty());
    runs(&world, &outcome.state, &good);
}

#[test]
fn an_expired_bundle_runs_nothing() {
    let mut world = world();
    let state = world.endpoint(0).unwrap();
    world.now = world.bundle.expires;
    let state = world.caught_up(&state).unwrap();
    let delivery = world.good_delivery(&state).unwrap();
    let outcome = deliver(&world, &state, &delivery);
    assert!(matches!(outcome.verdict, Verdict::Refused(Refusal::BundleExpired)));
}

#[test]
fn an_endpoint_that_does_not_know_its_tenant_runs_nothing() {
    let mut world = world();
    let mut state = world.endpoint(0).unwrap();
    let delivery = world.good_delivery(&state).unwrap();
    state.membership = None;
    let outcome = deliver(&world, &state, &delivery);
    assert!(matches!(outcome.verdict, Verdict::Refused(Refusal::BundleTooOld)));
}

#[test]
fn an_agent_that_is_too_old_runs_nothing() {
    let mut world = World::with(|bundle| {
        bundle.min_agent = "0.2.0".to_owned();
        Ok(())
    })
    .unwrap();
    let state = world.endpoint(0).unwrap();
    let delivery = world.good_delivery(&state).unwrap();
    let outcome = deliver(&world, &state, &delivery);
    assert!(matches!(outcome.verdict, Verdict::Refused(Refusal::AgentTooOld)));
}

#[test]
fn an_agent_that_knows_only_older_statements_runs_nothing() {
    let mut world = World::with(|bundle| {
        bundle.min_statement = 2;
        Ok(())
    })
    .unwrap();
    let state = world.endpoint(0).unwrap();
    let delivery = world.good_delivery(&state).unwrap();
    let outcome = deliver(&world, &state, &delivery);
    assert!(matches!(outcome.verdict, Verdict::Refused(Refusal::UnsupportedVersion)));
}

#[test]
fn a_job_for_a_newer_bundle_waits_for_it() {
    let mut world = world();
    let state = world.endpoint(0).unwrap();
    let mut job = world.job().unwrap();
    job.bundle_min = 2;
    let delivery = world.deliver(&signed(&job, &BOTH).unwrap(), &state).unwrap();
    let outcome = deliver(&world, &state, &delivery);
    assert!(matches!(outcome.verdict, Verdict::Refused(Refusal::BundleTooOld)));
    world.publish(|bundle| bundle.weaken_delay_s += 1, &["alice", "bob"]).unwrap();
    let state = world.caught_up(&outcome.state).unwrap();
    runs(&world, &state, &delivery);
}

#[test]
fn an_operator_nobody_knows_cannot_be_smuggled_in_by_name() {
    // Carol's entry carries Mallory's key in a bundle of the attacker's own; the anchor does not fit.
    let mallory = World::with(|bundle| {
        bundle.operators[2] = Operator {
            keys: vec![operator_key(&Key::named("mallory")?.public)],
            ..operator("carol")?
        };
        Ok(())
    })
    .unwrap();
    assert_ne!(mallory.org, world().org);
}
