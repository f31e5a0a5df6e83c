//! Who may do what, and how that came to be.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::StatementId;
use bartizan_trust::keys::PublicKey;
use bartizan_trust::policy::LogTrust;
use bartizan_trust::statement::{Bundle, ClassRule, Operator, OperatorKey, StatementType};
use bartizan_trust::words::eight_words;

use super::me::tenants;
use super::{difference, own, signed_by, word};
use crate::commands::Console;
use crate::console::desk::Desk;
use crate::console::shapes::{
    BundleHistory, BundleRow, BundleState, ClassRow, CustomerRow, PendingBundle, Person, PersonKey,
    ServerRow, Trust, WitnessRow,
};
use crate::keys::witness_key::WitnessKey;
use crate::sign::fields;
use crate::sign::render::role_name;
use crate::trust::replay;

/// The bundle in force, and those that wait.
pub(crate) fn show(desk: &Desk, console: &Console) -> Result<Trust> {
    let bundle = &console.trust.bundle;
    let me = own(desk, console)?.map(|me| me.id.clone());
    let logs = LogTrust::parse(&bundle.log).context("read the log policy")?;
    let witness = WitnessKey::open(&desk.context.home)?.public()?;
    Ok(Trust {
        id: console.trust.id.to_string(),
        words: eight_words(console.trust.id.hash()),
        version: bundle.version,
        at: bundle.iat.get(),
        expires: bundle.expires.get(),
        root_threshold: bundle.root.threshold,
        weaken_delay_s: bundle.weaken_delay_s,
        recovery_delay_s: bundle.recovery.delay_s,
        recovery_keys: bundle.recovery.keys.iter().map(|ssh| fingerprint(ssh)).collect(),
        operators: bundle
            .operators
            .iter()
            .map(|operator| person(operator, me.as_ref() == Some(&operator.id)))
            .collect(),
        classes: bundle.classes.iter().map(class).collect(),
        witnesses: logs
            .policy
            .witnesses()
            .map(|(name, key)| WitnessRow {
                name: name.to_owned(),
                me: *key.key_bytes() == witness,
            })
            .collect(),
        servers: bundle
            .servers
            .iter()
            .map(|server| ServerRow {
                addresses: server.addresses.clone(),
                spki: server.spki.to_string(),
            })
            .collect(),
        customers: bundle
            .customers
            .iter()
            .map(|customer| CustomerRow {
                tenant: customer.tenant.name().to_owned(),
                keys: customer.keys.iter().map(|key| fingerprint(&key.ssh)).collect(),
            })
            .collect(),
        min_agent: bundle.min_agent.clone(),
        pending: pending(console)?,
    })
}

fn fingerprint(ssh: &str) -> String {
    PublicKey::parse_openssh(ssh).map_or_else(|_| "?".to_owned(), |key| key.fingerprint())
}

fn person(operator: &Operator, me: bool) -> Person {
    Person {
        id: operator.id.to_string(),
        name: operator.name.clone(),
        roles: operator.roles.iter().map(|role| role_name(*role).to_owned()).collect(),
        tenants: tenants(&operator.tenants),
        keys: operator.keys.iter().map(key).collect(),
        me,
    }
}

fn key(key: &OperatorKey) -> PersonKey {
    let public = PublicKey::parse_openssh(&key.ssh).ok();
    PersonKey {
        fingerprint: fingerprint(&key.ssh),
        key_type: public.map_or("?", |public| public.key_type().name()).to_owned(),
        ssh: key.ssh.clone(),
        origins: key.origins.clone(),
        user_verification: key.uv,
        may_be_synced: key.backup_ok,
        note: key.note.clone(),
    }
}

fn class(rule: &ClassRule) -> ClassRow {
    ClassRow {
        class: rule.class.name().to_owned(),
        approvals: rule.approvals,
        user_check: word(&rule.user_check),
        endpoints_new_max: rule.endpoints_new_max,
        endpoints_max: rule.endpoints_max,
        stages_min: rule.stages_min,
        first_stage_max: rule.first_stage_max,
        soak_s_min: rule.soak_s_min,
        delay_s: rule.delay_s,
        window_s_max: rule.window_s_max,
        witnesses: rule.witnesses.clone(),
    }
}

/// Bundles that wait, each with what it changes of the one it follows.
pub(super) fn pending(console: &Console) -> Result<Vec<PendingBundle>> {
    let chain = &console.view.chain;
    let mut before = &chain.current;
    let mut found = Vec::new();
    for waits in &chain.pending {
        let places = fields::differing(Some(&before.bundle), &Envelope::new(&waits.trust.bundle))?;
        found.push(PendingBundle {
            id: waits.trust.id.to_string(),
            words: eight_words(waits.trust.id.hash()),
            version: waits.trust.bundle.version,
            due: waits.due().get(),
            changes: difference::places(places),
        });
        before = &waits.trust;
    }
    Ok(found)
}

/// Every bundle of the control log, newest first.
pub(crate) fn history(console: &Console) -> Result<BundleHistory> {
    let mut entries: Vec<(u64, Envelope)> = Vec::new();
    let mut were: BTreeSet<StatementId> = BTreeSet::new();
    let view = replay(&console.api, console.org.anchor, &mut |index, entry, view| {
        were.insert(view.chain.current.id);
        let envelope = Envelope::decode(entry).ok();
        let bundle = envelope.filter(|one| one.kind() == Some(StatementType::Bundle));
        entries.extend(bundle.map(|envelope| (index, envelope)));
    })?;
    let state = |id: StatementId| {
        if view.chain.current.id == id {
            BundleState::InForce
        } else if view.chain.pending.iter().any(|waits| waits.trust.id == id) {
            BundleState::Waits
        } else if were.contains(&id) {
            BundleState::Former
        } else {
            BundleState::NoEffect
        }
    };
    let mut bundles: Vec<BundleRow> = Vec::new();
    for (index, envelope) in &entries {
        let bundle: Bundle = envelope.statement().context("read a bundle")?;
        let before = bundle.prev.and_then(|prev| {
            let found = entries.iter().find(|(_, known)| known.id() == prev)?;
            found.1.statement::<Bundle>().ok()
        });
        bundles.push(BundleRow {
            id: envelope.id().to_string(),
            index: *index,
            version: bundle.version,
            at: bundle.iat.get(),
            state: state(envelope.id()),
            signatures: signed_by(console, envelope),
            changes: difference::places(fields::differing(before.as_ref(), envelope)?),
        });
    }
    bundles.reverse();
    Ok(BundleHistory { bundles })
}
