//! Delivering jobs, one at a time, exactly as the database has them.
//!
//! Nothing is checked here that an endpoint checks: evidence is gathered as well as it can be, and
//! where a row was changed by hand the endpoint says no and why.

use std::sync::Arc;
use std::time::Duration;

use bartizan_proto::limits::CHUNK_BYTES_MAX;
use bartizan_proto::message::{JobMessage, Message};
use bartizan_proto::operator::JobEvent;
use bartizan_store::{DueJob, PromotionRecord, Tx};
use bartizan_trust::id::{Sha256, StatementId};
use bartizan_trust::limits::JOB_STAGES_MAX;
use bartizan_trust::refusal::{Refusal, Retry};
use bartizan_trust::stages::LoggedStatement;
use bartizan_trust::targets::TargetPlace;
use tokio::time::Instant;

use super::policies;
use super::session::Session;
use crate::app::{Organisation, now};
use crate::convert::target_row;
use crate::dossiers::Dossier;
use crate::logs::{Covered, Log};
use crate::metrics::count;

/// An endpoint that does not say what it did with a job is asked again after this long.
const ANSWER_TIMEOUT: Duration = Duration::from_mins(1);
/// First and longest pause before a refused job is delivered again.
const RETRY_MIN: Duration = Duration::from_secs(2);
const RETRY_MAX: Duration = Duration::from_mins(5);
/// Delivered jobs remembered per connection.
const REMEMBERED_MAX: usize = 256;

/// The job the endpoint is judging.
#[derive(Debug)]
pub(super) struct InFlight {
    /// The id of the envelope that was sent; the row's own unless the row was changed.
    pub(super) known_as: StatementId,
    until: Instant,
}

/// An earlier delivery over this connection.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) evidence: Sha256,
    pub(super) count: u32,
    pub(super) not_before: Instant,
}

impl InFlight {
    pub(super) fn begin(known_as: StatementId) -> Self {
        Self { known_as, until: Instant::now() + ANSWER_TIMEOUT }
    }
}

impl Attempt {
    /// One more after `tried` others; the next waits longer.
    pub(super) fn next(evidence: Sha256, tried: u32) -> Self {
        let pause = RETRY_MIN.saturating_mul(1 << tried.min(8)).min(RETRY_MAX);
        Self { evidence, count: tried + 1, not_before: Instant::now() + pause }
    }
}

/// Where to find what a delivery carries.
struct Evidence {
    message: JobMessage,
    known_as: StatementId,
    /// Hash of everything whose change may change the answer.
    hash: Sha256,
}

impl Session {
    /// When to look for work again without being woken.
    pub(super) fn delivery_timer(&self) -> Option<Instant> {
        let answer = self.in_flight.as_ref().map(|in_flight| in_flight.until);
        let now = Instant::now();
        let retry =
            self.attempts.values().map(|attempt| attempt.not_before).filter(|at| *at > now).min();
        answer.or(retry)
    }

    /// There may be new work: it is read as soon as the endpoint is free.
    pub(super) async fn look_for_work(&mut self) -> anyhow::Result<()> {
        self.look_again = true;
        self.deliver_next().await
    }

    /// Delivers the next job that is due, if the endpoint is free.
    pub(super) async fn deliver_next(&mut self) -> anyhow::Result<()> {
        if !self.admitted || self.is_busy() || self.app.is_quarantined() {
            return Ok(());
        }
        self.in_flight = None;
        let Some(organisation) = self.app.organisation() else { return Ok(()) };
        if core::mem::take(&mut self.look_again) {
            let (id, at) = (self.id, now().get());
            let read = move |tx: &mut Tx<'_>| {
                Ok((tx.outside_changes()?, tx.due_jobs(id, at)?, tx.policies_of(id, at)?))
            };
            let (outside, due, all) = self.app.db.read(read).await?;
            self.app.dossiers.changed_outside(outside);
            self.due_policies = policies::due(&organisation, all).into();
            self.due = due.into_iter().filter(|job| !is_terminal(job.code.as_deref())).collect();
        }
        while let Some(job) = self.due.pop_front() {
            if self.deliver(&organisation, &job).await? {
                return Ok(());
            }
        }
        while let Some(policy) = self.due_policies.pop_front() {
            if Box::pin(self.deliver_policy(&organisation, &policy)).await? {
                return Ok(());
            }
        }
        Ok(())
    }

    fn is_busy(&self) -> bool {
        self.in_flight.as_ref().is_some_and(|in_flight| Instant::now() < in_flight.until)
    }

    async fn deliver(&mut self, organisation: &Organisation, due: &DueJob) -> anyhow::Result<bool> {
        let attempt = self.attempts.get(&due.job);
        if attempt.is_some_and(|attempt| Instant::now() < attempt.not_before) {
            return Ok(false);
        }
        let Some(evidence) = self.gather(organisation, due.job).await? else { return Ok(false) };
        let tried = attempt.map_or(0, |attempt| attempt.count);
        let unchanged = attempt.is_some_and(|attempt| attempt.evidence == evidence.hash);
        if unchanged && due.state == "refused" && !passes_with_time(due.code.as_deref()) {
            return Ok(false);
        }
        self.push_control(true).await?;
        self.note_attempt(due.job, Attempt::next(evidence.hash, tried));
        self.rows.insert(evidence.known_as, due.job);
        self.in_flight = Some(InFlight::begin(evidence.known_as));
        self.send(&Message::Job(evidence.message)).await?;
        count(&self.app.metrics.jobs_delivered);
        self.move_target(due.job, "delivered").await?;
        Ok(true)
    }

    pub(super) fn note_attempt(&mut self, id: StatementId, attempt: Attempt) {
        if self.attempts.len() >= REMEMBERED_MAX {
            self.attempts.clear();
            self.rows.clear();
        }
        self.attempts.insert(id, attempt);
    }

    /// Everything an endpoint needs to decide; `None` while no checkpoint with the class's witnesses covers the job.
    async fn gather(
        &self,
        organisation: &Organisation,
        id: StatementId,
    ) -> anyhow::Result<Option<Evidence>> {
        let Some(dossier) = self.app.dossiers.of(&self.app.db, id).await? else { return Ok(None) };
        let Some(covered) = self.covering(organisation, &dossier) else { return Ok(None) };
        let log = &self.app.logs.jobs;
        let Some(proof) = log.proof(dossier.log_index, &covered) else { return Ok(None) };
        // An endpoint that is no leaf gets no path, and says so itself.
        let here = dossier.tree.as_ref().and_then(|tree| tree.place(&self.id));
        let TargetPlace { stage, index, path } = here.unwrap_or_default();
        let promotions = promotions(&dossier, stage, log, &covered);
        let promoted: Vec<&[u8]> = promotions.iter().map(|logged| &*logged.envelope).collect();
        let hash = Sha256::of_parts(&[
            &dossier.envelope,
            &dossier.log_index.to_be_bytes(),
            &stage.to_be_bytes(),
            &index.to_be_bytes(),
            path.iter()
                .fold(Sha256::of(b""), |all, hash| {
                    Sha256::of_parts(&[all.as_bytes(), hash.as_bytes()])
                })
                .as_bytes(),
            &organisation.bundle().version.to_be_bytes(),
            Sha256::of_parts(&promoted).as_bytes(),
        ]);
        let consistency = log.consistency(self.jobs_size, covered.size);
        tracing::debug!(endpoint.id = %self.id, job.id = %id, from = self.jobs_size, to = covered.size, "evidence");
        let envelope = dossier.envelope.clone();
        let message = JobMessage { envelope, proof, consistency, stage, index, path, promotions };
        Ok(Some(Evidence { message, known_as: dossier.known_as, hash }))
    }

    fn covering(&self, organisation: &Organisation, dossier: &Dossier) -> Option<Covered> {
        let policy = &organisation.log.policy;
        let class = dossier.job.as_ref().map(|job| job.class);
        let rule = class.and_then(|class| organisation.bundle().class_rule(class));
        let group = rule.map_or_else(|| policy.quorum(), |rule| rule.witnesses.as_str());
        self.app.logs.jobs.covered(policy, group, dossier.log_index.saturating_add(1))
    }

    /// Sends the pieces of a content from an offset on, to its end.
    pub(super) async fn send_content(&mut self, sha256: Sha256, offset: u32) -> anyhow::Result<()> {
        if self.app.is_quarantined() {
            // What was delivered before waits with the rest.
            return Ok(());
        }
        let rows: Vec<StatementId> = self.rows.values().copied().collect();
        let Some(dossier) = self.find_content(&rows, sha256).await? else {
            tracing::warn!(endpoint.id = %self.id, "content requested of no job delivered here");
            return Ok(());
        };
        let content = &dossier.content;
        let total = u32::try_from(content.len()).unwrap_or(u32::MAX);
        let mut offset = offset.min(total);
        let mut rest =
            usize::try_from(offset).ok().and_then(|start| content.get(start..)).unwrap_or_default();
        loop {
            let (piece, more) = rest.split_at(rest.len().min(CHUNK_BYTES_MAX));
            self.send(&Message::Content { sha256, total, offset, bytes: piece.to_vec() }).await?;
            offset += u32::try_from(piece.len()).unwrap_or(0);
            rest = more;
            if rest.is_empty() {
                return Ok(());
            }
        }
    }

    /// The delivered job that names this hash, with whatever the database now holds as its content.
    async fn find_content(
        &self,
        rows: &[StatementId],
        sha256: Sha256,
    ) -> anyhow::Result<Option<Arc<Dossier>>> {
        for row in rows {
            let dossier = self.app.dossiers.of(&self.app.db, *row).await?;
            let named = dossier.filter(|dossier| dossier.content_hash() == Some(sha256));
            if named.is_some() {
                return Ok(named);
            }
        }
        Ok(None)
    }

    /// Moves this endpoint's target and tells those who watch.
    pub(super) async fn move_target(
        &self,
        job: StatementId,
        state: &'static str,
    ) -> anyhow::Result<()> {
        let id = self.id;
        let moved = self.app.db.write(move |tx| tx.move_target(job, id, state)).await?;
        if let Some(target) = moved {
            self.app.events.push(job, JobEvent::Target(target_row(&target)));
        }
        Ok(())
    }
}

/// The promotions to a stage that the checkpoint covers, without a gap.
fn promotions(dossier: &Dossier, stage: u32, log: &Log, covered: &Covered) -> Vec<LoggedStatement> {
    let logged = |(to, record): (u32, &PromotionRecord)| {
        let path = log.inclusion_path(record.log_index, covered.size)?;
        let (envelope, index) = (record.envelope.clone(), record.log_index);
        (record.stage == to).then_some(LoggedStatement { envelope, index, path })
    };
    let most = usize::try_from(stage).unwrap_or(usize::MAX).min(JOB_STAGES_MAX - 1);
    (1..).zip(&dossier.promotions).take(most).map_while(logged).collect()
}

fn refusal(code: Option<&str>) -> Option<Refusal> {
    Refusal::ALL.iter().copied().find(|refusal| Some(refusal.code()) == code)
}

pub(super) fn is_terminal(code: Option<&str>) -> bool {
    refusal(code).is_some_and(|refusal| refusal.retry() == Retry::Terminal)
}

/// Refusals that time, the control log, the content (which is fetched apart) or other evidence about the log can
/// turn into a yes.
pub(super) fn passes_with_time(code: Option<&str>) -> bool {
    matches!(
        refusal(code),
        Some(
            Refusal::TooEarly
                | Refusal::ControlStale
                | Refusal::ControlGap
                | Refusal::BundleTooOld
                | Refusal::RateLimited
                | Refusal::OperatorRateLimited
                | Refusal::PoliciesFull
                | Refusal::AfterMissing
                | Refusal::SeenFull
                | Refusal::DelayRuns
                | Refusal::StageSoaks
                | Refusal::Frozen
                | Refusal::NotWitnessed
                | Refusal::ContentMismatch
                | Refusal::LogShrunk
                | Refusal::LogFork
        )
    )
}
