//! One task for each channel: sends what is due, and tries again what failed.

use std::sync::Arc;
use std::time::Duration;

use bartizan_proto::alerts::{Entry, Happening, Message};
use bartizan_store::{Attempt, NotificationRecord, StoreError, Tx};
use bartizan_trust::time::UnixSeconds;
use ring::rand::{SecureRandom as _, SystemRandom};
use tokio::sync::watch;

use crate::app::{App, now};
use crate::channels::Channel;

const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Messages taken at once.
const BATCH: u64 = 16;
/// Seconds before the first repetition; doubled each time.
const RETRY_FIRST_S: u64 = 2;
/// Seconds between repetitions in the end.
const RETRY_LAST_S: u64 = 3600;
/// A message that nobody took for so long is given up: three days, a weekend with room.
const GIVE_UP_S: u64 = 3 * 86_400;

/// Runs until the server stops.
pub(crate) async fn run(app: Arc<App>, channel: Channel, mut stop: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            _ = stop.changed() => return,
            () = app.alerts.outbox.notified() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
        if let Err(error) = deliver(&app, &channel, &stop).await {
            tracing::error!(%error, channel = channel.name, "notifications");
        }
    }
}

async fn deliver(
    app: &App,
    channel: &Channel,
    stop: &watch::Receiver<bool>,
) -> Result<(), StoreError> {
    let name = channel.name.clone();
    let due = app.db.read(move |tx| tx.due_notifications(&name, now().get(), BATCH)).await?;
    for record in due {
        if *stop.borrow() {
            return Ok(());
        }
        let problem = attempt(channel, &record).await.err().map(|error| format!("{error:#}"));
        let is_failure = problem.is_some();
        let at = now();
        let outcome = judge(&record, problem, at);
        if let Attempt::Failed { problem } = &outcome {
            tracing::warn!(channel = channel.name, notification.id = %record.id, "given up: {problem}");
        }
        app.db.write(move |tx| settle(tx, &record, at, &outcome)).await?;
        if is_failure {
            // The others would most likely fail the same way; they are looked at in a moment.
            return Ok(());
        }
    }
    Ok(())
}

async fn attempt(channel: &Channel, record: &NotificationRecord) -> anyhow::Result<()> {
    let message: Message = serde_json::from_slice(&record.body)?;
    super::send(channel.clone(), record.id.to_string(), message).await
}

fn judge(record: &NotificationRecord, problem: Option<String>, now: UnixSeconds) -> Attempt {
    let Some(problem) = problem else { return Attempt::Sent };
    if now.get().saturating_sub(record.created) > GIVE_UP_S {
        return Attempt::Failed { problem };
    }
    Attempt::Again { due: now.get() + pause(record.tries, dice()), problem }
}

/// Seconds until the next attempt: doubled each time, and spread by a quarter so that many do not come at once.
fn pause(tries: u64, dice: u8) -> u64 {
    let doubled = RETRY_FIRST_S << tries.min(12);
    let bounded = doubled.min(RETRY_LAST_S);
    bounded + bounded * u64::from(dice) / (4 * 255)
}

fn dice() -> u8 {
    let mut byte = [0];
    // Without randomness nothing is spread; it is sent all the same.
    let _ = SystemRandom::new().fill(&mut byte);
    byte[0]
}

fn settle(
    tx: &mut Tx<'_>,
    record: &NotificationRecord,
    at: UnixSeconds,
    outcome: &Attempt,
) -> Result<(), StoreError> {
    tx.settle_notification(record.id, at.get(), outcome)?;
    let (Attempt::Failed { problem }, Some(alert)) = (outcome, record.alert) else { return Ok(()) };
    let text = format!("{}: {problem}", record.channel);
    let entry =
        Entry { alert, at, claimed: None, what: Happening::Undelivered, operator: None, text };
    let body = serde_json::to_vec(&entry).map_err(|_| StoreError::Column("alert_entry"))?;
    tx.put_alert_entry(alert, at.get(), &body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_an_hour_and_are_spread_by_a_quarter() {
        assert_eq!(
            [0, 1, 2, 5, 10, 11, 99].map(|tries| pause(tries, 0)),
            [2, 4, 8, 64, 2048, 3600, 3600]
        );
        assert_eq!(pause(99, 255), 4500);
        assert_eq!(pause(5, 128), 72);
    }
}
