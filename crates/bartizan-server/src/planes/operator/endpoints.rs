//! Enrolments and endpoints.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use bartizan_proto::operator::{EndpointDetail, EndpointPage, Stored};
use bartizan_store::EndpointFilter;
use bartizan_trust::control::judge_enrolment;
use bartizan_trust::id::EndpointId;
use bartizan_trust::time::UnixSeconds;
use serde::Deserialize;

use super::failure::Failure;
use super::login::{Session, read_envelope};
use crate::app::{App, now};
use crate::convert::endpoint_row;

/// Rows in one answer.
const PAGE_MAX: u64 = 500;

#[derive(Debug, Deserialize)]
pub(super) struct Wanted {
    search: Option<String>,
    tenant: Option<String>,
    site: Option<String>,
    after: Option<String>,
    limit: Option<u64>,
}

/// `POST /v1/enrolments`
pub(super) async fn enrol(
    State(app): State<Arc<App>>,
    session: Session,
    body: Bytes,
) -> Result<Json<Stored>, Failure> {
    let (envelope, bytes) = read_envelope(&body)?;
    let organisation = &session.organisation;
    judge_enrolment(organisation.bundle(), organisation.org, now(), &bytes).map_err(|refusal| {
        Failure::refused(refusal, "endpoints would not accept this enrolment")
    })?;
    let id = envelope.id();
    app.db.write(move |tx| tx.put_enrolment(id, &bytes)).await?;
    tracing::info!(operator.id = %session.operator, statement.id = %id, "new enrolment");
    Ok(Json(Stored { id, log_index: None }))
}

/// `GET /v1/endpoints`
pub(super) async fn list(
    State(app): State<Arc<App>>,
    _session: Session,
    Query(wanted): Query<Wanted>,
) -> Result<Json<EndpointPage>, Failure> {
    let limit = wanted.limit.unwrap_or(PAGE_MAX).clamp(1, PAGE_MAX);
    let filter = EndpointFilter {
        search: wanted.search,
        tenant: wanted.tenant,
        site: wanted.site,
        after: wanted.after,
        limit: limit + 1,
    };
    let mut found = app.db.read(move |tx| tx.endpoints(&filter)).await?;
    let more = u64::try_from(found.len()).unwrap_or(u64::MAX) > limit;
    if more {
        found.pop();
    }
    let next = found.last().filter(|_| more).map(|record| record.id);
    let rows = found.into_iter().map(|record| {
        let connected = app.hub.is_connected(record.id);
        endpoint_row(record, connected)
    });
    Ok(Json(EndpointPage { endpoints: rows.collect(), next }))
}

/// `GET /v1/endpoints/{id}`
pub(super) async fn show(
    State(app): State<Arc<App>>,
    _session: Session,
    Path(id): Path<String>,
) -> Result<Json<EndpointDetail>, Failure> {
    let id = parse(&id)?;
    let (record, inventory) =
        app.db.read(move |tx| Ok((tx.endpoint(id)?, tx.inventory(id)?))).await?;
    let record = record.ok_or_else(|| Failure::not_found("endpoint"))?;
    let row = endpoint_row(record, app.hub.is_connected(id));
    let inventory_at = inventory.as_ref().map(|(_, at)| UnixSeconds::new(*at));
    let inventory = inventory.and_then(|(json, _)| serde_json::from_slice(&json).ok());
    Ok(Json(EndpointDetail { row, inventory, inventory_at }))
}

/// `POST /v1/endpoints/{id}/admit`
pub(super) async fn admit(
    State(app): State<Arc<App>>,
    session: Session,
    Path(id): Path<String>,
) -> Result<StatusCode, Failure> {
    let id = parse(&id)?;
    if !app.db.write(move |tx| tx.admit(id)).await? {
        return Err(Failure::not_found("endpoint"));
    }
    tracing::info!(operator.id = %session.operator, endpoint.id = %id, "endpoint admitted");
    // It reconnects at once and learns that it is let in.
    app.hub.close(id);
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /v1/endpoints/{id}/refresh`
pub(super) async fn refresh(
    State(app): State<Arc<App>>,
    _session: Session,
    Path(id): Path<String>,
) -> Result<StatusCode, Failure> {
    let id = parse(&id)?;
    if app.hub.ask_inventory(id) {
        return Ok(StatusCode::ACCEPTED);
    }
    let next = "wait until it connects; it reports its inventory then";
    Err(Failure::new(
        StatusCode::CONFLICT,
        "endpoint.offline",
        "the endpoint is not connected",
        next,
    ))
}

pub(super) fn parse(id: &str) -> Result<EndpointId, Failure> {
    id.parse().map_err(|error| {
        Failure::bad("request.id", format!("{error}"), "copy the id from `bartizan endpoints`")
    })
}
