//! The fleet as consoles look at it: windows, counts, names, and what one endpoint was asked and said.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use bartizan_proto::operator::{
    AlertCounts, EndpointBranch, EndpointBrief, EndpointIds, EndpointJob, EndpointJobs,
    EndpointLink, EndpointNames, EndpointReceipts, EndpointSort, EndpointTree, EndpointWindow,
    Summary,
};
use bartizan_store::{BriefRecord, FleetFilter, FleetOrder, Place, PlaceCount, StoreError, Tx};
use bartizan_trust::id::EndpointId;
use data_encoding::BASE64;
use serde::Deserialize;

use super::endpoints::parse;
use super::failure::Failure;
use super::login::{Session, read_json};
use crate::app::{App, now};
use crate::convert::{endpoint_brief, job_row, target_row};

/// Rows in one answer.
const ROWS_MAX: u64 = 500;
/// Ids that are read at first to find those who are connected or away. Each further part is twice as long: often the first
/// is enough, and when nearly all must be passed over, few questions are.
const IDS_FIRST: u64 = 1_000;
/// Ids in one part at most, so that a part stays small in memory.
const IDS_MAX: u64 = 32_000;
/// Longest text that is looked for.
const SEARCH_CHARS_MAX: usize = 128;

#[derive(Debug, Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    offset: u64,
    limit: Option<u64>,
    search: Option<String>,
    tenant: Option<String>,
    site: Option<String>,
    state: Option<EndpointLink>,
    #[serde(default)]
    sort: EndpointSort,
    #[serde(default)]
    descending: bool,
}

#[derive(Debug, Deserialize)]
pub(super) struct Part {
    #[serde(default)]
    offset: u64,
    limit: Option<u64>,
}

fn limit(wanted: Option<u64>) -> u64 {
    wanted.unwrap_or(100).clamp(1, ROWS_MAX)
}

/// `GET /v1/endpoints/window`
pub(super) async fn window(
    State(app): State<Arc<App>>,
    _session: Session,
    Query(wanted): Query<Wanted>,
) -> Result<Json<EndpointWindow>, Failure> {
    let (offset, limit) = (wanted.offset, limit(wanted.limit));
    let state = wanted.state;
    let filter = filter(wanted)?;
    let connected = app.hub.connected();
    let here = here(&app.hub.places(), &filter);
    let read = app.db.read(move |tx| {
        let linked = match state {
            Some(EndpointLink::Connected) => Linked { connected: &connected, wanted: true, here },
            Some(EndpointLink::Away) => Linked { connected: &connected, wanted: false, here },
            Some(EndpointLink::Quarantined) | None => {
                let (total, rows) = tx.fleet_window(&filter, offset, limit)?;
                return Ok((total, briefs(rows, &connected)));
            }
        };
        let (total, ids) = linked.window(tx, &filter, offset, limit)?;
        let rows = tx.fleet_rows(&ids)?;
        Ok((total, briefs(rows, &connected)))
    });
    let (total, endpoints) = read.await?;
    Ok(Json(EndpointWindow { total, endpoints }))
}

/// How many of those that fit are connected, if that can be said without their names.
fn here(places: &BTreeMap<Place, u64>, filter: &FleetFilter) -> Option<u64> {
    if filter.search.as_deref().is_some_and(|search| !search.is_empty()) {
        return None;
    }
    let fits = |wanted: Option<&str>, name: Option<String>| {
        wanted.is_none_or(|wanted| wanted == name.unwrap_or_default())
    };
    let fitting = places.iter().filter(|((tenant, site), _)| {
        fits(filter.tenant.as_deref(), tenant.as_ref().map(ToString::to_string))
            && fits(filter.site.as_deref(), site.as_ref().map(ToString::to_string))
    });
    Some(fitting.map(|(_, count)| count).sum())
}

/// Endpoints by whether they are connected, which is known to the hub and not to the database.
struct Linked<'a> {
    connected: &'a HashSet<EndpointId>,
    wanted: bool,
    here: Option<u64>,
}

impl Linked<'_> {
    /// How many there are, and the ids of some of them. Reads ids in order, and no further than it must.
    fn window(
        &self,
        tx: &mut Tx<'_>,
        filter: &FleetFilter,
        offset: u64,
        limit: u64,
    ) -> Result<(u64, Vec<EndpointId>), StoreError> {
        let total = match self.here {
            Some(here) if self.wanted => Some(here),
            Some(here) => Some(tx.fleet_total(filter)?.saturating_sub(here)),
            None => None,
        };
        let end = offset.saturating_add(limit);
        let (mut ids, mut found) = (Vec::new(), 0);
        let (mut at, mut part) = (0, IDS_FIRST);
        while total.is_none_or(|total| found < end.min(total)) {
            let read = tx.fleet_ids(filter, at, part)?;
            let is_last = size(&read) < part;
            for id in read.into_iter().filter(|id| self.connected.contains(id) == self.wanted) {
                if (offset..end).contains(&found) {
                    ids.push(id);
                }
                found += 1;
            }
            if is_last {
                break;
            }
            at += part;
            part = (part * 2).min(IDS_MAX);
        }
        Ok((total.unwrap_or(found), ids))
    }
}

fn size<T>(list: &[T]) -> u64 {
    u64::try_from(list.len()).unwrap_or(u64::MAX)
}

fn filter(wanted: Wanted) -> Result<FleetFilter, Failure> {
    if wanted.search.as_ref().is_some_and(|search| search.chars().count() > SEARCH_CHARS_MAX) {
        let message = format!("the search is longer than {SEARCH_CHARS_MAX} characters");
        return Err(Failure::bad("request.search", message, "look for less"));
    }
    Ok(FleetFilter {
        search: wanted.search,
        tenant: wanted.tenant.map(|name| if name == "none" { String::new() } else { name }),
        site: wanted.site,
        admitted: wanted.state.map(|state| state != EndpointLink::Quarantined),
        order: match wanted.sort {
            EndpointSort::Hostname => FleetOrder::Hostname,
            EndpointSort::Tenant => FleetOrder::Tenant,
            EndpointSort::Os => FleetOrder::Os,
            EndpointSort::LastSeen => FleetOrder::LastSeen,
        },
        descending: wanted.descending,
    })
}

fn briefs(rows: Vec<BriefRecord>, connected: &HashSet<EndpointId>) -> Vec<EndpointBrief> {
    let brief = |row: BriefRecord| {
        let is_connected = connected.contains(&row.id);
        endpoint_brief(row, is_connected)
    };
    rows.into_iter().map(brief).collect()
}

/// `GET /v1/endpoints/tree`
pub(super) async fn tree(
    State(app): State<Arc<App>>,
    _session: Session,
) -> Result<Json<EndpointTree>, Failure> {
    let connected = app.hub.places();
    let read = app.db.read(move |tx| Ok(branches(tx.fleet_counts()?, &connected)));
    Ok(Json(EndpointTree { branches: read.await? }))
}

fn branches(counts: Vec<PlaceCount>, connected: &BTreeMap<Place, u64>) -> Vec<EndpointBranch> {
    let mut found: BTreeMap<Place, (u64, u64)> = BTreeMap::new();
    for count in counts {
        let (admitted, quarantined) = found.entry(count.place).or_default();
        *if count.admitted { admitted } else { quarantined } += count.count;
    }
    let branch = |(place, (admitted, quarantined)): (Place, (u64, u64))| {
        // The hub and the database were not asked at the same moment.
        let connected = connected.get(&place).copied().unwrap_or(0).min(admitted);
        let away = admitted - connected;
        let (tenant, site) = place;
        EndpointBranch { tenant, site, connected, away, quarantined }
    };
    found.into_iter().map(branch).collect()
}

/// `POST /v1/endpoints/names`
pub(super) async fn names(
    State(app): State<Arc<App>>,
    _session: Session,
    body: Bytes,
) -> Result<Json<EndpointNames>, Failure> {
    let EndpointIds { ids } = read_json(&body)?;
    if u64::try_from(ids.len()).unwrap_or(u64::MAX) > ROWS_MAX {
        let message = format!("more than {ROWS_MAX} endpoints at once");
        return Err(Failure::bad("request.too_many", message, "ask in parts"));
    }
    let rows = app.db.read(move |tx| tx.fleet_rows(&ids)).await?;
    Ok(Json(EndpointNames { names: rows.into_iter().map(|row| (row.id, row.hostname)).collect() }))
}

/// `GET /v1/endpoints/{id}/jobs`
pub(super) async fn jobs(
    State(app): State<Arc<App>>,
    _session: Session,
    Path(id): Path<String>,
    Query(wanted): Query<Part>,
) -> Result<Json<EndpointJobs>, Failure> {
    let id = parse(&id)?;
    let limit = limit(wanted.limit);
    let read = app.db.read(move |tx| tx.jobs_of_endpoint(id, wanted.offset, limit));
    let (total, found) = read.await?;
    let jobs = found
        .iter()
        .map(|(job, target)| EndpointJob { job: job_row(job), target: target_row(target) });
    Ok(Json(EndpointJobs { total, jobs: jobs.collect() }))
}

/// `GET /v1/endpoints/{id}/receipts`
pub(super) async fn receipts(
    State(app): State<Arc<App>>,
    _session: Session,
    Path(id): Path<String>,
    Query(wanted): Query<Part>,
) -> Result<Json<EndpointReceipts>, Failure> {
    let id = parse(&id)?;
    let limit = limit(wanted.limit);
    let read = app.db.read(move |tx| tx.receipts_of_endpoint(id, wanted.offset, limit));
    let (total, found) = read.await?;
    Ok(Json(EndpointReceipts {
        total,
        receipts: found.iter().map(|one| BASE64.encode(one)).collect(),
    }))
}

/// `GET /v1/summary`
pub(super) async fn summary(
    State(app): State<Arc<App>>,
    session: Session,
) -> Result<Json<Summary>, Failure> {
    let standing: Vec<_> =
        session.organisation.view.freezes.standing(now()).map(|(id, _)| *id).collect();
    let connected: u64 = app.hub.places().values().sum();
    let (control_size, jobs_size) = (app.logs.control.size(), app.logs.jobs.size());
    let read = app.db.read(move |tx| {
        let (admitted, quarantined) = by_standing(tx)?;
        let mut freezes = Vec::new();
        for id in standing {
            freezes.push((id, tx.confirmed_count(id)?));
        }
        Ok(Summary {
            connected: connected.min(admitted),
            away: admitted.saturating_sub(connected),
            quarantined,
            jobs: tx.job_counts()?,
            drafts: tx.draft_count()?,
            control_size,
            jobs_size,
            freezes,
            alerts: alert_counts(tx)?,
        })
    });
    Ok(Json(read.await?))
}

fn alert_counts(tx: &mut Tx<'_>) -> Result<AlertCounts, StoreError> {
    let standing = tx.alert_standing()?;
    Ok(AlertCounts {
        open: standing.open,
        acknowledged: standing.acknowledged,
        changed: standing.changed,
    })
}

fn by_standing(tx: &mut Tx<'_>) -> Result<(u64, u64), StoreError> {
    let counts = tx.endpoint_counts()?;
    let of = |name: &str| {
        counts.iter().filter(|(known, _)| known == name).map(|(_, count)| count).sum::<u64>()
    };
    Ok((of("admitted"), of("quarantined")))
}
