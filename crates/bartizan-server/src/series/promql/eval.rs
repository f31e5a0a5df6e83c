//! The answer to a question at a time. Where Prometheus has rules, they are kept: ranges are open at their beginning, rates are
//! stretched to the ends of the range, comparisons filter.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{
    Function, Grouping, Labels, NAME, Node, Operation, Operator, Point, Question, Selected,
};

/// Points that may be looked at for one answer: a second or two.
const WORK_MAX: u64 = 50_000_000;

/// What one answer has cost.
#[derive(Debug, Default)]
pub(crate) struct Work(u64);

impl Work {
    fn spend(&mut self, points: usize) -> Result<(), String> {
        self.0 = self.0.saturating_add(u64::try_from(points).unwrap_or(u64::MAX)).saturating_add(1);
        if self.0 <= WORK_MAX {
            return Ok(());
        }
        Err("too much to compute; ask for less time, a longer step or fewer endpoints".to_owned())
    }
}

/// A value at one time.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Scalar(f64),
    Vector(Vec<(Labels, f64)>),
}

impl Question {
    /// The answer at a time, from what was selected for each selection in order.
    pub(crate) fn at(
        &self,
        time: u64,
        selected: &[Vec<Selected>],
        work: &mut Work,
    ) -> Result<Value, String> {
        eval(&self.root, time, selected, work)
    }
}

fn eval(
    node: &Node,
    time: u64,
    selected: &[Vec<Selected>],
    work: &mut Work,
) -> Result<Value, String> {
    match node {
        Node::Number(number) => Ok(Value::Scalar(*number)),
        Node::Instant { index, offset_s } => {
            let time = time.saturating_sub(*offset_s);
            let all = selected.get(*index).map(Vec::as_slice).unwrap_or_default();
            work.spend(all.len())?;
            let newest = |series: &Selected| Some((series.labels.clone(), newest(series, time)?));
            Ok(Value::Vector(all.iter().filter_map(newest).collect()))
        }
        Node::Range { function, index, range_s, offset_s } => {
            let time = time.saturating_sub(*offset_s);
            let mut results = Vec::new();
            for series in selected.get(*index).into_iter().flatten() {
                let points = within(series, time, *range_s);
                work.spend(points.len())?;
                let Some(value) = over_range(*function, points, time, *range_s) else { continue };
                let keeps_name = *function == Function::Last;
                let labels = &series.labels;
                results.push((if keeps_name { labels.clone() } else { nameless(labels) }, value));
            }
            unique(results).map(Value::Vector)
        }
        Node::Aggregate { operation, grouping, inner } => {
            match eval(inner, time, selected, work)? {
                Value::Scalar(_) => Err("a number cannot be aggregated".to_owned()),
                Value::Vector(all) => {
                    work.spend(all.len())?;
                    Ok(Value::Vector(aggregate(*operation, grouping, all)))
                }
            }
        }
        Node::Math { operator, left, right } => {
            let left = eval(left, time, selected, work)?;
            let right = eval(right, time, selected, work)?;
            math(*operator, left, right)
        }
    }
}

/// The last value at or before a time, as long as it counts.
fn newest(series: &Selected, time: u64) -> Option<f64> {
    let end = series.points.partition_point(|point| point.at <= time);
    let point = series.points.get(end.checked_sub(1)?)?;
    (time - point.at < point.good_for_s).then_some(point.value)
}

/// The points in `(time - range, time]`.
fn within(series: &Selected, time: u64, range_s: u64) -> &[Point] {
    let points = &series.points;
    let end = points.partition_point(|point| point.at <= time);
    let start = points.partition_point(|point| point.at.saturating_add(range_s) <= time);
    points.get(start..end).unwrap_or_default()
}

fn over_range(function: Function, points: &[Point], time: u64, range_s: u64) -> Option<f64> {
    let mut values = points.iter().map(|point| point.value);
    let many = count(points.len());
    match function {
        Function::Last => values.next_back(),
        Function::Min => values.reduce(f64::min),
        Function::Max => values.reduce(f64::max),
        Function::Sum => values.reduce(|sum, value| sum + value),
        Function::Count => (many > 0.0).then_some(many),
        // Shares first: the sum of large ones could be no number.
        Function::Avg => (many > 0.0).then(|| values.map(|value| value / many).sum()),
        Function::Increase => increase(points, time, range_s),
        Function::Rate => increase(points, time, range_s).map(|rise| rise / seconds(range_s)),
    }
}

/// As Prometheus does: what was counted, over restarts, and stretched to the ends of the range as far as that is likely.
fn increase(points: &[Point], time: u64, range_s: u64) -> Option<f64> {
    let (first, last) = (points.first()?, points.last()?);
    let sampled = seconds(last.at.checked_sub(first.at).filter(|sampled| *sampled > 0)?);
    let pairs = points.iter().zip(points.iter().skip(1));
    let resets: f64 = pairs.filter(|(a, b)| b.value < a.value).map(|(a, _)| a.value).sum();
    let rise = last.value - first.value + resets;
    let between = sampled / count(points.len() - 1);
    let near = between * 1.1;
    let mut before = seconds((first.at + range_s).saturating_sub(time));
    let mut after = seconds(time - last.at);
    // No counter was ever below zero.
    if rise > 0.0 && first.value >= 0.0 {
        before = before.min(sampled * (first.value / rise));
    }
    if before >= near {
        before = between / 2.0;
    }
    if after >= near {
        after = between / 2.0;
    }
    Some(rise * ((sampled + before + after) / sampled))
}

fn aggregate(
    operation: Operation,
    grouping: &Grouping,
    all: Vec<(Labels, f64)>,
) -> Vec<(Labels, f64)> {
    let mut groups: BTreeMap<BTreeMap<String, String>, Vec<(Labels, f64)>> = BTreeMap::new();
    for (labels, value) in all {
        let mut group = labels.as_ref().clone();
        match grouping {
            Grouping::By(names) => group.retain(|name, _| names.contains(name)),
            Grouping::Without(names) => {
                group.retain(|name, _| name != NAME && !names.contains(name));
            }
        }
        groups.entry(group).or_default().push((labels, value));
    }
    match operation {
        Operation::Top(many) => {
            groups.into_values().flat_map(|group| kept(group, many, true)).collect()
        }
        Operation::Bottom(many) => {
            groups.into_values().flat_map(|group| kept(group, many, false)).collect()
        }
        _ => {
            let one = |(labels, group): (BTreeMap<String, String>, Vec<(Labels, f64)>)| {
                Some((Arc::new(labels), reduced(operation, &group)?))
            };
            groups.into_iter().filter_map(one).collect()
        }
    }
}

/// So many of the largest or smallest, those first.
fn kept(mut group: Vec<(Labels, f64)>, many: usize, is_top: bool) -> Vec<(Labels, f64)> {
    group.sort_by(|a, b| if is_top { b.1.total_cmp(&a.1) } else { a.1.total_cmp(&b.1) });
    group.truncate(many);
    group
}

fn reduced(operation: Operation, group: &[(Labels, f64)]) -> Option<f64> {
    let many = count(group.len());
    let all = group.iter().map(|(_, value)| *value);
    match operation {
        Operation::Count => Some(many),
        Operation::Sum => all.reduce(|sum, value| sum + value),
        Operation::Avg => all.reduce(|sum, value| sum + value).map(|sum| sum / many),
        Operation::Min => all.reduce(f64::min),
        Operation::Max => all.reduce(f64::max),
        Operation::Top(_) | Operation::Bottom(_) => None,
    }
}

fn math(operator: Operator, left: Value, right: Value) -> Result<Value, String> {
    let compares = operator.compares();
    match (left, right) {
        (Value::Scalar(_), Value::Scalar(_)) if compares => {
            Err("numbers are compared with `bool` only, which is not supported".to_owned())
        }
        (Value::Scalar(a), Value::Scalar(b)) => {
            Ok(Value::Scalar(operator.apply(a, b).unwrap_or(f64::NAN)))
        }
        (Value::Vector(all), Value::Scalar(number)) => {
            let one = |(labels, value): (Labels, f64)| {
                Some(operator.named(labels, operator.apply(value, number)?))
            };
            unique(all.into_iter().filter_map(one).collect()).map(Value::Vector)
        }
        (Value::Scalar(number), Value::Vector(all)) => {
            let one = |(labels, value): (Labels, f64)| {
                let result = operator.apply(number, value)?;
                Some(operator.named(labels, if compares { value } else { result }))
            };
            unique(all.into_iter().filter_map(one).collect()).map(Value::Vector)
        }
        (Value::Vector(left), Value::Vector(right)) => pairs(operator, left, right),
    }
}

/// Those on both sides whose labels but the metric are the same, one to one.
fn pairs(
    operator: Operator,
    left: Vec<(Labels, f64)>,
    right: Vec<(Labels, f64)>,
) -> Result<Value, String> {
    let many = "several series on one side have the same labels; aggregate or name one metric";
    let mut others = BTreeMap::new();
    for (labels, value) in right {
        if others.insert(nameless(&labels), value).is_some() {
            return Err(many.to_owned());
        }
    }
    let mut seen = BTreeSet::new();
    let mut results = Vec::new();
    for (labels, value) in left {
        let bare = nameless(&labels);
        let Some(other) = others.get(&bare) else { continue };
        if !seen.insert(bare) {
            return Err(many.to_owned());
        }
        if let Some(result) = operator.apply(value, *other) {
            results.push(operator.named(labels, result));
        }
    }
    Ok(Value::Vector(results))
}

/// Two series that differ in the metric only would be one without it.
fn unique(all: Vec<(Labels, f64)>) -> Result<Vec<(Labels, f64)>, String> {
    let names: BTreeSet<&Labels> = all.iter().map(|(labels, _)| labels).collect();
    if names.len() == all.len() {
        return Ok(all);
    }
    Err("several metrics with the same labels; name one metric".to_owned())
}

impl Operator {
    /// The result; of a comparison the left side where it holds.
    fn apply(self, a: f64, b: f64) -> Option<f64> {
        let holds = |holds: bool| holds.then_some(a);
        match self {
            Self::Add => Some(a + b),
            Self::Sub => Some(a - b),
            Self::Mul => Some(a * b),
            Self::Div => Some(a / b),
            Self::Greater => holds(a > b),
            Self::Less => holds(a < b),
            Self::GreaterOrEqual => holds(a >= b),
            Self::LessOrEqual => holds(a <= b),
            Self::Equal => holds(a.partial_cmp(&b) == Some(Ordering::Equal)),
            Self::NotEqual => holds(a.partial_cmp(&b) != Some(Ordering::Equal)),
        }
    }

    const fn compares(self) -> bool {
        !matches!(self, Self::Add | Self::Sub | Self::Mul | Self::Div)
    }

    /// What was computed is no longer the metric; what was filtered still is.
    fn named(self, labels: Labels, value: f64) -> (Labels, f64) {
        (if self.compares() { labels } else { nameless(&labels) }, value)
    }
}

fn nameless(labels: &Labels) -> Labels {
    let mut labels = labels.as_ref().clone();
    labels.remove(NAME);
    Arc::new(labels)
}

fn count(many: usize) -> f64 {
    u32::try_from(many).map_or(f64::from(u32::MAX), f64::from)
}

fn seconds(many: u64) -> f64 {
    u32::try_from(many).map_or(f64::from(u32::MAX), f64::from)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::{LOOKBACK_S, parse};
    use super::*;

    fn series(name: &str, host: &str, points: &[(u64, f64)]) -> Selected {
        let pairs = [(NAME, name), ("host", host), ("site", "hq")];
        let labels = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let point =
            |(at, value): &(u64, f64)| Point { at: *at, value: *value, good_for_s: LOOKBACK_S };
        Selected { labels: Arc::new(labels), points: points.iter().map(point).collect() }
    }

    fn two(name: &str) -> Vec<Selected> {
        vec![
            series(name, "a", &[(940, 10.0), (1000, 20.0), (1060, 40.0)]),
            series(name, "b", &[(940, 1.0), (1000, 2.0), (1060, 3.0)]),
        ]
    }

    fn ask(query: &str, time: u64) -> Result<Vec<(String, f64)>, String> {
        let question = parse(query)?;
        match question.at(time, &[two("m"), two("n")], &mut Work::default())? {
            Value::Scalar(value) => Ok(vec![("scalar".to_owned(), value)]),
            Value::Vector(all) => {
                let shown = |(labels, value): (Labels, f64)| {
                    let pairs: Vec<String> =
                        labels.iter().map(|(k, v)| format!("{k}={v}")).collect();
                    (pairs.join(","), value)
                };
                Ok(all.into_iter().map(shown).collect())
            }
        }
    }

    #[track_caller]
    fn check(query: &str, time: u64, expected: &[(&str, f64)]) {
        let found = ask(query, time).unwrap_or_else(|why| vec![(why, f64::NAN)]);
        let same = found.len() == expected.len()
            && found.iter().zip(expected).all(|(f, e)| f.0 == e.0 && (f.1 - e.1).abs() < 1e-9);
        assert!(same, "{query}: {found:?}");
    }

    #[test]
    fn the_newest_value_counts_for_a_while() {
        let both = [("__name__=m,host=a,site=hq", 40.0), ("__name__=m,host=b,site=hq", 3.0)];
        check("m", 1060, &both);
        check("m", 1060 + LOOKBACK_S - 1, &both);
        check("m", 1060 + LOOKBACK_S, &[]);
        let before = [("__name__=m,host=a,site=hq", 20.0), ("__name__=m,host=b,site=hq", 2.0)];
        check("m offset 1m", 1060, &before);
        check("m", 939, &[]);
    }

    #[test]
    fn groups_are_made_and_numbers_applied() {
        check("sum(m)", 1060, &[("", 43.0)]);
        check("avg by (site) (m)", 1060, &[("site=hq", 21.5)]);
        check("max without (host) (m) / 2", 1060, &[("site=hq", 20.0)]);
        check("count(m)", 1060, &[("", 2.0)]);
        check("topk(1, m)", 1060, &[("__name__=m,host=a,site=hq", 40.0)]);
        check("bottomk(1, m)", 1060, &[("__name__=m,host=b,site=hq", 3.0)]);
        check("topk(0, m)", 1060, &[]);
        check("100 - m", 1060, &[("host=a,site=hq", 60.0), ("host=b,site=hq", 97.0)]);
        check("m > 5", 1060, &[("__name__=m,host=a,site=hq", 40.0)]);
        check("5 > m", 1060, &[("__name__=m,host=b,site=hq", 3.0)]);
        check("m == 3", 1060, &[("__name__=m,host=b,site=hq", 3.0)]);
        check("-(1 + 2) * 2", 0, &[("scalar", -6.0)]);
    }

    #[test]
    fn vectors_meet_one_to_one() {
        check("100 * m / n", 1060, &[("host=a,site=hq", 100.0), ("host=b,site=hq", 100.0)]);
        check("m > n", 1060, &[]);
        check("m / (n > 5)", 1060, &[("host=a,site=hq", 1.0)]);
        check("sum(m) / count(n)", 1060, &[("", 21.5)]);
        for query in ["sum(1)", "1 > 2"] {
            assert!(ask(query, 1060).is_err(), "{query}");
        }
        let twice = [[two("m"), two("o")].concat(), two("n")];
        for query in ["{x=\"\",y=~\".+\"} * 1", "{x=\"\",y=~\".+\"} / n", "n / {x=\"\",y=~\".+\"}"]
        {
            let question = parse(query).unwrap();
            let mut data = twice.to_vec();
            if query.starts_with('n') {
                data.reverse();
            }
            let said = question.at(1060, &data, &mut Work::default()).unwrap_err();
            assert!(said.contains("same labels"), "{query}: {said}");
        }
    }

    #[test]
    fn ranges_are_summed_up() {
        let of = |a: f64, b: f64| [("host=a,site=hq", a), ("host=b,site=hq", b)];
        check("avg_over_time(m[2m])", 1060, &of(30.0, 2.5));
        check("min_over_time(m[3m])", 1060, &of(10.0, 1.0));
        check("sum_over_time(m[3m])", 1060, &of(70.0, 6.0));
        check("count_over_time(m[90s])", 1060, &of(2.0, 2.0));
        // 30 in 120 s, stretched by the 60 s before, but not below zero: 10 of 30 of 120 s are 40 s.
        check("increase(m[3m])", 1060, &of(40.0, 3.0));
        check("rate(m[3m]) * 180", 1060, &of(40.0, 3.0));
        check("rate(m[30s])", 1060, &[]);
    }

    #[test]
    fn a_counter_that_began_anew_loses_nothing() {
        let points = [(60, 100.0), (120, 160.0), (180, 30.0), (240, 90.0)];
        let data = vec![vec![series("m", "a", &points)]];
        let question = parse("increase(m[4m])").unwrap();
        let answer = question.at(240, &data, &mut Work::default()).unwrap();
        // 150 in 180 s, and 60 s more before the first.
        assert!(
            matches!(&answer, Value::Vector(all) if (all[0].1 - 200.0).abs() < 1e-9),
            "{answer:?}"
        );
    }

    #[test]
    fn work_has_an_end() {
        let mut work = Work(WORK_MAX - 3);
        assert!(work.spend(2).is_ok());
        assert!(work.spend(0).is_err());
    }
}
