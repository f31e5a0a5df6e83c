//! Standing orders: taking one in, and judging each run of it anew. Specification: `docs/spec/verification.md`, "Standing orders".

use std::collections::BTreeSet;

use super::{
    Authorized, Judged, check_agent, check_customer, check_kind, check_scope,
    check_statement_version, class, count_operators, decode_envelope, decode_job, judge_class,
    judge_signers,
};
use crate::chain;
use crate::id::{Sha256, StatementId};
use crate::limits;
use crate::people;
use crate::refusal::{Refusal, Retry};
use crate::standing::{Occurrence, Surroundings, due};
use crate::state::{LocalFacts, State, TrustState};
use crate::statement::{Action, ClassRule, Job, Script};
use crate::time::UnixSeconds;

/// A standing order that was taken in. The caller keeps envelope and content, makes the new state durable, and asks [`judge_run`]
/// before every run.
#[derive(Debug)]
pub struct StandingOrder {
    /// Its id.
    pub id: StatementId,
    /// The statement.
    pub job: Job,
}

/// What the caller has kept of a standing order, as it finds it now.
#[derive(Debug, Clone, Copy)]
pub struct Kept<'a> {
    /// The exact envelope.
    pub envelope: &'a [u8],
    /// The content.
    pub content: &'a [u8],
}

/// A run that may start.
#[derive(Debug)]
pub struct Run {
    /// The proof.
    pub proof: Box<Authorized<Script>>,
    /// Which occurrence.
    pub occurrence: Occurrence,
    /// The state afterwards, to be made durable before the proof is used.
    pub state: State,
}

/// What a class asks of a standing order; nothing of other jobs. Also used by servers, as advice.
// SPEC: verification.md step 7
pub fn check_trigger(rule: &ClassRule, job: &Job) -> Result<(), Refusal> {
    let Some(trigger) = &job.trigger else { return Ok(()) };
    let allowed = trigger.until.since(job.window.nbf) <= rule.orders.life_s_max
        && trigger.freshness_s <= rule.orders.freshness_s_max
        && rule.orders.runs_per_hour_max > 0;
    if allowed { Ok(()) } else { Err(Refusal::OrderNotAllowed) }
}

/// The last step for a standing order: it is taken in. Nothing runs yet.
// SPEC: verification.md S1
pub(super) fn accept(
    judged: &Judged<'_>,
    id: StatementId,
    job: Job,
    now: UnixSeconds,
    state: &mut State,
) -> Result<Box<StandingOrder>, Refusal> {
    if job.trigger.as_ref().is_none_or(|trigger| trigger.until <= now) {
        return Err(Refusal::Expired);
    }
    if state.orders.len() >= limits::ORDERS_MAX {
        return Err(Refusal::OrdersFull);
    }
    let Action::Script(script) = &job.action else { return Err(Refusal::OrderNotAllowed) };
    let known = state.reviewed.contains(&script.reviewed_as());
    let reviewed = people::reviewed(&judged.signers, script);
    state.record_start(id, &job, &judged.signers, reviewed, now);
    state.begin_order(id, known, judged.promoters.clone(), now);
    Ok(Box::new(StandingOrder { id, job }))
}

/// Whether a run is due and may start. Everything that was judged when the order was taken in is judged again, by what is believed now:
/// signatures by the bundle in force, freezes, the age of the control view, the content as it lies on the disk.
// SPEC: verification.md S2 to S7
pub fn judge_run(
    state: &State,
    facts: &LocalFacts<'_>,
    kept: &Kept<'_>,
    around: &Surroundings<'_>,
) -> Result<Run, Refusal> {
    let now = state.now(facts);
    let trust = believed(state)?;
    let (id, job, judged) = stands(state, facts, kept.envelope, &trust)?;
    let (Some(order), Some(trigger)) = (state.orders.get(&id), &job.trigger) else {
        return Err(Refusal::OrderUnknown);
    };
    let occurrence = due(state, id, &job, now, around).ok_or(Refusal::OrderNotDue)?;
    let promoters = order.promoters.clone();
    let behind: Vec<_> = judged.signers.iter().chain(&promoters).cloned().collect();
    if state.freezes.cover(state.floor, id, &job, &behind) {
        return Err(Refusal::Frozen);
    }
    let freshness_s = trigger.freshness_s.min(judged.rule.orders.freshness_s_max);
    if now.since(state.control_seen_at) > freshness_s {
        return Err(Refusal::ControlStale);
    }
    let most = judged.rule.orders.runs_per_hour_max;
    let class_full =
        usize::try_from(most).is_ok_and(|most| state.runs_within_hour(job.class, now) >= most);
    if class_full || !State::keeps_rate(order, trigger, now) {
        return Err(Refusal::RateLimited);
    }
    let Action::Script(script) = job.action.clone() else {
        return Err(Refusal::OrderNotAllowed);
    };
    let same_size = u32::try_from(kept.content.len()).is_ok_and(|size| size == script.content.size);
    if !same_size || Sha256::of(kept.content) != script.content.sha256 {
        return Err(Refusal::ContentMismatch);
    }
    let mut next = state.clone();
    next.record_run(id, &job, &occurrence, (most, now));
    let content = kept.content.to_vec();
    let signers = judged.signers;
    let statement = job;
    let proof =
        Box::new(Authorized { job: id, statement, action: script, content, signers, promoters });
    Ok(Run { proof, occurrence, state: next })
}

/// Whether an order that was taken in still stands: asked whenever the control log has moved, so that people hear at once that it is over.
pub fn review(state: &State, facts: &LocalFacts<'_>, envelope: &[u8]) -> Result<(), Refusal> {
    let trust = believed(state)?;
    stands(state, facts, envelope, &trust).map(|_| ())
}

/// Whether a refusal of a run ends its order for good. What passes with time does not.
// SPEC: verification.md S8
pub fn ends_order(refusal: Refusal) -> bool {
    let people = matches!(
        refusal,
        Refusal::AuthorMissing
            | Refusal::ApprovalsMissing
            | Refusal::UserCheckMissing
            | Refusal::CustomerMissing
            | Refusal::ContentMismatch
    );
    people || refusal.retry() == Retry::Terminal
}

/// The bundle in force, with the people who still count.
// SPEC: verification.md B8
fn believed(state: &State) -> Result<TrustState, Refusal> {
    let trust = state.trust.as_ref().ok_or(Refusal::BundleTooOld)?;
    Ok(TrustState { id: trust.id, bundle: chain::people(&trust.bundle, &state.pending) })
}

// SPEC: verification.md S2 and S3
fn stands<'b>(
    state: &State,
    facts: &LocalFacts<'_>,
    envelope: &[u8],
    trust: &'b TrustState,
) -> Result<(StatementId, Job, Judged<'b>), Refusal> {
    let membership = state.membership.as_ref().ok_or(Refusal::BundleTooOld)?;
    let now = state.now(facts);
    let bundle = &trust.bundle;
    let envelope = decode_envelope(envelope)?;
    let id = envelope.id();
    let order = state.orders.get(&id).ok_or(Refusal::OrderUnknown)?;
    check_kind(&envelope)?;
    check_statement_version(bundle)?;
    let (verified, _) = envelope.verify_signatures();
    let (signatures, _) = count_operators(bundle, &verified);
    let job = decode_job(&envelope)?;
    check_agent(bundle, &job, facts)?;
    check_scope(&job, state, trust, membership, now)?;
    let content = if order.reviewed { class::Content::Reviewed } else { class::Content::New };
    let rule = judge_class(bundle, &job, content)?;
    if job.trigger.as_ref().is_none_or(|trigger| trigger.until <= now) {
        return Err(Refusal::Expired);
    }
    if state.withdrawals.contains(&id) {
        return Err(Refusal::Withdrawn);
    }
    let signers = judge_signers(rule, |scope| scope.contains(&job.tenant), &signatures)?;
    check_customer(bundle, rule, &job.tenant, &verified)?;
    Ok((id, job, Judged { bundle, rule, signers, promoters: BTreeSet::new() }))
}
