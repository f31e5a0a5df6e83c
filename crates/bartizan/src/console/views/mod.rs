//! What pages are shown, made by the code that the command line uses.

pub(super) mod alert_rules;
pub(super) mod alerts;
pub(super) mod audit;
pub(super) mod difference;
pub(super) mod fleet;
pub(super) mod fleet_file;
pub(super) mod founding;
pub(super) mod inbox;
pub(super) mod inventory;
pub(super) mod jobs;
pub(super) mod logs;
pub(super) mod me;
pub(super) mod orders;
pub(super) mod output;
pub(super) mod passkeys;
pub(super) mod people;
pub(super) mod policies;
pub(super) mod preview;
pub(super) mod rollout;
pub(super) mod saved;
pub(super) mod scripts;
pub(super) mod series;
pub(super) mod sign;
pub(super) mod signing;
pub(super) mod standing;
pub(super) mod stop;
pub(super) mod trust;

use std::collections::BTreeMap;

use anyhow::Result;
use bartizan_proto::operator::{
    EndpointIds, EndpointNames, JobRow as PlaneRow, TargetRow as PlaneTarget,
};
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::{EndpointId, OperatorId, StatementId, TenantId};
use bartizan_trust::refusal::Refusal;
use bartizan_trust::signers::operator_signatures;
use bartizan_trust::sshsig::SshSig;
use bartizan_trust::statement::{Bundle, Operator, OperatorRole, SignatureRole};
use serde::Serialize;

use super::advice::advice;
use super::desk::Desk;
use super::limits::TEXT_CHARS_MAX;
use super::shapes::{JobRow, SignedBy, StateCount, TargetRow, Verification};
use crate::api::session;
use crate::commands::{Console, watch};
use crate::exit::{Code, fail};
use crate::mine;
use crate::sign::render::role_name;

/// Endpoints whose names are asked for at once.
const NAMES_AT_ONCE: usize = 500;

/// The whole id of a statement.
pub(super) fn id(text: &str) -> Result<StatementId> {
    text.parse().map_err(|error| fail(Code::Usage, format!("{error}"), "use the whole id, `st_…`"))
}

/// Foreign text, bounded. The page shows it as text and as nothing else.
fn bounded(text: &str) -> String {
    text.chars().take(TEXT_CHARS_MAX).collect()
}

/// The word that a value is written as.
fn word(value: &impl Serialize) -> String {
    let value = serde_json::to_value(value).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}

/// What a person can do about a code.
fn next(code: &str) -> Option<String> {
    let known = Refusal::ALL.iter().find(|refusal| refusal.code() == code);
    known.map(|refusal| advice(code, refusal.advice()))
}

/// Host names as reported, by the server's word.
fn names(console: &Console, ids: &[EndpointId]) -> Result<BTreeMap<EndpointId, String>> {
    let mut found = BTreeMap::new();
    for ids in ids.chunks(NAMES_AT_ONCE) {
        let answer: EndpointNames =
            console.api.send("/v1/endpoints/names", &EndpointIds { ids: ids.to_vec() })?;
        found.extend(answer.names.into_iter().map(|(id, name)| (id, bounded(&name))));
    }
    Ok(found)
}

fn job_row(bundle: &Bundle, row: &PlaneRow) -> JobRow {
    let author = row.author.as_ref().map(|id| name_in(&[bundle], id));
    JobRow {
        id: row.id.to_string(),
        title: bounded(&row.title),
        class: row.class.name().to_owned(),
        state: watch::state_name(row.state).to_owned(),
        at: row.at.get(),
        targets: row.targets,
        until: row.until.map(bartizan_trust::time::UnixSeconds::get),
        tenant: row.tenant.as_ref().map(|tenant| tenant.name().to_owned()),
        author,
        counts: row
            .counts
            .iter()
            .map(|(state, count)| StateCount {
                state: watch::target_name(*state).to_owned(),
                count: *count,
            })
            .collect(),
    }
}

/// Of an operator, by the bundle in force or one before it.
fn name_of(console: &Console, id: &OperatorId) -> String {
    let bundles: Vec<&Bundle> =
        core::iter::once(&console.trust.bundle).chain(console.former.iter().rev()).collect();
    name_in(&bundles, id)
}

fn name_in(bundles: &[&Bundle], id: &OperatorId) -> String {
    let known = bundles.iter().flat_map(|bundle| &bundle.operators).find(|one| one.id == *id);
    known.map_or_else(|| id.to_string(), |operator| operator.name.clone())
}

fn target_row(row: &PlaneTarget, stage: u32, hostname: Option<String>) -> TargetRow {
    TargetRow {
        endpoint: row.endpoint.to_string(),
        hostname,
        stage,
        state: watch::target_name(row.state).to_owned(),
        code: row.code.as_deref().map(bounded),
        next: row.code.as_deref().and_then(next),
        exit: row.exit,
    }
}

/// Every signature of an envelope, and whether it counts by the bundle in force.
fn signed_by(console: &Console, envelope: &Envelope) -> Vec<SignedBy> {
    signed_in(&console.trust.bundle, &console.former, envelope)
}

/// The same by a bundle and those before it, which may still say whose a key was.
fn signed_in(bundle: &Bundle, former: &[Bundle], envelope: &Envelope) -> Vec<SignedBy> {
    let (_, ignored) = operator_signatures(bundle, envelope);
    let mut found = Vec::new();
    for (index, blob) in envelope.signature_blobs().enumerate() {
        let Ok(signature) = SshSig::decode(blob) else { continue };
        let ssh = signature.public_key().to_openssh();
        let all = core::iter::once(bundle).chain(former);
        let who = all
            .flat_map(|bundle| &bundle.operators)
            .find(|operator| operator.keys.iter().any(|key| key.ssh == ssh));
        let reason = ignored.iter().find(|one| one.index == index);
        found.push(SignedBy {
            operator: who.map(|who| who.id.to_string()),
            name: who.map(|who| who.name.clone()),
            role: role_word(signature.role()),
            fingerprint: signature.public_key().fingerprint(),
            verification: reason
                .map_or_else(Verification::good, |one| Verification::bad(&one.reason)),
        });
    }
    found
}

/// `author` of `author.v1@bartizan`.
fn role_word(role: SignatureRole) -> String {
    role.namespace().split('.').next().unwrap_or_default().to_owned()
}

/// The operator of this console by the bundle in force.
fn own<'c>(desk: &Desk, console: &'c Console) -> Result<Option<&'c Operator>> {
    let key = session::own_key(&desk.context.home)?;
    Ok(key.as_deref().and_then(|key| mine::operator(&console.view, key)))
}

/// Why this operator cannot sign something in a role, for a tenant.
fn disabled(
    desk: &Desk,
    console: &Console,
    role: OperatorRole,
    tenant: Option<&TenantId>,
) -> Result<Option<String>> {
    let Some(me) = own(desk, console)? else {
        return Ok(Some("Your key belongs to no operator of the bundle in force.".to_owned()));
    };
    if !me.roles.contains(&role) {
        return Ok(Some(format!("You do not hold the role `{}`.", role_name(role))));
    }
    if let Some(tenant) = tenant.filter(|tenant| !me.tenants.contains(tenant)) {
        return Ok(Some(format!("You do not act for the tenant {}.", tenant.name())));
    }
    Ok(None)
}
