//! Looks at what policies name, on a thread of its own: a file system that hangs stops neither freezes nor jobs, and not even
//! the other checks. It has the guard's walls (no sockets, no programs) and only reads; what needs the network a companion asks.

mod board;
mod memory;
mod network;
mod prober;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use bartizan_proto::checks::{CheckResult, encode_results};
use bartizan_proto::message::ReportKind;
use bartizan_trust::id::StatementId;
use bartizan_trust::standing::EndedRun;
use bartizan_trust::statement::Check;

use self::board::Board;
pub(crate) use self::prober::Prober;
use crate::guard::Event;
use crate::install::now;
use crate::reports::Observation;

/// How often it looks whether anything is due.
const TICK: Duration = Duration::from_secs(1);
/// Results in one report: with the longest texts they fit.
const RESULTS_AT_ONCE: usize = 16;
/// How long the guard waits at its end for what was seen to be remembered.
const END_PATIENCE: Duration = Duration::from_secs(2);

/// A check that this endpoint does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Planned {
    pub(crate) policy: StatementId,
    pub(crate) check: Check,
    /// Whether nothing of it may leave the machine for now.
    pub(crate) held: bool,
}

/// What the guard wants of the thread that looks.
#[derive(Debug, Default)]
struct Wanted {
    /// The whole plan, when it is another one.
    plan: Option<Vec<Planned>>,
    ended: BTreeMap<StatementId, EndedRun>,
    stop: bool,
}

/// The guard's end of it.
pub(crate) struct Watcher {
    wanted: Arc<(Mutex<Wanted>, Condvar)>,
    gone: Receiver<()>,
}

impl Watcher {
    /// Begins to look; what was remembered lies in this file.
    pub(crate) fn start(memory: PathBuf, prober: Prober, events: SyncSender<Event>) -> Self {
        let wanted: Arc<(Mutex<Wanted>, Condvar)> = Arc::default();
        let (done, gone) = sync_channel(1);
        let theirs = Arc::clone(&wanted);
        thread::spawn(move || {
            serve(&theirs, Board::load(memory, prober), &events);
            let _ = done.send(());
        });
        Self { wanted, gone }
    }

    /// From now on these are looked at, and nothing else.
    pub(crate) fn plan(&self, plan: Vec<Planned>) {
        self.say(|wanted| wanted.plan = Some(plan));
    }

    /// How standing orders ended.
    pub(crate) fn note_ended(&self, ended: BTreeMap<StatementId, EndedRun>) {
        self.say(|wanted| wanted.ended = ended);
    }

    /// Remembers and ends; what hangs is left behind.
    pub(crate) fn end(&self) {
        self.say(|wanted| wanted.stop = true);
        let _ = self.gone.recv_timeout(END_PATIENCE);
    }

    fn say(&self, change: impl FnOnce(&mut Wanted)) {
        let (wanted, told) = &*self.wanted;
        change(&mut wanted.lock().unwrap_or_else(PoisonError::into_inner));
        told.notify_one();
    }
}

fn serve((wanted, told): &(Mutex<Wanted>, Condvar), mut board: Board, events: &SyncSender<Event>) {
    loop {
        let (plan, ended, stop) = {
            let lock = wanted.lock().unwrap_or_else(PoisonError::into_inner);
            let waited = told.wait_timeout_while(lock, TICK, |w| w.plan.is_none() && !w.stop);
            let (mut wanted, _) = waited.unwrap_or_else(PoisonError::into_inner);
            (wanted.plan.take(), wanted.ended.clone(), wanted.stop)
        };
        if let Some(plan) = plan {
            board.follow(plan, now());
        }
        board.look(&ended, now());
        for results in board.poll_results().chunks(RESULTS_AT_ONCE) {
            // The channel is bounded: who looks waits for the guard, never the other way round.
            if events.send(Event::Observed(observation(results))).is_err() {
                return;
            }
        }
        board.remember(stop);
        if stop {
            return;
        }
    }
}

fn observation(results: &[CheckResult]) -> Observation {
    Observation {
        kind: ReportKind::Checks,
        at: now().get(),
        items: u64::try_from(results.len()).unwrap_or(u64::MAX),
        bytes: encode_results(results),
    }
}
