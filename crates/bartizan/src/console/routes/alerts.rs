//! Alerts, and when they are not told.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};

use crate::console::desk::{Answer, Desk};
use crate::console::shapes::{
    AlertDeed, AlertRules, AlertView, AlertsQuery, AlertsWindow, EndWindowRequest, ManyDone,
    Problem, TellMeRequest, WindowRequest,
};
use crate::console::views::{alert_rules, alerts as view};

/// What needs somebody, or did.
#[utoipa::path(get, path = "/alerts", tag = "alerts", params(AlertsQuery),
    responses((status = 200, body = AlertsWindow), (status = "default", body = Problem)))]
pub(crate) async fn list(
    State(desk): State<Arc<Desk>>,
    Query(query): Query<AlertsQuery>,
) -> Answer<AlertsWindow> {
    desk.work(move |_, console| view::list(console, &query)).await
}

/// One alert: its history, its messages, and why it is told or not.
#[utoipa::path(get, path = "/alerts/{id}", tag = "alerts", params(("id" = String, Path, description = "`al_…`")),
    responses((status = 200, body = AlertView), (status = "default", body = Problem)))]
pub(crate) async fn show(
    State(desk): State<Arc<Desk>>,
    Path(id): Path<String>,
) -> Answer<AlertView> {
    desk.work(move |_, console| view::show(console, &id)).await
}

/// Acknowledge, resolve or annotate some alerts.
#[utoipa::path(post, path = "/alerts/deeds", tag = "alerts", request_body = AlertDeed,
    responses((status = 200, body = ManyDone), (status = "default", body = Problem)))]
pub(crate) async fn act(
    State(desk): State<Arc<Desk>>,
    Json(deed): Json<AlertDeed>,
) -> Answer<ManyDone> {
    desk.work(move |_, console| view::act(console, &deed)).await
}

/// Tell me once when these endpoints are back.
#[utoipa::path(post, path = "/alerts/tell-me", tag = "alerts", request_body = TellMeRequest,
    responses((status = 200, body = ManyDone), (status = "default", body = Problem)))]
pub(crate) async fn tell_me(
    State(desk): State<Arc<Desk>>,
    Json(request): Json<TellMeRequest>,
) -> Answer<ManyDone> {
    desk.work(move |_, console| view::tell_me(console, &request)).await
}

/// The rules in force, in words.
#[utoipa::path(get, path = "/alerts/rules", tag = "alerts", responses((status = 200, body = AlertRules), (status = "default", body = Problem)))]
pub(crate) async fn rules(State(desk): State<Arc<Desk>>) -> Answer<AlertRules> {
    desk.work(|_, console| alert_rules::show(console)).await
}

/// Make a maintenance window.
#[utoipa::path(post, path = "/alerts/windows", tag = "alerts", request_body = WindowRequest,
    responses((status = 200, body = AlertRules), (status = "default", body = Problem)))]
pub(crate) async fn make_window(
    State(desk): State<Arc<Desk>>,
    Json(request): Json<WindowRequest>,
) -> Answer<AlertRules> {
    desk.work(move |_, console| alert_rules::make_window(console, request)).await
}

/// End a maintenance window.
#[utoipa::path(post, path = "/alerts/windows/end", tag = "alerts", request_body = EndWindowRequest,
    responses((status = 200, body = AlertRules), (status = "default", body = Problem)))]
pub(crate) async fn end_window(
    State(desk): State<Arc<Desk>>,
    Json(request): Json<EndWindowRequest>,
) -> Answer<AlertRules> {
    desk.work(move |_, console| alert_rules::end_window(console, &request)).await
}
