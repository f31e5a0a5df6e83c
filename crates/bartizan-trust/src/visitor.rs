//! Whose key speaks to a server: an operator's, a customer's or a recovery key. For logins; endpoints do not ask.
//! Specification: `docs/spec/operator-api.md`, "Login".

use crate::envelope::Envelope;
use crate::id::{OperatorId, TenantId};
use crate::signers::{check_key_rules, operator_signatures};
use crate::statement::{Bundle, SignatureRole};

/// What the bundle calls the holder of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Visitor {
    /// An operator.
    Operator(OperatorId),
    /// Somebody who countersigns for this tenant.
    Customer(TenantId),
    /// Whoever holds a recovery key.
    Recovery,
}

/// Who holds the key `ssh`, by this bundle.
pub fn holder(bundle: &Bundle, ssh: &str) -> Option<Visitor> {
    let operator = bundle.operators.iter().find(|o| o.keys.iter().any(|key| key.ssh == ssh));
    if let Some(operator) = operator {
        return Some(Visitor::Operator(operator.id.clone()));
    }
    let customer = bundle.customers.iter().find(|c| c.keys.iter().any(|key| key.ssh == ssh));
    if let Some(customer) = customer {
        return Some(Visitor::Customer(customer.tenant.clone()));
    }
    bundle.recovery.keys.iter().any(|key| key == ssh).then_some(Visitor::Recovery)
}

/// Who signed a login, and with which key.
pub fn login(bundle: &Bundle, envelope: &Envelope) -> Option<(Visitor, String)> {
    // Operators' keys are judged as everywhere.
    let (operators, _) = operator_signatures(bundle, envelope);
    let (verified, _) = envelope.verify_signatures();
    verified.iter().filter(|signature| signature.role == SignatureRole::Login).find_map(|login| {
        let ssh = login.key.to_openssh();
        let visitor = holder(bundle, &ssh)?;
        let keeps_its_rules = match &visitor {
            Visitor::Operator(id) => {
                operators.iter().any(|s| s.role == SignatureRole::Login && s.operator.id == *id)
            }
            Visitor::Customer(tenant) => {
                let customers = bundle.customers.iter().filter(|c| c.tenant == *tenant);
                let mut keys = customers.flat_map(|customer| &customer.keys);
                keys.any(|key| key.ssh == ssh && check_key_rules(key, &login.facts).is_ok())
            }
            Visitor::Recovery => true,
        };
        keeps_its_rules.then_some((visitor, ssh))
    })
}
