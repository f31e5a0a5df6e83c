//! What happened to jobs lately, for people who watch. Bounded; the truth is in the receipts.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bartizan_proto::operator::JobEvent;
use bartizan_trust::id::StatementId;
use bartizan_trust::time::UnixSeconds;
use tokio::sync::Notify;

/// Jobs whose events are kept; the longest unused leaves first.
const JOBS_MAX: usize = 64;
/// Bytes of output kept per job.
const OUTPUT_BYTES_MAX: usize = 1024 * 1024;
/// Events kept per job.
const EVENTS_MAX: usize = 16 * 1024;
/// Events in one answer.
const ANSWER_MAX: usize = 512;

/// Events of one job.
#[derive(Debug, Default)]
struct Ring {
    events: VecDeque<(u64, JobEvent)>,
    bytes: usize,
    used: u64,
    wake: Arc<Notify>,
}

/// Events of recent jobs.
#[derive(Debug)]
pub(crate) struct Events {
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    rings: HashMap<StatementId, Ring>,
    next: u64,
}

impl Events {
    /// Numbers go on rising over restarts, because they begin with the time.
    pub(crate) fn new(now: UnixSeconds) -> Self {
        Self { inner: Mutex::new(Inner { rings: HashMap::new(), next: now.get() << 20 }) }
    }

    /// Whether anything of a job is kept.
    pub(crate) fn knows(&self, job: StatementId) -> bool {
        self.lock().rings.contains_key(&job)
    }

    /// Adds an event and wakes who waits for it.
    pub(crate) fn push(&self, job: StatementId, event: JobEvent) {
        let mut inner = self.lock();
        inner.next += 1;
        let number = inner.next;
        inner.make_room(job);
        let ring = inner.rings.entry(job).or_default();
        ring.used = number;
        ring.bytes += output_bytes(&event);
        ring.events.push_back((number, event));
        while ring.bytes > OUTPUT_BYTES_MAX || ring.events.len() > EVENTS_MAX {
            let Some((_, dropped)) = ring.events.pop_front() else { break };
            ring.bytes -= output_bytes(&dropped);
        }
        ring.wake.notify_waiters();
    }

    /// Wakes who waits for a job, because its state changed.
    pub(crate) fn poke(&self, job: StatementId) {
        if let Some(ring) = self.lock().rings.get(&job) {
            ring.wake.notify_waiters();
        }
    }

    /// Events after a number, and the number to ask with next.
    pub(crate) fn after(&self, job: StatementId, after: u64) -> (Vec<JobEvent>, u64) {
        let inner = self.lock();
        let Some(ring) = inner.rings.get(&job) else { return (Vec::new(), after) };
        let newer = ring.events.iter().filter(|(number, _)| *number > after).take(ANSWER_MAX);
        let next = newer.clone().last().map_or(after, |(number, _)| *number);
        (newer.map(|(_, event)| event.clone()).collect(), next)
    }

    /// Wakes at the next event of a job.
    pub(crate) fn waker(&self, job: StatementId) -> Arc<Notify> {
        let mut inner = self.lock();
        inner.make_room(job);
        Arc::clone(&inner.rings.entry(job).or_default().wake)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn make_room(&mut self, job: StatementId) {
        if self.rings.len() < JOBS_MAX || self.rings.contains_key(&job) {
            return;
        }
        let oldest = self.rings.iter().min_by_key(|(_, ring)| ring.used).map(|(id, _)| *id);
        if let Some(oldest) = oldest {
            self.rings.remove(&oldest);
        }
    }
}

fn output_bytes(event: &JobEvent) -> usize {
    match event {
        JobEvent::Target(_) => 0,
        JobEvent::Output { bytes, .. } => bytes.len(),
    }
}
