//! Standing orders: kept on the disk, looked at again and again, each run judged anew.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use bartizan_os::files;
use bartizan_os::sense::Sense;
use bartizan_os::zone;
use bartizan_proto::message::JobPhase;
use bartizan_trust::authorize::orders::{Kept, StandingOrder, ends_order, judge_run, review};
use bartizan_trust::calendar::Offsets;
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::StatementId;
use bartizan_trust::limits;
use bartizan_trust::refusal::Refusal;
use bartizan_trust::standing::{Sensed, Surroundings, due};
use bartizan_trust::state::State;
use bartizan_trust::statement::{Job, On};
use bartizan_trust::time::UnixSeconds;

use super::{Guard, facts};
use crate::folder::Folder;
use crate::jobs::{Deed, RUNNING_MAX};
use crate::outbox::{RECEIPTS_MAX, REFUSALS_MAX};
use crate::receipts::Account;

#[cfg(test)]
mod tests;

/// How often orders are looked at. Schedules come to the minute; conditions may wait for so long.
const LOOK: Duration = Duration::from_secs(1);

/// The orders that stand here.
#[derive(Default)]
pub(super) struct Orders {
    kept: BTreeMap<StatementId, KeptOrder>,
    looked: Option<Instant>,
}

struct KeptOrder {
    envelope: Vec<u8>,
    job: Job,
    sense: Sense,
}

impl KeptOrder {
    fn new(envelope: Vec<u8>, job: Job) -> Self {
        Self { envelope, job, sense: Sense::default() }
    }
}

impl Guard {
    /// Takes an order in: envelope and content are durable before the state that counts on them, and that before anybody hears of it.
    pub(super) fn take_order(
        &mut self,
        order: StandingOrder,
        envelope: &[u8],
        content: &[u8],
        state: State,
    ) -> Result<()> {
        let StandingOrder { id, job } = order;
        files::create_private_folder(&self.folder.orders())
            .context("create the folder for standing orders")?;
        let store = |path: PathBuf, bytes: &[u8]| {
            files::write_atomically(&path, bytes)
                .with_context(|| format!("store {}; is the disk full?", path.display()))
        };
        store(self.folder.order(id), envelope)?;
        store(self.folder.order_content(id), content)?;
        self.folder.store_state(&state)?;
        self.state = state;
        self.orders.kept.insert(id, KeptOrder::new(envelope.to_vec(), job));
        eprintln!("{id} stands here from now on");
        // From what is seen now differs what starts runs: noted before anybody hears that the order stands.
        self.look_first(id)?;
        self.send(self.taken(id, JobPhase::Running));
        self.write_receipt(&Account::standing(id))
    }

    /// Looks for what an order waits for; the first look is remembered.
    fn look_first(&mut self, id: StatementId) -> Result<Sensed> {
        let Some(kept) = self.orders.kept.get_mut(&id) else { return Ok(Sensed::Nothing) };
        let Some(trigger) = &kept.job.trigger else { return Ok(Sensed::Nothing) };
        let sensed = kept.sense.look(&trigger.on);
        if let Some(state) = self.state.first_look(id, &kept.job, sensed) {
            self.folder.store_state(&state)?;
            self.state = state;
        }
        Ok(sensed)
    }

    /// Reads what stood here before. Whatever is missing or damaged ends its order: what was signed is not at hand any more.
    pub(super) fn load_orders(&mut self) -> Result<()> {
        for id in self.state.orders.keys().copied().collect::<Vec<_>>() {
            match load(&self.folder, id) {
                Some(kept) => {
                    self.orders.kept.insert(id, kept);
                }
                None => self.end_order(id, Refusal::ContentMismatch)?,
            }
        }
        self.remove_strays();
        Ok(())
    }

    /// Files of orders that were never taken in, or are over.
    fn remove_strays(&self) {
        let Ok(entries) = std::fs::read_dir(self.folder.orders()) else { return };
        for path in entries.flatten().map(|entry| entry.path()) {
            let id = path.file_stem().and_then(|stem| stem.to_str()?.parse::<StatementId>().ok());
            if id.is_none_or(|id| !self.state.orders.contains_key(&id)) {
                let _ = std::fs::remove_file(path);
            }
        }
    }

    /// After the control log has moved: orders that no longer stand end now, not when they would have run.
    pub(super) fn review_orders(&mut self) -> Result<()> {
        let review = |kept: &KeptOrder| review(&self.state, &facts(), &kept.envelope);
        let over: Vec<(StatementId, Refusal)> = self
            .orders
            .kept
            .iter()
            .filter_map(|(id, kept)| Some((*id, review(kept).err()?)))
            .filter(|(_, refusal)| ends_order(*refusal))
            .collect();
        over.into_iter().try_for_each(|(id, refusal)| self.end_order(id, refusal))
    }

    /// Runs what is due. One run of an order at a time.
    pub(super) fn look_at_orders(&mut self) -> Result<()> {
        if self.orders.looked.is_some_and(|at| at.elapsed() < LOOK) {
            return Ok(());
        }
        self.orders.looked = Some(Instant::now());
        // A version on trial may be taken back, and its memory with it: what ran under it could run again.
        if self.updating.holds_jobs() {
            return Ok(());
        }
        for id in self.orders.kept.keys().copied().collect::<Vec<_>>() {
            let room = self.running.len() < RUNNING_MAX && self.outbox.len() < RECEIPTS_MAX;
            if room && !self.running.contains_key(&id) {
                self.look_at(id)?;
            }
        }
        Ok(())
    }

    fn look_at(&mut self, id: StatementId) -> Result<()> {
        let now = self.state.now(&facts());
        let sensed = self.look_first(id)?;
        let Some(kept) = self.orders.kept.get(&id) else { return Ok(()) };
        let Some(trigger) = &kept.job.trigger else { return Ok(()) };
        if trigger.until <= now {
            return self.end_order(id, Refusal::Expired);
        }
        let Some(offsets) = offsets(&trigger.on, now) else {
            return self.say_once(id, "order.zone_unknown", None);
        };
        let around = Surroundings { sensed, offsets: &offsets };
        match due(&self.state, id, &kept.job, now, &around) {
            Some(occurrence) => self.run_order(id, &around, occurrence.due),
            None => Ok(()),
        }
    }

    fn run_order(
        &mut self,
        id: StatementId,
        around: &Surroundings<'_>,
        due: UnixSeconds,
    ) -> Result<()> {
        let Some(kept) = self.orders.kept.get(&id) else { return Ok(()) };
        // What lies there now is judged, whatever it is; nothing there is content of no bytes.
        let content = files::read_own(&self.folder.order_content(id)).unwrap_or_default();
        let kept = Kept { envelope: &kept.envelope, content: &content };
        match judge_run(&self.state, &facts(), &kept, around) {
            Ok(run) => {
                let due = run.occurrence.due;
                eprintln!("{id} runs, due at {}", due.get());
                // What kept it from running is over: should it come back, people hear of it again.
                self.told.forget(id);
                self.start(Deed::Script(run.proof), Some(due), run.state)
            }
            Err(refusal) if ends_order(refusal) => self.end_order(id, refusal),
            Err(refusal) => self.say_once(id, refusal.code(), Some(due)),
        }
    }

    /// A run that may not start now: people hear of it once, not each second.
    fn say_once(
        &mut self,
        id: StatementId,
        code: &'static str,
        due: Option<UnixSeconds>,
    ) -> Result<()> {
        if self.outbox.len() >= REFUSALS_MAX || !self.told.is_new(id, code) {
            return Ok(());
        }
        eprintln!("{id} does not run: {code}");
        // A run that was never due has no time; this moment stands for it.
        let due = due.unwrap_or_else(|| facts().now);
        self.write_receipt(&Account::refused(id, code).of_run(Some(due)))
    }

    /// An order is over for good. The state forgets it first: files without an order do nothing.
    fn end_order(&mut self, id: StatementId, refusal: Refusal) -> Result<()> {
        eprintln!("{id} is over: {refusal}; {}", refusal.advice());
        self.orders.kept.remove(&id);
        self.state.end_order(id);
        self.write_receipt(&Account::order_over(id, refusal.code()))?;
        files::remove_durably(&self.folder.order(id)).context("remove a standing order")?;
        files::remove_durably(&self.folder.order_content(id)).context("remove a standing order")
    }
}

impl Folder {
    fn order(&self, id: StatementId) -> PathBuf {
        self.orders().join(format!("{id}.json"))
    }

    fn order_content(&self, id: StatementId) -> PathBuf {
        self.orders().join(format!("{id}.content"))
    }
}

fn load(folder: &Folder, id: StatementId) -> Option<KeptOrder> {
    let bytes = files::read_own(&folder.order(id)).ok()?;
    let envelope = Envelope::decode(&bytes).ok().filter(|envelope| envelope.id() == id)?;
    Some(KeptOrder::new(bytes, envelope.statement().ok()?))
}

/// The clocks of the order's zone, as far back as a run may be late; UTC where there is no calendar.
fn offsets(on: &On, now: UnixSeconds) -> Option<Offsets> {
    let On::Calendar { zone, .. } = on else { return Some(Offsets::UTC) };
    let back = 2 * limits::ORDER_LATE_S_MAX + limits::DAY_S;
    zone::offsets(zone, UnixSeconds::new(now.get().saturating_sub(back)), now)
}
