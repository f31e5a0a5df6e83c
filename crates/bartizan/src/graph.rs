//! Series of numbers for a terminal: small graphs, short numbers, rates of counters. Nothing here trusts the numbers.

/// Characters of a small graph.
pub(crate) const GRAPH_WIDTH: usize = 40;
/// From nothing to everything.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Time and value, in order of time.
pub(crate) type Points = Vec<(u64, f64)>;

/// What a counter rose by in a second, at the later of each two points. One that fell began anew.
pub(crate) fn rates(points: &[(u64, f64)]) -> Points {
    let pairs = points.iter().zip(points.iter().skip(1));
    let rate = |((t0, v0), (t1, v1)): (&(u64, f64), &(u64, f64))| {
        let seconds = u32::try_from(t1.checked_sub(*t0)?).ok().filter(|seconds| *seconds > 0)?;
        let rise = if v1 < v0 { *v1 } else { v1 - v0 };
        Some((*t1, rise / f64::from(seconds)))
    };
    pairs.filter_map(rate).collect()
}

/// One point for each so many seconds that have some.
pub(crate) fn grouped(
    points: &[(u64, f64)],
    step_s: u64,
    reduce: impl Fn(&[f64]) -> Option<f64>,
) -> Points {
    let step_s = step_s.max(1);
    let same = |a: &(u64, f64), b: &(u64, f64)| a.0 / step_s == b.0 / step_s;
    let one = |group: &[(u64, f64)]| {
        let values: Vec<f64> = group.iter().map(|(_, value)| *value).collect();
        Some((group.first()?.0 / step_s * step_s, reduce(&values)?))
    };
    points.chunk_by(same).filter_map(one).collect()
}

/// A line as high as its values, from the lowest to the highest, and no wider than its place: of what does not fit the highest.
pub(crate) fn line(values: &[f64]) -> String {
    let Some((low, high)) = bounds(values) else { return String::new() };
    let each = values.len().div_ceil(GRAPH_WIDTH).max(1);
    let peaks = values.chunks(each).filter_map(|some| some.iter().copied().reduce(f64::max));
    peaks.map(|value| level((value - low) / (high - low))).collect()
}

/// A bar for a value, as long as it is of the largest.
pub(crate) fn bar(value: f64, largest: f64) -> String {
    let share = value / largest;
    let full = (0_u8..40).take_while(|step| share > f64::from(*step) / 40.0);
    full.map(|_| '▇').collect()
}

/// The smallest and the largest.
pub(crate) fn bounds(values: &[f64]) -> Option<(f64, f64)> {
    let all = values.iter().copied();
    Some((all.clone().reduce(f64::min)?, all.reduce(f64::max)?))
}

/// Of a share between 0 and 1; of no share the lowest.
fn level(share: f64) -> char {
    let steps = [0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875];
    let index = steps.iter().filter(|step| share >= **step).count();
    BARS.get(index).copied().unwrap_or('▁')
}

/// Few digits, with the letter of a thousand's power.
pub(crate) fn short(value: f64) -> String {
    let mut value = value;
    for unit in ["", "k", "M", "G", "T", "P"] {
        // What would be shown as 1000 belongs to the next.
        if value.abs() < 999.995 {
            let text = format!("{value:.2}");
            let text = text.trim_end_matches('0').trim_end_matches('.');
            return if text == "-0" { "0".to_owned() } else { format!("{text}{unit}") };
        }
        value /= 1000.0;
    }
    format!("{value:.3e}E")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        for (value, text) in [
            (0.0, "0"),
            (-0.001, "0"),
            (1.5, "1.5"),
            (999.0, "999"),
            (999.999, "1k"),
            (25_276_510_208.0, "25.28G"),
            (-1200.0, "-1.2k"),
            (5e30, "5.000e12E"),
        ] {
            assert_eq!(short(value), text);
        }
    }

    #[test]
    fn a_line_is_as_high_as_its_values_and_no_wider_than_its_place() {
        assert_eq!(line(&[0.0, 1.0, 2.0, 3.0]), "▁▃▆█");
        assert_eq!(line(&[5.0, 5.0]), "▁▁");
        assert_eq!(line(&[]), "");
        assert!(line(&vec![1.0; 1999]).chars().count() <= GRAPH_WIDTH);
    }

    #[test]
    fn a_bar_is_never_longer_than_its_place() {
        for (value, length) in [(0.0, 0), (0.01, 1), (5.0, 20), (10.0, 40), (99.0, 40), (-1.0, 0)] {
            assert_eq!(bar(value, 10.0).chars().count(), length, "{value}");
        }
        assert_eq!(bar(0.0, 0.0), "");
    }

    #[test]
    fn a_counter_shows_its_rise_also_over_a_restart() {
        let rates = rates(&[(0, 0.0), (60, 120.0), (120, 60.0), (120, 70.0)]);
        assert_eq!(rates, [(60, 2.0), (120, 1.0)]);
    }

    #[test]
    fn points_are_grouped_by_time() {
        let sum = |values: &[f64]| Some(values.iter().sum());
        let points = [(59, 1.0), (60, 2.0), (119, 3.0), (300, 4.0)];
        assert_eq!(grouped(&points, 60, sum), [(0, 1.0), (60, 5.0), (300, 4.0)]);
        assert_eq!(grouped(&[], 0, sum), []);
    }
}
