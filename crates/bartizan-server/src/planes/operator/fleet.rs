//! The fleet as consoles look at it: windows, counts, names, and what one endpoint was asked and said.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use bartizan_proto::operator::{
    EndpointBranch, EndpointBrief, EndpointIds, EndpointJob, EndpointJobs, EndpointLink,
    EndpointNames, EndpointReceipts, EndpointSort, EndpointTree, EndpointWindow, Summary,
};
use bartizan_store::{BriefRecord, FleetFilter, FleetOrder, PlaceCount, StoreError, Tx};
use bartizan_trust::id::{EndpointId, SiteId, TenantId};
use data_encoding::BASE64;
use serde::Deserialize;

use super::endpoints::parse;
use super::failure::Failure;
use super::login::{Session, read_json};
use crate::app::{App, now};
use crate::convert::{endpoint_brief, job_row, target_row};

/// Rows in one answer.
const ROWS_MAX: u64 = 500;
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
    let read = app.db.read(move |tx| {
        let wants_link = match state {
            Some(EndpointLink::Connected) => true,
            Some(EndpointLink::Away) => false,
            Some(EndpointLink::Quarantined) | None => {
                let (total, rows) = tx.fleet_window(&filter, offset, limit)?;
                return Ok((total, briefs(rows, &connected)));
            }
        };
        // Who is connected is known here and not to the database.
        let mut ids = tx.fleet_ids(&filter)?;
        ids.retain(|id| connected.contains(id) == wants_link);
        let total = u64::try_from(ids.len()).unwrap_or(u64::MAX);
        let rows = tx.fleet_rows(part(&ids, offset, limit))?;
        Ok((total, briefs(rows, &connected)))
    });
    let (total, endpoints) = read.await?;
    Ok(Json(EndpointWindow { total, endpoints }))
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

fn part(ids: &[EndpointId], offset: u64, limit: u64) -> &[EndpointId] {
    let start = usize::try_from(offset).unwrap_or(usize::MAX).min(ids.len());
    let end = start.saturating_add(usize::try_from(limit).unwrap_or(0)).min(ids.len());
    ids.get(start..end).unwrap_or_default()
}

fn briefs(rows: Vec<BriefRecord>, connected: &HashSet<EndpointId>) -> Vec<EndpointBrief> {
    let brief = |row: BriefRecord| {
        let is_connected = connected.contains(&row.id);
        endpoint_brief(row, is_connected)
    };
    rows.into_iter().map(brief).collect()
}

type Place = (Option<TenantId>, Option<SiteId>);

/// `GET /v1/endpoints/tree`
pub(super) async fn tree(
    State(app): State<Arc<App>>,
    _session: Session,
) -> Result<Json<EndpointTree>, Failure> {
    let connected = app.hub.connected();
    let read = app.db.read(move |tx| {
        let mut here: BTreeMap<Place, u64> = BTreeMap::new();
        for (id, tenant, site) in tx.fleet_places()? {
            if connected.contains(&id) {
                *here.entry((tenant, site)).or_default() += 1;
            }
        }
        Ok(branches(tx.fleet_counts()?, &here))
    });
    Ok(Json(EndpointTree { branches: read.await? }))
}

fn branches(counts: Vec<PlaceCount>, connected: &BTreeMap<Place, u64>) -> Vec<EndpointBranch> {
    let mut found: BTreeMap<Place, (u64, u64)> = BTreeMap::new();
    for count in counts {
        let (admitted, quarantined) = found.entry((count.tenant, count.site)).or_default();
        *if count.admitted { admitted } else { quarantined } += count.count;
    }
    let branch = |(place, (admitted, quarantined)): (Place, (u64, u64))| {
        let connected = connected.get(&place).copied().unwrap_or(0);
        let away = admitted.saturating_sub(connected);
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
    let connected = app.hub.connected();
    let (control_size, jobs_size) = (app.logs.control.size(), app.logs.jobs.size());
    let read = app.db.read(move |tx| {
        let (admitted, quarantined) = by_standing(tx)?;
        // Few wait in quarantine; those that do may be connected.
        let waiting = FleetFilter { admitted: Some(false), ..FleetFilter::default() };
        let outside = tx.fleet_ids(&waiting)?.iter().filter(|id| connected.contains(*id)).count();
        let connected = u64::try_from(connected.len().saturating_sub(outside)).unwrap_or(0);
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
        })
    });
    Ok(Json(read.await?))
}

fn by_standing(tx: &mut Tx<'_>) -> Result<(u64, u64), StoreError> {
    let counts = tx.endpoint_counts()?;
    let of = |name: &str| {
        counts.iter().filter(|(known, _)| known == name).map(|(_, count)| count).sum::<u64>()
    };
    Ok((of("admitted"), of("quarantined")))
}
