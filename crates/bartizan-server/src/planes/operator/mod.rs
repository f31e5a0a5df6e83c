//! The operator plane: JSON over HTTPS, private by default. Specification: `docs/spec/operator-api.md`.

mod alerts;
mod control;
mod endpoints;
mod events;
mod failure;
mod fleet;
mod genesis;
pub(crate) mod http;
mod inventory;
mod jobs;
pub(crate) mod judge;
mod login;
mod logs;
mod marks;
mod policies;
mod preflight;
mod prom;
mod prom_read;
mod promotions;
mod series;
mod tokens;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use bartizan_trust::id::Sha256;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;

use crate::app::App;
use crate::metrics::count;
use crate::tls;
use failure::Failure;

/// Connections at once: consoles, witnesses, some long polls each.
const CONNECTIONS_MAX: usize = 1024;
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest request, long polls included.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(90);
/// Largest body: a script of 1 MiB in base64, its envelope, and a list of targets.
const BODY_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Largest new job: an update of 64 MiB in base64, with room for its envelope and targets.
const JOB_BYTES_MAX: usize = 90 * 1024 * 1024;

/// The console key of a connection, if it presented one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(pub(super) Option<Sha256>);

/// Accepts consoles until the server stops.
pub(crate) async fn serve(
    app: Arc<App>,
    listener: TcpListener,
    acceptor: TlsAcceptor,
    mut stop: watch::Receiver<bool>,
) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let router = routes(&app);
    loop {
        let accepted = tokio::select! {
            _ = stop.changed() => return,
            accepted = listener.accept() => accepted,
        };
        let (stream, place) = match (accepted, Arc::clone(&places).try_acquire_owned()) {
            (Ok((_, peer)), _) if !app.config.operator_allow.permits(peer.ip()) => {
                count(&app.metrics.handshakes_refused);
                continue;
            }
            (Ok((stream, _)), Ok(place)) => (stream, place),
            (Err(error), _) => {
                tracing::warn!(%error, "accept an operator");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
            (_, Err(_)) => continue,
        };
        let (app, acceptor, router, stop) =
            (Arc::clone(&app), acceptor.clone(), router.clone(), stop.clone());
        tokio::spawn(async move {
            connection(&app, stream, &acceptor, router, stop).await;
            drop(place);
        });
    }
}

async fn connection(
    app: &App,
    stream: TcpStream,
    acceptor: &TlsAcceptor,
    router: Router,
    stop: watch::Receiver<bool>,
) {
    let _ = stream.set_nodelay(true);
    match tokio::time::timeout(HANDSHAKE_TIMEOUT, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => {
            let certificate = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
            let peer = Peer(certificate.and_then(tls::spki_hash));
            http::serve(stream, router.layer(Extension(peer)), stop).await;
        }
        Ok(Err(error)) => {
            count(&app.metrics.handshakes_refused);
            tracing::debug!(%error, "operator handshake refused");
        }
        Err(_) => count(&app.metrics.handshakes_refused),
    }
}

fn routes(app: &Arc<App>) -> Router {
    // Read only after the session was checked.
    let jobs_limit = DefaultBodyLimit::max(JOB_BYTES_MAX);
    Router::new()
        .route("/v1/server", get(login::server))
        .route("/v1/genesis", post(genesis::genesis))
        .route("/v1/login", post(login::login))
        .route("/v1/control", post(control::add))
        .route("/v1/control/drafts", get(control::drafts))
        .route("/v1/control/times", get(control::times))
        .route("/v1/freezes", get(control::freezes))
        .route("/v1/freezes/{id}/receipts", get(control::receipts))
        .route("/v1/preflight", get(preflight::show))
        .route("/v1/quarantine", post(preflight::alarm))
        .route("/v1/quarantine/lift", post(preflight::lift))
        .route("/v1/enrolments", post(endpoints::enrol))
        .route("/v1/endpoints", get(endpoints::list))
        .route("/v1/endpoints/window", get(fleet::window))
        .route("/v1/endpoints/tree", get(fleet::tree))
        .route("/v1/endpoints/names", post(fleet::names))
        .route("/v1/endpoints/{id}", get(endpoints::show))
        .route("/v1/endpoints/{id}/jobs", get(fleet::jobs))
        .route("/v1/endpoints/{id}/receipts", get(fleet::receipts))
        .route("/v1/endpoints/{id}/series", get(series::show))
        .route("/v1/endpoints/{id}/inventory", get(inventory::sections))
        .route("/v1/endpoints/{id}/inventory/{section}", get(inventory::section))
        .route("/v1/inventory/search", get(inventory::find))
        .route("/v1/inventory/changes", get(inventory::changes))
        .route("/v1/fields", get(marks::fields).post(marks::define))
        .route("/v1/fields/drop", post(marks::undefine))
        .route("/v1/fields/value", post(marks::set_value))
        .route("/v1/tags", get(marks::tags).post(marks::tag))
        .route("/v1/groups", get(marks::groups).post(marks::save_group))
        .route("/v1/groups/drop", post(marks::drop_group))
        .route("/v1/marks", get(marks::marks))
        .route("/v1/summary", get(fleet::summary))
        .route("/v1/endpoints/{id}/policies", get(policies::of_endpoint))
        .route("/v1/endpoints/{id}/checks/changes", get(policies::changes))
        .route("/v1/policies", get(policies::list).post(policies::submit))
        .route("/v1/policies/{id}", get(policies::show))
        .route("/v1/checks", get(policies::checks))
        .route("/v1/endpoints/{id}/admit", post(endpoints::admit))
        .route("/v1/endpoints/{id}/refresh", post(endpoints::refresh))
        .route("/v1/endpoints/{id}/tell-me", post(alerts::tell_me))
        .route("/v1/metrics/tokens", get(tokens::list).post(tokens::make))
        .route("/v1/metrics/tokens/revoke", post(tokens::revoke))
        .route("/api/v1/query", get(prom::query).post(prom::query))
        .route("/api/v1/query_range", get(prom::query_range).post(prom::query_range))
        .route("/api/v1/series", get(prom::series).post(prom::series))
        .route("/api/v1/labels", get(prom::labels).post(prom::labels))
        .route("/api/v1/label/{name}/values", get(prom::label_values))
        .route("/v1/alerts", get(alerts::list))
        .route("/v1/alerts/rules", get(alerts::rules).put(alerts::set_rules))
        .route("/v1/alerts/test", post(alerts::test))
        .route("/v1/alerts/{id}", get(alerts::show))
        .route("/v1/alerts/{id}/acknowledge", post(alerts::acknowledge))
        .route("/v1/alerts/{id}/resolve", post(alerts::resolve))
        .route("/v1/alerts/{id}/note", post(alerts::note))
        .route("/v1/jobs", get(jobs::list).post(jobs::submit).layer(jobs_limit))
        .route("/v1/jobs/{id}", get(jobs::show))
        .route("/v1/jobs/{id}/signatures", post(jobs::sign))
        .route("/v1/jobs/{id}/promotions", post(promotions::add))
        .route("/v1/jobs/{id}/receipts", get(jobs::receipts))
        .route("/v1/jobs/{id}/results/{endpoint}", get(jobs::result))
        .route("/v1/jobs/{id}/events", get(events::events))
        .route("/v1/log/{name}/entries", get(logs::entries))
        .route("/v1/log/{name}/checkpoint", get(logs::checkpoint))
        .route("/v1/log/{name}/add-checkpoint", get(logs::add_checkpoint))
        .route("/v1/log/{name}/proof", get(logs::proof))
        .route("/v1/log/{name}/cosignature", post(logs::cosignature))
        .route("/v1/log/{name}/tile/{*path}", get(logs::tile))
        .fallback(unknown)
        .method_not_allowed_fallback(unknown)
        .layer(middleware::from_fn(in_time))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(Arc::clone(app))
}

async fn unknown() -> Failure {
    Failure::new(
        StatusCode::NOT_FOUND,
        "http.unknown_route",
        "there is no such route",
        "see the operator API in the documentation",
    )
}

async fn in_time(request: axum::extract::Request, next: Next) -> Response {
    let late = || {
        Failure::new(
            StatusCode::REQUEST_TIMEOUT,
            "http.timeout",
            "the request took too long",
            "try again",
        )
    };
    tokio::time::timeout(REQUEST_TIMEOUT, next.run(request))
        .await
        .unwrap_or_else(|_| late().into_response())
}
