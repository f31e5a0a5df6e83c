//! What stands still: judging freezes and thaws, and which jobs they cover. Specification: `docs/spec/verification.md`, "Freezes".

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::envelope::Envelope;
use crate::id::{OperatorId, OrgId, StatementId, TenantId};
use crate::limits;
use crate::refusal::Refusal;
use crate::signers::{distinct_operators, operator_signatures};
use crate::statement::{
    Bundle, Class, Freeze, FreezeScope, Job, SignatureRole, Statement as _, Thaw,
};
use crate::time::UnixSeconds;

/// A freeze that was accepted; kept while it stands and while it counts against its maker's daily number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StandingFreeze {
    /// What is stopped.
    pub scope: FreezeScope,
    /// When it was made.
    pub iat: UnixSeconds,
    /// Not at or after, by witness time.
    pub exp: UnixSeconds,
    /// Who signed it.
    pub by: BTreeSet<OperatorId>,
    /// Whether it was ended early.
    pub thawed: bool,
}

/// What a freeze may mean: a statement, on whose endpoint, and who stands behind it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Work<'a> {
    pub(crate) id: StatementId,
    pub(crate) tenant: &'a TenantId,
    pub(crate) class: Class,
    pub(crate) signers: &'a [OperatorId],
}

/// Freezes by their digest.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Freezes(BTreeMap<StatementId, StandingFreeze>);

impl Freezes {
    /// None.
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Every freeze that is remembered.
    pub fn iter(&self) -> impl Iterator<Item = (&StatementId, &StandingFreeze)> {
        self.0.iter()
    }

    /// Those in force at a witness time.
    pub fn standing(
        &self,
        floor: UnixSeconds,
    ) -> impl Iterator<Item = (&StatementId, &StandingFreeze)> {
        self.0.iter().filter(move |(_, freeze)| !freeze.thawed && floor < freeze.exp)
    }

    /// Whether a job that these operators signed stands still.
    pub fn cover(
        &self,
        floor: UnixSeconds,
        id: StatementId,
        job: &Job,
        signers: &[OperatorId],
    ) -> bool {
        self.cover_work(floor, &Work { id, tenant: &job.tenant, class: job.class, signers })
    }

    /// The same of any statement.
    pub(crate) fn cover_work(&self, floor: UnixSeconds, work: &Work<'_>) -> bool {
        self.standing(floor).any(|(_, freeze)| match &freeze.scope {
            FreezeScope::Org => true,
            FreezeScope::Tenant(tenant) => tenant == work.tenant,
            FreezeScope::Class(class) => *class == work.class,
            FreezeScope::Job(frozen) => *frozen == work.id,
            FreezeScope::Operator(operator) => work.signers.contains(operator),
            FreezeScope::Sessions => false,
        })
    }

    /// Takes a freeze in, if its signers may make it. The same one twice changes nothing. It was made by `now` and is not over at
    /// the witness time `floor`.
    // SPEC: verification.md F1 to F4
    pub(crate) fn freeze(
        &mut self,
        bundle: &Bundle,
        org: OrgId,
        (now, floor): (UnixSeconds, UnixSeconds),
        envelope: &Envelope,
    ) -> Result<(), Refusal> {
        if self.0.contains_key(&envelope.id()) {
            return Ok(());
        }
        let freeze: Freeze = envelope.statement().map_err(|_| Refusal::Malformed)?;
        if !freeze.crit().is_empty() {
            return Err(Refusal::CriticalUnknown);
        }
        if freeze.org != org {
            return Err(Refusal::WrongOrg);
        }
        let by = signers(bundle, envelope);
        if by.is_empty() {
            return Err(Refusal::FreezeInvalid);
        }
        if now.plus(limits::CLOCK_SKEW_S) < freeze.iat {
            return Err(Refusal::TooEarly);
        }
        if freeze.exp <= floor {
            return Err(Refusal::Expired);
        }
        self.forget(floor);
        self.check_limits(is_quorum(bundle, &by), &freeze, &by)?;
        let Freeze { scope, iat, exp, .. } = freeze;
        self.0.insert(envelope.id(), StandingFreeze { scope, iat, exp, by, thawed: false });
        Ok(())
    }

    fn check_limits(
        &self,
        quorum: bool,
        freeze: &Freeze,
        by: &BTreeSet<OperatorId>,
    ) -> Result<(), Refusal> {
        let longest = if quorum { limits::FREEZE_QUORUM_S_MAX } else { limits::FREEZE_ALONE_S_MAX };
        if freeze.exp.since(freeze.iat) > longest || self.0.len() >= limits::FREEZES_MAX {
            return Err(Refusal::FreezeLimit);
        }
        let same_day = |other: &StandingFreeze| {
            other.iat.since(freeze.iat).max(freeze.iat.since(other.iat)) < limits::DAY_S
        };
        let theirs = |other: &&StandingFreeze| !other.by.is_disjoint(by) && same_day(other);
        let today = self.0.values().filter(theirs).count();
        if !quorum && today >= limits::FREEZES_PER_DAY {
            return Err(Refusal::FreezeLimit);
        }
        Ok(())
    }

    /// Ends a freeze: the one who made it and another operator, or a quorum.
    // SPEC: verification.md F5
    pub(crate) fn thaw(
        &mut self,
        bundle: &Bundle,
        org: OrgId,
        envelope: &Envelope,
    ) -> Result<(), Refusal> {
        let thaw: Thaw = envelope.statement().map_err(|_| Refusal::Malformed)?;
        if !thaw.crit().is_empty() {
            return Err(Refusal::CriticalUnknown);
        }
        if thaw.org != org {
            return Err(Refusal::WrongOrg);
        }
        let frozen = self.0.get_mut(&thaw.freeze).ok_or(Refusal::FreezeUnknown)?;
        let by = signers(bundle, envelope);
        let with_its_maker = by.len() >= 2 && !by.is_disjoint(&frozen.by);
        if !with_its_maker && !is_quorum(bundle, &by) {
            return Err(Refusal::ThawThreshold);
        }
        frozen.thawed = true;
        Ok(())
    }

    /// Drops what neither stands nor counts any longer.
    pub(crate) fn forget(&mut self, floor: UnixSeconds) {
        // A thawed one is kept to its end: delivered again, it must not stand again.
        self.0.retain(|_, freeze| floor < freeze.exp || floor.since(freeze.iat) < limits::DAY_S);
    }
}

fn signers(bundle: &Bundle, envelope: &Envelope) -> BTreeSet<OperatorId> {
    let (signatures, _) = operator_signatures(bundle, envelope);
    distinct_operators(&signatures, SignatureRole::Freeze).into_iter().cloned().collect()
}

/// As many as the root threshold, and two at least.
fn is_quorum(bundle: &Bundle, by: &BTreeSet<OperatorId>) -> bool {
    by.len() >= 2 && usize::try_from(bundle.root.threshold).is_ok_and(|needed| by.len() >= needed)
}
