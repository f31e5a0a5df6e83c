//! The one thread that starts processes. It was there before the others gave up sockets, programs and capabilities, which
//! its children must not inherit; it reads nothing from anybody, and does what the deciding thread asks it to do.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use anyhow::{Context, Result};

type Order = Box<dyn FnOnce() + Send>;

/// Asks it.
pub(crate) struct Launcher(SyncSender<Order>);

/// What it is asked.
pub(crate) struct Orders(Receiver<Order>);

/// Both ends.
pub(crate) fn open() -> (Launcher, Orders) {
    let (sender, receiver) = sync_channel(1);
    (Launcher(sender), Orders(receiver))
}

impl Launcher {
    /// Has something done there, and waits for what comes of it.
    pub(crate) fn call<T: Send + 'static>(
        &self,
        order: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        let (sender, answer) = sync_channel(1);
        let order = Box::new(move || {
            let _ = sender.send(order());
        });
        self.0.send(order).ok().context("ask the launcher")?;
        answer.recv().context("wait for the launcher")
    }
}

impl Orders {
    /// Carries orders out until nobody can give any.
    pub(crate) fn serve(self) {
        while let Ok(order) = self.0.recv() {
            order();
        }
    }
}
