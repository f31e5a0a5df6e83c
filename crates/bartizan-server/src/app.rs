//! What every part of the server shares.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use bartizan_proto::operator::ServerIdentity;
use bartizan_proto::preflight::QuarantineReason;
use bartizan_store::{LogName, Store, StoreError};
use bartizan_trust::control::{self, ControlView};
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::{OperatorId, OrgId};
use bartizan_trust::policy::LogTrust;
use bartizan_trust::statement::Bundle;
use bartizan_trust::time::UnixSeconds;
use tokio::sync::Notify;

use crate::alerts;
use crate::config::Config;
use crate::db::Db;
use crate::dossiers::Dossiers;
use crate::events::Events;
use crate::hub::Hub;
use crate::keys::ServerKeys;
use crate::logs::{Log, Logs};
use crate::metrics::Metrics;
use crate::remote_write::Health;
use crate::{lineage, quarantine};

/// Questions about series that are answered at once.
const QUESTIONS_AT_ONCE: usize = 2;

/// The organisation this server serves: a copy of what its control log says. Endpoints and consoles
/// replay the log themselves; nothing here is believed by them.
#[derive(Debug)]
pub(crate) struct Organisation {
    pub(crate) org: OrgId,
    pub(crate) view: ControlView,
    pub(crate) log: LogTrust,
}

impl Organisation {
    pub(crate) fn new(org: OrgId, view: ControlView) -> anyhow::Result<Self> {
        let log = LogTrust::parse(&view.chain.current.bundle.log)?;
        Ok(Self { org, view, log })
    }

    pub(crate) const fn bundle(&self) -> &Bundle {
        &self.view.chain.current.bundle
    }
}

/// The server.
pub(crate) struct App {
    pub(crate) config: Config,
    pub(crate) identity: ServerIdentity,
    pub(crate) db: Db,
    pub(crate) logs: Logs,
    pub(crate) hub: Hub,
    pub(crate) events: Events,
    pub(crate) metrics: Metrics,
    /// Places for questions about series, which read much.
    pub(crate) questions: tokio::sync::Semaphore,
    /// One for each `[[remote_write]]`.
    pub(crate) remote_write: Vec<Health>,
    /// The task that decides about alerts.
    pub(crate) alerts: alerts::Handle,
    /// Wakes the dispatcher: some job may be deliverable now.
    pub(crate) work: Notify,
    /// Bundles are added one at a time, so that each is judged against the one before.
    pub(crate) bundles: tokio::sync::Mutex<()>,
    /// Jobs that are being delivered.
    pub(crate) dossiers: Dossiers,
    organisation: RwLock<Option<Arc<Organisation>>>,
    quarantined: AtomicBool,
}

impl App {
    /// Opens the store, loads logs and organisation.
    pub(crate) async fn load(
        config: Config,
        keys: ServerKeys,
        store: Store,
        alerts: alerts::Handle,
    ) -> anyhow::Result<Self> {
        let identity = keys.identity(&config.addresses);
        let db = Db::new(store);
        let quarantined = judge_lineage(&db, &config).await?;
        let control = Log::load(LogName::Control, keys.control, &db, &config.dir).await?;
        let jobs = Log::load(LogName::Jobs, keys.jobs, &db, &config.dir).await?;
        let organisation = load_organisation(&db).await?.map(Arc::new);
        let remote_write = begin_remote_write(&db, &config).await?;
        Ok(Self {
            config,
            identity,
            db,
            logs: Logs { control, jobs },
            hub: Hub::default(),
            events: Events::new(now()),
            metrics: Metrics::default(),
            questions: tokio::sync::Semaphore::new(QUESTIONS_AT_ONCE),
            remote_write,
            alerts,
            work: Notify::new(),
            bundles: tokio::sync::Mutex::new(()),
            dossiers: Dossiers::default(),
            organisation: RwLock::new(organisation),
            quarantined: AtomicBool::new(quarantined),
        })
    }

    /// The organisation, once there is one.
    pub(crate) fn organisation(&self) -> Option<Arc<Organisation>> {
        self.organisation.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether jobs are kept back until an operator has looked.
    pub(crate) fn is_quarantined(&self) -> bool {
        self.quarantined.load(Ordering::Relaxed)
    }

    /// As the database now says: another program may have raised the alarm.
    pub(crate) fn set_quarantined(&self, quarantined: bool) {
        if self.quarantined.swap(quarantined, Ordering::Relaxed) != quarantined {
            // Jobs have ended, or there are none yet.
            self.dossiers.changed();
            self.work.notify_one();
        }
    }

    /// Begins a quarantine.
    pub(crate) async fn enter_quarantine(
        &self,
        reasons: Vec<QuarantineReason>,
    ) -> Result<(), StoreError> {
        self.db.write(move |tx| quarantine::enter(tx, now(), reasons)).await?;
        self.set_quarantined(true);
        Ok(())
    }

    /// Ends it.
    pub(crate) async fn lift_quarantine(&self, operator: OperatorId) -> Result<(), StoreError> {
        self.db.write(move |tx| quarantine::lift(tx, now(), operator)).await?;
        self.set_quarantined(false);
        Ok(())
    }

    /// Puts waiting bundles in force whose delay is over; true when one was.
    pub(crate) fn settle(&self) -> anyhow::Result<bool> {
        let Some(known) = self.organisation() else { return Ok(false) };
        let mut view = known.view.clone();
        view.chain.settle(now());
        if view == known.view {
            return Ok(false);
        }
        self.set_organisation(Organisation::new(known.org, view)?);
        Ok(true)
    }

    /// A control statement was stored and logged.
    pub(crate) fn set_organisation(&self, organisation: Organisation) {
        *self.organisation.write().unwrap_or_else(PoisonError::into_inner) =
            Some(Arc::new(organisation));
        self.logs.control.forget_best();
        self.logs.jobs.forget_best();
    }
}

/// The clock.
pub(crate) fn now() -> UnixSeconds {
    UnixSeconds::new(
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()),
    )
}

/// Replays the bundles of the control log.
async fn load_organisation(db: &Db) -> anyhow::Result<Option<Organisation>> {
    let entries = db.read(|tx| tx.log_entries(LogName::Control, 0, u64::from(u32::MAX))).await?;
    let Some((first, rest)) = entries.split_first() else { return Ok(None) };
    let genesis = Envelope::decode(first).context("the first control entry")?;
    let org = OrgId::new(*genesis.id().hash());
    let trust = control::genesis(&genesis).context("the genesis bundle in the control log")?;
    let logged: BTreeMap<u64, u64> = db.read(|tx| tx.logged(0)).await?.into_iter().collect();
    let mut view = ControlView::new(trust);
    for (index, entry) in (1..).zip(rest) {
        let logged = logged.get(&index).copied().map(UnixSeconds::new);
        if let Err(refusal) = view.advise(org, now(), logged, entry) {
            tracing::warn!(%refusal, "a control entry has no effect");
        }
    }
    Organisation::new(org, view).map(Some)
}

/// Before anything comes in, so that a new destination gets all of it.
async fn begin_remote_write(db: &Db, config: &Config) -> Result<Vec<Health>, StoreError> {
    let names: Vec<String> = config.remote_write.iter().map(|one| one.name.clone()).collect();
    let begin = move |tx: &mut bartizan_store::Tx<'_>| {
        names.iter().try_for_each(|name| tx.begin_outgoing(name))
    };
    db.write(begin).await?;
    Ok(config.remote_write.iter().map(|_| Health::default()).collect())
}

/// Whether this server begins in quarantine: it was in one, or is not the one that stopped here.
async fn judge_lineage(db: &Db, config: &Config) -> anyhow::Result<bool> {
    let reasons = lineage::judge(db, &config.dir).await?;
    let quarantine = db.write(move |tx| {
        if reasons.is_empty() {
            return quarantine::load(tx);
        }
        quarantine::enter(tx, now(), reasons).map(Some)
    });
    let quarantine = quarantine.await?;
    lineage::mark(db, &config.dir).await?;
    for reason in quarantine.iter().flat_map(|quarantine| &quarantine.reasons) {
        tracing::warn!(
            "in quarantine: {} [{}]; next: `bartizan preflight`",
            reason.text,
            reason.code
        );
    }
    Ok(quarantine.is_some())
}
