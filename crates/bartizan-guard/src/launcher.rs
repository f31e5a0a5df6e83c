//! The one thread that starts processes. It was there before the others gave up sockets, programs and capabilities, which
//! its children must not inherit; it reads nothing from anybody, and does what the deciding thread asks it to do.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Weak};

use anyhow::{Context, Result};

type Order = Box<dyn FnOnce() + Send>;

/// Asks it.
pub(crate) struct Launcher(Arc<SyncSender<Order>>);

/// Asks it from another thread, for as long as the deciding one can. It keeps nothing alive.
#[derive(Debug, Clone)]
pub(crate) struct LauncherHandle(Weak<SyncSender<Order>>);

/// What it is asked.
pub(crate) struct Orders(Receiver<Order>);

/// Both ends.
pub(crate) fn open() -> (Launcher, Orders) {
    let (sender, receiver) = sync_channel(1);
    (Launcher(Arc::new(sender)), Orders(receiver))
}

impl Launcher {
    /// Has something done there, and waits for what comes of it.
    pub(crate) fn call<T: Send + 'static>(
        &self,
        order: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        give(&self.0, order)?.recv().context("wait for the launcher")
    }

    /// For another thread.
    pub(crate) fn handle(&self) -> LauncherHandle {
        LauncherHandle(Arc::downgrade(&self.0))
    }
}

impl LauncherHandle {
    /// As of the launcher itself.
    pub(crate) fn call<T: Send + 'static>(
        &self,
        order: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        // Not held while it waits: the guard can end meanwhile.
        let answer = give(&*self.0.upgrade().context("the guard ends")?, order)?;
        answer.recv().context("wait for the launcher")
    }
}

fn give<T: Send + 'static>(
    orders: &SyncSender<Order>,
    order: impl FnOnce() -> T + Send + 'static,
) -> Result<Receiver<T>> {
    let (sender, answer) = sync_channel(1);
    let order: Order = Box::new(move || {
        let _ = sender.send(order());
    });
    orders.send(order).ok().context("ask the launcher")?;
    Ok(answer)
}

impl Orders {
    /// Carries orders out until nobody can give any.
    pub(crate) fn serve(self) {
        while let Ok(order) = self.0.recv() {
            order();
        }
    }
}
