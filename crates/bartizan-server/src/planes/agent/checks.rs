//! Results of checks: read strictly, kept with their report in one transaction.

use bartizan_proto::checks::{CheckResult, ResultError, parse_results};
use bartizan_store::{CheckRecord, Room, StoreError, Tx};

use super::reports::{Fate, Observed};

pub(super) fn keep(tx: &mut Tx<'_>, observed: &Observed<'_>) -> Result<Fate, StoreError> {
    let results = match parse_results(observed.bytes) {
        Ok(results) => results,
        Err(ResultError::TooLarge) => return Ok(Fate::Refused("checks.too_large")),
        Err(ResultError::Malformed | ResultError::Text(_)) => {
            return Ok(Fate::Refused("checks.malformed"));
        }
    };
    let mut fate = Fate::Stored;
    for result in results {
        if tx.put_check(&record(observed, result))? == Room::Full {
            fate = Fate::Refused("checks.too_many");
        }
    }
    Ok(fate)
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
