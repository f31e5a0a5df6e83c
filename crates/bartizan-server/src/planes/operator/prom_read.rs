//! What the selectors of a question ask for, read from the store: bounded in endpoints and in bytes, a few endpoints at a time.

use std::collections::BTreeMap;
use std::sync::Arc;

use bartizan_proto::samples::{CHUNK_LIMITS, Metric, Samples, SamplesError};
use bartizan_store::BriefRecord;
use bartizan_trust::statement::is_plain_char;

use super::prom::Refused;
use super::tokens::Reader;
use crate::app::App;
use crate::series::promql::{LOOKBACK_S, Labels, NAME, Point, Question, Selected, Selection};
use crate::series::read::{self, Rows, rows};
use crate::series::rollup::{LEVELS_S, stat_of};

/// Endpoints that one selector may be about.
const ENDPOINTS_MAX: usize = 1000;
/// Endpoints read in one operation of the database, so that others come in between.
const ENDPOINTS_AT_ONCE: usize = 25;
/// Endpoints looked through in one operation of the database, for the same reason.
const PAGE: u64 = 1_000;
/// Bytes of rows read for one question; as values they are ten times as many.
const ROWS_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Labels of the endpoint itself, as remote write has them.
pub(super) const OWN: [&str; 4] = ["endpoint", "hostname", "site", "tenant"];

/// Everything that the selectors of a question ask for, in their order.
pub(super) async fn select(
    app: &Arc<App>,
    reader: &Reader,
    question: &Question,
    (start, end): (u64, u64),
    step_s: u64,
) -> Result<Vec<Vec<Selected>>, Refused> {
    let all = if question.selections.is_empty() { Vec::new() } else { fleet(app, reader).await? };
    let mut selected = Vec::new();
    let mut bytes = 0;
    for selection in &question.selections {
        let wanted = metrics(selection)?;
        let fitting = |brief: &&BriefRecord| fits(selection, &own_labels(brief));
        let endpoints: Vec<BriefRecord> = all.iter().filter(fitting).cloned().collect();
        if endpoints.len() > ENDPOINTS_MAX {
            return Err(Refused::bad(format!(
                "{} endpoints fit, at most {ENDPOINTS_MAX} may; name a tenant, a site or a hostname",
                endpoints.len()
            )));
        }
        let asked = read::Question {
            from: start.saturating_sub(selection.back_s),
            to: end,
            step_s: step_s.min(selection.fine_s),
            stat: selection.stat,
            metric: None,
            label: None,
        };
        let mut found = Vec::new();
        for some in endpoints.chunks(ENDPOINTS_AT_ONCE) {
            let read = fetch(app, some, &asked).await?;
            bytes += read.iter().flatten().map(|(_, row)| row.len()).sum::<usize>();
            if bytes > ROWS_BYTES_MAX {
                let text = "too much to read; ask for less time, a longer step or fewer endpoints";
                return Err(Refused::bad(text));
            }
            found.extend(decode(some.to_vec(), read, &asked, selection, &wanted).await?);
        }
        selected.push(found);
    }
    Ok(selected)
}

/// Endpoints that a reader may know of.
pub(super) async fn fleet(app: &App, reader: &Reader) -> Result<Vec<BriefRecord>, Refused> {
    let (mut all, mut last) = (Vec::new(), None);
    loop {
        let page = app.db.read(move |tx| tx.admitted_after(last, PAGE)).await?;
        let Some(brief) = page.last() else { return Ok(all) };
        last = Some(brief.id);
        let may_know = |brief: &BriefRecord| {
            reader.tenant.as_ref().is_none_or(|tenant| brief.tenant.as_ref() == Some(tenant))
        };
        all.extend(page.into_iter().filter(may_know));
    }
}

async fn fetch(
    app: &App,
    endpoints: &[BriefRecord],
    asked: &read::Question,
) -> Result<Vec<Rows>, Refused> {
    let ids: Vec<_> = endpoints.iter().map(|brief| brief.id).collect();
    let asked = asked.clone();
    let read = app.db.read(move |tx| {
        let mut all = Vec::new();
        for id in ids {
            let owner = tx.find_series_owner(id)?;
            let own = owner.map(|owner| rows(tx, owner, &asked)).transpose()?;
            all.push(own.unwrap_or_default());
        }
        Ok(all)
    });
    Ok(read.await?)
}

async fn decode(
    endpoints: Vec<BriefRecord>,
    read: Vec<Rows>,
    asked: &read::Question,
    selection: &Selection,
    wanted: &[Metric],
) -> Result<Vec<Selected>, Refused> {
    let (asked, selection, wanted) = (asked.clone(), selection.clone(), wanted.to_vec());
    let decoded = tokio::task::spawn_blocking(move || {
        let mut found = Vec::new();
        for (brief, rows) in endpoints.iter().zip(&read) {
            let own = own_labels(brief);
            for ((metric, label), points) in points(rows, &asked, &wanted)? {
                let labels = with_metric(&own, metric, &label);
                if selection.matchers.iter().all(|m| m.is_match(of(&labels, &m.name))) {
                    let points = points.into_values().collect();
                    found.push(Selected { labels: Labels::new(labels), points });
                }
            }
        }
        Ok::<_, SamplesError>(found)
    });
    let decoded = decoded.await.map_err(|error| Refused::internal(&error))?;
    decoded.map_err(|error| Refused::internal(&error))
}

type Points = BTreeMap<(Metric, String), BTreeMap<u64, Point>>;

/// Points of the wanted metrics. What stands for several samples stands at their end, and counts until the next would be there.
fn points(rows: &Rows, asked: &read::Question, wanted: &[Metric]) -> Result<Points, SamplesError> {
    let mut all = Points::new();
    for (level, bytes) in rows {
        let span_s = LEVELS_S.get(*level).copied().unwrap_or(1);
        let samples = if *level == 0 {
            Samples::decode(bytes, &CHUNK_LIMITS)?
        } else {
            stat_of(bytes, asked.stat)?
        };
        let good_for_s = LOOKBACK_S.max(2 * span_s);
        for series in &samples.series {
            if !wanted.contains(&series.metric) {
                continue;
            }
            let known = all.entry((series.metric, series.label.clone())).or_default();
            for (time, value) in samples.times.iter().zip(&series.values) {
                let at = time + span_s - 1;
                let Some(value) = *value else { continue };
                if (asked.from..=asked.to).contains(&at) {
                    known.insert(at, Point { at, value, good_for_s });
                }
            }
        }
    }
    all.retain(|_, points| !points.is_empty());
    Ok(all)
}

/// The metrics that a selector is about: it must say so, and may say it by a pattern.
fn metrics(selection: &Selection) -> Result<Vec<Metric>, Refused> {
    let own = selection.matchers.iter().filter(|matcher| matcher.name == NAME);
    if own.clone().all(|matcher| matcher.is_match("")) {
        return Err(Refused::bad("a selector must name a metric"));
    }
    let fitting: Vec<Metric> =
        Metric::all().filter(|metric| own.clone().all(|m| m.is_match(metric.name()))).collect();
    Ok(fitting)
}

/// Whether an endpoint can have what is selected.
fn fits(selection: &Selection, own: &BTreeMap<String, String>) -> bool {
    let mut of_endpoint = selection.matchers.iter().filter(|m| OWN.contains(&m.name.as_str()));
    of_endpoint.all(|matcher| matcher.is_match(of(own, &matcher.name)))
}

fn with_metric(
    own: &BTreeMap<String, String>,
    metric: Metric,
    label: &str,
) -> BTreeMap<String, String> {
    let mut labels = own.clone();
    labels.insert(NAME.to_owned(), metric.name().to_owned());
    if !label.is_empty() {
        labels.insert(metric.label_key().to_owned(), label.to_owned());
    }
    labels
}

/// As remote write has them.
pub(super) fn own_labels(brief: &BriefRecord) -> BTreeMap<String, String> {
    let hostname: String = brief.hostname.chars().filter(|c| is_plain_char(*c)).collect();
    let all = [
        ("endpoint", brief.id.to_string()),
        ("hostname", hostname),
        ("site", brief.site.as_ref().map_or_else(String::new, |site| site.name().to_owned())),
        (
            "tenant",
            brief.tenant.as_ref().map_or_else(String::new, |tenant| tenant.name().to_owned()),
        ),
    ];
    let there = all.into_iter().filter(|(_, value)| !value.is_empty());
    there.map(|(name, value)| (name.to_owned(), value)).collect()
}

/// A label that is not there is empty.
fn of<'l>(labels: &'l BTreeMap<String, String>, name: &str) -> &'l str {
    labels.get(name).map_or("", String::as_str)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::series::promql;
    use crate::series::rollup;
    use bartizan_proto::samples::Series;
    use bartizan_proto::series::Stat;
    use bartizan_store::WindowRows;

    /// Ten minutes of load: 0 to 9.
    fn chunks() -> [Vec<u8>; 3] {
        let metric = Metric::named("bartizan_load1").unwrap();
        let values = (0_u8..10).map(|n| Some(f64::from(n))).collect();
        let series = vec![Series { metric, label: String::new(), values }];
        let times = (0..10).map(|n| 3600 + 60 * n).collect();
        let parts = vec![Samples { times, series, unknown: 0 }.encode()];
        rollup::close(&WindowRows { parts, ..WindowRows::default() }).unwrap().0
    }

    fn check(level: usize, stat: Stat, to: u64) -> Vec<(u64, f64, u64)> {
        let asked = read::Question { from: 0, to, step_s: 1, stat, metric: None, label: None };
        let chunk = chunks().into_iter().nth(level).unwrap();
        let wanted = [Metric::named("bartizan_load1").unwrap()];
        let all = points(&vec![(level, chunk)], &asked, &wanted).unwrap();
        let points = all.into_values().flat_map(BTreeMap::into_values);
        points.map(|point| (point.at, point.value, point.good_for_s)).collect()
    }

    #[test]
    fn what_was_thinned_out_stands_at_its_end_and_counts_longer() {
        let raw = check(0, Stat::Max, 9999);
        assert_eq!((raw.len(), raw.last()), (10, Some(&(4140, 9.0, LOOKBACK_S))));
        assert_eq!(check(1, Stat::Max, 9999), [(3899, 4.0, 600), (4199, 9.0, 600)]);
        assert_eq!(check(1, Stat::Min, 4198), [(3899, 0.0, 600)], "not before it was there");
        assert_eq!(check(2, Stat::Last, 9999), [(7199, 9.0, 7200)]);
    }

    #[test]
    fn a_selector_says_which_metric() {
        let of = |text: &str| {
            let question = promql::parse(text).unwrap();
            let found = question.selections.first().map(metrics).unwrap();
            found.map(|all| all.len()).map_err(|_| ())
        };
        assert_eq!(of("bartizan_load1"), Ok(1));
        assert_eq!(of("{__name__=~\"bartizan_load.*\"}"), Ok(3));
        assert_eq!(of("nonsense"), Ok(0));
        for open in
            ["{tenant=\"a\"}", "{__name__!=\"x\",tenant=\"a\"}", "{__name__=~\".*\",a=\"b\"}"]
        {
            assert_eq!(of(open), Err(()), "{open}");
        }
    }
}
