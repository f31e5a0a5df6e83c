//! Which signatures of an envelope count, by the current bundle. Specification: `docs/spec/verification.md`, "operator signature".

use std::collections::BTreeSet;

use crate::envelope::{Envelope, IgnoredSignature, VerifiedSignature};
use crate::id::OperatorId;
use crate::sshsig::SignatureFacts;
use crate::statement::{Bundle, Operator, OperatorKey, OperatorRole, SignatureRole, UserCheck};

/// A signature that counts: by one operator, in a role the operator holds, keeping its key's rules.
#[derive(Debug, Clone)]
pub struct OperatorSignature<'b> {
    /// Who.
    pub operator: &'b Operator,
    /// As what.
    pub role: SignatureRole,
    /// How.
    pub facts: SignatureFacts,
}

/// Sorts the signatures of an envelope into those that count and those that do not, with reasons.
pub fn operator_signatures<'b>(
    bundle: &'b Bundle,
    envelope: &Envelope,
) -> (Vec<OperatorSignature<'b>>, Vec<IgnoredSignature>) {
    let (verified, ignored) = envelope.verify_signatures();
    let (counted, more) = count_operators(bundle, &verified);
    (counted, ignored.into_iter().chain(more).collect())
}

/// The same for signatures that were verified before.
pub(crate) fn count_operators<'b>(
    bundle: &'b Bundle,
    verified: &[VerifiedSignature],
) -> (Vec<OperatorSignature<'b>>, Vec<IgnoredSignature>) {
    let mut counted = Vec::new();
    let mut ignored = Vec::new();
    for signature in verified {
        match judge(bundle, signature) {
            Ok(operator) => counted.push(OperatorSignature {
                operator,
                role: signature.role,
                facts: signature.facts.clone(),
            }),
            Err(reason) => {
                ignored
                    .push(IgnoredSignature { index: signature.index, reason: reason.to_owned() });
            }
        }
    }
    (counted, ignored)
}

fn judge<'b>(
    bundle: &'b Bundle,
    signature: &VerifiedSignature,
) -> Result<&'b Operator, &'static str> {
    let text = signature.key.to_openssh();
    let (operator, key) = bundle
        .operators
        .iter()
        .find_map(|operator| Some((operator, operator.keys.iter().find(|key| key.ssh == text)?)))
        .ok_or("the key belongs to no operator of the bundle")?;
    check_key_rules(key, &signature.facts)?;
    match holder(signature.role) {
        Holder::With(role) if operator.roles.contains(&role) => {}
        Holder::Any => {}
        Holder::With(_) => return Err("the operator does not hold this role"),
        Holder::Nobody => return Err("not a role of operators"),
    }
    Ok(operator)
}

/// The rules a bundle attaches to a key, whatever it signs.
pub(crate) fn check_key_rules(
    key: &OperatorKey,
    facts: &SignatureFacts,
) -> Result<(), &'static str> {
    match &facts.origin {
        Some(origin) if !key.origins.contains(origin) => {
            return Err("made on an origin the key does not list");
        }
        None if !key.origins.is_empty() => return Err("the key may be used as a passkey only"),
        _ => {}
    }
    if key.uv && !facts.user_verification {
        return Err("the key demands user verification");
    }
    if facts.backup_eligible && !key.backup_ok {
        return Err("a synced credential where the key forbids it");
    }
    Ok(())
}

/// Who may sign in a role.
enum Holder {
    /// Operators with this role in the bundle.
    With(OperatorRole),
    /// Every operator.
    Any,
    /// No operator: endpoints, customers and recovery keys sign in it.
    Nobody,
}

const fn holder(role: SignatureRole) -> Holder {
    match role {
        // A remote session is asked for by those who write jobs.
        SignatureRole::Author | SignatureRole::Grant => Holder::With(OperatorRole::Author),
        SignatureRole::Approve => Holder::With(OperatorRole::Approve),
        SignatureRole::Root => Holder::With(OperatorRole::Root),
        SignatureRole::Enroll => Holder::With(OperatorRole::Enroll),
        SignatureRole::Freeze => Holder::With(OperatorRole::Freeze),
        SignatureRole::Promote => Holder::With(OperatorRole::Promote),
        SignatureRole::Login | SignatureRole::Pack => Holder::Any,
        SignatureRole::Receipt
        | SignatureRole::Descriptor
        | SignatureRole::Customer
        | SignatureRole::Recover => Holder::Nobody,
    }
}

/// Whether a signature was made the way a class demands.
pub(crate) const fn meets(check: UserCheck, facts: &SignatureFacts) -> bool {
    match check {
        UserCheck::None => true,
        UserCheck::Presence => facts.user_presence,
        UserCheck::Verification => facts.user_presence && facts.user_verification,
    }
}

/// Distinct operators that signed in a role.
pub fn distinct_operators<'s>(
    signatures: impl IntoIterator<Item = &'s OperatorSignature<'s>>,
    role: SignatureRole,
) -> BTreeSet<&'s OperatorId> {
    signatures.into_iter().filter(|s| s.role == role).map(|s| &s.operator.id).collect()
}
