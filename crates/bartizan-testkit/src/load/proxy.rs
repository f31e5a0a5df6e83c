//! A very small HTTP proxy that knows `CONNECT`, to show that a transport passes one.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

const HEAD_BYTES_MAX: usize = 4096;

/// A running proxy; it ends with the runtime.
#[derive(Debug, Clone)]
pub struct Proxy {
    /// Where it listens.
    pub address: SocketAddr,
    tunnels: Arc<AtomicU64>,
}

impl Proxy {
    /// Starts on a free port of the loopback.
    pub async fn start() -> Result<Self> {
        let listener =
            TcpListener::bind(("127.0.0.1", 0)).await.context("open the proxy's port")?;
        let proxy = Self { address: listener.local_addr()?, tunnels: Arc::default() };
        let tunnels = Arc::clone(&proxy.tunnels);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let tunnels = Arc::clone(&tunnels);
                tokio::spawn(async move { tunnel(stream, &tunnels).await });
            }
        });
        Ok(proxy)
    }

    /// How many tunnels it has opened.
    pub fn tunnels(&self) -> u64 {
        self.tunnels.load(Ordering::SeqCst)
    }

    /// A stream to `target` through this proxy.
    pub async fn connect(&self, target: SocketAddr) -> Result<TcpStream> {
        let mut stream = TcpStream::connect(self.address).await.context("reach the proxy")?;
        stream
            .write_all(format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n").as_bytes())
            .await?;
        let head = read_head(&mut stream).await?;
        if !head.starts_with("HTTP/1.1 200") {
            bail!("the proxy answered `{}`", head.lines().next().unwrap_or_default());
        }
        Ok(stream)
    }
}

async fn tunnel(mut client: TcpStream, tunnels: &AtomicU64) -> Result<()> {
    let head = read_head(&mut client).await?;
    let target = head.split(' ').nth(1).context("a request without a target")?;
    if !head.starts_with("CONNECT ") {
        client.write_all(b"HTTP/1.1 405 Method Not Allowed\r\n\r\n").await?;
        return Ok(());
    }
    let mut server = TcpStream::connect(target).await?;
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
    tunnels.fetch_add(1, Ordering::SeqCst);
    copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}

/// Reads up to the empty line and not a byte further: what follows belongs to the tunnel.
async fn read_head(stream: &mut TcpStream) -> Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() >= HEAD_BYTES_MAX {
            bail!("an HTTP head above {HEAD_BYTES_MAX} bytes");
        }
        head.push(stream.read_u8().await?);
    }
    Ok(String::from_utf8(head)?)
}
