//! What was taken back for good: judging withdrawals, and which jobs they mean. Specification: `docs/spec/verification.md`, "Withdrawals".

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::envelope::Envelope;
use crate::id::{OperatorId, OrgId, StatementId};
use crate::limits;
use crate::refusal::Refusal;
use crate::signers::{distinct_operators, operator_signatures};
use crate::statement::{Bundle, SignatureRole, Statement as _, Withdrawal};
use crate::time::UnixSeconds;

/// A withdrawal that was accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Withdrawn {
    /// Remembered until then, by witness time.
    exp: UnixSeconds,
    /// Who signed it.
    by: BTreeSet<OperatorId>,
}

/// Jobs and standing orders that were taken back.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Withdrawals(BTreeMap<StatementId, Withdrawn>);

impl Withdrawals {
    /// None.
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Whether a job was taken back.
    pub fn contains(&self, job: &StatementId) -> bool {
        self.0.contains_key(job)
    }

    /// Takes a withdrawal in, if its signers may make it.
    // SPEC: verification.md W1 to W3
    pub(crate) fn withdraw(
        &mut self,
        bundle: &Bundle,
        org: OrgId,
        at: UnixSeconds,
        envelope: &Envelope,
    ) -> Result<(), Refusal> {
        let withdrawal: Withdrawal = envelope.statement().map_err(|_| Refusal::Malformed)?;
        if !withdrawal.crit().is_empty() {
            return Err(Refusal::CriticalUnknown);
        }
        if withdrawal.org != org {
            return Err(Refusal::WrongOrg);
        }
        let (signatures, _) = operator_signatures(bundle, envelope);
        let by: BTreeSet<OperatorId> =
            distinct_operators(&signatures, SignatureRole::Freeze).into_iter().cloned().collect();
        if by.is_empty() {
            return Err(Refusal::FreezeInvalid);
        }
        if withdrawal.exp <= at {
            return Err(Refusal::Expired);
        }
        self.forget(at);
        let of = |who: &OperatorId| self.0.values().filter(|known| known.by.contains(who)).count();
        if by.iter().all(|who| of(who) >= limits::WITHDRAWALS_PER_OPERATOR_MAX) {
            return Err(Refusal::FreezeLimit);
        }
        let known = self.0.entry(withdrawal.job).or_insert_with(|| Withdrawn { exp: at, by });
        known.exp = known.exp.max(withdrawal.exp);
        Ok(())
    }

    /// Drops what no endpoint can accept any longer.
    pub(crate) fn forget(&mut self, floor: UnixSeconds) {
        self.0.retain(|_, known| floor < known.exp);
    }
}
