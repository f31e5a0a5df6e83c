//! Small arithmetic on measurements.

/// The middle value; the upper one of two middles, zero of nothing.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

/// A count as a number to divide with. Exact below 2^32, which covers every count here.
pub fn float(count: u64) -> f64 {
    match u32::try_from(count) {
        Ok(small) => f64::from(small),
        Err(_) => f64::from(u32::try_from(count >> 16).unwrap_or(u32::MAX)) * 65536.0,
    }
}

/// `total` divided by `count`; zero when nothing was counted.
pub fn per(total: f64, count: u64) -> f64 {
    if count == 0 { 0.0 } else { total / float(count) }
}

/// Rounded to two places, for reading.
pub fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}
