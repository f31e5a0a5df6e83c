//! Both logs as this process has verified them. What was downloaded once is kept while the console runs; its growth is fetched and proven.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use anyhow::{Context as _, Result};
use bartizan_trust::id::{Sha256, StatementId};
use bartizan_trust::policy::LogTrust;

use super::desk::locked;
use super::shapes::AuditRow;
use super::views::audit;
use crate::commands::Console;
use crate::reviews::{self, Review};
use crate::trust::{WholeLog, grown_log};
use crate::witness::Log;

/// What was downloaded, by the name of the log.
#[derive(Default)]
pub(super) struct KnownLogs {
    whole: Mutex<BTreeMap<String, Arc<WholeLog>>>,
    reviews: Mutex<Option<Found<Review>>>,
    audit: Mutex<Option<Found<AuditRow>>>,
}

/// What was found in logs, and of which roots by which bundle.
struct Found<T> {
    roots: Vec<Sha256>,
    bundle: StatementId,
    all: Arc<Vec<T>>,
}

/// What is known already, or what is found now.
fn found<T>(
    slot: &Mutex<Option<Found<T>>>,
    roots: Vec<Sha256>,
    bundle: StatementId,
    find: impl FnOnce() -> Vec<T>,
) -> Arc<Vec<T>> {
    let mut slot = locked(slot);
    if let Some(known) = slot.as_ref().filter(|k| k.roots == roots && k.bundle == bundle) {
        return Arc::clone(&known.all);
    }
    let all = Arc::new(find());
    *slot = Some(Found { roots, bundle, all: Arc::clone(&all) });
    all
}

impl KnownLogs {
    /// Every entry of a log, proven to be what its newest checkpoint says. One that is not what it was is an error.
    pub(super) fn whole(&self, console: &Console, log: Log) -> Result<Arc<WholeLog>> {
        let trust = LogTrust::parse(&console.trust.bundle.log).context("read the log policy")?;
        let key = log.key(&trust);
        let known = locked(&self.whole).get(key.name()).map(Arc::clone);
        let entries = known.as_ref().map_or(&[][..], |known| &known.entries);
        let whole = Arc::new(grown_log(&console.api, log, key, entries)?);
        locked(&self.whole).insert(key.name().to_owned(), Arc::clone(&whole));
        Ok(whole)
    }

    /// Every review that the jobs log shows, newest first.
    pub(super) fn reviews(&self, console: &Console) -> Result<Arc<Vec<Review>>> {
        let whole = self.whole(console, Log::Jobs)?;
        let roots = vec![whole.opened.checkpoint.root];
        let find = || reviews::of_log(console, &whole.entries);
        Ok(found(&self.reviews, roots, console.trust.id, find))
    }

    /// What was done by both logs, in the order of their entries.
    pub(super) fn audit(&self, console: &Console) -> Result<Arc<Vec<AuditRow>>> {
        let mut logs = Vec::new();
        for log in Log::ALL {
            logs.push((log, self.whole(console, log)?));
        }
        let roots = logs.iter().map(|(_, whole)| whole.opened.checkpoint.root).collect();
        Ok(found(&self.audit, roots, console.trust.id, || audit::of_logs(console, &logs)))
    }
}
