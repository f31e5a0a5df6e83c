//! The genesis bundle.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use bartizan_proto::operator::Stored;
use bartizan_trust::control::{self as chain, ControlView};
use bartizan_trust::id::OrgId;
use bartizan_trust::statement::Bundle;

use super::control;
use super::failure::Failure;
use super::login::read_envelope;
use crate::app::App;

/// `POST /v1/genesis`: accepted once.
pub(super) async fn genesis(
    State(app): State<Arc<App>>,
    body: Bytes,
) -> Result<Json<Stored>, Failure> {
    let _one_at_a_time = app.bundles.lock().await;
    if let Some(organisation) = app.organisation() {
        let message = format!("this server already serves the organisation {}", organisation.org);
        return Err(Failure::new(
            StatusCode::CONFLICT,
            "genesis.exists",
            message,
            "use a fresh server, or log in",
        ));
    }
    let (envelope, bytes) = read_envelope(&body)?;
    let trust = chain::genesis(&envelope)
        .map_err(|refusal| Failure::refused(refusal, "not a valid genesis bundle"))?;
    check_server(&app, &trust.bundle)?;
    let org = OrgId::new(*envelope.id().hash());
    control::store(&app, org, ControlView::new(trust), &envelope, bytes).await
}

/// A genesis bundle that names another server would strand every endpoint.
fn check_server(app: &App, bundle: &Bundle) -> Result<(), Failure> {
    let own = &app.identity;
    let mut differs = Vec::new();
    if !bundle.servers.iter().any(|server| server.spki == own.spki) {
        differs.push(format!("servers: none has this server's key {}", own.spki));
    }
    if bundle.log.control != own.control_vkey {
        differs.push(format!("log.control: this server's is `{}`", own.control_vkey));
    }
    if bundle.log.jobs != own.jobs_vkey {
        differs.push(format!("log.jobs: this server's is `{}`", own.jobs_vkey));
    }
    if differs.is_empty() {
        return Ok(());
    }
    Err(Failure::bad(
        "genesis.other_server",
        format!("the bundle is for another server: {}", differs.join("; ")),
        "make the bundle from the output of `bartizan-server identity`",
    ))
}
