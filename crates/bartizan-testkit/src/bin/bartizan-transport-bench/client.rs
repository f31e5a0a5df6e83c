//! The client side: one connection of one candidate that sends a message and awaits its echo.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use bartizan_testkit::load::proxy::Proxy;
use bartizan_testkit::load::tls;
use bartizan_trust::id::Sha256;
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use crate::Transport;

/// How to reach the server under test.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) transport: Transport,
    pub(crate) address: SocketAddr,
    connector: TlsConnector,
}

/// An open connection.
pub(crate) enum Connection {
    Frames(Box<TlsStream<TcpStream>>),
    WebSocket(Box<WebSocketStream<TlsStream<TcpStream>>>),
    Http2 { out: h2::SendStream<Bytes>, body: h2::RecvStream },
}

impl Target {
    pub(crate) fn new(transport: Transport, address: SocketAddr, pin: Sha256) -> Result<Self> {
        let config = tls::client_config(&tls::Identity::generate()?, pin, &[transport.alpn()])?;
        Ok(Self { transport, address, connector: TlsConnector::from(Arc::new(config)) })
    }

    /// Connects, directly or through a proxy.
    pub(crate) async fn connect(&self, proxy: Option<&Proxy>) -> Result<Connection> {
        let stream = match proxy {
            Some(proxy) => proxy.connect(self.address).await?,
            None => TcpStream::connect(self.address).await.context("connect")?,
        };
        stream.set_nodelay(true)?;
        let name = ServerName::try_from("bartizan")?;
        let stream = self.connector.connect(name, stream).await.context("TLS handshake")?;
        ensure!(
            stream.get_ref().1.alpn_protocol() == Some(self.transport.alpn().as_bytes()),
            "ALPN"
        );
        match self.transport {
            Transport::Frames => Ok(Connection::Frames(Box::new(stream))),
            Transport::Websocket | Transport::WebsocketDefaults => {
                let upgrade = tokio_tungstenite::client_async("ws://bartizan/agent", stream).await;
                Ok(Connection::WebSocket(Box::new(upgrade.context("upgrade")?.0)))
            }
            Transport::Http2 => open_http2(stream).await,
        }
    }
}

async fn open_http2(stream: TlsStream<TcpStream>) -> Result<Connection> {
    let (client, connection) = h2::client::handshake(stream).await?;
    tokio::spawn(connection);
    let mut client = client.ready().await?;
    let request = http::Request::post("https://bartizan/agent").body(())?;
    let (response, out) = client.send_request(request, false)?;
    Ok(Connection::Http2 { out, body: response.await?.into_body() })
}

impl Connection {
    /// Sends a message and waits until exactly these bytes are back.
    pub(crate) async fn echo(&mut self, message: &Bytes) -> Result<()> {
        match self {
            Self::Frames(stream) => echo_frame(stream, message).await,
            Self::WebSocket(socket) => {
                socket.send(Message::Binary(message.clone())).await?;
                let answer = socket.next().await.context("closed")??;
                ensure!(answer.into_data() == *message, "another message came back");
                Ok(())
            }
            Self::Http2 { out, body } => {
                out.send_data(message.clone(), false)?;
                let mut answer = Vec::with_capacity(message.len());
                while answer.len() < message.len() {
                    let piece = body.data().await.context("closed")??;
                    body.flow_control().release_capacity(piece.len())?;
                    answer.extend_from_slice(&piece);
                }
                ensure!(answer == *message, "another message came back");
                Ok(())
            }
        }
    }
}

async fn echo_frame(stream: &mut TlsStream<TcpStream>, message: &Bytes) -> Result<()> {
    let length = u32::try_from(message.len())?;
    stream.write_all(&[&length.to_be_bytes(), &**message].concat()).await?;
    stream.flush().await?;
    let mut answer = vec![0; message.len() + 4];
    stream.read_exact(&mut answer).await?;
    ensure!(answer.get(4..) == Some(&**message), "another message came back");
    Ok(())
}
