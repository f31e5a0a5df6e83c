//! Samples: what a machine measured of itself, as it travels in a report and as it is kept. Specification: `docs/spec/samples.md`.

mod catalogue;
mod numbers;

use bartizan_trust::statement::is_plain_char;

pub use self::catalogue::{Metric, MetricKind};
use self::numbers::{
    byte, read_integers, read_number, read_values, take, write_integers, write_number, write_values,
};

/// Longest label in bytes: a mount point, an interface, a program's name.
pub const LABEL_BYTES_MAX: usize = 64;
/// The form of the bytes.
const FORM: u8 = 1;

/// How much there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SampleLimits {
    /// Points in time.
    pub times_max: usize,
    /// Series.
    pub series_max: usize,
}

/// Of one report: an hour's worth at the usual pace, of every disk and interface that a machine is likely to have.
pub const REPORT_LIMITS: SampleLimits = SampleLimits { times_max: 64, series_max: 256 };
/// Of what is kept together: six hours, at six times the usual pace, with what came and went.
pub const CHUNK_LIMITS: SampleLimits = SampleLimits { times_max: 4096, series_max: 1024 };

/// Why bytes are no samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SamplesError {
    /// They are not in the form.
    #[error("malformed samples")]
    Malformed,
    /// More points in time or series than there may be.
    #[error("too many samples")]
    TooMany,
    /// Too long, or with characters that do not show as themselves.
    #[error("a label that is none")]
    Label,
    /// Not a number.
    #[error("a value that is not a number")]
    Value,
    /// Times do not rise.
    #[error("times out of order")]
    Times,
}

impl SamplesError {
    /// Its stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "samples.malformed",
            Self::TooMany => "samples.too_many",
            Self::Label => "samples.label",
            Self::Value => "samples.value",
            Self::Times => "samples.times",
        }
    }
}

/// Series over the same points in time.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Samples {
    /// Seconds, rising.
    pub times: Vec<u64>,
    /// In the order they came.
    pub series: Vec<Series>,
    /// Series of metrics that this program does not know; they are left out.
    pub unknown: usize,
}

/// One of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// What is measured.
    pub metric: Metric,
    /// Where; empty for a metric without a label.
    pub label: String,
    /// One for each point in time, where there is one.
    pub values: Vec<Option<f64>>,
}

impl Samples {
    /// How many values there are.
    pub fn count(&self) -> usize {
        self.series.iter().map(Series::count).sum()
    }

    /// Writes them. Values that are not finite are left out.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![FORM];
        write_number(&mut out, number(self.times.len()));
        if !self.times.is_empty() {
            let times: Vec<i64> =
                self.times.iter().map(|time| i64::try_from(*time).unwrap_or_default()).collect();
            write_integers(&mut out, &times, 0);
        }
        let present: Vec<&Series> =
            self.series.iter().filter(|series| series.count() > 0).collect();
        write_number(&mut out, number(present.len()));
        for series in present {
            series.encode(&mut out, self.times.len());
        }
        out
    }

    /// Reads exactly what there is.
    pub fn decode(mut bytes: &[u8], limits: &SampleLimits) -> Result<Self, SamplesError> {
        let bytes = &mut bytes;
        if byte(bytes)? != FORM {
            return Err(SamplesError::Malformed);
        }
        let count = counted(bytes, limits.times_max)?;
        let times = if count == 0 { Vec::new() } else { read_times(bytes, count)? };
        let series_count = counted(bytes, limits.series_max)?;
        let mut samples = Self { times, series: Vec::new(), unknown: 0 };
        for _ in 0..series_count {
            match Series::decode(bytes, count)? {
                Some(series) => samples.series.push(series),
                None => samples.unknown += 1,
            }
        }
        if bytes.is_empty() { Ok(samples) } else { Err(SamplesError::Malformed) }
    }
}

impl Series {
    /// How many values there are.
    pub fn count(&self) -> usize {
        self.finite().count()
    }

    fn finite(&self) -> impl Iterator<Item = f64> {
        self.values.iter().flatten().copied().filter(|value| value.is_finite())
    }

    /// Number, label, which values there are, the values. The whole has its length in front, so that a metric that nobody knows
    /// can be passed over.
    fn encode(&self, out: &mut Vec<u8>, times: usize) {
        let mut body = Vec::new();
        write_number(&mut body, number(self.label.len()));
        body.extend_from_slice(self.label.as_bytes());
        let values: Vec<f64> = self.finite().collect();
        let all = values.len() == times;
        body.push(u8::from(!all));
        if !all {
            body.extend(presence(&self.values, times));
        }
        write_values(&mut body, &values);
        out.push(self.metric.code());
        write_number(out, number(body.len()));
        out.extend(body);
    }

    fn decode(bytes: &mut &[u8], times: usize) -> Result<Option<Self>, SamplesError> {
        let metric = Metric::of(byte(bytes)?);
        let length = usize::try_from(read_number(bytes)?).map_err(|_| SamplesError::Malformed)?;
        let mut body = take(bytes, length)?;
        let Some(metric) = metric else { return Ok(None) };
        let label = read_label(&mut body)?;
        if metric.label_key().is_empty() != label.is_empty() {
            return Err(SamplesError::Label);
        }
        let present = match byte(&mut body)? {
            0 => vec![true; times],
            1 => read_presence(&mut body, times)?,
            _ => return Err(SamplesError::Malformed),
        };
        let count = present.iter().filter(|present| **present).count();
        if count == 0 {
            return Err(SamplesError::Malformed);
        }
        let mut values = read_values(&mut body, count)?.into_iter();
        if !body.is_empty() {
            return Err(SamplesError::Malformed);
        }
        let values = present.into_iter().map(|present| if present { values.next() } else { None });
        Ok(Some(Self { metric, label, values: values.collect() }))
    }
}

fn read_times(bytes: &mut &[u8], count: usize) -> Result<Vec<u64>, SamplesError> {
    let times = read_integers(bytes, count)?;
    let times: Result<Vec<u64>, _> = times
        .into_iter()
        .map(|time| u64::try_from(time).map_err(|_| SamplesError::Times))
        .collect();
    let times = times?;
    if times.is_sorted_by(|a, b| a < b) { Ok(times) } else { Err(SamplesError::Times) }
}

fn read_label(bytes: &mut &[u8]) -> Result<String, SamplesError> {
    let length = usize::try_from(read_number(bytes)?).map_err(|_| SamplesError::Malformed)?;
    if length > LABEL_BYTES_MAX {
        return Err(SamplesError::Label);
    }
    let text = str::from_utf8(take(bytes, length)?).map_err(|_| SamplesError::Label)?;
    if text.chars().all(is_plain_char) { Ok(text.to_owned()) } else { Err(SamplesError::Label) }
}

/// A bit for each point in time, the first one lowest.
fn presence(values: &[Option<f64>], times: usize) -> Vec<u8> {
    let mut bits = vec![0_u8; times.div_ceil(8)];
    for (index, value) in values.iter().enumerate() {
        if value.is_some_and(f64::is_finite)
            && let Some(byte) = bits.get_mut(index / 8)
        {
            *byte |= 1 << (index % 8);
        }
    }
    bits
}

fn read_presence(bytes: &mut &[u8], times: usize) -> Result<Vec<bool>, SamplesError> {
    let bits = take(bytes, times.div_ceil(8))?;
    let all = bits.iter().flat_map(|byte| (0..8).map(move |bit| byte & (1 << bit) != 0));
    let (present, rest): (Vec<_>, Vec<_>) = all.enumerate().partition(|(index, _)| *index < times);
    let full = present.iter().all(|(_, present)| *present);
    if full || rest.iter().any(|(_, set)| *set) {
        return Err(SamplesError::Malformed);
    }
    Ok(present.into_iter().map(|(_, present)| present).collect())
}

fn counted(bytes: &mut &[u8], max: usize) -> Result<usize, SamplesError> {
    let count = usize::try_from(read_number(bytes)?).unwrap_or(usize::MAX);
    if count > max { Err(SamplesError::TooMany) } else { Ok(count) }
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
