//! Watching a job: a long poll.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, Query, State};
use bartizan_proto::operator::{JobEvent, JobEvents};
use bartizan_trust::id::StatementId;
use data_encoding::BASE64;
use serde::Deserialize;
use tokio::time::Instant;

use super::failure::Failure;
use super::jobs::parse;
use super::login::Session;
use crate::app::App;
use crate::convert::{job_state, target_row};

/// Longest wait in seconds.
const WAIT_S_MAX: u64 = 60;

#[derive(Debug, Deserialize)]
pub(super) struct After {
    #[serde(default)]
    after: u64,
    #[serde(default)]
    wait_s: u64,
}

/// `GET /v1/jobs/{id}/events?after=&wait_s=`
pub(super) async fn events(
    State(app): State<Arc<App>>,
    _session: Session,
    Path(id): Path<String>,
    Query(After { after, wait_s }): Query<After>,
) -> Result<Json<JobEvents>, Failure> {
    let id = parse(&id)?;
    let until = Instant::now() + Duration::from_secs(wait_s.min(WAIT_S_MAX));
    recall(&app, id).await?;
    let before = state(&app, id).await?;
    loop {
        let waker = app.events.waker(id);
        let mut woken = std::pin::pin!(waker.notified());
        // Registered before looking, so that nothing falls between.
        woken.as_mut().enable();
        let (events, next) = app.events.after(id, after);
        let now = state(&app, id).await?;
        if !events.is_empty() || now != before || Instant::now() >= until {
            return Ok(Json(JobEvents { events, next, state: job_state(&now) }));
        }
        let _ = tokio::time::timeout_at(until, woken).await;
    }
}

async fn state(app: &App, id: StatementId) -> Result<String, Failure> {
    let record = app.db.read(move |tx| tx.job(id)).await?;
    record.map(|record| record.state).ok_or_else(|| Failure::not_found("job"))
}

/// Events of a job nobody has watched for long, made again from what is stored.
async fn recall(app: &App, id: StatementId) -> Result<(), Failure> {
    if app.events.knows(id) {
        return Ok(());
    }
    for target in app.db.read(move |tx| tx.job_targets(id)).await? {
        if let Some(bytes) = target.output.as_deref().filter(|bytes| !bytes.is_empty()) {
            let output = JobEvent::Output {
                endpoint: target.endpoint,
                stream: 1,
                bytes: BASE64.encode(bytes),
            };
            app.events.push(id, output);
        }
        if target.state != "queued" {
            app.events.push(id, JobEvent::Target(target_row(&target)));
        }
    }
    Ok(())
}
