//! Serving: binds, says where, and stops gracefully.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use bartizan_store::Store;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use crate::app::App;
use crate::config::Config;
use crate::keys::ServerKeys;
use crate::{alerts, dispatch, planes, published, remote_write, series, tls, witnesses};

/// Requests in hand get this long after a signal.
const DRAIN: Duration = Duration::from_secs(5);

/// Serves until SIGTERM or SIGINT.
pub(crate) async fn serve(config: Config, keys: ServerKeys, store: Store) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let agents = bind(config.agent_listen).await?;
    let operators = bind(config.operator_listen).await?;
    let metrics = match config.metrics_listen {
        Some(address) => Some(bind(address).await?),
        None => None,
    };
    let agent_tls = TlsAcceptor::from(tls::agent_config(&keys)?);
    let operator_tls = TlsAcceptor::from(tls::operator_config(&keys)?);
    let (handle, requests) = alerts::Handle::new();
    let app = Arc::new(App::load(config, keys, store, handle).await?);
    announce(&app, &agents, &operators, metrics.as_ref())?;

    let (stop, stopped) = watch::channel(false);
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(planes::agent::serve(Arc::clone(&app), agents, agent_tls, stopped.clone()));
    tasks.spawn(planes::operator::serve(
        Arc::clone(&app),
        operators,
        operator_tls,
        stopped.clone(),
    ));
    if let Some(listener) = metrics {
        tasks.spawn(planes::metrics::serve(Arc::clone(&app), listener, stopped.clone()));
    }
    tasks.spawn(series::upkeep::run(Arc::clone(&app), stopped.clone()));
    tasks.spawn(dispatch::run(Arc::clone(&app), stopped.clone()));
    tasks.spawn(alerts::run(Arc::clone(&app), requests, stopped.clone()));
    for channel in app.config.channels.clone() {
        tasks.spawn(alerts::outbox::run(Arc::clone(&app), channel, stopped.clone()));
    }
    for at in 0..app.config.remote_write.len() {
        tasks.spawn(remote_write::run(Arc::clone(&app), at, stopped.clone()));
    }
    for witness in app.config.witnesses.clone() {
        tasks.spawn(witnesses::ask(Arc::clone(&app), witness, stopped.clone()));
    }
    drop(stopped);

    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping");
    dispatch::touch(&app).await?;
    stop.send_replace(true);
    while tasks.join_next().await.is_some() {}
    // Every connection holds a receiver; when all are gone, all are closed.
    let _ = tokio::time::timeout(DRAIN, stop.closed()).await;
    let _ = std::fs::remove_file(app.config.dir.join("ready.json"));
    tracing::info!("stopped");
    Ok(())
}

async fn bind(address: std::net::SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .with_context(|| format!("listen on {address}; is another server running?"))
}

/// One line of JSON on standard output and the same in `ready.json`.
fn announce(
    app: &App,
    agents: &TcpListener,
    operators: &TcpListener,
    metrics: Option<&TcpListener>,
) -> anyhow::Result<()> {
    let metrics = metrics.map(TcpListener::local_addr).transpose()?;
    let line = serde_json::json!({
        "ready": true,
        "agent": agents.local_addr()?.to_string(),
        "operator": operators.local_addr()?.to_string(),
        "metrics": metrics.map(|address| address.to_string()),
    });
    println!("{line}");
    published::write_atomically(&app.config.dir.join("ready.json"), format!("{line}\n").as_bytes())
}
