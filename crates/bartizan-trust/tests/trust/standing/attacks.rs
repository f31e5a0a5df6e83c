//! Attacks on standing orders by name, each with its code, and what still works afterwards (I9).

use super::*;

#[test]
fn i3_an_occurrence_that_is_replayed_does_not_run_twice() {
    let mut order = Standing::of(On::Interval { every_s: 600 }, |_| {});
    order.pass(600);
    order.runs();
    for _ in 0..3 {
        order.refused(Refusal::OrderNotDue);
    }
    // Nor is the order taken in again.
    let delivery = order.world.deliver(&order.envelope, &order.state).unwrap();
    let again = authorize(&order.state, &order.world.facts(), &delivery.as_ref()).verdict;
    assert!(matches!(again, Verdict::Refused(Refusal::Replayed)), "{again:?}");
    order.other_work_runs();
}

#[test]
fn i3_a_clock_set_forward_and_back_runs_nothing_twice() {
    let mut order = Standing::of(HOURLY, |t| t.rate.runs = 3);
    let real = order.world.now;
    // Forward: the occurrence of that time runs, once.
    order.pass_alone(10 * HOUR);
    order.runs();
    order.refused(Refusal::OrderNotDue);
    // Back: what was due before that one never runs, and neither does that one when its time really comes.
    for hour in 0..=10 {
        order.world.now = real.plus(hour * HOUR);
        order.refused(Refusal::OrderNotDue);
    }
    order.world.now = real.plus(11 * HOUR);
    order.runs();
    // Forward and back again gives no fresh rate.
    order.world.now = real.plus(12 * HOUR);
    order.runs();
    order.world.now = real.plus(13 * HOUR);
    order.refused(Refusal::RateLimited);
    order.pass(0);
    order.other_work_runs();
}

#[test]
fn an_order_dies_with_its_author() {
    let mut order = Standing::of(HOURLY, |_| {});
    order.pass(HOUR);
    order.runs();
    order.world.publish(without("carol"), &["alice", "bob"]).unwrap();
    order.pass(HOUR);
    order.refused(Refusal::AuthorMissing);
    assert!(ends_order(Refusal::AuthorMissing));
    let envelope = order.envelope.encode();
    assert_eq!(review(&order.state, &order.world.facts(), &envelope), Err(Refusal::AuthorMissing));
    order.other_work_runs();
}

#[test]
fn an_order_dies_with_an_approver_it_needs() {
    let mut order = Standing::of(HOURLY, |_| {});
    let envelope = order.envelope.encode();
    assert_eq!(review(&order.state, &order.world.facts(), &envelope), Ok(()));
    let no_approver = |bundle: &mut Bundle| {
        bundle.operators[1].roles.retain(|role| *role != OperatorRole::Approve);
    };
    order.world.publish(no_approver, &["alice", "bob"]).unwrap();
    order.pass(HOUR);
    order.refused(Refusal::ApprovalsMissing);
    assert!(ends_order(Refusal::ApprovalsMissing));
}

fn without(name: &'static str) -> impl FnOnce(&mut Bundle) {
    move |bundle| bundle.operators.retain(|operator| operator.id.name() != name)
}

/// What becomes of the bundle, and what it is then called.
type Changed = (fn(&mut Bundle), Refusal);

#[test]
fn an_order_ends_when_its_class_no_longer_allows_it() {
    let changes: [Changed; 4] = [
        (|b| b.classes[1].orders = OrderRule::NONE, Refusal::OrderNotAllowed),
        (|b| b.classes[1].orders.freshness_s_max = DAY - 1, Refusal::OrderNotAllowed),
        (|b| b.classes[1].endpoints_new_max = 2, Refusal::ClassCap),
        (|b| b.classes[1].approvals = 2, Refusal::ApprovalsMissing),
    ];
    for (change, expected) in changes {
        let mut order = Standing::of(HOURLY, |_| {});
        order.world.publish(change, &["alice", "bob"]).unwrap();
        order.pass(HOUR);
        order.refused(expected);
        assert!(ends_order(expected));
    }
}

#[test]
fn content_altered_on_the_disk_does_not_run() {
    for content in [&b"echo hell0\n"[..], b"", b"echo hello", b"rm -rf everything\n"] {
        let mut order = Standing::of(HOURLY, |_| {});
        order.pass(HOUR);
        order.content = content.to_vec();
        order.refused(Refusal::ContentMismatch);
        assert!(ends_order(Refusal::ContentMismatch));
        order.other_work_runs();
    }
}

#[test]
fn an_envelope_altered_on_the_disk_does_not_run() {
    let mut order = Standing::of(HOURLY, |_| {});
    order.pass(HOUR);
    // Signed by the right people, but never taken in here.
    let kept = order.envelope.clone();
    order.envelope = super::order(&mut order.world, HOURLY, |_| {});
    order.refused(Refusal::OrderUnknown);
    // The signatures taken off: the same statement, and nobody behind it.
    order.envelope = Envelope::new(&kept.statement::<Job>().unwrap());
    order.refused(Refusal::AuthorMissing);
    order.envelope = kept;
    order.runs();
}

#[test]
fn an_order_that_is_over_does_not_run() {
    let mut order = Standing::of(HOURLY, |t| t.until = UnixSeconds::new(t.until.get() - 29 * DAY));
    order.pass(DAY - HOUR);
    order.runs();
    order.pass(HOUR);
    order.refused(Refusal::Expired);
    assert!(ends_order(Refusal::Expired));
}

#[test]
fn an_expired_bundle_runs_no_order_until_it_is_renewed() {
    let world = World::with(|bundle| {
        bundle.expires = bundle.iat.plus(2 * HOUR);
        Ok(())
    });
    let mut order = Standing::in_world(world.unwrap(), HOURLY, |_| {});
    order.pass(HOUR);
    order.runs();
    order.pass(HOUR);
    order.refused(Refusal::BundleExpired);
    assert!(!ends_order(Refusal::BundleExpired));
    order
        .world
        .publish(|bundle| bundle.expires = bundle.expires.plus(DAY), &["alice", "bob"])
        .unwrap();
    order.pass(0);
    order.runs();
}

#[test]
fn i6_no_order_runs_under_a_freeze_that_covers_it() {
    let operator = |name| FreezeScope::Operator(OperatorId::from_name(name).unwrap());
    for number in 0..6 {
        let mut order = Standing::of(HOURLY, |_| {});
        let scope = match number {
            0 => FreezeScope::Org,
            1 => FreezeScope::Tenant(order.job().tenant),
            2 => FreezeScope::Class(Class::Change),
            3 => FreezeScope::Job(order.id()),
            4 => operator("carol"),
            _ => operator("bob"),
        };
        let freeze = order.world.freeze(scope.clone(), 2 * HOUR);
        order.world.log_control(&signed(&freeze, &[("alice", SignatureRole::Freeze)]).unwrap());
        order.pass(HOUR);
        order.refused(Refusal::Frozen);
        // Alone, no time passes by which a freeze could end: it stands until the endpoint hears again.
        order.pass_alone(HOUR);
        order.refused(Refusal::Frozen);
        order.pass(0);
        order.runs();
    }
    let mut order = Standing::of(HOURLY, |_| {});
    let freeze = order.world.freeze(FreezeScope::Class(Class::Fleet), 2 * HOUR);
    order.world.log_control(&signed(&freeze, &[("alice", SignatureRole::Freeze)]).unwrap());
    order.pass(HOUR);
    order.runs();
}

/// Whoever withholds the control log, and with it a freeze, stops the order with it in the end.
#[test]
fn i6_no_order_runs_longer_without_news_than_it_says_itself() {
    let mut order = Standing::of(HOURLY, |t| t.freshness_s = 3 * HOUR);
    for _ in 0..3 {
        order.pass_alone(HOUR);
        order.runs();
    }
    order.pass_alone(HOUR);
    order.refused(Refusal::ControlStale);
    order.pass(0);
    order.runs();
}

#[test]
fn a_rate_that_is_used_up_waits() {
    let mut order = Standing::of(HOURLY, |t| t.rate = RunRate { runs: 2, per_s: DAY });
    for _ in 0..2 {
        order.pass(HOUR);
        order.runs();
    }
    for _ in 0..22 {
        order.pass(HOUR);
        order.refused(Refusal::RateLimited);
    }
    order.pass(HOUR);
    order.runs();
}

#[test]
fn all_orders_of_a_class_together_keep_its_rate() {
    let world = World::with(|bundle| {
        bundle.classes[1].orders.runs_per_hour_max = 3;
        Ok(())
    });
    let every_minute = On::Interval { every_s: 60 };
    let mut order = Standing::in_world(world.unwrap(), every_minute.clone(), |_| {});
    let second = super::order(&mut order.world, every_minute, |_| {});
    let delivery = order.world.deliver(&second, &order.state).unwrap();
    order.state = stands(&order.world, &order.state, &delivery);
    let first = order.envelope.clone();
    order.pass(60);
    order.runs();
    order.pass(60);
    order.runs();
    order.envelope = second.clone();
    order.runs();
    for envelope in [first, second] {
        order.pass(60);
        order.envelope = envelope;
        order.refused(Refusal::RateLimited);
    }
    order.pass(HOUR);
    order.runs();
}

#[test]
fn an_order_that_was_taken_back_never_runs_again() {
    let mut order = Standing::of(HOURLY, |_| {});
    let withdrawal = order.world.withdrawal(order.id());
    order.world.log_control(&signed(&withdrawal, &[("alice", SignatureRole::Freeze)]).unwrap());
    order.pass(HOUR);
    order.refused(Refusal::Withdrawn);
    assert!(ends_order(Refusal::Withdrawn));
    order.other_work_runs();
}

#[test]
fn what_was_taken_back_before_it_came_is_not_taken_in() {
    let mut world = World::new().unwrap();
    let state = world.endpoint(0).unwrap();
    let late = order(&mut world, HOURLY, |_| {});
    let job = signed(&world.job().unwrap(), &[("alice", Author), ("bob", Approve)]).unwrap();
    for envelope in [&late, &job] {
        let withdrawal = world.withdrawal(envelope.id());
        world.log_control(&signed(&withdrawal, &[("carol", SignatureRole::Freeze)]).unwrap());
    }
    let state = world.caught_up(&state).unwrap();
    not_taken(&world, &state, &late, Refusal::Withdrawn);
    not_taken(&world, &state, &job, Refusal::Withdrawn);
}

#[test]
fn nobody_takes_back_what_only_others_may() {
    let mut order = Standing::of(HOURLY, |_| {});
    let withdrawal = order.world.withdrawal(order.id());
    let mut elsewhere = withdrawal.clone();
    elsewhere.org = bartizan_trust::id::OrgId::new(Sha256::of(b"other"));
    let mut over = withdrawal.clone();
    over.iat = UnixSeconds::new(over.iat.get() - 100);
    over.exp = UnixSeconds::new(over.iat.get() + 100);
    let mut unknown = withdrawal.clone();
    unknown.crit = vec!["tomorrow".to_owned()];
    for (statement, who, role) in [
        (&withdrawal, "mallory", SignatureRole::Freeze),
        (&withdrawal, "alice", SignatureRole::Author),
        (&elsewhere, "alice", SignatureRole::Freeze),
        (&over, "alice", SignatureRole::Freeze),
        (&unknown, "alice", SignatureRole::Freeze),
    ] {
        order.world.log_control(&signed(statement, &[(who, role)]).unwrap());
    }
    order.pass(HOUR);
    order.runs();
}

/// One stolen key fills the room of its owner, and of nobody else.
#[test]
fn withdrawals_of_one_person_crowd_out_nobody_elses() {
    let mut order = Standing::of(HOURLY, |_| {});
    for number in 0..=limits::WITHDRAWALS_PER_OPERATOR_MAX {
        let withdrawal =
            order.world.withdrawal(StatementId::new(Sha256::of(&number.to_be_bytes())));
        order.world.log_control(&signed(&withdrawal, &[("alice", SignatureRole::Freeze)]).unwrap());
    }
    order.pass(0);
    let known = |number: usize| {
        order.state.withdrawals.contains(&StatementId::new(Sha256::of(&number.to_be_bytes())))
    };
    assert!(known(0) && known(limits::WITHDRAWALS_PER_OPERATOR_MAX - 1));
    assert!(!known(limits::WITHDRAWALS_PER_OPERATOR_MAX));
    let withdrawal = order.world.withdrawal(order.id());
    order.world.log_control(&signed(&withdrawal, &[("bob", SignatureRole::Freeze)]).unwrap());
    order.pass(HOUR);
    order.refused(Refusal::Withdrawn);
}

#[test]
fn what_the_class_does_not_allow_is_not_taken_in() {
    let mut world = World::new().unwrap();
    let state = world.endpoint(0).unwrap();
    let changes: [fn(&mut Trigger); 3] = [
        |t| t.until = t.until.plus(60 * DAY + 1),
        |t| t.freshness_s = 7 * DAY + 1,
        |t| t.until = UnixSeconds::new(t.until.get() + 300 * DAY),
    ];
    for change in changes {
        let envelope = order(&mut world, HOURLY, change);
        not_taken(&world, &state, &envelope, Refusal::OrderNotAllowed);
    }
}

#[test]
fn a_class_that_allows_no_runs_takes_no_order_in() {
    for runs_per_hour_max in [0, 1] {
        let world = World::with(|bundle| {
            bundle.classes[1].orders.runs_per_hour_max = runs_per_hour_max;
            Ok(())
        });
        let mut world = world.unwrap();
        let state = world.endpoint(0).unwrap();
        let envelope = order(&mut world, HOURLY, |_| {});
        let delivery = world.deliver(&envelope, &state).unwrap();
        let verdict = authorize(&state, &world.facts(), &delivery.as_ref()).verdict;
        match runs_per_hour_max {
            0 => assert!(matches!(verdict, Verdict::Refused(Refusal::OrderNotAllowed))),
            _ => assert!(matches!(verdict, Verdict::Stand(_)), "{verdict:?}"),
        }
    }
}

#[test]
fn an_order_is_taken_in_only_with_its_people_its_log_and_its_content() {
    let mut world = World::new().unwrap();
    let state = world.endpoint(0).unwrap();
    let whole = order(&mut world, HOURLY, |_| {});
    let alone = signed(&whole.statement::<Job>().unwrap(), &[("carol", Author)]).unwrap();
    not_taken(&world, &state, &alone, Refusal::ApprovalsMissing);
    let delivery = world.deliver(&whole, &state).unwrap();
    let changed = Delivery { content: Some(b"echo hell0\n".to_vec()), ..delivery.clone() };
    let outcome = authorize(&state, &world.facts(), &changed.as_ref());
    assert!(matches!(outcome.verdict, Verdict::Refused(Refusal::ContentMismatch)));
    assert!(outcome.state.orders.is_empty());
    let unproven = Delivery { proof: b"no proof".to_vec(), ..delivery };
    let outcome = authorize(&state, &world.facts(), &unproven.as_ref());
    assert!(matches!(outcome.verdict, Verdict::Refused(Refusal::NotLogged)));
}

#[test]
fn an_endpoint_keeps_only_so_many_orders() {
    let world = World::with(|bundle| {
        bundle.classes[1].jobs_per_hour_max = 1000;
        Ok(())
    });
    let mut world = world.unwrap();
    let mut state = world.endpoint(0).unwrap();
    for _ in 0..limits::ORDERS_MAX {
        let envelope = order(&mut world, HOURLY, |_| {});
        let delivery = world.deliver(&envelope, &state).unwrap();
        state = stands(&world, &state, &delivery);
    }
    let envelope = order(&mut world, HOURLY, |_| {});
    let delivery = world.deliver(&envelope, &state).unwrap();
    let outcome = authorize(&state, &world.facts(), &delivery.as_ref());
    assert!(matches!(outcome.verdict, Verdict::Refused(Refusal::OrdersFull)));
    let mut state = outcome.state;
    let first = *state.orders.keys().next().unwrap();
    state.end_order(first);
    let again = Delivery { consistency: Vec::new(), ..delivery };
    stands(&world, &state, &again);
}
