//! Syslog as RFC 5424 writes it, over UDP (RFC 5426), TCP with octet counting (RFC 6587) or TLS (RFC 5425).

use std::fmt::Write as _;
use std::io::Write as _;
use std::net::{ToSocketAddrs as _, UdpSocket};
use std::path::PathBuf;

use anyhow::{Context as _, Result};

use crate::{ascii_line, host_of, stream};

/// Facility 16: local use 0.
const FACILITY: u8 = 16;
/// Longest message: what RFC 5424 says receivers should take.
const MESSAGE_BYTES_MAX: usize = 2048;
/// The example enterprise number of RFC 5612: there is none of ours.
const STRUCTURE: &str = "bartizan@32473";

/// How it travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// Datagrams: nobody says whether they arrive.
    Udp,
    /// A connection.
    Tcp,
    /// A private connection.
    Tls,
}

/// A receiver.
#[derive(Debug, Clone)]
pub struct Syslog {
    /// `host:port`
    pub address: String,
    /// How.
    pub transport: Transport,
    /// Certificates to believe instead of the system's.
    pub ca_file: Option<PathBuf>,
}

/// How urgent it is, as syslog counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urgency {
    /// 1
    Alert,
    /// 3
    Error,
    /// 4
    Warning,
    /// 5
    Notice,
}

/// One line.
#[derive(Debug, Clone, Copy)]
pub struct Line<'l> {
    /// How urgent.
    pub urgency: Urgency,
    /// As RFC 3339 writes it.
    pub at: &'l str,
    /// Of this server.
    pub host: &'l str,
    /// Kind of message, a word.
    pub kind: &'l str,
    /// Names, which are ours, and values, which may be hostile.
    pub fields: &'l [(&'l str, &'l str)],
    /// May be hostile.
    pub text: &'l str,
}

/// Sends one line.
pub fn send(syslog: &Syslog, line: &Line<'_>) -> Result<()> {
    let message = format(line);
    let host = host_of(&syslog.address).context("the receiver is not host:port")?;
    match syslog.transport {
        Transport::Udp => {
            let mut found = syslog.address.to_socket_addrs().context("find the receiver")?;
            let address = found.next().context("no such host")?;
            let from = if address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
            let socket = UdpSocket::bind(from).context("open a socket")?;
            socket.send_to(message.as_bytes(), address).context("send")?;
        }
        Transport::Tcp => {
            let mut plain = stream::connect(&syslog.address)?;
            write!(plain, "{} {message}", message.len()).context("send")?;
            plain.flush().context("send")?;
        }
        Transport::Tls => {
            let plain = stream::connect(&syslog.address)?;
            let mut private = stream::secure(plain, host, syslog.ca_file.as_deref())?;
            write!(private, "{} {message}", message.len()).context("send")?;
            private.conn.send_close_notify();
            private.flush().context("send")?;
        }
    }
    Ok(())
}

fn format(line: &Line<'_>) -> String {
    let urgency = match line.urgency {
        Urgency::Alert => 1,
        Urgency::Error => 3,
        Urgency::Warning => 4,
        Urgency::Notice => 5,
    };
    let mut out = format!(
        "<{}>1 {} {} bartizan-server {} {} [{STRUCTURE}",
        FACILITY * 8 + urgency,
        word(line.at, 32),
        word(line.host, 255),
        std::process::id(),
        word(line.kind, 32),
    );
    for (name, value) in line.fields.iter().filter(|(_, value)| !value.is_empty()) {
        let _ = write!(out, " {}=\"{}\"", word(name, 32), escaped(value, 256));
    }
    // The mark says that UTF-8 follows.
    let _ = write!(out, "] \u{feff}{}", one_line(line.text));
    let end = (0..=MESSAGE_BYTES_MAX.min(out.len())).rev().find(|at| out.is_char_boundary(*at));
    out.truncate(end.unwrap_or(0));
    out
}

/// A header field: printable, without spaces.
fn word(text: &str, chars_max: usize) -> String {
    let word = ascii_line(text, chars_max).replace(' ', "_");
    if word.is_empty() { "-".to_owned() } else { word }
}

fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

fn escaped(value: &str, chars_max: usize) -> String {
    let mut out = String::new();
    for c in one_line(value).chars().take(chars_max) {
        if matches!(c, '"' | '\\' | ']') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(fields: &[(&str, &str)], text: &str) -> String {
        let line = Line {
            urgency: Urgency::Error,
            at: "2026-11-27T12:00:00Z",
            host: "rmm",
            kind: "opened",
            fields,
            text,
        };
        format(&line)
    }

    #[test]
    fn a_line_is_as_rfc_5424_writes_it() {
        let text = written(&[("alert", "al_x"), ("site", "")], "disk full");
        let pid = std::process::id();
        assert_eq!(
            text,
            format!(
                "<131>1 2026-11-27T12:00:00Z rmm bartizan-server {pid} opened [bartizan@32473 alert=\"al_x\"] \u{feff}disk full"
            )
        );
    }

    #[test]
    fn hostile_text_ends_no_field_and_begins_no_line() {
        let text = written(&[("host", "a\"] evil=\"1\\\n<0>1 x")], "x\r\n<0>1 forged\0");
        assert!(!text.contains(['\n', '\r', '\0']), "{text}");
        assert!(text.contains("host=\"a\\\"\\] evil=\\\"1\\\\\u{fffd}<0>1 x\"]"), "{text}");
        assert!(written(&[], &"ü".repeat(100_000)).len() <= MESSAGE_BYTES_MAX);
        assert!(written(&[("k", &"\"".repeat(100_000))], "").len() < 1000);
    }
}
