//! The part of Prometheus' HTTP API that dashboards ask: the fleet's series by the subset of PromQL in `series::promql`.
//! Specification: `docs/spec/promql.md`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequestParts, Path, RawQuery, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use bartizan_proto::samples::Metric;
use bartizan_proto::series::SERIES_VALUES_MAX;
use bartizan_store::StoreError;
use promql_parser::label::Matcher;
use serde_json::{Value as JsonValue, json};

use super::failure::Failure;
use super::prom_read::{self, OWN};
use super::tokens::Reader;
use crate::app::{App, now};
use crate::series::promql::{self, Labels, NAME, Question, Selected, Value, Work};

/// Steps of one answer: wider than any screen.
const STEPS_MAX: u64 = 5_000;
/// Parameters of one request.
const PARAMETERS_MAX: usize = 64;
/// A question waits at most this long for others to be answered, and as long for its own answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// What cannot be answered, in Prometheus' form.
#[derive(Debug)]
pub(super) struct Refused {
    status: StatusCode,
    kind: &'static str,
    text: String,
}

impl Refused {
    pub(super) fn bad(text: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, kind: "bad_data", text: text.into() }
    }

    pub(super) fn late() -> Self {
        let text = "the query took too long; ask for less time or fewer endpoints".to_owned();
        Self { status: StatusCode::SERVICE_UNAVAILABLE, kind: "timeout", text }
    }

    pub(super) fn internal(error: &dyn std::fmt::Display) -> Self {
        tracing::error!("a query: {error}");
        let text = "the server could not answer; see its log".to_owned();
        Self { status: StatusCode::INTERNAL_SERVER_ERROR, kind: "internal", text }
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self::internal(&error)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let body = json!({ "status": "error", "errorType": self.kind, "error": self.text });
        (self.status, Json(body)).into_response()
    }
}

/// A reader whose refusal has Prometheus' form.
pub(super) struct Asker(Reader);

impl FromRequestParts<Arc<App>> for Asker {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Refused> {
        let reader = Reader::from_request_parts(parts, app).await;
        reader.map(Self).map_err(|failure: Failure| {
            let (status, text) = failure.told();
            Refused { status, kind: "unauthorized", text }
        })
    }
}

type Answer = Result<Json<JsonValue>, Refused>;

/// Parameters of the address, and of a form in the body: Grafana sends long questions so.
#[derive(Debug)]
struct Asked(Vec<(String, String)>);

impl Asked {
    fn read(query: Option<&str>, body: &Bytes) -> Result<Self, Refused> {
        let address = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
        let all = address.chain(form_urlencoded::parse(body));
        let all: Vec<_> =
            all.map(|(k, v)| (k.into_owned(), v.into_owned())).take(PARAMETERS_MAX + 1).collect();
        if all.len() > PARAMETERS_MAX {
            return Err(Refused::bad(format!("more than {PARAMETERS_MAX} parameters")));
        }
        Ok(Self(all))
    }

    fn one(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn needed(&self, name: &str) -> Result<&str, Refused> {
        self.one(name).ok_or_else(|| Refused::bad(format!("`{name}` is missing")))
    }

    /// Selectors, of which one must fit; none means everything.
    fn matches(&self) -> Result<Vec<Vec<Matcher>>, Refused> {
        let all = self.0.iter().filter(|(name, _)| name == "match[]");
        all.map(|(_, text)| promql::matchers(text).map_err(Refused::bad)).collect()
    }
}

/// `GET` and `POST /api/v1/query`
pub(super) async fn query(
    State(app): State<Arc<App>>,
    Asker(reader): Asker,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Answer {
    let asked = Asked::read(query.as_deref(), &body)?;
    let time = asked.one("time").map_or_else(|| Ok(now().get()), moment)?;
    let question = promql::parse(asked.needed("query")?).map_err(Refused::bad)?;
    let data = answer(&app, &reader, question, (time, time), 1, move |question, selected| {
        match question.at(time, selected, &mut Work::default())? {
            Value::Scalar(value) => {
                Ok(json!({ "resultType": "scalar", "result": [time, number(value)] }))
            }
            Value::Vector(all) => {
                let one = |(labels, value): (Labels, f64)| json!({ "metric": *labels, "value": [time, number(value)] });
                let result: Vec<JsonValue> = all.into_iter().map(one).collect();
                Ok(json!({ "resultType": "vector", "result": result }))
            }
        }
    });
    Ok(success(&data.await?))
}

/// `GET` and `POST /api/v1/query_range`
pub(super) async fn query_range(
    State(app): State<Arc<App>>,
    Asker(reader): Asker,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Answer {
    let asked = Asked::read(query.as_deref(), &body)?;
    let (start, end) = (moment(asked.needed("start")?)?, moment(asked.needed("end")?)?);
    let step_s = duration(asked.needed("step")?)?;
    if start > end {
        return Err(Refused::bad("`start` is after `end`"));
    }
    if (end - start) / step_s >= STEPS_MAX {
        return Err(Refused::bad(format!("more than {STEPS_MAX} steps; use a longer `step`")));
    }
    let question = promql::parse(asked.needed("query")?).map_err(Refused::bad)?;
    let data = answer(&app, &reader, question, (start, end), step_s, move |question, selected| {
        matrix(question, selected, (start, end), step_s)
    });
    Ok(success(&data.await?))
}

/// `GET` and `POST /api/v1/series`
pub(super) async fn series(
    State(app): State<Arc<App>>,
    Asker(reader): Asker,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Answer {
    let asked = Asked::read(query.as_deref(), &body)?;
    if asked.one("match[]").is_none() {
        return Err(Refused::bad("`match[]` is missing"));
    }
    let found = found(&app, &reader, &asked).await?;
    Ok(success(&json!(found.iter().map(AsRef::as_ref).collect::<Vec<_>>())))
}

/// `GET` and `POST /api/v1/labels`
pub(super) async fn labels(Asker(_): Asker) -> Json<JsonValue> {
    let keys = Metric::all().map(Metric::label_key).filter(|key| !key.is_empty());
    let all: BTreeSet<&str> = keys.chain(OWN).chain([NAME]).collect();
    success(&json!(all))
}

/// `GET /api/v1/label/{name}/values`
pub(super) async fn label_values(
    State(app): State<Arc<App>>,
    Asker(reader): Asker,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
) -> Answer {
    let asked = Asked::read(query.as_deref(), &Bytes::new())?;
    let values: BTreeSet<String> = if asked.one("match[]").is_some() {
        let found = found(&app, &reader, &asked).await?;
        found.iter().filter_map(|labels| labels.get(&name).cloned()).collect()
    } else if name == NAME {
        Metric::all().map(|metric| metric.name().to_owned()).collect()
    } else if OWN.contains(&name.as_str()) {
        let all = prom_read::fleet(&app, &reader).await?;
        all.iter().filter_map(|brief| prom_read::own_labels(brief).remove(&name)).collect()
    } else {
        return Err(Refused::bad(format!("name a metric in `match[]` for the values of `{name}`")));
    };
    Ok(success(&json!(values)))
}

/// The labels of what fits one of the selectors, in the last time or in the one that is asked for.
async fn found(
    app: &Arc<App>,
    reader: &Reader,
    asked: &Asked,
) -> Result<BTreeSet<Labels>, Refused> {
    let end = asked.one("end").map_or_else(|| Ok(now().get()), moment)?;
    // What is shown are names: those of the last hour of the time will do.
    let start = asked.one("start").map_or_else(|| Ok(0), moment)?.max(end.saturating_sub(3600));
    let mut all = BTreeSet::new();
    for matchers in asked.matches()? {
        let question = Question::of_names(matchers);
        let place = place(app).await?;
        let work = prom_read::select(app, reader, &question, (start, end), 3600);
        let selected =
            tokio::time::timeout(PATIENCE, work).await.map_err(|_| Refused::late())??;
        drop(place);
        all.extend(selected.into_iter().flatten().map(|series| series.labels));
        if all.len() > SERIES_VALUES_MAX {
            return Err(Refused::bad(format!("more than {SERIES_VALUES_MAX} series")));
        }
    }
    Ok(all)
}

/// Some questions at a time: the others wait, so that endpoints are served meanwhile.
async fn place(app: &App) -> Result<tokio::sync::SemaphorePermit<'_>, Refused> {
    let place = tokio::time::timeout(PATIENCE, app.questions.acquire()).await;
    place.map_err(|_| Refused::late())?.map_err(|error| Refused::internal(&error))
}

async fn answer(
    app: &Arc<App>,
    reader: &Reader,
    question: Question,
    times: (u64, u64),
    step_s: u64,
    compute: impl FnOnce(&Question, &[Vec<Selected>]) -> Result<JsonValue, String> + Send + 'static,
) -> Result<JsonValue, Refused> {
    let place = place(app).await?;
    let work = async {
        let selected = prom_read::select(app, reader, &question, times, step_s).await?;
        let computed = tokio::task::spawn_blocking(move || compute(&question, &selected));
        computed.await.map_err(|error| Refused::internal(&error))?.map_err(Refused::bad)
    };
    let data = tokio::time::timeout(PATIENCE, work).await.map_err(|_| Refused::late())?;
    drop(place);
    data
}

fn matrix(
    question: &Question,
    selected: &[Vec<Selected>],
    (start, end): (u64, u64),
    step_s: u64,
) -> Result<JsonValue, String> {
    let mut series: BTreeMap<Labels, Vec<JsonValue>> = BTreeMap::new();
    let (mut count, mut work) = (0, Work::default());
    for time in (start..=end).step_by(usize::try_from(step_s).unwrap_or(usize::MAX)) {
        let all = match question.at(time, selected, &mut work)? {
            Value::Scalar(value) => vec![(Labels::default(), value)],
            Value::Vector(all) => all,
        };
        count += all.len();
        if count > SERIES_VALUES_MAX {
            return Err(format!(
                "more than {SERIES_VALUES_MAX} points; aggregate, or use a longer `step`"
            ));
        }
        for (labels, value) in all {
            series.entry(labels).or_default().push(json!([time, number(value)]));
        }
    }
    let one =
        |(labels, values): (Labels, Vec<JsonValue>)| json!({ "metric": *labels, "values": values });
    let result: Vec<JsonValue> = series.into_iter().map(one).collect();
    Ok(json!({ "resultType": "matrix", "result": result }))
}

fn success(data: &JsonValue) -> Json<JsonValue> {
    Json(json!({ "status": "success", "data": data }))
}

/// As Prometheus writes it.
fn number(value: f64) -> String {
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    value.to_string()
}

/// Seconds since 1970; what is behind a point counts for nothing here.
fn moment(text: &str) -> Result<u64, Refused> {
    let whole = text.split_once('.').map_or(text, |(whole, _)| whole);
    whole.parse().map_err(|_| {
        Refused::bad(format!("`{}` is not a time in seconds since 1970", text.escape_default()))
    })
}

/// `60`, `60s`, `5m`, `1h`, `1d`.
fn duration(text: &str) -> Result<u64, Refused> {
    let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor = match text.strip_prefix(number) {
        Some("" | "s") => Some(1),
        Some("m") => Some(60),
        Some("h") => Some(3600),
        Some("d") => Some(86_400),
        _ => None,
    };
    let whole = number.split_once('.').map_or(number, |(whole, _)| whole);
    let seconds = factor.and_then(|factor| whole.parse::<u64>().ok()?.checked_mul(factor));
    seconds.filter(|seconds| *seconds > 0).ok_or_else(|| {
        Refused::bad(format!("`{}` is not a step like 60, 60s or 5m", text.escape_default()))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn times_and_steps_are_read() {
        for (text, seconds) in [
            ("60", Some(60)),
            ("60.5", Some(60)),
            ("5m", Some(300)),
            ("1h", Some(3600)),
            ("2d", Some(172_800)),
            ("0", None),
            ("0.5", None),
            ("5x", None),
            ("", None),
            ("99999999999999999d", None),
        ] {
            assert_eq!(duration(text).ok(), seconds, "{text}");
        }
        assert_eq!(moment("1800000000.123").unwrap(), 1_800_000_000);
        for bad in ["", "-1", "now", "2026-01-01T00:00:00Z"] {
            assert!(moment(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn numbers_are_written_as_prometheus_writes_them() {
        for (value, text) in [
            (1.5, "1.5"),
            (1e21, "1000000000000000000000"),
            (f64::INFINITY, "+Inf"),
            (f64::NEG_INFINITY, "-Inf"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(number(value), text);
        }
    }

    #[test]
    fn parameters_come_from_address_and_body_and_have_an_end() {
        let asked = Asked::read(Some("a=1&match[]=m"), &Bytes::from_static(b"b=%7B+2")).unwrap();
        assert_eq!(
            (asked.one("a"), asked.one("b"), asked.one("c")),
            (Some("1"), Some("{ 2"), None)
        );
        assert_eq!(asked.matches().unwrap().len(), 1);
        let many = |count: usize| Asked::read(Some(&vec!["a=1"; count].join("&")), &Bytes::new());
        assert!(many(PARAMETERS_MAX).is_ok());
        assert!(many(PARAMETERS_MAX + 1).is_err());
    }
}
