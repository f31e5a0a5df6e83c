//! What changed, for pages that watch. One look at the server serves all of them, and none is taken while nobody watches.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::broadcast;

use super::desk::Desk;
use super::failure::problem;
use super::shapes::News;

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// News a slow page may lag behind; it then asks for everything anew.
const BACKLOG: usize = 256;

/// Where news come in and go out.
#[derive(Debug)]
pub(super) struct Newsroom {
    sender: broadcast::Sender<News>,
    looking: AtomicBool,
}

impl Default for Newsroom {
    fn default() -> Self {
        Self { sender: broadcast::channel(BACKLOG).0, looking: AtomicBool::new(false) }
    }
}

/// News from now on.
pub(super) fn watch(desk: &Arc<Desk>) -> broadcast::Receiver<News> {
    let news = desk.newsroom.sender.subscribe();
    if !desk.newsroom.looking.swap(true, Ordering::SeqCst) {
        tokio::spawn(look(Arc::clone(desk)));
    }
    news
}

async fn look(desk: Arc<Desk>) {
    let mut known = Vec::new();
    while desk.newsroom.sender.receiver_count() > 0 {
        let here = Arc::clone(&desk);
        let seen = tokio::task::spawn_blocking(move || facts(&here)).await.unwrap_or_default();
        for news in seen.iter().filter(|news| !known.contains(*news)) {
            // Whoever watched last may just have left.
            let _ = desk.newsroom.sender.send(news.clone());
        }
        known = seen;
        tokio::time::sleep(LOOK_EVERY).await;
    }
    desk.newsroom.looking.store(false, Ordering::SeqCst);
}

/// What there is to know now, one of a kind each.
fn facts(desk: &Desk) -> Vec<News> {
    let found = desk.console().and_then(|console| super::views::me::summary(&console));
    found.unwrap_or_else(|error| {
        let problem = problem(&error);
        vec![News::Trouble { code: problem.code, text: problem.message, next: problem.next }]
    })
}
