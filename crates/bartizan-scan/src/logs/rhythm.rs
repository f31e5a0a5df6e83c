//! The days a series of logs speaks about, and those on which it is silent although its own rhythm says that it would not be.

use std::collections::BTreeSet;

use crate::time::UnixSeconds;

/// Days with entries that a series needs before its silence says anything.
const DAYS_MIN: usize = 7;
/// Of the same weekdays before and after, how many in a hundred must have entries for a silent day to be strange.
const WEEKDAY_PERCENT_MIN: usize = 80;

/// The days of one series of logs.
#[derive(Debug, Default)]
pub(crate) struct Series {
    days: BTreeSet<i64>,
    pub(crate) first: Option<UnixSeconds>,
    pub(crate) last: Option<UnixSeconds>,
}

impl Series {
    /// Adds what one log speaks about.
    pub(crate) fn add(
        &mut self,
        days: &BTreeSet<i64>,
        first: Option<UnixSeconds>,
        last: Option<UnixSeconds>,
    ) {
        self.days.extend(days);
        self.first = [self.first, first].into_iter().flatten().min();
        self.last = [self.last, last].into_iter().flatten().max();
    }

    /// Silent days between others that the rhythm of the series does not explain, as days or ranges.
    pub(crate) fn missing(&self) -> Vec<String> {
        let (Some(first), Some(last)) = (self.days.first(), self.days.last()) else {
            return Vec::new();
        };
        if self.days.len() < DAYS_MIN {
            return Vec::new();
        }
        let strange = |day: &i64| !self.days.contains(day) && self.is_usual(*day, *first, *last);
        ranges((*first..=*last).filter(strange))
    }

    /// Whether the series usually has entries on this weekday. A server of an office is silent at weekends.
    fn is_usual(&self, day: i64, first: i64, last: i64) -> bool {
        let same = |other: &i64| (other - day) % 7 == 0 && *other != day;
        let all = (first..=last).filter(same).count();
        let spoken = self.days.iter().filter(|other| same(other)).count();
        if all > 0 {
            return spoken * 100 >= all * WEEKDAY_PERCENT_MIN;
        }
        // Less than two weeks: the days around it must speak.
        self.days.contains(&(day - 1)) && self.days.contains(&(day + 1))
    }
}

fn ranges(days: impl Iterator<Item = i64>) -> Vec<String> {
    let mut ranges: Vec<(i64, i64)> = Vec::new();
    for day in days {
        match ranges.last_mut() {
            Some((_, end)) if *end + 1 == day => *end = day,
            _ => ranges.push((day, day)),
        }
    }
    let name = |day: i64| UnixSeconds(day * 86_400).day();
    ranges
        .into_iter()
        .map(
            |(from, to)| {
                if from == to { name(from) } else { format!("{} to {}", name(from), name(to)) }
            },
        )
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(days: impl IntoIterator<Item = i64>) -> Vec<String> {
        let mut series = Series::default();
        series.add(&days.into_iter().collect(), None, None);
        series.missing()
    }

    // Day 18,800 is 2021-06-22, a Tuesday.
    #[test]
    fn silent_days_in_a_series_that_speaks_daily_are_missing() {
        let days = (18_800..18_830).filter(|day| !(18_810..=18_811).contains(day));
        assert_eq!(missing(days), ["2021-07-02 to 2021-07-03"]);
    }

    #[test]
    fn weekends_of_an_office_are_not() {
        assert_eq!(missing((18_800..18_830).filter(|day| !matches!(day % 7, 2 | 3))), [""; 0]);
    }

    #[test]
    fn too_few_days_and_a_server_that_speaks_now_and_then_say_nothing() {
        assert_eq!(missing([18_800, 18_802, 18_803]), [""; 0]);
        assert_eq!(missing((18_800..18_860).step_by(5)), [""; 0]);
        assert_eq!(missing([]), [""; 0]);
    }
}
