//! Series of samples: taken in as they come, put together window by window, thinned out, forgotten, and read.
//!
//! A *window* is six hours of one endpoint. Its *parts* are what reports brought. When it is over they become one *chunk* of
//! each level: raw, five minutes, one hour. A part that comes later opens the window again.

pub(crate) mod promql;
pub(crate) mod read;
pub(crate) mod retention;
pub(crate) mod rollup;
pub(crate) mod upkeep;

use bartizan_proto::samples::{REPORT_LIMITS, Samples, SamplesError, Series};
use bartizan_store::{StoreError, Tx};

use crate::planes::agent::reports::{Fate, Observed};

/// Seconds of a window: long enough that names cost nothing and values compress, short enough to be read whole.
pub(crate) const WINDOW_S: u64 = 6 * 3600;
/// A report holds at most this much time, so that one report opens at most two windows.
const SPAN_MAX_S: u64 = 3600;
/// Samples older than this are not taken: no spool keeps them as long.
const LATE_MAX_S: u64 = 60 * 86_400;

/// The window of a time.
pub(crate) const fn window_of(at: u64) -> u64 {
    at / WINDOW_S
}

/// Keeps a report of samples.
pub(crate) fn keep(tx: &mut Tx<'_>, observed: &Observed<'_>) -> Result<Fate, StoreError> {
    let parts = match take_apart(observed) {
        Ok(parts) => parts,
        Err(code) => return Ok(Fate::Refused(code)),
    };
    let mut kept = 0;
    let owner = tx.series_owner(observed.endpoint)?;
    for part in parts {
        if !tx.put_series_part(owner, part.window, &part.bytes)? {
            return Ok(Fate::Refused("samples.too_often"));
        }
        if observed.is_written_out {
            tx.put_outgoing(owner, part.times, observed.received.get())?;
        }
        kept += part.count;
    }
    Ok(Fate::Samples(u64::try_from(kept).unwrap_or(u64::MAX)))
}

/// Samples of one window.
struct Part {
    window: u64,
    /// The first and the last.
    times: (u64, u64),
    count: usize,
    bytes: Vec<u8>,
}

fn ends(samples: &Samples) -> (u64, u64) {
    let end = |time: Option<&u64>| time.copied().unwrap_or_default();
    (end(samples.times.first()), end(samples.times.last()))
}

/// Checks a report and cuts it at the ends of windows.
fn take_apart(observed: &Observed<'_>) -> Result<Vec<Part>, &'static str> {
    let read = Samples::decode(observed.bytes, &REPORT_LIMITS);
    let mut samples = read.map_err(SamplesError::code)?;
    let (Some(first), Some(last)) = (samples.times.first(), samples.times.last()) else {
        return Ok(Vec::new());
    };
    // A report's own time is that of its end: a sample beyond it is no claim but a mistake.
    let claimed = observed.at.get() + observed.ahead_s;
    if last - first > SPAN_MAX_S || *last > claimed {
        return Err(SamplesError::Times.code());
    }
    for time in &mut samples.times {
        *time = time.saturating_sub(observed.ahead_s);
    }
    let oldest = observed.received.get().saturating_sub(LATE_MAX_S);
    if samples.times.first().is_none_or(|first| *first < oldest) {
        return Err("samples.old");
    }
    let mut windows: Vec<u64> = samples.times.iter().map(|time| window_of(*time)).collect();
    windows.dedup();
    if windows.len() == 1 && observed.ahead_s == 0 {
        // As it came: also what this server does not know is kept.
        let (window, count) = (windows.first().copied().unwrap_or_default(), samples.count());
        let times = ends(&samples);
        return Ok(vec![Part { window, times, count, bytes: observed.bytes.to_vec() }]);
    }
    let of = |window: u64| {
        let part = only(&samples, |time| window_of(time) == window);
        Part { window, times: ends(&part), count: part.count(), bytes: part.encode() }
    };
    Ok(windows.into_iter().map(of).collect())
}

/// The samples at some of the times.
pub(crate) fn only(samples: &Samples, wanted: impl Fn(u64) -> bool) -> Samples {
    let chosen: Vec<bool> = samples.times.iter().map(|time| wanted(*time)).collect();
    let series = samples.series.iter().map(|series| Series {
        metric: series.metric,
        label: series.label.clone(),
        values: pick(&series.values, &chosen),
    });
    Samples { times: pick(&samples.times, &chosen), series: series.collect(), unknown: 0 }
}

fn pick<T: Copy>(all: &[T], chosen: &[bool]) -> Vec<T> {
    all.iter().zip(chosen).filter(|(_, chosen)| **chosen).map(|(one, _)| *one).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use bartizan_proto::samples::Metric;
    use bartizan_trust::id::{EndpointId, Sha256};
    use bartizan_trust::time::UnixSeconds;

    const NOW: u64 = 1_800_000_000;

    fn bytes(times: &[u64]) -> Vec<u8> {
        let values = times.iter().map(|_| Some(1.5)).collect();
        let metric = Metric::named("bartizan_load1").unwrap();
        let series = vec![Series { metric, label: String::new(), values }];
        Samples { times: times.to_vec(), series, unknown: 0 }.encode()
    }

    fn check(bytes: &[u8], ahead_s: u64) -> Result<Vec<(u64, Vec<u64>)>, &'static str> {
        let observed = Observed {
            admitted: true,
            endpoint: EndpointId::new(Sha256::of(b"e")),
            at: UnixSeconds::new(NOW),
            ahead_s,
            received: UnixSeconds::new(NOW),
            is_written_out: false,
            bytes,
        };
        let parts = take_apart(&observed)?;
        let times = |part: &Part| Samples::decode(&part.bytes, &REPORT_LIMITS).unwrap().times;
        Ok(parts.iter().map(|part| (part.window, times(part))).collect())
    }

    #[test]
    fn a_report_is_cut_where_a_window_ends() {
        let end = window_of(NOW) * WINDOW_S;
        let times = [end - 60, end, end + 60];
        let expected =
            vec![(end / WINDOW_S - 1, vec![end - 60]), (end / WINDOW_S, vec![end, end + 60])];
        assert_eq!(check(&bytes(&times), 0), Ok(expected));
        assert_eq!(check(&bytes(&[]), 0), Ok(vec![]));
    }

    #[test]
    fn a_clock_that_is_ahead_is_set_right_and_lies_are_refused() {
        let ahead = 86_400;
        let read = check(&bytes(&[NOW + ahead - 60, NOW + ahead]), ahead).unwrap();
        assert_eq!(read, [(window_of(NOW), vec![NOW - 60, NOW])]);
        assert_eq!(check(&bytes(&[NOW + 1]), 0), Err("samples.times"));
        assert_eq!(check(&bytes(&[NOW - SPAN_MAX_S, NOW]), 0).map(|p| p.len()), Ok(1));
        assert_eq!(check(&bytes(&[NOW - SPAN_MAX_S - 1, NOW]), 0), Err("samples.times"));
        assert_eq!(check(&bytes(&[NOW - LATE_MAX_S]), 0).map(|p| p.len()), Ok(1));
        assert_eq!(check(&bytes(&[NOW - LATE_MAX_S - 1]), 0), Err("samples.old"));
        assert_eq!(check(b"no samples", 0), Err("samples.malformed"));
    }
}
