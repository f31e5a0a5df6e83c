//! Scripts that more than one person has signed, as the jobs log shows them. Endpoints remember the same of what they ran themselves,
//! by the same rule, and it makes the class of a job milder there.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result};
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::{EndpointId, OperatorId, Sha256, StatementId};
use bartizan_trust::people;
use bartizan_trust::policy::LogTrust;
use bartizan_trust::statement::{Action, Bundle, Decision, Job, Script, StatementType};

use crate::commands::{Console, receipts};
use crate::rollout::fetch_receipts;
use crate::trust::whole_log;
use crate::witness::Log;

/// A job whose script more than one person signed.
#[derive(Debug, Clone)]
pub(crate) struct Review {
    pub(crate) id: StatementId,
    /// Place in the jobs log of the entry that has enough signatures.
    pub(crate) index: u64,
    pub(crate) job: Job,
    pub(crate) script: Script,
    /// As endpoints remember it.
    pub(crate) form: Sha256,
    /// The author first.
    pub(crate) people: Vec<OperatorId>,
}

/// Every review that a jobs log shows, newest first. A job is judged by any bundle that it may have been judged by.
pub(crate) fn of_log(console: &Console, entries: &[Vec<u8>]) -> Vec<Review> {
    let bundles: Vec<&Bundle> =
        core::iter::once(&console.trust.bundle).chain(console.former.iter().rev()).collect();
    let mut found: BTreeMap<StatementId, Review> = BTreeMap::new();
    for (index, entry) in (0..).zip(entries) {
        let Ok(envelope) = Envelope::decode(entry) else { continue };
        if envelope.kind() != Some(StatementType::Job) || found.contains_key(&envelope.id()) {
            continue;
        }
        if let Some(review) = review(&bundles, index, &envelope) {
            found.insert(review.id, review);
        }
    }
    let mut all: Vec<Review> = found.into_values().collect();
    all.sort_by_key(|review| core::cmp::Reverse(review.index));
    all
}

fn review(bundles: &[&Bundle], index: u64, envelope: &Envelope) -> Option<Review> {
    let job: Job = envelope.statement().ok()?;
    let Action::Script(script) = &job.action else { return None };
    let script = script.clone();
    let fitting = bundles.iter().filter(|bundle| bundle.version >= job.bundle_min);
    let (form, people) = fitting
        .filter_map(|bundle| people::signers(bundle, &job, envelope).ok())
        .find_map(|people| people::reviewed(&people, &script).map(|form| (form, people)))?;
    Some(Review { id: envelope.id(), index, job, script, form, people })
}

/// Whether each of these endpoints has said itself, by a receipt that verifies, that it ran exactly this script after a review.
pub(crate) fn ran_on_all(
    console: &Console,
    script: &Script,
    endpoints: &[EndpointId],
) -> Result<bool> {
    let trust = LogTrust::parse(&console.trust.bundle.log).context("read the log policy")?;
    let whole = whole_log(&console.api, Log::Jobs, &trust.jobs)?;
    let form = script.reviewed_as();
    let mut missing: BTreeSet<EndpointId> = endpoints.iter().copied().collect();
    for review in of_log(console, &whole.entries).iter().filter(|review| review.form == form) {
        for bytes in fetch_receipts(&console.api, review.id)? {
            let (receipt, own) = receipts::verify(&bytes)?;
            if own && receipt.job == review.id && receipt.decision != Decision::Refused {
                missing.remove(&receipt.endpoint);
            }
        }
        if missing.is_empty() {
            return Ok(true);
        }
    }
    Ok(missing.is_empty())
}
