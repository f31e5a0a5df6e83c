//! Signing: make a sheet, show it, sign it by its token.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use crate::console::desk::{Answer, Desk};
use crate::console::shapes::{
    AboutRequest, ApprovalRequest, Compose, EnrolmentRequest, FreezeRequest, Inbox, Preview,
    PreviewRequest, Problem, PromotionRequest, Sheet, SignRequest, Signed,
};
use crate::console::views::{
    inbox as inbox_view, preview as preview_view, sign as sign_view, signing as view,
};

/// What a new script on these endpoints would need: class, people, stages.
#[utoipa::path(post, path = "/preview", tag = "signing", request_body = PreviewRequest,
    responses((status = 200, body = Preview), (status = "default", body = Problem)))]
pub(crate) async fn preview(
    State(desk): State<Arc<Desk>>,
    Json(request): Json<PreviewRequest>,
) -> Answer<Preview> {
    desk.work(move |desk, console| preview_view::preview(desk, console, request)).await
}

/// Statements that lack signatures.
#[utoipa::path(get, path = "/approvals", tag = "signing", responses((status = 200, body = Inbox), (status = "default", body = Problem)))]
pub(crate) async fn inbox(State(desk): State<Arc<Desk>>) -> Answer<Inbox> {
    desk.work(inbox_view::inbox).await
}

/// A new job, to be signed as its author.
#[utoipa::path(post, path = "/sheets/job", tag = "signing", request_body = Compose,
    responses((status = 200, body = Sheet), (status = "default", body = Problem)))]
pub(crate) async fn job(
    State(desk): State<Arc<Desk>>,
    Json(request): Json<Compose>,
) -> Answer<Sheet> {
    desk.work(move |desk, console| view::job(desk, console, request)).await
}

/// A statement of the inbox, to be countersigned.
#[utoipa::path(post, path = "/sheets/approval", tag = "signing", request_body = ApprovalRequest,
    responses((status = 200, body = Sheet), (status = "default", body = Problem)))]
pub(crate) async fn approval(
    State(desk): State<Arc<Desk>>,
    Json(request): Json<ApprovalRequest>,
) -> Answer<Sheet> {
    desk.work(move |desk, console| view::approval(desk, console, &request.id)).await
}

/// Let the next stage of a job begin, on evidence that was verified here.
#[utoipa::path(post, path = "/sheets/promotion", tag = "signing", request_body = PromotionRequest,
    responses((status = 200, body = Sheet), (status = "default", body = Problem)))]
pub(crate) async fn promotion(
    State(desk): State<Arc<Desk>>,
    Json(request): Json<PromotionRequest>,
) -> Answer<Sheet> {
    desk.work(move |desk, console| view::promotion(desk, console, &request)).await
}

/// Stop things at once. `job:ID` halts a roll-out.
#[utoipa::path(post, path = "/sheets/freeze", tag = "signing", request_body = FreezeRequest,
    responses((status = 200, body = Sheet), (status = "default", body = Problem)))]
pub(crate) async fn freeze(
    State(desk): State<Arc<Desk>>,
    Json(request): Json<FreezeRequest>,
) -> Answer<Sheet> {
    desk.work(move |desk, console| view::freeze(desk, console, &request)).await
}

/// End a freeze.
#[utoipa::path(post, path = "/sheets/thaw", tag = "signing", request_body = AboutRequest,
    responses((status = 200, body = Sheet), (status = "default", body = Problem)))]
pub(crate) async fn thaw(
    State(desk): State<Arc<Desk>>,
    Json(request): Json<AboutRequest>,
) -> Answer<Sheet> {
    desk.work(move |desk, console| view::thaw(desk, console, &request)).await
}

/// Stop a bundle that waits for its delay.
#[utoipa::path(post, path = "/sheets/veto", tag = "signing", request_body = AboutRequest,
    responses((status = 200, body = Sheet), (status = "default", body = Problem)))]
pub(crate) async fn veto(
    State(desk): State<Arc<Desk>>,
    Json(request): Json<AboutRequest>,
) -> Answer<Sheet> {
    desk.work(move |desk, console| view::veto(desk, console, &request)).await
}

/// Take a standing order, or a job that has not started, back for good.
#[utoipa::path(post, path = "/sheets/withdrawal", tag = "signing", request_body = AboutRequest,
    responses((status = 200, body = Sheet), (status = "default", body = Problem)))]
pub(crate) async fn withdrawal(
    State(desk): State<Arc<Desk>>,
    Json(request): Json<AboutRequest>,
) -> Answer<Sheet> {
    desk.work(move |desk, console| view::withdrawal(desk, console, &request)).await
}

/// Let new endpoints in; once signed, the answer has the command that installs one.
#[utoipa::path(post, path = "/sheets/enrolment", tag = "signing", request_body = EnrolmentRequest,
    responses((status = 200, body = Sheet), (status = "default", body = Problem)))]
pub(crate) async fn enrolment(
    State(desk): State<Arc<Desk>>,
    Json(request): Json<EnrolmentRequest>,
) -> Answer<Sheet> {
    desk.work(move |desk, console| view::enrolment(desk, console, request)).await
}

/// Log in with a passkey: only needed while `Me.standing` is `login_needed`.
#[utoipa::path(post, path = "/sheets/login", tag = "signing", responses((status = 200, body = Sheet), (status = "default", body = Problem)))]
pub(crate) async fn login(State(desk): State<Arc<Desk>>) -> Answer<Sheet> {
    desk.alone(view::login).await
}

/// Sign what a sheet showed, and send it.
#[utoipa::path(post, path = "/sign", tag = "signing", request_body = SignRequest,
    responses((status = 200, body = Signed), (status = "default", body = Problem)))]
pub(crate) async fn sign(
    State(desk): State<Arc<Desk>>,
    Json(request): Json<SignRequest>,
) -> Answer<Signed> {
    desk.alone(move |desk| sign_view::sign(desk, &request)).await
}
