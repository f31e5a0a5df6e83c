//! Webhooks as "Standard Webhooks" describes them: id, time and an HMAC over both and the body.

use std::io::{Read, Write};
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use data_encoding::BASE64;
use ring::hmac;
use zeroize::Zeroizing;

use crate::{ascii_line, secret, stream};

/// Of an answer only the first line counts.
const ANSWER_BYTES_MAX: u64 = 4096;

/// A receiver.
#[derive(Debug, Clone)]
pub struct Webhook {
    /// `https://…`, or `http://…` where the caller allows it.
    pub url: String,
    /// Holds `whsec_` and base64, or any text.
    pub secret_file: PathBuf,
    /// Certificates to believe instead of the system's.
    pub ca_file: Option<PathBuf>,
}

/// The parts of an address.
#[derive(Debug, PartialEq, Eq)]
pub struct Target<'u> {
    /// Whether by TLS.
    pub is_private: bool,
    /// As it stands in `Host`.
    pub authority: &'u str,
    /// A name or an address.
    pub host: &'u str,
    /// As written, or the usual one.
    pub port: u16,
    /// From the host on.
    pub path: &'u str,
}

impl<'u> Target<'u> {
    /// Takes an address apart. No user, no fragment.
    pub fn parse(url: &'u str) -> Option<Self> {
        let (is_private, usual, rest) = match url.strip_prefix("https://") {
            Some(rest) => (true, 443, rest),
            None => (false, 80, url.strip_prefix("http://")?),
        };
        let (authority, path) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
        let bracketed = authority.ends_with(']');
        let (host, port) = match authority.rsplit_once(':').filter(|_| !bracketed) {
            Some((host, port)) => (host, port.parse().ok().filter(|port| *port > 0)?),
            None => (authority, usual),
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || "-.:[]".contains(c);
        let fits = !host.is_empty()
            && host.chars().all(plain)
            && path.chars().all(|c| c.is_ascii_graphic() && c != '#');
        fits.then_some(Self { is_private, authority, host, port, path })
    }
}

/// Sends a body of JSON; anything but 2xx is a failure. Redirections are not followed.
pub fn send(hook: &Webhook, id: &str, now: u64, body: &str) -> Result<()> {
    let target = Target::parse(&hook.url).context("not the address of a webhook")?;
    let signature = sign(&key(hook)?, id, now, body);
    let request = format!(
        "POST {} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         user-agent: bartizan\r\nconnection: close\r\nwebhook-id: {}\r\nwebhook-timestamp: {now}\r\n\
         webhook-signature: v1,{signature}\r\n\r\n{body}",
        target.path,
        target.authority,
        body.len(),
        ascii_line(id, 100),
    );
    let plain = stream::connect(&format!("{}:{}", target.host, target.port))?;
    let status = if target.is_private {
        exchange(&mut stream::secure(plain, target.host, hook.ca_file.as_deref())?, &request)?
    } else {
        let mut plain = plain;
        exchange(&mut plain, &request)?
    };
    if (200..300).contains(&status) {
        return Ok(());
    }
    bail!("the receiver answers {status}")
}

fn exchange(stream: &mut (impl Read + Write), request: &str) -> Result<u16> {
    stream.write_all(request.as_bytes()).context("send")?;
    stream.flush().context("send")?;
    status(stream)
}

fn key(hook: &Webhook) -> Result<Zeroizing<Vec<u8>>> {
    let text = secret::read(&hook.secret_file)?;
    match text.strip_prefix(b"whsec_") {
        Some(encoded) => {
            Ok(Zeroizing::new(BASE64.decode(encoded).context("the webhook's secret")?))
        }
        None => Ok(text),
    }
}

fn sign(secret: &[u8], id: &str, at: u64, body: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    BASE64.encode(hmac::sign(&key, format!("{id}.{at}.{body}").as_bytes()).as_ref())
}

fn status(stream: &mut impl Read) -> Result<u16> {
    let mut seen = Vec::new();
    let mut bounded = stream.take(ANSWER_BYTES_MAX);
    let mut byte = [0];
    while !seen.ends_with(b"\n") && bounded.read(&mut byte).context("read the answer")? == 1 {
        seen.extend(byte);
    }
    let line = String::from_utf8_lossy(&seen);
    let code = line.strip_prefix("HTTP/1.").and_then(|rest| rest.split(' ').nth(1));
    code.and_then(|code| code.trim().parse().ok()).context("the receiver does not speak HTTP/1.1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_the_standards_own_example() {
        // From the text of Standard Webhooks.
        let secret = BASE64.decode(b"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
        let signature = sign(&secret, id, 1_614_265_330, "{\"test\": 2432232314}");
        assert_eq!(signature, "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn addresses_are_taken_apart() {
        let parts = |url| Target::parse(url).map(|t| (t.is_private, t.host, t.port, t.path));
        assert_eq!(parts("https://h.example"), Some((true, "h.example", 443, "/")));
        assert_eq!(parts("https://h:8443/a?b"), Some((true, "h", 8443, "/a?b")));
        assert_eq!(parts("https://[::1]:1/"), Some((true, "[::1]", 1, "/")));
        assert_eq!(parts("https://[::1]/"), Some((true, "[::1]", 443, "/")));
        assert_eq!(parts("http://10.0.0.1/x"), Some((false, "10.0.0.1", 80, "/x")));
        for bad in [
            "ftp://h/",
            "https://",
            "https://h:0/",
            "https://h/\r\nx: y",
            "https://a b/",
            "https://u@h/",
            "https://h/#x",
        ] {
            assert_eq!(parts(bad), None, "{bad}");
        }
    }

    #[test]
    fn an_answer_that_never_ends_is_cut() {
        let mut endless = std::io::repeat(b'x');
        assert!(status(&mut endless).is_err());
        assert_eq!(status(&mut &b"HTTP/1.1 204 No Content\r\n"[..]).unwrap(), 204);
        assert!(status(&mut &b"SSH-2.0\r\n"[..]).is_err());
        assert!(status(&mut &b""[..]).is_err());
    }
}
