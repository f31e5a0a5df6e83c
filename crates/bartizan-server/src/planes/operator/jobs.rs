//! Jobs: submitted, signed, listed.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use bartizan_proto::operator::{JobDetail, JobPage, JobRow, JobSubmission, ReceiptPage, Stored};
use bartizan_store::{LogName, NewJob};
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::{EndpointId, OperatorId, StatementId};
use bartizan_trust::merkle::leaf_hash;
use bartizan_trust::refusal::Refusal;
use bartizan_trust::signers::operator_signatures;
use bartizan_trust::statement::{Bundle, Job, SignatureRole};
use bartizan_trust::visitor::Visitor;
use data_encoding::BASE64;
use serde::Deserialize;

use super::failure::Failure;
use super::judge;
use super::login::{Guest, Session, decode_envelope, read_base64, read_envelope, read_json};
use super::preflight::refuse_work;
use crate::app::{App, Organisation, now};
use crate::convert::{job_row, state_counts, target_row};

/// Rows in one answer.
const PAGE_MAX: u64 = 200;
/// Receipts in one answer.
const RECEIPTS_MAX: u64 = 1000;

#[derive(Debug, Deserialize)]
pub(super) struct Filter {
    state: Option<String>,
    #[serde(default)]
    offset: u64,
    limit: Option<u64>,
}

/// `POST /v1/jobs`
pub(super) async fn submit(
    State(app): State<Arc<App>>,
    session: Session,
    body: Bytes,
) -> Result<Json<Stored>, Failure> {
    refuse_work(&app).await?;
    let submission: JobSubmission = read_json(&body)?;
    let (envelope, bytes) = decode_envelope(&submission.envelope)?;
    let content = read_base64(&submission.content)?;
    let job = job_of(&envelope)?;
    let organisation = &session.organisation;
    judge::submission(organisation, &job, &envelope, &submission.targets, &content)?;
    let (id, leaf) = (envelope.id(), leaf_hash(&bytes));
    let mut new = NewJob {
        id,
        class: job.class.name().to_owned(),
        title: job.display.title.clone(),
        tenant: job.tenant.to_string(),
        submitted: now().get(),
        exp: job.ends().get(),
        state: judge::state(organisation.bundle(), &job, &envelope),
        envelope: bytes,
        content,
        log_index: 0,
        targets: submission.targets,
    };
    let write = app.db.write(move |tx| {
        if tx.job(id)?.is_some() {
            return Ok(None);
        }
        new.log_index = tx.append(LogName::Jobs, &new.envelope, &leaf)?;
        tx.put_job(&new)?;
        Ok(Some(new.log_index))
    });
    let Some(index) = write.await? else {
        let message = "this job was submitted before";
        return Err(Failure::new(
            StatusCode::CONFLICT,
            "job.exists",
            message,
            "look at it with `bartizan watch`",
        ));
    };
    published(&app).await?;
    tracing::info!(operator.id = %session.operator, job.id = %id, "job submitted");
    Ok(Json(Stored { id, log_index: Some(index) }))
}

/// `POST /v1/jobs/{id}/signatures`
pub(super) async fn sign(
    State(app): State<Arc<App>>,
    guest: Guest,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<Stored>, Failure> {
    refuse_work(&app).await?;
    let id = parse(&id)?;
    let (envelope, bytes) = read_envelope(&body)?;
    if envelope.id() != id {
        return Err(Failure::bad(
            "signatures.other_job",
            "the envelope is of another statement",
            "sign the job's own envelope",
        ));
    }
    let job = job_of(&envelope)?;
    if !concerns(&guest.visitor, &job) {
        return Err(Failure::not_found("job"));
    }
    let bundle = guest.organisation.bundle().clone();
    let leaf = leaf_hash(&bytes);
    // Judged inside the transaction: two approvals at the same time must not lose one.
    let write = app.db.write(move |tx| {
        let Some(record) = tx.job(id)? else { return Ok(Err(Failure::not_found("job"))) };
        if let Ok(old) = Envelope::decode(&record.envelope)
            && let Err(failure) = judge::better_signed(&bundle, &job, &old, &envelope)
        {
            return Ok(Err(failure));
        }
        let state = judge::state(&bundle, &job, &envelope);
        let index = tx.append(LogName::Jobs, &bytes, &leaf)?;
        tx.sign_job(id, &bytes, index, state)?;
        Ok(Ok(index))
    });
    let index = write.await??;
    app.dossiers.changed();
    published(&app).await?;
    app.events.poke(id);
    tracing::info!(by = ?guest.visitor, job.id = %id, "job signed");
    Ok(Json(Stored { id, log_index: Some(index) }))
}

/// Operators see every job, customers their own.
fn concerns(visitor: &Visitor, job: &Job) -> bool {
    match visitor {
        Visitor::Operator(_) => true,
        Visitor::Customer(tenant) => job.tenant == *tenant,
        Visitor::Recovery => false,
    }
}

fn may_see(visitor: &Visitor, envelope: &[u8]) -> bool {
    let job = Envelope::decode(envelope).ok().and_then(|envelope| job_of(&envelope).ok());
    matches!(visitor, Visitor::Operator(_)) || job.is_some_and(|job| concerns(visitor, &job))
}

pub(super) async fn published(app: &App) -> Result<(), Failure> {
    app.logs.jobs.publish(&app.db).await.map_err(|error| Failure::internal(&error))?;
    app.work.notify_one();
    Ok(())
}

fn job_of(envelope: &Envelope) -> Result<Job, Failure> {
    envelope.statement().map_err(|error| Failure::refused(Refusal::Malformed, error.to_string()))
}

/// `GET /v1/jobs?state=&offset=&limit=`
pub(super) async fn list(
    State(app): State<Arc<App>>,
    guest: Guest,
    Query(filter): Query<Filter>,
) -> Result<Json<JobPage>, Failure> {
    let limit = filter.limit.unwrap_or(PAGE_MAX).clamp(1, PAGE_MAX);
    let read = app.db.read(move |tx| {
        let state = filter.state.as_deref();
        let jobs = tx.jobs_from(state, filter.offset, limit)?;
        let counts =
            jobs.iter().map(|job| tx.target_counts(job.id)).collect::<Result<Vec<_>, _>>()?;
        let all = tx.job_counts()?;
        let total: u64 = all
            .iter()
            .filter(|(known, _)| state.is_none_or(|state| state.is_empty() || state == known))
            .map(|(_, count)| count)
            .sum();
        Ok((jobs, counts, total))
    });
    let (jobs, counts, total) = read.await?;
    let bundle = guest.organisation.bundle();
    let rows: Vec<JobRow> = jobs
        .iter()
        .zip(&counts)
        .filter(|(record, _)| may_see(&guest.visitor, &record.envelope))
        .map(|(record, counts)| JobRow {
            author: author(bundle, &record.envelope),
            counts: state_counts(counts),
            ..job_row(record)
        })
        .collect();
    let whole = matches!(guest.visitor, Visitor::Operator(_));
    let total = if whole { total } else { u64::try_from(rows.len()).unwrap_or(0) };
    Ok(Json(JobPage { jobs: rows, total }))
}

/// Whose signature as author comes first among those that count.
fn author(bundle: &Bundle, envelope: &[u8]) -> Option<OperatorId> {
    let envelope = Envelope::decode(envelope).ok()?;
    let (signatures, _) = operator_signatures(bundle, &envelope);
    let authors = signatures.into_iter().find(|one| one.role == SignatureRole::Author);
    authors.map(|one| one.operator.id.clone())
}

/// `GET /v1/jobs/{id}`
pub(super) async fn show(
    State(app): State<Arc<App>>,
    guest: Guest,
    Path(id): Path<String>,
) -> Result<Json<JobDetail>, Failure> {
    let id = parse(&id)?;
    let read = app.db.read(move |tx| {
        Ok((tx.job(id)?, tx.job_content(id)?, tx.job_targets(id)?, tx.promotions(id)?))
    });
    let (Some(record), content, targets, promotions) = read.await? else {
        return Err(Failure::not_found("job"));
    };
    if !may_see(&guest.visitor, &record.envelope) {
        return Err(Failure::not_found("job"));
    }
    Ok(Json(JobDetail {
        row: job_row(&record),
        envelope: BASE64.encode(&record.envelope),
        content: BASE64.encode(&content.unwrap_or_default()),
        log_index: record.log_index,
        witnessed: is_witnessed(&app, &guest.organisation, &record),
        targets: targets.iter().map(target_row).collect(),
        promotions: promotions.iter().map(|record| BASE64.encode(&record.envelope)).collect(),
    }))
}

fn is_witnessed(
    app: &App,
    organisation: &Organisation,
    record: &bartizan_store::JobRecord,
) -> bool {
    let rule = organisation.bundle().classes.iter().find(|rule| rule.class.name() == record.class);
    let size = record.log_index.saturating_add(1);
    rule.is_some_and(|rule| {
        app.logs.jobs.covered(&organisation.log.policy, &rule.witnesses, size).is_some()
    })
}

#[derive(Debug, Deserialize)]
pub(super) struct After {
    #[serde(default)]
    after: String,
    /// Of each endpoint only the newest.
    #[serde(default)]
    newest: bool,
}

/// `GET /v1/jobs/{id}/receipts?after=&newest=`
pub(super) async fn receipts(
    State(app): State<Arc<App>>,
    _session: Session,
    Path(id): Path<String>,
    Query(After { after, newest }): Query<After>,
) -> Result<Json<ReceiptPage>, Failure> {
    let id = parse(&id)?;
    let (endpoint, seq) = after.split_once(':').unwrap_or_default();
    let (endpoint, seq) = (endpoint.to_owned(), seq.parse().unwrap_or(0));
    let read = app.db.read(move |tx| {
        if newest {
            tx.newest_receipts(id, &endpoint, RECEIPTS_MAX)
        } else {
            tx.receipts(id, (&endpoint, seq), RECEIPTS_MAX)
        }
    });
    let receipts = read.await?;
    let full = u64::try_from(receipts.len()).is_ok_and(|count| count >= RECEIPTS_MAX);
    let next =
        receipts.last().filter(|_| full).map(|last| format!("{}:{}", last.endpoint, last.seq));
    let receipts = receipts.iter().map(|receipt| BASE64.encode(&receipt.envelope)).collect();
    Ok(Json(ReceiptPage { receipts, next }))
}

/// `GET /v1/jobs/{id}/results/{endpoint}`
pub(super) async fn result(
    State(app): State<Arc<App>>,
    _session: Session,
    Path((id, endpoint)): Path<(String, String)>,
) -> Result<Vec<u8>, Failure> {
    let id = parse(&id)?;
    let endpoint: EndpointId = endpoint.parse().map_err(|error| {
        let next = "copy the id from `bartizan endpoints`";
        Failure::bad("request.id", format!("{error}"), next)
    })?;
    let result = app.db.read(move |tx| tx.result(id, endpoint)).await?;
    if result.is_empty() { Err(Failure::not_found("result")) } else { Ok(result) }
}

/// Reads a job's id from a path.
pub(super) fn parse(id: &str) -> Result<StatementId, Failure> {
    id.parse().map_err(|error| {
        Failure::bad("request.id", format!("{error}"), "copy the id from `bartizan pending`")
    })
}
