//! Where freezes are kept besides the server. Specification: `docs/spec/freeze.md`, "Ways".

use serde::{Deserialize, Serialize};

use crate::limits;

/// A place that serves `URL/freeze`: freezes, one envelope a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mirror {
    /// `http://…` or `https://…`, without a slash at its end.
    pub url: String,
    /// How often an endpoint asks, in seconds, more or less.
    pub every_s: u32,
}

/// A mirror's address, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MirrorPlace {
    /// Whether TLS is spoken.
    pub tls: bool,
    /// `host:port`.
    pub address: String,
    /// The host as it stands in the address, for the request.
    pub authority: String,
    /// Begins with a slash and ends with `/freeze`.
    pub path: String,
}

impl Mirror {
    /// Takes the address apart; `None` when it is not of the form that a bundle may hold.
    pub fn place(&self) -> Option<MirrorPlace> {
        let (scheme, rest) = self.url.split_once("://")?;
        let (tls, port) = match scheme {
            "http" => (false, 80),
            "https" => (true, 443),
            _ => return None,
        };
        if self.url.len() > limits::TEXT_BYTES_MAX || !rest.bytes().all(is_allowed) {
            return None;
        }
        let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
        if path.ends_with('/') {
            return None;
        }
        let address = address(authority, port)?;
        let path = format!("{path}/freeze");
        Some(MirrorPlace { tls, address, authority: authority.to_owned(), path })
    }
}

/// Letters of an address. No user, question or fragment; nothing that could end a line of a request.
fn is_allowed(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~%:/[]+,=".contains(&byte)
}

fn address(authority: &str, port: u16) -> Option<String> {
    // An IPv6 address stands in brackets.
    let tail = authority.rsplit_once(']').map_or(authority, |(_, tail)| tail);
    let (host, port) = match tail.rsplit_once(':') {
        Some((_, number)) => {
            let host = authority.strip_suffix(number)?.strip_suffix(':')?;
            (host, number.parse().ok().filter(|port| *port > 0)?)
        }
        None => (authority, port),
    };
    let bracketed = host.starts_with('[') && host.ends_with(']') && host.len() > 2;
    let named = !host.is_empty() && !host.contains([':', '[', ']']);
    (bracketed || named).then(|| format!("{host}:{port}"))
}

pub(super) fn check_mirrors(mirrors: &[Mirror]) -> Result<(), &'static str> {
    if mirrors.len() > limits::MIRRORS_MAX {
        return Err("mirrors: at most 4");
    }
    for mirror in mirrors {
        if mirror.place().is_none() {
            return Err(
                "mirror.url: http:// or https://, a host, a path without a slash at its end",
            );
        }
        if mirror.every_s == 0 || mirror.every_s > limits::MIRROR_EVERY_S_MAX {
            return Err("mirror.every_s: 1 to 3600");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(url: &str) -> Option<(bool, String, String)> {
        let mirror = Mirror { url: url.to_owned(), every_s: 60 };
        mirror.place().map(|place| (place.tls, place.address, place.path))
    }

    #[test]
    fn addresses_are_taken_apart() {
        let some =
            |tls, address: &str, path: &str| Some((tls, address.to_owned(), path.to_owned()));
        assert_eq!(place("http://a.example"), some(false, "a.example:80", "/freeze"));
        assert_eq!(place("https://a.example/x/y"), some(true, "a.example:443", "/x/y/freeze"));
        assert_eq!(place("http://192.0.2.1:8080/x"), some(false, "192.0.2.1:8080", "/x/freeze"));
        assert_eq!(place("https://[::1]/x"), some(true, "[::1]:443", "/x/freeze"));
        assert_eq!(place("https://[::1]:8443"), some(true, "[::1]:8443", "/freeze"));
    }

    #[test]
    fn an_address_that_could_say_more_than_where_is_none() {
        for url in [
            "ftp://a",
            "a.example",
            "http://",
            "http://:80",
            "http://a:0",
            "http://a:x",
            "http://a/",
            "http://u@a",
            "http://a/?q",
            "http://a/#f",
            "http://a b",
            "http://a/\r\nX: y",
            "http://::1",
            "http://[]",
            "http://[::1",
            "HTTP://a",
            "http://\u{e9}",
        ] {
            assert_eq!(place(url), None, "{url}");
        }
        assert_eq!(place(&format!("http://{}", "a".repeat(limits::TEXT_BYTES_MAX))), None);
    }
}
