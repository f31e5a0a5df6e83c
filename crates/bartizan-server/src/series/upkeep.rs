//! Closes windows that are over and forgets what is old, a little at a time: what comes in never waits for it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::Context as _;
use bartizan_store::SeriesOwner;
use tokio::sync::watch;

use super::{WINDOW_S, rollup, window_of};
use crate::app::{App, now};

const TICK: Duration = Duration::from_secs(1);
/// Windows closed in a second: ten thousand endpoints in eight minutes, at a tenth of a processor.
const WINDOWS_PER_TICK: u64 = 20;
/// A window that is over waits this long for reports that are on their way.
const GRACE_S: u64 = 900;
/// Endpoints looked at in a second for what is old.
const OWNERS_PER_TICK: u64 = 50;
/// Between two rounds over all of them.
const ROUND_S: u64 = 3600;

/// How far it is.
#[derive(Debug, Default)]
struct Progress {
    closing: Place,
    forgetting: Place,
    next_round: u64,
}

/// The endpoint after which it goes on.
type Place = Option<SeriesOwner>;

/// Runs until the server stops.
pub(crate) async fn run(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut progress = Progress::default();
    loop {
        tokio::select! {
            _ = stop.changed() => return,
            _ = tick.tick() => {}
        }
        if let Err(error) = step(&app, &mut progress).await {
            tracing::error!("upkeep of series: {error:#}");
        }
    }
}

async fn step(app: &App, progress: &mut Progress) -> anyhow::Result<()> {
    close_some(app, progress).await?;
    let now = now().get();
    if now >= progress.next_round {
        forget_some(app, progress, now).await?;
    }
    Ok(())
}

/// One endpoint after the other, so that nobody with many open windows keeps others waiting.
async fn close_some(app: &App, progress: &mut Progress) -> anyhow::Result<()> {
    let before = window_of(now().get().saturating_sub(GRACE_S));
    let after = progress.closing.unwrap_or(SeriesOwner(0));
    let open = app.db.read(move |tx| tx.open_windows(before, after, WINDOWS_PER_TICK)).await?;
    for (owner, window) in &open {
        if let Err(error) = close(app, *owner, *window).await {
            tracing::error!(series.owner = owner.0, series.window = window, "close: {error:#}");
        }
    }
    let full = u64::try_from(open.len()).unwrap_or_default() == WINDOWS_PER_TICK;
    progress.closing = open.last().filter(|_| full).map(|(owner, _)| *owner);
    Ok(())
}

/// Makes chunks of a window. Pure work happens outside the database's thread.
pub(crate) async fn close(app: &App, owner: SeriesOwner, window: u64) -> anyhow::Result<()> {
    let rows = app.db.read(move |tx| tx.series_window(owner, window)).await?;
    let parts = rows.parts.len();
    let closed = tokio::task::spawn_blocking(move || rollup::close(&rows)).await?;
    let (chunks, lost) = closed.context("a row that cannot be read")?;
    let put = move |tx: &mut bartizan_store::Tx<'_>| {
        tx.close_series_window((owner, window), parts, &chunks)
    };
    // When a part came meanwhile it is done again in the next round.
    if app.db.write(put).await? {
        app.metrics.windows_closed.fetch_add(1, Ordering::Relaxed);
        crate::metrics::add(&app.metrics.samples_cut_off, lost);
    }
    Ok(())
}

async fn forget_some(app: &App, progress: &mut Progress, now: u64) -> anyhow::Result<()> {
    let after = progress.forgetting.unwrap_or(SeriesOwner(0));
    let retention = app.config.retention.clone();
    let forget = move |tx: &mut bartizan_store::Tx<'_>| {
        let owners = tx.series_owners(after, OWNERS_PER_TICK)?;
        for (owner, tenant) in &owners {
            for (level, kept_s) in (0_u64..).zip(retention.seconds(tenant.as_ref())) {
                tx.forget_series(level, *owner, now.saturating_sub(kept_s) / WINDOW_S)?;
            }
        }
        Ok(owners.last().map(|(owner, _)| *owner))
    };
    progress.forgetting = app.db.write(forget).await?;
    if progress.forgetting.is_none() {
        progress.next_round = now + ROUND_S;
    }
    Ok(())
}
