//! Roll-outs: no endpoint begins before its stage (I2), whatever the server, one promoter or the author does.

use bartizan_testkit::world::went_well;
use bartizan_trust::control;
use bartizan_trust::targets::TargetTree;

use super::*;

use SignatureRole::Promote;

const SOAK_S: u64 = 900;

/// A countersigned job in three stages of one endpoint each.
fn rollout(world: &mut World, soak_s: u64) -> Envelope {
    signed(&world.staged_job(soak_s).unwrap(), &BOTH).unwrap()
}

fn by(names: &[&str], promotion: &Promotion) -> Envelope {
    let signers: Vec<_> = names.iter().map(|name| (*name, Promote)).collect();
    signed(promotion, &signers).unwrap()
}

/// The promotions to stages 1 and 2 by Carol.
fn promoted(world: &World, job: &Envelope) -> [Envelope; 2] {
    let first = by(&["carol"], &world.promotion(job.id(), 1, None));
    let second = by(&["carol"], &world.promotion(job.id(), 2, Some(first.id())));
    [first, second]
}

/// The endpoint of stage 1, a job without soak, and a promotion to it that an attack has changed: refused, and the
/// honest one runs afterwards.
#[track_caller]
fn promotion_refused_in(
    world: &mut World,
    change: impl FnOnce(&mut Promotion),
    signers: &[(&str, SignatureRole)],
    expected: Refusal,
) {
    let state = world.alone_in(1).unwrap();
    let job = rollout(world, 0);
    let mut promotion = world.promotion(job.id(), 1, None);
    change(&mut promotion);
    let bad = signed(&promotion, signers).unwrap();
    let delivery = world.deliver_staged(&job, &[bad], &state).unwrap();
    refused(world, &state, &delivery, expected);
    let good = by(&["alice"], &world.promotion(job.id(), 1, None));
    let delivery = world.deliver_staged(&job, &[good], &state).unwrap();
    runs(world, &state, &delivery);
}

#[track_caller]
fn promotion_refused(
    change: impl FnOnce(&mut Promotion),
    signers: &[(&str, SignatureRole)],
    expected: Refusal,
) {
    promotion_refused_in(&mut world(), change, signers, expected);
}

const CAROL: [(&str, SignatureRole); 1] = [("carol", Promote)];

#[test]
fn i2_stages_run_one_after_the_other_as_they_are_promoted() {
    let mut world = world();
    let job = rollout(&mut world, 0);
    let promotions = promoted(&world, &job);
    for stage in 0..3 {
        let state = world.alone_in(stage).unwrap();
        let delivery = world.deliver_staged(&job, &promotions[..stage], &state).unwrap();
        assert_eq!(delivery.stage as usize, stage);
        runs(&world, &state, &delivery);
    }
}

#[test]
fn i6_whoever_promoted_is_among_those_whose_freeze_ends_a_running_job() {
    let mut world = world();
    let job = rollout(&mut world, 0);
    let promotions = promoted(&world, &job);
    let state = world.alone_in(1).unwrap();
    let delivery = world.deliver_staged(&job, &promotions[..1], &state).unwrap();
    let Verdict::Run(proof) = deliver(&world, &state, &delivery).verdict else {
        panic!("it was promoted")
    };
    let behind: Vec<_> = proof.behind().iter().map(|operator| operator.name().to_owned()).collect();
    assert_eq!(behind, ["alice", "bob", "carol"]);
}

#[test]
fn i2_a_later_stage_delivered_early_waits_for_its_promotion() {
    let mut world = world();
    let job = rollout(&mut world, 0);
    let promotions = promoted(&world, &job);
    let state = world.alone_in(2).unwrap();
    for few in [&promotions[..0], &promotions[..1], &promotions[1..]] {
        let delivery = world.deliver_staged(&job, few, &state).unwrap();
        refused(&mut world, &state, &delivery, Refusal::NotPromoted);
    }
    let delivery = world.deliver_staged(&job, &promotions, &state).unwrap();
    runs(&world, &state, &delivery);
}

#[test]
fn i2_an_endpoint_of_a_later_stage_is_told_that_it_is_in_the_first() {
    let mut world = world();
    let job = rollout(&mut world, 0);
    let state = world.alone_in(1).unwrap();
    let honest = world.deliver_staged(&job, &[], &state).unwrap();
    let first = Delivery { stage: 0, ..honest.clone() };
    refused(&mut world, &state, &first, Refusal::NotTargeted);
    let place_too = Delivery { stage: 0, index: 0, ..honest };
    refused(&mut world, &state, &place_too, Refusal::NotTargeted);
}

#[test]
fn i2_an_author_cannot_put_more_into_the_first_stage_than_the_job_says() {
    let mut world = world();
    // Every leaf says stage 0; the counts say that one endpoint is in it.
    let ids = World::sorted_ids(&[0, 1, 2]).unwrap();
    let tree = TargetTree::new(&ids.iter().map(|id| (*id, 0)).collect::<Vec<_>>()).unwrap();
    let job = Job { targets: tree.targets(), ..world.staged_job(0).unwrap() };
    let envelope = signed(&job, &BOTH).unwrap();
    for stage in 0..3 {
        let state = world.alone_in(stage).unwrap();
        let place = tree.place(&state.endpoint).unwrap();
        let delivered = world.deliver_staged(&envelope, &[], &state).unwrap();
        let delivery = Delivery { stage: 0, index: place.index, path: place.path, ..delivered };
        if stage == 0 {
            runs(&world, &state, &delivery);
        } else {
            refused(&mut world, &state, &delivery, Refusal::NotTargeted);
        }
    }
}

#[test]
fn i2_a_forged_promotion() {
    promotion_refused(|_| {}, &[], Refusal::NotPromoted);
    promotion_refused(|_| {}, &[("mallory", Promote)], Refusal::NotPromoted);
    // An operator's signature, but not one that promotes.
    promotion_refused(|_| {}, &[("carol", Approve)], Refusal::NotPromoted);
    promotion_refused(|_| {}, &[("alice", Author), ("bob", Approve)], Refusal::NotPromoted);
}

#[test]
fn i2_a_promotion_by_somebody_who_may_not_promote() {
    let tenants = |bundle: &mut Bundle| {
        bundle.operators[2].tenants =
            TenantScope::Only(vec![TenantId::from_name("globex").unwrap()]);
    };
    let role =
        |bundle: &mut Bundle| bundle.operators[2].roles.retain(|r| *r != OperatorRole::Promote);
    for change in [&tenants as &dyn Fn(&mut Bundle), &role] {
        let mut world = World::with(|bundle| {
            change(bundle);
            Ok(())
        })
        .unwrap();
        promotion_refused_in(&mut world, |_| {}, &CAROL, Refusal::NotPromoted);
    }
}

#[test]
fn i2_a_promotion_made_without_the_touch_that_the_class_demands() {
    let hardware = Key::named("alice's key").unwrap();
    let mut world = World::with(|bundle| {
        bundle.classes[1].user_check = UserCheck::Verification;
        for operator in &mut bundle.operators[..2] {
            operator.keys.push(operator_key(&sk_ed25519_public(
                &Key::named(&format!("{}'s key", operator.name)).unwrap(),
            )?));
            operator.keys.sort_by(|a, b| a.ssh.cmp(&b.ssh));
        }
        Ok(())
    })
    .unwrap();
    let state = world.alone_in(1).unwrap();
    let mut job = Envelope::new(&world.staged_job(0).unwrap());
    for (name, role) in BOTH {
        let key = Key::named(&format!("{name}'s key")).unwrap();
        let signature = sk_ed25519_with(&key, role, &job.pae(), VERIFIED).unwrap();
        job.add_signature(&signature).unwrap();
    }
    let promotion = world.promotion(job.id(), 1, None);
    let made_with = |flags: Option<u8>| {
        let mut envelope = Envelope::new(&promotion);
        let Some(flags) = flags else { return by(&["alice"], &promotion) };
        let pae = envelope.pae();
        envelope.add_signature(&sk_ed25519_with(&hardware, Promote, &pae, flags).unwrap()).unwrap();
        envelope
    };
    let mut deliver_with = |flags| {
        let delivery = world.deliver_staged(&job, &[made_with(flags)], &state).unwrap();
        deliver(&world, &state, &delivery).verdict
    };
    for weak in [None, Some(TOUCHED)] {
        assert!(matches!(deliver_with(weak), Verdict::Refused(Refusal::NotPromoted)), "{weak:?}");
    }
    assert!(matches!(deliver_with(Some(VERIFIED)), Verdict::Run(_)));
}

#[test]
fn i2_one_person_twice_is_one_promoter() {
    let mut world = world();
    let state = world.alone_in(1).unwrap();
    let mut statement = world.staged_job(0).unwrap();
    statement.stages[1].promote_min = 2;
    let job = signed(&statement, &BOTH).unwrap();
    let promotion = world.promotion(job.id(), 1, None);
    for signers in [&["carol"][..], &["carol", "carol"], &["carol", "mallory"]] {
        let delivery = world.deliver_staged(&job, &[by(signers, &promotion)], &state).unwrap();
        refused(&mut world, &state, &delivery, Refusal::NotPromoted);
    }
    let two = by(&["carol", "alice"], &promotion);
    let delivery = world.deliver_staged(&job, &[two], &state).unwrap();
    runs(&world, &state, &delivery);
}

#[test]
fn i2_a_promotion_replayed_from_another_job() {
    let other = StatementId::new(Sha256::of(b"another job"));
    promotion_refused(move |promotion| promotion.job = other, &CAROL, Refusal::NotPromoted);
    let elsewhere = bartizan_trust::id::OrgId::new(Sha256::of(b"other"));
    promotion_refused(move |promotion| promotion.org = elsewhere, &CAROL, Refusal::NotPromoted);
    let tomorrow = |promotion: &mut Promotion| promotion.crit = vec!["tomorrow".to_owned()];
    promotion_refused(tomorrow, &CAROL, Refusal::NotPromoted);
}

#[test]
fn i2_promotions_reordered_repeated_or_from_another_chain() {
    let mut world = world();
    let state = world.alone_in(2).unwrap();
    let job = rollout(&mut world, 0);
    let [first, second] = promoted(&world, &job);
    // A second promotion that follows one that was never delivered.
    let stranger = StatementId::new(Sha256::of(b"another promotion"));
    let unchained = by(&["carol"], &world.promotion(job.id(), 2, Some(stranger)));
    let wrong = [
        vec![second.clone(), first.clone()],
        vec![first.clone(), first.clone()],
        vec![second.clone(), second.clone()],
        vec![first.clone(), unchained],
        vec![first.clone(), second.clone(), second.clone()],
    ];
    for promotions in wrong {
        let delivery = world.deliver_staged(&job, &promotions, &state).unwrap();
        refused(&mut world, &state, &delivery, Refusal::NotPromoted);
    }
    let delivery = world.deliver_staged(&job, &[first, second], &state).unwrap();
    runs(&world, &state, &delivery);
}

#[test]
fn i2_another_statement_in_the_place_of_a_promotion() {
    let mut world = world();
    let state = world.alone_in(1).unwrap();
    let job = rollout(&mut world, 0);
    let freeze = world.freeze(FreezeScope::Org, 60);
    for other in [job.clone(), signed(&freeze, &CAROL).unwrap()] {
        let delivery = world.deliver_staged(&job, &[other], &state).unwrap();
        refused(&mut world, &state, &delivery, Refusal::NotPromoted);
    }
}

#[test]
fn i5_a_promotion_that_is_not_logged_or_that_witnesses_have_not_seen() {
    let mut world = world();
    let state = world.alone_in(1).unwrap();
    let job = rollout(&mut world, 0);
    let promotion = by(&["carol"], &world.promotion(job.id(), 1, None));
    let good = world.deliver_staged(&job, &[promotion], &state).unwrap();
    let with = |change: &dyn Fn(&mut bartizan_trust::stages::LoggedStatement)| {
        let mut delivery = good.clone();
        change(&mut delivery.promotions[0]);
        delivery
    };
    // Signed again: the same statement, other bytes; they are in no log.
    let again = by(&["carol", "bob"], &world.promotion(job.id(), 1, None));
    let wrong = [
        with(&|logged| logged.envelope = again.encode()),
        with(&|logged| logged.index += 1),
        with(&|logged| logged.index = u64::MAX),
        with(&|logged| logged.path.clear()),
        with(&|logged| logged.path.push(Sha256::of(b"x"))),
    ];
    for delivery in wrong {
        refused(&mut world, &state, &delivery, Refusal::NotPromoted);
    }
    runs(&world, &state, &good);
}

#[test]
fn i2_more_failures_than_the_job_allows_halt_it() {
    let failed = Evidence { ok: 0, fail: 1, ..went_well() };
    promotion_refused(move |p| p.evidence = failed, &CAROL, Refusal::StageFailures);
    // Nothing failed, because nothing ended.
    let silent = Evidence { ok: 0, pending: 1, ..went_well() };
    promotion_refused(move |p| p.evidence = silent, &CAROL, Refusal::StageFailures);
}

#[test]
fn i2_evidence_of_more_or_fewer_endpoints_than_the_stage_has() {
    for (ok, pending) in [(2, 0), (1, 1), (0, 0)] {
        let evidence = Evidence { ok, pending, ..went_well() };
        promotion_refused(move |p| p.evidence = evidence, &CAROL, Refusal::NotPromoted);
    }
}

#[test]
fn i2_refusals_halt_a_roll_out_unless_somebody_says_why_not() {
    let mut world = world();
    let state = world.alone_in(1).unwrap();
    let mut statement = world.staged_job(0).unwrap();
    statement.stages[1].failures_percent_max = 100;
    let job = signed(&statement, &BOTH).unwrap();
    let mut promotion = world.promotion(job.id(), 1, None);
    promotion.evidence = Evidence { ok: 0, refused: 1, ..went_well() };
    let delivery = world.deliver_staged(&job, &[by(&["carol"], &promotion)], &state).unwrap();
    refused(&mut world, &state, &delivery, Refusal::NotPromoted);
    promotion.despite_refusals = Some("that endpoint is being replaced".to_owned());
    let delivery = world.deliver_staged(&job, &[by(&["carol"], &promotion)], &state).unwrap();
    runs(&world, &state, &delivery);
}

#[test]
fn i2_promoting_early_does_not_shorten_a_soak() {
    let mut world = world();
    let state = world.alone_in(2).unwrap();
    let job = rollout(&mut world, SOAK_S);
    let promotions = promoted(&world, &job);
    let delivery = world.deliver_staged(&job, &promotions, &state).unwrap();
    let soaks = |world: &World, state: &State| {
        let outcome = deliver(world, state, &delivery);
        assert!(
            matches!(outcome.verdict, Verdict::Refused(Refusal::StageSoaks)),
            "{:?}",
            outcome.verdict
        );
        outcome.state
    };
    let state = soaks(&world, &state);
    // A clock set forward is not time that passes.
    let mut ahead = world.facts();
    ahead.now = ahead.now.plus(3000);
    let outcome = authorize(&state, &ahead, &delivery.as_ref());
    assert!(matches!(outcome.verdict, Verdict::Refused(Refusal::StageSoaks)));
    // Two stages soak, one after the other.
    world.now = world.now.plus(2 * SOAK_S - 1);
    let state = soaks(&world, &world.caught_up(&state).unwrap());
    world.now = world.now.plus(1);
    let state = world.caught_up(&state).unwrap();
    let after = runs(&world, &state, &delivery);
    assert!(after.waiting.is_empty());
}

#[test]
fn i2_a_soak_begins_before_the_promotion_and_runs_while_it_is_missing() {
    let mut world = world();
    let state = world.alone_in(1).unwrap();
    let job = rollout(&mut world, SOAK_S);
    let early = world.deliver_staged(&job, &[], &state).unwrap();
    let outcome = deliver(&world, &state, &early);
    assert!(matches!(outcome.verdict, Verdict::Refused(Refusal::NotPromoted)));
    world.now = world.now.plus(SOAK_S);
    let state = world.caught_up(&outcome.state).unwrap();
    let [first, _] = promoted(&world, &job);
    let delivery = world.deliver_staged(&job, &[first], &state).unwrap();
    runs(&world, &state, &delivery);
}

#[test]
fn i4_one_witness_cannot_make_up_the_time_of_a_soak() {
    let mut world = World::with(|bundle| {
        bundle.classes[1].witnesses = "any-one".to_owned();
        Ok(())
    })
    .unwrap();
    let state = world.alone_in(1).unwrap();
    let job = rollout(&mut world, SOAK_S);
    let [first, _] = promoted(&world, &job);
    let good = world.deliver_staged(&job, &[first], &state).unwrap();
    let size = world.jobs.size();
    let note = world.jobs.note(size, &[&world.witnesses[0]], world.now).unwrap();
    let alone = Delivery { proof: world.jobs.proof(size - 1, size, note).unwrap(), ..good };
    refused(&mut world, &state, &alone, Refusal::NotWitnessed);
}

#[test]
fn i6_a_freeze_of_whoever_promoted_covers_the_job() {
    let mut world = world();
    let state = world.alone_in(1).unwrap();
    let job = rollout(&mut world, 0);
    let [first, _] = promoted(&world, &job);
    let delivery = world.deliver_staged(&job, &[first], &state).unwrap();
    let scope = FreezeScope::Operator(OperatorId::from_name("carol").unwrap());
    let freeze = signed(&world.freeze(scope, 60), &[("bob", SignatureRole::Freeze)]).unwrap();
    let frozen = control::freeze(&state, &world.facts(), &freeze.encode()).unwrap();
    let outcome = deliver(&world, &frozen, &delivery);
    assert!(matches!(outcome.verdict, Verdict::Refused(Refusal::Frozen)), "{:?}", outcome.verdict);
    // The same job, promoted by somebody else, is not Carol's work.
    let other = by(&["bob"], &world.promotion(job.id(), 1, None));
    let delivery = world.deliver_staged(&job, &[other], &outcome.state).unwrap();
    runs(&world, &outcome.state, &delivery);
}

#[test]
fn i7_a_promotion_by_somebody_removed_since_counts_no_longer() {
    let mut world = world();
    let state = world.alone_in(1).unwrap();
    let job = rollout(&mut world, 0);
    let [first, _] = promoted(&world, &job);
    let carol = |operator: &Operator| operator.id.name() == "carol";
    world.publish(|bundle| bundle.operators.retain(|o| !carol(o)), &["alice", "bob"]).unwrap();
    let state = world.caught_up(&state).unwrap();
    let delivery = world.deliver_staged(&job, &[first], &state).unwrap();
    refused(&mut world, &state, &delivery, Refusal::NotPromoted);
    let again = by(&["bob"], &world.promotion(job.id(), 1, None));
    let delivery = world.deliver_staged(&job, &[again], &state).unwrap();
    runs(&world, &state, &delivery);
}

#[test]
fn i8_a_promotion_larger_than_the_limit() {
    let mut world = world();
    let state = world.alone_in(1).unwrap();
    let job = rollout(&mut world, 0);
    let [first, _] = promoted(&world, &job);
    let mut delivery = world.deliver_staged(&job, &[first], &state).unwrap();
    let index = world.jobs.append(vec![b' '; limits::PROMOTION_BYTES_MAX + 1]);
    delivery.promotions[0].envelope = vec![b' '; limits::PROMOTION_BYTES_MAX + 1];
    delivery.promotions[0].index = index;
    refused(&mut world, &state, &delivery, Refusal::NotPromoted);
}

/// A class that demands three stages, of which the first has at most one endpoint, and half an hour between them.
fn demanding() -> World {
    World::with(|bundle| {
        let rule = &mut bundle.classes[1];
        (rule.stages_min, rule.first_stage_max, rule.soak_s_min) = (3, 1, SOAK_S);
        Ok(())
    })
    .unwrap()
}

#[test]
fn fewer_stages_a_larger_first_one_or_a_shorter_soak_than_the_class_demands() {
    let stages = |counts: &[u32], soak_s: u64| -> Vec<Stage> {
        let mut stages: Vec<_> =
            counts.iter().map(|count| Stage { count: *count, ..stage("later", soak_s) }).collect();
        stages[0] = Stage::only(counts[0]);
        stages
    };
    for (counts, soak_s) in [(&[3][..], 0), (&[1, 2], SOAK_S), (&[1, 1, 1], SOAK_S - 1)] {
        let mut world = demanding();
        let state = world.alone_in(0).unwrap();
        let job = Job { stages: stages(counts, soak_s), ..world.staged_job(SOAK_S).unwrap() };
        let delivery = world.deliver(&signed(&job, &BOTH).unwrap(), &state).unwrap();
        let outcome = deliver(&world, &state, &delivery);
        assert!(matches!(outcome.verdict, Verdict::Refused(Refusal::ClassStages)), "{counts:?}");
        let honest = rollout(&mut world, SOAK_S);
        let delivery = world.deliver_staged(&honest, &[], &outcome.state).unwrap();
        runs(&world, &outcome.state, &delivery);
    }
}

#[test]
fn a_first_stage_larger_than_the_class_allows() {
    let mut world = demanding();
    let state = world.endpoint(0).unwrap();
    let mut job = world.job().unwrap();
    job.targets = targets_of(4);
    job.stages = vec![Stage::only(2), stage("next", SOAK_S), stage("rest", SOAK_S)];
    let delivery = world.deliver(&signed(&job, &BOTH).unwrap(), &state).unwrap();
    let outcome = deliver(&world, &state, &delivery);
    assert!(matches!(outcome.verdict, Verdict::Refused(Refusal::ClassStages)));
}

#[test]
fn a_job_for_fewer_endpoints_than_stages_has_one_for_each() {
    let mut world = demanding();
    let state = world.endpoint(0).unwrap();
    let mut job = world.job().unwrap();
    job.targets = World::tree(&[0]).unwrap().targets();
    job.stages = vec![Stage::only(1)];
    let place = World::tree(&[0]).unwrap().place(&state.endpoint).unwrap();
    let delivered = world.deliver(&signed(&job, &BOTH).unwrap(), &state).unwrap();
    let delivery = Delivery { index: place.index, path: place.path, ..delivered };
    runs(&world, &state, &delivery);
}
