//! Who did what, when.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::response::Response;

use crate::console::desk::{Answer, Desk};
use crate::console::failure::Failure;
use crate::console::shapes::{AuditExport, AuditForm, AuditQuery, AuditWindow, Problem};
use crate::console::views::audit as view;

/// What was done, newest first: by both logs, verified here, and by the notes of this console.
#[utoipa::path(get, path = "/audit", tag = "audit", params(AuditQuery),
    responses((status = 200, body = AuditWindow), (status = "default", body = Problem)))]
pub(crate) async fn list(
    State(desk): State<Arc<Desk>>,
    Query(query): Query<AuditQuery>,
) -> Answer<AuditWindow> {
    desk.work(move |desk, console| view::list(desk, console, &query)).await
}

/// The same as a file with all rows.
#[utoipa::path(get, path = "/audit/export", tag = "audit", params(AuditExport),
    responses((status = 200, content((String = "text/csv"), (Vec<serde_json::Value> = "application/json"))), (status = "default", body = Problem)))]
pub(crate) async fn export(
    State(desk): State<Arc<Desk>>,
    Query(wanted): Query<AuditExport>,
) -> Result<Response, Failure> {
    let kind = match wanted.form {
        AuditForm::Csv => "text/csv; charset=utf-8",
        AuditForm::Json => "application/json",
    };
    desk.pieces(kind, move |desk, each| view::export(desk, &wanted, each)).await
}
