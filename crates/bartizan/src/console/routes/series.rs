//! What endpoints measured.

use std::sync::Arc;

use axum::extract::{Path, Query, State};

use crate::console::desk::{Answer, Desk};
use crate::console::shapes::{Problem, SeriesQuery, SeriesView};
use crate::console::views::series as view;

/// What an endpoint measured of itself, the last hour unless asked otherwise.
#[utoipa::path(get, path = "/endpoints/{id}/series", tag = "series", params(("id" = String, Path, description = "`ep_…`"), SeriesQuery),
    responses((status = 200, body = SeriesView), (status = "default", body = Problem)))]
pub(crate) async fn show(
    State(desk): State<Arc<Desk>>,
    Path(id): Path<String>,
    Query(query): Query<SeriesQuery>,
) -> Answer<SeriesView> {
    desk.work(move |_, console| view::show(console, &id, &query)).await
}
