//! Putting parts together and thinning them out. No IO: bytes in, bytes out.

use std::collections::BTreeMap;

use bartizan_proto::samples::{CHUNK_LIMITS, Metric, MetricKind, Samples, SamplesError, Series};
use bartizan_proto::series::Stat;
use bartizan_store::{SERIES_LEVELS, WindowRows};

/// Seconds between the points of each level; the first keeps what came.
pub(crate) const LEVELS_S: [u64; SERIES_LEVELS] = [1, 300, 3600];
/// Largest chunk: fifty times what a machine with default metrics fills.
const CHUNK_BYTES_MAX: usize = 1024 * 1024;

const STATS: [Stat; 4] = [Stat::Last, Stat::Mean, Stat::Min, Stat::Max];

/// Series, and their values by time.
pub(crate) type Values = BTreeMap<(Metric, String), BTreeMap<u64, f64>>;

/// Makes one chunk of each level out of everything there is of a window. Also says how many values did not fit.
pub(crate) fn close(rows: &WindowRows) -> Result<([Vec<u8>; SERIES_LEVELS], usize), SamplesError> {
    let mut raw = Values::new();
    for bytes in rows.chunks.first().iter().copied().flatten().chain(&rows.parts) {
        add(&mut raw, &Samples::decode(bytes, &CHUNK_LIMITS)?);
    }
    let (raw_bytes, lost) = fit(&raw);
    let mut chunks = [raw_bytes, Vec::new(), Vec::new()];
    for ((chunk, step_s), before) in chunks.iter_mut().zip(LEVELS_S).zip(&rows.chunks).skip(1) {
        *chunk = thin_out(&raw, step_s, before.as_deref())?;
    }
    Ok((chunks, lost))
}

/// The values of a chunk of a level above the first.
pub(crate) fn stat_of(bytes: &[u8], stat: Stat) -> Result<Samples, SamplesError> {
    let mut rest = bytes;
    let mut counters = Samples::default();
    for known in STATS {
        let (length, after) = rest.split_first_chunk::<4>().ok_or(SamplesError::Malformed)?;
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        let (own, after) = after.split_at_checked(length).ok_or(SamplesError::Malformed)?;
        rest = after;
        if known == Stat::Last {
            counters = Samples::decode(own, &CHUNK_LIMITS)?;
            if stat == Stat::Last {
                return Ok(counters);
            }
            continue;
        }
        if known == stat {
            // Of what only rises the last value says everything.
            let mut values = Values::new();
            counters.series.retain(|series| series.metric.kind() == MetricKind::Counter);
            add(&mut values, &counters);
            add(&mut values, &Samples::decode(own, &CHUNK_LIMITS)?);
            return Ok(samples(&values));
        }
    }
    Err(SamplesError::Malformed)
}

fn thin_out(raw: &Values, step_s: u64, before: Option<&[u8]>) -> Result<Vec<u8>, SamplesError> {
    let mut out = Vec::new();
    for stat in STATS {
        let mut thin = Values::new();
        if let Some(before) = before {
            // What came before and is forgotten in the level below stays.
            add(&mut thin, &stat_of(before, stat)?);
        }
        for ((metric, label), values) in raw {
            if stat != Stat::Last && metric.kind() == MetricKind::Counter {
                continue;
            }
            let points = thin.entry((*metric, label.clone())).or_default();
            points.extend(steps(values, step_s, stat));
        }
        if stat != Stat::Last {
            thin.retain(|(metric, _), _| metric.kind() != MetricKind::Counter);
        }
        let (bytes, _) = fit(&thin);
        out.extend(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
        out.extend(bytes);
    }
    Ok(out)
}

/// One point for each step that has values, at its beginning.
pub(crate) fn steps(values: &BTreeMap<u64, f64>, step_s: u64, stat: Stat) -> BTreeMap<u64, f64> {
    let mut buckets: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
    for (time, value) in values {
        buckets.entry(time - time % step_s).or_default().push(*value);
    }
    let reduced = buckets.into_iter().filter_map(|(at, all)| Some((at, reduce(&all, stat)?)));
    reduced.collect()
}

/// All of them as one.
pub(crate) fn reduce(values: &[f64], stat: Stat) -> Option<f64> {
    let all = values.iter().copied();
    match stat {
        Stat::Last => values.last().copied(),
        Stat::Min => all.reduce(f64::min),
        Stat::Max => all.reduce(f64::max),
        Stat::Mean => {
            let count = u32::try_from(values.len()).ok().filter(|count| *count > 0)?;
            // Halves first: the sum of two large ones could be no number.
            Some(round(all.map(|value| value / f64::from(count)).sum()))
        }
    }
}

/// A mean needs no more digits than what it is the mean of; with fewer it takes less room.
fn round(value: f64) -> f64 {
    if value.abs() >= 1e6 { value.round() } else { (value * 1000.0).round() / 1000.0 }
}

/// Adds samples; the newer ones win over those of the same time.
pub(crate) fn add(values: &mut Values, samples: &Samples) {
    for series in &samples.series {
        let known = values.entry((series.metric, series.label.clone())).or_default();
        let points = samples.times.iter().zip(&series.values);
        known.extend(points.filter_map(|(time, value)| Some((*time, (*value)?))));
    }
}

fn samples(values: &Values) -> Samples {
    let mut times: Vec<u64> = values.values().flat_map(|points| points.keys().copied()).collect();
    times.sort_unstable();
    times.dedup();
    let series = values.iter().map(|((metric, label), points)| Series {
        metric: *metric,
        label: label.clone(),
        values: times.iter().map(|time| points.get(time).copied()).collect(),
    });
    Samples { series: series.collect(), times, unknown: 0 }
}

/// As bytes, without what is more than a chunk may hold: an endpoint that invents names pays with its own series.
fn fit(values: &Values) -> (Vec<u8>, usize) {
    let mut samples = samples(values);
    let all = samples.count();
    let first_over = samples.times.len().saturating_sub(CHUNK_LIMITS.times_max);
    samples.times.drain(..first_over);
    for series in &mut samples.series {
        series.values.drain(..first_over);
    }
    samples.series.retain(|series| series.count() > 0);
    samples.series.truncate(CHUNK_LIMITS.series_max);
    loop {
        let bytes = samples.encode();
        if bytes.len() <= CHUNK_BYTES_MAX || samples.series.is_empty() {
            return (bytes, all - samples.count());
        }
        samples.series.truncate(samples.series.len() / 2);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    fn part(first: u64, name: &str, label: &str, values: &[f64]) -> Vec<u8> {
        let times = (0..).map(|n| first + 60 * n).take(values.len()).collect();
        let values = values.iter().map(|value| Some(*value)).collect();
        let metric = Metric::named(name).unwrap();
        let series = vec![Series { metric, label: label.to_owned(), values }];
        Samples { times, series, unknown: 0 }.encode()
    }

    fn closed(parts: Vec<Vec<u8>>, chunks: [Option<Vec<u8>>; 3]) -> [Vec<u8>; 3] {
        close(&WindowRows { parts, chunks }).unwrap().0
    }

    fn points(samples: &Samples) -> Vec<(u64, f64)> {
        let values = &samples.series[0].values;
        samples.times.iter().zip(values).filter_map(|(t, v)| Some((*t, (*v)?))).collect()
    }

    fn stat(chunk: &[u8], stat: Stat) -> Vec<(u64, f64)> {
        points(&stat_of(chunk, stat).unwrap())
    }

    #[test]
    fn parts_become_one_and_are_thinned_out() {
        let values: Vec<f64> = (0..10).map(f64::from).collect();
        let parts = [
            part(3000, "bartizan_load1", "", &values[..5]),
            part(3300, "bartizan_load1", "", &values[5..]),
        ];
        let chunks = closed(parts.to_vec(), [None, None, None]);
        let raw = Samples::decode(&chunks[0], &CHUNK_LIMITS).unwrap();
        assert_eq!(points(&raw).len(), 10);
        assert_eq!(stat(&chunks[1], Stat::Mean), [(3000, 2.0), (3300, 7.0)]);
        assert_eq!(stat(&chunks[1], Stat::Min), [(3000, 0.0), (3300, 5.0)]);
        assert_eq!(stat(&chunks[1], Stat::Max), [(3000, 4.0), (3300, 9.0)]);
        assert_eq!(stat(&chunks[1], Stat::Last), [(3000, 4.0), (3300, 9.0)]);
        assert_eq!(stat(&chunks[2], Stat::Mean), [(0, 4.5)]);
    }

    #[test]
    fn of_a_counter_the_last_value_is_kept_whatever_is_asked_for() {
        let name = "bartizan_network_receive_bytes_total";
        let chunks = closed(vec![part(0, name, "eth0", &[1.0, 5.0, 9.0])], [None, None, None]);
        for wanted in STATS {
            assert_eq!(stat(&chunks[1], wanted), [(0, 9.0)]);
        }
    }

    #[test]
    fn a_late_part_joins_what_is_there_also_when_that_was_thinned_out() {
        let first = closed(vec![part(0, "bartizan_load1", "", &[1.0, 1.0])], [None, None, None]);
        let late = || vec![part(600, "bartizan_load1", "", &[4.0, 6.0])];
        let chunks = closed(late(), first.clone().map(Some));
        let raw = Samples::decode(&chunks[0], &CHUNK_LIMITS).unwrap();
        assert_eq!(points(&raw), [(0, 1.0), (60, 1.0), (600, 4.0), (660, 6.0)]);
        assert_eq!(stat(&chunks[2], Stat::Mean), [(0, 3.0)], "all of the hour");
        // The raw chunk was forgotten meanwhile.
        let [_, five, hour] = first.map(Some);
        let chunks = closed(late(), [None, five, hour]);
        assert_eq!(stat(&chunks[1], Stat::Mean), [(0, 1.0), (600, 5.0)]);
    }

    #[test]
    fn the_same_twice_is_the_same_once() {
        let one = part(0, "bartizan_load1", "", &[1.0, 2.0]);
        let chunks = closed(vec![one.clone(), one.clone(), one], [None, None, None]);
        let again = closed(Vec::new(), chunks.clone().map(Some));
        assert_eq!(again, chunks);
        assert_eq!(points(&Samples::decode(&chunks[0], &CHUNK_LIMITS).unwrap()).len(), 2);
    }

    #[test]
    fn invented_names_are_cut_off_and_counted() {
        let names =
            |n: usize| part(60, "bartizan_process_cpu_percent", &format!("p{n:05}"), &[1.0]);
        let parts = (0..CHUNK_LIMITS.series_max + 10).map(names).collect();
        let rows = WindowRows { parts, ..WindowRows::default() };
        let (chunks, lost) = close(&rows).unwrap();
        assert_eq!(lost, 10);
        let raw = Samples::decode(&chunks[0], &CHUNK_LIMITS).unwrap();
        assert_eq!(raw.series.len(), CHUNK_LIMITS.series_max);
    }

    #[test]
    fn damaged_rows_are_an_error_and_no_panic() {
        let chunk =
            closed(vec![part(0, "bartizan_load1", "", &[1.0])], [None, None, None])[1].clone();
        for cut in 0..chunk.len() {
            assert!(stat_of(&chunk[..cut], Stat::Max).is_err());
        }
        let rows = WindowRows { parts: vec![b"junk".to_vec()], ..WindowRows::default() };
        assert!(close(&rows).is_err());
    }

    #[test]
    fn means_of_huge_numbers_are_numbers() {
        assert!(reduce(&[f64::MAX, f64::MAX], Stat::Mean).unwrap().is_finite());
        assert_eq!(reduce(&[], Stat::Mean), None);
    }
}
