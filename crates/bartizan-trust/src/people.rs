//! Who stands behind a job: enough distinct people in the right roles, and the customer where it has a say.

use std::collections::BTreeSet;

use crate::envelope::{Envelope, VerifiedSignature};
use crate::id::OperatorId;
use crate::refusal::Refusal;
use crate::signers::{OperatorSignature, check_key_rules, count_operators, meets};
use crate::statement::{Bundle, ClassRule, Job, SignatureRole, UserCheck};

/// Whether enough people stand behind a job by a bundle. For servers and consoles, which advise; endpoints ask more.
// SPEC: verification.md step 9
pub fn stand_behind(bundle: &Bundle, job: &Job, envelope: &Envelope) -> Result<(), Refusal> {
    let rule = bundle.class_rule(job.class).ok_or(Refusal::ClassUnknown)?;
    let (verified, _) = envelope.verify_signatures();
    let (signatures, _) = count_operators(bundle, &verified);
    judge_signers(rule, job, &signatures)?;
    check_customer(bundle, rule, job, &verified)
}

// SPEC: verification.md step 9
pub(crate) fn judge_signers(
    rule: &ClassRule,
    job: &Job,
    signatures: &[OperatorSignature<'_>],
) -> Result<Vec<OperatorId>, Refusal> {
    let in_scope: Vec<_> =
        signatures.iter().filter(|s| s.operator.tenants.contains(&job.tenant)).collect();
    let who = |role: SignatureRole, check: UserCheck| -> BTreeSet<&OperatorId> {
        in_scope
            .iter()
            .filter(|s| s.role == role && meets(check, &s.facts))
            .map(|s| &s.operator.id)
            .collect()
    };
    // Whoever signed as author, however it was done, is no second person.
    let all_authors = who(SignatureRole::Author, UserCheck::None);
    let authors = who(SignatureRole::Author, rule.user_check);
    let Some(author) = authors.first() else {
        return Err(if all_authors.is_empty() {
            Refusal::AuthorMissing
        } else {
            Refusal::UserCheckMissing
        });
    };
    let others = |check| -> Vec<&OperatorId> {
        who(SignatureRole::Approve, check)
            .into_iter()
            .filter(|id| !all_authors.contains(id))
            .collect()
    };
    let enough = |count: usize| usize::try_from(rule.approvals).is_ok_and(|needed| count >= needed);
    let approvers = others(rule.user_check);
    if !enough(approvers.len()) {
        let without_check = enough(others(UserCheck::None).len());
        return Err(if without_check {
            Refusal::UserCheckMissing
        } else {
            Refusal::ApprovalsMissing
        });
    }
    Ok(core::iter::once(*author).chain(approvers).cloned().collect())
}

// SPEC: verification.md step 9, customer rule
pub(crate) fn check_customer(
    bundle: &Bundle,
    rule: &ClassRule,
    job: &Job,
    verified: &[VerifiedSignature],
) -> Result<(), Refusal> {
    let Some(customer) = bundle.customers.iter().find(|customer| customer.tenant == job.tenant)
    else {
        return Ok(());
    };
    if rule.class < customer.rule.from_class {
        return Ok(());
    }
    let counts = |signature: &VerifiedSignature| {
        signature.role == SignatureRole::Customer
            && customer.keys.iter().any(|key| {
                key.ssh == signature.key.to_openssh()
                    && check_key_rules(key, &signature.facts).is_ok()
            })
    };
    if verified.iter().any(counts) { Ok(()) } else { Err(Refusal::CustomerMissing) }
}
