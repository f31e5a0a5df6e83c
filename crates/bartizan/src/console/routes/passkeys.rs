//! Registering passkeys. Works without a server and before there is an organisation.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use crate::console::desk::{Answer, Desk};
use crate::console::shapes::{
    PasskeyCard, PasskeyList, PasskeyOptions, PasskeyRegistration, Problem,
};
use crate::console::views::passkeys as view;

/// Those that were registered through this console.
#[utoipa::path(get, path = "/passkeys", tag = "passkeys", responses((status = 200, body = PasskeyList), (status = "default", body = Problem)))]
pub(crate) async fn list(State(desk): State<Arc<Desk>>) -> Answer<PasskeyList> {
    desk.alone(view::list).await
}

/// Begin a registration.
#[utoipa::path(post, path = "/passkeys/options", tag = "passkeys", responses((status = 200, body = PasskeyOptions), (status = "default", body = Problem)))]
pub(crate) async fn options(State(desk): State<Arc<Desk>>) -> Answer<PasskeyOptions> {
    desk.alone(view::options).await
}

/// End it: the new credential is judged here, and becomes a card.
#[utoipa::path(post, path = "/passkeys", tag = "passkeys", request_body = PasskeyRegistration,
    responses((status = 200, body = PasskeyCard), (status = "default", body = Problem)))]
pub(crate) async fn register(
    State(desk): State<Arc<Desk>>,
    Json(request): Json<PasskeyRegistration>,
) -> Answer<PasskeyCard> {
    desk.alone(move |desk| view::register(desk, &request)).await
}
