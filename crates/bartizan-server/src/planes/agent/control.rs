//! Pushing the control log: entries an endpoint lacks, and fresh co-signatures.

use std::time::Duration;

use bartizan_proto::message::Message;
use bartizan_store::LogName;
use bartizan_trust::limits::CONTROL_ENTRIES_MAX;
use bartizan_trust::time::UnixSeconds;
use tokio::time::Instant;

use super::session::Session;
use crate::logs::Covered;

/// Bytes of entries in one frame: with a checkpoint it stays well below the frame limit.
const CHUNK_BYTES_MAX: usize = 64 * 1024;
/// Time-only refreshes are no more frequent than this, unless a job waits for one.
const REFRESH_INTERVAL: Duration = Duration::from_mins(1);

/// How far an endpoint has the control log.
#[derive(Debug)]
pub(super) struct ControlCursor {
    size: u64,
    at: UnixSeconds,
    pushed: Option<Instant>,
    /// A newer time is known and waits for its interval.
    due: Option<Instant>,
}

impl ControlCursor {
    pub(super) const fn new(size: u64) -> Self {
        Self { size, at: UnixSeconds::ZERO, pushed: None, due: None }
    }

    /// The endpoint wants entries from here on.
    pub(super) fn rewind(&mut self, from: u64) {
        self.size = from;
        self.at = UnixSeconds::ZERO;
    }

    pub(super) const fn due_at(&self) -> Option<Instant> {
        self.due
    }
}

impl Session {
    /// Sends what is newer than what was sent. `at_once` does not wait for the refresh interval.
    pub(super) async fn push_control(&mut self, at_once: bool) -> anyhow::Result<()> {
        self.control.due = None;
        let Some(organisation) = self.app.organisation() else { return Ok(()) };
        let policy = &organisation.log.policy;
        let Some(covered) = self.app.logs.control.covered(policy, policy.quorum(), 1) else {
            return Ok(());
        };
        if covered.size < self.control.size {
            // Somebody shrank our log; the endpoint would refuse.
            tracing::warn!(endpoint.id = %self.id, "the endpoint has seen a longer control log");
            return Ok(());
        }
        if covered.size == self.control.size
            && covered.at <= self.control.at
            && self.control.pushed.is_some()
        {
            return Ok(());
        }
        let early =
            self.control.pushed.map(|at| at + REFRESH_INTERVAL).filter(|at| *at > Instant::now());
        if covered.size == self.control.size && !at_once && early.is_some() {
            self.control.due = early;
            return Ok(());
        }
        self.send_control(&covered).await?;
        self.control.size = covered.size;
        self.control.at = covered.at;
        self.control.pushed = Some(Instant::now());
        Ok(())
    }

    /// Entries up to the checkpoint in chunks, each with the checkpoint; the endpoint collects them.
    async fn send_control(&mut self, covered: &Covered) -> anyhow::Result<()> {
        let (start, end) = (self.control.size, covered.size);
        let entries =
            self.app.db.read(move |tx| tx.log_entries(LogName::Control, start, end)).await?;
        let mut start = start;
        let mut rest = entries.as_slice();
        loop {
            let (chunk, more) = rest.split_at(chunk_length(rest));
            let message = Message::Control {
                start,
                entries: chunk.to_vec(),
                checkpoint: covered.note.clone(),
            };
            self.send(&message).await?;
            start += u64::try_from(chunk.len()).unwrap_or(0);
            rest = more;
            if rest.is_empty() {
                return Ok(());
            }
        }
    }
}

/// How many entries fit into one frame; at least one, if there is one.
fn chunk_length(entries: &[Vec<u8>]) -> usize {
    let mut bytes = 0;
    let fits = |entry: &&Vec<u8>| {
        bytes += entry.len();
        bytes <= CHUNK_BYTES_MAX
    };
    let count = entries.iter().take(CONTROL_ENTRIES_MAX).take_while(fits).count();
    count.max(usize::from(!entries.is_empty()))
}
