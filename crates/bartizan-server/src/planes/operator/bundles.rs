//! The genesis bundle and those after it.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use bartizan_proto::operator::Stored;
use bartizan_store::LogName;
use bartizan_trust::control;
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::OrgId;
use bartizan_trust::merkle::leaf_hash;
use bartizan_trust::state::TrustState;
use bartizan_trust::statement::Bundle;

use super::failure::Failure;
use super::login::{Session, read_envelope};
use crate::app::{App, Organisation};

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
    let trust = control::genesis(&envelope)
        .map_err(|refusal| Failure::refused(refusal, "not a valid genesis bundle"))?;
    check_server(&app, &trust.bundle)?;
    store(&app, OrgId::new(*envelope.id().hash()), trust, &envelope, bytes).await
}

/// `POST /v1/bundles`
pub(super) async fn next(
    State(app): State<Arc<App>>,
    session: Session,
    body: Bytes,
) -> Result<Json<Stored>, Failure> {
    let _one_at_a_time = app.bundles.lock().await;
    let current = app.organisation().ok_or_else(Failure::no_organisation)?;
    let (envelope, bytes) = read_envelope(&body)?;
    let trust = control::next_bundle(current.org, &current.current, &envelope)
        .map_err(|refusal| Failure::refused(refusal, "endpoints would not accept this bundle"))?;
    tracing::info!(operator.id = %session.operator, bundle.version = trust.bundle.version, "new bundle");
    store(&app, current.org, trust, &envelope, bytes).await
}

async fn store(
    app: &App,
    org: OrgId,
    trust: TrustState,
    envelope: &Envelope,
    bytes: Vec<u8>,
) -> Result<Json<Stored>, Failure> {
    let organisation = Organisation::new(org, trust).map_err(|error| Failure::internal(&error))?;
    let (id, leaf) = (envelope.id(), leaf_hash(&bytes));
    let write = app.db.write(move |tx| {
        tx.put_statement(id, "bundle", &bytes)?;
        tx.append(LogName::Control, &bytes, &leaf)
    });
    let index = write.await?;
    app.set_organisation(organisation);
    app.logs.control.publish(&app.db).await.map_err(|error| Failure::internal(&error))?;
    Ok(Json(Stored { id, log_index: Some(index) }))
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
