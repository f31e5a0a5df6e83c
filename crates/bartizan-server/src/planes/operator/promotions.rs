//! Promotions: roll-outs move on. A courtesy to people again: endpoints judge each of them.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use bartizan_proto::operator::Stored;
use bartizan_store::{JobRecord, LogName, PromotionRecord};
use bartizan_trust::envelope::Envelope;
use bartizan_trust::merkle::leaf_hash;
use bartizan_trust::refusal::Refusal;
use bartizan_trust::sshsig::SshSig;
use bartizan_trust::stages::Rollout;
use bartizan_trust::statement::{Bundle, Job, Promotion};

use super::failure::Failure;
use super::jobs::{parse, published};
use super::login::{Session, read_envelope};
use crate::app::App;

/// `POST /v1/jobs/{id}/promotions`
pub(super) async fn add(
    State(app): State<Arc<App>>,
    session: Session,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<Stored>, Failure> {
    let job = parse(&id)?;
    let (sent, _) = read_envelope(&body)?;
    let id = sent.id();
    let bundle = session.organisation.bundle().clone();
    // Judged inside the transaction: two promoters at the same time must not lose a signature.
    let write = app.db.write(move |tx| {
        let Some(record) = tx.job(job)? else { return Ok(Err(Failure::not_found("job"))) };
        let known = tx.promotions(job)?;
        let (stage, envelope) = match judge(&bundle, &record, &known, &sent) {
            Ok(judged) => judged,
            Err(failure) => return Ok(Err(failure)),
        };
        let log_index = tx.append(LogName::Jobs, &envelope, &leaf_hash(&envelope))?;
        tx.put_promotion(job, &PromotionRecord { stage, id, envelope, log_index })?;
        Ok(Ok(log_index))
    });
    let index = write.await??;
    app.dossiers.changed();
    published(&app).await?;
    app.events.poke(job);
    tracing::info!(operator.id = %session.operator, job.id = %job, "job promoted");
    Ok(Json(Stored { id, log_index: Some(index) }))
}

/// The stage it promotes to, and the envelope with all signatures the server has for the same promotion.
fn judge(
    bundle: &Bundle,
    record: &JobRecord,
    known: &[PromotionRecord],
    sent: &Envelope,
) -> Result<(u32, Vec<u8>), Failure> {
    let no = |message: &str| Failure::refused(Refusal::NotPromoted, message);
    if record.state != "active" {
        let next = "look at it with `bartizan job`";
        return Err(Failure::bad("promotion.not_active", "the job is not at work", next));
    }
    let unreadable = || no("the job in the database cannot be read");
    let job: Job = Envelope::decode(&record.envelope)
        .ok()
        .and_then(|envelope| envelope.statement().ok())
        .ok_or_else(unreadable)?;
    let rule = bundle.class_rule(job.class).ok_or_else(unreadable)?;
    let rollout = Rollout { bundle, rule, id: record.id, job: &job };
    let to = sent.statement::<Promotion>().map_err(|_| no("this is no promotion"))?.to;
    let mut prev = None;
    for (stage, before) in (1..to).zip(known) {
        let judged = rollout.judge(&before.envelope, stage, prev);
        prev = Some(judged.map_err(|_| no("an earlier stage is not promoted by enough"))?.id);
    }
    let place = usize::try_from(to).ok().and_then(|to| to.checked_sub(1));
    let same = place.and_then(|at| known.get(at)).filter(|known| known.id == sent.id());
    let envelope = same.map_or_else(|| sent.clone(), |known| together(sent, &known.envelope));
    let bytes = envelope.encode();
    let promoted = rollout.read(&bytes, to, prev).map_err(|_| {
        no("it does not follow the promotions before it, or counts other endpoints")
    })?;
    if promoted.promoters.is_empty() {
        return Err(no("nobody who may promote this job has signed it as its class demands"));
    }
    if !promoted.allowed {
        let message = "more failed in the stage before than the job allows";
        return Err(Failure::refused(Refusal::StageFailures, message));
    }
    if same.is_some_and(|known| known.envelope == bytes) {
        return Err(no("it has no new signature"));
    }
    Ok((to, bytes))
}

/// What was sent, with the signatures that are there already.
fn together(sent: &Envelope, known: &[u8]) -> Envelope {
    let Ok(mut envelope) = Envelope::decode(known) else { return sent.clone() };
    for blob in sent.signature_blobs() {
        if let Ok(signature) = SshSig::decode(blob) {
            // One that is there already, or one too many, changes nothing.
            let _ = envelope.add_signature(&signature);
        }
    }
    envelope
}
