//! Quarantine as operators see it: looking, raising the alarm, lifting.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use bartizan_proto::preflight::{Alarm, Outcome, QuarantineReason, ServerPreflight};

use super::failure::Failure;
use super::login::{Session, read_json};
use crate::app::{App, now};
use crate::{checks, quarantine, remote_write};

/// Cancelled jobs in one answer.
const CANCELLED_MAX: u64 = 200;
/// Longest reason, in characters.
const REASON_MAX: usize = 256;

/// `GET /v1/preflight`
pub(super) async fn show(
    State(app): State<Arc<App>>,
    _session: Session,
) -> Result<Json<ServerPreflight>, Failure> {
    let read = app.db.read(|tx| {
        Ok((
            quarantine::load(tx)?,
            quarantine::lifted(tx)?,
            tx.cancelled_jobs(now().get(), CANCELLED_MAX)?,
        ))
    });
    let (quarantine, lifted, cancelled) = read.await?;
    let mut checks = checks::all(&app.config);
    checks.extend(remote_write::checks(&app).await?);
    Ok(Json(ServerPreflight {
        version: app.identity.version.clone(),
        now: now(),
        quarantine,
        checks,
        cancelled,
        lifted,
    }))
}

/// `POST /v1/quarantine`
pub(super) async fn alarm(
    State(app): State<Arc<App>>,
    session: Session,
    body: Bytes,
) -> Result<StatusCode, Failure> {
    let alarm: Alarm = read_json(&body)?;
    let words: String = alarm.reason.chars().filter(|c| !c.is_control()).take(REASON_MAX).collect();
    let text = format!("{}: {words}", session.operator.name());
    tracing::warn!(operator.id = %session.operator, "quarantine: {text}");
    let reason = QuarantineReason { code: "alarm".to_owned(), text };
    app.enter_quarantine(vec![reason]).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /v1/quarantine/lift`: the operator's tool has checked what it can; the server adds its own checks.
pub(super) async fn lift(
    State(app): State<Arc<App>>,
    session: Session,
) -> Result<StatusCode, Failure> {
    let failed = checks::all(&app.config).into_iter().find(|check| check.outcome == Outcome::Fail);
    if let Some(check) = failed {
        let message = format!("{}: {}", check.name, check.found);
        return Err(Failure::new(StatusCode::CONFLICT, "preflight.failed", message, check.next));
    }
    tracing::warn!(operator.id = %session.operator, "quarantine lifted");
    app.lift_quarantine(session.operator.clone()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// While in quarantine nothing is taken in that would have to be delivered. The database says it, since another program
/// may have raised the alarm a moment ago.
pub(super) async fn refuse_work(app: &App) -> Result<(), Failure> {
    if app.db.read(quarantine::load).await?.is_none() {
        return Ok(());
    }
    let message = "the server is in quarantine: it takes and delivers no jobs";
    let next = "run `bartizan preflight`";
    Err(Failure::new(StatusCode::CONFLICT, "server.quarantined", message, next))
}
