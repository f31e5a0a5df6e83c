//! Which endpoints are connected, and how to wake their connections.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use bartizan_trust::id::EndpointId;
use bartizan_trust::time::UnixSeconds;
use tokio::sync::Notify;

use crate::allowance::Allowance;

/// Endpoints that are away and had spent of their allowance; those who have all of it back make room.
const SPENT_MAX: usize = 16_384;

/// One connection, seen from outside.
#[derive(Debug, Default)]
pub(crate) struct Link {
    wake: Notify,
    work: AtomicBool,
    inventory: AtomicBool,
    close: AtomicBool,
    freezes: Mutex<Vec<Arc<[u8]>>>,
    last_seen: AtomicU64,
}

/// What a connection was woken for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wish {
    /// Freezes to pass on, before anything else.
    pub(crate) freezes: Vec<Arc<[u8]>>,
    pub(crate) work: bool,
    pub(crate) inventory: bool,
    pub(crate) close: bool,
}

impl Link {
    /// Waits until somebody wants something, and takes the wishes.
    pub(crate) async fn wished(&self) -> Wish {
        self.wake.notified().await;
        let freezes = self.freezes.lock().unwrap_or_else(PoisonError::into_inner).split_off(0);
        Wish {
            freezes,
            work: self.work.swap(false, Ordering::Relaxed),
            inventory: self.inventory.swap(false, Ordering::Relaxed),
            close: self.close.load(Ordering::Relaxed),
        }
    }

    /// A frame came.
    pub(crate) fn seen(&self, at: UnixSeconds) {
        self.last_seen.store(at.get(), Ordering::Relaxed);
    }

    fn wish(&self, what: &AtomicBool) {
        what.store(true, Ordering::Relaxed);
        self.wake.notify_one();
    }
}

/// Every connected endpoint.
#[derive(Debug, Default)]
pub(crate) struct Hub {
    links: Mutex<HashMap<EndpointId, Arc<Link>>>,
    /// What endpoints that are away have spent, so that coming back gives nothing.
    spent: Mutex<HashMap<EndpointId, Allowance>>,
}

impl Hub {
    /// Registers a connection; an older one of the same endpoint is told to close.
    pub(crate) fn connect(&self, id: EndpointId) -> Arc<Link> {
        let link = Arc::new(Link::default());
        let older = self.lock().insert(id, Arc::clone(&link));
        if let Some(older) = older {
            older.wish(&older.close);
        }
        link
    }

    /// A connection ended; a newer one of the same endpoint stays.
    pub(crate) fn disconnect(&self, id: EndpointId, link: &Arc<Link>) {
        let mut links = self.lock();
        if links.get(&id).is_some_and(|known| Arc::ptr_eq(known, link)) {
            links.remove(&id);
        }
    }

    /// What an endpoint may report over a new connection.
    pub(crate) fn take_allowance(&self, id: EndpointId) -> Allowance {
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        spent.remove(&id).unwrap_or_else(|| Allowance::new(Instant::now()))
    }

    /// What it has left at the end of one.
    pub(crate) fn return_allowance(&self, id: EndpointId, left: Allowance) {
        let now = Instant::now();
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        if spent.len() >= SPENT_MAX {
            spent.retain(|_, left| !left.is_full(now));
        }
        if !left.is_full(now) && spent.len() < SPENT_MAX {
            spent.insert(id, left);
        }
    }

    pub(crate) fn is_connected(&self, id: EndpointId) -> bool {
        self.lock().contains_key(&id)
    }

    /// All that are connected now.
    pub(crate) fn connected(&self) -> HashSet<EndpointId> {
        self.lock().keys().copied().collect()
    }

    pub(crate) fn count(&self) -> usize {
        self.lock().len()
    }

    /// A job may be deliverable to these.
    pub(crate) fn wake(&self, endpoints: &[EndpointId]) {
        let links = self.lock();
        for link in endpoints.iter().filter_map(|id| links.get(id)) {
            link.wish(&link.work);
        }
    }

    /// Passes a freeze to every connection at once.
    pub(crate) fn push_freeze(&self, envelope: &[u8]) {
        let envelope: Arc<[u8]> = envelope.into();
        for link in self.lock().values() {
            link.freezes.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&envelope));
            link.wake.notify_one();
        }
    }

    /// Asks for an inventory; false when the endpoint is not connected.
    pub(crate) fn ask_inventory(&self, id: EndpointId) -> bool {
        self.lock().get(&id).inspect(|link| link.wish(&link.inventory)).is_some()
    }

    /// Ends a connection; the endpoint comes back and is judged again.
    pub(crate) fn close(&self, id: EndpointId) {
        if let Some(link) = self.lock().get(&id) {
            link.wish(&link.close);
        }
    }

    /// When connected endpoints were last heard of.
    pub(crate) fn last_seen(&self) -> Vec<(EndpointId, u64)> {
        let links = self.lock();
        links.iter().map(|(id, link)| (*id, link.last_seen.load(Ordering::Relaxed))).collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<EndpointId, Arc<Link>>> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
