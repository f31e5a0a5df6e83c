//! Whether a bundle only tightens the one before. Specification: `docs/spec/verification.md`, "tightens".

use crate::statement::{
    Bundle, ClassRule, Customer, Operator, OperatorKey, TenantScope, TenantSize,
};
use crate::version::AgentVersion;

/// True when nothing in `next` allows more than `current` did.
pub fn only_tightens(current: &Bundle, next: &Bundle) -> bool {
    operators_tighten(current, next)
        && next.root.threshold >= current.root.threshold
        && next.recovery == current.recovery
        && next.weaken_delay_s >= current.weaken_delay_s
        && next.expires <= current.expires
        && classes_tighten(current, next)
        && next.limits.timeout_s_max <= current.limits.timeout_s_max
        && next.limits.output_max <= current.limits.output_max
        && next.log == current.log
        && next.servers.iter().all(|server| current.servers.contains(server))
        // One more is an address that every endpoint calls; one less is a way on which a freeze no longer comes.
        && next.mirrors == current.mirrors
        && current.customers.iter().all(|old| customer_kept(old, next))
        && current.tenants.iter().all(|old| size_kept(old, next))
        && AgentVersion::parse(&next.min_agent) >= AgentVersion::parse(&current.min_agent)
        && next.min_statement >= current.min_statement
}

fn operators_tighten(current: &Bundle, next: &Bundle) -> bool {
    next.operators.iter().all(|operator| {
        current.operator(&operator.id).is_some_and(|before| operator_tightens(before, operator))
    })
}

fn operator_tightens(before: &Operator, after: &Operator) -> bool {
    let scope = match (&before.tenants, &after.tenants) {
        (TenantScope::All, _) => true,
        (TenantScope::Only(_), TenantScope::All) => false,
        (TenantScope::Only(old), TenantScope::Only(new)) => {
            new.iter().all(|tenant| old.contains(tenant))
        }
    };
    scope
        && after.name == before.name
        && after.roles.iter().all(|role| before.roles.contains(role))
        && after.keys.iter().all(|key| before.keys.iter().any(|old| key_tightens(old, key)))
}

fn key_tightens(before: &OperatorKey, after: &OperatorKey) -> bool {
    let origins = if before.origins.is_empty() {
        after.origins.is_empty()
    } else {
        !after.origins.is_empty()
            && after.origins.iter().all(|origin| before.origins.contains(origin))
    };
    origins
        && after.ssh == before.ssh
        && (after.uv || !before.uv)
        && (before.backup_ok || !after.backup_ok)
        && after.note == before.note
}

fn classes_tighten(current: &Bundle, next: &Bundle) -> bool {
    next.classes.iter().all(|rule| current.class_rule(rule.class).is_some_and(|before| class_tightens(before, rule)))
        // Dropping a milder class could only push work into stricter ones; dropping a stricter one forbids it.
        && !next.classes.is_empty()
}

fn class_tightens(before: &ClassRule, after: &ClassRule) -> bool {
    after.approvals >= before.approvals
        && after.user_check >= before.user_check
        && after.endpoints_new_max <= before.endpoints_new_max
        && after.endpoints_max <= before.endpoints_max
        && stages_tighten(before, after)
        && after.delay_s >= before.delay_s
        && after.freshness_s <= before.freshness_s
        && after.window_s_max <= before.window_s_max
        && after.jobs_per_hour_max <= before.jobs_per_hour_max
        && after.operator_jobs_per_hour_max <= before.operator_jobs_per_hour_max
        && after.witnesses == before.witnesses
        && after.orders.life_s_max <= before.orders.life_s_max
        && after.orders.freshness_s_max <= before.orders.freshness_s_max
        && after.orders.runs_per_hour_max <= before.orders.runs_per_hour_max
}

fn stages_tighten(before: &ClassRule, after: &ClassRule) -> bool {
    after.stages_min >= before.stages_min
        && after.soak_s_min >= before.soak_s_min
        // Where no stages were demanded, the size of the first one said nothing.
        && (before.stages_min <= 1 || after.first_stage_max <= before.first_stage_max)
}

fn customer_kept(old: &Customer, next: &Bundle) -> bool {
    next.customers.iter().any(|new| {
        new.tenant == old.tenant
            && new.rule.from_class <= old.rule.from_class
            && new.keys.iter().all(|key| old.keys.contains(key))
    })
}

/// A smaller tenant has a smaller tenth.
fn size_kept(old: &TenantSize, next: &Bundle) -> bool {
    next.tenants.iter().any(|new| new.tenant == old.tenant && new.endpoints <= old.endpoints)
}
