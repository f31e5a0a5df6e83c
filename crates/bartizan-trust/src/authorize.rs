//! The decision: may this job run here, now? Specification: `docs/spec/verification.md`, "Authorize".

mod looking;
pub mod monitoring;
pub mod orders;

use std::collections::BTreeSet;

use self::looking::{check_content, look};
use self::orders::StandingOrder;
use crate::chain;
use crate::checkpoint;
use crate::class;
use crate::envelope::{Envelope, EnvelopeError, IgnoredSignature};
use crate::id::{OperatorId, Sha256, StatementId};
use crate::limits;
use crate::merkle::{leaf_hash, verify_consistency, verify_inclusion};
use crate::people::{check_customer, check_root, judge_signers, reviewed};
use crate::policy::LogTrust;
use crate::proof::LogProof;
use crate::refusal::Refusal;
use crate::signers::count_operators;
use crate::stages::{self, LoggedStatement, Rollout};
use crate::state::{JobsView, LocalFacts, Membership, State, TrustState};
use crate::statement::{
    Action, Bundle, Class, ClassRule, Content, Job, Scan, Script, StatementType, Update,
};
use crate::targets::verify_target;
use crate::time::UnixSeconds;
use crate::update::{self, Package};
use crate::version::AgentVersion;

/// A job with its evidence, as delivered.
#[derive(Debug, Clone, Copy)]
pub struct JobDelivery<'a> {
    /// The exact logged envelope.
    pub envelope: &'a [u8],
    /// C2SP `tlog-proof`.
    pub proof: &'a [u8],
    /// Consistency between the last seen checkpoint and the proof's, from the smaller to the larger.
    pub consistency: &'a [Sha256],
    /// This endpoint's stage.
    pub stage: u32,
    /// Its place in the target tree.
    pub index: u32,
    /// Its path.
    pub path: &'a [Sha256],
    /// The promotions to stages 1 up to its own, in order, under the proof's checkpoint.
    pub promotions: &'a [LoggedStatement],
    /// The content of a script or a scan; `None` when it has not arrived yet.
    pub content: Option<&'a [u8]>,
    /// What arrived for an update; `None` when it has not.
    pub package: Option<&'a Package>,
}

/// Proof that an action may run on this endpoint now. Made by [`authorize`] only, and used once:
///
/// ```compile_fail
/// fn twice(proof: bartizan_trust::authorize::Authorized<bartizan_trust::statement::Script>) {
///     let _ = proof.clone();
/// }
/// ```
/// ```
/// fn once(proof: bartizan_trust::authorize::Authorized<bartizan_trust::statement::Script>) {
///     let _ = proof.job();
/// }
/// ```
#[derive(Debug)]
pub struct Authorized<A> {
    // INVARIANT: constructed at the end of `authorize` and of `orders::judge_run`, nowhere else.
    job: StatementId,
    statement: Job,
    action: A,
    content: Vec<u8>,
    signers: Vec<OperatorId>,
    promoters: BTreeSet<OperatorId>,
}

impl<A> Authorized<A> {
    /// Which job.
    pub const fn job(&self) -> StatementId {
        self.job
    }

    /// The whole statement.
    pub const fn statement(&self) -> &Job {
        &self.statement
    }

    /// What to do.
    pub const fn action(&self) -> &A {
        &self.action
    }

    /// Author first, then approvers.
    pub fn signers(&self) -> &[OperatorId] {
        &self.signers
    }

    /// Everybody a freeze of an operator's work means: signers, and who promoted it to this endpoint's stage.
    pub fn behind(&self) -> Vec<OperatorId> {
        self.signers.iter().chain(&self.promoters).cloned().collect()
    }
}

impl Authorized<Script> {
    /// The verified content.
    pub fn content(&self) -> &[u8] {
        &self.content
    }
}

impl Authorized<Scan> {
    /// The files of the packs that came with it, one after the other, verified.
    pub fn content(&self) -> &[u8] {
        &self.content
    }
}

/// What became of a delivery.
#[derive(Debug)]
pub enum Verdict {
    /// Run it. The state must be durable before the proof is used.
    Run(Box<Authorized<Script>>),
    /// Install it. The state must be durable before the proof is used.
    Update(Box<Authorized<Update>>),
    /// Look for what it names. The state must be durable before the proof is used.
    Scan(Box<Authorized<Scan>>),
    /// Keep it: a standing order. The state must be durable before it counts as taken in.
    Stand(Box<StandingOrder>),
    /// Everything but the content is right: fetch it and deliver again. Nothing was used up.
    NeedContent(Content),
    /// No.
    Refused(Refusal),
}

/// A decision and the state it leaves.
#[derive(Debug)]
pub struct Outcome {
    /// Run, or not.
    pub verdict: Verdict,
    /// The job's id, if the envelope could be read at all.
    pub job: Option<StatementId>,
    /// The class that was judged, once known.
    pub class: Option<Class>,
    /// The state afterwards; equal to the one before unless `Run`, the jobs view moved, or a delay began.
    pub state: State,
    /// Signatures that did not count, for the audit.
    pub ignored: Vec<IgnoredSignature>,
}

/// Decides. Pure: no IO, no clock, no randomness.
pub fn authorize(state: &State, facts: &LocalFacts<'_>, delivery: &JobDelivery<'_>) -> Outcome {
    let mut outcome = Outcome {
        verdict: Verdict::Refused(Refusal::BundleTooOld),
        job: None,
        class: None,
        state: state.clone(),
        ignored: Vec::new(),
    };
    outcome.verdict = match decide(facts, delivery, &mut outcome) {
        Ok(verdict) => verdict,
        Err(refusal) => Verdict::Refused(refusal),
    };
    outcome
}

/// What the steps before the log found out.
struct Judged<'s> {
    bundle: &'s Bundle,
    rule: &'s ClassRule,
    signers: Vec<OperatorId>,
    promoters: BTreeSet<OperatorId>,
}

fn decide(
    facts: &LocalFacts<'_>,
    delivery: &JobDelivery<'_>,
    outcome: &mut Outcome,
) -> Result<Verdict, Refusal> {
    let (Some(mut trust), Some(membership)) =
        (outcome.state.trust.clone(), outcome.state.membership.clone())
    else {
        return Err(Refusal::BundleTooOld);
    };
    // SPEC: verification.md B8
    trust.bundle = chain::people(&trust.bundle, &outcome.state.pending);
    let now = outcome.state.now(facts);
    // SPEC: verification.md steps 1 and 3
    let envelope = decode_envelope(delivery.envelope)?;
    outcome.job = Some(envelope.id());
    check_kind(&envelope)?;
    check_statement_version(&trust.bundle)?;
    // SPEC: verification.md steps 4 to 6
    let (verified, ignored) = envelope.verify_signatures();
    let (signatures, more) = count_operators(&trust.bundle, &verified);
    outcome.ignored = ignored.into_iter().chain(more).collect();
    let job = decode_job(&envelope)?;
    check_agent(&trust.bundle, &job, facts)?;
    check_scope(&job, &outcome.state, &trust, &membership, now)?;
    // SPEC: verification.md steps 7 to 9
    let rule = judge_class(&trust.bundle, &job, content_here(&job, &outcome.state))?;
    if let Action::Update(update) = &job.action {
        update::check_version(update, &outcome.state, facts)?;
    }
    outcome.class = Some(job.class);
    check_window(&job, rule, now)?;
    let signers = judge_signers(rule, |scope| scope.contains(&job.tenant), &signatures)?;
    check_root(&trust.bundle, &job, &signers)?;
    check_customer(&trust.bundle, rule, &job.tenant, &verified)?;
    let mut judged = Judged { bundle: &trust.bundle, rule, signers, promoters: BTreeSet::new() };
    // SPEC: verification.md steps 10 to 19
    check_target(&job, &outcome.state, delivery)?;
    let logged = check_log(&judged, &outcome.state.jobs, delivery, facts.now)?;
    outcome.state.jobs = logged.newest;
    outcome.state.advance_floor(logged.at.unwrap_or(UnixSeconds::ZERO));
    let id = envelope.id();
    check_once(&judged, &job, id, facts, &outcome.state)?;
    let waited_s = check_delay(&judged, &job, id, (delivery, &logged), &mut outcome.state)?;
    judged.promoters = check_stage(&judged, &job, id, (delivery, &logged), waited_s)?;
    check_start(&judged, &job, id, facts, &outcome.state)?;
    start(judged, id, job, facts, delivery, &mut outcome.state)
}

fn decode_envelope(bytes: &[u8]) -> Result<Envelope, Refusal> {
    if bytes.len() > limits::ENVELOPE_BYTES_MAX {
        return Err(Refusal::TooLarge);
    }
    Envelope::decode(bytes).map_err(|error| match error {
        EnvelopeError::TooLarge(_) => Refusal::TooLarge,
        EnvelopeError::Malformed(_) => Refusal::Malformed,
    })
}

// SPEC: verification.md step 3
fn check_kind(envelope: &Envelope) -> Result<(), Refusal> {
    match envelope.kind() {
        Some(StatementType::Job) => Ok(()),
        Some(StatementType::Grant) => Err(Refusal::UnsupportedStatement),
        None if envelope.payload_type().starts_with("application/vnd.bartizan.job.v") => {
            Err(Refusal::UnsupportedVersion)
        }
        Some(
            StatementType::Bundle
            | StatementType::Freeze
            | StatementType::Thaw
            | StatementType::Veto
            | StatementType::Withdrawal
            | StatementType::Enrolment
            | StatementType::Login
            | StatementType::Descriptor
            | StatementType::Receipt
            | StatementType::Promotion
            | StatementType::Pack
            | StatementType::Policy,
        )
        | None => Err(Refusal::UnknownKind),
    }
}

fn check_statement_version(bundle: &Bundle) -> Result<(), Refusal> {
    if bundle.min_statement > 1 { Err(Refusal::UnsupportedVersion) } else { Ok(()) }
}

// SPEC: verification.md step 5
fn decode_job(envelope: &Envelope) -> Result<Job, Refusal> {
    let job: Job = envelope.statement().map_err(|error| match error {
        EnvelopeError::TooLarge(_) => Refusal::TooLarge,
        EnvelopeError::Malformed(_) => Refusal::Malformed,
    })?;
    if job.crit.is_empty() { Ok(job) } else { Err(Refusal::CriticalUnknown) }
}

/// An agent below `min_agent` still takes the update that lifts it there: it would stay below for ever otherwise.
// SPEC: verification.md step 5
fn check_agent(bundle: &Bundle, job: &Job, facts: &LocalFacts<'_>) -> Result<(), Refusal> {
    let runs = AgentVersion::parse(facts.agent_version).ok_or(Refusal::AgentTooOld)?;
    let acts = match &job.action {
        Action::Update(update) => AgentVersion::parse(&update.version),
        Action::Script(_) | Action::Scan(_) => None,
    };
    let newest = acts.map_or(runs, |version| version.max(runs));
    let enough = Some(newest) >= AgentVersion::parse(&bundle.min_agent);
    if enough { Ok(()) } else { Err(Refusal::AgentTooOld) }
}

// SPEC: verification.md step 6
fn check_scope(
    job: &Job,
    state: &State,
    trust: &TrustState,
    membership: &Membership,
    now: UnixSeconds,
) -> Result<(), Refusal> {
    if job.org != state.org {
        return Err(Refusal::WrongOrg);
    }
    if job.tenant != membership.tenant {
        return Err(Refusal::WrongTenant);
    }
    if job.bundle_min > trust.bundle.version {
        return Err(Refusal::BundleTooOld);
    }
    if now >= trust.bundle.expires {
        return Err(Refusal::BundleExpired);
    }
    Ok(())
}

// SPEC: verification.md step 7
fn judge_class<'b>(
    bundle: &'b Bundle,
    job: &Job,
    content: class::Content,
) -> Result<&'b ClassRule, Refusal> {
    if !class::may_claim(bundle, job, content) {
        return Err(Refusal::ClassTooWeak);
    }
    let rule = bundle.class_rule(job.class).ok_or(Refusal::ClassUnknown)?;
    let cap = match content {
        class::Content::New => rule.endpoints_new_max,
        class::Content::Reviewed => rule.endpoints_max,
    };
    let within = match &job.action {
        Action::Script(script) => {
            script.timeout_s <= bundle.limits.timeout_s_max
                && script.output_max <= bundle.limits.output_max
        }
        Action::Update(_) => true,
        Action::Scan(scan) => {
            scan.timeout_s() <= bundle.limits.timeout_s_max
                && scan.output_max() <= bundle.limits.output_max
        }
    };
    if job.targets.count > cap || !within {
        return Err(Refusal::ClassCap);
    }
    stages::check_class(rule, job)?;
    orders::check_trigger(rule, job)?;
    Ok(rule)
}

fn content_here(job: &Job, state: &State) -> class::Content {
    match &job.action {
        Action::Script(script) if state.reviewed.contains(&script.reviewed_as()) => {
            class::Content::Reviewed
        }
        // What a scan carries says least about it.
        Action::Script(_) | Action::Update(_) | Action::Scan(_) => class::Content::New,
    }
}

// SPEC: verification.md step 8
fn check_window(job: &Job, rule: &ClassRule, now: UnixSeconds) -> Result<(), Refusal> {
    let window = job.window;
    if window.exp <= window.nbf || window.exp.since(window.nbf) > rule.window_s_max {
        return Err(Refusal::WindowInvalid);
    }
    if now >= window.exp {
        return Err(Refusal::Expired);
    }
    // What is dated ahead would count as made after a loss of memory that is still to come.
    if now.plus(limits::CLOCK_SKEW_S) < window.nbf.max(job.iat) {
        return Err(Refusal::TooEarly);
    }
    Ok(())
}

// SPEC: verification.md step 10
fn check_target(job: &Job, state: &State, delivery: &JobDelivery<'_>) -> Result<(), Refusal> {
    let listed =
        verify_target(&job.targets, &state.endpoint, delivery.stage, delivery.index, delivery.path);
    // The place says the stage too: no more endpoints than the job says can be in it, however its tree was made.
    if listed && job.places(delivery.stage).contains(&delivery.index) {
        Ok(())
    } else {
        Err(Refusal::NotTargeted)
    }
}

/// What the proof showed.
struct Logged {
    /// What is now the last seen checkpoint.
    newest: JobsView,
    /// The proof's own.
    shown: JobsView,
    /// Its quorum time.
    at: Option<UnixSeconds>,
}

// SPEC: verification.md step 11
fn check_log(
    judged: &Judged<'_>,
    seen: &JobsView,
    delivery: &JobDelivery<'_>,
    local: UnixSeconds,
) -> Result<Logged, Refusal> {
    let trust = LogTrust::parse(&judged.bundle.log).map_err(|_| Refusal::LogSignature)?;
    let proof = LogProof::decode(delivery.proof).map_err(|_| Refusal::NotLogged)?;
    let opened =
        checkpoint::open(&proof.checkpoint, &trust.jobs).map_err(|_| Refusal::LogSignature)?;
    let shown = JobsView { size: opened.checkpoint.size, root: opened.checkpoint.root };
    verify_inclusion(
        &leaf_hash(delivery.envelope),
        proof.index,
        shown.size,
        &proof.path,
        &shown.root,
    )
    .map_err(|_| Refusal::NotLogged)?;
    let cosigned = trust.policy.cosigned(&opened.note);
    if cosigned.satisfied_at(&judged.rule.witnesses).is_none() {
        return Err(Refusal::NotWitnessed);
    }
    // One rogue witness of a weak class must not push the clock: the quorum of the policy moves it.
    let at = cosigned.time(trust.policy.quorum(), local);
    // The same view needs no proof: a delivery is judged again when its content has come, and the
    // proof it carries starts at the view before.
    if shown == *seen {
        return Ok(Logged { newest: shown, shown, at });
    }
    let (old, new, otherwise) = if shown.size < seen.size {
        (&shown, seen, Refusal::LogShrunk)
    } else {
        (seen, &shown, Refusal::LogFork)
    };
    verify_consistency(old.size, &old.root, new.size, &new.root, delivery.consistency)
        .map_err(|_| otherwise)?;
    Ok(Logged { newest: *new, shown, at })
}

// SPEC: verification.md step 12
fn check_once(
    judged: &Judged<'_>,
    job: &Job,
    id: StatementId,
    facts: &LocalFacts<'_>,
    state: &State,
) -> Result<(), Refusal> {
    let now = state.now(facts);
    // The proof has just shown a later time than the clock: what it says of the window counts.
    if now >= job.window.exp {
        return Err(Refusal::Expired);
    }
    if now >= judged.bundle.expires {
        return Err(Refusal::BundleExpired);
    }
    if state.seen.contains_key(&id) || job.iat < state.replay_floor {
        return Err(Refusal::Replayed);
    }
    if state.remembered() >= limits::SEEN_MAX {
        return Err(Refusal::SeenFull);
    }
    Ok(())
}

/// Delays and soaks are counted from when this endpoint first saw the job proven, in witness time: people have that long
/// to stop it. Returns for how many seconds it has waited beyond the delay.
// SPEC: verification.md step 13
fn check_delay(
    judged: &Judged<'_>,
    job: &Job,
    id: StatementId,
    (delivery, logged): (&JobDelivery<'_>, &Logged),
    state: &mut State,
) -> Result<u64, Refusal> {
    let delay_s = judged.rule.delay_s;
    if delay_s == 0 && job.soak_s(delivery.stage) == 0 {
        return Ok(0);
    }
    // Without the quorum there is no time that one witness alone could not have made up.
    logged.at.ok_or(Refusal::NotWitnessed)?;
    let since = state.waits_since(id, job.window.exp).ok_or(Refusal::SeenFull)?;
    if state.floor < since.plus(delay_s) {
        return Err(Refusal::DelayRuns);
    }
    Ok(state.floor.since(since.plus(delay_s)))
}

/// Returns who promoted the job to this endpoint's stage.
// SPEC: verification.md step 14
fn check_stage(
    judged: &Judged<'_>,
    job: &Job,
    id: StatementId,
    (delivery, logged): (&JobDelivery<'_>, &Logged),
    waited_s: u64,
) -> Result<BTreeSet<OperatorId>, Refusal> {
    let rollout = Rollout { bundle: judged.bundle, rule: judged.rule, id, job };
    let promoters = rollout.judge_all(delivery.stage, delivery.promotions, &logged.shown)?;
    if waited_s < job.soak_s(delivery.stage) {
        return Err(Refusal::StageSoaks);
    }
    Ok(promoters)
}

// SPEC: verification.md steps 15 to 18
fn check_start(
    judged: &Judged<'_>,
    job: &Job,
    id: StatementId,
    facts: &LocalFacts<'_>,
    state: &State,
) -> Result<(), Refusal> {
    let now = state.now(facts);
    if state.withdrawals.contains(&id) {
        return Err(Refusal::Withdrawn);
    }
    // By witness time: a clock set forward ends no freeze.
    let behind: Vec<_> = judged.signers.iter().chain(&judged.promoters).cloned().collect();
    if state.freezes.cover(state.floor, id, job, &behind) {
        return Err(Refusal::Frozen);
    }
    if now.since(state.control_seen_at) > judged.rule.freshness_s {
        return Err(Refusal::ControlStale);
    }
    if !job.after.iter().all(|before| state.has_succeeded(before)) {
        return Err(Refusal::AfterMissing);
    }
    let rate = usize::try_from(judged.rule.jobs_per_hour_max).unwrap_or(usize::MAX);
    if state.starts_within_hour(job.class, now) >= rate {
        return Err(Refusal::RateLimited);
    }
    let rate = usize::try_from(judged.rule.operator_jobs_per_hour_max).unwrap_or(usize::MAX);
    if state.signed_within_hour(&judged.signers, now) >= rate {
        return Err(Refusal::OperatorRateLimited);
    }
    Ok(())
}

// SPEC: verification.md step 19
fn start(
    judged: Judged<'_>,
    id: StatementId,
    job: Job,
    facts: &LocalFacts<'_>,
    delivery: &JobDelivery<'_>,
    state: &mut State,
) -> Result<Verdict, Refusal> {
    let script = match job.action.clone() {
        Action::Script(script) => script,
        Action::Update(update) => {
            return install(judged, id, (job, update), state.now(facts), delivery, state);
        }
        Action::Scan(scan) => {
            return look(judged, id, (job, *scan), state.now(facts), delivery, state);
        }
    };
    let Some(content) = delivery.content else { return Ok(Verdict::NeedContent(script.content)) };
    check_content(content, &script.content)?;
    if job.trigger.is_some() {
        return orders::accept(&judged, id, job, state.now(facts), state).map(Verdict::Stand);
    }
    let reviewed = reviewed(&judged.signers, &script);
    state.record_start(id, &job, &judged.signers, reviewed, state.now(facts));
    Ok(Verdict::Run(Box::new(Authorized {
        job: id,
        statement: job,
        action: script,
        content: content.to_vec(),
        signers: judged.signers,
        promoters: judged.promoters,
    })))
}

// SPEC: verification.md step 19, update
fn install(
    judged: Judged<'_>,
    id: StatementId,
    (job, update): (Job, Update),
    now: UnixSeconds,
    delivery: &JobDelivery<'_>,
    state: &mut State,
) -> Result<Verdict, Refusal> {
    let Some(package) = delivery.package else { return Ok(Verdict::NeedContent(update.content)) };
    update::check_package(&update, package)?;
    state.record_start(id, &job, &judged.signers, None, now);
    Ok(Verdict::Update(Box::new(Authorized {
        job: id,
        statement: job,
        action: update,
        content: Vec::new(),
        signers: judged.signers,
        promoters: judged.promoters,
    })))
}
