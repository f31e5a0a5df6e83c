//! Which endpoints are connected, and how to wake their connections.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use bartizan_store::Place;
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
    /// Where it belongs; `None` while it is not let in.
    place: Option<Place>,
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

/// Connections, and how many of those let in belong where: nobody counts all of them for each look at the tree.
#[derive(Debug, Default)]
struct Links {
    by_id: HashMap<EndpointId, Arc<Link>>,
    by_place: BTreeMap<Place, u64>,
}

impl Links {
    fn insert(&mut self, id: EndpointId, link: &Arc<Link>) -> Option<Arc<Link>> {
        if let Some(place) = &link.place {
            *self.by_place.entry(place.clone()).or_default() += 1;
        }
        let older = self.by_id.insert(id, Arc::clone(link));
        if let Some(older) = &older {
            self.uncount(older);
        }
        older
    }

    /// Unless a newer one has taken its place.
    fn remove(&mut self, id: EndpointId, link: &Arc<Link>) {
        if self.by_id.get(&id).is_some_and(|known| Arc::ptr_eq(known, link)) {
            self.by_id.remove(&id);
            self.uncount(link);
        }
    }

    fn uncount(&mut self, link: &Link) {
        let Some(place) = &link.place else { return };
        let Some(count) = self.by_place.get_mut(place) else { return };
        *count = count.saturating_sub(1);
        if *count == 0 {
            self.by_place.remove(place);
        }
    }
}

/// Every connected endpoint.
#[derive(Debug, Default)]
pub(crate) struct Hub {
    links: Mutex<Links>,
    /// What endpoints that are away have spent, so that coming back gives nothing.
    spent: Mutex<HashMap<EndpointId, Allowance>>,
}

impl Hub {
    /// Registers a connection, with where its endpoint belongs if it is let in; an older one of the same endpoint is told
    /// to close.
    pub(crate) fn connect(&self, id: EndpointId, place: Option<Place>) -> Arc<Link> {
        let link = Arc::new(Link { place, ..Link::default() });
        let older = self.lock().insert(id, &link);
        if let Some(older) = older {
            older.wish(&older.close);
        }
        link
    }

    /// A connection ended; a newer one of the same endpoint stays.
    pub(crate) fn disconnect(&self, id: EndpointId, link: &Arc<Link>) {
        self.lock().remove(id, link);
    }

    /// How many endpoints that are let in are connected, and where they belong.
    pub(crate) fn places(&self) -> BTreeMap<Place, u64> {
        self.lock().by_place.clone()
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
        self.lock().by_id.contains_key(&id)
    }

    /// All that are connected now.
    pub(crate) fn connected(&self) -> HashSet<EndpointId> {
        self.lock().by_id.keys().copied().collect()
    }

    pub(crate) fn count(&self) -> usize {
        self.lock().by_id.len()
    }

    /// A job may be deliverable to these.
    pub(crate) fn wake(&self, endpoints: &[EndpointId]) {
        let links = self.lock();
        for link in endpoints.iter().filter_map(|id| links.by_id.get(id)) {
            link.wish(&link.work);
        }
    }

    /// Passes a freeze to every connection at once.
    pub(crate) fn push_freeze(&self, envelope: &[u8]) {
        let envelope: Arc<[u8]> = envelope.into();
        for link in self.lock().by_id.values() {
            link.freezes.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&envelope));
            link.wake.notify_one();
        }
    }

    /// Asks for an inventory; false when the endpoint is not connected.
    pub(crate) fn ask_inventory(&self, id: EndpointId) -> bool {
        self.lock().by_id.get(&id).inspect(|link| link.wish(&link.inventory)).is_some()
    }

    /// Ends a connection; the endpoint comes back and is judged again.
    pub(crate) fn close(&self, id: EndpointId) {
        if let Some(link) = self.lock().by_id.get(&id) {
            link.wish(&link.close);
        }
    }

    /// When connected endpoints were last heard of.
    pub(crate) fn last_seen(&self) -> Vec<(EndpointId, u64)> {
        let links = self.lock();
        links.by_id.iter().map(|(id, link)| (*id, link.last_seen.load(Ordering::Relaxed))).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Links> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(tenant: &str) -> Place {
        (Some(tenant.parse().unwrap()), Some("si_hq".parse().unwrap()))
    }

    fn count(hub: &Hub, tenant: &str) -> u64 {
        hub.places().get(&place(tenant)).copied().unwrap_or(0)
    }

    #[test]
    fn connections_are_counted_where_they_belong_once_each() {
        let (hub, one, two) = (Hub::default(), id(1), id(2));
        let first = hub.connect(one, Some(place("tn_acme")));
        hub.connect(two, Some(place("tn_acme")));
        assert_eq!(count(&hub, "tn_acme"), 2);
        // It comes back before the server has noticed that it was gone, and belongs elsewhere by now.
        let second = hub.connect(one, Some(place("tn_globex")));
        assert_eq!((count(&hub, "tn_acme"), count(&hub, "tn_globex")), (1, 1));
        hub.disconnect(one, &first);
        assert_eq!((count(&hub, "tn_acme"), count(&hub, "tn_globex"), hub.count()), (1, 1, 2));
        hub.disconnect(one, &second);
        hub.disconnect(one, &second);
        assert_eq!((count(&hub, "tn_globex"), hub.count()), (0, 1));
        assert_eq!(hub.places().len(), 1, "places where nobody is are forgotten");
    }

    #[test]
    fn who_is_not_let_in_is_connected_and_counted_nowhere() {
        let hub = Hub::default();
        let link = hub.connect(id(1), None);
        assert!(hub.places().is_empty() && hub.is_connected(id(1)));
        hub.disconnect(id(1), &link);
        assert_eq!(hub.count(), 0);
    }

    fn id(number: u8) -> EndpointId {
        EndpointId::new(bartizan_trust::id::Sha256::of(&[number]))
    }
}
