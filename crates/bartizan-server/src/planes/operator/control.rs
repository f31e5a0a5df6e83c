//! Statements of the control log after the genesis: bundles, vetoes, freezes, thaws.
//!
//! One that lacks signatures waits here as a draft, so that the next person can add theirs. Endpoints judge
//! everything again.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use bartizan_proto::operator::{
    ControlDrafts, ControlTimes, FreezeReceipts, FreezeRow, FreezeView, PendingRow, Stored,
};
use bartizan_store::LogName;
use bartizan_trust::control::ControlView;
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::OrgId;
use bartizan_trust::merkle::leaf_hash;
use bartizan_trust::refusal::Refusal;
use bartizan_trust::signers::operator_signatures;
use bartizan_trust::sshsig::SshSig;
use bartizan_trust::statement::StatementType;
use bartizan_trust::time::UnixSeconds;
use bartizan_trust::visitor::Visitor;
use data_encoding::BASE64;
use serde::Deserialize;

use super::failure::Failure;
use super::login::{Guest, Session, not_yours, read_envelope};
use crate::app::{App, Organisation, now};

/// Statements that wait for signatures.
const DRAFTS_MAX: u64 = 64;
/// Confirmations in one answer.
const RECEIPTS_AT_ONCE: u64 = 1000;

/// `POST /v1/control`
pub(super) async fn add(
    State(app): State<Arc<App>>,
    guest: Guest,
    body: Bytes,
) -> Result<Json<Stored>, Failure> {
    let _one_at_a_time = app.bundles.lock().await;
    let organisation = app.organisation().ok_or_else(Failure::no_organisation)?;
    let (sent, _) = read_envelope(&body)?;
    may_send(&guest.visitor, &sent)?;
    let envelope = with_signatures_of_its_draft(&app, sent).await?;
    let bytes = envelope.encode();
    let mut view = organisation.view.clone();
    match view.advise(organisation.org, now(), Some(now()), &bytes) {
        Ok(()) => {
            tracing::info!(by = ?guest.visitor, statement.id = %envelope.id(), kind = envelope.payload_type(), "control statement");
            let push = envelope.kind() == Some(StatementType::Freeze);
            let stored = store(&app, organisation.org, view, &envelope, bytes.clone()).await?;
            if push {
                app.hub.push_freeze(&bytes);
            }
            Ok(stored)
        }
        Err(Refusal::BundleThreshold | Refusal::ThawThreshold | Refusal::FreezeLimit)
            if is_signed_by_an_operator(&organisation, &envelope) =>
        {
            keep_draft(&app, &envelope, bytes).await
        }
        Err(refusal) => Err(Failure::refused(refusal, "endpoints would not act on this statement")),
    }
}

/// Whoever holds a recovery key moves bundles and nothing else; a customer has no say here.
fn may_send(visitor: &Visitor, sent: &Envelope) -> Result<(), Failure> {
    match (visitor, sent.kind()) {
        (Visitor::Operator(_), _) | (Visitor::Recovery, Some(StatementType::Bundle)) => Ok(()),
        (Visitor::Recovery | Visitor::Customer(_), _) => Err(not_yours()),
    }
}

fn is_signed_by_an_operator(organisation: &Organisation, envelope: &Envelope) -> bool {
    !operator_signatures(organisation.bundle(), envelope).0.is_empty()
}

/// The envelope with every signature that was sent before for the same statement.
async fn with_signatures_of_its_draft(app: &App, sent: Envelope) -> Result<Envelope, Failure> {
    let id = sent.id();
    let known = app.db.read(move |tx| tx.draft(id)).await?;
    let mut envelope = sent;
    if let Some(known) = known.and_then(|bytes| Envelope::decode(&bytes).ok()) {
        for blob in known.signature_blobs() {
            if let Ok(signature) = SshSig::decode(blob) {
                // An envelope that is full already is judged with what it has.
                let _ = envelope.add_signature(&signature);
            }
        }
    }
    Ok(envelope)
}

async fn keep_draft(
    app: &App,
    envelope: &Envelope,
    bytes: Vec<u8>,
) -> Result<Json<Stored>, Failure> {
    let id = envelope.id();
    let kept = app.db.write(move |tx| {
        if tx.draft(id)?.is_none() && tx.draft_count()? >= DRAFTS_MAX {
            return Ok(false);
        }
        tx.put_draft(id, &bytes)?;
        Ok(true)
    });
    if kept.await? {
        return Ok(Json(Stored { id, log_index: None }));
    }
    Err(Failure::bad(
        "drafts.full",
        "64 statements wait for signatures already",
        "sign or drop some of them: `bartizan pending`",
    ))
}

/// Logs a statement that endpoints will act on.
pub(super) async fn store(
    app: &App,
    org: OrgId,
    view: ControlView,
    envelope: &Envelope,
    bytes: Vec<u8>,
) -> Result<Json<Stored>, Failure> {
    let organisation = Organisation::new(org, view).map_err(|error| Failure::internal(&error))?;
    let (id, leaf) = (envelope.id(), leaf_hash(&bytes));
    let write = app.db.write(move |tx| {
        tx.drop_draft(id)?;
        tx.put_statement(id, "control", &bytes)?;
        let index = tx.append(LogName::Control, &bytes, &leaf)?;
        tx.note_logged(index, now().get())?;
        Ok(index)
    });
    let index = write.await?;
    app.set_organisation(organisation);
    app.logs.control.publish(&app.db).await.map_err(|error| Failure::internal(&error))?;
    Ok(Json(Stored { id, log_index: Some(index) }))
}

/// `GET /v1/control/drafts`
pub(super) async fn drafts(
    State(app): State<Arc<App>>,
    _session: Session,
) -> Result<Json<ControlDrafts>, Failure> {
    let drafts = app.db.read(|tx| tx.drafts(DRAFTS_MAX)).await?;
    let drafts = drafts.iter().map(|bytes| BASE64.encode(bytes)).collect();
    Ok(Json(ControlDrafts { drafts }))
}

/// `GET /v1/control/times`: when each entry of the control log came. A claim, as everything here.
pub(super) async fn times(
    State(app): State<Arc<App>>,
    _guest: Guest,
) -> Result<Json<ControlTimes>, Failure> {
    let logged = app.db.read(|tx| tx.logged(0)).await?;
    let times = logged.into_iter().map(|(index, at)| (index, UnixSeconds::new(at))).collect();
    Ok(Json(ControlTimes { times }))
}

/// `GET /v1/freezes`: what stands still by the server's view, and what waits.
pub(super) async fn freezes(
    State(app): State<Arc<App>>,
    session: Session,
) -> Result<Json<FreezeView>, Failure> {
    let view = &session.organisation.view;
    let mut freezes = Vec::new();
    for (id, freeze) in view.freezes.standing(now()) {
        let id = *id;
        let confirmed = app.db.read(move |tx| tx.confirmed_by(id)).await?;
        freezes.push(FreezeRow {
            id,
            scope: freeze.scope.clone(),
            exp: freeze.exp,
            by: freeze.by.iter().cloned().collect(),
            confirmed,
        });
    }
    let waits = |pending: &bartizan_trust::chain::PendingBundle| PendingRow {
        id: pending.trust.id,
        version: pending.trust.bundle.version,
        due: pending.due(),
    };
    let pending = view.chain.pending.iter().map(waits).collect();
    Ok(Json(FreezeView { freezes, pending }))
}

#[derive(Debug, Deserialize)]
pub(super) struct Onward {
    after: Option<String>,
}

/// `GET /v1/freezes/{id}/receipts?after=`
pub(super) async fn receipts(
    State(app): State<Arc<App>>,
    _session: Session,
    Path(id): Path<String>,
    Query(from): Query<Onward>,
) -> Result<Json<FreezeReceipts>, Failure> {
    let id = super::jobs::parse(&id)?;
    let after = from.after.unwrap_or_default();
    let found = app.db.read(move |tx| tx.receipts_after(id, &after, RECEIPTS_AT_ONCE)).await?;
    let full = u64::try_from(found.len()).unwrap_or(u64::MAX) >= RECEIPTS_AT_ONCE;
    let next = found.last().filter(|_| full).map(|(endpoint, _)| *endpoint);
    let receipts = found.iter().map(|(_, envelope)| BASE64.encode(envelope)).collect();
    Ok(Json(FreezeReceipts { receipts, next }))
}
