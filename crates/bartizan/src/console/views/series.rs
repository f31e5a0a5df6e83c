//! What endpoints measured.

use anyhow::Result;
use bartizan_proto::series::{ReportsRow, SeriesAnswer, SeriesRow};

use super::bounded;
use super::fleet::endpoint;
use crate::commands::{Console, url_encoded};
use crate::console::shapes::{SeriesLine, SeriesLosses, SeriesQuery, SeriesStat, SeriesView};

/// Series of an endpoint.
pub(crate) fn show(console: &Console, id: &str, query: &SeriesQuery) -> Result<SeriesView> {
    let id = endpoint(id)?;
    let stat = match query.stat {
        None | Some(SeriesStat::Mean) => "mean",
        Some(SeriesStat::Min) => "min",
        Some(SeriesStat::Max) => "max",
        Some(SeriesStat::Last) => "last",
    };
    let mut path = format!("/v1/endpoints/{id}/series?stat={stat}");
    for (key, value) in [("from", query.from), ("to", query.to), ("step_s", query.step_s)] {
        path += &value.map_or_else(String::new, |value| format!("&{key}={value}"));
    }
    for (key, value) in [("name", &query.name), ("label", &query.label)] {
        let value = value.as_ref().map(|value| format!("&{key}={}", url_encoded(value)));
        path += &value.unwrap_or_default();
    }
    let found: SeriesAnswer = console.api.fetch(&path)?;
    Ok(SeriesView {
        from: found.from.get(),
        to: found.to.get(),
        step_s: found.step_s,
        series: found.series.iter().map(line).collect(),
        losses: found.reports.as_ref().map(losses),
    })
}

fn line(row: &SeriesRow) -> SeriesLine {
    let label = row.labels.iter().next();
    let (times, values) = row.points.iter().copied().unzip();
    SeriesLine {
        name: bounded(&row.name),
        label_key: label.map(|(key, _)| bounded(key)),
        label: label.map(|(_, value)| bounded(value)),
        counter: row.counter,
        times,
        values,
    }
}

fn losses(row: &ReportsRow) -> SeriesLosses {
    SeriesLosses {
        dropped: row.dropped,
        refused: row.refused,
        refusal: row.refusal.as_deref().map(bounded),
    }
}
