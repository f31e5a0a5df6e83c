//! One request to a receiver, and what its answer means.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use axum::body::Bytes;
use axum::http::header::{
    AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HOST, RETRY_AFTER, USER_AGENT,
};
use axum::http::{Request, Response, StatusCode};
use bartizan_notify::webhook::Target;
use bartizan_notify::{secret, stream};
use data_encoding::BASE64;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::config::{Credential, Destination};

/// From looking up the name to the end of the answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// Of an answer, which says what is wrong.
const ANSWER_BYTES_MAX: usize = 4096;
/// Characters of it that people are shown.
const PROBLEM_CHARS_MAX: usize = 200;
/// The longest pause that a receiver may ask for.
const ASKED_MAX: Duration = Duration::from_mins(5);

/// What became of a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The receiver has it.
    Taken,
    /// The receiver will never take these samples.
    Unfit(String),
    /// It may take them later.
    Later {
        problem: String,
        /// The receiver's own wish.
        after: Option<Duration>,
    },
}

/// Sends one body. Whatever goes wrong on the way is to be tried again.
pub(super) async fn send(destination: &Destination, body: Vec<u8>) -> Outcome {
    let later = |problem: String| Outcome::Later { problem, after: None };
    match tokio::time::timeout(PATIENCE, exchange(destination, body)).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(error)) => later(format!("{error:#}")),
        Err(_) => later(format!("no answer within {} s", PATIENCE.as_secs())),
    }
}

async fn exchange(destination: &Destination, body: Vec<u8>) -> Result<Outcome> {
    let target = Target::parse(&destination.url).context("not the address of a receiver")?;
    let request = request(destination, &target, body)?;
    let host = target.host.trim_start_matches('[').trim_end_matches(']');
    let address = (host, target.port);
    let plain = TcpStream::connect(address).await.with_context(|| format!("connect to {host}"))?;
    plain.set_nodelay(true).context("set up the connection")?;
    if !target.is_private {
        return speak(plain, request).await;
    }
    // Read each time: a certificate that was replaced is believed without a restart.
    let config = stream::config(destination.ca_file.as_deref())?;
    let name = stream::server_name(target.host)?;
    let secure = TlsConnector::from(Arc::new(config)).connect(name, plain).await;
    speak(secure.context("TLS")?, request).await
}

fn request(
    destination: &Destination,
    target: &Target<'_>,
    body: Vec<u8>,
) -> Result<Request<Full<Bytes>>> {
    let mut request = Request::post(target.path)
        .header(HOST, target.authority)
        .header(USER_AGENT, concat!("bartizan-server/", env!("CARGO_PKG_VERSION")))
        .header(CONTENT_TYPE, "application/x-protobuf")
        .header(CONTENT_ENCODING, "snappy")
        .header("x-prometheus-remote-write-version", "0.1.0");
    let text = |file: &Path| -> Result<String> {
        let bytes = secret::read(file)?;
        let text = std::str::from_utf8(&bytes).context("not text")?;
        Ok(text.to_owned())
    };
    match &destination.credential {
        Credential::None => {}
        Credential::Bearer { file } => {
            request = request.header(AUTHORIZATION, format!("Bearer {}", text(file)?));
        }
        Credential::Basic { user, file } => {
            let pair = BASE64.encode(format!("{user}:{}", text(file)?).as_bytes());
            request = request.header(AUTHORIZATION, format!("Basic {pair}"));
        }
    }
    request.body(Full::new(Bytes::from(body))).context("make the request")
}

async fn speak(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Full<Bytes>>,
) -> Result<Outcome> {
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.context("begin HTTP")?;
    let connection = tokio::spawn(connection);
    let answer = sender.send_request(request).await.context("send");
    let outcome = match answer {
        Ok(answer) => Ok(judge(answer).await),
        Err(error) => Err(error),
    };
    connection.abort();
    outcome
}

async fn judge(answer: Response<Incoming>) -> Outcome {
    let status = answer.status();
    let after = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    let after = after.and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
    let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect().await;
    let body = body.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    meaning(status, after, &String::from_utf8_lossy(&body))
}

/// The protocol wants no repetition of what was answered with 4xx. That is kept where the answer is about the samples; where it is
/// about the way (a token that expired, a path that moved) they are kept until somebody has mended it.
fn meaning(status: StatusCode, after: Option<Duration>, body: &str) -> Outcome {
    if status.is_success() {
        return Outcome::Taken;
    }
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    let shown: String = body.trim().chars().map(plain).take(PROBLEM_CHARS_MAX).collect();
    let problem = format!("the receiver answers {}: {shown}", status.as_u16());
    match status {
        StatusCode::BAD_REQUEST
        | StatusCode::PAYLOAD_TOO_LARGE
        | StatusCode::UNPROCESSABLE_ENTITY => Outcome::Unfit(problem),
        _ => Outcome::Later { problem, after: after.map(|after| after.min(ASKED_MAX)) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_means_taken_unfit_or_later() {
        let of = |status: u16| meaning(StatusCode::from_u16(status).expect("status"), None, "x\ny");
        for taken in [200, 204] {
            assert_eq!(of(taken), Outcome::Taken);
        }
        for unfit in [400, 413, 422] {
            let problem = format!("the receiver answers {unfit}: x y");
            assert_eq!(of(unfit), Outcome::Unfit(problem));
        }
        for later in [301, 401, 403, 404, 429, 500, 503] {
            assert!(matches!(of(later), Outcome::Later { after: None, .. }), "{later}");
        }
        let asked = |s| meaning(StatusCode::TOO_MANY_REQUESTS, Some(Duration::from_secs(s)), "");
        assert!(
            matches!(asked(7), Outcome::Later { after: Some(after), .. } if after.as_secs() == 7)
        );
        assert!(matches!(asked(9999), Outcome::Later { after: Some(ASKED_MAX), .. }));
        assert!(
            format!("{:?}", meaning(StatusCode::BAD_REQUEST, None, &"z".repeat(9999))).len() < 300
        );
    }
}
