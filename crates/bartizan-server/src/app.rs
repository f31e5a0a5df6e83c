//! What every part of the server shares.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use bartizan_proto::operator::ServerIdentity;
use bartizan_store::{LogName, Store};
use bartizan_trust::control::{self, ControlView};
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::OrgId;
use bartizan_trust::policy::LogTrust;
use bartizan_trust::statement::Bundle;
use bartizan_trust::time::UnixSeconds;
use tokio::sync::Notify;

use crate::config::Config;
use crate::db::Db;
use crate::dossiers::Dossiers;
use crate::events::Events;
use crate::hub::Hub;
use crate::keys::ServerKeys;
use crate::logs::{Log, Logs};
use crate::metrics::Metrics;

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
    /// Wakes the dispatcher: some job may be deliverable now.
    pub(crate) work: Notify,
    /// Bundles are added one at a time, so that each is judged against the one before.
    pub(crate) bundles: tokio::sync::Mutex<()>,
    /// Jobs that are being delivered.
    pub(crate) dossiers: Dossiers,
    organisation: RwLock<Option<Arc<Organisation>>>,
}

impl App {
    /// Opens the store, loads logs and organisation.
    pub(crate) async fn load(
        config: Config,
        keys: ServerKeys,
        store: Store,
    ) -> anyhow::Result<Self> {
        let identity = keys.identity(&config.addresses);
        let db = Db::new(store);
        let control = Log::load(LogName::Control, keys.control, &db, &config.dir).await?;
        let jobs = Log::load(LogName::Jobs, keys.jobs, &db, &config.dir).await?;
        let organisation = load_organisation(&db).await?.map(Arc::new);
        Ok(Self {
            config,
            identity,
            db,
            logs: Logs { control, jobs },
            hub: Hub::default(),
            events: Events::new(now()),
            metrics: Metrics::default(),
            work: Notify::new(),
            bundles: tokio::sync::Mutex::new(()),
            dossiers: Dossiers::default(),
            organisation: RwLock::new(organisation),
        })
    }

    /// The organisation, once there is one.
    pub(crate) fn organisation(&self) -> Option<Arc<Organisation>> {
        self.organisation.read().unwrap_or_else(PoisonError::into_inner).clone()
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
    let mut view = ControlView::new(trust);
    for entry in rest {
        if let Err(refusal) = view.advise(org, now(), entry) {
            tracing::warn!(%refusal, "a control entry has no effect");
        }
    }
    Organisation::new(org, view).map(Some)
}
