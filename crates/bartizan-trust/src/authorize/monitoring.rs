//! Monitoring policies: taking one in, and whether it still stands. Specification: `docs/spec/verification.md`, "Policies".

use std::collections::BTreeSet;

use super::{
    JobDelivery, Judged, check_customer, check_log, check_statement_version, count_operators,
    decode_envelope, judge_signers,
};
use crate::chain;
use crate::envelope::{Envelope, EnvelopeError, IgnoredSignature};
use crate::freezes::Work;
use crate::id::{OperatorId, StatementId};
use crate::limits;
use crate::refusal::{Refusal, Retry};
use crate::state::{LocalFacts, Membership, State};
use crate::statement::{Bundle, ClassRule, MonitoringPolicy, StatementType};
use crate::time::UnixSeconds;
use crate::version::AgentVersion;

/// Proof that the checks of a policy may be done on this endpoint. Made here only.
#[derive(Debug)]
pub struct StandingPolicy {
    // INVARIANT: constructed by `judge_policy` and `review_policy`, nowhere else.
    id: StatementId,
    policy: MonitoringPolicy,
    held: Option<Refusal>,
}

impl StandingPolicy {
    /// Its id.
    pub const fn id(&self) -> StatementId {
        self.id
    }

    /// The statement.
    pub const fn policy(&self) -> &MonitoringPolicy {
        &self.policy
    }

    /// Why nothing of it may leave the machine for now. What reads this machine goes on.
    pub const fn held(&self) -> Option<Refusal> {
        self.held
    }
}

/// What became of a policy.
#[derive(Debug)]
pub enum PolicyVerdict {
    /// It stands. The caller keeps the envelope and makes the new state durable before it counts.
    Stand(Box<StandingPolicy>),
    /// No.
    Refused(Refusal),
}

/// A decision about a policy, and the state it leaves.
#[derive(Debug)]
pub struct PolicyOutcome {
    /// Stands, or not.
    pub verdict: PolicyVerdict,
    /// Its id, if the envelope could be read at all.
    pub policy: Option<StatementId>,
    /// The state afterwards; equal to the one before unless it stands, the jobs view moved, or a delay began.
    pub state: State,
    /// Signatures that did not count, for the audit.
    pub ignored: Vec<IgnoredSignature>,
}

/// Decides whether a policy is taken in. Pure, like `authorize`. A policy names no targets, so the delivery's place says nothing.
pub fn judge_policy(
    state: &State,
    facts: &LocalFacts<'_>,
    delivery: &JobDelivery<'_>,
) -> PolicyOutcome {
    let mut outcome = PolicyOutcome {
        verdict: PolicyVerdict::Refused(Refusal::BundleTooOld),
        policy: None,
        state: state.clone(),
        ignored: Vec::new(),
    };
    outcome.verdict = match take_in(facts, delivery, &mut outcome) {
        Ok(standing) => PolicyVerdict::Stand(Box::new(standing)),
        Err(refusal) => PolicyVerdict::Refused(refusal),
    };
    outcome
}

/// Whether a policy that was taken in still stands: asked after every start, and whenever the control log has moved.
// SPEC: verification.md P10
pub fn review_policy(
    state: &State,
    facts: &LocalFacts<'_>,
    envelope: &[u8],
) -> Result<StandingPolicy, Refusal> {
    let envelope = decode_envelope(envelope)?;
    let id = envelope.id();
    if !state.policies.stands(&id) {
        return Err(Refusal::PolicyUnknown);
    }
    let bundle = believed(state)?;
    let now = state.now(facts);
    let (policy, signers, _) = match stands(state, facts, (&envelope, &bundle), now) {
        Ok(judged) => judged,
        Err((refusal, Some(policy))) if !ends_policy(refusal) => {
            return Ok(StandingPolicy { id, policy: *policy, held: Some(refusal) });
        }
        Err((refusal, _)) => return Err(refusal),
    };
    let membership = state.membership.as_ref().ok_or(Refusal::BundleTooOld)?;
    let work = Work { id, tenant: &membership.tenant, class: policy.class, signers: &signers };
    let held = state.freezes.cover_work(state.floor, &work).then_some(Refusal::Frozen);
    Ok(StandingPolicy { id, policy, held })
}

/// Whether a refusal ends a policy for good. What passes with time does not.
// SPEC: verification.md P10
pub fn ends_policy(refusal: Refusal) -> bool {
    let people = matches!(
        refusal,
        Refusal::AuthorMissing
            | Refusal::ApprovalsMissing
            | Refusal::UserCheckMissing
            | Refusal::CustomerMissing
    );
    people || refusal.retry() == Retry::Terminal
}

/// Whether enough people stand behind a policy by a bundle, and its class allows it. For servers and consoles, which advise.
// SPEC: verification.md P4 and P5
pub fn stand_behind_policy(
    bundle: &Bundle,
    policy: &MonitoringPolicy,
    envelope: &Envelope,
) -> Result<(), Refusal> {
    let rule = check_life(bundle, policy)?;
    let (verified, _) = envelope.verify_signatures();
    let (signatures, _) = count_operators(bundle, &verified);
    judge_signers(rule, |scope| policy.place.is_within(scope), &signatures)?;
    policy.place.tenant().map_or(Ok(()), |tenant| check_customer(bundle, rule, tenant, &verified))
}

fn take_in(
    facts: &LocalFacts<'_>,
    delivery: &JobDelivery<'_>,
    outcome: &mut PolicyOutcome,
) -> Result<StandingPolicy, Refusal> {
    let state = &mut outcome.state;
    let bundle = believed(state)?;
    let membership = state.membership.clone().ok_or(Refusal::BundleTooOld)?;
    // SPEC: verification.md P1 to P5
    let envelope = decode_envelope(delivery.envelope)?;
    let id = envelope.id();
    outcome.policy = Some(id);
    let (verified, ignored) = envelope.verify_signatures();
    let (_, more) = count_operators(&bundle, &verified);
    outcome.ignored = ignored.into_iter().chain(more).collect();
    let now = state.now(facts);
    let (policy, signers, rule) =
        stands(state, facts, (&envelope, &bundle), now).map_err(|(refusal, _)| refusal)?;
    // SPEC: verification.md P6
    let judged = Judged { bundle: &bundle, rule, signers, promoters: BTreeSet::new() };
    let logged = check_log(&judged, &state.jobs, delivery, facts.now)?;
    state.jobs = logged.newest;
    state.advance_floor(logged.at.unwrap_or(UnixSeconds::ZERO));
    let now = state.now(facts);
    // The proof has perhaps shown a later time than the clock.
    if now >= policy.until {
        return Err(Refusal::Expired);
    }
    if now >= bundle.expires {
        return Err(Refusal::BundleExpired);
    }
    // SPEC: verification.md P7
    if state.policies.newest(&policy).is_some_and(|known| policy.version <= known.version) {
        return Err(Refusal::PolicyOld);
    }
    check_now(state, &judged, (id, &policy, &membership), now)?;
    check_delay(state, rule, (id, &policy), logged.at)?;
    if !state.policies.has_room(&policy, state.floor) {
        return Err(Refusal::PoliciesFull);
    }
    state.record_policy(id, &policy, &judged.signers, now);
    Ok(StandingPolicy { id, policy, held: None })
}

/// The bundle in force, with the people who still count.
// SPEC: verification.md B8
fn believed(state: &State) -> Result<Bundle, Refusal> {
    let trust = state.trust.as_ref().ok_or(Refusal::BundleTooOld)?;
    Ok(chain::people(&trust.bundle, &state.pending))
}

/// A policy, who stands behind it, and its class's rule.
type Behind<'b> = (MonitoringPolicy, Vec<OperatorId>, &'b ClassRule);
/// A refusal, with the policy where that could be read.
type No = (Refusal, Option<Box<MonitoringPolicy>>);

// SPEC: verification.md P1 to P5
fn stands<'b>(
    state: &State,
    facts: &LocalFacts<'_>,
    (envelope, bundle): (&Envelope, &'b Bundle),
    now: UnixSeconds,
) -> Result<Behind<'b>, No> {
    check_kind(envelope).and_then(|()| check_statement_version(bundle)).map_err(|no| (no, None))?;
    let policy = decode_policy(envelope).map_err(|no| (no, None))?;
    match who_stands_behind(state, facts, (envelope, bundle), &policy, now) {
        Ok((signers, rule)) => Ok((policy, signers, rule)),
        Err(refusal) => Err((refusal, Some(Box::new(policy)))),
    }
}

fn who_stands_behind<'b>(
    state: &State,
    facts: &LocalFacts<'_>,
    (envelope, bundle): (&Envelope, &'b Bundle),
    policy: &MonitoringPolicy,
    now: UnixSeconds,
) -> Result<(Vec<OperatorId>, &'b ClassRule), Refusal> {
    let membership = state.membership.as_ref().ok_or(Refusal::BundleTooOld)?;
    check_place(policy, state, membership)?;
    let rule = check_life(bundle, policy)?;
    if policy.until <= now {
        return Err(Refusal::Expired);
    }
    if state.withdrawals.contains(&envelope.id()) {
        return Err(Refusal::Withdrawn);
    }
    let (verified, _) = envelope.verify_signatures();
    let (signatures, _) = count_operators(bundle, &verified);
    let signers = judge_signers(rule, |scope| policy.place.is_within(scope), &signatures)?;
    check_customer(bundle, rule, &membership.tenant, &verified)?;
    // What passes with time comes last: a policy that stands is over first of all for what does not pass.
    if policy.bundle_min > bundle.version {
        return Err(Refusal::BundleTooOld);
    }
    let runs = AgentVersion::parse(facts.agent_version).ok_or(Refusal::AgentTooOld)?;
    if Some(runs) < AgentVersion::parse(&bundle.min_agent) {
        return Err(Refusal::AgentTooOld);
    }
    if now >= bundle.expires {
        return Err(Refusal::BundleExpired);
    }
    if now.plus(limits::CLOCK_SKEW_S) < policy.iat {
        return Err(Refusal::TooEarly);
    }
    Ok((signers, rule))
}

// SPEC: verification.md P1
fn check_kind(envelope: &Envelope) -> Result<(), Refusal> {
    if envelope.kind() == Some(StatementType::Policy) {
        return Ok(());
    }
    let other = envelope.payload_type().starts_with("application/vnd.bartizan.policy.v");
    Err(if other { Refusal::UnsupportedVersion } else { Refusal::UnknownKind })
}

// SPEC: verification.md P2
fn decode_policy(envelope: &Envelope) -> Result<MonitoringPolicy, Refusal> {
    let policy: MonitoringPolicy = envelope.statement().map_err(|error| match error {
        EnvelopeError::TooLarge(_) => Refusal::TooLarge,
        EnvelopeError::Malformed(_) => Refusal::Malformed,
    })?;
    if policy.crit.is_empty() { Ok(policy) } else { Err(Refusal::CriticalUnknown) }
}

// SPEC: verification.md P3
fn check_place(
    policy: &MonitoringPolicy,
    state: &State,
    membership: &Membership,
) -> Result<(), Refusal> {
    if policy.org != state.org {
        return Err(Refusal::WrongOrg);
    }
    if policy.place.tenant().is_some_and(|tenant| *tenant != membership.tenant) {
        return Err(Refusal::WrongTenant);
    }
    if !policy.place.contains(membership, state.endpoint) {
        return Err(Refusal::WrongPlace);
    }
    Ok(())
}

// SPEC: verification.md P4
fn check_life<'b>(bundle: &'b Bundle, policy: &MonitoringPolicy) -> Result<&'b ClassRule, Refusal> {
    let rule = bundle.class_rule(policy.class).ok_or(Refusal::ClassUnknown)?;
    let life_s = policy.until.since(policy.iat);
    if life_s <= rule.orders.life_s_max { Ok(rule) } else { Err(Refusal::OrderNotAllowed) }
}

// SPEC: verification.md P8
fn check_now(
    state: &State,
    judged: &Judged<'_>,
    (id, policy, membership): (StatementId, &MonitoringPolicy, &Membership),
    now: UnixSeconds,
) -> Result<(), Refusal> {
    let signers = &judged.signers;
    let work = Work { id, tenant: &membership.tenant, class: policy.class, signers };
    if state.freezes.cover_work(state.floor, &work) {
        return Err(Refusal::Frozen);
    }
    if now.since(state.control_seen_at) > judged.rule.freshness_s {
        return Err(Refusal::ControlStale);
    }
    let most = |rate: u32| usize::try_from(rate).unwrap_or(usize::MAX);
    if state.starts_within_hour(policy.class, now) >= most(judged.rule.jobs_per_hour_max) {
        return Err(Refusal::RateLimited);
    }
    if state.signed_within_hour(signers, now) >= most(judged.rule.operator_jobs_per_hour_max) {
        return Err(Refusal::OperatorRateLimited);
    }
    Ok(())
}

// SPEC: verification.md P9
fn check_delay(
    state: &mut State,
    rule: &ClassRule,
    (id, policy): (StatementId, &MonitoringPolicy),
    at: Option<UnixSeconds>,
) -> Result<(), Refusal> {
    if rule.delay_s == 0 {
        return Ok(());
    }
    at.ok_or(Refusal::NotWitnessed)?;
    let since = state.waits_since(id, policy.until).ok_or(Refusal::SeenFull)?;
    if state.floor < since.plus(rule.delay_s) { Err(Refusal::DelayRuns) } else { Ok(()) }
}
