//! Workers: one finds files, some read them, and their results come back in the order of the walk.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Instant;

use bartizan_scan::evidence::{FileEvidence, Output};
use bartizan_scan::file;
use bartizan_scan::rules::Rules;

use crate::logs::{self, LogFile};
use crate::pace::Pace;
use crate::read::{self, Content, seconds};
use crate::walk::{self, Found, Met, Plan, shown};

/// Files that wait for a worker, and results that wait for their turn.
const QUEUE: usize = 256;

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
    let (to_workers, work) = sync_channel::<(u64, Found)>(QUEUE);
    let (results, from_workers) = sync_channel::<(u64, Done)>(QUEUE);
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
        for (number, done) in from_workers {
            waiting.insert(number, done);
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
    work: &SyncSender<(u64, Found)>,
    results: &SyncSender<(u64, Done)>,
) -> bool {
    let mut number = 0;
    let mut whole = true;
    walk::walk(plan, &mut |met| {
        let sent = match met {
            Met::File(found) => work.send((number, found)).is_ok(),
            Met::Other(coverage) => {
                let output = Output { coverage, ..Output::default() };
                results.send((number, Done { path: None, output, bytes: 0, log: None })).is_ok()
            }
        };
        number += 1;
        whole = sent && pace.stopped().is_none();
        whole
    });
    whole
}

fn work_all(
    rules: &Rules,
    pace: &Pace,
    work: &Mutex<Receiver<(u64, Found)>>,
    results: &SyncSender<(u64, Done)>,
) {
    let mut content = Content::default();
    loop {
        let next = match work.lock() {
            Ok(work) => work.recv(),
            Err(_) => return,
        };
        let Ok((number, found)) = next else { return };
        // What waits is left; without its results nothing behind it is taken, so that a later run begins here.
        if pace.stopped().is_some() {
            continue;
        }
        let begun = Instant::now();
        let done = look(rules, pace, &found, &mut content);
        if results.send((number, done)).is_err() {
            return;
        }
        pace.rest(begun.elapsed());
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
        Err(error) => {
            output.coverage.files.unreadable = 1;
            output.coverage.add_unreadable(shown(&found.place), error.to_string());
            return Done { path, output, bytes: 0, log: None };
        }
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

fn length(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}
