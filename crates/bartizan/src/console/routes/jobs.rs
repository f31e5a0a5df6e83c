//! Jobs and roll-outs.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};

use crate::console::desk::{Answer, Desk};
use crate::console::shapes::{
    JobView, JobsQuery, JobsWindow, OrderPlan, OrderTrigger, Orders, Part, Problem, ReceiptsWindow,
    RolloutView, TargetsQuery, TargetsWindow,
};
use crate::console::views::{jobs as view, orders as order_view, rollout, standing};

/// Jobs, newest first.
#[utoipa::path(get, path = "/jobs", tag = "jobs", params(JobsQuery),
    responses((status = 200, body = JobsWindow), (status = "default", body = Problem)))]
pub(crate) async fn list(
    State(desk): State<Arc<Desk>>,
    Query(query): Query<JobsQuery>,
) -> Answer<JobsWindow> {
    desk.work(move |_, console| view::list(console, &query)).await
}

/// One job, verified and in words.
#[utoipa::path(get, path = "/jobs/{id}", tag = "jobs", params(("id" = String, Path, description = "`st_…`")),
    responses((status = 200, body = JobView), (status = "default", body = Problem)))]
pub(crate) async fn show(State(desk): State<Arc<Desk>>, Path(id): Path<String>) -> Answer<JobView> {
    desk.work(move |_, console| view::show(console, &id)).await
}

/// Its endpoints and where each stands.
#[utoipa::path(get, path = "/jobs/{id}/targets", tag = "jobs", params(("id" = String, Path, description = "`st_…`"), TargetsQuery),
    responses((status = 200, body = TargetsWindow), (status = "default", body = Problem)))]
pub(crate) async fn targets(
    State(desk): State<Arc<Desk>>,
    Path(id): Path<String>,
    Query(query): Query<TargetsQuery>,
) -> Answer<TargetsWindow> {
    desk.work(move |_, console| view::targets(console, &id, &query)).await
}

/// Its receipts, each verified.
#[utoipa::path(get, path = "/jobs/{id}/receipts", tag = "jobs", params(("id" = String, Path, description = "`st_…`"), Part),
    responses((status = 200, body = ReceiptsWindow), (status = "default", body = Problem)))]
pub(crate) async fn receipts(
    State(desk): State<Arc<Desk>>,
    Path(id): Path<String>,
    Query(part): Query<Part>,
) -> Answer<ReceiptsWindow> {
    desk.work(move |_, console| view::receipts(console, &id, part)).await
}

/// How it goes, stage by stage, counted from receipts that were verified here.
#[utoipa::path(get, path = "/jobs/{id}/rollout", tag = "jobs", params(("id" = String, Path, description = "`st_…`")),
    responses((status = 200, body = RolloutView), (status = "default", body = Problem)))]
pub(crate) async fn rollout(
    State(desk): State<Arc<Desk>>,
    Path(id): Path<String>,
) -> Answer<RolloutView> {
    desk.work(move |desk, console| rollout::show(desk, console, &id)).await
}

/// Standing orders.
#[utoipa::path(get, path = "/orders", tag = "jobs", responses((status = 200, body = Orders), (status = "default", body = Problem)))]
pub(crate) async fn orders(State(desk): State<Arc<Desk>>) -> Answer<Orders> {
    desk.work(|_, console| standing::orders(console)).await
}

/// When a standing order would run, before it is signed. Asks nobody.
#[utoipa::path(post, path = "/orders/plan", tag = "jobs", request_body = OrderTrigger,
    responses((status = 200, body = OrderPlan), (status = "default", body = Problem)))]
pub(crate) async fn plan(
    State(desk): State<Arc<Desk>>,
    Json(request): Json<OrderTrigger>,
) -> Answer<OrderPlan> {
    desk.alone(move |_| order_view::plan(request)).await
}
