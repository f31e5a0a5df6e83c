//! Event streams. A page reads them with `fetch`, because `EventSource` sends no token.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::Stream;
use futures_util::stream;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;

use crate::console::desk::Desk;
use crate::console::failure::Failure;
use crate::console::news;
use crate::console::shapes::{News, Problem};
use crate::console::views::{id, output};

/// News a slow page may lag behind before the watch waits for it.
const BACKLOG: usize = 64;

type Sent = Result<Event, Infallible>;

/// What changed, as server-sent events; each datum is a `News`.
#[utoipa::path(get, path = "/events", tag = "events",
    responses((status = 200, body = News, content_type = "text/event-stream"), (status = "default", body = Problem)))]
pub(crate) async fn all(State(desk): State<Arc<Desk>>) -> Sse<impl Stream<Item = Sent>> {
    let news = stream::unfold(news::watch(&desk), |mut news| async move {
        loop {
            match news.recv().await {
                Ok(one) => return Some((Ok(event(&one)), news)),
                // The page asks for everything anew with the next news.
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return None,
            }
        }
    });
    Sse::new(news).keep_alive(KeepAlive::default())
}

/// A job while it runs: where each endpoint stands, and live output. Ends when the job has.
#[utoipa::path(get, path = "/jobs/{id}/events", tag = "events", params(("id" = String, Path, description = "`st_…`")),
    responses((status = 200, body = News, content_type = "text/event-stream"), (status = "default", body = Problem)))]
pub(crate) async fn job(
    State(desk): State<Arc<Desk>>,
    Path(job): Path<String>,
) -> Result<Sse<impl Stream<Item = Sent>>, Failure> {
    let job = id(&job)?;
    let (sender, receiver) = mpsc::channel(BACKLOG);
    tokio::task::spawn_blocking(move || output::follow(&desk, job, &sender));
    let news =
        stream::unfold(
            receiver,
            |mut news| async move { Some((Ok(event(&news.recv().await?)), news)) },
        );
    Ok(Sse::new(news).keep_alive(KeepAlive::default()))
}

fn event(news: &News) -> Event {
    // What we made ourselves can be written as JSON.
    Event::default().json_data(news).unwrap_or_default()
}
