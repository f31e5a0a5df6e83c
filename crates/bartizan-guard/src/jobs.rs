//! Jobs on their way in: content that is still missing, refusals already told, jobs at work.

use std::collections::{HashMap, HashSet, VecDeque};
use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;
use std::thread;

use anyhow::Result;
use bartizan_os::cgroup::Delegation;
use bartizan_os::exec::{self, Chunk, Scanner, Stream as OsStream};
use bartizan_os::signals;
use bartizan_os::versions::Measuring;
use bartizan_proto::message::{JobMessage, Message, Stream};
use bartizan_trust::authorize::{Authorized, JobDelivery};
use bartizan_trust::id::{OperatorId, Sha256, StatementId};
use bartizan_trust::state::State;
use bartizan_trust::statement::{Content, Job, Scan, Script};
use bartizan_trust::time::UnixSeconds;

use crate::guard::Event;
use crate::launcher::Launcher;
use crate::results::Keeping;

/// Most jobs at work at once.
pub(crate) const RUNNING_MAX: usize = 16;
/// Most refusals remembered so that each is told once.
const TOLD_MAX: usize = 1024;

/// A piece of content as it came.
pub(crate) struct Piece {
    pub(crate) sha256: Sha256,
    pub(crate) total: u32,
    pub(crate) offset: u32,
    pub(crate) bytes: Vec<u8>,
}

/// A job whose content has not arrived whole.
pub(crate) struct Awaited {
    pub(crate) message: JobMessage,
    pub(crate) content: Content,
    received: Received,
}

/// Scripts fit into memory, updates are written down as they come.
enum Received {
    Memory(Vec<u8>),
    Disk(File, Box<Measuring>),
}

impl Awaited {
    pub(crate) const fn new(message: JobMessage, content: Content) -> Self {
        Self { message, content, received: Received::Memory(Vec::new()) }
    }

    /// The same for an update, which is written into this file.
    pub(crate) fn on_disk(message: JobMessage, content: Content, file: File) -> Self {
        Self { message, content, received: Received::Disk(file, Box::default()) }
    }

    fn len(&self) -> u64 {
        match &self.received {
            Received::Memory(bytes) => u64::try_from(bytes.len()).unwrap_or(u64::MAX),
            Received::Disk(_, measuring) => measuring.size(),
        }
    }

    /// Takes a piece if it is the next one of the awaited content. True when it is whole; nothing when the piece
    /// belongs to something else, so that nobody waits for what will not come.
    pub(crate) fn take(&mut self, piece: &Piece) -> Option<bool> {
        let end = self.len().checked_add(u64::try_from(piece.bytes.len()).ok()?)?;
        let announced = piece.sha256 == self.content.sha256 && piece.total == self.content.size;
        let next = u64::from(piece.offset) == self.len();
        if !announced || !next || piece.bytes.is_empty() || end > u64::from(self.content.size) {
            return None;
        }
        match &mut self.received {
            Received::Memory(bytes) => bytes.extend_from_slice(&piece.bytes),
            Received::Disk(file, measuring) => {
                let written = file.write_all(&piece.bytes);
                written.and_then(|()| measuring.write_all(&piece.bytes)).ok()?;
            }
        }
        Some(end == u64::from(self.content.size))
    }

    /// A script as far as it came; nothing of an update.
    pub(crate) fn received(&self) -> &[u8] {
        match &self.received {
            Received::Memory(bytes) => bytes,
            Received::Disk(..) => &[],
        }
    }

    /// Whether it is an update.
    pub(crate) const fn is_on_disk(&self) -> bool {
        matches!(self.received, Received::Disk(..))
    }

    /// An update as far as it came.
    pub(crate) fn into_file(self) -> Option<(JobMessage, File, Measuring)> {
        match self.received {
            Received::Memory(_) => None,
            Received::Disk(file, measuring) => Some((self.message, file, *measuring)),
        }
    }
}

/// A delivery as `authorize` takes it.
pub(crate) fn delivery<'a>(message: &'a JobMessage, content: Option<&'a [u8]>) -> JobDelivery<'a> {
    JobDelivery {
        envelope: &message.envelope,
        proof: &message.proof,
        consistency: &message.consistency,
        stage: message.stage,
        index: message.index,
        path: &message.path,
        promotions: &message.promotions,
        content,
        package: None,
    }
}

/// Refusals that have their receipt, so that a server cannot have them written again and again.
#[derive(Default)]
pub(crate) struct Told {
    known: HashSet<(StatementId, &'static str)>,
    order: VecDeque<(StatementId, &'static str)>,
}

impl Told {
    /// True the first time.
    pub(crate) fn is_new(&mut self, job: StatementId, code: &'static str) -> bool {
        if !self.known.insert((job, code)) {
            return false;
        }
        self.order.push_back((job, code));
        if self.order.len() > TOLD_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        true
    }

    /// Everything about a job may be told again.
    pub(crate) fn forget(&mut self, job: StatementId) {
        self.known.retain(|(known, _)| *known != job);
        self.order.retain(|(known, _)| *known != job);
    }
}

/// Jobs at work, by id.
pub(crate) type Running = HashMap<StatementId, Work>;

/// A job at work.
pub(crate) struct Work {
    pub(crate) t0: UnixSeconds,
    /// Of a standing order: when the run was due.
    pub(crate) occurrence: Option<UnixSeconds>,
    statement: Job,
    behind: Vec<OperatorId>,
    frozen: Arc<AtomicBool>,
}

/// What may be done, with its proof.
pub(crate) enum Deed {
    Script(Box<Authorized<Script>>),
    Scan(Box<Authorized<Scan>>, Scanner, Keeping),
}

impl Deed {
    pub(crate) fn job(&self) -> StatementId {
        match self {
            Self::Script(proof) => proof.job(),
            Self::Scan(proof, ..) => proof.job(),
        }
    }

    fn work(&self, t0: UnixSeconds) -> Work {
        match self {
            Self::Script(proof) => Work::of(proof, t0),
            Self::Scan(proof, ..) => Work::of(proof, t0),
        }
    }
}

impl Work {
    fn of<A>(proof: &Authorized<A>, t0: UnixSeconds) -> Self {
        Self {
            t0,
            occurrence: None,
            statement: proof.statement().clone(),
            behind: proof.behind(),
            frozen: Arc::new(AtomicBool::new(false)),
        }
    }

    /// Ends it if a standing freeze covers it, or if it was taken back.
    pub(crate) fn obey(&self, state: &State, id: StatementId) {
        if state.withdrawals.contains(&id)
            || state.freezes.cover(state.floor, id, &self.statement, &self.behind)
        {
            self.frozen.store(true, Ordering::Relaxed);
        }
    }

    /// Whether a freeze ended it.
    pub(crate) fn is_frozen(&self) -> bool {
        self.frozen.load(Ordering::Relaxed)
    }
}

/// Where a job runs and whom it tells.
pub(crate) struct Place {
    pub(crate) folder: PathBuf,
    pub(crate) groups: Option<Arc<Delegation>>,
    pub(crate) events: SyncSender<Event>,
}

/// Runs a job on a thread of its own; what happens comes back as events.
pub(crate) fn start(
    deed: Deed,
    t0: UnixSeconds,
    place: Place,
    launcher: &Launcher,
) -> Result<Work> {
    let job = deed.job();
    let work = deed.work(t0);
    let frozen = Arc::clone(&work.frozen);
    let follow = move || {
        let Place { folder, groups, events } = place;
        let output = events.clone();
        let stop = || signals::stop_requested() || frozen.load(Ordering::Relaxed);
        let sink = |chunk: Chunk<'_>| {
            let stream = match chunk.stream {
                OsStream::Stdout => Stream::Stdout,
                OsStream::Stderr => Stream::Stderr,
            };
            let message =
                Message::Output { job, offset: chunk.offset, stream, bytes: chunk.bytes.to_vec() };
            // The channel is bounded: a script that floods waits here, not in memory.
            let _ = output.send(Event::Output(message));
        };
        let groups = groups.as_deref();
        let report = match deed {
            Deed::Script(proof) => exec::run(proof, &folder, groups, stop, sink),
            Deed::Scan(proof, scanner, mut keeping) => {
                let keep = |chunk: Chunk<'_>| keeping.take(&chunk);
                let report = exec::scan(proof, &scanner, &folder, groups, stop, keep);
                keeping.finish();
                report
            }
        };
        let _ = events.send(Event::Finished(job, report));
    };
    launcher.call(|| drop(thread::spawn(follow)))?;
    Ok(work)
}
