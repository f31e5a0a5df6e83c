//! Alerts: one task drives the machine of `bartizan_proto::alerts`, keeps what it says in one transaction, and another one for each
//! channel sends what is due.

mod keep;
mod links;
mod message;
pub(crate) mod outbox;

use std::sync::Arc;
use std::time::Duration;

use bartizan_proto::alerts::{
    Alert, Machine, Observation, OperatorDeed, Rules, RulesDocument, Why, Wish,
};
use bartizan_store::{StoreError, WishRecord};
use bartizan_trust::id::{AlertId, OperatorId};
use bartizan_trust::time::UnixSeconds;
use tokio::sync::{Notify, mpsc, oneshot, watch};

use crate::app::{App, now};
use crate::zones;
use links::Links;

pub(crate) use message::send;

const TICK: Duration = Duration::from_secs(1);
/// Requests of operators that wait.
const REQUESTS_MAX: usize = 64;
/// Observations judged in one transaction.
const OBSERVATIONS_MAX: u64 = 500;
/// So many of those between two looks at the clock, so that operators are answered also while much comes.
const BATCHES_PER_TICK: u32 = 20;
/// Ticks between looks at things that change seldom: zones, old alerts.
const TICKS_PER_DAY: u64 = 86_400;
const TICKS_PER_PRUNE: u64 = 600;

/// What operators ask of the machine.
pub(crate) enum Request {
    /// Acknowledge, resolve, note. Whether it was possible.
    Deed {
        id: AlertId,
        deed: OperatorDeed,
        operator: OperatorId,
        note: String,
        reply: oneshot::Sender<bool>,
    },
    /// Other rules; their version, or none where somebody else was faster.
    Rules {
        base: u64,
        document: Box<RulesDocument>,
        operator: OperatorId,
        reply: oneshot::Sender<Option<u64>>,
    },
    /// Tell me when it is back.
    Wish { wish: Wish, reply: oneshot::Sender<Wished> },
    /// Why an alert is told, or not.
    Why { id: AlertId, reply: oneshot::Sender<Vec<Why>> },
}

/// What became of a wish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wished {
    /// It is kept.
    Kept,
    /// The endpoint is there already.
    Connected,
    /// Too many wait.
    Full,
}

/// How the rest of the server reaches the task.
pub(crate) struct Handle {
    requests: mpsc::Sender<Request>,
    /// Wakes the senders: there may be messages.
    pub(super) outbox: Notify,
}

impl Handle {
    /// A handle, and what the task reads.
    pub(crate) fn new() -> (Self, mpsc::Receiver<Request>) {
        let (requests, receiver) = mpsc::channel(REQUESTS_MAX);
        (Self { requests, outbox: Notify::new() }, receiver)
    }

    /// Asks; answered when what it changes is kept. None while the server stops.
    pub(crate) async fn ask<T>(
        &self,
        request: impl FnOnce(oneshot::Sender<T>) -> Request,
    ) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        self.requests.send(request(reply)).await.ok()?;
        answer.await.ok()
    }
}

/// Runs until the server stops.
pub(crate) async fn run(
    app: Arc<App>,
    mut requests: mpsc::Receiver<Request>,
    mut stop: watch::Receiver<bool>,
) {
    let mut task = loop {
        match Task::load(&app).await {
            Ok(task) => break task,
            Err(error) => tracing::error!(%error, "load the alerts"),
        }
        tokio::select! {
            _ = stop.changed() => return,
            () = tokio::time::sleep(TICK) => {}
        }
    };
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let result = tokio::select! {
            _ = stop.changed() => return,
            Some(request) = requests.recv() => task.handle(request).await,
            _ = tick.tick() => task.tick().await,
        };
        if let Err(error) = result {
            // The machine is ahead of the database now: begin again with what is kept.
            tracing::error!(%error, "alerts");
            match Task::load(&app).await {
                Ok(loaded) => task = Task { ticks: task.ticks, ..loaded },
                Err(error) => tracing::error!(%error, "load the alerts"),
            }
        }
    }
}

struct Task<'a> {
    app: &'a App,
    machine: Machine,
    links: Links,
    ticks: u64,
}

impl<'a> Task<'a> {
    async fn load(app: &'a App) -> Result<Self, StoreError> {
        let now = now();
        let kept = app.db.read(move |tx| keep::load(tx, now)).await?;
        let rules = rules(app, kept.rules, now);
        let mut machine = Machine::new(rules, kept.alerts, kept.wishes, now);
        let links = Links::load(app, &mut machine).await?;
        Ok(Self { app, machine, links, ticks: 0 })
    }

    async fn tick(&mut self) -> Result<(), StoreError> {
        self.ticks = self.ticks.wrapping_add(1);
        if self.ticks.is_multiple_of(TICKS_PER_DAY) {
            // Zones change, and the stretch of time that was read of them moves on.
            let document = self.machine.rules().document().clone();
            self.machine.set_rules(rules(self.app, Some(document), now()));
        }
        self.links.look(self.app, &mut self.machine).await?;
        for _ in 0..BATCHES_PER_TICK {
            if !self.judge_queued().await? {
                break;
            }
        }
        self.machine.handle_timeout(now());
        self.keep(None).await?;
        if self.ticks.is_multiple_of(TICKS_PER_PRUNE) {
            self.app.db.write(|tx| keep::prune(tx, now())).await?;
        }
        Ok(())
    }

    /// Judges what reports have brought; true when more waits.
    async fn judge_queued(&mut self) -> Result<bool, StoreError> {
        let queued = self.app.db.read(|tx| tx.queued_observations(OBSERVATIONS_MAX)).await?;
        let Some(judged) = queued.last().map(|(seq, _)| *seq) else { return Ok(false) };
        let is_full = u64::try_from(queued.len()).is_ok_and(|count| count >= OBSERVATIONS_MAX);
        for (_, body) in queued {
            match serde_json::from_slice::<Observation>(&body) {
                Ok(observation) => self.machine.handle_observation(observation, now()),
                Err(error) => tracing::error!(%error, "an observation that cannot be read"),
            }
        }
        self.keep(Some(judged)).await?;
        Ok(is_full)
    }

    /// Keeps what the machine has decided, in one transaction with what it decided upon.
    async fn keep(&mut self, judged: Option<u64>) -> Result<(), StoreError> {
        let changes = self.machine.take_changes();
        if changes.is_empty() && judged.is_none() {
            return Ok(());
        }
        let sends = !changes.notifications.is_empty();
        self.app.db.write(move |tx| keep::keep(tx, &changes, judged)).await?;
        if sends {
            self.app.alerts.outbox.notify_waiters();
        }
        Ok(())
    }

    async fn handle(&mut self, request: Request) -> Result<(), StoreError> {
        match request {
            Request::Deed { id, deed, operator, note, reply } => {
                let is_done = self.machine.handle_operator(id, deed, (&operator, &note), now());
                self.keep(None).await?;
                let _ = reply.send(is_done);
            }
            Request::Rules { base, document, operator, reply } => {
                let at = now();
                let body = serde_json::to_vec(&document).unwrap_or_default();
                let put = move |tx: &mut bartizan_store::Tx<'_>| {
                    tx.put_alert_rules(base, at.get(), &operator, &body)
                };
                let version = self.app.db.write(put).await?;
                if version.is_some() {
                    self.machine.set_rules(rules(self.app, Some(*document), at));
                }
                let _ = reply.send(version);
            }
            Request::Wish { wish, reply } => {
                let wished = self.wish(wish).await?;
                let _ = reply.send(wished);
            }
            Request::Why { id, reply } => {
                let _ = reply.send(self.machine.explain(id, now()).unwrap_or_default());
            }
        }
        Ok(())
    }

    async fn wish(&mut self, wish: Wish) -> Result<Wished, StoreError> {
        if self.app.hub.is_connected(wish.endpoint) {
            return Ok(Wished::Connected);
        }
        let record = wish_record(&wish);
        if !self.machine.wish(wish) {
            return Ok(Wished::Full);
        }
        self.app.db.write(move |tx| tx.put_wish(&record)).await?;
        Ok(Wished::Kept)
    }
}

fn wish_record(wish: &Wish) -> WishRecord {
    WishRecord {
        endpoint: wish.endpoint,
        operator: wish.operator.clone(),
        channel: wish.channel.clone(),
        at: wish.at.get(),
    }
}

/// Rules as this server can follow them: its channels, its zones.
fn rules(app: &App, document: Option<RulesDocument>, now: UnixSeconds) -> Rules {
    let channels: Vec<_> =
        app.config.channels.iter().map(crate::channels::Channel::shown).collect();
    let zones =
        document.as_ref().map(|document| zones::load(&document.zones(), now)).unwrap_or_default();
    Rules::new(document, &channels, zones)
}

/// An alert as the database has it.
pub(crate) fn read_alert(body: &[u8]) -> Result<Alert, StoreError> {
    serde_json::from_slice(body).map_err(|_| StoreError::Column("alert.body"))
}
