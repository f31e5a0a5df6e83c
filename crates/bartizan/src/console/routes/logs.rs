//! The public logs.

use std::sync::Arc;

use axum::extract::{Path, Query, State};

use crate::console::desk::{Answer, Desk};
use crate::console::shapes::{EntriesWindow, EntryView, Logs, Part, Problem};
use crate::console::views::logs as view;

/// Both logs by their newest checkpoints, which contain what this console co-signed.
#[utoipa::path(get, path = "/logs", tag = "logs", responses((status = 200, body = Logs), (status = "default", body = Problem)))]
pub(crate) async fn show(State(desk): State<Arc<Desk>>) -> Answer<Logs> {
    desk.work(view::show).await
}

/// Entries of a log, newest first.
#[utoipa::path(get, path = "/logs/{name}/entries", tag = "logs", params(("name" = String, Path, description = "`control` or `jobs`"), Part),
    responses((status = 200, body = EntriesWindow), (status = "default", body = Problem)))]
pub(crate) async fn entries(
    State(desk): State<Arc<Desk>>,
    Path(name): Path<String>,
    Query(part): Query<Part>,
) -> Answer<EntriesWindow> {
    desk.work(move |desk, console| view::entries(desk, console, &name, part)).await
}

/// One entry with its proof, and the commands that verify it without this program.
#[utoipa::path(get, path = "/logs/{name}/entries/{index}", tag = "logs",
    params(("name" = String, Path, description = "`control` or `jobs`"), ("index" = u64, Path, description = "Its place")),
    responses((status = 200, body = EntryView), (status = "default", body = Problem)))]
pub(crate) async fn entry(
    State(desk): State<Arc<Desk>>,
    Path((name, index)): Path<(String, u64)>,
) -> Answer<EntryView> {
    desk.work(move |desk, console| view::entry(desk, console, &name, index)).await
}
