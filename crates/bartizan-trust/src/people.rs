//! Who stands behind a job: enough distinct people in the right roles, and the customer where it has a say.

use std::collections::BTreeSet;

use crate::envelope::{Envelope, VerifiedSignature};
use crate::id::{OperatorId, Sha256, TenantId};
use crate::refusal::Refusal;
use crate::signers::{OperatorSignature, check_key_rules, count_operators, meets};
use crate::statement::{
    Bundle, Class, ClassRule, Customer, Job, OperatorRole, Script, SignatureRole, TenantScope,
    UserCheck,
};

/// Whether enough people stand behind a job by a bundle. For servers and consoles, which advise; endpoints ask more.
// SPEC: verification.md step 9
pub fn stand_behind(bundle: &Bundle, job: &Job, envelope: &Envelope) -> Result<(), Refusal> {
    signers(bundle, job, envelope).map(drop)
}

/// The same, and who they are: the author first.
// SPEC: verification.md step 9
pub fn signers(
    bundle: &Bundle,
    job: &Job,
    envelope: &Envelope,
) -> Result<Vec<OperatorId>, Refusal> {
    let rule = bundle.class_rule(job.class).ok_or(Refusal::ClassUnknown)?;
    let (verified, _) = envelope.verify_signatures();
    let (signatures, _) = count_operators(bundle, &verified);
    let in_scope = |scope: &TenantScope| scope.contains(&job.tenant);
    let signers = judge_signers(rule, in_scope, &signatures)?;
    check_root(bundle, job, &signers)?;
    check_customer(bundle, rule, &job.tenant, &verified)?;
    Ok(signers)
}

/// What an endpoint that starts a job remembers as reviewed: its script, where more than one person stands behind it.
// SPEC: verification.md step 7
pub fn reviewed(signers: &[OperatorId], script: &Script) -> Option<Sha256> {
    (signers.len() > 1).then(|| script.reviewed_as())
}

/// The keys whose signatures make a rule pack believable on the endpoints of a tenant, as OpenSSH lines: those of its authors.
// SPEC: scan.md "Packs"
pub fn pack_keys<'b>(bundle: &'b Bundle, tenant: &TenantId) -> Vec<&'b str> {
    let authors = bundle.operators.iter().filter(|operator| {
        operator.roles.contains(&OperatorRole::Author) && operator.tenants.contains(tenant)
    });
    authors.flat_map(|operator| &operator.keys).map(|key| key.ssh.as_str()).collect()
}

// SPEC: verification.md step 9
pub(crate) fn judge_signers(
    rule: &ClassRule,
    in_scope: impl Fn(&TenantScope) -> bool,
    signatures: &[OperatorSignature<'_>],
) -> Result<Vec<OperatorId>, Refusal> {
    let in_scope: Vec<_> = signatures.iter().filter(|s| in_scope(&s.operator.tenants)).collect();
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

/// Updates change what verifies everything else, so they take as many root operators as the bundle itself.
// SPEC: verification.md step 9, class update
pub(crate) fn check_root(
    bundle: &Bundle,
    job: &Job,
    signers: &[OperatorId],
) -> Result<(), Refusal> {
    if job.class != Class::Update {
        return Ok(());
    }
    let is_root = |id: &&OperatorId| {
        bundle.operator(id).is_some_and(|operator| operator.roles.contains(&OperatorRole::Root))
    };
    let count = signers.iter().filter(is_root).count();
    let enough = usize::try_from(bundle.root.threshold).is_ok_and(|needed| count >= needed);
    if enough { Ok(()) } else { Err(Refusal::RootMissing) }
}

// SPEC: verification.md step 9, customer rule
pub(crate) fn check_customer(
    bundle: &Bundle,
    rule: &ClassRule,
    tenant: &TenantId,
    verified: &[VerifiedSignature],
) -> Result<(), Refusal> {
    match customer_of(bundle, rule.class, tenant) {
        Some(customer) if !has_signed(customer, verified) => Err(Refusal::CustomerMissing),
        Some(_) | None => Ok(()),
    }
}

/// The customer who has a say in work of this class on a tenant's endpoints, if one has.
fn customer_of<'b>(bundle: &'b Bundle, class: Class, tenant: &TenantId) -> Option<&'b Customer> {
    let customer = bundle.customers.iter().find(|customer| customer.tenant == *tenant);
    customer.filter(|customer| class >= customer.rule.from_class)
}

fn has_signed(customer: &Customer, verified: &[VerifiedSignature]) -> bool {
    verified.iter().filter(|signature| signature.role == SignatureRole::Customer).any(|signature| {
        let ssh = signature.key.to_openssh();
        let mut keys = customer.keys.iter().filter(|key| key.ssh == ssh);
        keys.any(|key| check_key_rules(key, &signature.facts).is_ok())
    })
}

/// Whether a job lacks its customer's countersignature: for servers and people, who want to know before it is delivered.
pub fn lacks_customer(bundle: &Bundle, job: &Job, envelope: &Envelope) -> bool {
    let (verified, _) = envelope.verify_signatures();
    customer_of(bundle, job.class, &job.tenant)
        .is_some_and(|customer| !has_signed(customer, &verified))
}
