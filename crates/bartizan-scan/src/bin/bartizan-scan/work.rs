//! Workers: one finds files, some read them, and their results come back in the order of the walk.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Instant;

use bartizan_scan::evidence::{FileEvidence, Output};
use bartizan_scan::file;
use bartizan_scan::rules::Rules;

use crate::guarded;
use crate::logs::{self, LogFile};
use crate::pace::Pace;
use crate::read::{self, Content, seconds};
use crate::walk::{self, Found, Met, Plan, shown};

/// Batches that wait for a worker, and of results that wait for their turn.
const QUEUE: usize = 32;
/// Files of a batch: waking a worker costs as much as looking at a small file.
const BATCH_FILES: u64 = 64;
/// Bytes of a batch; a larger file goes alone.
const BATCH_BYTES: u64 = 512 * 1024;

/// What one step of the walk gave.
pub(crate) struct Done {
    /// The path, if it was a file.
    pub(crate) path: Option<String>,
    pub(crate) output: Output,
    pub(crate) bytes: u64,
    pub(crate) log: Option<LogFile>,
}

/// Walks, reads, and hands each result to `take` in the order of the walk. Returns whether the walk went to its end.
pub(crate) fn run(
    plan: &Plan,
    rules: &Rules,
    pace: &Pace,
    jobs: u8,
    take: &mut dyn FnMut(Done),
) -> bool {
    let (to_workers, work) = sync_channel::<Vec<(u64, Found)>>(QUEUE);
    let (results, from_workers) = sync_channel::<Vec<(u64, Done)>>(QUEUE);
    let work = Mutex::new(work);
    thread::scope(|scope| {
        let walker = {
            let results = results.clone();
            scope.spawn(move || walk_all(plan, pace, &to_workers, &results))
        };
        for _ in 0..jobs {
            let results = results.clone();
            let work = &work;
            scope.spawn(move || work_all(rules, pace, work, &results));
        }
        drop(results);
        let mut waiting: BTreeMap<u64, Done> = BTreeMap::new();
        let mut next = 0;
        for batch in from_workers {
            waiting.extend(batch);
            while let Some(done) = waiting.remove(&next) {
                take(done);
                next += 1;
            }
        }
        walker.join().unwrap_or(false)
    })
}

fn walk_all(
    plan: &Plan,
    pace: &Pace,
    work: &SyncSender<Vec<(u64, Found)>>,
    results: &SyncSender<Vec<(u64, Done)>>,
) -> bool {
    let mut number = 0;
    let mut whole = true;
    let (mut batch, mut bytes) = (Vec::new(), 0_u64);
    walk::walk(plan, &mut |met| {
        let sent = match met {
            Met::File(found) => {
                bytes = bytes.saturating_add(found.facts.len());
                batch.push((number, found));
                true
            }
            Met::Other(coverage) => {
                let output = Output { coverage, ..Output::default() };
                let done = Done { path: None, output, bytes: 0, log: None };
                results.send(vec![(number, done)]).is_ok()
            }
        };
        number += 1;
        // Also what is no file counts: its results wait until those of the files before it are there.
        let is_full = batch.first().is_some_and(|(first, _)| number - first >= BATCH_FILES);
        if is_full || bytes >= BATCH_BYTES {
            bytes = 0;
            whole &= work.send(std::mem::take(&mut batch)).is_ok();
        }
        whole &= sent && pace.stopped().is_none();
        whole
    });
    if !batch.is_empty() {
        whole &= work.send(batch).is_ok();
    }
    whole
}

fn work_all(
    rules: &Rules,
    pace: &Pace,
    work: &Mutex<Receiver<Vec<(u64, Found)>>>,
    results: &SyncSender<Vec<(u64, Done)>>,
) {
    let mut content = Content::default();
    loop {
        let next = match work.lock() {
            Ok(work) => work.recv(),
            Err(_) => return,
        };
        let Ok(batch) = next else { return };
        let mut done = Vec::with_capacity(batch.len());
        for (number, found) in batch {
            // What waits is left; without its results nothing behind it is taken, so that a later run begins here.
            if pace.stopped().is_some() {
                break;
            }
            let begun = Instant::now();
            let looked = guarded::guard(|| look(rules, pace, &found, &mut content));
            done.push((number, looked.unwrap_or_else(|error| unread(&found, &error))));
            pace.rest(begun.elapsed());
        }
        if results.send(done).is_err() {
            return;
        }
    }
}

fn look(rules: &Rules, pace: &Pace, found: &Found, content: &mut Content) -> Done {
    let mut output = Output::default();
    output.coverage.files.found = 1;
    let place = found.place.to_string_lossy();
    let path = Some(found.path.clone());
    match read::read(found, rules.wanted(), pace, content) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            // Somebody deleted it between two looks: nothing that exists was missed.
            output.coverage.files.changed = 1;
            return Done { path, output, bytes: 0, log: None };
        }
        Err(error) => return unread(found, &error),
    }
    output.coverage.bytes = content.bytes_read;
    output.coverage.files.changed = u64::from(content.changed);
    if content.tail.is_empty() {
        output.coverage.files.read = 1;
    } else {
        output.coverage.files.partly = 1;
    }
    let hive_logs = read::hive_logs(found, content.head(), pace);
    output.coverage.bytes += hive_logs.iter().map(Vec::len).map(length).sum::<u64>();
    let evidence = FileEvidence {
        place: &place,
        path: &found.path,
        size: content.size,
        modified: seconds(found.facts.modified()),
        created: seconds(found.facts.created()),
        mode: read::mode(&found.facts),
        is_deleted: false,
        head: content.head(),
        tail: &content.tail,
        logs: &hive_logs,
        digests: content.digests,
    };
    file::examine(rules, &evidence, &mut output);
    let log = logs::classify(&found.place, &found.path, content.head(), evidence.modified);
    Done { path, output, bytes: content.bytes_read, log }
}

fn unread(found: &Found, error: &std::io::Error) -> Done {
    let mut output = Output::default();
    output.coverage.files.found = 1;
    output.coverage.files.unreadable = 1;
    output.coverage.add_unreadable(shown(&found.place), error.to_string());
    Done { path: Some(found.path.clone()), output, bytes: 0, log: None }
}

fn length(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}
