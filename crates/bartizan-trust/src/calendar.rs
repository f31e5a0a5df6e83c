//! Times of a calendar: a small strict cron grammar, and the offsets of a time zone as data. Specification: `docs/spec/job.md`, "Calendars".

use crate::limits;
use crate::time::UnixSeconds;

const MINUTE_S: u64 = 60;
const DAY_MINUTES: i64 = 24 * 60;

/// How far local time is ahead of UTC, over some stretch of time. Read from the time zone database by the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offsets {
    /// In seconds, before the first change.
    pub first_s: i32,
    /// From when on another one holds, in order.
    pub changes: Vec<(UnixSeconds, i32)>,
}

impl Offsets {
    /// Local time is UTC.
    pub const UTC: Self = Self { first_s: 0, changes: Vec::new() };

    fn at(&self, at: UnixSeconds) -> i32 {
        let known = self.changes.iter().rev().find(|(from, _)| *from <= at);
        known.map_or(self.first_s, |(_, offset)| *offset)
    }

    /// Whether the local time at a moment has been before, because clocks were set back since.
    pub fn is_repeated(&self, at: UnixSeconds) -> bool {
        let mut before = self.first_s;
        self.changes.iter().take_while(|(from, _)| *from <= at).any(|(from, after)| {
            let set_back = i64::from(before) - i64::from(*after);
            before = *after;
            i64::try_from(at.since(*from)).is_ok_and(|since| since < set_back)
        })
    }

    /// The local time at a moment, in minutes since 1970-01-01 00:00 local.
    pub fn local_minute(&self, at: UnixSeconds) -> i64 {
        let seconds = i64::try_from(at.get()).unwrap_or(i64::MAX);
        seconds.saturating_add(i64::from(self.at(at))).div_euclid(60)
    }
}

/// Minutes, hours, days, months and weekdays, as sets of bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cron {
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    /// Where both are restricted, one of them suffices.
    either_day: bool,
}

impl Cron {
    /// Five fields with one space between: minute (0–59), hour (0–23), day (1–31), month (1–12), weekday (0–6 from Sunday).
    /// Each is `*` or a list of `a`, `a-b`, `a-b/n`, or `*/n`.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > limits::TEXT_BYTES_MAX {
            return None;
        }
        let mut fields = text.split(' ');
        let mut next =
            |least, most| fields.next().and_then(|field| parse_field(field, least, most));
        let (minutes, hours) = (next(0, 59)?, next(0, 23)?);
        let (days, months, weekdays) = (next(1, 31)?, next(1, 12)?, next(0, 6)?);
        let restricted =
            |at: usize| text.split(' ').nth(at).is_some_and(|field| !field.starts_with('*'));
        let either_day = restricted(2) && restricted(4);
        fields.next().is_none().then_some(Self {
            minutes,
            hours,
            days,
            months,
            weekdays,
            either_day,
        })
    }

    /// Whether a local minute is one of its times.
    fn contains(&self, local_minute: i64) -> bool {
        let (day, minute) =
            (local_minute.div_euclid(DAY_MINUTES), local_minute.rem_euclid(DAY_MINUTES));
        if !has(self.minutes, minute % 60) || !has(self.hours, minute / 60) {
            return false;
        }
        let (month, date) = month_and_date(day);
        // 1970-01-01 was a Thursday.
        let (date, weekday) = (has(self.days, date), has(self.weekdays, (day + 4).rem_euclid(7)));
        has(self.months, month) && if self.either_day { date || weekday } else { date && weekday }
    }

    /// Whether one of its times comes at this full minute. A local time that a change of the clocks leaves out comes at the moment of
    /// the change.
    pub fn comes_at(&self, at: UnixSeconds, offsets: &Offsets) -> bool {
        let local = offsets.local_minute(at);
        let before = offsets.local_minute(UnixSeconds::new(at.get().saturating_sub(MINUTE_S)));
        let first = before.max(local - DAY_MINUTES) + 1;
        (first..=local).any(|minute| self.contains(minute))
    }
}

fn has(set: u64, number: i64) -> bool {
    u32::try_from(number).is_ok_and(|number| set.checked_shr(number).unwrap_or(0) & 1 == 1)
}

fn parse_field(field: &str, least: u32, most: u32) -> Option<u64> {
    let mut set = 0;
    for part in field.split(',') {
        let (range, step) =
            part.split_once('/').map_or((part, Some(1)), |(range, step)| (range, number(step)));
        let (from, to) = match range.split_once('-') {
            _ if range == "*" => (least, most),
            Some((from, to)) => (number(from)?, number(to)?),
            // A step needs a range: `5/10` means different things to different people.
            None if part.contains('/') => return None,
            None => (number(range)?, number(range)?),
        };
        if from < least || to > most || from > to || step? == 0 {
            return None;
        }
        for value in (from..=to).step_by(usize::try_from(step?).ok()?) {
            set |= 1 << value;
        }
    }
    Some(set)
}

fn number(text: &str) -> Option<u32> {
    let fine = (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    if fine { text.parse().ok() } else { None }
}

/// Month and day of the month of a day since 1970-01-01, in the Gregorian calendar.
fn month_and_date(day: i64) -> (i64, i64) {
    // Counted in eras of 400 years that begin on the first of March, so that the leap day comes last.
    let of_era = (day + 719_468).rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let date = of_year - (153 * shifted + 2) / 5 + 1;
    (if shifted < 10 { shifted + 3 } else { shifted - 9 }, date)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_strict_grammar_is_a_calendar() {
        for good in ["* * * * *", "0 3 * * *", "*/5 0-6/2,22 1,15 1-12 0-6", "59 23 31 12 6"] {
            assert!(Cron::parse(good).is_some(), "{good}");
        }
        for bad in [
            "",
            "* * * *",
            "* * * * * *",
            "*  * * * *",
            " * * * * *",
            "60 * * * *",
            "* 24 * * *",
            "* * 0 * *",
            "* * 32 * *",
            "* * * 13 *",
            "* * * * 7",
            "*/0 * * * *",
            "5/10 * * * *",
            "5-1 * * * *",
            "1, * * * *",
            "MON * * * *",
            "@daily",
            "-1 * * * *",
            "001 * * * *",
            "1-2-3 * * * *",
            "*/5/5 * * * *",
            "+1 * * * *",
        ] {
            assert!(Cron::parse(bad).is_none(), "{bad}");
        }
        assert!(Cron::parse(&format!("{} * * * *", "0,".repeat(200) + "0")).is_none());
    }

    #[test]
    fn dates_are_those_of_the_gregorian_calendar() {
        for (day, expected) in
            [(0, (1, 1)), (58, (2, 28)), (59, (3, 1)), (11_016, (2, 29)), (20_783, (11, 26))]
        {
            assert_eq!(month_and_date(day), expected, "{day}");
        }
    }

    /// Every minute of some days, against a reading of the fields that looks at one at a time.
    #[test]
    fn days_and_weekdays_combine_as_everywhere() {
        let at = |cron: &str, day: i64| Cron::parse(cron).unwrap().contains(day * DAY_MINUTES);
        // 2024-02-29 was a Thursday.
        let day = 19_782;
        assert!(
            at("0 0 29 2 *", day)
                && at("0 0 * * 4", day)
                && at("0 0 29 * 1", day)
                && at("0 0 1 * 4", day)
        );
        assert!(
            !at("0 0 28 2 *", day)
                && !at("0 0 * * 5", day)
                && !at("0 0 1 * 5", day)
                && !at("0 0 29 3 *", day)
        );
        // A star with a step restricts nothing of the other.
        assert!(!at("0 0 */2 * 5", day) && at("0 0 */2 * 4", day));
    }

    const BERLIN_S: [i32; 3] = [3600, 7200, 3600];

    fn berlin_2026() -> Offsets {
        let change = |at, offset| (UnixSeconds::new(at), offset);
        // 29 March and 25 October 2026, 01:00 UTC.
        Offsets {
            first_s: BERLIN_S[0],
            changes: vec![change(1_774_746_000, BERLIN_S[1]), change(1_792_890_000, BERLIN_S[2])],
        }
    }

    fn times(cron: &str, from: u64, minutes: u64) -> Vec<u64> {
        let cron = Cron::parse(cron).unwrap();
        let all = (0..minutes).map(|minute| from + minute * 60);
        all.filter(|at| cron.comes_at(UnixSeconds::new(*at), &berlin_2026())).collect()
    }

    #[test]
    fn a_time_that_the_clocks_leave_out_comes_when_they_are_set() {
        let change = 1_774_746_000;
        // 02:30 does not exist that day: it comes at 03:00, once, and at its own time the day after.
        assert_eq!(
            times("30 2 * * *", change - 3600, 26 * 60),
            [change, change + 23 * 3600 + 1800]
        );
        assert_eq!(times("0 3 * * *", change - 3600, 120), [change]);
        assert_eq!(
            times("0 * * * *", change - 3600, 181),
            [change - 3600, change, change + 3600, change + 7200]
        );
    }

    #[test]
    fn a_local_time_that_comes_twice_has_the_same_local_minute() {
        let change = 1_792_890_000;
        let both = times("30 2 * * *", change - 3600, 180);
        assert_eq!(both, [change - 1800, change + 1800]);
        let minute = |at| berlin_2026().local_minute(UnixSeconds::new(at));
        assert_eq!(minute(both[0]), minute(both[1]), "by which the second is known to have been");
        let repeated = |at| berlin_2026().is_repeated(UnixSeconds::new(at));
        assert!(!repeated(both[0]) && repeated(both[1]));
        assert!(
            !repeated(change - 1)
                && repeated(change)
                && repeated(change + 3599)
                && !repeated(change + 3600)
        );
        assert!(!repeated(1_774_746_000), "a clock set ahead repeats nothing");
    }
}
