//! Attacks on policies by name, each with its code, and what still works afterwards (I9).

use super::*;

#[test]
fn i9_an_older_version_that_is_replayed_is_refused() {
    let mut watched = Watched::new();
    let first = signed(&watched.policy(tenant(), 1), &[("alice", Author)]).unwrap();
    watched.deliver(&first).unwrap();
    let second = watched.takes(&watched.policy(tenant(), 2), &["alice"]);
    assert_eq!(watched.deliver(&first).map(|_| ()), Err(Refusal::PolicyOld));
    // Nor the same version with other checks, nor the very same one twice.
    let twin = MonitoringPolicy { checks: vec![], ..watched.policy(tenant(), 2) };
    watched.refuses(&twin, &["alice"], Refusal::PolicyOld);
    assert_eq!(watched.deliver(&second).map(|_| ()), Err(Refusal::PolicyOld));
    // Nor once the later one was taken back.
    let withdrawal = watched.world.withdrawal(second.id());
    let withdrawal = signed(&withdrawal, &[("bob", SignatureRole::Freeze)]).unwrap();
    watched.world.log_control(&withdrawal);
    watched.pass(1);
    assert_eq!(watched.review(&second), Err(Refusal::Withdrawn));
    watched.state.policies.end(second.id());
    assert_eq!(watched.deliver(&first).map(|_| ()), Err(Refusal::PolicyOld));
    assert_eq!(watched.deliver(&second).map(|_| ()), Err(Refusal::Withdrawn));
    watched.takes(&watched.policy(tenant(), 3), &["alice"]);
    watched.other_work_runs();
}

#[test]
fn i2_a_policy_of_another_tenant_site_or_endpoint_is_refused() {
    let mut watched = Watched::new();
    let globex = TenantId::from_name("globex").unwrap();
    let theirs = PolicyPlace::Tenant { tenant: globex.clone() };
    watched.refuses(&watched.policy(theirs, 1), &["alice"], Refusal::WrongTenant);
    // A place the server made up: this endpoint, as one of another tenant.
    let endpoint = World::endpoint_id(0).unwrap();
    let moved = PolicyPlace::Endpoint { tenant: globex.clone(), endpoint };
    watched.refuses(&watched.policy(moved, 1), &["alice"], Refusal::WrongTenant);
    let branch = PolicyPlace::Site { tenant: globex, site: SiteId::from_name("hq").unwrap() };
    watched.refuses(&watched.policy(branch, 1), &["alice"], Refusal::WrongTenant);
    watched.refuses(&watched.policy(site("branch"), 1), &["alice"], Refusal::WrongPlace);
    watched.refuses(&watched.policy(only(1), 1), &["alice"], Refusal::WrongPlace);
    watched.takes(&watched.policy(site("hq"), 1), &["alice"]);
    watched.other_work_runs();
}

#[test]
fn i1_an_operator_out_of_scope_signs_for_nobody() {
    let mut watched = Watched::new();
    watched.refuses(&watched.policy(PolicyPlace::Org {}, 1), &["carol"], Refusal::AuthorMissing);
    watched.takes(&watched.policy(tenant(), 1), &["carol"]);
    let elsewhere = |bundle: &mut Bundle| {
        let globex = TenantId::from_name("globex").unwrap();
        bundle.operators[2].tenants = TenantScope::Only(vec![globex]);
    };
    let mut watched = Watched::within(world_with(elsewhere));
    watched.refuses(&watched.policy(tenant(), 1), &["carol"], Refusal::AuthorMissing);
    watched.refuses(&watched.policy(only(0), 1), &["carol"], Refusal::AuthorMissing);
    watched.other_work_runs();
}

#[test]
fn i1_a_policy_without_the_approvals_of_its_class_is_refused() {
    let mut watched = Watched::within(world_with(|bundle| bundle.classes[0].approvals = 1));
    let policy = watched.policy(PolicyPlace::Org {}, 1);
    watched.refuses(&policy, &["alice"], Refusal::ApprovalsMissing);
    watched.refuses(&policy, &["alice", "bob"], Refusal::ApprovalsMissing);
    // Carol's word counts for acme only, so not for the organisation; nor does the author's own.
    for approver in ["carol", "alice"] {
        let envelope = signed(&policy, &[("alice", Author), (approver, Approve)]).unwrap();
        assert_eq!(watched.deliver(&envelope).map(|_| ()), Err(Refusal::ApprovalsMissing));
    }
    let envelope = signed(&policy, &[("alice", Author), ("bob", Approve)]).unwrap();
    watched.deliver(&envelope).unwrap();
}

#[test]
fn i1_a_customer_with_a_say_is_asked_for_policies_of_every_place() {
    let mut watched = Watched::within(world_with(|bundle| {
        let keys = bundle.operators[1].keys.clone();
        bundle.operators.remove(1);
        let rule = CustomerRule { from_class: Class::Observe };
        bundle.customers.push(Customer { tenant: acme(), keys, rule });
        bundle.root.threshold = 1;
    }));
    for place in [PolicyPlace::Org {}, tenant()] {
        let policy = watched.policy(place, 1);
        watched.refuses(&policy, &["alice"], Refusal::CustomerMissing);
        let roles = [("alice", Author), ("bob", SignatureRole::Customer)];
        watched.deliver(&signed(&policy, &roles).unwrap()).unwrap();
    }
}

#[test]
fn i5_an_unlogged_or_unwitnessed_policy_is_refused() {
    let mut watched = Watched::new();
    let envelope = signed(&watched.policy(tenant(), 1), &[("alice", Author)]).unwrap();
    let good = watched.world.deliver(&envelope, &watched.state).unwrap();
    // The proof of another entry.
    let other = signed(&watched.policy(tenant(), 2), &[("alice", Author)]).unwrap();
    let forged = Delivery { envelope: other.encode(), ..good.clone() };
    assert_eq!(watched.judge(&forged).map(|_| ()), Err(Refusal::NotLogged));
    // The same statement with one more signature is another entry.
    let more = signed(&watched.policy(tenant(), 1), &[("alice", Author), ("bob", Approve)]);
    let forged = Delivery { envelope: more.unwrap().encode(), ..good.clone() };
    assert_eq!(watched.judge(&forged).map(|_| ()), Err(Refusal::NotLogged));
    let size = watched.world.jobs.size();
    let note = watched.world.jobs.note(size, &[], watched.world.now).unwrap();
    let proof = watched.world.jobs.proof(size - 1, size, note).unwrap();
    let unwitnessed = Delivery { proof, ..good.clone() };
    assert_eq!(watched.judge(&unwitnessed).map(|_| ()), Err(Refusal::NotWitnessed));
    let forgotten = Delivery { proof: Vec::new(), ..good.clone() };
    assert_eq!(watched.judge(&forgotten).map(|_| ()), Err(Refusal::NotLogged));
    watched.judge(&good).unwrap();
    // A fork of what was seen.
    watched.world.jobs = watched.world.jobs.fork(1).unwrap();
    let next = signed(&watched.policy(tenant(), 3), &[("alice", Author)]).unwrap();
    assert_eq!(watched.deliver(&next).map(|_| ()), Err(Refusal::LogFork));
}

#[test]
fn i7_a_policy_dies_with_the_person_who_signed_it() {
    let mut watched = Watched::new();
    let carols = watched.takes(&watched.policy(tenant(), 1), &["carol"]);
    let alices = watched.takes(&watched.policy(site("hq"), 1), &["alice"]);
    let without = |bundle: &mut Bundle| bundle.operators.retain(|o| o.id.name() != "carol");
    watched.world.publish(without, &["alice", "bob"]).unwrap();
    watched.pass(DAY);
    assert_eq!(watched.review(&carols), Err(Refusal::AuthorMissing));
    assert!(ends_policy(Refusal::AuthorMissing));
    assert_eq!(watched.review(&alices), Ok(None));
    watched.state.policies.end(carols.id());
    // A copy does not bring it back, and a new one by her neither.
    assert_eq!(watched.deliver(&carols).map(|_| ()), Err(Refusal::AuthorMissing));
    watched.refuses(&watched.policy(tenant(), 2), &["carol"], Refusal::AuthorMissing);
    watched.takes(&watched.policy(tenant(), 2), &["bob"]);
}

#[test]
fn i7_a_scope_that_was_narrowed_ends_what_it_no_longer_holds() {
    let mut watched = Watched::new();
    let envelope = watched.takes(&watched.policy(PolicyPlace::Org {}, 1), &["bob"]);
    let narrowed =
        |bundle: &mut Bundle| bundle.operators[1].tenants = TenantScope::Only(vec![acme()]);
    watched.world.publish(narrowed, &["alice", "bob"]).unwrap();
    watched.pass(1);
    assert_eq!(watched.review(&envelope), Err(Refusal::AuthorMissing));
}

#[test]
fn i6_a_freeze_lets_nothing_new_in_and_nothing_out_but_looks_on() {
    let scopes = [
        FreezeScope::Org,
        FreezeScope::Tenant(acme()),
        FreezeScope::Class(Class::Observe),
        FreezeScope::Operator(OperatorId::from_name("carol").unwrap()),
    ];
    for scope in scopes {
        let mut watched = Watched::new();
        let envelope = watched.takes(&watched.policy(tenant(), 1), &["carol"]);
        let freeze = watched.world.freeze(scope, 3600);
        let freeze = signed(&freeze, &[("alice", SignatureRole::Freeze)]).unwrap();
        watched.world.log_control(&freeze);
        watched.pass(1);
        assert_eq!(watched.review(&envelope), Ok(Some(Refusal::Frozen)));
        watched.refuses(&watched.policy(tenant(), 2), &["carol"], Refusal::Frozen);
        watched.pass(3600);
        assert_eq!(watched.review(&envelope), Ok(None));
        watched.takes(&watched.policy(tenant(), 2), &["carol"]);
    }
    // What means others means nothing here.
    let mut watched = Watched::new();
    let envelope = watched.takes(&watched.policy(tenant(), 1), &["carol"]);
    for scope in [
        FreezeScope::Tenant(TenantId::from_name("globex").unwrap()),
        FreezeScope::Class(Class::Routine),
        FreezeScope::Sessions,
    ] {
        let freeze = watched.world.freeze(scope, 3600);
        watched.world.log_control(&signed(&freeze, &[("alice", SignatureRole::Freeze)]).unwrap());
    }
    watched.pass(1);
    assert_eq!(watched.review(&envelope), Ok(None));
    let frozen = watched.world.freeze(FreezeScope::Job(envelope.id()), 3600);
    watched.world.log_control(&signed(&frozen, &[("bob", SignatureRole::Freeze)]).unwrap());
    watched.pass(1);
    assert_eq!(watched.review(&envelope), Ok(Some(Refusal::Frozen)));
}

#[test]
fn i6_a_withheld_control_log_lets_nothing_new_in() {
    let mut watched = Watched::new();
    watched.world.now = watched.world.now.plus(3601);
    watched.refuses(&watched.policy(tenant(), 1), &["alice"], Refusal::ControlStale);
    watched.pass(0);
    watched.takes(&watched.policy(tenant(), 1), &["alice"]);
}

#[test]
fn an_expired_bundle_takes_nothing_in_and_looks_on() {
    let mut watched =
        Watched::within(world_with(|bundle| bundle.expires = bundle.iat.plus(20 * DAY)));
    let envelope = watched.takes(&watched.policy(tenant(), 1), &["alice"]);
    watched.pass(20 * DAY);
    assert_eq!(watched.review(&envelope), Ok(Some(Refusal::BundleExpired)));
    watched.refuses(&watched.policy(tenant(), 2), &["alice"], Refusal::BundleExpired);
}

#[test]
fn i4_a_policy_of_the_past_or_the_future_is_refused() {
    let mut watched = Watched::new();
    let policy = watched.policy(tenant(), 1);
    let early = MonitoringPolicy { iat: watched.world.now.plus(121), ..policy.clone() };
    watched.refuses(&early, &["alice"], Refusal::TooEarly);
    let over = MonitoringPolicy {
        iat: UnixSeconds::new(watched.world.now.get() - 10),
        until: watched.world.now,
        ..policy.clone()
    };
    watched.refuses(&over, &["alice"], Refusal::Expired);
    let long = MonitoringPolicy { until: policy.iat.plus(90 * DAY + 1), ..policy.clone() };
    watched.refuses(&long, &["alice"], Refusal::OrderNotAllowed);
    // A clock that stands still does not keep a policy alive: witness time says that it is over.
    let soon = MonitoringPolicy { until: policy.iat.plus(60), ..policy };
    let envelope = signed(&soon, &[("alice", Author)]).unwrap();
    let before = watched.world.now;
    watched.world.now = before.plus(61);
    let delivery = watched.world.deliver(&envelope, &watched.state).unwrap();
    watched.world.now = before;
    assert_eq!(watched.judge(&delivery).map(|_| ()), Err(Refusal::Expired));
}

#[test]
fn a_flood_of_versions_is_limited_like_any_work() {
    let mut watched = Watched::new();
    for version in 1..=5 {
        watched.takes(&watched.policy(tenant(), version), &["alice"]);
    }
    watched.refuses(&watched.policy(tenant(), 6), &["alice"], Refusal::RateLimited);
    let slow = |bundle: &mut Bundle| bundle.classes[0].operator_jobs_per_hour_max = 1;
    let mut watched = Watched::within(world_with(slow));
    watched.takes(&watched.policy(tenant(), 1), &["alice"]);
    watched.refuses(&watched.policy(tenant(), 2), &["alice"], Refusal::OperatorRateLimited);
    watched.takes(&watched.policy(tenant(), 2), &["bob"]);
}

#[test]
fn what_is_no_policy_of_ours_is_refused() {
    let mut watched = Watched::new();
    let job = watched.world.job().unwrap();
    let job = signed(&job, &[("alice", Author), ("bob", Approve)]).unwrap();
    assert_eq!(watched.deliver(&job).map(|_| ()), Err(Refusal::UnknownKind));
    let envelope = signed(&watched.policy(tenant(), 1), &[("alice", Author)]).unwrap();
    let delivery = watched.world.deliver(&envelope, &watched.state).unwrap();
    let verdict = authorize(&watched.state, &watched.world.facts(), &delivery.as_ref()).verdict;
    assert!(matches!(verdict, Verdict::Refused(Refusal::UnknownKind)), "{verdict:?}");
    let org = OrgId::new(Sha256::of(b"other"));
    let foreign = MonitoringPolicy { org, ..watched.policy(tenant(), 1) };
    watched.refuses(&foreign, &["alice"], Refusal::WrongOrg);
    let crit = vec!["more".to_owned()];
    let critical = MonitoringPolicy { crit, ..watched.policy(tenant(), 1) };
    watched.refuses(&critical, &["alice"], Refusal::CriticalUnknown);
    let newer = MonitoringPolicy { bundle_min: 2, ..watched.policy(tenant(), 1) };
    watched.refuses(&newer, &["alice"], Refusal::BundleTooOld);
    let strict = MonitoringPolicy { class: Class::Change, ..watched.policy(tenant(), 1) };
    watched.refuses(&strict, &["alice"], Refusal::Malformed);
    let mut watched = Watched::within(World::new().unwrap());
    watched.refuses(&watched.policy(tenant(), 1), &["alice"], Refusal::ClassUnknown);
    let old = World::with(|bundle| {
        bundle.min_agent = "9.0.0".to_owned();
        let base = bundle.classes[0].clone();
        bundle.classes.insert(0, ClassRule { class: Class::Observe, ..base });
        Ok(())
    });
    let mut watched = Watched::within(old.unwrap());
    watched.refuses(&watched.policy(tenant(), 1), &["alice"], Refusal::AgentTooOld);
}
