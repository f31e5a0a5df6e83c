//! How one bundle follows another: at once, or after a delay in which it can be vetoed. Specification:
//! `docs/spec/verification.md`, "Bundles".

use serde::{Deserialize, Serialize};

use crate::envelope::Envelope;
use crate::id::OrgId;
use crate::limits;
use crate::refusal::Refusal;
use crate::signers::{distinct_operators, operator_signatures};
use crate::state::TrustState;
use crate::statement::{Bundle, Operator, OperatorKey, SignatureRole, Statement as _, Veto};
use crate::tighten::only_tightens;
use crate::time::UnixSeconds;

/// A bundle that is signed and logged and waits for its delay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PendingBundle {
    /// The bundle.
    pub trust: TrustState,
    /// Witness time at which it was first seen.
    pub seen_at: UnixSeconds,
    /// How long it waits.
    pub delay_s: u64,
}

impl PendingBundle {
    /// The witness time from which it is in force, if nobody vetoes it.
    pub fn due(&self) -> UnixSeconds {
        self.seen_at.plus(self.delay_s)
    }
}

/// The bundle in force and those that wait behind it, each following the one before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// In force.
    pub current: TrustState,
    /// Waiting, in order.
    pub pending: Vec<PendingBundle>,
    /// When the organisation began, by its genesis bundle.
    pub genesis_at: UnixSeconds,
}

impl Chain {
    /// The chain of a genesis bundle.
    pub const fn new(genesis: TrustState) -> Self {
        let genesis_at = genesis.bundle.iat;
        Self { current: genesis, pending: Vec::new(), genesis_at }
    }

    /// Judges the next bundle and puts it where it belongs.
    // SPEC: verification.md B1 to B4
    pub fn push(
        &mut self,
        org: OrgId,
        at: UnixSeconds,
        envelope: &Envelope,
    ) -> Result<(), Refusal> {
        let next: Bundle = envelope.statement().map_err(|_| Refusal::Malformed)?;
        if !next.crit().is_empty() {
            return Err(Refusal::CriticalUnknown);
        }
        if next.org != Some(org) {
            return Err(Refusal::BundleChain);
        }
        let last = self.pending.last().map_or(&self.current, |pending| &pending.trust);
        let follows = |before: &TrustState| {
            next.prev == Some(before.id) && next.version == before.bundle.version.saturating_add(1)
        };
        let trust = TrustState { id: envelope.id(), bundle: next.clone() };
        if follows(last) {
            let delay_s = delay(last, &trust, envelope, at < self.first_week())?;
            if delay_s == 0 && self.pending.is_empty() {
                self.current = trust;
                return Ok(());
            }
            if self.pending.len() >= limits::PENDING_BUNDLES_MAX {
                return Err(Refusal::BundleChain);
            }
            self.pending.push(PendingBundle { trust, seen_at: at, delay_s });
            return Ok(());
        }
        // While a change waits, people must still be able to tighten what is in force.
        if !self.pending.is_empty() && follows(&self.current) {
            if delay(&self.counting(), &trust, envelope, false)? > 0 {
                return Err(Refusal::BundleChain);
            }
            self.current = trust;
            self.pending.clear();
            return Ok(());
        }
        Err(Refusal::BundleChain)
    }

    /// Drops a waiting bundle and those behind it, at the word of one operator with the role `root`.
    // SPEC: verification.md B5
    pub fn veto(&mut self, org: OrgId, envelope: &Envelope) -> Result<(), Refusal> {
        let veto: Veto = envelope.statement().map_err(|_| Refusal::Malformed)?;
        if !veto.crit().is_empty() {
            return Err(Refusal::CriticalUnknown);
        }
        if veto.org != org {
            return Err(Refusal::WrongOrg);
        }
        let place = self.pending.iter().position(|pending| pending.trust.id == veto.bundle);
        let place = place.ok_or(Refusal::VetoInvalid)?;
        let people = self.people();
        let (signatures, _) = operator_signatures(&people, envelope);
        if distinct_operators(&signatures, SignatureRole::Root).is_empty() {
            return Err(Refusal::VetoInvalid);
        }
        self.pending.truncate(place);
        Ok(())
    }

    /// Puts in force what has waited long enough.
    // SPEC: verification.md B6
    pub fn settle(&mut self, at: UnixSeconds) {
        let due = self.pending.iter().take_while(|pending| pending.due() <= at).count();
        if let Some(newest) = self.pending.drain(..due).next_back() {
            self.current = newest.trust;
        }
    }

    /// The bundle in force with the people who still count.
    pub(crate) fn people(&self) -> Bundle {
        people(&self.current.bundle, &self.pending)
    }

    fn counting(&self) -> TrustState {
        TrustState { id: self.current.id, bundle: self.people() }
    }

    fn first_week(&self) -> UnixSeconds {
        self.genesis_at.plus(limits::FIRST_WEEK_S)
    }
}

/// A bundle with the people who still count: whom a waiting bundle removes, and what it takes from the others, it removes at once
/// where it only tightens the one it follows. It waits for what came before it, and nobody can choose how long: an endpoint that
/// comes late sees all of it waiting.
// SPEC: verification.md B8
pub fn people(bundle: &Bundle, pending: &[PendingBundle]) -> Bundle {
    let mut counting = bundle.clone();
    let mut before = bundle;
    for waiting in pending {
        let next = &waiting.trust.bundle;
        if waiting.delay_s == 0 {
            counting.operators.retain_mut(|operator| keeps(operator, before, next));
        }
        before = next;
    }
    counting
}

/// Takes from an operator what a bundle takes from one to the next. False when nothing is left.
fn keeps(operator: &mut Operator, before: &Bundle, next: &Bundle) -> bool {
    let Some(old) = before.operator(&operator.id) else { return true };
    let Some(new) = next.operator(&operator.id) else { return false };
    operator.roles.retain(|role| !old.roles.contains(role) || new.roles.contains(role));
    if old.tenants != new.tenants {
        operator.tenants = operator.tenants.narrowed(&new.tenants);
    }
    operator.keys.retain_mut(|key| {
        let of = |keys: &[OperatorKey]| keys.iter().find(|known| known.ssh == key.ssh).cloned();
        let Some(old) = of(&old.keys) else { return true };
        let Some(new) = of(&new.keys) else { return false };
        key.uv |= new.uv;
        key.backup_ok &= new.backup_ok;
        if old.origins == new.origins {
            return true;
        }
        key.origins.retain(|origin| new.origins.contains(origin));
        // A passkey without an origin would be any other key.
        !key.origins.is_empty()
    });
    true
}

/// How long a bundle must wait after `before`, if its signatures suffice at all.
fn delay(
    before: &TrustState,
    next: &TrustState,
    envelope: &Envelope,
    first_week: bool,
) -> Result<u64, Refusal> {
    if meets_root_threshold(&before.bundle, envelope)
        && meets_root_threshold(&next.bundle, envelope)
    {
        let at_once = first_week || only_tightens(&before.bundle, &next.bundle);
        return Ok(if at_once { 0 } else { before.bundle.weaken_delay_s });
    }
    if is_rotation(before, next, envelope) {
        return Ok(before.bundle.recovery.delay_s.max(1));
    }
    Err(Refusal::BundleThreshold)
}

/// A recovery key may replace operators and their keys, and nothing else; those it names must accept by their own threshold.
// SPEC: verification.md B7
fn is_rotation(before: &TrustState, next: &TrustState, envelope: &Envelope) -> bool {
    let (verified, _) = envelope.verify_signatures();
    let recovery = &before.bundle.recovery.keys;
    let by_recovery = verified.iter().any(|signature| {
        signature.role == SignatureRole::Recover && recovery.contains(&signature.key.to_openssh())
    });
    let same_but_people = Bundle {
        operators: next.bundle.operators.clone(),
        version: next.bundle.version,
        prev: next.bundle.prev,
        org: next.bundle.org,
        iat: next.bundle.iat,
        ..before.bundle.clone()
    };
    by_recovery && next.bundle == same_but_people && meets_root_threshold(&next.bundle, envelope)
}

/// Whether as many distinct operators signed as the bundle's own root demands.
pub(crate) fn meets_root_threshold(bundle: &Bundle, envelope: &Envelope) -> bool {
    let (signatures, _) = operator_signatures(bundle, envelope);
    let distinct = distinct_operators(&signatures, SignatureRole::Root).len();
    usize::try_from(bundle.root.threshold).is_ok_and(|threshold| distinct >= threshold)
}
