//! Reaching the server, directly or through an HTTP proxy (`BARTIZAN_PROXY=http://host:port`).

use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long one address may take.
const PATIENCE: Duration = Duration::from_secs(15);
/// Longest answer of a proxy.
const ANSWER_BYTES_MAX: usize = 8 * 1024;

/// Opens a TCP connection to `address` (`host:port`).
pub(crate) async fn connect(address: &str) -> Result<TcpStream> {
    let stream = match proxy() {
        Some(proxy) => through_proxy(&proxy, address).await?,
        None => timeout(PATIENCE, TcpStream::connect(address))
            .await
            .context("connect: no answer")?
            .context("connect")?,
    };
    stream.set_nodelay(true).context("configure the connection")?;
    Ok(stream)
}

/// The proxy in use, if any.
pub(crate) fn proxy() -> Option<String> {
    std::env::var("BARTIZAN_PROXY").ok().filter(|proxy| !proxy.is_empty())
}

/// The host part of `host:port`, for TLS.
pub(crate) fn host(address: &str) -> &str {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    host.trim_start_matches('[').trim_end_matches(']')
}

async fn through_proxy(proxy: &str, address: &str) -> Result<TcpStream> {
    let place = proxy
        .strip_prefix("http://")
        .map(|rest| rest.trim_end_matches('/'))
        .context("BARTIZAN_PROXY is not `http://host:port`")?;
    timeout(PATIENCE, async {
        let mut stream = TcpStream::connect(place).await.context("connect to the proxy")?;
        let request = format!("CONNECT {address} HTTP/1.1\r\nHost: {address}\r\n\r\n");
        stream.write_all(request.as_bytes()).await.context("ask the proxy")?;
        read_answer(&mut stream).await?;
        Ok(stream)
    })
    .await
    .context("the proxy does not answer")?
}

/// Reads exactly the proxy's answer: byte by byte, so that nothing of what follows is lost.
async fn read_answer(stream: &mut TcpStream) -> Result<()> {
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        if answer.len() >= ANSWER_BYTES_MAX {
            bail!("the proxy's answer is too long");
        }
        answer.push(stream.read_u8().await.context("read the proxy's answer")?);
    }
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut response = httparse::Response::new(&mut headers);
    response.parse(&answer).context("read the proxy's answer")?;
    match response.code {
        Some(200) => Ok(()),
        Some(code) => bail!(
            "the proxy refused with status {code}; allow {} in it",
            "CONNECT to the server's port"
        ),
        None => bail!("the proxy's answer has no status"),
    }
}

#[cfg(test)]
mod tests {
    use super::host;

    #[test]
    fn the_host_is_what_stands_before_the_port() {
        assert_eq!(host("rmm.example:443"), "rmm.example");
        assert_eq!(host("[::1]:443"), "::1");
        assert_eq!(host("127.0.0.1:443"), "127.0.0.1");
    }
}
