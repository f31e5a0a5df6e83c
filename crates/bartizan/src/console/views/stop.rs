//! Freezes.

use anyhow::Result;
use bartizan_proto::operator::{EndpointRow, Summary};

use super::{bounded, id};
use crate::commands::{Console, confirm, scope_text};
use crate::console::shapes::{FreezeList, FreezeRow, FreezeState, FreezeTarget, FreezeView};
use crate::exit::{Code, fail};
use crate::home::now;

/// Endpoints that are listed of one freeze.
const ROWS_MAX: usize = 500;

/// What stands still.
pub(crate) fn list(console: &Console) -> Result<FreezeList> {
    let summary: Summary = console.api.fetch("/v1/summary")?;
    Ok(FreezeList { freezes: standing(console, &summary) })
}

/// Freezes that stand by the control log; who has confirmed is the server's word.
pub(super) fn standing(console: &Console, summary: &Summary) -> Vec<FreezeRow> {
    let mut found: Vec<FreezeRow> = console
        .view
        .freezes
        .standing(now())
        .map(|(id, freeze)| FreezeRow {
            id: id.to_string(),
            scope: scope_text(&freeze.scope),
            since: freeze.iat.get(),
            until: freeze.exp.get(),
            by: freeze.by.iter().map(ToString::to_string).collect(),
            confirmed: summary
                .freezes
                .iter()
                .find(|(known, _)| known == id)
                .map_or(0, |(_, count)| *count),
        })
        .collect();
    found.sort_by_key(|row| row.since);
    found
}

/// Who stands still, by receipts that are verified here.
pub(crate) fn show(console: &Console, text: &str) -> Result<FreezeView> {
    let id = id(text)?;
    let Some((_, freeze)) = console.view.freezes.iter().find(|(known, _)| **known == id) else {
        return Err(fail(Code::Error, "no such freeze is known", "look at the list of freezes"));
    };
    let (mut confirmed, bad) = confirm::verified(console, id)?;
    let mut rows = Vec::new();
    let (mut count, mut missing, mut offline) = (0, 0, 0);
    let admitted = confirm::admitted(console)?;
    for row in &admitted {
        let target = match (confirmed.remove(&row.id), row.connected) {
            (Some(own), _) => {
                count += 1;
                let way = own.way.trim_start_matches("by ").to_owned();
                target(row, FreezeState::Frozen, Some(bounded(&way)), Some(own.at.get()))
            }
            (None, true) => {
                missing += 1;
                target(
                    row,
                    FreezeState::NotYet,
                    None,
                    row.last_seen.map(bartizan_trust::time::UnixSeconds::get),
                )
            }
            (None, false) => {
                offline += 1;
                target(
                    row,
                    FreezeState::Offline,
                    None,
                    row.last_seen.map(bartizan_trust::time::UnixSeconds::get),
                )
            }
        };
        rows.push(target);
    }
    rows.sort_by_key(|row| match row.state {
        FreezeState::NotYet => 0,
        FreezeState::Offline => 1,
        FreezeState::Frozen => 2,
    });
    rows.truncate(ROWS_MAX);
    Ok(FreezeView {
        row: FreezeRow {
            id: id.to_string(),
            scope: scope_text(&freeze.scope),
            since: freeze.iat.get(),
            until: freeze.exp.get(),
            by: freeze.by.iter().map(ToString::to_string).collect(),
            confirmed: count,
        },
        endpoints: u64::try_from(admitted.len()).unwrap_or(u64::MAX),
        confirmed: count,
        missing,
        offline,
        bad: u64::try_from(bad).unwrap_or(u64::MAX),
        rows,
    })
}

fn target(
    row: &EndpointRow,
    state: FreezeState,
    way: Option<String>,
    at: Option<u64>,
) -> FreezeTarget {
    FreezeTarget { endpoint: row.id.to_string(), hostname: bounded(&row.hostname), state, way, at }
}
