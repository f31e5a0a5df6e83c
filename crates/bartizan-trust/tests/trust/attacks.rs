//! Attacks by name. Each ends with a refusal code, and leaves an endpoint that still accepts an honest job (I9).

use bartizan_testkit::load::hardware::{ORIGIN, P256, sk_ed25519_public, sk_ed25519_with};
use bartizan_testkit::load::organisation::Key;
use bartizan_testkit::world::{
    Delivery, Witness, World, operator, operator_key, script, signed, stage, targets_of,
};
use bartizan_trust::authorize::{Outcome, Verdict, authorize};
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::{OperatorId, Sha256, StatementId, TenantId};
use bartizan_trust::limits;
use bartizan_trust::refusal::Refusal;
use bartizan_trust::state::State;
use bartizan_trust::statement::*;
use bartizan_trust::time::UnixSeconds;

use SignatureRole::{Approve, Author};

/// Authenticator flags.
const TOUCHED: u8 = 0x01;
const VERIFIED: u8 = 0x05;
const BOTH: [(&str, SignatureRole); 2] = [("alice", Author), ("bob", Approve)];

fn world() -> World {
    World::new().unwrap()
}

fn deliver(world: &World, state: &State, delivery: &Delivery) -> Outcome {
    authorize(state, &world.facts(), &delivery.as_ref())
}

/// The delivery is refused with this code, and an honest job afterwards is not.
#[track_caller]
fn refused(world: &mut World, state: &State, delivery: &Delivery, expected: Refusal) {
    let outcome = deliver(world, state, delivery);
    let Verdict::Refused(found) = outcome.verdict else {
        panic!("it should be refused: {expected}")
    };
    assert_eq!(found, expected);
    let honest = world.good_delivery(&outcome.state).unwrap();
    runs(world, &outcome.state, &honest);
}

#[track_caller]
fn runs(world: &World, state: &State, delivery: &Delivery) -> State {
    let outcome = deliver(world, state, delivery);
    assert!(
        matches!(outcome.verdict, Verdict::Run(_)),
        "{:?}; ignored {:?}",
        outcome.verdict,
        outcome.ignored
    );
    outcome.state
}

/// A job changed by the attack, signed by these people, otherwise delivered as it should be.
#[track_caller]
fn job_refused(
    change: impl FnOnce(&mut Job),
    signers: &[(&str, SignatureRole)],
    expected: Refusal,
) {
    let mut world = world();
    job_refused_in(&mut world, change, signers, expected);
}

#[track_caller]
fn job_refused_in(
    world: &mut World,
    change: impl FnOnce(&mut Job),
    signers: &[(&str, SignatureRole)],
    expected: Refusal,
) {
    let state = world.endpoint(0).unwrap();
    let mut job = world.job().unwrap();
    change(&mut job);
    let delivery = world.deliver(&signed(&job, signers).unwrap(), &state).unwrap();
    refused(world, &state, &delivery, expected);
}

fn on_script(change: impl FnOnce(&mut Script)) -> impl FnOnce(&mut Job) {
    |job| {
        let Action::Script(script) = &mut job.action;
        change(script);
    }
}

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

// I1: thresholds of distinct, authorised people.

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

// I2: only on listed endpoints.

#[test]
fn i2_a_job_for_endpoint_a_delivered_to_b() {
    let mut world = world();
    let state = world.endpoint(0).unwrap();
    let mut job = world.job().unwrap();
    job.targets = World::tree(&[1, 2]).unwrap().targets();
    let mut delivery = world.deliver(&signed(&job, &BOTH).unwrap(), &state).unwrap();
    // With the place and path of an endpoint that is listed.
    let (index, path) =
        World::tree(&[1, 2]).unwrap().proof(&World::endpoint_id(1).unwrap()).unwrap();
    (delivery.index, delivery.path) = (index, path);
    refused(&mut world, &state, &delivery, Refusal::NotTargeted);
}

#[test]
fn i2_another_place_stage_or_path_in_the_tree() {
    let mut world = world();
    let state = world.endpoint(0).unwrap();
    let good = world.good_delivery(&state).unwrap();
    let changed = [
        Delivery { index: (good.index + 1) % 3, ..good.clone() },
        Delivery { stage: 1, ..good.clone() },
        Delivery { path: Vec::new(), ..good.clone() },
        Delivery { path: vec![Sha256::of(b"x"); limits::TARGET_PATH_MAX + 1], ..good.clone() },
    ];
    for delivery in changed {
        refused(&mut world, &state, &delivery, Refusal::NotTargeted);
    }
    runs(&world, &state, &good);
}

#[test]
fn i2_a_tenant_label_changed_by_the_server() {
    let mut world = world();
    // The server says that this endpoint belongs to globex and delivers a job of globex to it.
    let state = world.endpoint_of(0, "acme").unwrap();
    let mut job = world.job().unwrap();
    job.tenant = TenantId::from_name("globex").unwrap();
    let delivery = world.deliver(&signed(&job, &BOTH).unwrap(), &state).unwrap();
    refused(&mut world, &state, &delivery, Refusal::WrongTenant);
}

#[test]
fn i2_a_count_that_is_smaller_than_the_tree() {
    job_refused(|job| job.targets.count = 1, &BOTH, Refusal::NotTargeted);
}

// I3: at most once.

#[test]
fn i3_a_replayed_job_is_refused() {
    let mut world = world();
    let state = world.endpoint(0).unwrap();
    let delivery = world.good_delivery(&state).unwrap();
    let state = runs(&world, &state, &delivery);
    refused(&mut world, &state, &delivery, Refusal::Replayed);
}

#[test]
fn i3_a_replay_after_a_restart_is_refused() {
    let mut world = world();
    let state = world.endpoint(0).unwrap();
    let delivery = world.good_delivery(&state).unwrap();
    let state = runs(&world, &state, &delivery);
    let restarted: State = serde_json::from_slice(&serde_json::to_vec(&state).unwrap()).unwrap();
    assert_eq!(restarted, state);
    refused(&mut world, &restarted, &delivery, Refusal::Replayed);
}

#[test]
fn i3_a_replay_with_one_more_signature_is_refused() {
    let mut world = world();
    let state = world.endpoint(0).unwrap();
    let job = world.job().unwrap();
    let first = world.deliver(&signed(&job, &BOTH).unwrap(), &state).unwrap();
    let state = runs(&world, &state, &first);
    let more = signed(&job, &[BOTH[0], BOTH[1], ("carol", Approve)]).unwrap();
    let second = world.deliver(&more, &state).unwrap();
    refused(&mut world, &state, &second, Refusal::Replayed);
}

#[test]
fn i3_a_clock_set_forward_and_back_does_not_make_it_forget() {
    let mut world = world();
    let state = world.endpoint(0).unwrap();
    let first = world.good_delivery(&state).unwrap();
    let state = runs(&world, &state, &first);
    // Another job starts while the clock is far ahead; control views of that time are needed for it.
    let (real, witnesses) = (world.now, world.all_witnesses().len());
    assert_eq!(witnesses, 2);
    let mut ahead = world.job().unwrap();
    ahead.window = Window { nbf: real.plus(7000), exp: real.plus(9000) };
    let envelope = signed(&ahead, &BOTH).unwrap();
    let delivery = world.deliver(&envelope, &state).unwrap();
    world.now = real.plus(3601);
    let outcome = deliver(&world, &state, &delivery);
    world.now = real;
    let again = deliver(&world, &outcome.state, &first);
    assert!(matches!(again.verdict, Verdict::Refused(Refusal::Replayed)), "{:?}", again.verdict);
}

#[test]
fn i3_after_lost_memory_nothing_signed_before_runs() {
    let mut world = world();
    let mut state = world.endpoint(0).unwrap();
    let before = world.good_delivery(&state).unwrap();
    state.replay_floor = world.now.plus(1);
    let outcome = deliver(&world, &state, &before);
    assert!(matches!(outcome.verdict, Verdict::Refused(Refusal::Replayed)));
    world.now = world.now.plus(1);
    let after = world.good_delivery(&outcome.state).unwrap();
    runs(&world, &outcome.state, &after);
}

#[test]
fn i3_a_full_memory_refuses_instead_of_forgetting() {
    let mut world = world();
    let mut state = world.endpoint(0).unwrap();
    let id = |n: u32| StatementId::new(Sha256::of(&n.to_be_bytes()));
    state.seen = (1..limits::SEEN_MAX as u32).map(|n| (id(n), world.now.plus(60))).collect();
    let last = world.good_delivery(&state).unwrap();
    let full = runs(&world, &state, &last);
    let more = world.good_delivery(&full).unwrap();
    let outcome = deliver(&world, &full, &more);
    assert!(matches!(outcome.verdict, Verdict::Refused(Refusal::SeenFull)));
}

// I4: only inside the window.

#[test]
fn i4_an_expired_job_is_refused() {
    job_refused(
        |job| job.window = Window { nbf: UnixSeconds::new(1), exp: job.iat },
        &BOTH,
        Refusal::WindowInvalid,
    );
    job_refused(
        |job| job.window = Window { nbf: UnixSeconds::new(job.iat.get() - 10), exp: job.iat },
        &BOTH,
        Refusal::Expired,
    );
}

#[test]
fn i4_a_job_before_its_window_waits() {
    let mut world = world();
    let state = world.endpoint(0).unwrap();
    let mut job = world.job().unwrap();
    let nbf = world.now.plus(limits::CLOCK_SKEW_S + 1);
    job.window = Window { nbf, exp: nbf.plus(60) };
    let delivery = world.deliver(&signed(&job, &BOTH).unwrap(), &state).unwrap();
    let outcome = deliver(&world, &state, &delivery);
    assert!(matches!(outcome.verdict, Verdict::Refused(Refusal::TooEarly)));
    world.now = world.now.plus(1);
    runs(&world, &outcome.state, &delivery);
}

#[test]
fn i4_a_clock_set_back_revives_nothing() {
    let mut world = world();
    let state = world.endpoint(0).unwrap();
    let delivery = world.good_delivery(&state).unwrap();
    world.now = world.now.plus(3601);
    let state = world.caught_up(&state).unwrap();
    world.now = UnixSeconds::new(world.now.get() - 3000);
    refused(&mut world, &state, &delivery, Refusal::Expired);
}

#[test]
fn i4_a_window_that_is_empty_or_longer_than_the_class_allows() {
    job_refused(|job| job.window.exp = job.window.nbf, &BOTH, Refusal::WindowInvalid);
    job_refused(
        |job| job.window.exp = job.window.nbf.plus(7 * 24 * 3600 + 1),
        &BOTH,
        Refusal::WindowInvalid,
    );
}

// I5: only if logged and witnessed.

#[test]
fn i5_a_job_that_is_not_logged() {
    let mut world = world();
    let state = world.endpoint(0).unwrap();
    let good = world.good_delivery(&state).unwrap();
    let other = signed(&world.job().unwrap(), &BOTH).unwrap();
    for delivery in [
        Delivery { envelope: other.encode(), ..good.clone() },
        Delivery { proof: Vec::new(), ..good.clone() },
        Delivery { proof: vec![b'x'; limits::LOG_PROOF_BYTES_MAX + 1], ..good.clone() },
    ] {
        refused(&mut world, &state, &delivery, Refusal::NotLogged);
    }
}

#[test]
fn i5_a_signature_added_after_logging() {
    let mut world = world();
    let state = world.endpoint(0).unwrap();
    let job = world.job().unwrap();
    let mut delivery = world.deliver(&signed(&job, &[("alice", Author)]).unwrap(), &state).unwrap();
    delivery.envelope = signed(&job, &BOTH).unwrap().encode();
    refused(&mut world, &state, &delivery, Refusal::NotLogged);
}

#[test]
fn i5_a_job_nobody_or_one_person_witnessed() {
    let mut world = world();
    let state = world.endpoint(0).unwrap();
    let good = world.good_delivery(&state).unwrap();
    let stranger = Witness::named("stranger").unwrap();
    let size = world.jobs.size();
    let with = |witnesses: &[&Witness]| Delivery {
        proof: world
            .jobs
            .proof(size - 1, size, world.jobs.note(size, witnesses, world.now).unwrap())
            .unwrap(),
        ..good.clone()
    };
    let one = &world.witnesses[0];
    let deliveries = [with(&[]), with(&[one]), with(&[one, one]), with(&[one, &stranger])];
    for delivery in deliveries {
        refused(&mut world, &state, &delivery, Refusal::NotWitnessed);
    }
}

#[test]
fn i5_a_checkpoint_of_another_log() {
    let mut world = world();
    let state = world.endpoint(0).unwrap();
    let good = world.good_delivery(&state).unwrap();
    let note = world.control.note(1, &world.all_witnesses(), world.now).unwrap();
    let size = world.jobs.size();
    let delivery = Delivery { proof: world.jobs.proof(size - 1, size, note).unwrap(), ..good };
    refused(&mut world, &state, &delivery, Refusal::LogSignature);
}

#[test]
fn i5_a_fork_of_the_jobs_log() {
    let mut world = world();
    let state = world.endpoint(0).unwrap();
    for _ in 0..3 {
        world.good_delivery(&state).unwrap();
    }
    let first = world.good_delivery(&state).unwrap();
    let state = runs(&world, &state, &first);
    // Whoever holds the log key shows this endpoint another history of the same and of a larger size.
    for extra in [0, 1] {
        let mut fork = world.jobs.fork(2).unwrap();
        let envelope = signed(&world.job().unwrap(), &BOTH).unwrap().encode();
        for _ in 0..extra {
            fork.append(b"more".to_vec());
        }
        let index = fork.append(envelope.clone());
        let size = fork.size();
        let note = fork.note(size, &world.all_witnesses(), world.now).unwrap();
        let delivery = Delivery {
            envelope,
            proof: fork.proof(index, size, note).unwrap(),
            consistency: fork.consistency(state.jobs.size, size).unwrap(),
            ..first.clone()
        };
        refused(&mut world, &state, &delivery, Refusal::LogFork);
    }
}

#[test]
fn i5_a_jobs_checkpoint_that_shrinks() {
    let mut world = world();
    let state = world.endpoint(0).unwrap();
    for _ in 0..4 {
        world.good_delivery(&state).unwrap();
    }
    let last = world.good_delivery(&state).unwrap();
    let state = runs(&world, &state, &last);
    let mut fork = world.jobs.fork(4).unwrap().fork(4).unwrap();
    let envelope = signed(&world.job().unwrap(), &BOTH).unwrap().encode();
    let short = fork.size();
    assert!(short <= state.jobs.size);
    fork = Fork::shorter(&fork, 2);
    let index = fork.append(envelope.clone());
    let size = fork.size();
    assert!(size < state.jobs.size);
    let note = fork.note(size, &world.all_witnesses(), world.now).unwrap();
    let delivery = Delivery {
        envelope,
        proof: fork.proof(index, size, note).unwrap(),
        consistency: Vec::new(),
        ..last
    };
    refused(&mut world, &state, &delivery, Refusal::LogShrunk);
}

struct Fork;

impl Fork {
    /// The same log, cut.
    fn shorter(log: &bartizan_testkit::world::Log, size: usize) -> bartizan_testkit::world::Log {
        let mut cut = bartizan_testkit::world::Log::named("jobs").unwrap();
        for entry in log.entries_from(0).into_iter().take(size) {
            cut.append(entry);
        }
        cut
    }
}

#[test]
fn i5_an_older_consistent_checkpoint_is_no_attack() {
    let mut world = world();
    let state = world.endpoint(0).unwrap();
    let first = world.good_delivery(&state).unwrap();
    let second = world.good_delivery(&state).unwrap();
    let state = runs(&world, &state, &second);
    let older = Delivery { consistency: world.jobs.consistency(1, 2).unwrap(), ..first };
    let after = runs(&world, &state, &older);
    assert_eq!(after.jobs, state.jobs, "the larger view stays");
}

// I6, as far as this release goes: a stale control view starts nothing.

#[test]
fn i6_a_stale_control_view_starts_nothing() {
    let mut world = world();
    let state = world.endpoint(0).unwrap();
    world.now = world.now.plus(3601);
    let delivery = world.good_delivery(&state).unwrap();
    let outcome = deliver(&world, &state, &delivery);
    assert!(
        matches!(outcome.verdict, Verdict::Refused(Refusal::ControlStale)),
        "{:?}",
        outcome.verdict
    );
    let fresh = world.caught_up(&outcome.state).unwrap();
    runs(&world, &fresh, &delivery);
}

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
        ("freeze.v1", Refusal::UnsupportedStatement),
        ("promotion.v1", Refusal::UnsupportedStatement),
        ("grant.v1", Refusal::UnsupportedStatement),
        ("thaw.v1", Refusal::UnsupportedStatement),
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
    job_refused(|job| job.stages.push(stage("rest")), &BOTH, Refusal::UnsupportedStages);
    job_refused(
        |job| job.trigger = Some(Trigger { schedule: "daily".to_owned(), rate_per_hour_max: 1 }),
        &BOTH,
        Refusal::UnsupportedTrigger,
    );
}

#[test]
fn i8_a_class_with_a_delay_or_stages_is_refused_not_hurried() {
    for (change, expected) in [
        (ClassRule::delay as fn(&mut ClassRule), Refusal::UnsupportedDelay),
        (ClassRule::two_stages, Refusal::UnsupportedStages),
    ] {
        let mut world = World::with(|bundle| {
            change(&mut bundle.classes[2]);
            Ok(())
        })
        .unwrap();
        job_refused_in(&mut world, |job| job.class = Class::Fleet, &BOTH, expected);
    }
}

trait Demanding {
    fn delay(&mut self);
    fn two_stages(&mut self);
}

impl Demanding for ClassRule {
    fn delay(&mut self) {
        self.delay_s = 1;
    }

    fn two_stages(&mut self) {
        self.stages_min = 2;
    }
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

// Classes, caps, rates, order and content.

#[test]
fn a_class_milder_than_the_derived_one_is_refused() {
    job_refused(
        |job| {
            job.class = Class::Routine;
            job.targets = targets_of(11);
        },
        &BOTH,
        Refusal::ClassTooWeak,
    );
    job_refused(|job| job.class = Class::Observe, &BOTH, Refusal::ClassTooWeak);
    job_refused(on_script(|script| script.destructive = true), &BOTH, Refusal::ClassTooWeak);
    job_refused(|job| job.targets = targets_of(251), &BOTH, Refusal::ClassTooWeak);
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
    assert!(state.reviewed.contains(&Sha256::of(bartizan_testkit::world::CONTENT)));
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
