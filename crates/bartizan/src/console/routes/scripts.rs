//! The library of scripts. Works without a server, which knows nothing of it.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};

use crate::console::desk::{Answer, Desk};
use crate::console::shapes::{
    Named, Problem, ScriptFiles, ScriptLibrary, ScriptToKeep, ScriptsImported, VersionQuery,
    VersionText,
};
use crate::console::views::scripts as view;

/// All scripts, and which versions people have reviewed by what the jobs log shows.
#[utoipa::path(get, path = "/scripts", tag = "scripts", responses((status = 200, body = ScriptLibrary), (status = "default", body = Problem)))]
pub(crate) async fn list(State(desk): State<Arc<Desk>>) -> Answer<ScriptLibrary> {
    desk.alone(view::list).await
}

/// Keep a script: a new version where its text is another one.
#[utoipa::path(post, path = "/scripts", tag = "scripts", request_body = ScriptToKeep,
    responses((status = 200, body = ScriptLibrary), (status = "default", body = Problem)))]
pub(crate) async fn keep(
    State(desk): State<Arc<Desk>>,
    Json(request): Json<ScriptToKeep>,
) -> Answer<ScriptLibrary> {
    desk.alone(move |desk| view::keep(desk, &request)).await
}

/// Forget a script with all its versions.
#[utoipa::path(post, path = "/scripts/forget", tag = "scripts", request_body = Named,
    responses((status = 200, body = ScriptLibrary), (status = "default", body = Problem)))]
pub(crate) async fn forget(
    State(desk): State<Arc<Desk>>,
    Json(request): Json<Named>,
) -> Answer<ScriptLibrary> {
    desk.alone(move |desk| view::forget(desk, &request.name)).await
}

/// Take scripts in from files. Nothing is signed or run by that.
#[utoipa::path(post, path = "/scripts/import", tag = "scripts", request_body = ScriptFiles,
    responses((status = 200, body = ScriptsImported), (status = "default", body = Problem)))]
pub(crate) async fn import(
    State(desk): State<Arc<Desk>>,
    Json(request): Json<ScriptFiles>,
) -> Answer<ScriptsImported> {
    desk.alone(move |desk| view::import(desk, request)).await
}

/// The text of a version, and what differs since another one.
#[utoipa::path(get, path = "/scripts/{name}/versions/{sha256}", tag = "scripts",
    params(("name" = String, Path, description = "Of the script"), ("sha256" = String, Path, description = "Of the text"), VersionQuery),
    responses((status = 200, body = VersionText), (status = "default", body = Problem)))]
pub(crate) async fn version(
    State(desk): State<Arc<Desk>>,
    Path((name, sha256)): Path<(String, String)>,
    Query(query): Query<VersionQuery>,
) -> Answer<VersionText> {
    desk.alone(move |desk| view::version(desk, &name, &sha256, query.since.as_deref())).await
}
