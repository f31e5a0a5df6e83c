//! HTTP/1.1 for the guardian: one route, everything bounded.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use bartizan_trust::limits;
use bartizan_trust::witness::WitnessRefusal;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::CONTENT_TYPE;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use super::{Failure, Guardian};

/// Connections at once: the two logs of some servers, with room.
const CONNECTIONS_MAX: usize = 64;
/// From the beginning of a request to the end of its headers; also how long a connection may idle.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);
/// For a body of some kilobytes.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);
const HEADER_BYTES_MAX: usize = 16 * 1024;

/// Accepts connections for ever; over the limit they are closed.
pub(super) async fn accept(guardian: Arc<Guardian>, listener: TcpListener) -> Result<()> {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                eprintln!("accept a connection: {error}");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else { continue };
        let guardian = Arc::clone(&guardian);
        tokio::spawn(async move {
            connection(guardian, stream).await;
            drop(place);
        });
    }
}

async fn connection(guardian: Arc<Guardian>, stream: TcpStream) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| {
        let guardian = Arc::clone(&guardian);
        async move { Ok::<_, Infallible>(answer(guardian, request).await) }
    });
    // What a client does wrong is its own affair.
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(HEADER_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn answer(guardian: Arc<Guardian>, request: Request<Incoming>) -> Response<Full<Bytes>> {
    if !request.uri().path().ends_with("/add-checkpoint") {
        return text(StatusCode::NOT_FOUND, "POST /add-checkpoint\n");
    }
    if request.method() != Method::POST {
        return text(StatusCode::METHOD_NOT_ALLOWED, "POST /add-checkpoint\n");
    }
    let body = Limited::new(request.into_body(), limits::ADD_CHECKPOINT_BYTES_MAX).collect();
    let body = match tokio::time::timeout(BODY_TIMEOUT, body).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(_)) => return text(StatusCode::BAD_REQUEST, "the body is too long or cut\n"),
        Err(_) => return text(StatusCode::REQUEST_TIMEOUT, "the body took too long\n"),
    };
    // Locks and syncs a file.
    let judged = tokio::task::spawn_blocking(move || guardian.answer(&body)).await;
    match judged {
        Ok(Ok(line)) => text(StatusCode::OK, &line),
        Ok(Err(Failure::Refused(refusal))) => refused(refusal),
        Ok(Err(Failure::Withheld)) => {
            text(StatusCode::SERVICE_UNAVAILABLE, "this witness was told to keep still\n")
        }
        Ok(Err(Failure::Broken(error))) => {
            eprintln!("error: {error:#}");
            text(StatusCode::INTERNAL_SERVER_ERROR, "see the witness's own log\n")
        }
        Err(error) => {
            eprintln!("error: {error}");
            text(StatusCode::INTERNAL_SERVER_ERROR, "see the witness's own log\n")
        }
    }
}

fn refused(refusal: WitnessRefusal) -> Response<Full<Bytes>> {
    let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::BAD_REQUEST);
    let (WitnessRefusal::Stale(size) | WitnessRefusal::Forked(size)) = refusal else {
        return text(status, &format!("{refusal}\n"));
    };
    let mut response = text(status, &format!("{size}\n"));
    let kind = hyper::header::HeaderValue::from_static("text/x.tlog.size");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

fn text(status: StatusCode, body: &str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body.to_owned())));
    *response.status_mut() = status;
    let kind = hyper::header::HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}
