//! A mirror: both logs as static tiles, and beside them what the logs only name: scripts, lists of targets, receipts, endpoints.
//! Everything in it is verified when it is written and again when it is read, so it does not matter who kept it.

mod folder;
mod keep;
mod merge;

pub(crate) use folder::{Mirror, Work, work};
pub(crate) use keep::{Kept, update};
pub(crate) use merge::merge;

use std::collections::BTreeSet;

use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::{EndpointId, StatementId};
use bartizan_trust::statement::{Content, Descriptor, Job, Receipt, SignatureRole, StatementType};
use bartizan_trust::targets::{TargetTree, in_stages};

/// A receipt, if the key that signed it is the one its endpoint is named after.
pub(crate) fn receipt(bytes: &[u8]) -> Option<(StatementId, Receipt)> {
    let envelope = Envelope::decode(bytes).ok()?;
    let receipt: Receipt = envelope.statement().ok()?;
    let (signatures, _) = envelope.verify_signatures();
    let own = |s: &bartizan_trust::envelope::VerifiedSignature| {
        s.role == SignatureRole::Receipt && s.key.endpoint_id() == receipt.endpoint
    };
    signatures.iter().any(own).then(|| (envelope.id(), receipt))
}

/// A descriptor, if its endpoint signed it.
pub(crate) fn descriptor(id: EndpointId, bytes: &[u8]) -> Option<Descriptor> {
    let envelope = Envelope::decode(bytes).ok()?;
    let descriptor: Descriptor = envelope.statement().ok()?;
    let (signatures, _) = envelope.verify_signatures();
    let own = |s: &bartizan_trust::envelope::VerifiedSignature| {
        s.role == SignatureRole::Descriptor && s.key.endpoint_id() == id
    };
    signatures.iter().any(own).then_some(descriptor)
}

/// The bytes a job carries, by its own word.
pub(crate) const fn content(job: &Job) -> Content {
    job.action.content()
}

/// Whether these are the script and the targets that the job's signatures cover.
pub(crate) fn fits(job: &Job, work: &Work) -> bool {
    let expected = content(job);
    let leaves = in_stages(&work.targets, &job.stages);
    bartizan_trust::id::Sha256::of(&work.content) == expected.sha256
        && TargetTree::new(&leaves).is_ok_and(|tree| tree.targets() == job.targets)
}

/// The jobs of a log, each once, in the order in which they came; the envelope is the one with most signatures.
pub(crate) fn jobs(entries: &[Vec<u8>]) -> Vec<(StatementId, Job, Envelope)> {
    let mut known = BTreeSet::new();
    let mut found = Vec::new();
    for envelope in entries.iter().rev().filter_map(|entry| Envelope::decode(entry).ok()) {
        let id = envelope.id();
        if let Ok(job) = envelope.statement::<Job>()
            && known.insert(id)
        {
            found.push((id, job, envelope));
        }
    }
    found.reverse();
    found
}

/// What endpoints answer with receipts besides jobs.
pub(crate) fn freezes(entries: &[Vec<u8>]) -> Vec<StatementId> {
    let envelopes = entries.iter().filter_map(|entry| Envelope::decode(entry).ok());
    envelopes.filter(|e| e.kind() == Some(StatementType::Freeze)).map(|e| e.id()).collect()
}
