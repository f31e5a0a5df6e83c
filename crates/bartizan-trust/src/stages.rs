//! Staged roll-outs: what a class demands of stages, and whether a stage was promoted. Specification:
//! `docs/spec/verification.md` steps 7 and 14.

use std::collections::BTreeSet;

use crate::envelope::Envelope;
use crate::id::{OperatorId, Sha256, StatementId};
use crate::limits;
use crate::merkle::{Frontier, leaf_hash, verify_inclusion};
use crate::refusal::{Refusal, Retry};
use crate::signers::{meets, operator_signatures};
use crate::state::JobsView;
use crate::statement::{Bundle, ClassRule, Job, Promotion, SignatureRole, Stage, StatementType};

/// An entry of the jobs log, with its place under a checkpoint that travels beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedStatement {
    /// The exact logged envelope.
    pub envelope: Vec<u8>,
    /// Its place in the log.
    pub index: u64,
    /// Its inclusion path.
    pub path: Vec<Sha256>,
}

/// Root of the tree over the receipts that a promotion's evidence counts.
pub fn receipts_root(receipts: &BTreeSet<StatementId>) -> Sha256 {
    let mut tree = Frontier::default();
    for receipt in receipts {
        tree.push(leaf_hash(receipt.hash().as_bytes()));
    }
    tree.root()
}

/// Whether a refusal halts a roll-out: it stays, or says that what the server showed is false.
pub const fn halts(refusal: Refusal) -> bool {
    matches!(refusal.retry(), Retry::Terminal)
        || matches!(
            refusal,
            Refusal::NotTargeted
                | Refusal::NotLogged
                | Refusal::LogSignature
                | Refusal::LogShrunk
                | Refusal::LogFork
                | Refusal::ContentMismatch
        )
}

/// Whether a job's stages are what its class demands.
// SPEC: verification.md step 7
pub fn check_class(rule: &ClassRule, job: &Job) -> Result<(), Refusal> {
    let needed = rule.stages_min.min(job.targets.count);
    if needed <= 1 {
        return Ok(());
    }
    let Some((first, later)) = job.stages.split_first() else { return Err(Refusal::ClassStages) };
    let enough = usize::try_from(needed).is_ok_and(|needed| job.stages.len() >= needed);
    let small = first.count <= rule.first_stage_max;
    let slow = later.iter().all(|stage| stage.soak_s >= rule.soak_s_min);
    if enough && small && slow { Ok(()) } else { Err(Refusal::ClassStages) }
}

/// What promotions are judged against.
#[derive(Debug, Clone, Copy)]
pub struct Rollout<'a> {
    /// The bundle in force.
    pub bundle: &'a Bundle,
    /// The rule of the job's class.
    pub rule: &'a ClassRule,
    /// The job's digest.
    pub id: StatementId,
    /// The job.
    pub job: &'a Job,
}

/// A promotion of the job, in its place.
#[derive(Debug, Clone)]
pub struct Promoted {
    /// Its digest.
    pub id: StatementId,
    /// What it says.
    pub promotion: Promotion,
    /// Who stands behind it.
    pub promoters: BTreeSet<OperatorId>,
    /// Whether they are as many as the stage wants.
    pub enough: bool,
    /// Whether the evidence suffices.
    pub allowed: bool,
}

impl Rollout<'_> {
    /// Judges the promotion to one stage, after those to the stages before led to `prev`.
    ///
    /// Whatever is wrong can be mended by another promotion: it never speaks against the job.
    // SPEC: verification.md step 14
    pub fn judge(
        &self,
        envelope: &[u8],
        to: u32,
        prev: Option<StatementId>,
    ) -> Result<Promoted, Refusal> {
        let promoted = self.read(envelope, to, prev)?;
        if !promoted.enough {
            return Err(Refusal::NotPromoted);
        }
        if promoted.allowed { Ok(promoted) } else { Err(Refusal::StageFailures) }
    }

    /// The same of one that may lack signatures yet, or whose evidence may not suffice.
    pub fn read(
        &self,
        envelope: &[u8],
        to: u32,
        prev: Option<StatementId>,
    ) -> Result<Promoted, Refusal> {
        let no = Refusal::NotPromoted;
        let (before, stage) = self.stages_at(to).ok_or(no)?;
        if envelope.len() > limits::PROMOTION_BYTES_MAX {
            return Err(no);
        }
        let envelope = Envelope::decode(envelope).map_err(|_| no)?;
        if envelope.kind() != Some(StatementType::Promotion) {
            return Err(no);
        }
        let promotion: Promotion = envelope.statement().map_err(|_| no)?;
        let here = promotion.crit.is_empty()
            && promotion.org == self.job.org
            && promotion.job == self.id
            && promotion.to == to
            && promotion.prev == prev
            && promotion.evidence.endpoints() == u64::from(before.count);
        if !here {
            return Err(no);
        }
        let promoters = self.promoters(&envelope);
        Ok(Promoted {
            id: envelope.id(),
            enough: enough(promoters.len(), stage),
            allowed: promotion.evidence.allows(stage),
            promoters,
            promotion,
        })
    }

    /// The stage before, and this one.
    fn stages_at(&self, to: u32) -> Option<(&Stage, &Stage)> {
        let to = usize::try_from(to).ok()?;
        Some((self.job.stages.get(to.checked_sub(1)?)?, self.job.stages.get(to)?))
    }

    fn promoters(&self, envelope: &Envelope) -> BTreeSet<OperatorId> {
        let (signatures, _) = operator_signatures(self.bundle, envelope);
        signatures
            .iter()
            .filter(|s| s.role == SignatureRole::Promote)
            .filter(|s| s.operator.tenants.contains(&self.job.tenant))
            .filter(|s| meets(self.rule.user_check, &s.facts))
            .map(|s| s.operator.id.clone())
            .collect()
    }

    /// Judges every promotion that leads to a stage, each logged under the checkpoint that proves the job. Returns who
    /// stands behind them.
    // SPEC: verification.md step 14
    pub(crate) fn judge_all(
        &self,
        stage: u32,
        promotions: &[LoggedStatement],
        shown: &JobsView,
    ) -> Result<BTreeSet<OperatorId>, Refusal> {
        if usize::try_from(stage).ok() != Some(promotions.len()) {
            return Err(Refusal::NotPromoted);
        }
        let mut promoters = BTreeSet::new();
        let mut prev = None;
        for (to, logged) in (1..).zip(promotions) {
            let leaf = leaf_hash(&logged.envelope);
            verify_inclusion(&leaf, logged.index, shown.size, &logged.path, &shown.root)
                .map_err(|_| Refusal::NotPromoted)?;
            let promoted = self.judge(&logged.envelope, to, prev)?;
            promoters.extend(promoted.promoters);
            prev = Some(promoted.id);
        }
        Ok(promoters)
    }
}

fn enough(count: usize, stage: &Stage) -> bool {
    usize::try_from(stage.promote_min.max(1)).is_ok_and(|needed| count >= needed)
}
