//! `authorize` against a naive reading of the specification, on generated organisations and histories.
//!
//! Each case is an organisation and up to six deliveries to one endpoint: mostly right, each with up to three things
//! odd about it. After every delivery the crate, given bytes, and the model, given the truth, must say the same.

mod build;
mod generate;
mod model;
mod promote;
mod scan_vectors;
mod update_vectors;
mod vectors;

use std::collections::BTreeMap;

use bartizan_testkit::load::hardware::{sk_ed25519_public, sk_ed25519_with};
use bartizan_testkit::load::organisation::Key;
use bartizan_testkit::world::{self, BEGINNING, Log, Witness, World, operator_key};
use bartizan_trust::authorize::{Verdict, authorize};
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::{OperatorId, OrgId, Sha256, StatementId, TenantId};
use bartizan_trust::limits;
use bartizan_trust::proof::LogProof;
use bartizan_trust::refusal::Refusal;
use bartizan_trust::sshsig::SshSig;
use bartizan_trust::stages::LoggedStatement;
use bartizan_trust::state::{LocalFacts, State};
use bartizan_trust::statement::*;
use bartizan_trust::targets::TargetPlace;
use bartizan_trust::time::UnixSeconds;
use bartizan_trust::update::{Package, VendorTarget};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;

use build::Stage;
use model::{Answer, Memory, judge};

fn answer(verdict: &Verdict) -> Answer {
    match verdict {
        Verdict::Run(_) | Verdict::Update(_) | Verdict::Scan(_) => Answer::Run,
        Verdict::Stand(_) => Answer::Stand,
        Verdict::NeedContent(_) => Answer::NeedContent,
        Verdict::Refused(refusal) => Answer::No(*refusal),
    }
}

/// A delivery on which both sides agreed.
struct Played {
    before: State,
    clock: UnixSeconds,
    delivery: build::Delivery,
    answer: Answer,
}

/// Plays a case on both sides.
fn play(case: &generate::Case) -> Vec<Played> {
    let mut stage = Stage::new(case.rules.clone());
    let mut memory = Memory {
        witness_time: BEGINNING.get(),
        control_seen_at: BEGINNING.get(),
        ..Memory::default()
    };
    let mut all = Vec::new();
    let mut bobs_freezes = 0;
    for (number, step) in case.steps.iter().enumerate() {
        stage.world.now = stage.world.now.plus(step.wait);
        if step.catch_up {
            stage.state = stage.world.caught_up(&stage.state).unwrap();
            let now = stage.world.now.get();
            memory.witness_time = memory.witness_time.max(now);
            memory.control_seen_at = memory.control_seen_at.max(now);
        }
        if let Some((scope, seconds, thawed)) = &step.freeze {
            let now = stage.world.now.get();
            // One person may freeze three times a day; a fourth has no effect, thaw or no thaw.
            if bobs_freezes < limits::FREEZES_PER_DAY {
                stage.freeze(scope, *seconds, *thawed);
                memory.witness_time = memory.witness_time.max(now);
                memory.control_seen_at = memory.control_seen_at.max(now);
                if !thawed {
                    memory.frozen.push((scope.clone(), now + seconds));
                }
            }
            bobs_freezes += 1;
        }
        if let Some(id) = step.withdraw.and_then(|at| stage.withdraw(at)) {
            let now = stage.world.now.get();
            memory.witness_time = memory.witness_time.max(now);
            memory.control_seen_at = memory.control_seen_at.max(now);
            memory.withdrawn.insert(id);
        }
        let clock = stage.world.now.get().saturating_add_signed(step.clock_off);
        let (wish, evidence, delivery) = stage.delivery(step, &memory);
        let facts = LocalFacts { now: UnixSeconds::new(clock), agent_version: "0.1.0" };
        let outcome = authorize(&stage.state, &facts, &delivery.as_ref());
        let found = answer(&outcome.verdict);
        let expected = judge(&case.rules, &mut memory, clock, &wish, &evidence);
        assert_eq!(
            found, expected,
            "delivery {number}\n{step:#?}\n{wish:#?}\n{evidence:#?}\nignored: {:?}",
            outcome.ignored
        );
        assert_eq!(outcome.state.floor.get(), memory.witness_time, "witness time, {number}");
        assert_eq!(outcome.state.jobs.size, memory.log.len() as u64, "log, {number}");
        let before = core::mem::replace(&mut stage.state, outcome.state);
        if found == Answer::Run && step.ends_well {
            stage.ended_well(&wish);
            memory.succeeded.push((wish.id, wish.ends));
        }
        all.push(Played { before, clock: facts.now, delivery, answer: found });
    }
    all
}

proptest! {
    #![proptest_config(crate::cases(160))]

    #[test]
    fn the_decision_agrees_with_a_naive_reading_of_the_specification(case in generate::case()) {
        play(&case);
    }
}

const fn name(answer: Answer) -> &'static str {
    match answer {
        Answer::Run => "run",
        Answer::Stand => "stand",
        Answer::NeedContent => "need_content",
        Answer::No(refusal) => refusal.code(),
    }
}

/// Agreement is worth what the cases reach: every code a job can get must come up, and jobs must run.
#[test]
fn generated_histories_reach_every_refusal_of_a_job() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut reached: BTreeMap<&str, u32> = BTreeMap::new();
    for _ in 0..400 {
        let case = generate::case().new_tree(&mut runner).unwrap().current();
        for played in play(&case) {
            *reached.entry(name(played.answer)).or_default() += 1;
        }
    }
    let total: u32 = reached.values().sum();
    for refusal in JOB_REFUSALS {
        assert!(reached.contains_key(refusal.code()), "{refusal} never came up: {reached:?}");
    }
    assert!(reached.contains_key("need_content"), "{reached:?}");
    assert!(reached.contains_key("stand"), "{reached:?}");
    assert!(reached.get("run").is_some_and(|runs| runs * 10 > total), "{reached:?}");
}

/// What a job can be refused for in this release; `replay.full` needs thousands of jobs and has its own test, and
/// so have the rare `order.not_allowed` and `freeze.withdrawn`.
const JOB_REFUSALS: &[Refusal] = &[
    Refusal::TooLarge,
    Refusal::Malformed,
    Refusal::UnknownKind,
    Refusal::UnsupportedVersion,
    Refusal::UnsupportedStatement,
    Refusal::AgentTooOld,
    Refusal::CriticalUnknown,
    Refusal::WrongOrg,
    Refusal::WrongTenant,
    Refusal::BundleTooOld,
    Refusal::BundleExpired,
    Refusal::ClassTooWeak,
    Refusal::ClassUnknown,
    Refusal::ClassCap,
    Refusal::ClassStages,
    Refusal::DelayRuns,
    Refusal::NotPromoted,
    Refusal::StageFailures,
    Refusal::StageSoaks,
    Refusal::WindowInvalid,
    Refusal::Expired,
    Refusal::TooEarly,
    Refusal::AuthorMissing,
    Refusal::ApprovalsMissing,
    Refusal::UserCheckMissing,
    Refusal::RootMissing,
    Refusal::CustomerMissing,
    Refusal::NotTargeted,
    Refusal::NotLogged,
    Refusal::LogSignature,
    Refusal::NotWitnessed,
    Refusal::LogShrunk,
    Refusal::LogFork,
    Refusal::Replayed,
    Refusal::Frozen,
    Refusal::ControlStale,
    Refusal::AfterMissing,
    Refusal::RateLimited,
    Refusal::OperatorRateLimited,
    Refusal::ContentMismatch,
    Refusal::UpdateNotNewer,
    Refusal::VendorRefused,
];

/// One bit of a delivery that would run.
#[derive(Debug, Clone, Copy)]
enum Flipped {
    Envelope,
    Path,
    Content,
    Consistency,
    Proof,
}

proptest! {
    #![proptest_config(crate::cases(300))]

    /// I1 to I5 at the level of bits.
    #[test]
    fn one_flipped_bit_anywhere_never_runs_what_was_not_signed(
        part in prop::sample::select(&[
            Flipped::Envelope, Flipped::Path, Flipped::Content, Flipped::Consistency, Flipped::Proof,
        ][..]),
        at in any::<prop::sample::Index>(),
        bit in 0..8u8,
    ) {
        let mut world = World::new().unwrap();
        let state = world.endpoint(0).unwrap();
        let first = world.good_delivery(&state).unwrap();
        let state = authorize(&state, &world.facts(), &first.as_ref()).state;
        let good = world.good_delivery(&state).unwrap();
        prop_assert!(matches!(authorize(&state, &world.facts(), &good.as_ref()).verdict, Verdict::Run(_)));
        let flip = |bytes: &mut [u8]| bytes[at.index(bytes.len())] ^= 1 << bit;
        let flip_hash = |hashes: &mut [Sha256]| {
            let chosen = at.index(hashes.len());
            let mut bytes = *hashes[chosen].as_bytes();
            flip(&mut bytes);
            hashes[chosen] = Sha256::from_bytes(bytes);
        };
        let mut delivery = good.clone();
        match part {
            Flipped::Envelope => flip(&mut delivery.envelope),
            Flipped::Path => flip_hash(&mut delivery.path),
            Flipped::Content => flip(delivery.content.as_mut().unwrap()),
            Flipped::Consistency => flip_hash(&mut delivery.consistency),
            Flipped::Proof => flip(&mut delivery.proof),
        }
        let verdict = authorize(&state, &world.facts(), &delivery.as_ref()).verdict;
        prop_assert!(matches!(verdict, Verdict::Refused(_)), "{part:?}: {verdict:?}");
    }
}
