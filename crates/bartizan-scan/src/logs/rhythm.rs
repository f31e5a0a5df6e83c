//! The days a series of logs speaks about, and those on which it is silent although its own rhythm says that it would not be.

use std::collections::BTreeSet;

use crate::time::UnixSeconds;

/// Days with entries that a series needs before its silence says anything.
const DAYS_MIN: usize = 7;
/// Of the same weekdays before and after, how many in a hundred must have entries for a silent day to be strange.
const WEEKDAY_PERCENT_MIN: i64 = 80;
/// Shorter series say little about weekdays.
const TWO_WEEKS: i64 = 14;

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
        if last - first < TWO_WEEKS {
            // The days around it must speak, or the same weekday must.
            let around =
                |day: i64| self.days.contains(&(day - 1)) && self.days.contains(&(day + 1));
            let same = |day: i64| self.days.contains(&(day - 7)) || self.days.contains(&(day + 7));
            let alone = |day: i64| day - 7 < *first && day + 7 > *last;
            let strange = |day: &i64| {
                !self.days.contains(day) && (same(*day) || (alone(*day) && around(*day)))
            };
            return ranges((*first..=*last).filter(strange));
        }
        let weekdays = self.usual_weekdays(*first, *last);
        // A log may say any dates. Where no weekday is usual there is no need to go through what may be a million years; where one
        // is, most of its days have entries.
        if !weekdays.contains(&true) {
            return Vec::new();
        }
        let usual = |day: i64| weekday(day).and_then(|day| weekdays.get(day)) == Some(&true);
        ranges((*first..=*last).filter(|day| !self.days.contains(day) && usual(*day)))
    }

    /// The weekdays on which the series usually has entries. A server of an office is silent at weekends.
    fn usual_weekdays(&self, first: i64, last: i64) -> [bool; 7] {
        let mut spoken = [0_i64; 7];
        for day in &self.days {
            if let Some(count) = weekday(*day).and_then(|day| spoken.get_mut(day)) {
                *count += 1;
            }
        }
        let mut number = -1;
        spoken.map(|spoken| {
            number += 1;
            let from = first + (number - first).rem_euclid(7);
            // All but the silent one that is asked about.
            let others = (last - from) / 7;
            spoken * 100 >= others * WEEKDAY_PERCENT_MIN
        })
    }
}

fn weekday(day: i64) -> Option<usize> {
    usize::try_from(day.rem_euclid(7)).ok()
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
    fn a_week_with_one_silent_day() {
        let days = (18_800..18_809).filter(|day| *day != 18_804);
        assert_eq!(missing(days), ["2021-06-26"]);
        assert_eq!(
            missing((18_800..18_810).filter(|day| !matches!(day, 18_803 | 18_804))),
            [""; 0]
        );
    }

    #[test]
    fn dates_of_any_age_end_the_search_at_once() {
        let far = [i64::MIN / 86_400, i64::MAX / 86_400];
        assert_eq!(missing((18_800..18_830).chain(far)), [""; 0]);
        let centuries = (18_800..18_830).chain([4_000_000]);
        assert_eq!(missing(centuries), [""; 0]);
    }

    #[test]
    fn too_few_days_and_a_server_that_speaks_now_and_then_say_nothing() {
        assert_eq!(missing([18_800, 18_802, 18_803]), [""; 0]);
        assert_eq!(missing((18_800..18_860).step_by(5)), [""; 0]);
        assert_eq!(missing([]), [""; 0]);
    }
}
