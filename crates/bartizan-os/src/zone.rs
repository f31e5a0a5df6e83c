//! Time zones, from the database of the machine.

use bartizan_trust::calendar::Offsets;
use bartizan_trust::time::UnixSeconds;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Most changes of the clocks read for one stretch of time; a zone has two a year.
const CHANGES_MAX: usize = 64;

/// How far local time of a zone is ahead of UTC from one moment to another. `None` when the machine does not know the zone.
pub fn offsets(name: &str, from: UnixSeconds, to: UnixSeconds) -> Option<Offsets> {
    // Also where a machine has no database at all.
    if name == "UTC" {
        return Some(Offsets::UTC);
    }
    let zone = TimeZone::get(name).ok()?;
    let start = timestamp(from)?;
    let changes = zone
        .following(start)
        .map_while(|change| {
            let at = UnixSeconds::new(u64::try_from(change.timestamp().as_second()).ok()?);
            (at <= to).then_some((at, change.offset().seconds()))
        })
        .take(CHANGES_MAX)
        .collect();
    Some(Offsets { first_s: zone.to_offset(start).seconds(), changes })
}

fn timestamp(at: UnixSeconds) -> Option<Timestamp> {
    Timestamp::from_second(i64::try_from(at.get()).ok()?).ok()
}
