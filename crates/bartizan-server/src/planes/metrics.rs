//! The metrics listener: plain HTTP, one page.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};

use crate::app::App;
use crate::planes::operator::http;

/// Connections at once: a few scrapers.
const CONNECTIONS_MAX: usize = 16;

/// Serves `/metrics` until the server stops.
pub(crate) async fn serve(app: Arc<App>, listener: TcpListener, mut stop: watch::Receiver<bool>) {
    let allow = app.config.metrics_allow.clone();
    let router = Router::new().route("/metrics", get(page)).with_state(app);
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let accepted = tokio::select! {
            _ = stop.changed() => return,
            accepted = listener.accept() => accepted,
        };
        let (Ok((stream, peer)), Ok(place)) = (accepted, Arc::clone(&places).try_acquire_owned())
        else {
            continue;
        };
        if !allow.permits(peer.ip()) {
            continue;
        }
        let (router, stop) = (router.clone(), stop.clone());
        tokio::spawn(async move {
            http::serve(stream, router, stop).await;
            drop(place);
        });
    }
}

async fn page(State(app): State<Arc<App>>) -> Result<String, StatusCode> {
    crate::metrics::page(&app).await.map_err(|error| {
        tracing::error!(%error, "metrics");
        StatusCode::INTERNAL_SERVER_ERROR
    })
}
