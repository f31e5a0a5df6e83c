//! The operator plane as a client sees it: JSON over HTTP/1.1 over TLS 1.3 with a console's own key.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use bartizan_trust::id::Sha256;
use rustls::pki_types::ServerName;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::tls::{Identity, client_config};

const ANSWER_BYTES_MAX: u64 = 512 * 1024 * 1024;

/// A console: an ephemeral TLS key and the server it talks to. One connection per request, which is
/// simple and fast enough for the few requests of a load test.
pub struct Console {
    address: SocketAddr,
    connector: TlsConnector,
    /// Hash of the console's own key, for the login statement.
    pub key: Sha256,
}

impl Console {
    /// A console with a new key for the server with the key `pin`.
    pub fn new(address: SocketAddr, pin: Sha256) -> Result<Self> {
        let identity = Identity::generate()?;
        let config = client_config(&identity, pin, &["http/1.1"])?;
        Ok(Self { address, connector: TlsConnector::from(Arc::new(config)), key: identity.spki()? })
    }

    /// `GET`, its JSON answer.
    pub async fn fetch<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        let body = self.fetch_bytes(path).await?;
        serde_json::from_slice(&body).with_context(|| format!("read the answer of `{path}`"))
    }

    /// `GET`, its bytes.
    pub async fn fetch_bytes(&self, path: &str) -> Result<Vec<u8>> {
        self.request("GET", path, &[]).await
    }

    /// `POST` of JSON, its JSON answer.
    pub async fn send<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T> {
        let answer = self.request("POST", path, &serde_json::to_vec(body)?).await?;
        let answer: &[u8] = if answer.is_empty() { b"null" } else { &answer };
        serde_json::from_slice(answer).with_context(|| format!("read the answer of `{path}`"))
    }

    /// `PUT` of JSON, its JSON answer.
    pub async fn put<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T> {
        let answer = self.request("PUT", path, &serde_json::to_vec(body)?).await?;
        serde_json::from_slice(&answer).with_context(|| format!("read the answer of `{path}`"))
    }

    async fn request(&self, method: &str, path: &str, body: &[u8]) -> Result<Vec<u8>> {
        let stream = TcpStream::connect(self.address).await.context("reach the operator plane")?;
        // As consoles do. Without it a small request waits 40 ms for the other side to confirm the handshake.
        stream.set_nodelay(true)?;
        let name = ServerName::try_from("bartizan")?;
        let mut stream =
            self.connector.connect(name, stream).await.context("TLS with the operator plane")?;
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: bartizan\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).await?;
        stream.write_all(body).await?;
        stream.flush().await?;
        let mut answer = Vec::new();
        // A server that closes without a TLS farewell still said everything: lengths are checked below.
        let ended = (&mut stream).take(ANSWER_BYTES_MAX).read_to_end(&mut answer).await;
        let (status, body) = parse_answer(&answer).with_context(|| {
            format!(
                "`{method} {path}`: {}",
                ended.err().map_or("cut answer".to_owned(), |e| e.to_string())
            )
        })?;
        if !(200..300).contains(&status) {
            bail!("`{method} {path}` answered {status}: {}", String::from_utf8_lossy(&body));
        }
        Ok(body)
    }
}

/// Status and body of a whole HTTP/1.1 answer.
fn parse_answer(answer: &[u8]) -> Result<(u16, Vec<u8>)> {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").context("no HTTP head")?;
    let (head, rest) = answer.split_at(end);
    let body = rest.get(4..).unwrap_or_default();
    let head = str::from_utf8(head)?.to_ascii_lowercase();
    let status = head.split(' ').nth(1).context("no status")?.parse()?;
    let header = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    if header("transfer-encoding:") == Some("chunked") {
        return Ok((status, dechunk(body)?));
    }
    let length = header("content-length:").map_or(Ok(body.len()), str::parse)?;
    Ok((status, body.get(..length).context("the body is cut")?.to_vec()))
}

fn dechunk(mut body: &[u8]) -> Result<Vec<u8>> {
    let mut whole = Vec::new();
    loop {
        let line_end =
            body.windows(2).position(|window| window == b"\r\n").context("no chunk size")?;
        let size = usize::from_str_radix(
            str::from_utf8(body.get(..line_end).unwrap_or_default())?.trim(),
            16,
        )?;
        if size == 0 {
            return Ok(whole);
        }
        let start = line_end + 2;
        whole.extend_from_slice(body.get(start..start + size).context("the body is cut")?);
        body = body.get(start + size + 2..).context("the body is cut")?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_with_a_length_and_in_chunks_are_read_and_cut_ones_refused() {
        let whole = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
        assert_eq!(parse_answer(whole).unwrap(), (200, b"hi".to_vec()));
        assert!(parse_answer(&whole[..whole.len() - 1]).is_err());
        let chunks =
            b"HTTP/1.1 404 No\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n1\r\n!\r\n0\r\n\r\n";
        assert_eq!(parse_answer(chunks).unwrap(), (404, b"hi!".to_vec()));
        assert!(parse_answer(&chunks[..chunks.len() - 6]).is_err());
    }
}
