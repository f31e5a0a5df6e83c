//! What the machine says, in the database.

use bartizan_proto::alerts::{Alert, Changes, RulesDocument, Wish, limits};
use bartizan_store::{AlertRecord, Attempt, StoreError, Tx};
use bartizan_trust::time::UnixSeconds;

use super::{read_alert, wish_record};

/// Messages that wait for one channel. A channel that takes nothing for days has enough with these.
const WAITING_MAX: u64 = 1_000;
/// Alerts that were over are kept for so long, and what was sent of them.
const KEPT_S: u64 = 400 * 86_400;
/// Old alerts removed at once.
const PRUNE_MAX: u64 = 500;

/// What a start needs.
pub(super) struct Kept {
    pub(super) alerts: Vec<Alert>,
    pub(super) wishes: Vec<Wish>,
    pub(super) rules: Option<RulesDocument>,
}

pub(super) fn load(tx: &mut Tx<'_>, now: UnixSeconds) -> Result<Kept, StoreError> {
    let since = now.get().saturating_sub(limits::REOPEN_S);
    let mut alerts = Vec::new();
    for body in tx.live_alerts(since)? {
        match read_alert(&body) {
            Ok(alert) => alerts.push(alert),
            // Somebody wrote into the database, or a newer server did. It stays there and is not judged.
            Err(error) => tracing::error!(%error, "an alert that cannot be read"),
        }
    }
    let wishes = tx.wishes()?.into_iter().map(|wish| Wish {
        endpoint: wish.endpoint,
        operator: wish.operator,
        channel: wish.channel,
        at: UnixSeconds::new(wish.at),
    });
    let wishes = wishes.collect();
    let rules = match tx.alert_rules()? {
        Some(record) => {
            let read = serde_json::from_slice(&record.body);
            Some(read.map_err(|_| StoreError::Column("alert_rules.body"))?)
        }
        None => None,
    };
    Ok(Kept { alerts, wishes, rules })
}

/// Everything at once: alerts, histories, messages, and that observations were judged.
pub(super) fn keep(
    tx: &mut Tx<'_>,
    changes: &Changes,
    judged: Option<u64>,
) -> Result<(), StoreError> {
    for id in &changes.forgotten {
        tx.drop_alert(*id)?;
    }
    for alert in changes.alerts.values() {
        tx.put_alert(&record(alert)?)?;
    }
    for entry in &changes.entries {
        tx.put_alert_entry(entry.alert, entry.at.get(), &bytes(entry)?)?;
    }
    keep_notifications(tx, changes)?;
    for wish in &changes.granted {
        tx.drop_wish(&wish_record(wish))?;
    }
    if let Some(judged) = judged {
        tx.drop_observations(judged)?;
    }
    Ok(())
}

fn keep_notifications(tx: &mut Tx<'_>, changes: &Changes) -> Result<(), StoreError> {
    if changes.notifications.is_empty() {
        return Ok(());
    }
    let mut waiting: std::collections::BTreeMap<String, u64> =
        tx.waiting_notifications()?.into_iter().collect();
    for notification in &changes.notifications {
        let (id, message) = (notification.id, &notification.message);
        tx.put_notification(
            (id, message.alert),
            &notification.channel,
            message.at.get(),
            &bytes(message)?,
        )?;
        let count = waiting.entry(notification.channel.clone()).or_default();
        *count += 1;
        if *count > WAITING_MAX {
            let problem = format!("{WAITING_MAX} messages wait for this channel already");
            tx.settle_notification(id, message.at.get(), &Attempt::Failed { problem })?;
        }
    }
    Ok(())
}

pub(super) fn prune(tx: &mut Tx<'_>, now: UnixSeconds) -> Result<(), StoreError> {
    let before = now.get().saturating_sub(KEPT_S);
    tx.drop_alerts_before(before, PRUNE_MAX)?;
    tx.drop_notifications_before(before)
}

fn record(alert: &Alert) -> Result<AlertRecord, StoreError> {
    Ok(AlertRecord {
        id: alert.id,
        endpoint: alert.endpoint,
        tenant: alert.tenant.clone(),
        site: alert.site.clone(),
        check: alert.key.clone(),
        phase: alert.phase.name().to_owned(),
        severity: alert.severity.name().to_owned(),
        hidden_by: alert.hidden_by,
        changed: alert.changed.get(),
        words: format!("{} {} {}", alert.key, alert.instance, alert.text),
        body: bytes(alert)?,
    })
}

fn bytes(value: &impl serde::Serialize) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(value).map_err(|_| StoreError::Column("alert"))
}
