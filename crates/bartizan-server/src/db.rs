//! The store from async code: waits for a place in the queue, then for the commit.

use std::sync::Arc;

use bartizan_store::{Access, QUEUE_MAX, Store, StoreCounters, StoreError, Tx};
use tokio::sync::{Semaphore, oneshot};

/// Shared handle of the store.
#[derive(Clone)]
pub(crate) struct Db {
    store: Arc<Store>,
    places: Arc<Semaphore>,
    report_places: Arc<Semaphore>,
}

impl Db {
    pub(crate) fn new(store: Store) -> Self {
        let places = || Arc::new(Semaphore::new(QUEUE_MAX));
        Self { store: Arc::new(store), places: places(), report_places: places() }
    }

    /// Runs an operation that only looks.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        operation: impl FnOnce(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.run(Access::Read, operation).await
    }

    /// Runs an operation that changes something; returns after its commit.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        operation: impl FnOnce(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.run(Access::Write, operation).await
    }

    /// Runs an operation that keeps what an endpoint reports: after what others wait for; returns after its commit.
    pub(crate) async fn report<T: Send + 'static>(
        &self,
        operation: impl FnOnce(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.run(Access::Report, operation).await
    }

    pub(crate) fn counters(&self) -> &StoreCounters {
        self.store.counters()
    }

    async fn run<T: Send + 'static>(
        &self,
        access: Access,
        operation: impl FnOnce(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let places = if access == Access::Report { &self.report_places } else { &self.places };
        let place = Arc::clone(places).acquire_owned().await.map_err(|_| StoreError::Closed)?;
        let (sender, receiver) = oneshot::channel();
        self.store.submit(access, operation, move |result| {
            drop(place);
            // Nobody may be waiting any longer; the commit counts all the same.
            drop(sender.send(result));
        })?;
        receiver.await.map_err(|_| StoreError::Closed)?
    }
}
