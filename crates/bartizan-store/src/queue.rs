//! The one thread that owns the database, and group commit.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use crate::engine::{Engine, Location, Tx};
use crate::error::StoreError;
use crate::schema;

/// Most operations that wait; callers beyond it are told so at once.
pub const QUEUE_MAX: usize = 1024;
/// Most operations that share one transaction: bounds how long the first one waits for the last.
const GROUP_MAX: usize = 128;

/// Whether an operation changes anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// It only looks.
    Read,
    /// It changes something.
    Write,
}

type Reply = Box<dyn FnOnce(Result<(), String>) + Send>;
/// Runs inside the transaction; without one (it could not be begun) it does nothing but answer.
type Operation = Box<dyn FnOnce(Option<&mut Engine>) -> Reply + Send>;

enum Request {
    Run { access: Access, operation: Operation },
    Stop,
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
#[derive(Debug)]
pub struct Store {
    queue: SyncSender<Request>,
    thread: Option<JoinHandle<()>>,
    counters: Arc<StoreCounters>,
}

impl Store {
    /// Opens the database, checks it, brings the schema up to date and starts the thread.
    pub fn open(location: &Location) -> Result<Self, StoreError> {
        let (queue, requests) = sync_channel(QUEUE_MAX);
        let (opened, result) = sync_channel(1);
        let counters = Arc::new(StoreCounters::default());
        let (location, shared) = (location.clone(), Arc::clone(&counters));
        let thread = std::thread::Builder::new()
            .name("database".to_owned())
            .spawn(move || {
                let engine = Engine::open(&location).and_then(|mut engine| {
                    schema::migrate(&mut engine)?;
                    Ok(engine)
                });
                match engine {
                    Ok(engine) => {
                        let _ = opened.send(Ok(()));
                        serve(engine, &location, &requests, &shared);
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
        let request = Request::Run { access, operation: Box::new(run) };
        self.queue.try_send(request).map_err(|error| {
            self.counters.queued.fetch_sub(1, Ordering::Relaxed);
            match error {
                TrySendError::Full(_) => StoreError::Busy,
                TrySendError::Disconnected(_) => StoreError::Closed,
            }
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
        let _ = self.queue.send(Request::Stop);
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

fn serve(
    mut engine: Engine,
    location: &Location,
    requests: &Receiver<Request>,
    counters: &StoreCounters,
) {
    while let Ok(first) = requests.recv() {
        let mut group = Vec::new();
        let mut stop = collect(first, &mut group);
        while !stop && group.len() < GROUP_MAX {
            let Ok(next) = requests.try_recv() else { break };
            stop = collect(next, &mut group);
        }
        if !group.is_empty() {
            if engine.is_lost()
                && let Ok(again) = Engine::open(location)
            {
                engine = again;
            }
            commit_group(&mut engine, group, counters);
        }
        if stop {
            break;
        }
    }
    if let Engine::Sqlite(connection) = engine {
        // Leaves one tidy file behind; failing to is harmless.
        let _ = connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)");
    }
}

type Pending = (Access, Operation);

fn collect(request: Request, group: &mut Vec<Pending>) -> bool {
    match request {
        Request::Run { access, operation } => {
            group.push((access, operation));
            false
        }
        Request::Stop => true,
    }
}

fn commit_group(engine: &mut Engine, group: Vec<Pending>, counters: &StoreCounters) {
    let count = u64::try_from(group.len()).unwrap_or(u64::MAX);
    let writes = group.iter().any(|(access, _)| *access == Access::Write);
    let begun = engine.begin(writes);
    let open = begun.is_ok();
    let run = |(_, operation): Pending| operation(open.then_some(&mut *engine));
    let replies: Vec<Reply> = group.into_iter().map(run).collect();
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
