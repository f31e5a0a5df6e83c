//! Sessions, and what this console is.

use std::sync::Arc;
use std::time::Instant;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};

use crate::console::desk::{Answer, Desk};
use crate::console::failure::Failure;
use crate::console::limits::PAGE_LIFE;
use crate::console::shapes::{Launch, Me, Overview, Problem, Session};
use crate::console::views::me as view;
use crate::console::wall;
use crate::home::now;

/// Exchange the launch token of a link for the token of this page.
#[utoipa::path(post, path = "/session", tag = "console", request_body = Launch, security(()),
    responses((status = 200, body = Session), (status = 401, body = Problem)))]
pub(crate) async fn open(
    State(desk): State<Arc<Desk>>,
    Json(launch): Json<Launch>,
) -> Answer<Session> {
    let token = desk.open(&launch.launch)?.ok_or_else(Failure::no_session)?;
    Ok(Json(Session { token, expires: now().plus(PAGE_LIFE.as_secs()).get() }))
}

/// End the session of this page.
#[utoipa::path(delete, path = "/session", tag = "console", responses((status = 204)))]
pub(crate) async fn close(State(desk): State<Arc<Desk>>, headers: HeaderMap) -> StatusCode {
    if let Some(token) = wall::bearer(&headers).filter(|token| desk.knows(token, Instant::now())) {
        desk.close(token);
    }
    StatusCode::NO_CONTENT
}

/// Whose console this is, and what it believes. Answers also without a server or an organisation, and says what is missing.
#[utoipa::path(get, path = "/me", tag = "console", responses((status = 200, body = Me), (status = "default", body = Problem)))]
pub(crate) async fn me(State(desk): State<Arc<Desk>>) -> Answer<Me> {
    desk.alone(view::me).await
}

/// What needs a person now.
#[utoipa::path(get, path = "/overview", tag = "console", responses((status = 200, body = Overview), (status = "default", body = Problem)))]
pub(crate) async fn overview(State(desk): State<Arc<Desk>>) -> Answer<Overview> {
    desk.work(view::overview).await
}
