//! Dates of evidence.

use core::fmt;

use serde::{Deserialize, Serialize};

/// Seconds since 1970-01-01 UTC; evidence may be older.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct UnixSeconds(pub i64);

/// Years whose dates are shown: outside of them the number of seconds is.
const YEARS: core::ops::RangeInclusive<i64> = 0..=9999;
const DAY_S: i64 = 86_400;

impl UnixSeconds {
    /// A moment in UTC. Fields out of range make `None`.
    pub fn from_civil(date: (i64, i64, i64), time: (i64, i64, i64)) -> Option<Self> {
        let (year, month, day) = date;
        let (hour, minute, second) = time;
        let in_range = YEARS.contains(&year)
            && (1..=12).contains(&month)
            && (1..=days_in_month(year, month)).contains(&day)
            && (0..24).contains(&hour)
            && (0..60).contains(&minute)
            && (0..=60).contains(&second);
        in_range.then(|| {
            Self(days_from_civil(year, month, day) * DAY_S + hour * 3600 + minute * 60 + second)
        })
    }

    /// A Windows `FILETIME`: tenths of microseconds since 1601. Zero means that no time was noted.
    pub fn from_filetime(ticks: u64) -> Option<Self> {
        if ticks == 0 {
            return None;
        }
        i64::try_from(ticks / 10_000_000).ok().map(|seconds| Self(seconds - 11_644_473_600))
    }

    /// Reads `2021-07-02`, optionally with `T16:30:00Z`.
    pub fn parse(text: &str) -> Option<Self> {
        let (date, time) = match text.split_once(['T', ' ']) {
            Some((date, time)) => (date, time.trim_end_matches('Z')),
            None => (text, "00:00:00"),
        };
        let date = three(date, '-')?;
        let time = three(time.split('.').next()?, ':')?;
        Self::from_civil(date, time)
    }

    /// The day it falls on, as `2021-07-02`.
    pub fn day(self) -> String {
        self.to_string().chars().take(10).collect()
    }

    /// Days since 1970-01-01.
    pub fn day_number(self) -> i64 {
        self.0.div_euclid(DAY_S)
    }
}

impl fmt::Display for UnixSeconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil_from_days(self.0.div_euclid(DAY_S));
        if !YEARS.contains(&year) {
            return write!(f, "{} s", self.0);
        }
        let s = self.0.rem_euclid(DAY_S);
        let (hour, minute, second) = (s / 3600, s / 60 % 60, s % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }
}

fn three(text: &str, separator: char) -> Option<(i64, i64, i64)> {
    let mut parts = text.split(separator).map(|part| {
        let digits = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| part.parse::<i64>().ok()).flatten()
    });
    let three = (parts.next()??, parts.next()??, parts.next()??);
    parts.next().is_none().then_some(three)
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

// Days and dates of the proleptic Gregorian calendar, counted in 400-year eras that begin in March.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (era * 400 + year + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_and_shown() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2021-07-02T16:30:00Z", 1_625_243_400),
            ("2000-02-29T23:59:59Z", 951_868_799),
            ("1969-12-31T23:59:59Z", -1),
        ] {
            assert_eq!(UnixSeconds::parse(text), Some(UnixSeconds(seconds)), "{text}");
            assert_eq!(UnixSeconds(seconds).to_string(), text);
        }
        for bad in ["", "2021-13-01", "2021-02-29", "2021-07-02T24:00:00Z", "2021-7", "x-y-z"] {
            assert_eq!(UnixSeconds::parse(bad), None, "{bad}");
        }
        assert_eq!(UnixSeconds::parse("2021-07-02"), Some(UnixSeconds(1_625_184_000)));
        assert_eq!(UnixSeconds(i64::MAX / 2).to_string(), format!("{} s", i64::MAX / 2));
    }

    #[test]
    fn windows_times_are_read() {
        assert_eq!(
            UnixSeconds::from_filetime(132_697_170_000_000_000),
            Some(UnixSeconds(1_625_243_400))
        );
        assert_eq!(UnixSeconds::from_filetime(0), None);
    }
}
