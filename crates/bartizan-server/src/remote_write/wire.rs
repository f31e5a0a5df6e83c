//! What is sent: the protobuf of Prometheus remote write 1.0, in a block of snappy.

use bartizan_proto::samples::Metric;
use bartizan_store::OutgoingRecord;
use bartizan_trust::statement::is_plain_char;
use prost::Message;

use crate::series::rollup::Values;

/// Samples in one request. A report of a usual machine has some three hundred; receivers take a few thousand with ease.
pub(super) const SAMPLES_MAX: usize = 10_000;
/// Longest host name in a label: what a name may have.
const HOSTNAME_CHARS_MAX: usize = 253;

/// A request.
#[derive(Clone, PartialEq, Message)]
pub(super) struct WriteRequest {
    #[prost(message, repeated, tag = "1")]
    pub(super) timeseries: Vec<TimeSeries>,
}

/// Samples of one series, in order of time.
#[derive(Clone, PartialEq, Message)]
pub(super) struct TimeSeries {
    /// In order of name.
    #[prost(message, repeated, tag = "1")]
    pub(super) labels: Vec<Label>,
    #[prost(message, repeated, tag = "2")]
    pub(super) samples: Vec<Sample>,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Message)]
pub(super) struct Label {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(string, tag = "2")]
    pub(super) value: String,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct Sample {
    #[prost(double, tag = "1")]
    pub(super) value: f64,
    /// Milliseconds.
    #[prost(int64, tag = "2")]
    pub(super) timestamp: i64,
}

/// Series that are sent together, and the entry up to which a destination then has everything.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Piece {
    pub(super) upto: u64,
    pub(super) series: Vec<TimeSeries>,
    pub(super) samples: usize,
}

impl Piece {
    /// As it is sent.
    pub(super) fn encode(&self) -> anyhow::Result<Vec<u8>> {
        let bytes = WriteRequest { timeseries: self.series.clone() }.encode_to_vec();
        Ok(snap::raw::Encoder::new().compress_vec(&bytes)?)
    }
}

/// The samples of an entry in pieces, of which only the last one brings the destination further.
pub(super) fn pieces(
    record: &OutgoingRecord,
    values: &Values,
    extra: &[(String, String)],
) -> Vec<Piece> {
    let mut pieces = vec![Piece { upto: record.id - 1, ..Piece::default() }];
    for ((metric, label), points) in values {
        let in_time = points.range(record.first..=record.last);
        let samples: Vec<Sample> = in_time.filter_map(|(at, value)| sample(*at, *value)).collect();
        for some in samples.chunks(SAMPLES_MAX) {
            if pieces.last().is_some_and(|piece| piece.samples + some.len() > SAMPLES_MAX) {
                pieces.push(Piece { upto: record.id - 1, ..Piece::default() });
            }
            let Some(piece) = pieces.last_mut() else { continue };
            let labels = labels(record, *metric, label, extra);
            piece.series.push(TimeSeries { labels, samples: some.to_vec() });
            piece.samples += some.len();
        }
    }
    if let Some(last) = pieces.last_mut() {
        last.upto = record.id;
    }
    pieces
}

/// Pieces that go together, as long as they fit into one request.
pub(super) fn joined(pieces: &[Piece]) -> Vec<Vec<Piece>> {
    let mut requests: Vec<Vec<Piece>> = Vec::new();
    let mut room = 0;
    for piece in pieces {
        if let Some(request) = requests.last_mut().filter(|_| piece.samples <= room) {
            request.push(piece.clone());
        } else {
            room = SAMPLES_MAX;
            requests.push(vec![piece.clone()]);
        }
        room = room.saturating_sub(piece.samples);
    }
    requests
}

fn sample(at: u64, value: f64) -> Option<Sample> {
    let timestamp = i64::try_from(at.checked_mul(1000)?).ok()?;
    value.is_finite().then_some(Sample { value, timestamp })
}

fn labels(
    record: &OutgoingRecord,
    metric: Metric,
    label: &str,
    extra: &[(String, String)],
) -> Vec<Label> {
    // What an endpoint calls itself is its own word.
    let hostname: String =
        record.hostname.chars().filter(|c| is_plain_char(*c)).take(HOSTNAME_CHARS_MAX).collect();
    let endpoint = record.endpoint.to_string();
    let own = [
        ("__name__", metric.name()),
        ("endpoint", endpoint.as_str()),
        ("hostname", hostname.as_str()),
        ("site", record.site.as_ref().map_or("", |site| site.name())),
        ("tenant", record.tenant.as_ref().map_or("", |tenant| tenant.name())),
        (metric.label_key(), label),
    ];
    let extra = extra.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let all = own.into_iter().chain(extra).filter(|(_, value)| !value.is_empty());
    let mut labels: Vec<Label> =
        all.map(|(name, value)| Label { name: name.to_owned(), value: value.to_owned() }).collect();
    labels.sort_unstable();
    labels
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use bartizan_store::SeriesOwner;
    use bartizan_trust::id::{EndpointId, Sha256};
    use std::collections::BTreeMap;

    fn record(id: u64) -> OutgoingRecord {
        OutgoingRecord {
            id,
            owner: SeriesOwner(1),
            first: 60,
            last: 120,
            endpoint: EndpointId::new(Sha256::of(b"e")),
            hostname: "web\u{202e}1\n".to_owned(),
            tenant: Some("tn_acme".parse().unwrap()),
            site: None,
        }
    }

    fn values(series: usize, times: impl Iterator<Item = u64> + Clone) -> Values {
        let metric = Metric::named("bartizan_filesystem_free_bytes").unwrap();
        let points: BTreeMap<u64, f64> = times.map(|at| (at, 1.5)).collect();
        (0..series).map(|n| ((metric, format!("/{n:05}")), points.clone())).collect()
    }

    #[test]
    fn a_series_says_whose_it_is_and_holds_only_what_came() {
        let extra = [("source".to_owned(), "rmm".to_owned())];
        let pieces = pieces(&record(7), &values(1, [59, 60, 120, 121].into_iter()), &extra);
        assert_eq!(pieces.len(), 1);
        assert_eq!((pieces[0].upto, pieces[0].samples), (7, 2));
        let series = &pieces[0].series[0];
        let shown: Vec<String> =
            series.labels.iter().map(|label| format!("{}={}", label.name, label.value)).collect();
        let endpoint = format!("endpoint={}", record(7).endpoint);
        assert_eq!(
            shown,
            [
                "__name__=bartizan_filesystem_free_bytes",
                &endpoint,
                "hostname=web1",
                "mount=/00000",
                "source=rmm",
                "tenant=acme",
            ]
        );
        let times: Vec<i64> = series.samples.iter().map(|sample| sample.timestamp).collect();
        assert_eq!(times, [60_000, 120_000]);
    }

    #[test]
    fn an_entry_without_samples_still_brings_its_destination_further() {
        let pieces = pieces(&record(7), &Values::new(), &[]);
        assert_eq!(pieces, [Piece { upto: 7, ..Piece::default() }]);
    }

    #[test]
    fn no_request_is_larger_than_it_may_be_and_only_the_last_piece_counts() {
        let check = |series: usize, expected: &[(u64, usize)]| {
            let pieces = pieces(&record(7), &values(series, [60].into_iter()), &[]);
            let found: Vec<(u64, usize)> =
                pieces.iter().map(|piece| (piece.upto, piece.samples)).collect();
            assert_eq!(found, expected);
        };
        check(SAMPLES_MAX, &[(7, SAMPLES_MAX)]);
        check(SAMPLES_MAX + 1, &[(6, SAMPLES_MAX), (7, 1)]);
        let piece = |samples| Piece { samples, ..Piece::default() };
        let sizes = |pieces: &[Piece]| joined(pieces).iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(sizes(&[piece(4000), piece(6000), piece(1), piece(0)]), [2, 2]);
        assert_eq!(sizes(&[piece(SAMPLES_MAX), piece(SAMPLES_MAX)]), [1, 1]);
        assert_eq!(sizes(&[]), [0; 0]);
    }

    #[test]
    fn the_bytes_are_those_of_the_protocol() {
        // One series `a` with 1.5 at 1 s, written by hand from the protocol's text.
        let label = Label { name: "a".to_owned(), value: "b".to_owned() };
        let samples = vec![Sample { value: 1.5, timestamp: 1000 }];
        let series = vec![TimeSeries { labels: vec![label], samples }];
        let sent = Piece { upto: 1, series, samples: 1 }.encode().unwrap();
        let plain = snap::raw::Decoder::new().decompress_vec(&sent).unwrap();
        let expected = [
            0x0a, 0x16, // a series of 22 bytes
            0x0a, 0x06, 0x0a, 0x01, b'a', 0x12, 0x01, b'b', // a label
            0x12, 0x0c, // a sample of 12 bytes
            0x09, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f, // 1.5
            0x10, 0xe8, 0x07, // 1000
        ];
        assert_eq!(plain, expected);
    }
}
