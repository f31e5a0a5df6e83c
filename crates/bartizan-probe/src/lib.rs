//! Asks one question over the network and tells what came of it. A process of its own, without privileges: the guard has no
//! sockets, and what answers is hostile.
//!
//! * [`answer`]: the whole of it.
//! * [`dns::read`]: the reader of what name servers send.

mod certificates;
pub mod dns;
mod http;
mod limits;
mod ping;
mod reach;
mod tcp;
mod tls;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bartizan_proto::probe::{Answer, Request};
use bartizan_trust::limits::{PROBE_MS_MAX, TEXT_BYTES_MAX};
use bartizan_trust::statement::is_plain_char;
use tokio::time::timeout;

/// Where systems keep the certificates they believe.
const ROOTS: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// What the system says of itself.
#[derive(Debug, Clone)]
pub struct System {
    /// The certificates it believes.
    pub roots: Option<PathBuf>,
    /// Its name servers, as in `/etc/resolv.conf`.
    pub resolver: PathBuf,
}

impl System {
    /// This one.
    pub fn here() -> Self {
        let roots = ROOTS.iter().map(PathBuf::from).find(|path| path.exists());
        Self { roots, resolver: Path::new("/etc/resolv.conf").to_owned() }
    }
}

/// Why there is nothing to measure.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Trouble {
    /// The other side is not as it should be.
    There(String),
    /// As before, after it showed a certificate that ends then.
    Shown(String, u64),
    /// It cannot be asked from here.
    Here(String),
}

/// Asks, within the time there is.
pub async fn answer(request: &Request, system: &System) -> Answer {
    let asked = async {
        match request {
            Request::Certificates { base64 } => certificates::first_end(base64),
            Request::Tcp { host, port, banner } => tcp::ask(host, *port, banner.as_deref()).await,
            Request::Http { url, method, contains, tls } => {
                let question =
                    http::Question { url, method: *method, contains: contains.as_deref() };
                http::ask(question, *tls, system).await
            }
            Request::Dns { name, record, server } => {
                dns::ask(name, *record, server.as_deref(), &system.resolver).await
            }
            Request::Ping { host } => ping::ask(host).await,
        }
    };
    let answered = timeout(Duration::from_millis(PROBE_MS_MAX), asked).await.unwrap_or_else(|_| {
        Err(Trouble::There(format!("no answer within {} s", PROBE_MS_MAX / 1000)))
    });
    answered.unwrap_or_else(|trouble| match trouble {
        Trouble::There(text) => Answer::Failed { text: plain(&text), ends: None },
        Trouble::Shown(text, ends) => Answer::Failed { text: plain(&text), ends: Some(ends) },
        Trouble::Here(text) => Answer::Unknown { text: plain(&text) },
    })
}

fn there(text: impl Into<String>) -> Trouble {
    Trouble::There(text.into())
}

fn here(text: impl Into<String>) -> Trouble {
    Trouble::Here(text.into())
}

fn since(begun: Instant) -> u64 {
    u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// Text that shows as itself wherever it is shown, not too long.
fn plain(text: &str) -> String {
    let mut short = String::new();
    for c in text.chars().filter(|c| is_plain_char(*c)) {
        if short.len() + c.len_utf8() > TEXT_BYTES_MAX {
            break;
        }
        short.push(c);
    }
    short
}

/// Whether bytes have a text in them.
fn has(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|part| part == text.as_bytes())
}
