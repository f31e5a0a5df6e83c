//! Roll-outs: a job for endpoints 0 to 2, each in a stage of its own.

use anyhow::{Context, Result, anyhow};
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::{EndpointId, Sha256, StatementId};
use bartizan_trust::stages::LoggedStatement;
use bartizan_trust::state::State;
use bartizan_trust::statement::{Evidence, Job, Promotion, Stage, V1};
use bartizan_trust::targets::{TargetTree, in_stages, sort_endpoints};

use super::{Delivery, World};

/// A later stage of one endpoint, to which one person promotes when nothing failed.
pub fn stage(name: &str, soak_s: u64) -> Stage {
    Stage { name: name.to_owned(), count: 1, soak_s, promote_min: 1, failures_percent_max: 0 }
}

/// How a stage of one endpoint went, if it went well.
pub fn went_well() -> Evidence {
    Evidence { ok: 1, fail: 0, refused: 0, pending: 0, receipts_root: Sha256::of(b"receipts") }
}

impl World {
    /// The target tree of some endpoints, sorted into stages.
    pub fn staged_tree(numbers: &[u32], stages: &[Stage]) -> Result<TargetTree> {
        let ids = Self::sorted_ids(numbers)?;
        TargetTree::new(&in_stages(&ids, stages)).map_err(|error| anyhow!("{error}"))
    }

    /// The endpoint, of 0 to 2, that is alone in a stage of [`Self::staged_job`].
    pub fn alone_in(&self, stage: usize) -> Result<State> {
        let number = Self::number_in(stage)?;
        self.endpoint(number)
    }

    /// Its number.
    pub fn number_in(stage: usize) -> Result<u32> {
        let ids = Self::sorted_ids(&[0, 1, 2])?;
        let wanted = ids.get(stage).context("a stage of the three")?;
        let found = (0..3).find(|number| Self::endpoint_id(*number).is_ok_and(|id| id == *wanted));
        found.context("an endpoint of the three")
    }

    /// A job of class `change` in three stages of one endpoint each.
    pub fn staged_job(&mut self, soak_s: u64) -> Result<Job> {
        let stages = vec![Stage::only(1), stage("next", soak_s), stage("rest", soak_s)];
        let targets = Self::staged_tree(&[0, 1, 2], &stages)?.targets();
        Ok(Job { stages, targets, ..self.job()? })
    }

    /// A promotion after a stage of one endpoint that went well.
    pub fn promotion(&self, job: StatementId, to: u32, prev: Option<StatementId>) -> Promotion {
        Promotion {
            v: V1,
            org: self.org,
            iat: self.now,
            crit: Vec::new(),
            job,
            to,
            prev,
            evidence: went_well(),
            despite_refusals: None,
        }
    }

    /// Logs promotions, then a job of [`Self::staged_job`], and delivers it with them.
    pub fn deliver_staged(
        &mut self,
        job: &Envelope,
        promotions: &[Envelope],
        state: &State,
    ) -> Result<Delivery> {
        let statement: Job = job.statement().map_err(|error| anyhow!("{error}"))?;
        let places: Vec<_> =
            promotions.iter().map(|envelope| self.jobs.append(envelope.encode())).collect();
        let delivery = self.deliver(job, state)?;
        let size = self.jobs.size();
        let logged = |(envelope, index): (&Envelope, u64)| {
            let path = self.jobs.path(index, size)?;
            Ok(LoggedStatement { envelope: envelope.encode(), index, path })
        };
        let promotions = promotions.iter().zip(places).map(logged).collect::<Result<Vec<_>>>()?;
        let place = Self::staged_tree(&[0, 1, 2], &statement.stages)?
            .place(&state.endpoint)
            .unwrap_or_default();
        Ok(Delivery {
            stage: place.stage,
            index: place.index,
            path: place.path,
            promotions,
            ..delivery
        })
    }

    /// Endpoints in the order of a target tree.
    pub fn sorted_ids(numbers: &[u32]) -> Result<Vec<EndpointId>> {
        let mut ids =
            numbers.iter().map(|number| Self::endpoint_id(*number)).collect::<Result<Vec<_>>>()?;
        sort_endpoints(&mut ids);
        Ok(ids)
    }
}
