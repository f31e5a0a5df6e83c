//! The agent plane: TLS 1.3 with device keys, frames of `bartizan_proto::message`.

mod checks;
mod control;
mod delivery;
mod hello;
mod policies;
pub(crate) mod receipts;
pub(crate) mod reports;
mod session;

use std::sync::Arc;
use std::time::Duration;

use bartizan_proto::limits::ALPN;
use bartizan_trust::keys::PublicKey;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::app::App;
use crate::metrics::count;
use crate::tls;

/// Connections at once: what one machine is meant to hold, with room.
const CONNECTIONS_MAX: usize = 120_000;
/// From the first byte to the end of the handshake, and again to the first frame.
pub(super) const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// Plaintext rustls may hold for us: a connection that cannot send keeps no more than this.
const TLS_BUFFER_MAX: usize = 16 * 1024;

/// Accepts agents until the server stops.
pub(crate) async fn serve(
    app: Arc<App>,
    listener: TcpListener,
    acceptor: TlsAcceptor,
    mut stop: watch::Receiver<bool>,
) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let accepted = tokio::select! {
            _ = stop.changed() => return,
            accepted = listener.accept() => accepted,
        };
        let stream = match accepted {
            Ok((_, peer)) if !app.config.agent_allow.permits(peer.ip()) => {
                count(&app.metrics.handshakes_refused);
                continue;
            }
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "accept an agent");
                // Most likely out of file descriptors: give others a moment to close.
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            tracing::warn!("too many agent connections");
            continue;
        };
        let (app, acceptor, stop) = (Arc::clone(&app), acceptor.clone(), stop.clone());
        tokio::spawn(async move {
            if let Some((stream, device)) = Box::pin(handshake(&app, stream, &acceptor)).await {
                session::run(app, stream, device, stop).await;
            }
            drop(place);
        });
    }
}

async fn handshake(
    app: &App,
    stream: TcpStream,
    acceptor: &TlsAcceptor,
) -> Option<(Box<TlsStream<TcpStream>>, PublicKey)> {
    let _ = stream.set_nodelay(true);
    let limit = |tls: &mut rustls::ServerConnection| tls.set_buffer_limit(Some(TLS_BUFFER_MAX));
    let accept = acceptor.accept_with(stream, limit);
    let stream = match tokio::time::timeout(HANDSHAKE_TIMEOUT, accept).await {
        Ok(Ok(stream)) => Box::new(stream),
        Ok(Err(error)) => {
            count(&app.metrics.handshakes_refused);
            tracing::debug!(%error, "agent handshake refused");
            return None;
        }
        Err(_) => {
            count(&app.metrics.handshakes_refused);
            return None;
        }
    };
    let (_, tls) = stream.get_ref();
    // A client that names no protocol passes TLS; it speaks something else.
    if tls.alpn_protocol() != Some(ALPN) {
        count(&app.metrics.handshakes_refused);
        tracing::debug!("a client without `bartizan/1` in ALPN refused");
        return None;
    }
    let device = tls.peer_certificates().and_then(<[_]>::first).and_then(tls::device_key)?;
    Some((stream, device))
}
