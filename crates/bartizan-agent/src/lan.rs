//! Freezes on the local network, for an endpoint whose server withholds them (`BARTIZAN_LAN=off`, or another port).

use std::net::{Ipv4Addr, UdpSocket};
use std::sync::Arc;
use std::time::Instant;

use bartizan_proto::lan::{Collector, DATAGRAM_BYTES_MAX};
use bartizan_proto::limits::LAN_PORT;
use bartizan_proto::message::{Message, Place};

use crate::pipe::Pipe;

/// Opens the socket: before the sandbox, which lets no other be bound. Without it the other ways remain.
pub(crate) fn open() -> Option<UdpSocket> {
    let setting = std::env::var("BARTIZAN_LAN").unwrap_or_default();
    let port = match setting.as_str() {
        "" => LAN_PORT,
        "off" => return None,
        other => other.parse().unwrap_or_else(|_| {
            eprintln!("agent: BARTIZAN_LAN is neither `off` nor a port; using {LAN_PORT}");
            LAN_PORT
        }),
    };
    let opened = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, port))
        .and_then(|socket| socket.set_nonblocking(true).map(|()| socket));
    match opened {
        Ok(socket) => Some(socket),
        Err(error) => {
            eprintln!(
                "agent: [freeze.no_lan] no freezes from the local network: UDP port {port}: {error}"
            );
            None
        }
    }
}

/// Hands whatever may be a freeze to the guard, which judges it.
pub(crate) async fn listen(socket: UdpSocket, pipe: Arc<Pipe>) {
    let socket = match tokio::net::UdpSocket::from_std(socket) {
        Ok(socket) => socket,
        Err(error) => return eprintln!("agent: [freeze.no_lan] {error}"),
    };
    let (start, mut collector) = (Instant::now(), Collector::default());
    // One byte more, so that a datagram that is too long is seen to be.
    let mut buffer = [0; DATAGRAM_BYTES_MAX + 1];
    loop {
        // An error is about one datagram (or an answer to none); the socket stays.
        let Ok(count) = socket.recv(&mut buffer).await else {
            tokio::task::yield_now().await;
            continue;
        };
        let datagram = buffer.get(..count).unwrap_or_default();
        if let Some(envelope) = collector.take(datagram, start.elapsed()) {
            pipe.send(Message::FreezeFound { place: Place::Lan, envelope });
        }
    }
}
