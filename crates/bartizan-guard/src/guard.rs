//! The event loop: one thread, one state; everything else sends it events.

#[cfg(test)]
mod evil_half;
mod freeze;
mod link;
mod orders;
mod policies;
mod telling;
mod update;
mod work;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use bartizan_os::cgroup::{self, Delegation};
use bartizan_os::exec::Report;
use bartizan_os::inventory::Root;
use bartizan_os::{confine, files, signals};
use bartizan_proto::message::Message;
use bartizan_trust::checkpoint::Checkpoint;
use bartizan_trust::control::{ControlUpdate, enrol, rejoin, replay};
use bartizan_trust::id::{Sha256, StatementId};
use bartizan_trust::limits as trust_limits;
use bartizan_trust::note::Note;
use bartizan_trust::state::{Joined, LocalFacts, State};

use self::link::RESTART_PAUSE;
use self::orders::Orders;
use self::policies::Policies;
use crate::arguments::Run;
use crate::checks::{Prober, Watcher};
use crate::collector::Collector;
use crate::device::DeviceKey;
use crate::folder::{Enrolled, Folder, Started};
use crate::install::now;
use crate::jobs::{Awaited, Piece, Running, Told};
use crate::latest::Latest;
use crate::launcher::{self, Launcher};
use crate::metrics;
use crate::outbox::{self, Outbox};
use crate::pipe::{Agent, Separation};
use crate::receipts::{Account, Way};
use crate::reports::{Observation, Reports};
use crate::results::Results;
use crate::trial;

use self::update::{Sign, Updating};

const VERSION: &str = env!("CARGO_PKG_VERSION");
/// How often the loop looks at the clock when nothing happens.
const TICK: Duration = Duration::from_millis(500);

/// What can happen.
#[derive(Debug)]
pub(crate) enum Event {
    FromAgent(u64, Message),
    AgentGone(u64, String),
    Output(Message),
    Finished(StatementId, Report),
    Observed(Observation),
}

/// How a guard came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Somebody asked it to stop.
    Stopped,
    /// A new version is there to be tried.
    TryNew,
    /// This version was on trial and is confirmed.
    Confirmed,
}

/// Runs until asked to stop. Between two versions it is the older one that watches.
pub(crate) fn run(options: &Run) -> Result<()> {
    let folder = Folder::new(&options.folder).with_latest(Latest::from_environment());
    let updates = &options.updates;
    signals::catch_stop_requests().context("catch signals")?;
    if updates.on_trial {
        return run_this(options).map(drop);
    }
    trial::give_way(updates);
    // Enrolled or not is said before anything is created.
    folder.load_enrolled()?;
    files::create_private_folder(&folder.update()).context("create the folder for updates")?;
    let _watch = files::lock_folder(&folder.update())
        .context("lock the folder")?
        .context("another bartizan-guard runs in this folder")?;
    loop {
        trial::settle(&folder, updates)?;
        if signals::stop_requested() || run_this(options)? != Ending::TryNew {
            return Ok(());
        }
    }
}

/// Runs this version.
fn run_this(options: &Run) -> Result<Ending> {
    let latest = Latest::from_environment();
    eprintln!("state: {}", latest.describe());
    let folder = Folder::new(&options.folder).with_latest(latest);
    let separation = Separation::choose(options.user.as_deref())?;
    let enrolled = folder.load_enrolled()?;
    let _lock = files::lock_folder(folder.root())
        .context("lock the folder")?
        .context("another bartizan-guard runs in this folder")?;
    let program =
        options.agent.clone().map_or_else(|| beside_this_program("bartizan-agent"), Ok)?;
    let groups = cgroup::take_over();
    let (launcher, orders) = launcher::open();
    let limits = describe(&groups);
    // Before the deciding thread gives up what a reading one may keep.
    let (sender, events) = sync_channel(64);
    let collector = Collector::start(Root::machine(), limits, sender.clone())?;
    let beside = Beside { launcher, collector, sender, events };
    let updating = Updating::begin(&folder, &options.updates)?;
    // This thread keeps what its children need; everything that reads, decides and writes gives it up.
    let deciding = thread::spawn(move || -> Result<Ending> {
        let confined = confine::this_thread().context("give up privileges")?;
        let mut guard =
            Guard::load(folder, enrolled, (program, separation), beside, groups, updating)?;
        eprintln!("endpoint {}; {}", guard.device.endpoint(), guard.separation.describe());
        eprintln!("guard: version {VERSION}; {}", confined.describe());
        eprintln!("jobs: {}", guard.limits);
        guard.finish_interrupted()?;
        guard.finish_update()?;
        guard.load_orders()?;
        guard.load_policies()?;
        guard.run()
    });
    orders.serve();
    deciding.join().map_err(|_| anyhow::anyhow!("the deciding thread broke off"))?
}

/// What holds jobs in, in one line.
fn describe(groups: &Result<Delegation, String>) -> String {
    match groups {
        Ok(groups) => groups.describe(),
        Err(reason) => format!("no cgroup, so no limits but time and output: {reason}"),
    }
}

fn beside_this_program(name: &str) -> Result<PathBuf> {
    let own = std::env::current_exe().context("find this program")?;
    Ok(own.with_file_name(name))
}

/// The threads beside the deciding one.
struct Beside {
    launcher: Launcher,
    collector: Collector,
    sender: SyncSender<Event>,
    events: Receiver<Event>,
}

struct Guard {
    folder: Folder,
    enrolled: Enrolled,
    certificate: Vec<u8>,
    device: DeviceKey,
    state: State,
    outbox: Outbox,
    results: Results,
    reports: Reports,
    program: PathBuf,
    /// The compromise scanner, beside this program.
    scanner: PathBuf,
    separation: Separation,
    launcher: Launcher,
    collector: Collector,
    groups: Option<Arc<Delegation>>,
    /// What holds jobs in, in one line.
    limits: String,
    updating: Updating,
    events: Receiver<Event>,
    sender: SyncSender<Event>,
    agent: Option<Agent>,
    generation: u64,
    restart_at: Instant,
    restart_pause: Duration,
    /// Control entries of a backlog that comes in several frames.
    backlog: Vec<Vec<u8>>,
    awaited: Option<Awaited>,
    running: Running,
    orders: Orders,
    policies: Policies,
    told: Told,
    inventory_sent: Option<(Instant, Sha256)>,
    linked: bool,
    /// Whether the server has said so over this link.
    admitted: bool,
    /// The last receipt that went out over this link.
    receipts_sent: u64,
    /// When a refused freeze was last mentioned.
    freeze_refused: Option<Instant>,
}

impl Guard {
    fn load(
        folder: Folder,
        enrolled: Enrolled,
        (program, separation): (PathBuf, Separation),
        beside: Beside,
        groups: Result<Delegation, String>,
        updating: Updating,
    ) -> Result<Self> {
        let Beside { launcher, collector, sender, events } = beside;
        let limits = describe(&groups);
        let device = DeviceKey::load(&folder.device_key())?;
        let certificate = std::fs::read(folder.certificate())
            .context("read the certificate; enrol this endpoint anew")?;
        let mut state = folder.load_state(enrolled.anchor, device.endpoint(), now())?;
        let outbox = Outbox::load(&folder.outbox())?;
        // A receipt that was stored just before the state could be: the chain goes on from it.
        for (envelope, receipt) in outbox.waiting().filter_map(|bytes| outbox::parse(bytes)) {
            if receipt.seq > state.receipt_seq {
                state.record_receipt(envelope.id(), &receipt);
            }
        }
        let results = Results::open(folder.results())?;
        let reports = Reports::open(folder.reports());
        folder.store_state(&state)?;
        // Scripts of an earlier life; nothing in there runs again.
        let _ = std::fs::remove_dir_all(folder.jobs());
        files::create_private_folder(&folder.jobs()).context("create the folder for jobs")?;
        let probe = beside_this_program("bartizan-probe")?;
        let prober = Prober::new(launcher.handle(), probe, separation.account().cloned());
        let policies = Policies::new(Watcher::start(folder.checks(), prober, sender.clone()));
        Ok(Self {
            folder,
            enrolled,
            certificate,
            device,
            state,
            outbox,
            results,
            reports,
            program,
            scanner: beside_this_program("bartizan-scan")?,
            separation,
            launcher,
            collector,
            groups: groups.ok().map(Arc::new),
            limits,
            updating,
            events,
            sender,
            agent: None,
            generation: 0,
            restart_at: Instant::now(),
            restart_pause: RESTART_PAUSE,
            backlog: Vec::new(),
            awaited: None,
            running: Running::new(),
            orders: Orders::default(),
            policies,
            told: Told::default(),
            inventory_sent: None,
            linked: false,
            admitted: false,
            receipts_sent: 0,
            freeze_refused: None,
        })
    }

    /// Jobs that were at work when the guard or the machine stopped get their receipt and never run again.
    fn finish_interrupted(&mut self) -> Result<()> {
        for Started { job, t0, occurrence } in self.folder.load_started() {
            let accounted = self
                .outbox
                .waiting()
                .filter_map(|bytes| outbox::parse(bytes))
                .any(|(_, receipt)| receipt.job == job && receipt.occurrence == occurrence);
            let begun = occurrence.map_or_else(
                || self.state.seen.contains_key(&job),
                |due| self.state.orders.get(&job).is_some_and(|order| order.last == Some(due)),
            );
            // Without the job in the seen-set the guard stopped before the start: nothing ran, it may still run.
            if begun && !accounted {
                self.write_receipt(&Account::interrupted(job, t0).of_run(occurrence))?;
            }
            self.folder.forget_started(job)?;
        }
        Ok(())
    }

    fn run(&mut self) -> Result<Ending> {
        let measured = metrics::start(self.device.endpoint(), self.sender.clone());
        loop {
            self.keep_agent_running();
            match self.events.recv_timeout(TICK) {
                Ok(event) => self.handle(event)?,
                Err(RecvTimeoutError::Timeout) => {}
                // This struct holds a sender itself.
                Err(RecvTimeoutError::Disconnected) => return Ok(Ending::Stopped),
            }
            self.refresh_inventory();
            self.send_receipts();
            self.send_reports();
            self.read_inbox()?;
            self.look_at_orders()?;
            self.look_at_policies()?;
            self.update_when_idle()?;
            let stopped = signals::stop_requested() && self.running.is_empty();
            if let Some(ending) = self.updating.ending.or(stopped.then_some(Ending::Stopped)) {
                self.end_checks();
                if let Some(observation) = metrics::take(&measured) {
                    self.reports.add(observation);
                }
                if let Some(agent) = self.agent.take() {
                    agent.end(&self.launcher)?;
                }
                return Ok(ending);
            }
        }
    }

    fn handle(&mut self, event: Event) -> Result<()> {
        match event {
            Event::FromAgent(generation, message) if generation == self.generation => {
                self.handle_message(message)
            }
            Event::AgentGone(generation, reason) if generation == self.generation => {
                eprintln!("the agent is gone: {reason}");
                self.replace_agent();
                Ok(())
            }
            // Of an agent that was replaced.
            Event::FromAgent(..) | Event::AgentGone(..) => Ok(()),
            Event::Output(message) => {
                self.send(message);
                Ok(())
            }
            Event::Finished(job, report) => self.finish(job, &report),
            Event::Observed(observation) => {
                self.reports.add(observation);
                Ok(())
            }
        }
    }

    /// One message of the network half. Whatever it says, nothing but `replay` and `authorize` moves trust or runs
    /// anything.
    fn handle_message(&mut self, message: Message) -> Result<()> {
        match message {
            Message::Link { server_spki: Some(spki) } => self.link_up(&spki),
            Message::Link { server_spki: None } => {
                self.linked = false;
                self.awaited = None;
            }
            Message::TlsSign { content } => {
                let signature = self
                    .device
                    .sign_handshake(&content)
                    .map_or_else(Vec::new, |bytes| bytes.to_vec());
                self.send(Message::TlsSigned { signature });
            }
            Message::Control { start, entries, checkpoint } => {
                self.take_control(start, entries, &checkpoint)?;
            }
            Message::Job(job) => self.take_job(job)?,
            Message::Content { sha256, total, offset, bytes } => {
                self.take_content(&Piece { sha256, total, offset, bytes })?;
            }
            Message::ReceiptStored { seq } => {
                self.confirm_version(seq)?;
                self.outbox.confirm(seq);
                self.forget_results();
                self.send_receipts();
            }
            Message::ReportStored { epoch, seq } => {
                self.reports.confirm(epoch, seq);
                self.send_reports();
            }
            Message::InventoryRequest => {
                self.send_inventory();
                self.collector.collect_whole();
            }
            Message::Freeze { envelope } => self.take_freeze(&envelope, Way::Server)?,
            Message::FreezeFound { place, envelope } => {
                self.take_freeze(&envelope, place.into())?;
            }
            Message::Welcome { admitted, .. } => {
                self.admitted = admitted;
                self.check_in(Sign::Welcome)?;
            }
            Message::Hello(_)
            | Message::Heartbeat { .. }
            | Message::Inventory { .. }
            | Message::JobTaken { .. }
            | Message::Output { .. }
            | Message::Receipt { .. }
            | Message::ControlRequest { .. }
            | Message::ContentRequest { .. }
            | Message::Report(_)
            | Message::HeartbeatAck { .. }
            | Message::Setup(_)
            | Message::TlsSigned { .. } => {
                eprintln!("the agent sent a message that is not its to send; starting another");
                self.replace_agent();
            }
        }
        Ok(())
    }

    /// Collects frames until they reach the checkpoint's size, then replays them as one.
    fn take_control(&mut self, start: u64, entries: Vec<Vec<u8>>, checkpoint: &[u8]) -> Result<()> {
        let known = self.state.control.size();
        let next = known + u64::try_from(self.backlog.len()).unwrap_or(u64::MAX);
        if start == known {
            self.backlog.clear();
        } else if start != next {
            self.backlog.clear();
            self.send(Message::ControlRequest { from: known });
            return Ok(());
        }
        self.backlog.extend(entries);
        let reached = known + u64::try_from(self.backlog.len()).unwrap_or(u64::MAX);
        let bytes: usize = self.backlog.iter().map(Vec::len).sum();
        let room = self.backlog.len() <= trust_limits::CONTROL_REPLAY_ENTRIES_MAX
            && bytes <= trust_limits::CONTROL_REPLAY_BYTES_MAX;
        if room && claimed_size(checkpoint).is_some_and(|size| reached < size) {
            return Ok(());
        }
        let entries = std::mem::take(&mut self.backlog);
        let update = ControlUpdate { start: known, entries: &entries, checkpoint };
        match replay(&self.state, &facts(), &update) {
            Ok((state, skipped)) => {
                for entry in skipped {
                    eprintln!("control log entry {} has no effect: {}", entry.index, entry.refusal);
                }
                self.adopt(state)?;
                self.check_in(Sign::Control)
            }
            Err(refusal) => {
                eprintln!("control log update refused: {refusal}; {}", refusal.advice());
                Ok(())
            }
        }
    }

    /// Takes over a state that a verified control log led to.
    fn adopt(&mut self, state: State) -> Result<()> {
        let places = (self.pins(), self.mirrors());
        self.stand_still(state, Way::Log)?;
        if self.state.membership.is_none() {
            let enrolment = self.enrolled.enrolment.as_bytes();
            // A member that lost its state has an enrolment that is perhaps over by now.
            let before = self.folder.load_joined();
            let again = before.and_then(|joined| rejoin(&self.state, &joined, enrolment).ok());
            match again.map_or_else(|| enrol(&self.state, &facts(), enrolment), Ok) {
                Ok(state) => self.state = state,
                Err(refusal) => {
                    eprintln!("the enrolment is refused: {refusal}; {}", refusal.advice());
                }
            }
        }
        if let Some(joined) = Joined::of(&self.state) {
            self.folder.note_joined(&joined)?;
        }
        self.folder.store_state(&self.state)?;
        self.review_orders()?;
        self.review_policies()?;
        if (self.pins(), self.mirrors()) != places {
            self.send_setup();
        }
        Ok(())
    }
}

/// Read anew for every decision.
fn facts() -> LocalFacts<'static> {
    LocalFacts { now: now(), agent_version: VERSION }
}

/// The size a checkpoint claims, before anything of it is believed.
fn claimed_size(note: &[u8]) -> Option<u64> {
    Some(Checkpoint::parse(&Note::decode(note).ok()?.text).ok()?.size)
}
