//! What checks that use the network may ask, and whom. Specification: `docs/spec/policy.md`, "Checks that use the network".

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use serde::{Deserialize, Serialize};

use super::check::{Levels, Subject, each_once, rising};
use super::is_plain_text;
use crate::limits;

/// What is asked of a web server. Neither changes anything on one that keeps to HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HttpMethod {
    /// Head and body.
    Get,
    /// The head only.
    Head,
}

/// Whether a certificate has to be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TlsTrust {
    /// By the certificates that the endpoint's system believes, and of the right name.
    Verify,
    /// Not at all: whoever stands in between can answer.
    DangerUnverified,
}

/// What is asked for by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DnsRecord {
    /// Addresses of version 4.
    A,
    /// Addresses of version 6.
    Aaaa,
    /// The name it is another name of.
    Cname,
    /// Who takes its mail.
    Mx,
    /// Text.
    Txt,
}

/// The parts of an address of the web.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UrlParts<'a> {
    /// Whether it begins with `https:`.
    pub tls: bool,
    /// A name or an address, without brackets.
    pub host: &'a str,
    /// As written, or the usual one.
    pub port: u16,
    /// Host and port as written.
    pub authority: &'a str,
    /// Path and query; begins with `/`.
    pub path: &'a str,
}

/// The parts of `http://` and `https://` addresses; nothing for everything else. No user, no password, no fragment.
pub fn parse_url(url: &str) -> Option<UrlParts<'_>> {
    let visible = url.bytes().all(|b| b.is_ascii_graphic());
    if !visible || url.len() > limits::URL_BYTES_MAX || url.contains(['#', '\\', '"', '<', '>']) {
        return None;
    }
    let (tls, rest) = match url.strip_prefix("https://") {
        Some(rest) => (true, rest),
        None => (false, url.strip_prefix("http://")?),
    };
    let (authority, path) = rest.split_at(rest.find('/')?);
    if authority.contains(['@', '?']) {
        return None;
    }
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']')?;
            host.parse::<Ipv6Addr>().ok()?;
            (host, port)
        }
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let usual = if tls { 443 } else { 80 };
    let port = if port.is_empty() { usual } else { parse_port(port.strip_prefix(':')?)? };
    let bare_v6 = !authority.starts_with('[') && host.contains(':');
    (is_host(host) && !bare_v6).then_some(UrlParts { tls, host, port, authority, path })
}

/// Without zeros before it.
fn parse_port(text: &str) -> Option<u16> {
    let port: u16 = text.parse().ok()?;
    (port != 0 && port.to_string() == text).then_some(port)
}

/// A name in lower case, or an address that checks may ask.
pub fn is_host(host: &str) -> bool {
    host.parse::<IpAddr>().map_or_else(|_| is_dns_name(host), may_be_asked)
}

/// A name in lower case. Its last part begins with a letter: `127.1` and its like are addresses in disguise.
pub fn is_dns_name(name: &str) -> bool {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(inner)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last = name.rsplit('.').next().unwrap_or_default();
    name.len() <= limits::HOST_BYTES_MAX
        && name.split('.').all(label)
        && last.starts_with(|c: char| c.is_ascii_lowercase())
}

/// A name server: an address that may be asked, with or without a port.
pub fn parse_name_server(text: &str) -> Option<SocketAddr> {
    let bare = text.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, 53));
    let server = bare.or_else(|_| text.parse::<SocketAddr>()).ok()?;
    (server.port() != 0 && may_be_asked(server.ip())).then_some(server)
}

/// Whom no check asks, whatever a policy says or a name leads to: addresses of this link only, under which clouds hand out a
/// machine's credentials, their other addresses for that, and what is no single machine.
// SPEC: policy.md "Checks that use the network"
pub fn may_be_asked(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => v4_may_be_asked(ip),
        IpAddr::V6(ip) => within(ip).map_or_else(|| v6_may_be_asked(ip), v4_may_be_asked),
    }
}

fn v4_may_be_asked(ip: Ipv4Addr) -> bool {
    /// Of clouds that keep it outside of the link's range: Azure, Alibaba, Oracle.
    const METADATA: [Ipv4Addr; 3] = [
        Ipv4Addr::new(168, 63, 129, 16),
        Ipv4Addr::new(100, 100, 100, 200),
        Ipv4Addr::new(192, 0, 0, 192),
    ];
    let this_network = ip.octets().first() == Some(&0);
    !(this_network
        || ip.is_link_local()
        || ip.is_multicast()
        || ip.is_broadcast()
        || METADATA.contains(&ip))
}

fn v6_may_be_asked(ip: Ipv6Addr) -> bool {
    /// Of Amazon and of Google.
    const METADATA: [Ipv6Addr; 2] = [
        Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254),
        Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254),
    ];
    !(ip.is_unspecified()
        || ip.is_unicast_link_local()
        || ip.is_multicast()
        || METADATA.contains(&ip))
}

/// The address of version 4 inside one of version 6: mapped, compatible, translated (NAT64) or tunnelled (6to4).
fn within(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let v4 = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match ip.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => None,
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            Some(v4(high, low))
        }
        [0x2002, high, low, ..] => Some(v4(high, low)),
        _ => None,
    }
}

impl Subject {
    /// Whether looking sends something over the network.
    pub const fn uses_network(&self) -> bool {
        matches!(self, Self::Tcp { .. } | Self::Http { .. } | Self::Dns { .. } | Self::Ping { .. })
    }
}

/// Which limit a check that uses the network breaks.
pub(super) fn check_network(subject: &Subject) -> Result<(), &'static str> {
    match subject {
        Subject::Tcp { host, port, banner, above, .. } => {
            some_host(host)?;
            if *port == 0 {
                return Err("check.port: 1 to 65535");
            }
            some_text(banner.as_deref())?;
            patience(*above)
        }
        Subject::Http { url, method, status, contains, above, expires, tls, .. } => {
            let Some(parts) = parse_url(url) else {
                return Err("check.url: http:// or https://, a host that may be asked, a path");
            };
            if !parts.tls && (expires.is_some() || *tls != TlsTrust::Verify) {
                return Err("check.expires, tls: only for https://");
            }
            if *method == HttpMethod::Head && contains.is_some() {
                return Err("check.contains: only with the method get");
            }
            let codes = (1..=limits::CHECK_NAMES_MAX).contains(&status.len())
                && status.iter().all(|code| (100..=599).contains(code))
                && status.is_sorted_by(|a, b| a < b);
            if !codes {
                return Err("check.status: 1 to 16 codes, 100 to 599, sorted, each once");
            }
            some_text(contains.as_deref())?;
            days(*expires)?;
            patience(*above)
        }
        Subject::Dns { name, server, wanted, above, .. } => {
            if !is_dns_name(name) {
                return Err("check.name: a name in lower case");
            }
            if server.as_deref().is_some_and(|server| parse_name_server(server).is_none()) {
                return Err("check.server: an address that may be asked, with or without a port");
            }
            let answer =
                |text: &String| !text.is_empty() && is_plain_text(text, limits::TEXT_BYTES_MAX);
            if wanted.len() > limits::CHECK_NAMES_MAX
                || !wanted.iter().all(answer)
                || !each_once(wanted)
            {
                return Err("check.wanted: at most 16 answers, sorted, each once");
            }
            patience(*above)
        }
        Subject::Ping { host, loss, above } => {
            some_host(host)?;
            if loss.is_none() && above.is_none() {
                return Err("check.loss, above: one of them, or both");
            }
            loss.map_or(Ok(()), |loss| rising(loss, 100))?;
            patience(*above)
        }
        _ => Ok(()),
    }
}

fn some_host(host: &str) -> Result<(), &'static str> {
    if is_host(host) {
        Ok(())
    } else {
        Err("check.host: a name in lower case or an address that may be asked")
    }
}

fn some_text(text: Option<&str>) -> Result<(), &'static str> {
    let fine = text.is_none_or(|t| !t.is_empty() && is_plain_text(t, limits::PATTERN_BYTES_MAX));
    if fine { Ok(()) } else { Err("check.banner, contains: 1 to 256 bytes of plain text") }
}

/// Milliseconds: a level that is not reached before a probe gives up would never be.
fn patience(above: Option<Levels>) -> Result<(), &'static str> {
    above.map_or(Ok(()), |above| rising(above, limits::PROBE_MS_MAX))
}

fn days(below: Option<Levels>) -> Result<(), &'static str> {
    below.map_or(Ok(()), super::check::falling_days)
}
