//! Early checks of jobs. A courtesy to people: endpoints decide, and do it again.

use std::collections::BTreeSet;

use bartizan_trust::authorize::orders::check_trigger;
use bartizan_trust::class::{Content, may_claim};
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::{EndpointId, OperatorId, Sha256};
use bartizan_trust::people::{lacks_customer, stand_behind};
use bartizan_trust::refusal::Refusal;
use bartizan_trust::signers::operator_signatures;
use bartizan_trust::sshsig::SignatureFacts;
use bartizan_trust::stages;
use bartizan_trust::statement::{Bundle, Class, Job, SignatureRole, UserCheck};
use bartizan_trust::targets::{TargetTree, in_stages};

use super::failure::Failure;
use crate::app::{Organisation, now};

/// Whether a job has the signatures its class demands.
pub(crate) fn state(bundle: &Bundle, job: &Job, envelope: &Envelope) -> &'static str {
    let needed = bundle.class_rule(job.class).map_or(u32::MAX, |rule| rule.approvals);
    let (authors, approvers) = signers(bundle, job, envelope);
    let enough = usize::try_from(needed).is_ok_and(|needed| approvers.len() >= needed);
    let root = job.class != Class::Update
        || stand_behind(bundle, job, envelope) != Err(Refusal::RootMissing);
    let complete = enough && root && !authors.is_empty() && !lacks_customer(bundle, job, envelope);
    if complete { "active" } else { "pending" }
}

/// Operators whose signatures count: as author, and as approver without being an author.
fn signers(
    bundle: &Bundle,
    job: &Job,
    envelope: &Envelope,
) -> (BTreeSet<OperatorId>, BTreeSet<OperatorId>) {
    let check = bundle.class_rule(job.class).map_or(UserCheck::None, |rule| rule.user_check);
    let (signatures, _) = operator_signatures(bundle, envelope);
    let by = |role: SignatureRole| -> BTreeSet<OperatorId> {
        let counts = signatures.iter().filter(|s| {
            s.role == role && s.operator.tenants.contains(&job.tenant) && made_as(check, &s.facts)
        });
        counts.map(|s| s.operator.id.clone()).collect()
    };
    let authors = by(SignatureRole::Author);
    let approvers = by(SignatureRole::Approve).difference(&authors).cloned().collect();
    (authors, approvers)
}

const fn made_as(check: UserCheck, facts: &SignatureFacts) -> bool {
    match check {
        UserCheck::None => true,
        UserCheck::Presence => facts.user_presence,
        UserCheck::Verification => facts.user_presence && facts.user_verification,
    }
}

/// Checks a new job against the bundle.
pub(super) fn submission(
    organisation: &Organisation,
    job: &Job,
    envelope: &Envelope,
    targets: &[EndpointId],
    content: &[u8],
) -> Result<(), Failure> {
    let bundle = organisation.bundle();
    let no = |refusal: Refusal, message: &str| Err(Failure::refused(refusal, message));
    if job.org != organisation.org {
        return no(Refusal::WrongOrg, "the job is for another organisation");
    }
    if !job.crit.is_empty() {
        return no(Refusal::CriticalUnknown, "the job has critical fields");
    }
    if job.bundle_min > bundle.version {
        return no(Refusal::BundleTooOld, "the job needs a newer bundle than this server has");
    }
    check_class(bundle, job)?;
    if now() >= job.window.exp {
        return no(Refusal::Expired, "the job's window is over");
    }
    if signers(bundle, job, envelope).0.is_empty() {
        return no(
            Refusal::AuthorMissing,
            "no author of the bundle for this tenant has signed the job",
        );
    }
    check_payload(job, targets, content)
}

fn check_class(bundle: &Bundle, job: &Job) -> Result<(), Failure> {
    let Some(rule) = bundle.class_rule(job.class) else {
        return Err(Failure::refused(Refusal::ClassUnknown, "the bundle has no such class"));
    };
    // Which endpoints have seen the content is known to them only: be generous here.
    if !may_claim(bundle, job, Content::Reviewed) {
        return Err(Failure::refused(
            Refusal::ClassTooWeak,
            "the job claims a class that is too weak for it",
        ));
    }
    if job.targets.count > rule.endpoints_max {
        return Err(Failure::refused(
            Refusal::ClassCap,
            "the job names more endpoints than its class may touch",
        ));
    }
    if let Err(refusal) = stages::check_class(rule, job) {
        return Err(Failure::refused(refusal, "the job's stages are not what its class demands"));
    }
    if let Err(refusal) = check_trigger(rule, job) {
        let message = "the class allows no such standing order";
        return Err(Failure::refused(refusal, message));
    }
    let window = job.window.exp.since(job.window.nbf);
    if job.window.exp <= job.window.nbf || window > rule.window_s_max {
        return Err(Failure::refused(
            Refusal::WindowInvalid,
            "the job's window is longer than its class allows",
        ));
    }
    Ok(())
}

/// Whether targets and content are those of the job.
pub(crate) fn is_payload(job: &Job, targets: &[EndpointId], content: &[u8]) -> bool {
    check_payload(job, targets, content).is_ok()
}

fn check_payload(job: &Job, targets: &[EndpointId], content: &[u8]) -> Result<(), Failure> {
    let tree = TargetTree::new(&in_stages(targets, &job.stages))
        .map_err(|error| Failure::refused(Refusal::NotTargeted, error.to_string()))?;
    if tree.targets() != job.targets {
        return Err(Failure::refused(
            Refusal::NotTargeted,
            "the listed endpoints are not those of the signed target tree",
        ));
    }
    let signed = job.action.content();
    let size = u32::try_from(content.len()).unwrap_or(u32::MAX);
    if signed.size != size || signed.sha256 != Sha256::of(content) {
        return Err(Failure::refused(
            Refusal::ContentMismatch,
            "the content is not the one that was signed",
        ));
    }
    Ok(())
}

/// Checks an envelope that should replace one of the same job: all signatures that were there, and a new valid one.
pub(super) fn better_signed(
    bundle: &Bundle,
    job: &Job,
    old: &Envelope,
    new: &Envelope,
) -> Result<(), Failure> {
    let blobs = |envelope: &Envelope| -> BTreeSet<Vec<u8>> {
        envelope.signature_blobs().map(<[u8]>::to_vec).collect()
    };
    if !blobs(new).is_superset(&blobs(old)) {
        return Err(Failure::bad(
            "signatures.missing",
            "the envelope lacks signatures that the job already has",
            "fetch the job again, add the signature to that envelope, and send it",
        ));
    }
    let signed = |envelope: &Envelope| {
        let (authors, approvers) = signers(bundle, job, envelope);
        (authors.len(), approvers.len(), lacks_customer(bundle, job, envelope))
    };
    if signed(new) == signed(old) {
        return Err(Failure::refused(
            Refusal::ApprovalsMissing,
            "the envelope has no new signature that counts",
        ));
    }
    Ok(())
}
