//! Time zones of this machine, for windows and hours of alerting rules. Endpoints read their own.

use std::collections::{BTreeMap, BTreeSet};

use bartizan_trust::calendar::Offsets;
use bartizan_trust::time::UnixSeconds;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Windows that began before now may still be open.
const BACK_S: u64 = 8 * 86_400;
/// Zones are read again every day; this is with room.
const AHEAD_S: u64 = 30 * 86_400;
/// Most changes of the clocks read; a zone has two a year.
const CHANGES_MAX: usize = 16;

/// The offsets of those zones that this machine knows.
pub(crate) fn load(names: &BTreeSet<&str>, now: UnixSeconds) -> BTreeMap<String, Offsets> {
    let known = |name: &&str| Some(((*name).to_owned(), offsets(name, now)?));
    names.iter().filter_map(known).collect()
}

fn offsets(name: &str, now: UnixSeconds) -> Option<Offsets> {
    // Also where a machine has no database at all.
    if name == "UTC" {
        return Some(Offsets::UTC);
    }
    let zone = TimeZone::get(name).ok()?;
    let from = now.get().saturating_sub(BACK_S);
    let start = Timestamp::from_second(i64::try_from(from).ok()?).ok()?;
    let end = now.plus(AHEAD_S);
    let changes = zone
        .following(start)
        .map_while(|change| {
            let at = UnixSeconds::new(u64::try_from(change.timestamp().as_second()).ok()?);
            (at <= end).then_some((at, change.offset().seconds()))
        })
        .take(CHANGES_MAX)
        .collect();
    Some(Offsets { first_s: zone.to_offset(start).seconds(), changes })
}

/// As RFC 3339 writes it, in UTC.
pub(crate) fn rfc3339(at: UnixSeconds) -> String {
    let at = i64::try_from(at.get()).ok().and_then(|at| Timestamp::from_second(at).ok());
    at.unwrap_or(Timestamp::UNIX_EPOCH).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_zones_are_read_and_unknown_ones_left_out() {
        let now = UnixSeconds::new(1_792_890_000);
        let zones =
            load(&BTreeSet::from(["UTC", "Europe/Berlin", "Mars/Base", "../etc/passwd"]), now);
        assert_eq!(zones.keys().collect::<Vec<_>>(), ["Europe/Berlin", "UTC"]);
        // Eight days before the change of 25 October 2026 it was summer.
        assert_eq!(zones["Europe/Berlin"].first_s, 7200);
        assert_eq!(zones["Europe/Berlin"].changes, [(now, 3600)]);
        assert_eq!(rfc3339(now), "2026-10-25T01:00:00Z");
    }
}
