//! The server as a whole program: real processes, loopback, directories of their own.
#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]
#![expect(clippy::indexing_slicing, reason = "a test that cannot go on fails")]

mod alerts;
mod checks;
mod config;
mod endpoints;
mod planes;
mod program;
mod prometheus;
mod promql;
mod remote_write;
mod reports;
mod series;
mod setup;

use std::time::{SystemTime, UNIX_EPOCH};

use bartizan_trust::time::UnixSeconds;

fn now() -> UnixSeconds {
    UnixSeconds::new(SystemTime::now().duration_since(UNIX_EPOCH).expect("clock").as_secs())
}

/// Runs an async test body.
fn wait_for<T>(body: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("runtime")
        .block_on(body)
}
