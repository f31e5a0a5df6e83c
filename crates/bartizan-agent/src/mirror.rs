//! Freezes from the bundle's mirrors: static files, asked for again and again, also while the server's link is up.
//!
//! A freeze proves itself, so neither the mirror nor the way to it is believed: plain HTTP is as good as HTTPS, whose
//! certificate is not judged. Either can be withheld, which is why there is more than one way.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use bartizan_proto::message::{Message, Place};
use bartizan_trust::limits::ENVELOPE_BYTES_MAX;
use bartizan_trust::statement::{Mirror, MirrorPlace};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsConnector;

use crate::dial;
use crate::link::random;
use crate::pipe::Pipe;
use crate::tls;

/// How long one question may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Largest answer, its head included: a few of the largest freezes, or many usual ones.
const ANSWER_BYTES_MAX: usize = 256 * 1024;
/// Most freezes of one answer.
const FREEZES_MAX: usize = 32;
/// Most lines of an answer's head.
const HEADERS_MAX: usize = 64;
/// Longest tag of a version that is sent back.
const TAG_BYTES_MAX: usize = 256;

/// The mirrors that are being asked.
#[derive(Debug, Default)]
pub(crate) struct Mirrors {
    asked: Vec<Mirror>,
    tasks: JoinSet<()>,
}

impl Mirrors {
    /// Asks these and no others from now on.
    pub(crate) fn follow(&mut self, mirrors: &[Mirror], pipe: &Arc<Pipe>) {
        if self.asked == mirrors {
            return;
        }
        self.tasks.abort_all();
        mirrors.clone_into(&mut self.asked);
        for mirror in mirrors {
            self.tasks.spawn(watch(mirror.clone(), Arc::clone(pipe)));
        }
    }
}

/// What a mirror last said.
#[derive(Debug, Default)]
struct Last {
    tag: Option<String>,
    freezes: Vec<Vec<u8>>,
}

async fn watch(mirror: Mirror, pipe: Arc<Pipe>) {
    let Some(place) = mirror.place() else { return };
    let every = Duration::from_secs(u64::from(mirror.every_s));
    let mut last = Last::default();
    let mut problem = String::new();
    // Not all endpoints at once when a bundle names a new mirror.
    sleep(every.mul_f64(fraction()).min(Duration::from_secs(10))).await;
    loop {
        let asked = timeout(PATIENCE, ask(&place, &mut last)).await;
        match asked.context("no answer in time").and_then(|result| result) {
            Ok(()) => problem.clear(),
            Err(error) => {
                let error = format!("{error:#}");
                // Said once, until it is another one.
                if error != problem {
                    eprintln!("agent: [freeze.no_mirror] {}: {error}", mirror.url);
                    problem = error;
                }
            }
        }
        // Also what is known: the guard may have refused it for a reason that has passed.
        for envelope in &last.freezes {
            pipe.send(Message::FreezeFound { place: Place::Mirror, envelope: envelope.clone() });
        }
        sleep(every.mul_f64(0.5 + fraction())).await;
    }
}

fn fraction() -> f64 {
    f64::from(random()) / f64::from(u32::MAX)
}

async fn ask(place: &MirrorPlace, last: &mut Last) -> Result<()> {
    let stream = dial::connect(&place.address).await?;
    let answer = if place.tls {
        let name = ServerName::try_from(dial::host(&place.address).to_owned());
        let connector = TlsConnector::from(Arc::new(any_server()?));
        let stream = connector.connect(name.context("not a host name")?, stream).await;
        exchange(stream.context("TLS handshake")?, &request(place, last.tag.as_deref())).await?
    } else {
        exchange(stream, &request(place, last.tag.as_deref())).await?
    };
    take(&answer, last)
}

/// TLS as a way through firewalls: who answers does not matter, since only signatures count.
fn any_server() -> Result<ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = tls::PinnedServer::any(Arc::clone(&provider));
    Ok(ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .context("configure TLS 1.3")?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth())
}

/// HTTP/1.0, so that the answer comes in one piece and ends.
fn request(place: &MirrorPlace, tag: Option<&str>) -> String {
    let condition = tag.map_or_else(String::new, |tag| format!("If-None-Match: {tag}\r\n"));
    format!(
        "GET {} HTTP/1.0\r\nHost: {}\r\nUser-Agent: bartizan-agent\r\nConnection: close\r\n{condition}\r\n",
        place.path, place.authority
    )
}

async fn exchange(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    request: &str,
) -> Result<Vec<u8>> {
    stream.write_all(request.as_bytes()).await.context("ask")?;
    stream.flush().await.context("ask")?;
    let mut answer = Vec::new();
    let mut buffer = vec![0; 8 * 1024];
    loop {
        match stream.read(&mut buffer).await {
            // Many servers end TLS without a word; what is missing is seen below.
            Ok(0) => return Ok(answer),
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(answer),
            Err(error) => return Err(error).context("read the answer"),
            Ok(count) => answer.extend_from_slice(buffer.get(..count).unwrap_or_default()),
        }
        if answer.len() > ANSWER_BYTES_MAX {
            bail!("the answer is larger than {ANSWER_BYTES_MAX} bytes");
        }
    }
}

fn take(answer: &[u8], last: &mut Last) -> Result<()> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(head) = response.parse(answer).context("not HTTP")? else {
        bail!("the answer is cut");
    };
    let header = |name: &str| {
        let found = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
        found.and_then(|header| str::from_utf8(header.value).ok())
    };
    match response.code {
        Some(200) => {}
        Some(304) => return Ok(()),
        // Nothing is frozen, or nothing was ever put there.
        Some(404) => {
            *last = Last::default();
            return Ok(());
        }
        code => bail!("status {}", code.unwrap_or(0)),
    }
    let body = answer.get(head..).unwrap_or_default();
    if header("transfer-encoding").is_some() {
        bail!("the answer comes in pieces; serve a plain file");
    }
    if header("content-length").is_some_and(|length| length.trim().parse() != Ok(body.len())) {
        bail!("the answer is cut");
    }
    let tag = header("etag").filter(|tag| tag.len() <= TAG_BYTES_MAX && tag.is_ascii());
    *last = Last { tag: tag.map(str::to_owned), freezes: lines(body)? };
    Ok(())
}

/// One envelope a line.
fn lines(body: &[u8]) -> Result<Vec<Vec<u8>>> {
    let lines = body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let freezes: Vec<Vec<u8>> = lines.take(FREEZES_MAX + 1).map(<[u8]>::to_vec).collect();
    if freezes.len() > FREEZES_MAX || freezes.iter().any(|line| line.len() > ENVELOPE_BYTES_MAX) {
        bail!("more than {FREEZES_MAX} lines, or one that is no envelope");
    }
    Ok(freezes)
}
