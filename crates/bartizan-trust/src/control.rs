//! Replaying the control log: the only way trust moves. Specification: `docs/spec/verification.md`, "Replay".

use crate::chain::{self, Chain, meets_root_threshold};
use crate::checkpoint::{self, Checkpoint};
use crate::envelope::Envelope;
use crate::freezes::Freezes;
use crate::id::OrgId;
use crate::limits;
use crate::merkle::{Frontier, leaf_hash};
use crate::policy::LogTrust;
use crate::refusal::Refusal;
use crate::signers::operator_signatures;
use crate::state::{Joined, LocalFacts, Membership, State, TrustState};
use crate::statement::{
    Bundle, Enrolment, Freeze, SignatureRole, Statement, StatementType, Thaw, Veto, Withdrawal,
};
use crate::time::UnixSeconds;
use crate::withdrawals::Withdrawals;

/// Control entries and a checkpoint that covers them.
#[derive(Debug, Clone, Copy)]
pub struct ControlUpdate<'a> {
    /// Index of the first entry.
    pub start: u64,
    /// Exact envelopes.
    pub entries: &'a [Vec<u8>],
    /// Signed note with co-signatures.
    pub checkpoint: &'a [u8],
}

/// An entry that was skipped, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedEntry {
    /// Its place in the control log.
    pub index: u64,
    /// Why it has no effect.
    pub refusal: Refusal,
}

/// Replays entries. On success the new state; a refusal leaves the old one in force.
// SPEC: verification.md R1-R7
pub fn replay(
    state: &State,
    facts: &LocalFacts<'_>,
    update: &ControlUpdate<'_>,
) -> Result<(State, Vec<SkippedEntry>), Refusal> {
    check_extent(state, update)?;
    let genesis = match &state.trust {
        Some(_) => None,
        None => Some(read_genesis(state.org, update.entries.first())?),
    };
    let in_force = state.trust.as_ref().or(genesis.as_ref()).ok_or(Refusal::AnchorMismatch)?;
    let frontier = grow(&state.control, update.entries);
    let witnessed_at =
        check_checkpoint(in_force, &state.control, &frontier, update.checkpoint, facts.now)?;

    // A freeze or a waiting bundle is judged by the latest time this endpoint has seen proven.
    let at = witnessed_at.max(state.floor);
    let mut view = view_of(state, in_force.clone(), at);
    let mut skipped = Vec::new();
    let already = usize::from(genesis.is_some());
    for (index, entry) in (update.start..).zip(update.entries).skip(already) {
        if let Err(refusal) = apply(&mut view, state.org, at, entry) {
            skipped.push(SkippedEntry { index, refusal });
        }
    }
    // SPEC: verification.md B6: all entries up to this checkpoint have spoken before a delay is over.
    view.chain.settle(at);
    view.freezes.forget(at);
    view.withdrawals.forget(at);
    let mut next = state.clone();
    next.trust = Some(view.chain.current);
    next.pending = view.chain.pending;
    next.genesis_at = view.chain.genesis_at;
    next.freezes = view.freezes;
    next.withdrawals = view.withdrawals;
    next.control = frontier;
    next.control_seen_at = next.control_seen_at.max(witnessed_at);
    next.advance_floor(witnessed_at);
    // Memory was lost, and the local clock that set this floor may have been wrong: witnesses say what time it was at least.
    if genesis.is_some() && state.replay_floor > UnixSeconds::ZERO {
        next.replay_floor = state.replay_floor.max(next.floor.plus(limits::CLOCK_SKEW_S + 1));
    }
    Ok((next, skipped))
}

fn view_of(state: &State, current: TrustState, at: UnixSeconds) -> ControlView {
    let chain = if state.trust.is_some() {
        Chain { current, pending: state.pending.clone(), genesis_at: state.genesis_at }
    } else {
        // The first week has begun by now, whatever date its founders wrote.
        let chain = Chain::new(current);
        Chain { genesis_at: chain.genesis_at.min(at), ..chain }
    };
    let (freezes, withdrawals) = (state.freezes.clone(), state.withdrawals.clone());
    ControlView { chain, freezes, withdrawals }
}

// SPEC: verification.md R1
fn check_extent(state: &State, update: &ControlUpdate<'_>) -> Result<(), Refusal> {
    if update.start != state.control.size() {
        return Err(Refusal::ControlGap);
    }
    let bytes: usize = update.entries.iter().map(Vec::len).sum();
    let oversized = update.entries.iter().any(|entry| entry.len() > limits::ENVELOPE_BYTES_MAX);
    if update.entries.len() > limits::CONTROL_REPLAY_ENTRIES_MAX
        || bytes > limits::CONTROL_REPLAY_BYTES_MAX
        || oversized
    {
        return Err(Refusal::TooLarge);
    }
    Ok(())
}

/// The first entry of a control log, when it is exactly the one the anchor names.
// SPEC: verification.md R2
fn read_genesis(org: OrgId, entry: Option<&Vec<u8>>) -> Result<TrustState, Refusal> {
    let entry = entry.ok_or(Refusal::ControlGap)?;
    let envelope = Envelope::decode(entry).map_err(|_| Refusal::AnchorMismatch)?;
    let id = envelope.id();
    if OrgId::new(*id.hash()) != org {
        return Err(Refusal::AnchorMismatch);
    }
    let bundle: Bundle = envelope.statement().map_err(|_| Refusal::Malformed)?;
    if bundle.version != 1 {
        return Err(Refusal::AnchorMismatch);
    }
    if !bundle.crit.is_empty() {
        return Err(Refusal::CriticalUnknown);
    }
    if !meets_root_threshold(&bundle, &envelope) {
        return Err(Refusal::BundleThreshold);
    }
    Ok(TrustState { id, bundle })
}

fn grow(frontier: &Frontier, entries: &[Vec<u8>]) -> Frontier {
    let mut grown = frontier.clone();
    for entry in entries {
        grown.push(leaf_hash(entry));
    }
    grown
}

/// Judges the checkpoint over the whole log and returns the quorum's time.
// SPEC: verification.md R3-R5
fn check_checkpoint(
    in_force: &TrustState,
    before: &Frontier,
    after: &Frontier,
    note: &[u8],
    local: UnixSeconds,
) -> Result<UnixSeconds, Refusal> {
    let trust = LogTrust::parse(&in_force.bundle.log).map_err(|_| Refusal::LogSignature)?;
    let opened = checkpoint::open(note, &trust.control).map_err(|_| Refusal::LogSignature)?;
    let Checkpoint { size, root, .. } = opened.checkpoint;
    if size < before.size() {
        return Err(Refusal::LogShrunk);
    }
    if size != after.size() {
        return Err(Refusal::ControlGap);
    }
    if root != after.root() {
        return Err(Refusal::LogFork);
    }
    let cosigned = trust.policy.cosigned(&opened.note);
    cosigned.time(trust.policy.quorum(), local).ok_or(Refusal::NotWitnessed)
}

/// Lets one entry take effect, or says why it has none.
// SPEC: verification.md R6
fn apply(view: &mut ControlView, org: OrgId, at: UnixSeconds, entry: &[u8]) -> Result<(), Refusal> {
    let envelope = Envelope::decode(entry).map_err(|_| Refusal::Malformed)?;
    match envelope.kind() {
        Some(StatementType::Bundle) => view.chain.push(org, at, &envelope),
        Some(StatementType::Veto) => view.chain.veto(org, &envelope),
        Some(StatementType::Freeze) => {
            view.freezes.freeze(&view.chain.people(), org, (at, at), &envelope)
        }
        Some(StatementType::Thaw) => view.freezes.thaw(&view.chain.people(), org, &envelope),
        Some(StatementType::Withdrawal) => {
            view.withdrawals.withdraw(&view.chain.people(), org, at, &envelope)
        }
        Some(
            StatementType::Promotion
            | StatementType::Grant
            | StatementType::Pack
            | StatementType::Policy
            | StatementType::Job
            | StatementType::Enrolment
            | StatementType::Login
            | StatementType::Descriptor
            | StatementType::Receipt,
        )
        | None => Err(Refusal::UnknownKind),
    }
}

/// What a control log says at some moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ControlView {
    /// The bundle in force, and those that wait.
    pub chain: Chain,
    /// What stands still.
    pub freezes: Freezes,
    /// What was taken back.
    pub withdrawals: Withdrawals,
}

impl ControlView {
    /// What the log said after its first entry; the caller compares the digest with an anchor.
    pub const fn new(genesis: TrustState) -> Self {
        Self {
            chain: Chain::new(genesis),
            freezes: Freezes::new(),
            withdrawals: Withdrawals::new(),
        }
    }

    /// The view of somebody who knows no witness times, such as a server or a console that has just started:
    /// an entry counts as seen when it was logged, and not before its makers say that it was made. Who does not know
    /// when it was logged goes by its makers alone, who may have written any date. Endpoints do not judge like this.
    // SPEC: verification.md "Advice"
    pub fn advise(
        &mut self,
        org: OrgId,
        now: UnixSeconds,
        logged: Option<UnixSeconds>,
        entry: &[u8],
    ) -> Result<(), Refusal> {
        let made = Envelope::decode(entry).ok().and_then(|envelope| iat(&envelope));
        let at = made.max(logged).unwrap_or(now).min(now);
        self.chain.settle(at);
        let applied = apply(self, org, at, entry);
        self.chain.settle(now);
        applied
    }
}

fn iat(envelope: &Envelope) -> Option<UnixSeconds> {
    match envelope.kind()? {
        StatementType::Bundle => envelope.statement::<Bundle>().ok().map(|s| s.iat),
        StatementType::Veto => envelope.statement::<Veto>().ok().map(|s| s.iat),
        StatementType::Freeze => envelope.statement::<Freeze>().ok().map(|s| s.iat),
        StatementType::Thaw => envelope.statement::<Thaw>().ok().map(|s| s.iat),
        StatementType::Withdrawal => envelope.statement::<Withdrawal>().ok().map(|s| s.iat),
        _ => None,
    }
}

/// Takes in a freeze that came by another way than the control log: from a file, another server, the local
/// network. It carries its own proof, which is its signatures; a thaw must come by the log.
// SPEC: verification.md F6
pub fn freeze(state: &State, facts: &LocalFacts<'_>, envelope: &[u8]) -> Result<State, Refusal> {
    let trust = state.trust.as_ref().ok_or(Refusal::BundleTooOld)?;
    if envelope.len() > limits::ENVELOPE_BYTES_MAX {
        return Err(Refusal::TooLarge);
    }
    let envelope = Envelope::decode(envelope).map_err(|_| Refusal::Malformed)?;
    if envelope.kind() != Some(StatementType::Freeze) {
        return Err(Refusal::UnknownKind);
    }
    let mut next = state.clone();
    let people = chain::people(&trust.bundle, &state.pending);
    // A clock set forward neither keeps a freeze out nor ends one.
    let times = (state.now(facts), state.floor);
    next.freezes.freeze(&people, state.org, times, &envelope)?;
    Ok(next)
}

/// Judges a genesis bundle by its own rules; the caller compares its id with an anchor.
pub fn genesis(envelope: &Envelope) -> Result<TrustState, Refusal> {
    read_genesis(OrgId::new(*envelope.id().hash()), Some(&envelope.encode()))
}

/// Verifies the enrolment this endpoint was installed with, once a bundle is known, and records
/// tenant and site for ever.
// SPEC: verification.md "Enrolment"
pub fn enrol(state: &State, facts: &LocalFacts<'_>, enrolment: &[u8]) -> Result<State, Refusal> {
    let trust = state.trust.as_ref().ok_or(Refusal::BundleTooOld)?;
    let people = chain::people(&trust.bundle, &state.pending);
    let membership = judge_enrolment(&people, state.org, state.now(facts), enrolment)?;
    if state.membership.as_ref().is_some_and(|known| *known != membership) {
        return Err(Refusal::EnrolmentInvalid);
    }
    let mut next = state.clone();
    next.membership = Some(membership);
    Ok(next)
}

/// Puts an endpoint that lost its state back where it belongs, by its own note that this enrolment was verified on it before.
/// Tenant and site are those of the enrolment; neither its end nor who has left since counts again.
// SPEC: verification.md "Enrolment"
pub fn rejoin(state: &State, joined: &Joined, enrolment: &[u8]) -> Result<State, Refusal> {
    if state.trust.is_none() {
        return Err(Refusal::BundleTooOld);
    }
    let envelope = Envelope::decode(enrolment).map_err(|_| Refusal::EnrolmentInvalid)?;
    let statement: Enrolment = envelope.statement().map_err(|_| Refusal::EnrolmentInvalid)?;
    let noted = Joined { org: state.org, endpoint: state.endpoint, enrolment: envelope.id() };
    if noted != *joined || statement.org != state.org || state.membership.is_some() {
        return Err(Refusal::EnrolmentInvalid);
    }
    let membership =
        Membership { enrolment: joined.enrolment, tenant: statement.tenant, site: statement.site };
    Ok(State { membership: Some(membership), ..state.clone() })
}

/// Judges an enrolment by a bundle. Also used by servers, which admit by it.
pub fn judge_enrolment(
    bundle: &Bundle,
    org: OrgId,
    now: UnixSeconds,
    bytes: &[u8],
) -> Result<Membership, Refusal> {
    let envelope = Envelope::decode(bytes).map_err(|_| Refusal::EnrolmentInvalid)?;
    let enrolment: Enrolment = envelope.statement().map_err(|_| Refusal::EnrolmentInvalid)?;
    let (signatures, _) = operator_signatures(bundle, &envelope);
    let signed = signatures
        .iter()
        .any(|s| s.role == SignatureRole::Enroll && s.operator.tenants.contains(&enrolment.tenant));
    if enrolment.org != org || !enrolment.crit().is_empty() || now >= enrolment.exp || !signed {
        return Err(Refusal::EnrolmentInvalid);
    }
    Ok(Membership { enrolment: envelope.id(), tenant: enrolment.tenant, site: enrolment.site })
}
