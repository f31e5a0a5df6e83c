//! Endpoints.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::response::Response;
use serde_json::Value;

use crate::console::desk::{Answer, Desk};
use crate::console::failure::Failure;
use crate::console::shapes::{
    EndpointJobs, EndpointView, FleetExport, FleetQuery, FleetTree, FleetWindow, Part, Problem,
    ReceiptsWindow,
};
use crate::console::views::{fleet as view, fleet_file};
use crate::journal::Did;

/// A part of the fleet; filters and order are the server's.
#[utoipa::path(get, path = "/endpoints", tag = "fleet", params(FleetQuery),
    responses((status = 200, body = FleetWindow), (status = "default", body = Problem)))]
pub(crate) async fn window(
    State(desk): State<Arc<Desk>>,
    Query(query): Query<FleetQuery>,
) -> Answer<FleetWindow> {
    desk.work(move |_, console| view::window(console, &query)).await
}

/// All rows of a list of endpoints as CSV, by the server's word. An answer that breaks off is no file.
#[utoipa::path(get, path = "/endpoints/export", tag = "fleet", params(FleetExport),
    responses((status = 200, body = String, content_type = "text/csv"), (status = "default", body = Problem)))]
pub(crate) async fn export(
    State(desk): State<Arc<Desk>>,
    Query(wanted): Query<FleetExport>,
) -> Result<Response, Failure> {
    desk.pieces("text/csv; charset=utf-8", move |desk, each| {
        fleet_file::export(desk, &wanted, each)
    })
    .await
}

/// How many endpoints each tenant and site has.
#[utoipa::path(get, path = "/endpoints/tree", tag = "fleet",
    responses((status = 200, body = FleetTree), (status = "default", body = Problem)))]
pub(crate) async fn tree(State(desk): State<Arc<Desk>>) -> Answer<FleetTree> {
    desk.work(|_, console| view::tree(console)).await
}

/// One endpoint, and whether its enrolment proves who it is.
#[utoipa::path(get, path = "/endpoints/{id}", tag = "fleet", params(("id" = String, Path, description = "`ep_…`")),
    responses((status = 200, body = EndpointView), (status = "default", body = Problem)))]
pub(crate) async fn show(
    State(desk): State<Arc<Desk>>,
    Path(id): Path<String>,
) -> Answer<EndpointView> {
    desk.work(move |_, console| view::show(console, &id)).await
}

/// What it was asked to do, newest first.
#[utoipa::path(get, path = "/endpoints/{id}/jobs", tag = "fleet", params(("id" = String, Path, description = "`ep_…`"), Part),
    responses((status = 200, body = EndpointJobs), (status = "default", body = Problem)))]
pub(crate) async fn jobs(
    State(desk): State<Arc<Desk>>,
    Path(id): Path<String>,
    Query(part): Query<Part>,
) -> Answer<EndpointJobs> {
    desk.work(move |_, console| view::jobs(console, &id, part)).await
}

/// What it says it did, newest first, each receipt verified.
#[utoipa::path(get, path = "/endpoints/{id}/receipts", tag = "fleet", params(("id" = String, Path, description = "`ep_…`"), Part),
    responses((status = 200, body = ReceiptsWindow), (status = "default", body = Problem)))]
pub(crate) async fn receipts(
    State(desk): State<Arc<Desk>>,
    Path(id): Path<String>,
    Query(part): Query<Part>,
) -> Answer<ReceiptsWindow> {
    desk.work(move |_, console| view::receipts(console, &id, part)).await
}

/// Let an endpoint in that waits in quarantine.
#[utoipa::path(post, path = "/endpoints/{id}/admit", tag = "fleet", params(("id" = String, Path, description = "`ep_…`")),
    responses((status = 200, body = Value), (status = "default", body = Problem)))]
pub(crate) async fn admit(State(desk): State<Arc<Desk>>, Path(id): Path<String>) -> Answer<Value> {
    desk.work(move |desk, console| view::ask(desk, console, &id, Did::Admitted)).await
}

/// Ask a connected endpoint for its inventory now.
#[utoipa::path(post, path = "/endpoints/{id}/refresh", tag = "fleet", params(("id" = String, Path, description = "`ep_…`")),
    responses((status = 200, body = Value), (status = "default", body = Problem)))]
pub(crate) async fn refresh(
    State(desk): State<Arc<Desk>>,
    Path(id): Path<String>,
) -> Answer<Value> {
    desk.work(move |desk, console| view::ask(desk, console, &id, Did::Refreshed)).await
}
