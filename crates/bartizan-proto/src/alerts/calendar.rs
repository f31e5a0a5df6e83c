//! Hours of the week and maintenance windows, in the time of a zone.

use bartizan_trust::calendar::{Cron, Offsets};
use bartizan_trust::time::UnixSeconds;

/// Minutes of an hour, of a day.
pub const HOUR_MINUTES: u32 = 60;
const DAY_MINUTES: i64 = 24 * 60;
const MINUTE_S: u64 = 60;

/// Some hours of some days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hours {
    /// Bits from Sunday on.
    days: u8,
    /// First minute of the day.
    from: i64,
    /// The minute after the last. Not after `from`: it is one of the next day.
    to: i64,
}

const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

impl Hours {
    /// Days (`mon` …) and times of the day (`08:00`, `24:00`).
    pub fn parse(days: &[String], from: &str, to: &str) -> Option<Self> {
        let mut set = 0;
        for day in days {
            let at = DAYS.iter().position(|known| known == day)?;
            set |= 1 << at;
        }
        let (from, to) = (minute(from)?, minute(to)?);
        let fits = set != 0 && from < DAY_MINUTES && from != to;
        fits.then_some(Self { days: set, from, to })
    }

    /// Whether a local minute is within.
    pub(super) fn contains(&self, local_minute: i64) -> bool {
        let (day, minute) =
            (local_minute.div_euclid(DAY_MINUTES), local_minute.rem_euclid(DAY_MINUTES));
        // 1970-01-01 was a Thursday.
        let on = |day: i64| self.days >> (day + 4).rem_euclid(7) & 1 == 1;
        if self.from < self.to {
            return on(day) && (self.from..self.to).contains(&minute);
        }
        (on(day) && minute >= self.from) || (on(day - 1) && minute < self.to)
    }
}

fn minute(text: &str) -> Option<i64> {
    let (hour, minute) = text.split_once(':')?;
    let number = |text: &str| {
        let fits = text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
        fits.then(|| text.parse::<i64>().ok()).flatten()
    };
    let (hour, minute) = (number(hour)?, number(minute)?);
    let total = hour * i64::from(HOUR_MINUTES) + minute;
    (minute < 60 && total <= DAY_MINUTES).then_some(total)
}

/// Until when a recurring window is open now, if it is: the newest beginning counts. A local time that comes twice begins once.
pub(super) fn open_until(
    cron: &Cron,
    minutes: u32,
    offsets: &Offsets,
    now: UnixSeconds,
) -> Option<UnixSeconds> {
    let this = now.get() / MINUTE_S * MINUTE_S;
    let length = u64::from(minutes) * MINUTE_S;
    for back in 0..u64::from(minutes) {
        let start = UnixSeconds::new(this.checked_sub(back * MINUTE_S)?);
        if cron.comes_at(start, offsets) && !offsets.is_repeated(start) {
            let until = start.plus(length);
            return (now < until).then_some(until);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(days: &[&str], from: &str, to: &str) -> Option<Hours> {
        let days: Vec<String> = days.iter().map(|day| (*day).to_owned()).collect();
        Hours::parse(&days, from, to)
    }

    /// Thursday is day 0.
    const fn local(day: i64, hour: i64, minute: i64) -> i64 {
        day * DAY_MINUTES + hour * 60 + minute
    }

    #[test]
    fn hours_of_the_week_are_strict() {
        for (from, to) in [
            ("8:00", "18:00"),
            ("08:60", "18:00"),
            ("24:00", "08:00"),
            ("08:00", "08:00"),
            ("00:00", "24:01"),
            ("", ""),
        ] {
            assert_eq!(hours(&["mon"], from, to), None, "{from} {to}");
        }
        assert_eq!(hours(&[], "08:00", "18:00"), None);
        assert_eq!(hours(&["Mon"], "08:00", "18:00"), None);
        assert!(hours(&["mon", "sun"], "00:00", "24:00").is_some());
    }

    #[test]
    fn hours_over_midnight_belong_to_the_day_they_begin_on() {
        let day = hours(&["thu"], "08:00", "18:00").unwrap();
        assert!(
            day.contains(local(0, 8, 0))
                && day.contains(local(0, 17, 59))
                && day.contains(local(7, 9, 0))
        );
        assert!(
            !day.contains(local(0, 7, 59))
                && !day.contains(local(0, 18, 0))
                && !day.contains(local(1, 9, 0))
        );
        let night = hours(&["thu"], "22:00", "06:00").unwrap();
        assert!(night.contains(local(0, 22, 0)) && night.contains(local(1, 5, 59)));
        assert!(
            !night.contains(local(0, 5, 59))
                && !night.contains(local(1, 6, 0))
                && !night.contains(local(1, 22, 0))
        );
    }

    #[test]
    fn a_window_is_open_for_its_minutes_in_the_time_of_its_zone() {
        let cron = Cron::parse("0 3 * * *").unwrap();
        // Two hours ahead of UTC.
        let offsets = Offsets { first_s: 7200, changes: Vec::new() };
        let day = 20_783 * 86_400;
        let until = |at: u64| open_until(&cron, 90, &offsets, UnixSeconds::new(at));
        let end = UnixSeconds::new(day + 3600 + 90 * 60);
        assert_eq!(until(day + 3599), None);
        assert_eq!(until(day + 3600), Some(end));
        assert_eq!(until(day + 3600 + 90 * 60 - 1), Some(end));
        assert_eq!(until(day + 3600 + 90 * 60), None);
    }

    #[test]
    fn a_window_in_an_hour_that_comes_twice_opens_once() {
        // 25 October 2026, 01:00 UTC: from two hours ahead to one.
        let change = 1_792_890_000;
        let offsets = Offsets { first_s: 7200, changes: vec![(UnixSeconds::new(change), 3600)] };
        let cron = Cron::parse("30 2 * * *").unwrap();
        let until = |at: u64| open_until(&cron, 20, &offsets, UnixSeconds::new(at));
        assert!(until(change - 1800).is_some());
        assert_eq!(until(change + 1800), None);
        assert!(until(change + 1800 + 86_400).is_some());
    }
}
