//! Reading the logs, and collecting co-signatures.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use bartizan_proto::operator::{CosignatureBody, LogEntries};
use bartizan_store::LogName;
use bartizan_trust::proof::LogProof;
use bartizan_trust::visitor::Visitor;
use data_encoding::BASE64;
use serde::Deserialize;

use super::failure::Failure;
use super::login::{Guest, not_yours, read_json};
use crate::app::App;
use crate::logs::Log;

/// Entries in one answer.
const ENTRIES_MAX: u64 = 256;
/// Bytes of entries in one answer, before base64.
const ENTRIES_BYTES_MAX: usize = 4 * 1024 * 1024;

#[derive(Debug, Deserialize)]
pub(super) struct Range {
    start: u64,
    end: u64,
}

#[derive(Debug, Deserialize)]
pub(super) struct Old {
    old: u64,
}

#[derive(Debug, Deserialize)]
pub(super) struct Place {
    index: u64,
    size: u64,
}

/// The log of that name. The jobs log shows every tenant's work, and is for operators.
fn log<'a>(app: &'a App, guest: &Guest, name: &str) -> Result<&'a Log, Failure> {
    if name == LogName::Jobs.name() && !matches!(guest.visitor, Visitor::Operator(_)) {
        return Err(not_yours());
    }
    [LogName::Control, LogName::Jobs]
        .into_iter()
        .find(|log| log.name() == name)
        .map(|log| app.logs.log(log))
        .ok_or_else(|| Failure::not_found("log: `control` or `jobs`"))
}

fn outside(size: u64) -> Failure {
    Failure::bad(
        "log.range",
        format!("outside the log, which has {size} entries"),
        "ask for the checkpoint first",
    )
}

/// `GET /v1/log/{name}/entries?start=&end=`
pub(super) async fn entries(
    State(app): State<Arc<App>>,
    guest: Guest,
    Path(name): Path<String>,
    Query(range): Query<Range>,
) -> Result<Json<LogEntries>, Failure> {
    let log = log(&app, &guest, &name)?;
    let (size, name) = (log.size(), log.name());
    if range.start > range.end || range.start > size {
        return Err(outside(size));
    }
    let end = range.end.min(size).min(range.start.saturating_add(ENTRIES_MAX));
    let entries = app.db.read(move |tx| tx.log_entries(name, range.start, end)).await?;
    let mut bytes = 0;
    let fits = entries.iter().take_while(|entry| {
        let first = bytes == 0;
        bytes += entry.len();
        first || bytes <= ENTRIES_BYTES_MAX
    });
    Ok(Json(LogEntries {
        start: range.start,
        entries: fits.map(|entry| BASE64.encode(entry)).collect(),
    }))
}

/// `GET /v1/log/{name}/checkpoint`
pub(super) async fn checkpoint(
    State(app): State<Arc<App>>,
    guest: Guest,
    Path(name): Path<String>,
) -> Result<Vec<u8>, Failure> {
    let note = log(&app, &guest, &name)?.latest().map_err(|error| Failure::internal(&error))?;
    Ok(note.encode())
}

/// `GET /v1/log/{name}/add-checkpoint?old=`: the body a C2SP witness expects in its own `add-checkpoint`.
// SPEC: operator-api.md "Co-signatures"
pub(super) async fn add_checkpoint(
    State(app): State<Arc<App>>,
    guest: Guest,
    Path(name): Path<String>,
    Query(Old { old }): Query<Old>,
) -> Result<Vec<u8>, Failure> {
    let log = log(&app, &guest, &name)?;
    let request = log.add_checkpoint(old).ok_or_else(|| outside(log.size()))?;
    Ok(request.encode())
}

/// `GET /v1/log/{name}/proof?index=&size=`: a C2SP tlog-proof; `size` must be that of the newest checkpoint or of
/// one that was co-signed lately.
pub(super) async fn proof(
    State(app): State<Arc<App>>,
    guest: Guest,
    Path(name): Path<String>,
    Query(place): Query<Place>,
) -> Result<Vec<u8>, Failure> {
    let log = log(&app, &guest, &name)?;
    let path = log.inclusion_path(place.index, place.size).ok_or_else(|| outside(log.size()))?;
    let checkpoint = log.note(place.size).ok_or_else(|| outside(log.size()))?.encode();
    Ok(LogProof { index: place.index, path, checkpoint }.encode())
}

/// `POST /v1/log/{name}/cosignature`
// SPEC: operator-api.md "Co-signatures"
pub(super) async fn cosignature(
    State(app): State<Arc<App>>,
    guest: Guest,
    Path(name): Path<String>,
    body: Bytes,
) -> Result<StatusCode, Failure> {
    let log = log(&app, &guest, &name)?;
    let body: CosignatureBody = read_json(&body)?;
    let policy = &guest.organisation.log.policy;
    let record = log.judge(policy, body.size, &body.root, &body.line).map_err(|error| {
        Failure::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "cosignature.refused",
            error.to_string(),
            "fetch the checkpoint again; check that the bundle's policy lists this witness",
        )
    })?;
    log.take(&app.db, record).await.map_err(|error| Failure::internal(&error))?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /v1/log/{name}/tile/…`: the static files.
pub(super) async fn tile(
    State(app): State<Arc<App>>,
    guest: Guest,
    Path((name, path)): Path<(String, String)>,
) -> Result<impl IntoResponse, Failure> {
    let log = log(&app, &guest, &name)?;
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '/';
    // Digits, `x`, `.p` and `entries` only: nothing that leaves the directory.
    if path.is_empty() || path.contains("..") || path.starts_with('/') || !path.chars().all(plain) {
        return Err(Failure::not_found("tile"));
    }
    let file = app.config.dir.join("log").join(log.name().name()).join("tile").join(path);
    let bytes = tokio::task::spawn_blocking(move || std::fs::read(file)).await;
    let bytes = bytes.ok().and_then(Result::ok).ok_or_else(|| Failure::not_found("tile"))?;
    Ok(([(header::CONTENT_TYPE, "application/octet-stream")], bytes))
}
