//! Measures this machine on a thread of its own, so that a file system that hangs stops nothing else, and makes reports of it.

use std::collections::BTreeMap;
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use bartizan_os::metrics::{Meter, Reading};
use bartizan_proto::message::ReportKind;
use bartizan_proto::samples::{Metric, REPORT_LIMITS, Samples, Series};
use bartizan_trust::id::EndpointId;

use crate::guard::Event;
use crate::install::now;
use crate::reports::Observation;

/// How often, in seconds.
const INTERVAL_S: u64 = 60;
/// Samples in a report: less often is cheaper, more often is fresher.
const SAMPLES_AT_ONCE: usize = 5;
/// A report holds no more than this much time: after a suspended machine wakes up, another one begins.
const SPAN_MAX_S: u64 = 1800;
/// The first figures are there at once, and are of so much time.
const FIRST_INTERVAL: Duration = Duration::from_secs(1);

/// Samples that are not in a report yet.
#[derive(Debug, Default)]
pub(crate) struct Pending(Vec<(u64, Vec<Reading>)>);

/// Shared with the thread that measures.
pub(crate) type Shared = Arc<Mutex<Pending>>;

/// Starts measuring.
pub(crate) fn start(endpoint: EndpointId, events: SyncSender<Event>) -> Shared {
    let pending = Shared::default();
    let shared = Arc::clone(&pending);
    thread::spawn(move || measure(endpoint, &shared, &events));
    pending
}

/// Everything that waits, for a guard that ends.
pub(crate) fn take(pending: &Shared) -> Option<Observation> {
    pending.lock().unwrap_or_else(PoisonError::into_inner).take()
}

fn measure(endpoint: EndpointId, pending: &Shared, events: &SyncSender<Event>) {
    let mut meter = Meter::default();
    meter.measure();
    thread::sleep(FIRST_INTERVAL);
    let mut count_max = 1;
    loop {
        let readings = meter.measure();
        let full = {
            let mut pending = pending.lock().unwrap_or_else(PoisonError::into_inner);
            let before = pending.add(now().get(), readings);
            let full = if pending.0.len() >= count_max { pending.take() } else { None };
            [before, full]
        };
        count_max = SAMPLES_AT_ONCE;
        for observation in full.into_iter().flatten() {
            if events.send(Event::Observed(observation)).is_err() {
                return;
            }
        }
        thread::sleep(Duration::from_secs(until_next(endpoint, now().get())));
    }
}

/// Seconds until this endpoint's second of the minute: not every endpoint's is the same, so that a server hears of them one after
/// the other.
fn until_next(endpoint: EndpointId, now: u64) -> u64 {
    let own = endpoint.hash().as_bytes().iter().fold(0, |sum, byte| sum + u64::from(*byte));
    let passed = (now + INTERVAL_S - own % INTERVAL_S) % INTERVAL_S;
    INTERVAL_S - passed
}

impl Pending {
    /// Adds what was measured at a time. A clock that was set, or a long pause, begins another batch, and the one before is
    /// returned.
    fn add(&mut self, at: u64, readings: Vec<Reading>) -> Option<Observation> {
        let back = self.0.last().is_some_and(|(last, _)| *last >= at);
        let long = self.0.first().is_some_and(|(first, _)| first.saturating_add(SPAN_MAX_S) < at);
        let before = if back || long { self.take() } else { None };
        self.0.push((at, readings));
        before
    }

    fn take(&mut self) -> Option<Observation> {
        let all = std::mem::take(&mut self.0);
        let at = all.last()?.0;
        let samples = batch(&all);
        let items = u64::try_from(samples.count()).unwrap_or(u64::MAX);
        Some(Observation { kind: ReportKind::Samples, at, items, bytes: samples.encode() })
    }
}

fn batch(all: &[(u64, Vec<Reading>)]) -> Samples {
    let mut series: BTreeMap<(Metric, &str), Vec<Option<f64>>> = BTreeMap::new();
    for (index, (_, readings)) in all.iter().enumerate() {
        for reading in readings {
            let Some(metric) = Metric::named(reading.name) else { continue };
            let values = series.entry((metric, &reading.label)).or_insert(vec![None; all.len()]);
            if let Some(value) = values.get_mut(index) {
                *value = Some(reading.value);
            }
        }
    }
    let series = series
        .into_iter()
        .take(REPORT_LIMITS.series_max)
        .map(|((metric, label), values)| Series { metric, label: label.to_owned(), values });
    let times = all.iter().map(|(at, _)| *at).collect();
    Samples { times, series: series.collect(), unknown: 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bartizan_trust::id::Sha256;

    fn read(observation: &Observation) -> Samples {
        Samples::decode(&observation.bytes, &REPORT_LIMITS).unwrap()
    }

    #[test]
    fn everything_that_is_measured_has_a_number() {
        let mut meter = Meter::default();
        meter.measure();
        for reading in meter.measure() {
            let metric = Metric::named(reading.name);
            let labelled = metric.map(|metric| !metric.label_key().is_empty());
            assert_eq!(labelled, Some(!reading.label.is_empty()), "{reading:?}");
        }
    }

    #[test]
    fn samples_become_one_report_with_gaps_where_there_was_nothing() {
        let reading = |name, label: &str, value| Reading { name, label: label.to_owned(), value };
        let mut pending = Pending::default();
        pending.add(100, vec![reading("bartizan_load1", "", 1.0)]);
        let program = reading("bartizan_process_cpu_percent", "cc1", 99.0);
        pending.add(160, vec![reading("bartizan_load1", "", 2.0), program]);
        let report = pending.take().unwrap();
        assert_eq!((report.at, report.items), (160, 3));
        let samples = read(&report);
        assert_eq!(samples.times, [100, 160]);
        assert_eq!(samples.series[0].values, [Some(1.0), Some(2.0)]);
        assert_eq!(samples.series[1].values, [None, Some(99.0)]);
        assert_eq!(pending.take(), None);
    }

    #[test]
    fn a_clock_that_is_set_and_a_long_pause_begin_another_report() {
        let mut pending = Pending::default();
        let load = || vec![Reading { name: "bartizan_load1", label: String::new(), value: 1.0 }];
        assert_eq!(pending.add(100, load()), None);
        let before = pending.add(40, load()).unwrap();
        assert_eq!(read(&before).times, [100]);
        let before = pending.add(40 + SPAN_MAX_S + 1, load()).unwrap();
        assert_eq!(read(&before).times, [40]);
        assert_eq!(read(&pending.take().unwrap()).times, [1841]);
    }

    #[test]
    fn endpoints_do_not_all_speak_at_once() {
        let mut seconds = std::collections::BTreeSet::new();
        for number in 0..100_u8 {
            let endpoint = EndpointId::new(Sha256::of(&[number]));
            let wait = until_next(endpoint, 1_800_000_000);
            assert!((1..=60).contains(&wait));
            assert_eq!(until_next(endpoint, 1_800_000_000 + wait), 60);
            seconds.insert(wait);
        }
        assert!(seconds.len() > 30);
    }
}
