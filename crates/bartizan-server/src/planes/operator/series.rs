//! What an endpoint measured of itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use bartizan_proto::samples::{Metric, MetricKind};
use bartizan_proto::series::{
    ReportsRow, SERIES_POINTS_MAX, SERIES_VALUES_MAX, SeriesAnswer, SeriesRow, Stat,
};
use bartizan_store::ReportFloor;
use bartizan_trust::time::UnixSeconds;
use serde::Deserialize;

use super::endpoints::parse;
use super::failure::Failure;
use super::login::Session;
use crate::app::{App, now};
use crate::series::read::{Question, points, rows};

/// What is shown when no time is given: the last hour.
const DEFAULT_SPAN_S: u64 = 3600;
/// Points of a series when no step is given.
const DEFAULT_POINTS: u64 = 360;
/// The usual pace of samples: a shorter step shows nothing more.
const STEP_S_MIN: u64 = 60;

#[derive(Debug, Deserialize)]
pub(super) struct Wanted {
    from: Option<u64>,
    to: Option<u64>,
    step_s: Option<u64>,
    #[serde(default)]
    stat: Stat,
    name: Option<String>,
    label: Option<String>,
}

/// `GET /v1/endpoints/{id}/series`
pub(super) async fn show(
    State(app): State<Arc<App>>,
    _session: Session,
    Path(id): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<SeriesAnswer>, Failure> {
    let id = parse(&id)?;
    let question = question(&wanted, now().get())?;
    let asked = question.clone();
    let read = app.db.read(move |tx| {
        let known = tx.endpoint(id)?.is_some();
        let owner = tx.find_series_owner(id)?;
        let rows = owner.map(|owner| rows(tx, owner, &asked)).transpose()?;
        Ok((known, rows.unwrap_or_default(), tx.report_floor(id)?))
    });
    let (known, rows, floor) = read.await?;
    if !known {
        return Err(Failure::not_found("endpoint"));
    }
    let asked = question.clone();
    let read = tokio::task::spawn_blocking(move || points(&rows, &asked));
    let damaged = |error: &dyn std::fmt::Display| {
        tracing::error!(endpoint.id = %id, "series: {error}");
        Failure::bad("series.damaged", "a row of series cannot be read", "see the server's log")
    };
    let values = read.await.map_err(|error| damaged(&error))?.map_err(|error| damaged(&error))?;
    if values.values().map(BTreeMap::len).sum::<usize>() > SERIES_VALUES_MAX {
        let message = format!("more than {SERIES_VALUES_MAX} points");
        return Err(Failure::bad("series.too_many", message, "name a metric or a longer step"));
    }
    let series = values.into_iter().map(|((metric, label), points)| row(metric, label, points));
    Ok(Json(SeriesAnswer {
        from: UnixSeconds::new(question.from),
        to: UnixSeconds::new(question.to),
        step_s: question.step_s,
        stat: question.stat,
        series: series.collect(),
        reports: floor.map(reports),
    }))
}

fn question(wanted: &Wanted, now: u64) -> Result<Question, Failure> {
    let to = wanted.to.unwrap_or(now);
    let from = wanted.from.unwrap_or(to.saturating_sub(DEFAULT_SPAN_S));
    if from > to {
        return Err(Failure::bad("series.range", "`from` is after `to`", "exchange them"));
    }
    let usual = ((to - from) / DEFAULT_POINTS).max(STEP_S_MIN);
    let step_s = wanted.step_s.unwrap_or(usual).max(1);
    if (to - from) / step_s >= SERIES_POINTS_MAX {
        let message = format!("more than {SERIES_POINTS_MAX} points in a series");
        return Err(Failure::bad("series.too_many", message, "use a longer `step_s`"));
    }
    let metric = wanted.name.as_deref().map(|name| {
        Metric::named(name).ok_or_else(|| {
            let names = Metric::all().map(Metric::name).collect::<Vec<_>>().join(", ");
            Failure::bad("series.name", "there is no such metric", format!("use one of {names}"))
        })
    });
    let (stat, label) = (wanted.stat, wanted.label.clone());
    Ok(Question { from, to, step_s, stat, metric: metric.transpose()?, label })
}

fn row(metric: Metric, label: String, points: BTreeMap<u64, f64>) -> SeriesRow {
    let labels = if label.is_empty() { None } else { Some((metric.label_key().to_owned(), label)) };
    SeriesRow {
        name: metric.name().to_owned(),
        labels: labels.into_iter().collect(),
        counter: metric.kind() == MetricKind::Counter,
        points: points.into_iter().collect(),
    }
}

fn reports(floor: ReportFloor) -> ReportsRow {
    ReportsRow { dropped: floor.dropped, refused: floor.refused, refusal: floor.refusal }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn ask(text: &str) -> Result<Question, Failure> {
        let uri = format!("/x?{text}").parse().unwrap();
        question(&Query::<Wanted>::try_from_uri(&uri).unwrap().0, 1_800_000_000)
    }

    #[test]
    fn a_question_has_sensible_defaults_and_bounds() {
        let usual = ask("").unwrap();
        assert_eq!((usual.to - usual.from, usual.step_s, usual.stat), (3600, 60, Stat::Mean));
        let month = ask("from=1797408000&stat=max&name=bartizan_load1").unwrap();
        assert_eq!((month.step_s, month.stat), (7200, Stat::Max));
        assert!(ask("from=0&to=1999&step_s=1").is_ok());
        for bad in ["from=0&to=2000&step_s=1", "from=2&to=1", "name=up"] {
            assert!(ask(bad).is_err(), "{bad}");
        }
    }
}
