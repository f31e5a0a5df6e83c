//! `metrics …`: what an endpoint measured of itself, and who else may read it.

mod tokens;

use anyhow::Result;
use bartizan_proto::samples::{Metric, MetricKind};
use bartizan_proto::series::{SeriesAnswer, SeriesRow};
use bartizan_trust::time::UnixSeconds;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;

use super::inventory::resolve;
use super::{Context, endpoint_path, options, url_encoded};
use crate::exit::{Code, fail};
use crate::graph::{Points, bar, bounds, grouped, line, rates, short};
use crate::sign::render::date;
use crate::terminal::{cell, table};

/// What every metric's name begins with; it may be left out.
const PREFIX: &str = "bartizan_";
/// Lines of a series over time.
const LINES: u64 = 24;
/// The usual pace of samples: no line stands for less.
const PACE_S: u64 = 60;
/// Series that are shown over time at once; more are no help on a terminal.
const SHOWN_MAX: usize = 8;

/// `bartizan metrics …`
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct MetricsOptions {
    #[command(subcommand)]
    command: Option<MetricsCommand>,
    /// An endpoint: its id or host name. Without it: what there is to measure
    endpoint: Option<String>,
    /// One metric over time, for example load1
    series: Option<String>,
    /// Only of this disk, mount point, interface, program
    #[arg(long = "of", requires = "series", value_name = "LABEL")]
    label: Option<String>,
    /// How far back, for example 1h, 7d
    #[arg(long, default_value = "6h", value_parser = options::seconds)]
    since: u64,
    /// What stands for the values between two points; of a counter always its last
    #[arg(long, value_enum, default_value = "mean")]
    stat: StatName,
}

#[derive(Debug, Subcommand)]
pub(crate) enum MetricsCommand {
    /// Tokens with which Grafana and others read what endpoints measure
    #[command(subcommand)]
    Token(tokens::TokenCommand),
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum StatName {
    Mean,
    Min,
    Max,
    Last,
}

impl StatName {
    const fn name(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::Min => "min",
            Self::Max => "max",
            Self::Last => "last",
        }
    }

    fn reduce(self, values: &[f64]) -> Option<f64> {
        let all = values.iter().copied();
        match self {
            Self::Min => all.reduce(f64::min),
            Self::Max => all.reduce(f64::max),
            Self::Last => all.last(),
            Self::Mean => {
                let count = u32::try_from(values.len()).ok().filter(|count| *count > 0)?;
                Some(all.map(|value| value / f64::from(count)).sum())
            }
        }
    }
}

pub(crate) fn run(context: &Context, options: &MetricsOptions) -> Result<()> {
    if let Some(MetricsCommand::Token(command)) = &options.command {
        return tokens::run(context, command);
    }
    let Some(endpoint) = &options.endpoint else { return catalogue(context) };
    // Before anything is asked: a wrong name is no matter for the server.
    let metric = options.series.as_deref().map(metric).transpose()?;
    let console = context.connect()?;
    let id = resolve(&console.api, endpoint)?;
    let now = crate::home::now().get();
    let from = now.saturating_sub(options.since);
    let stat = options.stat.name();
    let mut path = format!("{}/series?from={from}&to={now}&stat={stat}", endpoint_path(&id));
    for (key, value) in [("name", metric.map(Metric::name)), ("label", options.label.as_deref())] {
        path += &value.map_or_else(String::new, |value| format!("&{key}={}", url_encoded(value)));
    }
    let answer: SeriesAnswer = console.api.fetch(&path)?;
    let mut text = match metric {
        _ if answer.series.is_empty() => nothing(options, metric),
        None => overview(&answer),
        Some(_) => over_time(&answer, options),
    };
    text += &losses(&answer);
    context.terminal.result(&json!({ "endpoint": id, "metrics": answer }), &text)
}

/// A metric by its name, with or without what all names begin with.
fn metric(name: &str) -> Result<Metric> {
    let known = Metric::named(name).or_else(|| Metric::named(&format!("{PREFIX}{name}")));
    known.ok_or_else(|| {
        let near = Metric::all().map(|metric| bare(metric.name()));
        let near: Vec<&str> = near.filter(|known| known.contains(name)).collect();
        let next = if near.is_empty() {
            "`bartizan metrics` lists them all".to_owned()
        } else {
            format!("did you mean {}?", near.join(", "))
        };
        fail(Code::Usage, format!("there is no metric `{}`", cell(name)), next)
    })
}

fn bare(name: &str) -> &str {
    name.strip_prefix(PREFIX).unwrap_or(name)
}

/// What endpoints measure.
fn catalogue(context: &Context) -> Result<()> {
    let kind = |metric: Metric| match metric.kind() {
        MetricKind::Counter => "counter",
        MetricKind::Gauge => "gauge",
    };
    let label = |metric: Metric| Some(metric.label_key()).filter(|key| !key.is_empty());
    let rows: Vec<Vec<String>> = Metric::all()
        .map(|metric| {
            let of = label(metric).unwrap_or_default();
            [bare(metric.name()), of, kind(metric)].map(str::to_owned).to_vec()
        })
        .collect();
    let all: Vec<_> = Metric::all()
        .map(
            |metric| json!({ "name": metric.name(), "label": label(metric), "kind": kind(metric) }),
        )
        .collect();
    let text = table(&["METRIC", "OF EACH", "KIND"], &rows)
        + "\nOf an endpoint: bartizan metrics ENDPOINT; one over time: bartizan metrics ENDPOINT METRIC.";
    context.terminal.result(&json!({ "catalogue": all }), &text)
}

fn nothing(options: &MetricsOptions, metric: Option<Metric>) -> String {
    let of =
        options.label.as_ref().map_or_else(String::new, |label| format!(" of {}", cell(label)));
    let what = metric.map_or("samples", |metric| bare(metric.name()));
    let endpoint = options.endpoint.as_deref().map(cell).unwrap_or_default();
    format!(
        "No {what}{of} in this time. An endpoint sends its first samples a second after its start, then every five minutes.\n\
         Look further back with --since 7d; `bartizan metrics {endpoint}` lists what there is, `bartizan endpoint show {endpoint}` says whether it is connected."
    )
}

fn overview(answer: &SeriesAnswer) -> String {
    let rows: Vec<Vec<String>> =
        answer.series.iter().map(|row| overview_line(row, answer)).collect();
    table(&["METRIC", "OF", "LAST", "MIN", "MAX", "TREND"], &rows)
}

fn overview_line(row: &SeriesRow, answer: &SeriesAnswer) -> Vec<String> {
    let values: Vec<f64> = points(row, answer).iter().map(|(_, value)| *value).collect();
    let shown = |value: Option<f64>| value.map_or_else(String::new, |value| number(row, value));
    vec![
        cell(bare(&row.name)),
        label(row),
        shown(values.last().copied()),
        shown(bounds(&values).map(|(low, _)| low)),
        shown(bounds(&values).map(|(_, high)| high)),
        line(&values),
    ]
}

fn label(row: &SeriesRow) -> String {
    cell(&row.labels.values().map(String::as_str).collect::<Vec<_>>().join(", "))
}

/// Of a counter what it rose by in a second.
fn points(row: &SeriesRow, answer: &SeriesAnswer) -> Points {
    if !row.counter {
        return row.points.clone();
    }
    let mut rates = rates(&row.points);
    // The last step is not over: divided by its whole length the rise would look too small.
    let is_over =
        |at: u64| answer.step_s <= PACE_S || at.saturating_add(answer.step_s) <= answer.to.get();
    rates.retain(|(at, _)| is_over(*at));
    rates
}

fn number(row: &SeriesRow, value: f64) -> String {
    short(value) + if row.counter { "/s" } else { "" }
}

fn over_time(answer: &SeriesAnswer, options: &MetricsOptions) -> String {
    let shown = answer.series.iter().take(SHOWN_MAX);
    let mut text: String =
        shown.map(|row| one_over_time(row, answer, options)).collect::<Vec<_>>().join("\n");
    let left = answer.series.len().saturating_sub(SHOWN_MAX);
    if left > 0 {
        text += &format!("\n{left} more; name one with --of, or use --json.\n");
    }
    text
}

fn one_over_time(row: &SeriesRow, answer: &SeriesAnswer, options: &MetricsOptions) -> String {
    let points = points(row, answer);
    let step_s = options.since.div_ceil(LINES).next_multiple_of(PACE_S).max(answer.step_s);
    let lines = grouped(&points, step_s, |values| options.stat.reduce(values));
    let values: Vec<f64> = points.iter().map(|(_, value)| *value).collect();
    let largest = lines.iter().map(|(_, value)| *value).fold(0.0, f64::max);
    let rows: Vec<Vec<String>> = lines
        .iter()
        .map(|(at, value)| {
            vec![date(UnixSeconds::new(*at)), number(row, *value), bar(*value, largest)]
        })
        .collect();
    let of = label(row);
    let heading = [bare(&row.name), &of].join(" ");
    let summary = bounds(&values).map_or_else(
        || "one value only: a rate needs two".to_owned(),
        |(low, high)| format!("{} to {}  {}", number(row, low), number(row, high), line(&values)),
    );
    let text = format!("{}: {summary}\n", cell(heading.trim_end()));
    if rows.is_empty() { text } else { text + &table(&["FROM", options.stat.name(), ""], &rows) }
}

/// What the endpoint could not keep, and what the server could not use.
fn losses(answer: &SeriesAnswer) -> String {
    let Some(reports) = &answer.reports else { return String::new() };
    let mut text = String::new();
    if reports.dropped > 0 {
        let dropped = reports.dropped;
        text += &format!(
            "\n{dropped} samples, results or events were thrown away on the endpoint for want of room, in all."
        );
    }
    if reports.refused > 0 {
        let why = reports.refusal.as_deref().map(cell).unwrap_or_default();
        text +=
            &format!("\n{} of its reports were refused, in all; the last: {why}", reports.refused);
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::exit::Failure;
    use bartizan_proto::series::{ReportsRow, Stat};
    use std::collections::BTreeMap;

    fn answer(counter: bool, points: Points) -> SeriesAnswer {
        let labels = BTreeMap::from([("interface".to_owned(), "eth0".to_owned())]);
        let name = "bartizan_network_receive_bytes_total".to_owned();
        SeriesAnswer {
            from: UnixSeconds::ZERO,
            to: UnixSeconds::new(600),
            step_s: 60,
            stat: Stat::Mean,
            series: vec![SeriesRow { name, labels, counter, points }],
            reports: Some(ReportsRow { dropped: 0, refused: 0, refusal: None }),
        }
    }

    fn options() -> MetricsOptions {
        let (endpoint, series, label) = (Some("web1".to_owned()), Some("x".to_owned()), None);
        MetricsOptions { command: None, endpoint, series, label, since: 600, stat: StatName::Max }
    }

    #[test]
    fn names_are_found_with_and_without_their_beginning() {
        assert_eq!(metric("load1").unwrap().name(), "bartizan_load1");
        assert_eq!(metric("bartizan_load1").unwrap().name(), "bartizan_load1");
        for (name, next) in [("load", "did you mean load1, load5, load15?"), ("xyz", "lists them")]
        {
            let error = metric(name).unwrap_err();
            let failure = error.downcast_ref::<Failure>().unwrap();
            assert!(failure.next.contains(next), "{failure:?}");
        }
    }

    #[test]
    fn a_counter_is_shown_as_what_it_rises_by() {
        let answer = answer(true, vec![(0, 0.0), (60, 60_000.0), (120, 240_000.0)]);
        let text = overview(&answer);
        assert!(text.contains("network_receive_bytes_total  eth0  3k/s  1k/s  3k/s  ▁█"), "{text}");
        let text = over_time(&answer, &options());
        assert!(text.starts_with("network_receive_bytes_total eth0: 1k/s to 3k/s  ▁█\n"), "{text}");
        assert!(text.contains("max") && text.contains("3k/s"), "{text}");
    }

    #[test]
    fn a_step_that_is_not_over_shows_no_rate() {
        let mut answer = answer(true, vec![(0, 0.0), (300, 300.0), (600, 310.0)]);
        answer.step_s = 300;
        assert_eq!(points(answer.series.first().unwrap(), &answer), [(300, 1.0)]);
    }

    #[test]
    fn what_was_lost_is_said() {
        let mut answer = answer(false, Vec::new());
        assert_eq!(losses(&answer), "");
        let refusal = Some("samples.label".to_owned());
        answer.reports = Some(ReportsRow { dropped: 7, refused: 1, refusal });
        let text = losses(&answer);
        assert!(text.contains("7 samples") && text.contains("samples.label"), "{text}");
    }

    #[test]
    fn no_samples_say_what_to_do() {
        let text = nothing(&options(), None);
        assert!(text.contains("--since 7d") && text.contains("endpoint show web1"), "{text}");
    }
}
