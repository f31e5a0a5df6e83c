//! One question to a web server. Redirections are answers like any other: they lead nowhere.

use std::error::Error as _;
use std::time::Instant;

use bartizan_proto::probe::Answer;
use bartizan_trust::statement::{HttpMethod, TlsTrust, parse_url};
use bytes::Bytes;
use http::header::{ACCEPT, CONNECTION, HOST, USER_AGENT};
use http_body_util::{BodyExt as _, Empty};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::limits::{BODY_BYTES_MAX, HEAD_BYTES_MAX};
use crate::{System, Trouble, has, here, reach, since, there, tls};

/// What is asked.
#[derive(Clone, Copy)]
pub(crate) struct Question<'q> {
    pub(crate) url: &'q str,
    pub(crate) method: HttpMethod,
    pub(crate) contains: Option<&'q str>,
}

/// What was answered.
struct Said {
    status: u16,
    matched: Option<bool>,
}

pub(crate) async fn ask(
    question: Question<'_>,
    trust: TlsTrust,
    system: &System,
) -> Result<Answer, Trouble> {
    let parts = parse_url(question.url).ok_or_else(|| here("no address of the web"))?;
    let begun = Instant::now();
    let stream = reach::connect(parts.host, parts.port).await?;
    let (said, ends) = if parts.tls {
        let secured = tls::secure(stream, parts.host, trust, system.roots.as_deref()).await?;
        let said = exchange(secured.stream, question).await;
        let said = said.map_err(|trouble| match (trouble, secured.ends) {
            (Trouble::There(text), Some(ends)) => Trouble::Shown(text, ends),
            (trouble, _) => trouble,
        })?;
        (said, secured.ends)
    } else {
        (exchange(stream, question).await?, None)
    };
    let Said { status, matched } = said;
    Ok(Answer::Responded { ms: since(begun), status, matched, ends })
}

async fn exchange<S>(stream: S, question: Question<'_>) -> Result<Said, Trouble>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(HEAD_BYTES_MAX)
        .handshake::<_, Empty<Bytes>>(TokioIo::new(stream))
        .await
        .map_err(|error| no_http(&error))?;
    // It ends with the process, which asks nothing else.
    tokio::spawn(connection);
    let mut response =
        sender.send_request(request(question)?).await.map_err(|error| no_http(&error))?;
    let status = response.status().as_u16();
    let Some(wanted) = question.contains else { return Ok(Said { status, matched: None }) };
    let mut body = Vec::new();
    while body.len() < BODY_BYTES_MAX && !has(&body, wanted) {
        match response.body_mut().frame().await {
            Some(Ok(frame)) => body.extend(frame.data_ref().into_iter().flatten()),
            Some(Err(error)) => return Err(no_http(&error)),
            None => break,
        }
    }
    body.truncate(BODY_BYTES_MAX);
    Ok(Said { status, matched: Some(has(&body, wanted)) })
}

fn no_http(error: &hyper::Error) -> Trouble {
    let cause = error.source().map_or_else(String::new, |cause| format!(": {cause}"));
    there(format!("HTTP: {error}{cause}"))
}

fn request(question: Question<'_>) -> Result<http::Request<Empty<Bytes>>, Trouble> {
    let parts = parse_url(question.url).ok_or_else(|| here("no address of the web"))?;
    let method = match question.method {
        HttpMethod::Get => http::Method::GET,
        HttpMethod::Head => http::Method::HEAD,
    };
    http::Request::builder()
        .method(method)
        .uri(parts.path)
        .header(HOST, parts.authority)
        .header(USER_AGENT, concat!("bartizan-probe/", env!("CARGO_PKG_VERSION")))
        .header(ACCEPT, "*/*")
        .header(CONNECTION, "close")
        .body(Empty::new())
        .map_err(|error| here(error.to_string()))
}
