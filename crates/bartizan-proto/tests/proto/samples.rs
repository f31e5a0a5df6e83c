//! Batches of samples: round trips, limits and hostile bytes.

use bartizan_proto::limits::REPORT_BYTES_MAX;
use bartizan_proto::samples::{
    CHUNK_LIMITS, LABEL_BYTES_MAX, Metric, REPORT_LIMITS, SampleLimits, Samples, SamplesError,
    Series,
};
use proptest::prelude::*;

fn metric(name: &str) -> Metric {
    Metric::named(name).unwrap()
}

fn series(metric: Metric, label: &str, values: &[Option<f64>]) -> Series {
    Series { metric, label: label.to_owned(), values: values.to_vec() }
}

fn batch() -> Samples {
    Samples {
        times: vec![1_800_000_000, 1_800_000_060, 1_800_000_121],
        series: vec![
            series(metric("bartizan_cpu_percent"), "user", &[Some(1.25), Some(99.9), Some(0.0)]),
            series(
                metric("bartizan_filesystem_free_bytes"),
                "/var",
                &[None, Some(4096.0), Some(8192.0)],
            ),
            series(metric("bartizan_load1"), "", &[Some(0.5); 3]),
        ],
        unknown: 0,
    }
}

fn decode(bytes: &[u8]) -> Result<Samples, SamplesError> {
    Samples::decode(bytes, &REPORT_LIMITS)
}

#[test]
fn a_batch_is_what_was_measured() {
    assert_eq!(decode(&batch().encode()), Ok(batch()));
    assert_eq!(decode(&Samples::default().encode()), Ok(Samples::default()));
}

#[test]
fn bytes_cut_off_or_added_are_refused() {
    let bytes = batch().encode();
    for cut in 0..bytes.len() {
        assert!(decode(&bytes[..cut]).is_err(), "cut at {cut}");
    }
    assert_eq!(decode(&[bytes.as_slice(), &[0]].concat()), Err(SamplesError::Malformed));
    assert_eq!(decode(&[&[2], &bytes[1..]].concat()), Err(SamplesError::Malformed), "another form");
}

#[test]
fn a_metric_that_nobody_knows_is_passed_over() {
    let mut bytes = batch().encode();
    let at = bytes
        .iter()
        .position(|byte| *byte == metric("bartizan_filesystem_free_bytes").code())
        .unwrap();
    bytes[at] = 250;
    let read = decode(&bytes).unwrap();
    assert_eq!((read.series.len(), read.unknown), (2, 1));
    assert_eq!(read.series[1], batch().series[2]);
}

#[test]
fn what_is_no_number_never_travels() {
    let mut batch = batch();
    batch.series[0].values = vec![Some(f64::NAN), Some(f64::INFINITY), Some(1.0)];
    let read = decode(&batch.encode()).unwrap();
    assert_eq!(read.series[0].values, [None, None, Some(1.0)]);
    batch.series[0].values = vec![Some(f64::NAN); 3];
    assert_eq!(decode(&batch.encode()).unwrap().series.len(), 2);
}

#[test]
fn labels_are_bounded_plain_and_only_where_they_belong() {
    let with = |metric, label: &str| {
        let mut batch = batch();
        batch.series = vec![series(metric, label, &[Some(1.0); 3])];
        decode(&batch.encode()).map(drop)
    };
    assert_eq!(
        with(metric("bartizan_filesystem_free_bytes"), &"m".repeat(LABEL_BYTES_MAX)),
        Ok(())
    );
    let refused = Err(SamplesError::Label);
    assert_eq!(
        with(metric("bartizan_filesystem_free_bytes"), &"m".repeat(LABEL_BYTES_MAX + 1)),
        refused
    );
    assert_eq!(with(metric("bartizan_filesystem_free_bytes"), "a\u{1b}[31m"), refused);
    assert_eq!(with(metric("bartizan_filesystem_free_bytes"), ""), refused);
    assert_eq!(with(metric("bartizan_load1"), "x"), refused);
}

#[test]
fn times_rise() {
    for times in [vec![5, 5], vec![9, 3], vec![1_800_000_060, 1_800_000_000]] {
        let count = times.len();
        let batch = Samples {
            times,
            series: vec![series(metric("bartizan_load1"), "", &vec![Some(1.0); count])],
            unknown: 0,
        };
        assert_eq!(decode(&batch.encode()), Err(SamplesError::Times));
    }
}

#[test]
fn more_than_there_may_be_is_refused() {
    let of = |times: usize, many: usize| Samples {
        times: (0..u64::try_from(times).unwrap()).collect(),
        series: vec![series(metric("bartizan_load1"), "", &vec![Some(1.0); times]); many],
        unknown: 0,
    };
    let limits = SampleLimits { times_max: 10, series_max: 5 };
    let check = |times, many| Samples::decode(&of(times, many).encode(), &limits).map(drop);
    assert_eq!(check(10, 5), Ok(()));
    assert_eq!(check(11, 5), Err(SamplesError::TooMany));
    assert_eq!(check(10, 6), Err(SamplesError::TooMany));
}

/// A machine with everything there may be, at values that hardly compress: what the guard sends has to fit a report.
#[test]
fn five_minutes_of_a_very_large_machine_fit_a_report() {
    let values =
        |n: u32| (0..5_u32).map(move |t| Some(f64::from(n * 7919 + t * t * 104_729) / 100.0));
    let batch = Samples {
        times: (0..5).map(|n| 1_800_000_000 + 60 * n).collect(),
        series: (0..256)
            .map(|n| {
                series(
                    metric("bartizan_filesystem_free_bytes"),
                    &format!("/srv/{n:059}"),
                    &values(n).collect::<Vec<_>>(),
                )
            })
            .collect(),
        unknown: 0,
    };
    let bytes = batch.encode();
    assert!(bytes.len() < REPORT_BYTES_MAX, "{}", bytes.len());
    assert_eq!(decode(&bytes), Ok(batch));
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(mut bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = decode(&bytes);
        bytes.insert(0, 1);
        if let Ok(read) = Samples::decode(&bytes, &CHUNK_LIMITS) {
            // What was read can be kept and read again.
            let again = Samples::decode(&read.encode(), &CHUNK_LIMITS).unwrap();
            prop_assert_eq!(again.series, read.series);
        }
    }
}
