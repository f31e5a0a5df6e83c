//! Inventories.

use std::sync::Arc;

use axum::extract::{Path, Query, State};

use crate::console::desk::{Answer, Desk};
use crate::console::shapes::{
    ChangesQuery, FindQuery, FoundWindow, InventoryHistory, InventoryItems, InventoryView, Problem,
};
use crate::console::views::inventory as view;

/// What an endpoint reported, section by section, and its tags and fields.
#[utoipa::path(get, path = "/endpoints/{id}/inventory", tag = "inventory", params(("id" = String, Path, description = "`ep_…`")),
    responses((status = 200, body = InventoryView), (status = "default", body = Problem)))]
pub(crate) async fn sections(
    State(desk): State<Arc<Desk>>,
    Path(id): Path<String>,
) -> Answer<InventoryView> {
    desk.work(move |_, console| view::sections(console, &id)).await
}

/// One section with its items.
#[utoipa::path(get, path = "/endpoints/{id}/inventory/{section}", tag = "inventory",
    params(("id" = String, Path, description = "`ep_…`"), ("section" = String, Path, description = "its name")),
    responses((status = 200, body = InventoryItems), (status = "default", body = Problem)))]
pub(crate) async fn section(
    State(desk): State<Arc<Desk>>,
    Path((id, section)): Path<(String, String)>,
) -> Answer<InventoryItems> {
    desk.work(move |_, console| view::section(console, &id, &section)).await
}

/// What changed on an endpoint, newest first.
#[utoipa::path(get, path = "/endpoints/{id}/changes", tag = "inventory", params(("id" = String, Path, description = "`ep_…`"), ChangesQuery),
    responses((status = 200, body = InventoryHistory), (status = "default", body = Problem)))]
pub(crate) async fn changes(
    State(desk): State<Arc<Desk>>,
    Path(id): Path<String>,
    Query(query): Query<ChangesQuery>,
) -> Answer<InventoryHistory> {
    desk.work(move |_, console| view::changes(console, &id, &query)).await
}

/// Endpoints that fit a query over every field of the fleet.
#[utoipa::path(get, path = "/inventory/search", tag = "inventory", params(FindQuery),
    responses((status = 200, body = FoundWindow), (status = "default", body = Problem)))]
pub(crate) async fn find(
    State(desk): State<Arc<Desk>>,
    Query(query): Query<FindQuery>,
) -> Answer<FoundWindow> {
    desk.work(move |_, console| view::find(console, &query)).await
}
