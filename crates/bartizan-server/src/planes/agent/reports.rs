//! Reports: stored with the floor of their endpoint in one transaction, then acknowledged. Whoever is killed when, each is
//! stored once.
//!
//! They wait for the database beside the conversation: a freeze does not stand behind them.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bartizan_proto::message::{Message, Report, ReportKind};
use bartizan_store::{ReportPlace, StoreError, Taken, Tx};
use bartizan_trust::id::EndpointId;
use bartizan_trust::time::UnixSeconds;
use tokio::task::JoinHandle;

use super::checks;
use super::session::Session;
use crate::app::now;
use crate::inventory;
use crate::metrics::count;
use crate::series;

/// Reports of one endpoint that are read and not stored. A guard has eight on their way at most, so its heartbeats are read
/// while they wait.
const REPORTS_MAX: usize = 16;
/// How far ahead of the server an endpoint's clock may be before its time is not taken as it is.
const AHEAD_MAX_S: u64 = 600;

/// A report as its kind's own module takes it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Observed<'r> {
    pub(crate) endpoint: EndpointId,
    /// Whether it is let in.
    pub(crate) admitted: bool,
    /// The endpoint's time, at most ten minutes ahead of the server's.
    pub(crate) at: UnixSeconds,
    /// How much later it said that it was.
    pub(crate) ahead_s: u64,
    /// When it came.
    pub(crate) received: UnixSeconds,
    /// Whether somebody else gets what it measures.
    pub(crate) is_written_out: bool,
    pub(crate) bytes: &'r [u8],
}

/// What became of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// What it holds is in the database.
    Stored,
    /// So many samples are.
    Samples(u64),
    /// This server has no use for its kind.
    Unread,
    /// It is not what it says; this code says why.
    Refused(&'static str),
    /// A change to an inventory that this server does not have: the whole is asked for.
    Unfit,
}

/// What became of some reports of one endpoint.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    /// The newest of the last spool's that is stored.
    floor: Option<(u64, u64)>,
    fates: Vec<Fate>,
    known: u64,
    clamped: u64,
}

type Storing = JoinHandle<Result<Outcome, StoreError>>;

/// Reports of one connection that are not stored yet.
#[derive(Default)]
pub(super) struct Incoming {
    waiting: Vec<Report>,
    /// Those that are on their way into the database, and how many.
    storing: Option<(Storing, usize)>,
    /// From quarantine came one that has to wait; what follows it would pass it.
    held: bool,
}

impl Incoming {
    /// Whether another one may be read.
    pub(super) fn has_room(&self) -> bool {
        self.waiting.len() + self.storing.as_ref().map_or(0, |(_, count)| *count) < REPORTS_MAX
    }

    /// Waits until those that are on their way are stored; for ever when there are none. May be dropped and asked again.
    pub(super) async fn stored(&mut self) -> Result<Outcome, StoreError> {
        let Some((storing, _)) = self.storing.as_mut() else { return std::future::pending().await };
        let outcome = storing.await;
        self.storing = None;
        outcome.unwrap_or(Err(StoreError::Closed))
    }
}

impl Session {
    // SPEC: agent-plane.md "Reports"
    pub(super) fn take_report(&mut self, report: Report) {
        let reports = &mut self.reports;
        reports.held |= !self.admitted && report.kind != ReportKind::Inventory.code();
        if reports.held && !self.admitted {
            // Neither stored nor acknowledged: the endpoint keeps it, and whatever follows, until it is admitted.
            count(&self.app.metrics.reports_kept_back);
        } else {
            reports.waiting.push(report);
        }
    }

    /// Sends what waits on its way, unless others are.
    pub(super) fn store_reports(&mut self) {
        let incoming = &mut self.reports;
        if incoming.storing.is_some() || incoming.waiting.is_empty() {
            return;
        }
        let sender = Sender {
            endpoint: self.id,
            admitted: self.admitted,
            is_written_out: !self.app.config.remote_write.is_empty(),
        };
        let reports = std::mem::take(&mut incoming.waiting);
        let (app, many) = (Arc::clone(&self.app), reports.len());
        let storing =
            async move { app.db.report(move |tx| store(tx, sender, &reports, now())).await };
        incoming.storing = Some((tokio::spawn(storing), many));
    }

    pub(super) async fn confirm_reports(&mut self, outcome: Outcome) -> anyhow::Result<()> {
        let metrics = &self.app.metrics;
        for fate in &outcome.fates {
            count(match fate {
                Fate::Stored => &metrics.reports_stored,
                Fate::Samples(many) => {
                    metrics.samples_stored.fetch_add(*many, Ordering::Relaxed);
                    &metrics.reports_stored
                }
                Fate::Unread => &metrics.reports_unread,
                Fate::Unfit => &metrics.reports_unfit,
                Fate::Refused(why) => {
                    tracing::warn!(endpoint.id = %self.id, "a report is refused: {why}");
                    &metrics.reports_refused
                }
            });
        }
        metrics.reports_known.fetch_add(outcome.known, Ordering::Relaxed);
        metrics.reports_clamped.fetch_add(outcome.clamped, Ordering::Relaxed);
        let Some((epoch, seq)) = outcome.floor else { return Ok(()) };
        self.send(&Message::ReportStored { epoch, seq }).await?;
        if outcome.fates.contains(&Fate::Unfit) {
            self.send(&Message::InventoryRequest).await?;
        }
        Ok(())
    }
}

/// Who reports.
#[derive(Debug, Clone, Copy)]
struct Sender {
    endpoint: EndpointId,
    admitted: bool,
    is_written_out: bool,
}

fn store(
    tx: &mut Tx<'_>,
    sender: Sender,
    reports: &[Report],
    received: UnixSeconds,
) -> Result<Outcome, StoreError> {
    let Sender { endpoint, admitted, is_written_out } = sender;
    let mut outcome = Outcome::default();
    for report in reports {
        let (epoch, seq) = (report.epoch, report.seq);
        let place = ReportPlace { epoch, seq, dropped: report.dropped };
        let floor = match tx.take_report(endpoint, place)? {
            Taken::Known(floor) => {
                outcome.known += 1;
                floor
            }
            Taken::New => {
                let at = report.at.min(received.get() + AHEAD_MAX_S);
                outcome.clamped += u64::from(at != report.at);
                let (at, ahead_s) = (UnixSeconds::new(at), report.at - at);
                let bytes = &report.bytes;
                let observed =
                    Observed { endpoint, admitted, at, ahead_s, received, is_written_out, bytes };
                let fate = keep(tx, report.kind, &observed)?;
                if let Fate::Refused(why) = fate {
                    tx.refuse_report(endpoint, why)?;
                }
                outcome.fates.push(fate);
                seq
            }
        };
        outcome.floor = Some((epoch, floor));
    }
    Ok(outcome)
}

/// Each kind has its own module. An error here is the database's; what an endpoint gets wrong is a [`Fate`].
fn keep(tx: &mut Tx<'_>, kind: u8, observed: &Observed<'_>) -> Result<Fate, StoreError> {
    match ReportKind::of(kind) {
        Some(ReportKind::Inventory) => inventory::keep(tx, observed),
        Some(ReportKind::Samples) => series::keep(tx, observed),
        Some(ReportKind::Checks) => checks::keep(tx, observed),
        Some(ReportKind::Events) | None => Ok(Fate::Unread),
    }
}
