//! Saved lists of endpoints. Works without a server.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use crate::console::desk::{Answer, Desk};
use crate::console::shapes::{Named, Problem, SavedView, SavedViews};
use crate::console::views::saved as view;

/// Those that are kept here.
#[utoipa::path(get, path = "/views", tag = "fleet", responses((status = 200, body = SavedViews), (status = "default", body = Problem)))]
pub(crate) async fn list(State(desk): State<Arc<Desk>>) -> Answer<SavedViews> {
    desk.alone(view::list).await
}

/// Keep one, or replace the one of the same name.
#[utoipa::path(post, path = "/views", tag = "fleet", request_body = SavedView,
    responses((status = 200, body = SavedViews), (status = "default", body = Problem)))]
pub(crate) async fn keep(
    State(desk): State<Arc<Desk>>,
    Json(request): Json<SavedView>,
) -> Answer<SavedViews> {
    desk.alone(move |desk| view::keep(desk, request)).await
}

/// Forget one.
#[utoipa::path(post, path = "/views/forget", tag = "fleet", request_body = Named,
    responses((status = 200, body = SavedViews), (status = "default", body = Problem)))]
pub(crate) async fn forget(
    State(desk): State<Arc<Desk>>,
    Json(request): Json<Named>,
) -> Answer<SavedViews> {
    desk.alone(move |desk| view::forget(desk, &request.name)).await
}
