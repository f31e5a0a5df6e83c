//! Freezes.

use std::sync::Arc;

use axum::extract::{Path, State};

use crate::console::desk::{Answer, Desk};
use crate::console::shapes::{FreezeList, FreezeView, Problem};
use crate::console::views::stop as view;

/// What stands still.
#[utoipa::path(get, path = "/freezes", tag = "freezes", responses((status = 200, body = FreezeList), (status = "default", body = Problem)))]
pub(crate) async fn list(State(desk): State<Arc<Desk>>) -> Answer<FreezeList> {
    desk.work(|_, console| view::list(console)).await
}

/// Who stands still, by receipts that were verified here.
#[utoipa::path(get, path = "/freezes/{id}", tag = "freezes", params(("id" = String, Path, description = "`st_…`")),
    responses((status = 200, body = FreezeView), (status = "default", body = Problem)))]
pub(crate) async fn show(
    State(desk): State<Arc<Desk>>,
    Path(id): Path<String>,
) -> Answer<FreezeView> {
    desk.work(move |_, console| view::show(console, &id)).await
}
