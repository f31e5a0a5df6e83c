//! Target trees of jobs in delivery, kept so that a fan-out does not build the same tree for every endpoint.
//!
//! A tree counts only as long as nobody else has changed the database: rows changed by hand are delivered as they are.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bartizan_store::StoreError;
use bartizan_trust::id::{EndpointId, StatementId};
use bartizan_trust::targets::TargetTree;

use crate::db::Db;

/// Jobs whose trees are kept.
const TREES_MAX: usize = 16;

/// The trees.
#[derive(Debug, Default)]
pub(crate) struct Trees {
    /// The newest change of the database by somebody else.
    outside: AtomicI64,
    known: Mutex<HashMap<StatementId, Known>>,
}

/// The change it was built after, and the tree, if the targets make one.
type Known = (i64, Option<Arc<TargetTree>>);

impl Trees {
    /// Somebody else changed the database: trees built before no longer count.
    pub(crate) fn changed(&self, outside: i64) {
        self.outside.store(outside, Ordering::Relaxed);
    }

    /// The tree over the targets the database lists; `None` when they make none.
    pub(crate) async fn tree(
        &self,
        db: &Db,
        job: StatementId,
    ) -> Result<Option<Arc<TargetTree>>, StoreError> {
        let outside = self.outside.load(Ordering::Relaxed);
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&job).cloned();
        if let Some((at, tree)) = known
            && at == outside
        {
            return Ok(tree);
        }
        let endpoints = db.read(move |tx| tx.job_endpoints(job)).await?;
        let leaves: Vec<(EndpointId, u32)> =
            endpoints.into_iter().map(|endpoint| (endpoint, 0)).collect();
        let tree = TargetTree::new(&leaves).ok().map(Arc::new);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= TREES_MAX {
            known.clear();
        }
        known.insert(job, (outside, tree.clone()));
        Ok(tree)
    }
}
