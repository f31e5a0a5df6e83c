//! The list of endpoints as a file.

use anyhow::{Context as _, Result};
use jiff::Timestamp;

use super::fleet;
use crate::console::csv;
use crate::console::desk::Desk;
use crate::console::limits::EXPORT_ROWS_MAX;
use crate::console::shapes::{EndpointRow, EndpointState, FleetColumn, FleetExport};
use crate::exit::{Code, fail};
use crate::journal::{self, Did};

/// Rows asked for at once: as many as a window may have.
const WINDOW: u64 = 500;
const ALL: [FleetColumn; 7] = [
    FleetColumn::Name,
    FleetColumn::State,
    FleetColumn::Tenant,
    FleetColumn::Site,
    FleetColumn::System,
    FleetColumn::LastHeard,
    FleetColumn::Id,
];

/// All rows of a list as CSV, a window at a time. By the server's word.
pub(crate) fn export(
    desk: &Desk,
    wanted: &FleetExport,
    each: &mut dyn FnMut(Vec<u8>) -> Result<()>,
) -> Result<()> {
    let columns = columns(wanted.columns.as_deref())?;
    let mut piece = csv::line(columns.iter().map(|column| head(*column)))?;
    let mut offset = 0;
    loop {
        let console = desk.console()?;
        let window = fleet::window(&console, &wanted.window(offset, WINDOW))?;
        if window.total > EXPORT_ROWS_MAX {
            let problem = format!("the server says that there are {} endpoints", window.total);
            return Err(fail(Code::Error, problem, "choose a tenant, or search for a part"));
        }
        for row in &window.rows {
            piece.extend(csv::line(columns.iter().map(|column| cell(*column, row)))?);
        }
        each(core::mem::take(&mut piece))?;
        let count = u64::try_from(window.rows.len()).context("count rows")?;
        offset += count;
        if count == 0 || offset >= window.total {
            let about = format!("{offset} endpoints");
            return journal::note(&desk.context.home, Did::Exported, &about, None);
        }
    }
}

/// Names with commas between them.
fn columns(text: Option<&str>) -> Result<Vec<FleetColumn>> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(ALL.to_vec()) };
    let found = text.split(',').map(|name| ALL.into_iter().find(|column| head(*column) == name));
    let found: Option<Vec<FleetColumn>> = found.take(ALL.len() + 1).collect();
    found.filter(|found| found.len() <= ALL.len()).ok_or_else(|| {
        let known: Vec<&str> = ALL.into_iter().map(head).collect();
        fail(Code::Usage, "no such column", format!("some of {}", known.join(", ")))
    })
}

/// As in the API.
const fn head(column: FleetColumn) -> &'static str {
    match column {
        FleetColumn::Name => "name",
        FleetColumn::State => "state",
        FleetColumn::Tenant => "tenant",
        FleetColumn::Site => "site",
        FleetColumn::System => "system",
        FleetColumn::LastHeard => "last_heard",
        FleetColumn::Id => "id",
    }
}

fn cell(column: FleetColumn, row: &EndpointRow) -> String {
    match column {
        FleetColumn::Name => row.hostname.clone(),
        FleetColumn::State => match row.state {
            EndpointState::Connected => "connected".to_owned(),
            EndpointState::Away => "away".to_owned(),
            EndpointState::Quarantined => "quarantined".to_owned(),
        },
        FleetColumn::Tenant => row.tenant.clone().unwrap_or_default(),
        FleetColumn::Site => row.site.clone().unwrap_or_default(),
        FleetColumn::System => row.os.clone(),
        FleetColumn::LastHeard => row.last_seen.map(time).unwrap_or_default(),
        FleetColumn::Id => row.id.clone(),
    }
}

/// As RFC 3339 has it, in UTC.
pub(super) fn time(at: u64) -> String {
    let at = i64::try_from(at).ok().and_then(|at| Timestamp::from_second(at).ok());
    at.map(|at| at.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_come_in_the_order_that_was_asked_for() {
        assert_eq!(columns(None).expect("all"), ALL);
        assert_eq!(columns(Some("")).expect("all"), ALL);
        let two = [FleetColumn::Id, FleetColumn::Name];
        assert_eq!(columns(Some("id,name")).expect("two"), two);
        for bad in ["Id", "id,", "id,secret", "id,id,id,id,id,id,id,id"] {
            assert!(columns(Some(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn times_are_written_as_programs_read_them() {
        assert_eq!(time(0), "1970-01-01T00:00:00Z");
        assert_eq!(time(u64::MAX), "", "no time at all, which a hostile server may send");
    }
}
