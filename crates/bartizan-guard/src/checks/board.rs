//! Which checks there are, which are due, what came of them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use bartizan_os::looks::{self, Judged, Left, Seen};
use bartizan_proto::checks::{CheckResult, CheckState, Patience};
use bartizan_trust::id::StatementId;
use bartizan_trust::standing::EndedRun;
use bartizan_trust::statement::{Check, Severity, Subject};
use bartizan_trust::time::UnixSeconds;

use super::memory::{self, Instance, Remembered};
use super::{Planned, Prober, network};

/// A look that has not come back after this long is as good as none.
const LOOK_PATIENCE: Duration = Duration::from_secs(30);
/// Looks that hang at once; a few dead mounts, not all the memory there is.
const LOOKS_MAX: usize = 16;
/// Questions through the companion at once: a process for each.
const PROBES_MAX: usize = 8;
/// States are told at least so often, as a sign of life.
const TELL_S: u64 = 3600;
/// What was seen is remembered at most so often.
const REMEMBER: Duration = Duration::from_secs(10);
/// Instances of one check.
const INSTANCES_MAX: usize = 64;

/// A check and what it is at.
struct Watched {
    policy: StatementId,
    check: Check,
    held: bool,
    due: Instant,
    looking: Option<Looking>,
}

/// A look on its way.
struct Looking {
    begun: Instant,
    found: Receiver<(Left, Vec<Seen>)>,
}

/// All of it.
pub(super) struct Board {
    path: PathBuf,
    prober: Prober,
    watched: Vec<Watched>,
    remembered: BTreeMap<String, Remembered>,
    results: Vec<CheckResult>,
    changed: bool,
    stored: Instant,
}

impl Board {
    pub(super) fn load(path: PathBuf, prober: Prober) -> Self {
        Self {
            remembered: memory::load(&path),
            path,
            prober,
            watched: Vec::new(),
            results: Vec::new(),
            changed: false,
            stored: Instant::now(),
        }
    }

    /// Another plan. A check of the same id and subject goes on where it was.
    pub(super) fn follow(&mut self, plan: Vec<Planned>, now: UnixSeconds) {
        let mut before = core::mem::take(&mut self.watched);
        for Planned { policy, check, held } in plan {
            let same = before.iter().position(|watched| {
                watched.check.subject == check.subject && watched.check.id == check.id
            });
            let known = same.map(|at| before.swap_remove(at));
            if known.as_ref().is_some_and(|known| known.policy != policy) {
                // The server hears of it under its new policy.
                self.forget_told(&check.id);
            }
            let (due, looking) =
                known.map_or((Instant::now(), None), |known| (known.due, known.looking));
            self.watched.push(Watched { policy, check, held, due, looking });
        }
        for gone in &before {
            self.leave(gone, now);
        }
        let kept: Vec<&Watched> = self.watched.iter().collect();
        self.remembered.retain(|id, remembered| {
            kept.iter().any(|w| w.check.id == *id && w.check.subject == remembered.subject)
        });
        self.changed = true;
    }

    /// What was told of a check that is over is taken back.
    fn leave(&mut self, gone: &Watched, now: UnixSeconds) {
        let Some(known) = self.remembered.get(&gone.check.id) else { return };
        if known.subject != gone.check.subject {
            return;
        }
        for (instance, told) in known.instances.iter().filter(|(_, known)| known.told > 0) {
            self.results.push(gone.result(instance, told, CheckState::Gone, now));
        }
    }

    fn forget_told(&mut self, id: &str) {
        for instance in
            self.remembered.get_mut(id).into_iter().flat_map(|r| r.instances.values_mut())
        {
            instance.told = 0;
        }
    }

    /// Collects what has come back and starts what is due.
    pub(super) fn look(&mut self, ended: &BTreeMap<StatementId, EndedRun>, now: UnixSeconds) {
        let mut watched = core::mem::take(&mut self.watched);
        for one in &mut watched {
            if let Some(found) = one.collect() {
                self.take(one, found, now);
            }
        }
        let looks = |one: &&Watched| one.looking.is_some() && !one.asks();
        let mut hanging = watched.iter().filter(looks).count();
        let turn = whose_turn(&watched);
        for (at, one) in watched.iter_mut().enumerate() {
            // During a freeze what leaves the machine rests, and what was said of it stands.
            let rests = one.held && one.check.subject.uses_network();
            // Whoever waits for a turn is not late, and asked first next time.
            if Instant::now() < one.due || rests || (one.waits() && !turn.contains(&at)) {
                continue;
            }
            one.due = Instant::now() + Duration::from_secs(one.check.every_s);
            if one.looking.as_ref().is_some_and(|l| l.begun.elapsed() < LOOK_PATIENCE) {
                continue;
            }
            let hangs = one.looking.is_some();
            if hangs || (may_hang(&one.check.subject) && hanging >= LOOKS_MAX) {
                let why = if hangs { "it does not answer" } else { "too many looks hang" };
                self.take_unknown(one, why, now);
                continue;
            }
            let left = self.left(&one.check);
            if one.asks() {
                one.looking = Some(begin_probe(&self.prober, one.check.subject.clone(), now));
            } else if may_hang(&one.check.subject) {
                one.looking = Some(begin(one.check.subject.clone(), left, now));
                hanging += 1;
            } else {
                let found = look_now(&one.check.subject, left, ended, now);
                self.take(one, found, now);
            }
        }
        self.watched = watched;
    }

    /// What there is to tell.
    pub(super) fn poll_results(&mut self) -> Vec<CheckResult> {
        core::mem::take(&mut self.results)
    }

    /// Stores what must survive a start, not too often.
    pub(super) fn remember(&mut self, at_once: bool) {
        if self.changed && (at_once || self.stored.elapsed() >= REMEMBER) {
            memory::store(&self.path, &self.remembered);
            self.changed = false;
            self.stored = Instant::now();
        }
    }

    fn left(&self, check: &Check) -> Left {
        let known = self.remembered.get(&check.id).filter(|known| known.subject == check.subject);
        known.map_or(Left::Nothing, |known| known.left)
    }

    fn of(&mut self, check: &Check) -> &mut Remembered {
        let fresh = || Remembered {
            subject: check.subject.clone(),
            left: Left::Nothing,
            instances: BTreeMap::new(),
        };
        let known = self.remembered.entry(check.id.clone()).or_insert_with(fresh);
        if known.subject != check.subject {
            *known = fresh();
        }
        known
    }

    fn take(&mut self, one: &Watched, (left, seen): (Left, Vec<Seen>), now: UnixSeconds) {
        let known = self.of(&one.check);
        let moved = known.left != left;
        known.left = left;
        self.changed |= moved;
        // File systems come and go.
        let come_and_go =
            matches!(one.check.subject, Subject::Disk { .. } | Subject::Inodes { .. });
        if come_and_go && !seen.iter().any(|seen| seen.instance.is_empty()) {
            self.forget_others(one, &seen, now);
        }
        for seen in seen {
            self.settle(one, &seen, now);
        }
    }

    fn forget_others(&mut self, one: &Watched, seen: &[Seen], now: UnixSeconds) {
        let known = self.of(&one.check);
        let there = |name: &String| seen.iter().any(|seen| seen.instance == *name);
        let gone: Vec<_> = known.instances.extract_if(.., |name, _| !there(name)).collect();
        for (name, instance) in gone.iter().filter(|(_, instance)| instance.told > 0) {
            self.results.push(one.result(name, instance, CheckState::Gone, now));
        }
    }

    /// Of every instance that is known nothing can be told.
    fn take_unknown(&mut self, one: &Watched, why: &str, now: UnixSeconds) {
        let mut names: Vec<String> = self.of(&one.check).instances.keys().cloned().collect();
        if names.is_empty() {
            names.push(String::new());
        }
        for instance in names {
            self.settle(one, &Seen { instance, ..Seen::unknown(why) }, now);
        }
    }

    fn settle(&mut self, one: &Watched, seen: &Seen, now: UnixSeconds) {
        let known = self.of(&one.check);
        if known.instances.len() >= INSTANCES_MAX && !known.instances.contains_key(&seen.instance) {
            return;
        }
        let instance = known.instances.entry(seen.instance.clone()).or_default();
        let Check { fails, recovers, flaps, .. } = one.check;
        let patience = Patience { fails, recovers, flaps };
        let change = instance.settling.handle_look(patience, state(seen.judged), now);
        let silent = now.get().checked_sub(instance.told).is_none_or(|s| s >= TELL_S);
        if let Some(state) = instance.settling.state()
            && (change.is_some() || silent)
        {
            instance.told = now.get();
            let told = instance.clone();
            let result = one.result(&seen.instance, &told, state, now);
            self.results.push(CheckResult { value: seen.value, text: seen.text.clone(), ..result });
        }
        self.changed = true;
    }
}

impl Watched {
    const fn asks(&self) -> bool {
        network::is_asked(&self.check.subject)
    }

    /// Whether it would ask as soon as it may.
    const fn waits(&self) -> bool {
        self.asks() && self.looking.is_none()
    }

    fn result(
        &self,
        instance: &str,
        known: &Instance,
        state: CheckState,
        now: UnixSeconds,
    ) -> CheckResult {
        CheckResult {
            policy: self.policy,
            check: self.check.id.clone(),
            instance: instance.to_owned(),
            state,
            since: if state == CheckState::Gone { now } else { known.settling.since() },
            at: now,
            value: None,
            text: "it is not looked at any more".to_owned(),
        }
    }

    /// What came back, if it did.
    fn collect(&mut self) -> Option<(Left, Vec<Seen>)> {
        let found = match self.looking.as_ref()?.found.try_recv() {
            Ok(found) => found,
            Err(TryRecvError::Empty) => return None,
            Err(TryRecvError::Disconnected) => {
                (Left::Nothing, vec![Seen::unknown("the look broke off")])
            }
        };
        self.looking = None;
        Some(found)
    }
}

/// Which of those that want to ask may: a few at once, those first that have waited longest.
fn whose_turn(watched: &[Watched]) -> Vec<usize> {
    let asking = watched.iter().filter(|one| one.asks() && one.looking.is_some()).count();
    let mut waiting: Vec<(Instant, usize)> = watched
        .iter()
        .enumerate()
        .filter(|(_, one)| one.waits() && one.due <= Instant::now())
        .map(|(at, one)| (one.due, at))
        .collect();
    waiting.sort_unstable();
    waiting.truncate(PROBES_MAX.saturating_sub(asking));
    waiting.into_iter().map(|(_, at)| at).collect()
}

/// What reads paths that people named can hang; what reads the kernel's own files cannot.
const fn may_hang(subject: &Subject) -> bool {
    match subject {
        Subject::Disk { .. }
        | Subject::Inodes { .. }
        | Subject::UpdateAge { .. }
        | Subject::FileAge { .. }
        | Subject::FileSize { .. }
        | Subject::FileExists { .. }
        | Subject::FileContent { .. }
        | Subject::Log { .. }
        | Subject::BackupAge { .. } => true,
        Subject::Cpu { .. }
        | Subject::Memory { .. }
        | Subject::Swap { .. }
        | Subject::Load { .. }
        | Subject::Service { .. }
        | Subject::Process { .. }
        | Subject::RebootPending { .. }
        | Subject::Order { .. }
        // Their time is the companion's, of which there are a few at once.
        | Subject::CertificateFile { .. }
        | Subject::Tcp { .. }
        | Subject::Http { .. }
        | Subject::Dns { .. }
        | Subject::Ping { .. } => false,
    }
}

fn begin(subject: Subject, mut left: Left, now: UnixSeconds) -> Looking {
    let (give, found) = sync_channel(1);
    thread::spawn(move || {
        let seen = looks::look(&subject, &mut left, now);
        let _ = give.send((left, seen));
    });
    Looking { begun: Instant::now(), found }
}

fn begin_probe(prober: &Prober, subject: Subject, now: UnixSeconds) -> Looking {
    let (give, found) = sync_channel(1);
    let prober = prober.clone();
    thread::spawn(move || {
        let _ = give.send((Left::Nothing, network::look(&prober, &subject, now)));
    });
    Looking { begun: Instant::now(), found }
}

fn look_now(
    subject: &Subject,
    mut left: Left,
    ended: &BTreeMap<StatementId, EndedRun>,
    now: UnixSeconds,
) -> (Left, Vec<Seen>) {
    let seen = match subject {
        Subject::Order { order, ok, warn } => {
            ended.get(order).map(|run| order_ended(run, ok, warn)).into_iter().collect()
        }
        _ => looks::look(subject, &mut left, now),
    };
    (left, seen)
}

/// By the exit status of a run; one that never had a status is an error.
fn order_ended(run: &EndedRun, ok: &[i32], warn: &[i32]) -> Seen {
    let judged = match run.exit {
        Some(exit) if ok.contains(&exit) => Judged::Fine,
        Some(exit) if warn.contains(&exit) => Judged::Bad(Severity::Warn),
        Some(_) | None => Judged::Bad(Severity::Error),
    };
    let text = run.exit.map_or_else(
        || "the newest run did not end by itself".to_owned(),
        |exit| format!("the newest run ended with {exit}"),
    );
    let value = run.exit.and_then(|exit| u64::try_from(exit).ok());
    Seen { instance: String::new(), judged, value, text }
}

const fn state(judged: Judged) -> CheckState {
    match judged {
        Judged::Fine => CheckState::Ok,
        Judged::Bad(Severity::Warn) => CheckState::Warn,
        Judged::Bad(Severity::Error) => CheckState::Error,
        Judged::Unknown => CheckState::Unknown,
    }
}

#[cfg(test)]
mod tests;
