//! Time zones of this computer, for people who plan; endpoints read their own.

use anyhow::Result;
use bartizan_trust::calendar::Offsets;
use bartizan_trust::limits;
use bartizan_trust::time::UnixSeconds;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::exit::{Code, fail};

/// A moment as a clock on the wall of a zone shows it. UTC where this computer does not know the zone.
pub(crate) fn on_the_wall(at: UnixSeconds, zone: &str) -> String {
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    let at = i64::try_from(at.get()).ok().and_then(|at| Timestamp::from_second(at).ok());
    at.map(|at| at.to_zoned(zone).strftime("%A %-d %B %Y, %H:%M").to_string()).unwrap_or_default()
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_shown_as_a_clock_there_shows_them() {
        let summer = UnixSeconds::new(1_782_004_020);
        assert_eq!(on_the_wall(summer, "UTC"), "Sunday 21 June 2026, 01:07");
        assert_eq!(on_the_wall(summer, "Europe/Berlin"), "Sunday 21 June 2026, 03:07");
        assert_eq!(on_the_wall(UnixSeconds::new(u64::MAX), "UTC"), "");
    }
}
