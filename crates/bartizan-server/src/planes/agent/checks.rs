//! Results of checks: read strictly, kept with their report in one transaction, and handed to the alerts in the same one.

use bartizan_proto::alerts::{LINK, Observation};
use bartizan_proto::checks::{CheckResult, CheckState, ResultError, parse_results};
use bartizan_store::{CheckRecord, Room, StoreError, Tx};
use bartizan_trust::time::UnixSeconds;

use super::reports::{Fate, Observed};

pub(super) fn keep(tx: &mut Tx<'_>, observed: &Observed<'_>) -> Result<Fate, StoreError> {
    let results = match parse_results(observed.bytes) {
        Ok(results) => results,
        Err(ResultError::TooLarge) => return Ok(Fate::Refused("checks.too_large")),
        Err(ResultError::Malformed | ResultError::Text(_)) => {
            return Ok(Fate::Refused("checks.malformed"));
        }
    };
    // The server says itself whether an endpoint is there; no endpoint speaks for its own link.
    if results.iter().any(|result| result.check == LINK) {
        return Ok(Fate::Refused("checks.reserved"));
    }
    let mut fate = Fate::Stored;
    for result in results {
        let state = result.state;
        let record = record(observed, result);
        match tx.put_check(&record)? {
            Room::Full => fate = Fate::Refused("checks.too_many"),
            // A sign of life of what is well tells the alerts nothing.
            Room::Kept if state == CheckState::Ok => {}
            Room::Kept | Room::Changed => tell_alerts(tx, &record, state)?,
        }
    }
    Ok(fate)
}

fn tell_alerts(tx: &mut Tx<'_>, record: &CheckRecord, state: CheckState) -> Result<(), StoreError> {
    let observation = Observation {
        endpoint: record.endpoint,
        key: record.check.clone(),
        instance: record.instance.clone(),
        state,
        since: UnixSeconds::new(record.since),
        at: UnixSeconds::new(record.at),
        text: record.text.clone(),
    };
    let Ok(body) = serde_json::to_vec(&observation) else { return Ok(()) };
    tx.queue_observation((record.endpoint, &record.check, &record.instance), &body)
}

/// No time of a result lies after that of its report, which the server has bounded.
fn record(observed: &Observed<'_>, result: CheckResult) -> CheckRecord {
    let at = result.at.min(observed.at);
    CheckRecord {
        endpoint: observed.endpoint,
        check: result.check,
        instance: result.instance,
        policy: result.policy,
        state: result.state.name().to_owned(),
        since: result.since.min(at).get(),
        at: at.get(),
        received: observed.received.get(),
        value: result.value,
        text: result.text,
    }
}
