//! Quarantine: the server relays freezes, bundles, receipts and inventories, but delivers no job and takes none, until
//! an operator has looked (`bartizan preflight`). It is kept in the database, so that a restart does not end it.
//!
//! It protects people from an honest server that is not what they think it is. Endpoints do not rely on it.

use bartizan_proto::preflight::{Lifted, Quarantine, QuarantineReason};
use bartizan_store::{StoreError, Tx};
use bartizan_trust::id::OperatorId;
use bartizan_trust::time::UnixSeconds;

const KEY: &str = "quarantine";
const LIFTED: &str = "quarantine.lifted";
/// Earlier quarantines that are remembered.
const LIFTED_MAX: usize = 20;
/// Reasons that are kept; one more adds nothing.
const REASONS_MAX: usize = 20;

/// As the database has it. What is there and cannot be read counts: somebody wrote it.
pub(crate) fn load(tx: &mut Tx<'_>) -> Result<Option<Quarantine>, StoreError> {
    let Some(text) = tx.meta(KEY)? else { return Ok(None) };
    Ok(Some(serde_json::from_str(&text).unwrap_or_else(|_| Quarantine {
        since: UnixSeconds::ZERO,
        reasons: vec![QuarantineReason {
            code: "alarm".to_owned(),
            text: "the reason cannot be read".to_owned(),
        }],
    })))
}

/// Begins a quarantine or adds reasons to it. Work that waits is ended: it was signed for another situation.
pub(crate) fn enter(
    tx: &mut Tx<'_>,
    now: UnixSeconds,
    reasons: Vec<QuarantineReason>,
) -> Result<Quarantine, StoreError> {
    let known = load(tx)?.unwrap_or(Quarantine { since: now, reasons: Vec::new() });
    let mut quarantine = known;
    for reason in reasons {
        if !quarantine.reasons.contains(&reason) && quarantine.reasons.len() < REASONS_MAX {
            quarantine.reasons.push(reason);
        }
    }
    let text = serde_json::to_string(&quarantine).map_err(|_| StoreError::Column(KEY))?;
    tx.set_meta(KEY, &text)?;
    tx.cancel_jobs()?;
    Ok(quarantine)
}

/// Ends it, and remembers who did.
pub(crate) fn lift(
    tx: &mut Tx<'_>,
    at: UnixSeconds,
    operator: OperatorId,
) -> Result<(), StoreError> {
    let Some(quarantine) = load(tx)? else { return Ok(()) };
    let mut all = lifted(tx)?;
    all.insert(0, Lifted { at, operator, quarantine });
    all.truncate(LIFTED_MAX);
    let text = serde_json::to_string(&all).map_err(|_| StoreError::Column(LIFTED))?;
    tx.set_meta(LIFTED, &text)?;
    tx.drop_meta(KEY)
}

/// Earlier ones, newest first.
pub(crate) fn lifted(tx: &mut Tx<'_>) -> Result<Vec<Lifted>, StoreError> {
    let text = tx.meta(LIFTED)?;
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
}
