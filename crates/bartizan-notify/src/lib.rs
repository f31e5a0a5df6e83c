//! Tells: messages to people and their systems by e-mail, webhook and syslog. The server and the operator's tool send with the same
//! code; each keeps its own outbox.
//!
//! What a message says may come from an endpoint and is hostile: it adds no header, no line and no field, and is never HTML.
//! Everything blocks, with a time limit on each step: callers bring a thread.

pub mod email;
pub mod secret;
pub mod stream;
pub mod syslog;
pub mod webhook;

use std::net::IpAddr;

/// How a channel's connection becomes private.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Privacy {
    /// By STARTTLS, which must succeed.
    StartTls,
    /// TLS from the first byte.
    Tls,
    /// Not at all. Callers allow it to this machine and, where somebody said so, elsewhere.
    Plain,
}

/// One line of printable ASCII, for places that cannot hold more: subjects, fields of syslog.
pub fn ascii_line(text: &str, chars_max: usize) -> String {
    let shown = |c: char| if c.is_ascii_graphic() || c == ' ' { c } else { '?' };
    text.chars().map(shown).take(chars_max).collect()
}

/// Whether an address names this machine.
pub fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The host of `host:port`, if it is one.
pub fn host_of(address: &str) -> Option<&str> {
    let (host, port) = address.rsplit_once(':')?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "-.:[]".contains(c);
    let fits = !host.is_empty()
        && host.chars().all(plain)
        && port.parse::<u16>().is_ok_and(|port| port > 0);
    fits.then_some(host)
}
