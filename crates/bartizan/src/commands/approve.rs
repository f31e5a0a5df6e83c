//! `approve`: the second person reads, checks and signs.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};
use bartizan_proto::operator::{JobDetail, Stored};
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::{OperatorId, Sha256, StatementId};
use bartizan_trust::people::lacks_customer;
use bartizan_trust::signers::operator_signatures;
use bartizan_trust::statement::{Job, SignatureRole};
use data_encoding::BASE64;
use serde_json::json;

use super::rollout::Offer;
use super::{Console, Context, control, watch};
use crate::api::session;
use crate::exit::{Code, fail, refused};
use crate::home::now;
use crate::keys::Signer;
use crate::mine;
use crate::sign::render;
use crate::witness;

pub(crate) fn run(context: &Context, id: &str, no_wait: bool) -> Result<()> {
    let console = context.connect()?;
    if control::approve(context, &console, id)? {
        return Ok(());
    }
    let id = watch::find(&console, id)?;
    let detail: JobDetail = console.api.fetch(&format!("/v1/jobs/{id}"))?;
    let (mut envelope, content) = check(&console, id, &detail)?;
    let question = "Compare the words with the author. Sign as approver?";
    sign(context, &console, &mut envelope, &content, (SignatureRole::Approve, question))?;
    witness::cosign_both(&context.home, &console.api, &console.trust.bundle)?;
    if no_wait {
        let words = render::words(&envelope);
        return context
            .terminal
            .result(&json!({ "job": id, "words": words }), &format!("{id} countersigned"));
    }
    watch::follow(context, &console, id, Offer::WhenReady, None)
}

/// `approve --as-customer`: a person of the tenant, who is no operator.
pub(crate) fn as_customer(context: &Context, id: &str, no_wait: bool) -> Result<()> {
    let console = context.connect()?;
    let id = watch::find(&console, id)?;
    let detail: JobDetail = console.api.fetch(&format!("/v1/jobs/{id}"))?;
    let (mut envelope, content) = check(&console, id, &detail)?;
    let job: Job = envelope.statement().context("read the job")?;
    if !lacks_customer(&console.trust.bundle, &job, &envelope) {
        let next = "nothing is to be done; `bartizan customer list` shows which jobs need it";
        return Err(fail(Code::Error, "this job needs no signature of the customer", next));
    }
    let question = "This runs on your own endpoints. Sign for the customer?";
    sign(context, &console, &mut envelope, &content, (SignatureRole::Customer, question))?;
    if lacks_customer(&console.trust.bundle, &job, &envelope) {
        let next = "use the key on the card that was given to `bartizan customer set`";
        return Err(refused("your key is not one of the customer's", next));
    }
    if no_wait {
        let words = render::words(&envelope);
        return context
            .terminal
            .result(&json!({ "job": id, "words": words }), &format!("{id} countersigned"));
    }
    watch::follow(context, &console, id, Offer::Never, None)
}

/// Shows, asks, signs, sends.
fn sign(
    context: &Context,
    console: &Console,
    envelope: &mut Envelope,
    content: &[u8],
    (role, question): (SignatureRole, &str),
) -> Result<()> {
    context.terminal.show(&render::job_envelope(envelope, content)?)?;
    context.terminal.confirm(question)?;
    Signer::open(&context.home, context.key.as_deref())?.sign(envelope, role)?;
    mine::remember(&context.home, envelope)?;
    let path = format!("/v1/jobs/{}/signatures", envelope.id());
    let _: Stored = console.api.send(&path, &session::body(envelope))?;
    Ok(())
}

/// The same, while it can still be signed.
pub(crate) fn check(
    console: &Console,
    id: StatementId,
    detail: &JobDetail,
) -> Result<(Envelope, Vec<u8>)> {
    let (envelope, content) = genuine(console, id, detail)?;
    let job: Job = envelope.statement().context("read the job")?;
    if now() >= job.window.exp {
        return Err(refused("the job's window is over", "ask the author to sign it again"));
    }
    Ok((envelope, content))
}

/// What the server shows is what was signed by an operator, with the script that belongs to it.
pub(crate) fn genuine(
    console: &Console,
    id: StatementId,
    detail: &JobDetail,
) -> Result<(Envelope, Vec<u8>)> {
    let next = "do not sign; tell the author and look at `bartizan log verify`";
    let bytes = BASE64.decode(detail.envelope.as_bytes()).context("read the job")?;
    let envelope = Envelope::decode(&bytes).context("read the job")?;
    let job: Job = envelope.statement().context("read the job")?;
    let content = BASE64.decode(detail.content.as_bytes()).context("read the script")?;
    if envelope.id() != id {
        return Err(refused("the server shows another job than the one asked for", next));
    }
    if Sha256::of(&content) != job.action.content().sha256 {
        return Err(refused("the server shows another content than the one that was signed", next));
    }
    if job.org != console.org.anchor.org() {
        return Err(refused("the job belongs to another organisation", next));
    }
    let (signatures, _) = operator_signatures(&console.trust.bundle, &envelope);
    let authored = signatures
        .iter()
        .any(|s| s.role == SignatureRole::Author && s.operator.tenants.contains(&job.tenant));
    if !authored {
        return Err(refused("no operator of the bundle has signed this job as its author", next));
    }
    Ok((envelope, content))
}

/// Distinct operators who have countersigned a job and did not write it.
pub(crate) fn approvals(console: &Console, envelope: &Envelope, job: &Job) -> usize {
    let (signatures, _) = operator_signatures(&console.trust.bundle, envelope);
    let by = |role: SignatureRole| -> BTreeSet<&OperatorId> {
        let counts = signatures.iter().filter(|s| s.role == role);
        counts
            .filter(|s| s.operator.tenants.contains(&job.tenant))
            .map(|s| &s.operator.id)
            .collect()
    };
    by(SignatureRole::Approve).difference(&by(SignatureRole::Author)).count()
}
