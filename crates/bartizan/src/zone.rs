//! Time zones of this computer, for people who plan; endpoints read their own.

use anyhow::Result;
use bartizan_trust::calendar::Offsets;
use bartizan_trust::limits;
use bartizan_trust::time::UnixSeconds;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::exit::{Code, fail};

/// The offsets of a zone for a year from now.
pub(crate) fn ahead(name: &str, now: UnixSeconds) -> Result<Offsets> {
    if name == "UTC" {
        return Ok(Offsets::UTC);
    }
    let unknown = || {
        let next =
            "use a name like Europe/Berlin; this computer needs its time zone database (tzdata)";
        fail(Code::Error, format!("no time zone `{}`", crate::terminal::cell(name)), next)
    };
    let zone = TimeZone::get(name).map_err(|_| unknown())?;
    let start = i64::try_from(now.get()).ok().and_then(|at| Timestamp::from_second(at).ok());
    let start = start.ok_or_else(unknown)?;
    let end = now.plus(limits::ORDER_S_MAX);
    let changes = zone
        .following(start)
        .map_while(|change| {
            let at = UnixSeconds::new(u64::try_from(change.timestamp().as_second()).ok()?);
            (at <= end).then_some((at, change.offset().seconds()))
        })
        .collect();
    Ok(Offsets { first_s: zone.to_offset(start).seconds(), changes })
}
