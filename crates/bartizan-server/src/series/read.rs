//! Reading series: the rows of the level that fits, then points.

use std::collections::{BTreeMap, BTreeSet};

use bartizan_proto::samples::{CHUNK_LIMITS, Metric, MetricKind, Samples, SamplesError};
use bartizan_proto::series::Stat;
use bartizan_store::{SERIES_LEVELS, SeriesOwner, StoreError, Tx};

use super::rollup::{LEVELS_S, Values, add, stat_of, steps};
use super::window_of;

/// What is asked.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Question {
    pub(crate) from: u64,
    /// Included.
    pub(crate) to: u64,
    pub(crate) step_s: u64,
    pub(crate) stat: Stat,
    /// All of them unless given.
    pub(crate) metric: Option<Metric>,
    pub(crate) label: Option<String>,
}

/// Rows, each with its level.
pub(crate) type Rows = Vec<(usize, Vec<u8>)>;

impl Question {
    /// The coarsest level that is fine enough.
    fn level(&self) -> usize {
        LEVELS_S.iter().rposition(|step_s| *step_s <= self.step_s).unwrap_or(0)
    }
}

/// The rows that hold the answer. A window that has nothing of the level that fits is read from the next that has: what is not
/// closed yet has parts alone, and of what is old only coarser levels are left.
pub(crate) fn rows(
    tx: &mut Tx<'_>,
    owner: SeriesOwner,
    question: &Question,
) -> Result<Rows, StoreError> {
    let (first, last) = (window_of(question.from), window_of(question.to));
    let level = question.level();
    let mut found = BTreeSet::new();
    let mut rows = Rows::new();
    let others = (0..SERIES_LEVELS).filter(|other| *other != level);
    for level in std::iter::once(level).chain(others) {
        let Some(missing) = missing(&found, first, last) else { break };
        let number = u64::try_from(level).unwrap_or_default();
        for (window, bytes) in tx.series_chunks(number, owner, missing)? {
            if found.insert(window) {
                rows.push((level, bytes));
            }
        }
    }
    let parts = tx.series_parts(owner, (first, last))?;
    rows.extend(parts.into_iter().map(|(_, bytes)| (0, bytes)));
    Ok(rows)
}

/// The range around the windows that are not there.
fn missing(found: &BTreeSet<u64>, first: u64, last: u64) -> Option<(u64, u64)> {
    let first = (first..=last).find(|window| !found.contains(window))?;
    let last = (first..=last).rev().find(|window| !found.contains(window))?;
    Some((first, last))
}

/// Points, in order of name and label.
pub(crate) fn points(rows: &Rows, question: &Question) -> Result<Values, SamplesError> {
    let mut all = Values::new();
    for (level, bytes) in rows {
        let mut samples = if *level == 0 {
            Samples::decode(bytes, &CHUNK_LIMITS)?
        } else {
            stat_of(bytes, question.stat)?
        };
        samples.series.retain(|series| {
            question.metric.is_none_or(|metric| metric == series.metric)
                && question.label.as_ref().is_none_or(|label| *label == series.label)
        });
        add(&mut all, &samples);
    }
    let asked = |(metric, label): (Metric, String), values: BTreeMap<u64, f64>| {
        let within = values.range(question.from..=question.to).map(|(time, value)| (*time, *value));
        let counter = metric.kind() == MetricKind::Counter;
        let stat = if counter { Stat::Last } else { question.stat };
        ((metric, label), steps(&within.collect(), question.step_s, stat))
    };
    let points = all.into_iter().map(|(name, values)| asked(name, values));
    Ok(points.filter(|(_, values)| !values.is_empty()).collect())
}
