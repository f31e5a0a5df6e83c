//! Standing orders as an endpoint remembers them, and when one of them is due. Specification: `docs/spec/verification.md`, "Standing orders".

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::calendar::{Cron, Offsets};
use crate::id::{EndpointId, OperatorId, Sha256, StatementId};
use crate::limits;
use crate::state::State;
use crate::statement::{Class, Job, On, Trigger};
use crate::time::UnixSeconds;

/// A standing order that was accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderState {
    /// When it was accepted; nothing that was due before runs.
    pub since: UnixSeconds,
    /// Whether its content was known as countersigned then: its class is derived the same way for every run.
    pub reviewed: bool,
    /// Who promoted it to this endpoint's stage: a freeze of their work means it, too.
    pub promoters: BTreeSet<OperatorId>,
    /// When the newest run was due. Only later ones run: no occurrence ever runs twice, whatever the clocks do.
    pub last: Option<UnixSeconds>,
    /// Its local time in minutes, where there is a calendar: a local time that comes twice runs once.
    pub last_local: Option<i64>,
    /// When the newest runs started, at most as many as the rate names.
    pub recent: Vec<UnixSeconds>,
    /// What was last seen, where a difference starts runs; before the first look there is none.
    pub mark: Option<Sha256>,
    /// How many runs were started.
    pub runs: u64,
    /// How the newest run that has ended, ended.
    pub ended: Option<EndedRun>,
}

/// A run that has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndedRun {
    /// When it was due.
    pub due: UnixSeconds,
    /// Whether it exited with 0.
    pub well: bool,
    /// Its exit status, where it had one.
    #[serde(default)]
    pub exit: Option<i32>,
}

/// What the guard found out for a trigger just now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sensed {
    /// There was nothing to look at, or it could not be read.
    Nothing,
    /// The condition holds.
    Holds,
    /// What there was to see, as a hash: the file's content, or the machine's start.
    Seen(Sha256),
}

/// What is at hand when runs are judged.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings<'a> {
    /// For triggers that look at the machine.
    pub sensed: Sensed,
    /// For calendars: the order's zone from [`limits::ORDER_LATE_S_MAX`] twice before now until now.
    pub offsets: &'a Offsets,
}

/// A run that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Occurrence {
    /// Since when.
    pub due: UnixSeconds,
    /// Its local time in minutes, for calendars.
    local: Option<i64>,
    /// What is seen now, where a difference started it.
    mark: Option<Sha256>,
}

/// The run of an order that is due now, if any. `now` is the later of clock and witness time.
// SPEC: verification.md S4
pub fn due(
    state: &State,
    id: StatementId,
    job: &Job,
    now: UnixSeconds,
    around: &Surroundings<'_>,
) -> Option<Occurrence> {
    let order = state.orders.get(&id)?;
    let trigger = job.trigger.as_ref()?;
    let found = match &trigger.on {
        On::Interval { every_s } => {
            let passed = now.since(job.window.nbf) / every_s;
            let due = job.window.nbf.plus(passed.saturating_mul(*every_s));
            (passed > 0).then_some(Occurrence { due, local: None, mark: None })
        }
        On::Calendar { cron, .. } => newest_of(&Cron::parse(cron)?, trigger, now, around.offsets),
        On::DiskBelow { .. } | On::ServiceDown { .. } | On::RebootPending {} => {
            let holds = around.sensed == Sensed::Holds;
            holds.then_some(Occurrence { due: now, local: None, mark: None })
        }
        On::Start {} | On::FileChanged { .. } | On::Ended { .. } => {
            let mark = mark(state, &trigger.on, around.sensed)?;
            let other = order.mark.is_some_and(|before| before != mark);
            other.then_some(Occurrence { due: now, local: None, mark: Some(mark) })
        }
    }?;
    let jitter_s = if trigger.on.is_schedule() {
        if now.since(found.due) > late_s_max(trigger) {
            return None;
        }
        jitter_s(trigger, id, state.endpoint, found.due)
    } else {
        0
    };
    let after = order.last.map_or(order.since, |last| last.max(order.since));
    let later = found.due > after
        && order.last_local.is_none_or(|last| found.local.is_none_or(|local| local > last));
    let apart = order.last.is_none_or(|last| found.due.since(last) >= trigger.distance_s);
    (later && apart && now >= found.due.plus(jitter_s)).then_some(found)
}

/// How late a run may always start, in seconds: what an endpoint needs to notice that it is due.
const PUNCTUAL_S: u64 = 60;

/// How long ago a time of a schedule may be at most when its run starts, in seconds.
const fn late_s_max(trigger: &Trigger) -> u64 {
    trigger.jitter_s.saturating_add(trigger.late_s).saturating_add(PUNCTUAL_S)
}

/// The newest time of a calendar that may still start.
fn newest_of(
    cron: &Cron,
    trigger: &Trigger,
    now: UnixSeconds,
    offsets: &Offsets,
) -> Option<Occurrence> {
    let due = (0..=now.get() / 60)
        .rev()
        .map(|minute| UnixSeconds::new(minute.saturating_mul(60)))
        .take_while(|at| now.since(*at) <= late_s_max(trigger))
        .find(|at| cron.comes_at(*at, offsets))?;
    Some(Occurrence { due, local: Some(offsets.local_minute(due)), mark: None })
}

/// When a schedule comes next after `now`, within a year; for people. `offsets` reach as far ahead.
pub fn next(job: &Job, now: UnixSeconds, offsets: &Offsets) -> Option<UnixSeconds> {
    next_of(job.trigger.as_ref()?, job.window.nbf, now, offsets)
}

/// The same of an order that nobody has written yet: its window begins at `begins`.
pub fn next_of(
    trigger: &Trigger,
    begins: UnixSeconds,
    now: UnixSeconds,
    offsets: &Offsets,
) -> Option<UnixSeconds> {
    let found = match &trigger.on {
        On::Interval { every_s } => {
            let passed = now.since(begins) / every_s;
            Some(begins.plus(passed.saturating_add(1).saturating_mul(*every_s)))
        }
        On::Calendar { cron, .. } => {
            let cron = Cron::parse(cron)?;
            let first = now.get() / 60 + 1;
            (first..first + limits::ORDER_S_MAX / 60)
                .map(|minute| UnixSeconds::new(minute.saturating_mul(60)))
                .find(|at| cron.comes_at(*at, offsets))
        }
        On::DiskBelow { .. }
        | On::ServiceDown { .. }
        | On::RebootPending {}
        | On::Start {}
        | On::FileChanged { .. }
        | On::Ended { .. } => None,
    };
    found.filter(|at| *at < trigger.until)
}

/// By how much this endpoint waits with a run, so that not all of them begin at once. Nobody can choose it: it follows from the ids.
fn jitter_s(trigger: &Trigger, id: StatementId, endpoint: EndpointId, due: UnixSeconds) -> u64 {
    let endpoint = endpoint.to_string();
    let hash =
        Sha256::of_parts(&[id.hash().as_bytes(), endpoint.as_bytes(), &due.get().to_be_bytes()]);
    let number = hash.as_bytes().iter().take(6).fold(0, |all, byte| all * 256 + u64::from(*byte));
    number.checked_rem(trigger.jitter_s).unwrap_or(0)
}

/// What there is to see for triggers that wait for a difference.
fn mark(state: &State, on: &On, sensed: Sensed) -> Option<Sha256> {
    match (on, sensed) {
        (On::Ended { order, well }, _) => {
            let ended = state.orders.get(order).and_then(|order| order.ended);
            // An end of the other kind shows nothing new: the mark stays what it was.
            match ended {
                Some(ended) if ended.well == *well => {
                    Some(Sha256::of(&ended.due.get().to_be_bytes()))
                }
                Some(_) => None,
                None => Some(Sha256::of(b"none")),
            }
        }
        (_, Sensed::Seen(seen)) => Some(seen),
        (_, Sensed::Nothing | Sensed::Holds) => None,
    }
}

impl State {
    /// What is seen at the first look at an order is what later looks differ from. `None` when nothing has to be noted.
    // SPEC: verification.md S4
    #[must_use]
    pub fn first_look(&self, id: StatementId, job: &Job, sensed: Sensed) -> Option<Self> {
        let (On::Start {} | On::FileChanged { .. } | On::Ended { .. }) = job.trigger.as_ref()?.on
        else {
            return None;
        };
        if self.orders.get(&id)?.mark.is_some() {
            return None;
        }
        let seen = mark(self, &job.trigger.as_ref()?.on, sensed).or_else(|| {
            matches!(job.trigger.as_ref()?.on, On::Ended { .. }).then(|| Sha256::of(b"other"))
        })?;
        let mut next = self.clone();
        next.orders.get_mut(&id)?.mark = Some(seen);
        Some(next)
    }

    /// A standing order is over.
    pub fn end_order(&mut self, id: StatementId) {
        self.orders.remove(&id);
    }

    /// A standing order begins.
    pub(crate) fn begin_order(
        &mut self,
        id: StatementId,
        reviewed: bool,
        promoters: BTreeSet<OperatorId>,
        now: UnixSeconds,
    ) {
        let order = OrderState {
            since: now,
            reviewed,
            promoters,
            last: None,
            last_local: None,
            recent: Vec::new(),
            mark: None,
            runs: 0,
            ended: None,
        };
        self.orders.insert(id, order);
    }

    /// Whether one more run keeps the order's own rate.
    pub(crate) fn keeps_rate(order: &OrderState, trigger: &Trigger, now: UnixSeconds) -> bool {
        let lately = order.recent.iter().filter(|at| now.since(**at) < trigger.rate.per_s).count();
        u32::try_from(lately).is_ok_and(|lately| lately < trigger.rate.runs)
    }

    /// Runs of all standing orders of a class within the hour before `now`.
    pub(crate) fn runs_within_hour(&self, class: Class, now: UnixSeconds) -> usize {
        self.runs
            .get(&class)
            .map_or(0, |runs| runs.iter().filter(|at| now.since(**at) < 3600).count())
    }

    /// A run starts: it never starts again.
    pub(crate) fn record_run(
        &mut self,
        id: StatementId,
        job: &Job,
        occurrence: &Occurrence,
        (class_max, now): (u32, UnixSeconds),
    ) {
        let (Some(order), Some(trigger)) = (self.orders.get_mut(&id), &job.trigger) else { return };
        order.last = Some(occurrence.due);
        order.last_local = occurrence.local.or(order.last_local);
        order.mark = occurrence.mark.or(order.mark);
        order.runs = order.runs.saturating_add(1).min(limits::INTEGER_MAX);
        // By number, not by time: a clock set forward and back forgets nothing that the rate needs.
        push_newest(&mut order.recent, now, trigger.rate.runs);
        push_newest(self.runs.entry(job.class).or_default(), now, class_max);
    }
}

fn push_newest(times: &mut Vec<UnixSeconds>, now: UnixSeconds, most: u32) {
    // A clock set back makes no start older than the one before.
    let now = times.last().map_or(now, |last| now.max(*last));
    times.push(now);
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    times.drain(..times.len().saturating_sub(most));
}
