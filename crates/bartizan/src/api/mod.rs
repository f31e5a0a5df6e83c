//! The operator plane's client: JSON over HTTPS, one connection a request, everything bounded.

pub(crate) mod session;
pub(crate) mod tls;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use bartizan_proto::operator::ApiError;
use bartizan_trust::id::Sha256;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio_rustls::TlsConnector;

use crate::exit::{Code, answered, fail, refused};
use tls::Pin;

/// Largest answer: 256 log entries of 60 KiB in base64.
const ANSWER_BYTES_MAX: usize = 96 * 1024 * 1024;
/// Longer than the server's longest poll.
const PATIENCE: Duration = Duration::from_secs(95);
const CONNECT_PATIENCE: Duration = Duration::from_secs(10);

/// A client with the console's TLS key.
pub(crate) struct Api {
    runtime: Runtime,
    address: String,
    connector: TlsConnector,
}

/// An answer and the key of the server that gave it.
struct Answer {
    status: StatusCode,
    body: Bytes,
    server: Option<Sha256>,
}

impl Api {
    /// For the server at `host:port`.
    pub(crate) fn new(address: &str, console: &rcgen::KeyPair, pin: Pin) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let connector = TlsConnector::from(Arc::new(tls::config(console, pin)?));
        let address = address.trim_start_matches("https://").trim_end_matches('/').to_owned();
        Ok(Self { runtime: runtime.context("start the network")?, address, connector })
    }

    /// `host:port`.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// The key of whoever answers.
    pub(crate) fn server_key(&self) -> Result<Sha256> {
        self.request(&Method::GET, "/v1/server", Vec::new())?
            .server
            .context("the server shows no key")
    }

    /// `GET`, JSON.
    pub(crate) fn fetch<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        let body = self.fetch_bytes(path)?;
        serde_json::from_slice(&body).with_context(|| format!("read the answer of `{path}`"))
    }

    /// `GET`, bytes.
    pub(crate) fn fetch_bytes(&self, path: &str) -> Result<Bytes> {
        judge(self.request(&Method::GET, path, Vec::new())?)
    }

    /// `POST` of JSON; the answer may be empty.
    pub(crate) fn send<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T> {
        let body = serde_json::to_vec(body).context("write the request")?;
        let answer = judge(self.request(&Method::POST, path, body)?)?;
        let answer: &[u8] = if answer.is_empty() { b"null" } else { &answer };
        serde_json::from_slice(answer).with_context(|| format!("read the answer of `{path}`"))
    }

    /// `PUT` of JSON, its JSON answer.
    pub(crate) fn put<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T> {
        let body = serde_json::to_vec(body).context("write the request")?;
        let answer = judge(self.request(&Method::PUT, path, body)?)?;
        serde_json::from_slice(&answer).with_context(|| format!("read the answer of `{path}`"))
    }

    fn request(&self, method: &Method, path: &str, body: Vec<u8>) -> Result<Answer> {
        self.runtime.block_on(async {
            let work = self.exchange(method, path, body);
            tokio::time::timeout(PATIENCE, work)
                .await
                .unwrap_or_else(|_| Err(self.unreachable("it does not answer")))
        })
    }

    async fn exchange(&self, method: &Method, path: &str, body: Vec<u8>) -> Result<Answer> {
        let connect =
            tokio::time::timeout(CONNECT_PATIENCE, TcpStream::connect(&self.address)).await;
        let stream = connect
            .map_err(|_| self.unreachable("no connection within ten seconds"))?
            .map_err(|error| self.unreachable(&error.to_string()))?;
        let _ = stream.set_nodelay(true);
        // The name is not judged; the key is.
        let name = ServerName::try_from("bartizan").context("name the server")?;
        let stream = self.connector.connect(name, stream).await.map_err(|error| {
            refused(
                format!("TLS with {}: {error}", self.address),
                "if the key differs, this is not the server of your bundle: do not go on",
            )
        })?;
        let certificate = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
        let server = certificate.and_then(tls::spki);
        let (mut sender, connection) = hyper::client::conn::http1::Builder::new()
            .max_buf_size(64 * 1024)
            .handshake(TokioIo::new(stream))
            .await
            .context("speak HTTP")?;
        let carrying = tokio::spawn(connection);
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "bartizan")
            .header("content-type", "application/json")
            .body(Full::new(Bytes::from(body)))
            .context("make the request")?;
        let answer = sender.send_request(request).await;
        let answer = answer.map_err(|error| self.unreachable(&error.to_string()))?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect().await;
        carrying.abort();
        let body = body.map_err(|error| anyhow::anyhow!("{error}")).context("read the answer")?;
        Ok(Answer { status, body: body.to_bytes(), server })
    }

    fn unreachable(&self, reason: &str) -> anyhow::Error {
        fail(
            Code::Unreachable,
            format!("the server {} cannot be reached: {reason}", self.address),
            "check the address and that the server runs; then try again",
        )
    }
}

fn judge(answer: Answer) -> Result<Bytes> {
    if answer.status.is_success() {
        return Ok(answer.body);
    }
    let error = serde_json::from_slice::<ApiError>(&answer.body).unwrap_or_else(|_| ApiError {
        code: format!("http.{}", answer.status.as_u16()),
        message: "the server failed without a reason".to_owned(),
        next: "look into the server's log".to_owned(),
    });
    let code = match answer.status {
        StatusCode::UNPROCESSABLE_ENTITY | StatusCode::UNAUTHORIZED => Code::Refused,
        _ => Code::Error,
    };
    Err(answered(code, error))
}
