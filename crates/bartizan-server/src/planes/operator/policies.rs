//! Monitoring policies and results of checks. What is judged here is a courtesy to people: endpoints decide.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use bartizan_proto::monitoring::{
    CheckPage, CheckRow, EndpointPolicies, PolicyDetail, PolicyList, PolicyRow, PolicyTargetRow,
};
use bartizan_proto::operator::Stored;
use bartizan_store::{CheckRecord, LogName, PolicyRecord, PolicyTarget, Tx};
use bartizan_trust::authorize::monitoring::stand_behind_policy;
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::EndpointId;
use bartizan_trust::merkle::leaf_hash;
use bartizan_trust::refusal::Refusal;
use bartizan_trust::sshsig::SshSig;
use bartizan_trust::statement::MonitoringPolicy;
use data_encoding::BASE64;
use serde::Deserialize;

use super::failure::Failure;
use super::jobs::{parse, published};
use super::login::{Session, read_envelope};
use super::preflight::refuse_work;
use crate::app::{App, Organisation, now};

/// Policies in one answer.
const POLICIES_MAX: u64 = 1000;
/// Results in one answer.
const CHECKS_MAX: u64 = 1000;

/// `POST /v1/policies`: a new one, or more signatures of one that waits.
pub(super) async fn submit(
    State(app): State<Arc<App>>,
    session: Session,
    body: Bytes,
) -> Result<Json<Stored>, Failure> {
    refuse_work(&app).await?;
    let (sent, _) = read_envelope(&body)?;
    let id = sent.id();
    let organisation = Arc::clone(&session.organisation);
    // Judged inside the transaction: two people at the same time must not lose a signature.
    let write = app.db.write(move |tx| {
        let known = tx.policy(id)?;
        let envelope =
            known.as_ref().map_or_else(|| sent.clone(), |k| together(&sent, &k.envelope));
        let policy = match read(&organisation, &envelope) {
            Ok(policy) => policy,
            Err(failure) => return Ok(Err(failure)),
        };
        let newest = tx.policy_version(&policy.place, &policy.name)?;
        let state = match judge(&organisation, &policy, &envelope, (known.as_ref(), newest)) {
            Ok(state) => state,
            Err(failure) => return Ok(Err(failure)),
        };
        let bytes = envelope.encode();
        if known.is_some_and(|known| known.envelope == bytes) {
            return Ok(Err(exists()));
        }
        let log_index = tx.append(LogName::Jobs, &bytes, &leaf_hash(&bytes))?;
        tx.put_policy(&PolicyRecord {
            id,
            place: policy.place,
            name: policy.name,
            version: policy.version,
            state: state.to_owned(),
            until: policy.until.get(),
            submitted: now().get(),
            envelope: bytes,
            log_index,
        })?;
        Ok(Ok((log_index, tx.policy_endpoints(id)?)))
    });
    let (index, endpoints) = write.await??;
    published(&app).await?;
    app.hub.wake(&endpoints);
    tracing::info!(operator.id = %session.operator, policy.id = %id, "policy submitted");
    Ok(Json(Stored { id, log_index: Some(index) }))
}

fn exists() -> Failure {
    Failure::new(
        StatusCode::CONFLICT,
        "policy.exists",
        "this policy was submitted before, with these signatures",
        "look at it with `bartizan policy show`",
    )
}

fn read(organisation: &Organisation, envelope: &Envelope) -> Result<MonitoringPolicy, Failure> {
    let no = |refusal: Refusal, message: &str| Err(Failure::refused(refusal, message));
    let policy: MonitoringPolicy = envelope
        .statement()
        .map_err(|error| Failure::refused(Refusal::Malformed, error.to_string()))?;
    if policy.org != organisation.org {
        return no(Refusal::WrongOrg, "the policy is for another organisation");
    }
    if !policy.crit.is_empty() {
        return no(Refusal::CriticalUnknown, "the policy has critical fields");
    }
    if policy.bundle_min > organisation.bundle().version {
        return no(Refusal::BundleTooOld, "the policy needs a newer bundle than this server has");
    }
    if policy.until <= now() {
        return no(Refusal::Expired, "the policy is over");
    }
    Ok(policy)
}

/// `active` once enough people have signed, `pending` while approvals are missing.
fn judge(
    organisation: &Organisation,
    policy: &MonitoringPolicy,
    envelope: &Envelope,
    (known, newest): (Option<&PolicyRecord>, u64),
) -> Result<&'static str, Failure> {
    let is_new = known.is_none_or(|known| known.state == "pending");
    if is_new && policy.version <= newest {
        let message = "a version as high or higher of this policy was submitted before";
        return Err(Failure::refused(Refusal::PolicyOld, message));
    }
    match stand_behind_policy(organisation.bundle(), policy, envelope) {
        Ok(()) => Ok("active"),
        Err(Refusal::ApprovalsMissing | Refusal::CustomerMissing) => Ok("pending"),
        Err(refusal) => {
            let message = "endpoints would refuse this policy";
            Err(Failure::refused(refusal, message))
        }
    }
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

/// `GET /v1/policies`
pub(super) async fn list(
    State(app): State<Arc<App>>,
    session: Session,
) -> Result<Json<PolicyList>, Failure> {
    let policies = app.db.read(move |tx| tx.policies(POLICIES_MAX)).await?;
    let policies = policies.iter().map(|policy| row(&session.organisation, policy)).collect();
    Ok(Json(PolicyList { policies }))
}

/// `GET /v1/policies/{id}`
pub(super) async fn show(
    State(app): State<Arc<App>>,
    session: Session,
    Path(id): Path<String>,
) -> Result<Json<PolicyDetail>, Failure> {
    let id = parse(&id)?;
    let read = move |tx: &mut Tx<'_>| Ok((tx.policy(id)?, tx.policy_targets(id)?));
    let (Some(policy), targets) = app.db.read(read).await? else {
        return Err(Failure::not_found("policy"));
    };
    let policy = row(&session.organisation, &policy);
    Ok(Json(PolicyDetail { policy, targets: targets.into_iter().map(target).collect() }))
}

/// `GET /v1/endpoints/{id}/policies`
pub(super) async fn of_endpoint(
    State(app): State<Arc<App>>,
    session: Session,
    Path(id): Path<String>,
) -> Result<Json<EndpointPolicies>, Failure> {
    let id = endpoint(&id)?;
    let found = app.db.read(move |tx| tx.policies_of(id, now().get())).await?;
    let (policies, targets): (Vec<_>, Vec<_>) = found.into_iter().unzip();
    Ok(Json(EndpointPolicies {
        policies: policies.iter().map(|policy| row(&session.organisation, policy)).collect(),
        targets: targets.into_iter().map(target).collect(),
    }))
}

#[derive(Debug, Deserialize)]
pub(super) struct Filter {
    endpoint: Option<String>,
    state: Option<String>,
    #[serde(default)]
    after: String,
}

/// `GET /v1/checks?endpoint=&state=&after=`
pub(super) async fn checks(
    State(app): State<Arc<App>>,
    _session: Session,
    Query(Filter { endpoint: of, state, after }): Query<Filter>,
) -> Result<Json<CheckPage>, Failure> {
    let of = of.filter(|of| !of.is_empty()).map(|of| endpoint(&of)).transpose()?;
    let read = app.db.read(move |tx| {
        let mut parts = after.splitn(3, ' ');
        let after = (
            parts.next().unwrap_or_default(),
            parts.next().unwrap_or_default(),
            parts.next().unwrap_or_default(),
        );
        tx.checks(of, state.as_deref(), after, CHECKS_MAX)
    });
    let found = read.await?;
    let full = u64::try_from(found.len()).is_ok_and(|count| count >= CHECKS_MAX);
    let next = found.last().filter(|_| full);
    let next = next.map(|last| format!("{} {} {}", last.endpoint, last.check, last.instance));
    Ok(Json(CheckPage { checks: found.into_iter().map(check).collect(), next }))
}

/// `GET /v1/endpoints/{id}/checks/changes`
pub(super) async fn changes(
    State(app): State<Arc<App>>,
    _session: Session,
    Path(id): Path<String>,
) -> Result<Json<CheckPage>, Failure> {
    let id = endpoint(&id)?;
    let found = app.db.read(move |tx| tx.check_changes(id, CHECKS_MAX)).await?;
    Ok(Json(CheckPage { checks: found.into_iter().map(check).collect(), next: None }))
}

fn endpoint(id: &str) -> Result<EndpointId, Failure> {
    id.parse().map_err(|error| {
        Failure::bad("request.id", format!("{error}"), "copy the id from `bartizan endpoints`")
    })
}

fn row(organisation: &Organisation, policy: &PolicyRecord) -> PolicyRow {
    let state = if organisation.view.withdrawals.contains(&policy.id) {
        "withdrawn"
    } else if policy.until <= now().get() {
        "over"
    } else {
        policy.state.as_str()
    };
    PolicyRow {
        id: policy.id,
        state: state.to_owned(),
        submitted: policy.submitted,
        envelope: BASE64.encode(&policy.envelope),
        log_index: policy.log_index,
    }
}

fn target(target: PolicyTarget) -> PolicyTargetRow {
    let PolicyTarget { policy, endpoint, state, code } = target;
    PolicyTargetRow { policy, endpoint, state, code }
}

fn check(check: CheckRecord) -> CheckRow {
    let CheckRecord { endpoint, check, instance, policy, state, since, at, received, value, text } =
        check;
    CheckRow { endpoint, check, instance, policy, state, since, at, received, value, text }
}
