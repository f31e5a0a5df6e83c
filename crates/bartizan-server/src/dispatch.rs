//! Wakes the connections of endpoints that a job may have to reach, and ends what is over.
//!
//! What is deliverable is read from the database each time. Somebody who changes rows there by hand gets
//! them delivered; it is for the endpoints to refuse.

use std::sync::Arc;
use std::time::Duration;

use bartizan_store::{StoreError, Tx};
use tokio::sync::watch;

use crate::app::{App, now};
use crate::{lineage, quarantine};

const TICK: Duration = Duration::from_secs(1);
/// Ticks between writes of when endpoints were last seen.
const TICKS_PER_TOUCH: u64 = 30;

/// Runs until the server stops.
pub(crate) async fn run(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    let mut jobs = app.logs.jobs.subscribe();
    let mut control = app.logs.control.subscribe();
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let (mut changes, mut ticks) = (None, 0_u64);
    loop {
        let ticked = tokio::select! {
            _ = stop.changed() => return,
            () = app.work.notified() => false,
            _ = jobs.changed() => false,
            _ = control.changed() => false,
            _ = tick.tick() => true,
        };
        let result = if ticked {
            ticks += 1;
            on_tick(&app, &mut changes, ticks).await
        } else {
            wake_due(&app).await
        };
        if let Err(error) = result {
            tracing::error!(%error, "dispatch");
        }
    }
}

async fn on_tick(app: &App, changes: &mut Option<i64>, ticks: u64) -> Result<(), StoreError> {
    let (seen, quarantined) = app.db.read(outside).await?;
    app.set_quarantined(quarantined);
    if changes.replace(seen) != Some(seen) {
        app.dossiers.changed_outside(seen);
        wake_due(app).await?;
    }
    if app.settle().unwrap_or_else(|error| {
        tracing::error!(%error, "a waiting bundle");
        false
    }) {
        wake_due(app).await?;
    }
    let over = app.db.read(move |tx| tx.due_to_expire(now().get())).await?;
    if over {
        for job in app.db.write(move |tx| tx.expire_jobs(now().get())).await? {
            app.events.poke(job);
        }
    }
    if ticks.is_multiple_of(TICKS_PER_TOUCH) {
        touch(app).await?;
    }
    Ok(())
}

/// Writes down when connected endpoints were last heard of, and forgets sessions that are over.
pub(crate) async fn touch(app: &App) -> Result<(), StoreError> {
    let seen = app.hub.last_seen();
    app.db
        .write(move |tx| {
            tx.drop_sessions(now().get())?;
            tx.touch(&seen)
        })
        .await?;
    if let Err(error) = lineage::mark(&app.db, &app.config.dir).await {
        tracing::error!("mark the lineage: {error:#}");
    }
    Ok(())
}

async fn wake_due(app: &App) -> Result<(), StoreError> {
    let now = now().get();
    let read = move |tx: &mut Tx<'_>| Ok((tx.due_endpoints(now)?, tx.due_policy_endpoints(now)?));
    let (jobs, policies) = app.db.read(read).await?;
    app.hub.wake(&jobs);
    app.hub.wake(&policies);
    Ok(())
}

fn outside(tx: &mut Tx<'_>) -> Result<(i64, bool), StoreError> {
    Ok((tx.outside_changes()?, quarantine::load(tx)?.is_some()))
}
