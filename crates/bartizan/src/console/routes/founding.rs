//! Founding an organisation, and joining one: refused once this home has an organisation. And more people for one that is there.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use crate::console::desk::{Answer, Desk};
use crate::console::shapes::{
    CardRequest, CountersignRequest, FoundDraft, FoundRequest, Founding, JoinRequest, NewPerson,
    OwnCard, PaperCheck, PaperLeft, PersonRequest, Problem, Sheet, ThresholdRequest,
};
use crate::console::views::{founding as view, people};

/// How far this console is on its way into an organisation.
#[utoipa::path(get, path = "/founding", tag = "founding", responses((status = 200, body = Founding), (status = "default", body = Problem)))]
pub(crate) async fn state(State(desk): State<Arc<Desk>>) -> Answer<Founding> {
    desk.alone(view::state).await
}

/// The card of this person, with the key that signs and a spare one.
#[utoipa::path(post, path = "/founding/card", tag = "founding", request_body = CardRequest,
    responses((status = 200, body = OwnCard), (status = "default", body = Problem)))]
pub(crate) async fn card(
    State(desk): State<Arc<Desk>>,
    Json(request): Json<CardRequest>,
) -> Answer<OwnCard> {
    desk.alone(move |desk| view::card(desk, &request)).await
}

/// Compare another person's card with the words they read.
#[utoipa::path(post, path = "/founding/person", tag = "founding", request_body = PersonRequest,
    responses((status = 200, body = NewPerson), (status = "default", body = Problem)))]
pub(crate) async fn person(
    State(desk): State<Arc<Desk>>,
    Json(request): Json<PersonRequest>,
) -> Answer<NewPerson> {
    desk.alone(move |desk| view::person(desk, &request)).await
}

/// Compose the first bundle. The recovery sheets and their passphrases stand in this answer only.
#[utoipa::path(post, path = "/founding/draft", tag = "founding", request_body = FoundRequest,
    responses((status = 200, body = FoundDraft), (status = "default", body = Problem)))]
pub(crate) async fn draft(
    State(desk): State<Arc<Desk>>,
    Json(request): Json<FoundRequest>,
) -> Answer<FoundDraft> {
    desk.alone(move |desk| view::draft(desk, &request)).await
}

/// Show that a passphrase was written down.
#[utoipa::path(post, path = "/founding/check", tag = "founding", request_body = PaperCheck,
    responses((status = 200, body = PaperLeft), (status = "default", body = Problem)))]
pub(crate) async fn check(
    State(desk): State<Arc<Desk>>,
    Json(request): Json<PaperCheck>,
) -> Answer<PaperLeft> {
    desk.alone(move |desk| view::check(desk, &request)).await
}

/// Hand a complete first bundle to the server once more.
#[utoipa::path(post, path = "/founding/publish", tag = "founding", responses((status = 200, body = Founding), (status = "default", body = Problem)))]
pub(crate) async fn publish(State(desk): State<Arc<Desk>>) -> Answer<Founding> {
    desk.alone(view::publish).await
}

/// Forget what was composed or signed, and begin again.
#[utoipa::path(post, path = "/founding/forget", tag = "founding", responses((status = 200, body = Founding), (status = "default", body = Problem)))]
pub(crate) async fn forget(State(desk): State<Arc<Desk>>) -> Answer<Founding> {
    desk.alone(view::forget).await
}

/// The composed first bundle, for its founder to sign.
#[utoipa::path(post, path = "/sheets/genesis", tag = "founding", responses((status = 200, body = Sheet), (status = "default", body = Problem)))]
pub(crate) async fn genesis(State(desk): State<Arc<Desk>>) -> Answer<Sheet> {
    desk.alone(view::genesis).await
}

/// A first bundle that the founder signed, for the others to sign.
#[utoipa::path(post, path = "/sheets/countersign", tag = "founding", request_body = CountersignRequest,
    responses((status = 200, body = Sheet), (status = "default", body = Problem)))]
pub(crate) async fn countersign(
    State(desk): State<Arc<Desk>>,
    Json(request): Json<CountersignRequest>,
) -> Answer<Sheet> {
    desk.alone(move |desk| view::countersign(desk, &request)).await
}

/// Enter an organisation that is there: the first login.
#[utoipa::path(post, path = "/sheets/join", tag = "founding", request_body = JoinRequest,
    responses((status = 200, body = Sheet), (status = "default", body = Problem)))]
pub(crate) async fn join(
    State(desk): State<Arc<Desk>>,
    Json(request): Json<JoinRequest>,
) -> Answer<Sheet> {
    desk.alone(move |desk| view::join(desk, &request)).await
}

/// Add a person to the organisation that is there.
#[utoipa::path(post, path = "/sheets/person", tag = "signing", request_body = PersonRequest,
    responses((status = 200, body = Sheet), (status = "default", body = Problem)))]
pub(crate) async fn add(
    State(desk): State<Arc<Desk>>,
    Json(request): Json<PersonRequest>,
) -> Answer<Sheet> {
    desk.work(move |desk, console| people::add(desk, console, &request)).await
}

/// Let more, or fewer, people change the bundle.
#[utoipa::path(post, path = "/sheets/threshold", tag = "signing", request_body = ThresholdRequest,
    responses((status = 200, body = Sheet), (status = "default", body = Problem)))]
pub(crate) async fn threshold(
    State(desk): State<Arc<Desk>>,
    Json(request): Json<ThresholdRequest>,
) -> Answer<Sheet> {
    desk.work(move |desk, console| people::threshold(desk, console, request)).await
}
