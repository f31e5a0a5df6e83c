//! What endpoints measure is written out to others, by Prometheus remote write. Specification: `docs/spec/remote-write.md`.
//!
//! One task for each destination. It reads which samples came from the database, in the order they came, and notes there how far the
//! destination has them: nothing is in memory that a kill could lose, and no queue grows in memory while a receiver is away.

pub(crate) mod config;
mod send;
mod wire;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};
use bartizan_proto::preflight::Check;
use bartizan_proto::samples::{CHUNK_LIMITS, Samples};
use bartizan_store::{OutgoingRecord, StoreError, Tx};
use tokio::sync::watch;

use self::config::Destination;
use self::send::{Outcome, send};
use self::wire::{Piece, joined, pieces};
use crate::app::{App, now};
use crate::metrics::add;
use crate::series::rollup::{self, Values};
use crate::series::window_of;

/// Entries that are read at once.
const BATCH: u64 = 64;
/// Between two looks when there is nothing to send.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Before the first repetition; doubled each time.
const RETRY_FIRST: Duration = Duration::from_secs(1);
/// Between repetitions in the end: a receiver that is back has everything again within minutes.
const RETRY_LAST: Duration = Duration::from_mins(1);
/// A destination that has waited as long is shown by `preflight`.
const LATE_S: u64 = 900;

/// How a destination fares.
#[derive(Debug, Default)]
pub(crate) struct Health {
    pub(crate) sent: AtomicU64,
    /// Samples that the receiver will never take.
    pub(crate) refused: AtomicU64,
    /// Requests that are repeated.
    pub(crate) failures: AtomicU64,
    /// When it last took something.
    pub(crate) taken_at: AtomicU64,
    problem: Mutex<Option<String>>,
}

impl Health {
    fn problem(&self) -> Option<String> {
        self.problem.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns whether that is news.
    fn set_problem(&self, problem: Option<String>) -> bool {
        let mut known = self.problem.lock().unwrap_or_else(PoisonError::into_inner);
        let is_news = known.is_some() != problem.is_some();
        *known = problem;
        is_news
    }
}

/// What a receiver did with a request that has to wait.
struct Waits {
    after: Option<Duration>,
}

/// Runs until the server stops.
pub(crate) async fn run(app: Arc<App>, at: usize, mut stop: watch::Receiver<bool>) {
    let (Some(destination), Some(health)) =
        (app.config.remote_write.get(at), app.remote_write.get(at))
    else {
        return;
    };
    let mut pause = RETRY_FIRST;
    loop {
        let wait = tokio::select! {
            _ = stop.changed() => return,
            round = round(&app, destination, health) => match round {
                Ok(Ok(wait)) => {
                    pause = RETRY_FIRST;
                    wait
                }
                Ok(Err(waits)) => {
                    let wait = waits.after.unwrap_or(pause).max(pause);
                    pause = (pause * 2).min(RETRY_LAST);
                    wait
                }
                Err(error) => {
                    tracing::error!(destination = destination.name, "remote write: {error:#}");
                    RETRY_LAST
                }
            },
        };
        tokio::select! {
            _ = stop.changed() => return,
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// Sends what is there. Says how long to wait for more, or that the receiver has to be waited for.
async fn round(
    app: &App,
    destination: &Destination,
    health: &Health,
) -> Result<Result<Duration, Waits>> {
    let name = destination.name.clone();
    let read = app.db.read(move |tx| {
        let place = tx.outgoing_place(&name)?;
        let records = tx.outgoing_after(place, BATCH)?;
        records.into_iter().map(|record| Ok((samples(tx, &record)?, record))).collect()
    });
    let read: Vec<(Vec<Vec<u8>>, OutgoingRecord)> = read.await?;
    if read.is_empty() {
        return Ok(Ok(LOOK_EVERY));
    }
    let labels = destination.labels.clone();
    let all = tokio::task::spawn_blocking(move || {
        read.iter().flat_map(|(rows, record)| pieces(record, &values(rows), &labels)).collect()
    });
    let all: Vec<Piece> = all.await.context("put samples together")?;
    for request in joined(&all) {
        if let Err(waits) = deliver(app, destination, health, &request).await? {
            return Ok(Err(waits));
        }
    }
    forget(app).await?;
    Ok(Ok(Duration::ZERO))
}

/// The rows that hold an entry's samples, as they came: of what is thinned out already nothing is sent.
fn samples(tx: &mut Tx<'_>, record: &OutgoingRecord) -> Result<Vec<Vec<u8>>, StoreError> {
    let windows = (window_of(record.first), window_of(record.last));
    let chunks = tx.series_chunks(0, record.owner, windows)?;
    let parts = tx.series_parts(record.owner, windows)?;
    Ok(chunks.into_iter().chain(parts).map(|(_, bytes)| bytes).collect())
}

fn values(rows: &[Vec<u8>]) -> Values {
    let mut values = Values::new();
    for row in rows {
        match Samples::decode(row, &CHUNK_LIMITS) {
            Ok(samples) => rollup::add(&mut values, &samples),
            // The others are sent all the same.
            Err(error) => tracing::error!("remote write: a row of series cannot be read: {error}"),
        }
    }
    values
}

/// One request. Where a receiver does not take it, each endpoint's part of it is tried alone: nobody suffers for another's clock.
async fn deliver(
    app: &App,
    destination: &Destination,
    health: &Health,
    request: &[Piece],
) -> Result<Result<(), Waits>> {
    let whole = merged(request);
    match settle(app, destination, health, &whole, request.len() == 1).await? {
        Ok(true) => return Ok(Ok(())),
        Ok(false) => {}
        Err(waits) => return Ok(Err(waits)),
    }
    for piece in request {
        if let Err(waits) = settle(app, destination, health, piece, true).await? {
            return Ok(Err(waits));
        }
    }
    Ok(Ok(()))
}

fn merged(pieces: &[Piece]) -> Piece {
    Piece {
        upto: pieces.last().map_or(0, |last| last.upto),
        series: pieces.iter().flat_map(|piece| piece.series.iter().cloned()).collect(),
        samples: pieces.iter().map(|piece| piece.samples).sum(),
    }
}

/// Sends a piece and notes how far the destination is. False when the receiver did not take it and it can be divided.
async fn settle(
    app: &App,
    destination: &Destination,
    health: &Health,
    piece: &Piece,
    is_last_word: bool,
) -> Result<Result<bool, Waits>> {
    if piece.samples > 0 {
        match send(destination, piece.encode()?).await {
            Outcome::Taken => {
                add(&health.sent, piece.samples);
                health.taken_at.store(now().get(), Ordering::Relaxed);
                if health.set_problem(None) {
                    tracing::info!(destination = destination.name, "remote write goes on");
                }
            }
            Outcome::Unfit(_) if !is_last_word => return Ok(Ok(false)),
            Outcome::Unfit(problem) => {
                add(&health.refused, piece.samples);
                let whose = piece.series.first().map(|series| &series.labels);
                let whose = whose.and_then(|all| all.iter().find(|label| label.name == "endpoint"));
                let id = whose.map_or("", |label| label.value.as_str());
                tracing::warn!(
                    destination = destination.name,
                    endpoint.id = id,
                    "samples not taken: {problem}"
                );
            }
            Outcome::Later { problem, after } => {
                crate::metrics::count(&health.failures);
                if health.set_problem(Some(problem.clone())) {
                    tracing::warn!(destination = destination.name, "remote write waits: {problem}");
                }
                return Ok(Err(Waits { after }));
            }
        }
    }
    let (name, upto) = (destination.name.clone(), piece.upto);
    app.db.write(move |tx| tx.advance_outgoing(&name, upto)).await?;
    Ok(Ok(true))
}

/// Forgets what every destination has, and what retention no longer holds.
async fn forget(app: &App) -> Result<()> {
    let names: Vec<String> = app.config.remote_write.iter().map(|one| one.name.clone()).collect();
    let before = now().get().saturating_sub(app.config.retention.raw_seconds_max());
    app.db.write(move |tx| tx.forget_outgoing(&names, before)).await?;
    Ok(())
}

/// What `preflight` shows of each.
pub(crate) async fn checks(app: &App) -> Result<Vec<Check>, StoreError> {
    let mut checks = Vec::new();
    for (destination, health) in app.config.remote_write.iter().zip(&app.remote_write) {
        let name = destination.name.clone();
        let waiting = app.db.read(move |tx| tx.outgoing_waiting(&name)).await?;
        let age_s = waiting.since.map_or(0, |since| now().get().saturating_sub(since));
        let check = format!("remote_write.{}", destination.name);
        checks.push(match health.problem() {
            None if age_s < LATE_S => Check::ok(&check, "has what endpoints measured"),
            problem => {
                let entries = waiting.entries;
                let why = problem.unwrap_or_else(|| "it is slow".to_owned());
                let found = format!("{entries} reports wait, the oldest for {age_s} s: {why}");
                Check::warn(
                    &check,
                    found,
                    "look at the receiver, and at `[[remote_write]]` in server.toml",
                )
            }
        });
    }
    Ok(checks)
}
