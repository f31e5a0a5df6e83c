//! The one thread that owns the database, and group commit.
//!
//! Two lanes lead to it. What people and jobs wait for goes first; what endpoints report on their own goes in what time is
//! left, a part in every group, so that a flood of reports delays a freeze by milliseconds and neither lane stands still.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::engine::{Engine, Location, Tx};
use crate::error::StoreError;
use crate::schema;

/// Most operations that wait in a lane; callers beyond it are told so at once.
pub const QUEUE_MAX: usize = 1024;
/// Most operations of a lane that share one transaction: bounds how long the first one waits for the last.
const GROUP_MAX: usize = 128;
/// A group takes no further report after so long: about what a group's commit takes on a slow disk.
const REPORTS_TIME: Duration = Duration::from_millis(20);

/// Whether an operation changes anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// It only looks.
    Read,
    /// It changes something.
    Write,
    /// It changes something that nobody waits for: it is done after what others want.
    Report,
}

type Reply = Box<dyn FnOnce(Result<(), String>) + Send>;
/// Runs inside the transaction; without one (it could not be begun) it does nothing but answer.
type Operation = Box<dyn FnOnce(Option<&mut Engine>) -> Reply + Send>;
type Pending = (Access, Operation);

/// What waits for the thread.
#[derive(Default)]
struct Lanes {
    urgent: VecDeque<Pending>,
    reports: VecDeque<Pending>,
    /// Nothing more is taken; what is here is still done.
    stopping: bool,
    /// The thread is gone.
    gone: bool,
}

impl Lanes {
    fn lane(&mut self, access: Access) -> &mut VecDeque<Pending> {
        if access == Access::Report { &mut self.reports } else { &mut self.urgent }
    }

    fn is_empty(&self) -> bool {
        self.urgent.is_empty() && self.reports.is_empty()
    }
}

#[derive(Default)]
struct Queue {
    lanes: Mutex<Lanes>,
    arrived: Condvar,
}

impl Queue {
    fn lanes(&self) -> MutexGuard<'_, Lanes> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, pending: Pending) -> Result<(), StoreError> {
        let mut lanes = self.lanes();
        if lanes.stopping || lanes.gone {
            return Err(StoreError::Closed);
        }
        let lane = lanes.lane(pending.0);
        if lane.len() >= QUEUE_MAX {
            return Err(StoreError::Busy);
        }
        lane.push_back(pending);
        drop(lanes);
        self.arrived.notify_one();
        Ok(())
    }

    /// Waits for something to do: what is urgent, and whether reports wait. Nothing when it is over.
    fn take(&self) -> Option<(Vec<Pending>, bool)> {
        let mut lanes = self.lanes();
        while lanes.is_empty() {
            if lanes.stopping {
                return None;
            }
            lanes = self.arrived.wait(lanes).unwrap_or_else(PoisonError::into_inner);
        }
        let count = lanes.urgent.len().min(GROUP_MAX);
        let urgent = lanes.urgent.drain(..count).collect();
        Some((urgent, !lanes.reports.is_empty()))
    }

    /// The next report of a group that has `done` already, unless its time is over or somebody waits.
    fn next_report(&self, done: usize, begun: Instant) -> Option<Pending> {
        let mut lanes = self.lanes();
        let enough =
            done >= GROUP_MAX || begun.elapsed() >= REPORTS_TIME || !lanes.urgent.is_empty();
        if done > 0 && enough { None } else { lanes.reports.pop_front() }
    }

    fn stop(&self) {
        self.lanes().stopping = true;
        self.arrived.notify_one();
    }
}

/// Whoever still waits when the thread ends, however it ends, is told so: its operation is dropped, and its answer with it.
struct Leaving(Arc<Queue>);

impl Drop for Leaving {
    fn drop(&mut self) {
        let mut lanes = self.0.lanes();
        lanes.gone = true;
        let left = (std::mem::take(&mut lanes.urgent), std::mem::take(&mut lanes.reports));
        drop(lanes);
        drop(left);
    }
}

/// Figures for the metrics page.
#[derive(Debug, Default)]
pub struct StoreCounters {
    /// Operations that wait now.
    pub queued: AtomicU64,
    /// Transactions committed.
    pub commits: AtomicU64,
    /// Operations done.
    pub operations: AtomicU64,
}

/// The store: send it operations.
pub struct Store {
    queue: Arc<Queue>,
    thread: Option<JoinHandle<()>>,
    counters: Arc<StoreCounters>,
}

impl core::fmt::Debug for Store {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        out.debug_struct("Store").field("counters", &self.counters).finish_non_exhaustive()
    }
}

impl Store {
    /// Opens the database, checks it, brings the schema up to date and starts the thread.
    pub fn open(location: &Location) -> Result<Self, StoreError> {
        let queue = Arc::new(Queue::default());
        let (opened, result) = sync_channel(1);
        let counters = Arc::new(StoreCounters::default());
        let (location, shared) = (location.clone(), Arc::clone(&counters));
        let leaving = Leaving(Arc::clone(&queue));
        let thread = std::thread::Builder::new()
            .name("database".to_owned())
            .spawn(move || {
                let leaving = leaving;
                let engine = Engine::open(&location).and_then(|mut engine| {
                    schema::migrate(&mut engine)?;
                    Ok(engine)
                });
                match engine {
                    Ok(engine) => {
                        let _ = opened.send(Ok(()));
                        serve(engine, &location, &leaving.0, &shared);
                    }
                    Err(error) => {
                        let _ = opened.send(Err(error));
                    }
                }
            })
            .map_err(|error| StoreError::Open(error.to_string()))?;
        result.recv().map_err(|_| StoreError::Closed)??;
        Ok(Self { queue, thread: Some(thread), counters })
    }

    /// Queues an operation. `reply` is called on the database thread once the transaction that holds it
    /// is committed, or when it failed. An operation that fails leaves no trace; its neighbours are not affected.
    pub fn submit<T: Send + 'static>(
        &self,
        access: Access,
        operation: impl FnOnce(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
        reply: impl FnOnce(Result<T, StoreError>) + Send + 'static,
    ) -> Result<(), StoreError> {
        let run = move |engine: Option<&mut Engine>| -> Reply {
            let result = engine.map_or(Err(StoreError::Busy), |e| within_savepoint(e, operation));
            Box::new(move |committed: Result<(), String>| {
                reply(match committed {
                    Ok(()) => result,
                    Err(problem) => Err(StoreError::Commit(problem)),
                });
            })
        };
        self.counters.queued.fetch_add(1, Ordering::Relaxed);
        self.queue.put((access, Box::new(run))).inspect_err(|_| {
            self.counters.queued.fetch_sub(1, Ordering::Relaxed);
        })
    }

    /// Queues an operation and waits for it. Not for use on an async thread.
    pub fn call<T: Send + 'static>(
        &self,
        access: Access,
        operation: impl FnOnce(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (sender, receiver) = sync_channel(1);
        self.submit(access, operation, move |result| {
            let _ = sender.send(result);
        })?;
        receiver.recv().map_err(|_| StoreError::Closed)?
    }

    /// Figures for the metrics page.
    pub fn counters(&self) -> &StoreCounters {
        &self.counters
    }

    /// Finishes what is queued and closes the database.
    pub fn close(&mut self) {
        self.queue.stop();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.close();
    }
}

fn within_savepoint<T>(
    engine: &mut Engine,
    operation: impl FnOnce(&mut Tx<'_>) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    engine.step("SAVEPOINT operation")?;
    let result = operation(&mut Tx { engine });
    if result.is_err() {
        engine.step("ROLLBACK TO SAVEPOINT operation")?;
    }
    engine.step("RELEASE SAVEPOINT operation")?;
    result
}

fn serve(mut engine: Engine, location: &Location, queue: &Queue, counters: &StoreCounters) {
    while let Some((urgent, has_reports)) = queue.take() {
        if engine.is_lost()
            && let Ok(again) = Engine::open(location)
        {
            engine = again;
        }
        commit_group(&mut engine, urgent, has_reports.then_some(queue), counters);
    }
    if let Engine::Sqlite(connection) = engine {
        // Leaves one tidy file behind; failing to is harmless.
        let _ = connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)");
    }
}

fn commit_group(
    engine: &mut Engine,
    urgent: Vec<Pending>,
    reports: Option<&Queue>,
    counters: &StoreCounters,
) {
    let writes = reports.is_some() || urgent.iter().any(|(access, _)| *access != Access::Read);
    let begun = engine.begin(writes);
    let open = begun.is_ok();
    let mut replies: Vec<Reply> = Vec::new();
    for (_, operation) in urgent {
        replies.push(operation(open.then_some(&mut *engine)));
    }
    let (start, mut done) = (Instant::now(), 0);
    while let Some((_, operation)) = reports.and_then(|queue| queue.next_report(done, start)) {
        replies.push(operation(open.then_some(&mut *engine)));
        done += 1;
    }
    let count = u64::try_from(replies.len()).unwrap_or(u64::MAX);
    let committed = begun.and_then(|()| engine.step("COMMIT")).map_err(|error| error.to_string());
    if committed.is_err() {
        let _ = engine.batch("ROLLBACK");
    }
    counters.queued.fetch_sub(count, Ordering::Relaxed);
    counters.operations.fetch_add(count, Ordering::Relaxed);
    counters.commits.fetch_add(1, Ordering::Relaxed);
    for reply in replies {
        reply(committed.clone());
    }
}
