//! What is the same for every endpoint of a job: read, decoded and hashed once for a whole fan-out.
//!
//! A dossier counts until somebody changes the job: this server, or anybody who edits the database. Rows changed by
//! hand are delivered as they are; it is for the endpoints to refuse.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bartizan_store::{PromotionRecord, StoreError};
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::{Sha256, StatementId};
use bartizan_trust::statement::Job;
use bartizan_trust::targets::{TargetTree, in_stages};

use crate::db::Db;

/// Jobs whose dossiers are kept: most hold a script of at most 1 MiB.
const DOSSIERS_MAX: usize = 16;
/// Bytes of content they hold together: two updates of the largest size.
const DOSSIERS_BYTES_MAX: usize = 128 * 1024 * 1024;

/// One job as the database has it.
#[derive(Debug)]
pub(crate) struct Dossier {
    /// The exact envelope.
    pub(crate) envelope: Vec<u8>,
    /// The envelope's own id; the row's where it cannot be read.
    pub(crate) known_as: StatementId,
    /// The statement, if it can be read.
    pub(crate) job: Option<Job>,
    /// Place in the jobs log.
    pub(crate) log_index: u64,
    /// The tree over the targets the database lists, if they make one.
    pub(crate) tree: Option<TargetTree>,
    /// Promotions to its later stages, in order.
    pub(crate) promotions: Vec<PromotionRecord>,
    /// What it carries.
    pub(crate) content: Vec<u8>,
}

impl Dossier {
    /// The hash under which endpoints ask for the content.
    pub(crate) fn content_hash(&self) -> Option<Sha256> {
        self.job.as_ref().map(|job| job.action.content().sha256)
    }
}

/// The dossiers of jobs in delivery.
#[derive(Debug, Default)]
pub(crate) struct Dossiers {
    /// Rises with every change of a job; what was read before does not count.
    generation: AtomicU64,
    outside: AtomicI64,
    reading: tokio::sync::Mutex<()>,
    known: Mutex<HashMap<StatementId, (u64, Arc<Dossier>)>>,
}

impl Dossiers {
    /// A job was changed by this server, and the change is committed.
    pub(crate) fn changed(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
    }

    /// What the database says of changes by others.
    pub(crate) fn changed_outside(&self, outside: i64) {
        if self.outside.swap(outside, Ordering::AcqRel) != outside {
            self.changed();
        }
    }

    /// The dossier of a job; `None` when there is no such job.
    pub(crate) async fn of(
        &self,
        db: &Db,
        job: StatementId,
    ) -> Result<Option<Arc<Dossier>>, StoreError> {
        if let Some(dossier) = self.known_now(job) {
            return Ok(Some(dossier));
        }
        // A fan-out asks from a thousand connections at once: one of them reads, the others find it here.
        let _reading = self.reading.lock().await;
        if let Some(dossier) = self.known_now(job) {
            return Ok(Some(dossier));
        }
        let generation = self.generation.load(Ordering::Acquire);
        let read = db.read(move |tx| {
            let Some(record) = tx.job(job)? else { return Ok(None) };
            let content = tx.job_content(job)?.unwrap_or_default();
            Ok(Some((record, content, tx.job_endpoints(job)?, tx.promotions(job)?)))
        });
        let Some((record, content, endpoints, promotions)) = read.await? else { return Ok(None) };
        let envelope = Envelope::decode(&record.envelope).ok();
        let statement: Option<Job> = envelope.as_ref().and_then(|e| e.statement().ok());
        let stages = statement.as_ref().map_or(&[][..], |job| &job.stages);
        let dossier = Arc::new(Dossier {
            known_as: envelope.as_ref().map_or(job, Envelope::id),
            tree: TargetTree::new(&in_stages(&endpoints, stages)).ok(),
            job: statement,
            envelope: record.envelope,
            log_index: record.log_index,
            promotions,
            content,
        });
        let mut known = self.lock();
        known.retain(|_, (at, _)| *at == generation);
        let bytes: usize = known.values().map(|(_, dossier)| dossier.content.len()).sum();
        if known.len() >= DOSSIERS_MAX || bytes + dossier.content.len() > DOSSIERS_BYTES_MAX {
            known.clear();
        }
        known.insert(job, (generation, Arc::clone(&dossier)));
        Ok(Some(dossier))
    }

    fn known_now(&self, job: StatementId) -> Option<Arc<Dossier>> {
        let generation = self.generation.load(Ordering::Acquire);
        let known = self.lock();
        known.get(&job).filter(|(at, _)| *at == generation).map(|(_, dossier)| Arc::clone(dossier))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<StatementId, (u64, Arc<Dossier>)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
