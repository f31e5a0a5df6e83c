//! Who may ask: this console's own pages, in this browser, and nobody else.
//!
//! A browser lets any page send requests to this port, and any name can be made to point at it. So every request must name this host
//! and come from this origin, and every request for facts must carry a token that only our page has.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Request, State};
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::desk::Desk;
use super::failure::Failure;
use super::routes::{API, SESSION};

/// Longest reason of the framework that is passed on.
const REASON_BYTES_MAX: usize = 4096;

/// Judges a request before anything else sees it, and seals every answer.
pub(super) async fn judge(State(desk): State<Arc<Desk>>, request: Request, next: Next) -> Response {
    let mut response = match check(&desk, &request) {
        Ok(()) => in_form(next.run(request).await).await,
        Err(refusal) => *refusal,
    };
    seal(response.headers_mut());
    response
}

/// What the framework refuses by itself, in the form that pages know.
async fn in_form(response: Response) -> Response {
    let kind = response.headers().get(header::CONTENT_TYPE);
    let status = response.status();
    let is_json = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    if !(status.is_client_error() || status.is_server_error()) || is_json {
        return response;
    }
    let code = match status {
        StatusCode::PAYLOAD_TOO_LARGE => "console.too_large",
        _ => "console.bad_request",
    };
    let text = axum::body::to_bytes(response.into_body(), REASON_BYTES_MAX).await;
    let text = text.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let text = if text.is_empty() { "the request cannot be read" } else { &text };
    let next = "reload the page: it may be of another version; or send less";
    Failure::new(status, code, text, next).into_response()
}

type Refusal = Box<Response>;

fn check(desk: &Desk, request: &Request) -> Result<(), Refusal> {
    check_host(desk, request)?;
    check_sender(desk, request)?;
    let path = request.uri().path();
    if path.starts_with(API) && !(path == SESSION && request.method() == Method::POST) {
        let known =
            bearer(request.headers()).is_some_and(|token| desk.knows(token, Instant::now()));
        if !known {
            return refuse(Failure::no_session());
        }
    }
    Ok(())
}

fn refuse(failure: Failure) -> Result<(), Refusal> {
    Err(Box::new(failure.into_response()))
}

/// The name `localhost`, because a passkey belongs to a name; the number is sent there. Any other name was made to point here
/// by somebody else (DNS rebinding).
fn check_host(desk: &Desk, request: &Request) -> Result<(), Refusal> {
    let host = text(request.headers(), &header::HOST).unwrap_or_default();
    if host == format!("localhost:{}", desk.port) {
        return Ok(());
    }
    let number = [format!("127.0.0.1:{}", desk.port), format!("[::1]:{}", desk.port)];
    if number.iter().any(|known| known == host)
        && request.method() == Method::GET
        && !request.uri().path().starts_with(API)
    {
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        let place = format!("{}{path}", desk.origin());
        if let Ok(place) = HeaderValue::from_str(&place) {
            return Err(Box::new(
                (StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, place)]).into_response(),
            ));
        }
    }
    let next = "open the link that `bartizan console` prints";
    refuse(Failure::new(
        StatusCode::MISDIRECTED_REQUEST,
        "console.foreign_host",
        "this is not the name of this console",
        next,
    ))
}

/// Ours, or the address bar. Browsers say from where a request comes, and pages cannot change what they say.
fn check_sender(desk: &Desk, request: &Request) -> Result<(), Refusal> {
    let headers = request.headers();
    let api = request.uri().path().starts_with(API);
    let origin = text(headers, &header::ORIGIN);
    let own = origin.is_none_or(|origin| origin == desk.origin());
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let fetched = match text(headers, &HeaderName::from_static("sec-fetch-site")) {
        None | Some("same-origin") => true,
        Some("none") => !api,
        // A link may lead to our page in a window of its own. Without a token it shows nothing.
        Some(_) => !api && is_a_new_window(headers),
    };
    if own && fetched && (reads || origin.is_some()) {
        return Ok(());
    }
    let next = "close the page that asked; open the link that `bartizan console` prints";
    refuse(Failure::new(
        StatusCode::FORBIDDEN,
        "console.foreign_origin",
        "another page may not use this console",
        next,
    ))
}

fn is_a_new_window(headers: &HeaderMap) -> bool {
    let says = |name, value| text(headers, &HeaderName::from_static(name)) == Some(value);
    says("sec-fetch-mode", "navigate") && says("sec-fetch-dest", "document")
}

/// One header of that name that is text; two of them are none.
fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    let mut all = headers.get_all(name).iter();
    match (all.next(), all.next()) {
        // What is no text equals nothing we know.
        (Some(one), None) => Some(one.to_str().unwrap_or("?")),
        (None, _) => None,
        (Some(_), Some(_)) => Some("?"),
    }
}

/// The token of a request.
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    text(headers, &header::AUTHORIZATION)?.strip_prefix("Bearer ")
}

/// What every answer says, errors too. Pages set a policy of their own with a nonce.
fn seal(headers: &mut HeaderMap) {
    const ALL: [(&str, &str); 7] = [
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("cross-origin-embedder-policy", "require-corp"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        (
            "permissions-policy",
            "camera=(), geolocation=(), microphone=(), publickey-credentials-create=(self), publickey-credentials-get=(self)",
        ),
    ];
    for (name, value) in ALL {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(
        "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
    ));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}
