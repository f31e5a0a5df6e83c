//! The server side: echoes every message of one candidate. A program of its own, so that its memory
//! and CPU are its own.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io::Write;
use std::pin::Pin;
use std::sync::Arc;

use anyhow::{Context, Result};
use bartizan_testkit::load::{proc, tls};
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWriteExt, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use crate::Transport;

/// Answers each line on standard input with the CPU nanoseconds used so far; ends with the input.
pub(crate) fn serve(transport: Transport) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let identity = tls::Identity::generate()?;
        let config = tls::server_config(&identity, &[transport.alpn()])?;
        let listener = listen()?;
        println!("{} {}", listener.local_addr()?.port(), identity.spki()?);
        std::thread::spawn(answer_cpu);
        let acceptor = TlsAcceptor::from(Arc::new(config));
        loop {
            let (stream, _) = listener.accept().await.context("accept")?;
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                // A connection that breaks shows at the client, which counts every echo.
                let _ = connection(transport, &acceptor, stream).await;
            });
        }
    })
}

fn listen() -> Result<TcpListener> {
    let socket = tokio::net::TcpSocket::new_v4()?;
    socket.bind(([127, 0, 0, 1], 0).into())?;
    Ok(socket.listen(4096)?)
}

fn answer_cpu() {
    let mut out = std::io::stdout();
    for line in std::io::stdin().lines() {
        if line.is_err() || writeln!(out, "{}", proc::own_cpu_ns()).is_err() {
            break;
        }
    }
    std::process::exit(0);
}

async fn connection(transport: Transport, acceptor: &TlsAcceptor, stream: TcpStream) -> Result<()> {
    stream.set_nodelay(true)?;
    // Boxed, so that an idle connection of one candidate does not pay for the largest of all.
    match transport {
        Transport::Frames => Box::pin(frames(acceptor.accept(stream).await?)).await,
        Transport::Websocket => {
            let config = WebSocketConfig::default().read_buffer_size(4096).write_buffer_size(0);
            Box::pin(websocket(acceptor.accept(stream).await?, config)).await
        }
        Transport::WebsocketDefaults => {
            Box::pin(websocket(acceptor.accept(stream).await?, WebSocketConfig::default())).await
        }
        Transport::Http2 => Box::pin(http2(acceptor.accept(stream).await?)).await,
    }
}

thread_local! {
    /// One buffer for all connections: reading needs it for a moment, an idle connection not at all.
    static SCRATCH: RefCell<Vec<u8>> = RefCell::new(vec![0; 16 * 1024]);
}

/// Appends what the stream has to `pending`; the number of new bytes.
async fn read_some(stream: &mut TlsStream<TcpStream>, pending: &mut Vec<u8>) -> Result<usize> {
    poll_fn(|context| {
        SCRATCH.with_borrow_mut(|scratch| {
            let mut buffer = ReadBuf::new(scratch);
            let ready = Pin::new(&mut *stream).poll_read(context, &mut buffer);
            ready.map_ok(|()| {
                pending.extend_from_slice(buffer.filled());
                buffer.filled().len()
            })
        })
    })
    .await
    .context("read")
}

async fn frames(mut stream: TlsStream<TcpStream>) -> Result<()> {
    let mut pending = Vec::new();
    while read_some(&mut stream, &mut pending).await? > 0 {
        while let Some(header) = pending.first_chunk::<4>() {
            let length = usize::try_from(u32::from_be_bytes(*header))?;
            let Some(frame) = pending.get(..4 + length) else { break };
            stream.write_all(frame).await?;
            pending.drain(..4 + length);
        }
        stream.flush().await?;
        if pending.is_empty() {
            pending = Vec::new();
        }
    }
    Ok(())
}

async fn websocket(stream: TlsStream<TcpStream>, config: WebSocketConfig) -> Result<()> {
    let mut socket = tokio_tungstenite::accept_async_with_config(stream, Some(config)).await?;
    while let Some(message) = socket.next().await {
        let message = message?;
        if message.is_binary() {
            socket.send(message).await?;
        }
    }
    Ok(())
}

async fn http2(stream: TlsStream<TcpStream>) -> Result<()> {
    let mut connection = h2::server::handshake(stream).await?;
    while let Some(request) = connection.accept().await {
        let (request, mut respond) = request?;
        tokio::spawn(async move {
            let mut body = request.into_body();
            let mut out = respond.send_response(http::Response::new(()), false)?;
            while let Some(bytes) = body.data().await {
                let bytes = bytes?;
                body.flow_control().release_capacity(bytes.len())?;
                out.send_data(bytes, false)?;
            }
            anyhow::Ok(())
        });
    }
    Ok(())
}
