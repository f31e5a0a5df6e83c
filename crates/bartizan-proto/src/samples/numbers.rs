//! Numbers as few bits: what one value says beyond the one before, in Rice's code.
//!
//! Metrics are integers in disguise: bytes in pages, percents in hundredths, counters. So a series is made of integers with as
//! many decimals as it needs, divided by what all of them share, and the differences are written with as many bits as their
//! usual size takes. What is no such number is kept as it is.

use super::SamplesError;

/// Decimals tried: hundredths and thousandths are what is measured.
const DECIMALS_MAX: u8 = 4;
/// Up to here every integer is one float and back.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
/// A difference that needs more steps than this is written whole.
const STEPS_MAX: u64 = 20;
/// Widest remainder.
const WIDTH_MAX: u32 = 56;

/// How a series is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// One value, always the same.
    Constant,
    /// Differences.
    Deltas,
    /// Differences of differences.
    Slopes,
    /// Eight bytes each.
    Raw,
}

const MODES: [Mode; 4] = [Mode::Constant, Mode::Deltas, Mode::Slopes, Mode::Raw];

/// Appends values that are finite.
pub(super) fn write_values(out: &mut Vec<u8>, values: &[f64]) {
    let scaled = (0..=DECIMALS_MAX).find_map(|decimals| Some((decimals, scale(values, decimals)?)));
    if let Some((decimals, whole)) = scaled {
        return write_integers(out, &whole, decimals);
    }
    out.push(head(Mode::Raw, 0));
    out.extend(values.iter().flat_map(|value| value.to_bits().to_le_bytes()));
}

/// Reads so many values; all of them are finite.
pub(super) fn read_values(bytes: &mut &[u8], count: usize) -> Result<Vec<f64>, SamplesError> {
    let (mode, decimals) = split_head(byte(bytes)?)?;
    if mode != Mode::Raw {
        let divisor = power_of_ten(decimals);
        let whole = read_body(bytes, mode, count)?;
        return Ok(whole.into_iter().map(|value| to_float(value) / divisor).collect());
    }
    let raw = take(bytes, count.checked_mul(8).ok_or(SamplesError::Malformed)?)?;
    let floats = raw.chunks_exact(8).map(|eight| {
        let bits = eight.try_into().map_err(|_| SamplesError::Malformed)?;
        let value = f64::from_bits(u64::from_le_bytes(bits));
        if value.is_finite() { Ok(value) } else { Err(SamplesError::Value) }
    });
    floats.collect()
}

/// Appends integers, each within 2^53.
pub(super) fn write_integers(out: &mut Vec<u8>, values: &[i64], decimals: u8) {
    let first = values.first().copied().unwrap_or_default();
    if values.iter().all(|value| *value == first) {
        out.push(head(Mode::Constant, decimals));
        return write_number(out, zigzag(first));
    }
    let deltas: Vec<i64> = pairs(values).map(|(before, value)| value - before).collect();
    let share = deltas.iter().fold(0, |share, delta| common(share, delta.unsigned_abs())).max(1);
    let unit = i64::try_from(share).unwrap_or(1);
    let deltas: Vec<u64> = deltas.into_iter().map(|delta| zigzag(delta / unit)).collect();
    let slopes: Vec<u64> = std::iter::once(0)
        .chain(deltas.iter().copied())
        .zip(&deltas)
        .map(|(before, delta)| zigzag(unzigzag(*delta) - unzigzag(before)))
        .collect();
    let (deltas, slopes) = ((best_width(&deltas), deltas), (best_width(&slopes), slopes));
    let (mode, ((_, width), steps)) =
        if slopes.0.0 < deltas.0.0 { (Mode::Slopes, slopes) } else { (Mode::Deltas, deltas) };
    out.push(head(mode, decimals));
    write_number(out, zigzag(first));
    write_number(out, share);
    out.push(u8::try_from(width).unwrap_or_default());
    let mut bits = BitWriter::new(out);
    for step in steps {
        bits.rice(step, width);
    }
    bits.finish();
}

/// Reads so many integers, each within 2^53.
pub(super) fn read_integers(bytes: &mut &[u8], count: usize) -> Result<Vec<i64>, SamplesError> {
    let (mode, decimals) = split_head(byte(bytes)?)?;
    if mode == Mode::Raw || decimals != 0 {
        return Err(SamplesError::Malformed);
    }
    read_body(bytes, mode, count)
}

fn read_body(bytes: &mut &[u8], mode: Mode, count: usize) -> Result<Vec<i64>, SamplesError> {
    let first = exact(unzigzag(read_number(bytes)?))?;
    if mode == Mode::Constant {
        return Ok(vec![first; count]);
    }
    let unit = i64::try_from(read_number(bytes)?).map_err(|_| SamplesError::Malformed)?;
    let width = u32::from(byte(bytes)?);
    if width > WIDTH_MAX || count == 0 {
        return Err(SamplesError::Malformed);
    }
    let mut values = Vec::with_capacity(count);
    values.push(first);
    let (mut value, mut slope) = (first, 0_i64);
    let mut bits = BitReader::new(bytes);
    for _ in 1..count {
        let step = unzigzag(bits.rice(width)?);
        slope = match mode {
            Mode::Slopes => slope.checked_add(step),
            Mode::Deltas | Mode::Constant | Mode::Raw => Some(step),
        }
        .ok_or(SamplesError::Malformed)?;
        let delta = slope.checked_mul(unit).ok_or(SamplesError::Malformed)?;
        value = exact(value.checked_add(delta).ok_or(SamplesError::Malformed)?)?;
        values.push(value);
    }
    *bytes = bits.finish()?;
    Ok(values)
}

/// Bits for all of them in the best of Rice's codes, and its width.
fn best_width(values: &[u64]) -> (u64, u32) {
    let count = u64::try_from(values.len()).unwrap_or(1).max(1);
    let sum = values.iter().fold(0_u64, |sum, value| sum.saturating_add(*value));
    let about = (sum / count).checked_ilog2().unwrap_or(0);
    let widths = about.saturating_sub(2)..=(about + 1).min(WIDTH_MAX);
    let cost = |width: u32| values.iter().map(|value| rice_bits(*value, width)).sum::<u64>();
    widths.map(|width| (cost(width), width)).min().unwrap_or_default()
}

fn rice_bits(value: u64, width: u32) -> u64 {
    let steps = value >> width;
    if steps < STEPS_MAX { steps + 1 + u64::from(width) } else { STEPS_MAX + 64 }
}

struct BitWriter<'o> {
    out: &'o mut Vec<u8>,
    /// Bits that are no whole byte yet, the newest lowest.
    held: u128,
    count: u32,
}

impl<'o> BitWriter<'o> {
    const fn new(out: &'o mut Vec<u8>) -> Self {
        Self { out, held: 0, count: 0 }
    }

    fn rice(&mut self, value: u64, width: u32) {
        let steps = value >> width;
        if steps < STEPS_MAX {
            // So many ones and a zero.
            self.put((2 << steps) - 2, u32::try_from(steps + 1).unwrap_or(1));
            self.put(value & ((1 << width) - 1), width);
        } else {
            self.put((1 << STEPS_MAX) - 1, u32::try_from(STEPS_MAX).unwrap_or(1));
            self.put(value, 64);
        }
    }

    fn put(&mut self, bits: u64, count: u32) {
        self.held = (self.held << count) | u128::from(bits);
        self.count += count;
        while self.count >= 8 {
            self.count -= 8;
            let byte = (self.held >> self.count) & 0xff;
            self.out.push(u8::try_from(byte).unwrap_or_default());
        }
        self.held &= (1 << self.count) - 1;
    }

    fn finish(mut self) {
        let left = (8 - self.count) % 8;
        self.put(0, left);
    }
}

struct BitReader<'b> {
    bytes: &'b [u8],
    held: u128,
    count: u32,
}

impl<'b> BitReader<'b> {
    const fn new(bytes: &'b [u8]) -> Self {
        Self { bytes, held: 0, count: 0 }
    }

    fn rice(&mut self, width: u32) -> Result<u64, SamplesError> {
        let mut steps = 0;
        while self.take(1)? == 1 {
            steps += 1;
            if steps == STEPS_MAX {
                let value = self.take(64)?;
                // What could have been written shorter was not written by this code.
                let shorter = value >> width < STEPS_MAX;
                return if shorter { Err(SamplesError::Malformed) } else { Ok(value) };
            }
        }
        Ok((steps << width) | self.take(width)?)
    }

    fn take(&mut self, count: u32) -> Result<u64, SamplesError> {
        while self.count < count {
            let (byte, rest) = self.bytes.split_first().ok_or(SamplesError::Malformed)?;
            self.held = (self.held << 8) | u128::from(*byte);
            (self.count, self.bytes) = (self.count + 8, rest);
        }
        self.count -= count;
        let taken = self.held >> self.count;
        self.held &= (1 << self.count) - 1;
        u64::try_from(taken).map_err(|_| SamplesError::Malformed)
    }

    /// What follows; the bits that fill the last byte are zeros.
    fn finish(self) -> Result<&'b [u8], SamplesError> {
        if self.held == 0 { Ok(self.bytes) } else { Err(SamplesError::Malformed) }
    }
}

/// The values as integers of so many decimals, if that loses nothing.
fn scale(values: &[f64], decimals: u8) -> Option<Vec<i64>> {
    let factor = power_of_ten(decimals);
    let whole = |value: &f64| {
        let scaled = (value * factor).round();
        let integer = to_integer(scaled)?;
        // Also tells -0 from 0.
        ((to_float(integer) / factor).to_bits() == value.to_bits()).then_some(integer)
    };
    values.iter().map(whole).collect()
}

fn power_of_ten(decimals: u8) -> f64 {
    (0..decimals).fold(1.0, |power, _| power * 10.0)
}

#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "within 2^53, and whole"
)]
fn to_integer(value: f64) -> Option<i64> {
    (value.abs() <= EXACT_MAX).then_some(value as i64)
}

#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "within 2^53")]
const fn to_float(value: i64) -> f64 {
    value as f64
}

/// Beyond it an integer is no float of its own.
fn exact(value: i64) -> Result<i64, SamplesError> {
    const MAX: i64 = 1 << 53;
    if (-MAX..=MAX).contains(&value) { Ok(value) } else { Err(SamplesError::Malformed) }
}

fn pairs(values: &[i64]) -> impl Iterator<Item = (i64, i64)> {
    values.iter().copied().zip(values.iter().copied().skip(1))
}

/// The greatest number that divides both.
const fn common(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

const fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

const fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -((value & 1).cast_signed())
}

fn head(mode: Mode, decimals: u8) -> u8 {
    let mode = MODES.iter().position(|known| *known == mode).unwrap_or_default();
    u8::try_from(mode).unwrap_or_default() | (decimals << 4)
}

fn split_head(head: u8) -> Result<(Mode, u8), SamplesError> {
    let mode = MODES.get(usize::from(head & 0xf)).copied().ok_or(SamplesError::Malformed)?;
    let decimals = head >> 4;
    let fits = decimals <= DECIMALS_MAX && (mode != Mode::Raw || decimals == 0);
    if fits { Ok((mode, decimals)) } else { Err(SamplesError::Malformed) }
}

/// Seven bits a byte, the lowest first.
pub(super) fn write_number(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(u8::try_from(value & 0x7f).unwrap_or_default() | 0x80);
        value >>= 7;
    }
    out.push(u8::try_from(value).unwrap_or_default());
}

/// Reads what [`write_number`] wrote, and nothing that is longer than it has to be.
pub(super) fn read_number(bytes: &mut &[u8]) -> Result<u64, SamplesError> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let byte = byte(bytes)?;
        let seven = u64::from(byte & 0x7f);
        if (seven << shift) >> shift != seven {
            return Err(SamplesError::Malformed);
        }
        value |= seven << shift;
        if byte < 0x80 {
            let padded = byte == 0 && shift > 0;
            return if padded { Err(SamplesError::Malformed) } else { Ok(value) };
        }
    }
    Err(SamplesError::Malformed)
}

pub(super) fn byte(bytes: &mut &[u8]) -> Result<u8, SamplesError> {
    let (byte, rest) = bytes.split_first().ok_or(SamplesError::Malformed)?;
    *bytes = rest;
    Ok(*byte)
}

pub(super) fn take<'b>(bytes: &mut &'b [u8], count: usize) -> Result<&'b [u8], SamplesError> {
    let (taken, rest) = bytes.split_at_checked(count).ok_or(SamplesError::Malformed)?;
    *bytes = rest;
    Ok(taken)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use proptest::prelude::*;

    fn size(values: &[f64]) -> usize {
        let mut out = Vec::new();
        write_values(&mut out, values);
        let mut rest = out.as_slice();
        let read = read_values(&mut rest, values.len()).unwrap();
        assert!(rest.is_empty());
        let bits = |all: &[f64]| all.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&read), bits(values));
        for cut in 0..out.len() {
            let mut rest = &out[..cut];
            assert!(read_values(&mut rest, values.len()).is_err(), "{values:?} cut at {cut}");
        }
        out.len()
    }

    #[test]
    fn what_does_not_change_costs_nothing_and_what_is_regular_little() {
        assert_eq!(size(&[25_276_510_208.0; 60]), 7);
        let counter: Vec<f64> = (0..60).map(|n| f64::from(n * 60)).collect();
        assert!(size(&counter) < 14, "{}", size(&counter));
        let percents: Vec<f64> = (0..60).map(|n| f64::from((n * 37) % 100) / 100.0).collect();
        assert!(size(&percents) < 70, "{}", size(&percents));
        let pages: Vec<f64> = (0..60).map(|n| f64::from((n * 37) % 100) * 4096.0).collect();
        assert!(size(&pages) < 70, "{}", size(&pages));
    }

    #[test]
    fn every_finite_number_survives() {
        let odd = [0.0, -0.0, f64::MIN, f64::MAX, f64::MIN_POSITIVE, 0.1 + 0.2, 1e300, -1e-300];
        size(&odd);
        for value in odd {
            size(&[value]);
        }
        size(&[EXACT_MAX, -EXACT_MAX, 0.0]);
        size(&[EXACT_MAX + 2.0, 1.0]);
    }

    #[test]
    fn no_number_and_a_longer_way_to_write_one_are_refused() {
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let bytes = [vec![3], value.to_bits().to_le_bytes().to_vec()].concat();
            assert_eq!(read_values(&mut bytes.as_slice(), 1), Err(SamplesError::Value));
        }
        for bytes in [&[0x80, 0][..], &[0xff; 10], &[0x80; 11], &[]] {
            assert!(read_number(&mut &*bytes).is_err(), "{bytes:?}");
        }
        for number in [0, 1, 127, 128, u64::MAX] {
            let mut out = Vec::new();
            write_number(&mut out, number);
            assert_eq!(read_number(&mut out.as_slice()), Ok(number));
        }
    }

    proptest! {
        #[test]
        fn any_series_survives(values in proptest::collection::vec(-1e12..1e12_f64, 1..50)) {
            size(&values);
        }

        #[test]
        fn any_series_of_hundredths_survives(values in proptest::collection::vec(-100_000..100_000_i32, 1..50)) {
            size(&values.iter().map(|value| f64::from(*value) / 100.0).collect::<Vec<_>>());
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..80), count in 0..100_usize) {
            if let Ok(values) = read_values(&mut bytes.as_slice(), count) {
                prop_assert_eq!(values.len(), count);
                prop_assert!(values.iter().all(|value| value.is_finite()));
            }
        }
    }
}
