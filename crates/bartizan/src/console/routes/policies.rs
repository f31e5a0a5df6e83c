//! Monitoring policies and checks.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};

use crate::console::desk::{Answer, Desk};
use crate::console::shapes::{
    AboutRequest, ApprovalRequest, EndpointChecks, Policies, PolicyRequest, PolicyVerdict,
    PolicyView, Problem, Sheet,
};
use crate::console::views::policies as view;

/// Every policy, verified here.
#[utoipa::path(get, path = "/policies", tag = "policies", responses((status = 200, body = Policies), (status = "default", body = Problem)))]
pub(crate) async fn list(State(desk): State<Arc<Desk>>) -> Answer<Policies> {
    desk.work(|_, console| view::list(console)).await
}

/// One policy: what it says, who signed it, where it stands.
#[utoipa::path(get, path = "/policies/{id}", tag = "policies", params(("id" = String, Path, description = "`st_…`")),
    responses((status = 200, body = PolicyView), (status = "default", body = Problem)))]
pub(crate) async fn show(
    State(desk): State<Arc<Desk>>,
    Path(id): Path<String>,
) -> Answer<PolicyView> {
    desk.work(move |desk, console| view::show(desk, console, &id)).await
}

/// What a source text would be. Nothing is signed by asking.
#[utoipa::path(post, path = "/policies/verdict", tag = "policies", request_body = PolicyRequest,
    responses((status = 200, body = PolicyVerdict), (status = "default", body = Problem)))]
pub(crate) async fn verdict(
    State(desk): State<Arc<Desk>>,
    Json(request): Json<PolicyRequest>,
) -> Answer<PolicyVerdict> {
    desk.work(move |_, console| view::verdict(console, &request)).await
}

/// What an endpoint looks at and why, and how it stands.
#[utoipa::path(get, path = "/endpoints/{id}/checks", tag = "policies", params(("id" = String, Path, description = "`ep_…`")),
    responses((status = 200, body = EndpointChecks), (status = "default", body = Problem)))]
pub(crate) async fn checks(
    State(desk): State<Arc<Desk>>,
    Path(id): Path<String>,
) -> Answer<EndpointChecks> {
    desk.work(move |_, console| view::checks(console, &id)).await
}

/// A new policy, or a next version of one, to be signed as its author.
#[utoipa::path(post, path = "/sheets/policy", tag = "signing", request_body = PolicyRequest,
    responses((status = 200, body = Sheet), (status = "default", body = Problem)))]
pub(crate) async fn sheet(
    State(desk): State<Arc<Desk>>,
    Json(request): Json<PolicyRequest>,
) -> Answer<Sheet> {
    desk.work(move |desk, console| view::sheet(desk, console, &request)).await
}

/// A policy that waits, to be countersigned.
#[utoipa::path(post, path = "/sheets/policy-approval", tag = "signing", request_body = ApprovalRequest,
    responses((status = 200, body = Sheet), (status = "default", body = Problem)))]
pub(crate) async fn approval(
    State(desk): State<Arc<Desk>>,
    Json(request): Json<ApprovalRequest>,
) -> Answer<Sheet> {
    desk.work(move |desk, console| view::approval(desk, console, &request.id)).await
}

/// Take a policy back for good.
#[utoipa::path(post, path = "/sheets/policy-withdrawal", tag = "signing", request_body = AboutRequest,
    responses((status = 200, body = Sheet), (status = "default", body = Problem)))]
pub(crate) async fn withdrawal(
    State(desk): State<Arc<Desk>>,
    Json(request): Json<AboutRequest>,
) -> Answer<Sheet> {
    desk.work(move |desk, console| view::withdrawal(desk, console, &request)).await
}
