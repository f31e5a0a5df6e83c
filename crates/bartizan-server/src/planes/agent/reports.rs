//! Reports: stored with the floor of their endpoint in one transaction, then acknowledged. Whoever is killed when, each is
//! stored once.

use std::sync::atomic::Ordering;

use bartizan_proto::message::{Message, Report, ReportKind};
use bartizan_store::{ReportPlace, StoreError, Taken, Tx};
use bartizan_trust::id::EndpointId;
use bartizan_trust::time::UnixSeconds;

use super::checks;
use super::session::Session;
use crate::app::now;
use crate::inventory;
use crate::metrics::{add, count};
use crate::series;

/// Reports of one endpoint that are stored at once.
pub(super) const REPORTS_AT_ONCE: usize = 16;
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
struct Outcome {
    /// The newest of the last spool's that is stored.
    floor: Option<(u64, u64)>,
    fates: Vec<Fate>,
    known: u64,
    clamped: u64,
}

impl Session {
    // SPEC: agent-plane.md "Reports"
    pub(super) async fn accept_reports(&mut self, mut reports: Vec<Report>) -> anyhow::Result<()> {
        let metrics = &self.app.metrics;
        if !self.admitted {
            // Neither stored nor acknowledged: the endpoint keeps them, and whatever follows, until it is admitted.
            let taken = |report: &Report| report.kind == ReportKind::Inventory.code();
            let first_other = reports.iter().position(|report| !taken(report));
            let end = if self.reports_held { Some(0) } else { first_other };
            let kept_back = reports.split_off(end.unwrap_or(reports.len()));
            self.reports_held |= !kept_back.is_empty();
            add(&metrics.reports_kept_back, kept_back.len());
        }
        if reports.is_empty() {
            return Ok(());
        }
        let (id, admitted) = (self.id, self.admitted);
        let outcome =
            self.app.db.write(move |tx| store(tx, (id, admitted), &reports, now())).await?;
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
                    tracing::warn!(endpoint.id = %id, "a report is refused: {why}");
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

fn store(
    tx: &mut Tx<'_>,
    (endpoint, admitted): (EndpointId, bool),
    reports: &[Report],
    received: UnixSeconds,
) -> Result<Outcome, StoreError> {
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
                let observed = Observed { endpoint, admitted, at, ahead_s, received, bytes };
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
