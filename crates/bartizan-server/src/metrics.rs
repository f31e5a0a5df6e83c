//! Figures in the Prometheus text format.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use bartizan_store::{LogName, StoreError};

use crate::app::App;

/// Counters that only rise.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    pub(crate) frames_in: AtomicU64,
    pub(crate) frames_out: AtomicU64,
    pub(crate) handshakes_refused: AtomicU64,
    pub(crate) receipts: AtomicU64,
    pub(crate) jobs_delivered: AtomicU64,
    /// What they hold is in the database.
    pub(crate) reports_stored: AtomicU64,
    /// Sent again; they had been stored before.
    pub(crate) reports_known: AtomicU64,
    /// Of a kind without a use here.
    pub(crate) reports_unread: AtomicU64,
    /// Not what they said they were.
    pub(crate) reports_refused: AtomicU64,
    pub(crate) reports_unfit: AtomicU64,
    /// From quarantine, and to be sent again once the endpoint is admitted.
    pub(crate) reports_kept_back: AtomicU64,
    /// Values in reports that are stored.
    pub(crate) samples_stored: AtomicU64,
    /// Values that were stored and did not fit their endpoint's chunk.
    pub(crate) samples_cut_off: AtomicU64,
    /// Windows of series that were put together.
    pub(crate) windows_closed: AtomicU64,
    /// With a time too far ahead.
    pub(crate) reports_clamped: AtomicU64,
    /// Times that an endpoint's reports had to wait because it sent too many.
    pub(crate) report_floods: AtomicU64,
}

/// Adds one.
pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// Adds so many.
pub(crate) fn add(counter: &AtomicU64, many: usize) {
    counter.fetch_add(u64::try_from(many).unwrap_or_default(), Ordering::Relaxed);
}

/// The whole page.
pub(crate) async fn page(app: &App) -> Result<String, StoreError> {
    let (endpoints, jobs, receipts) = app
        .db
        .read(|tx| Ok((tx.endpoint_counts()?, tx.job_counts()?, tx.receipt_count()?)))
        .await?;
    let (alerts, waiting) =
        app.db.read(|tx| Ok((tx.alert_counts()?, tx.waiting_notifications()?))).await?;
    let mut out = String::new();
    let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let (m, store) = (&app.metrics, app.db.counters());
    series(
        &mut out,
        "bartizan_agent_connections",
        "gauge",
        &[("", u64::try_from(app.hub.count()).unwrap_or(0))],
    );
    labelled(&mut out, "bartizan_endpoints", "standing", &endpoints);
    labelled(&mut out, "bartizan_jobs", "state", &jobs);
    labelled(&mut out, "bartizan_alerts", "phase", &alerts);
    labelled(&mut out, "bartizan_notifications_waiting", "channel", &waiting);
    let sizes = [LogName::Control, LogName::Jobs]
        .map(|log| (log.name().to_owned(), app.logs.log(log).size()));
    labelled(&mut out, "bartizan_log_entries", "log", &sizes);
    series(&mut out, "bartizan_receipts_stored", "gauge", &[("", receipts)]);
    series(&mut out, "bartizan_receipts_total", "counter", &[("", load(&m.receipts))]);
    series(&mut out, "bartizan_jobs_delivered_total", "counter", &[("", load(&m.jobs_delivered))]);
    let reports = [
        ("{fate=\"stored\"}", load(&m.reports_stored)),
        ("{fate=\"known\"}", load(&m.reports_known)),
        ("{fate=\"unread\"}", load(&m.reports_unread)),
        ("{fate=\"refused\"}", load(&m.reports_refused)),
        ("{fate=\"unfit\"}", load(&m.reports_unfit)),
        ("{fate=\"kept_back\"}", load(&m.reports_kept_back)),
    ];
    series(&mut out, "bartizan_reports_total", "counter", &reports);
    series(
        &mut out,
        "bartizan_reports_clamped_total",
        "counter",
        &[("", load(&m.reports_clamped))],
    );
    series(&mut out, "bartizan_report_floods_total", "counter", &[("", load(&m.report_floods))]);
    series(&mut out, "bartizan_samples_stored_total", "counter", &[("", load(&m.samples_stored))]);
    series(
        &mut out,
        "bartizan_samples_cut_off_total",
        "counter",
        &[("", load(&m.samples_cut_off))],
    );
    series(
        &mut out,
        "bartizan_series_windows_closed_total",
        "counter",
        &[("", load(&m.windows_closed))],
    );
    remote_write(&mut out, app).await?;
    let frames =
        [("{direction=\"in\"}", load(&m.frames_in)), ("{direction=\"out\"}", load(&m.frames_out))];
    series(&mut out, "bartizan_frames_total", "counter", &frames);
    series(
        &mut out,
        "bartizan_handshakes_refused_total",
        "counter",
        &[("", load(&m.handshakes_refused))],
    );
    series(&mut out, "bartizan_database_queue", "gauge", &[("", load(&store.queued))]);
    series(&mut out, "bartizan_database_commits_total", "counter", &[("", load(&store.commits))]);
    series(
        &mut out,
        "bartizan_database_operations_total",
        "counter",
        &[("", load(&store.operations))],
    );
    Ok(out)
}

async fn remote_write(out: &mut String, app: &App) -> Result<(), StoreError> {
    let (mut samples, mut failures, mut taken) = (Vec::new(), Vec::new(), Vec::new());
    let (mut waiting, mut lag) = (Vec::new(), Vec::new());
    for (destination, health) in app.config.remote_write.iter().zip(&app.remote_write) {
        let name = destination.name.clone();
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let of = format!("{{destination=\"{name}\"}}");
        for (fate, counter) in [("sent", &health.sent), ("refused", &health.refused)] {
            let labels = format!("{{destination=\"{name}\",fate=\"{fate}\"}}");
            samples.push((labels, load(counter)));
        }
        failures.push((of.clone(), load(&health.failures)));
        taken.push((of.clone(), load(&health.taken_at)));
        let found = app.db.read(move |tx| tx.outgoing_waiting(&name)).await?;
        waiting.push((of.clone(), found.entries));
        let now = crate::app::now().get();
        lag.push((of, found.since.map_or(0, |since| now.saturating_sub(since))));
    }
    for (name, kind, values) in [
        ("bartizan_remote_write_samples_total", "counter", samples),
        ("bartizan_remote_write_failures_total", "counter", failures),
        ("bartizan_remote_write_taken_at_seconds", "gauge", taken),
        ("bartizan_remote_write_waiting_reports", "gauge", waiting),
        ("bartizan_remote_write_waiting_seconds", "gauge", lag),
    ] {
        let values: Vec<(&str, u64)> =
            values.iter().map(|(labels, value)| (labels.as_str(), *value)).collect();
        if !values.is_empty() {
            series(out, name, kind, &values);
        }
    }
    Ok(())
}

fn series(out: &mut String, name: &str, kind: &str, values: &[(&str, u64)]) {
    let _ = writeln!(out, "# TYPE {name} {kind}");
    for (labels, value) in values {
        let _ = writeln!(out, "{name}{labels} {value}");
    }
}

fn labelled(out: &mut String, name: &str, label: &str, values: &[(String, u64)]) {
    let _ = writeln!(out, "# TYPE {name} gauge");
    for (value, number) in values {
        // States come from the database, where a hand may have written anything.
        let value: String =
            value.chars().filter(|c| c.is_ascii_alphanumeric() || "_-.".contains(*c)).collect();
        let _ = writeln!(out, "{name}{{{label}=\"{value}\"}} {number}");
    }
}
