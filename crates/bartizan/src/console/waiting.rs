//! Jobs that wait for signatures, as they were verified: a look at the inbox asks only for what is new or was signed since.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use anyhow::Result;
use bartizan_proto::operator::JobRow;
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::StatementId;
use bartizan_trust::statement::Job;

use super::desk::locked;
use super::views::jobs;
use crate::commands::Console;

/// A job that verified.
pub(super) struct WaitingJob {
    pub(super) envelope: Envelope,
    pub(super) job: Job,
    /// By which bundle.
    bundle: StatementId,
    /// The server's word for how often it was signed: one that lies about it shows an older state, as it could anyway.
    log_index: u64,
}

/// What was verified, by its id.
#[derive(Default)]
pub(super) struct WaitingJobs(Mutex<BTreeMap<StatementId, Arc<WaitingJob>>>);

impl WaitingJobs {
    /// Forgets what waits no longer, so that it never holds more than one list.
    pub(super) fn keep_only(&self, rows: &[JobRow]) {
        let listed: BTreeSet<StatementId> = rows.iter().map(|row| row.id).collect();
        locked(&self.0).retain(|id, _| listed.contains(id));
    }

    /// The job of a row, verified by the bundle in force.
    pub(super) fn verified(&self, console: &Console, row: &JobRow) -> Result<Arc<WaitingJob>> {
        let bundle = console.trust.id;
        let known = locked(&self.0).get(&row.id).map(Arc::clone);
        let fresh = |known: &Arc<WaitingJob>| {
            known.bundle == bundle && Some(known.log_index) == row.log_index
        };
        if let Some(known) = known.filter(fresh) {
            return Ok(known);
        }
        let detail = jobs::detail(console, row.id)?;
        let (envelope, job, _) = jobs::verify(console, row.id, &detail)?;
        let found = Arc::new(WaitingJob { envelope, job, bundle, log_index: detail.log_index });
        locked(&self.0).insert(row.id, Arc::clone(&found));
        Ok(found)
    }
}
