//! Webhooks as "Standard Webhooks" describes them: id, time and an HMAC over both and the body.

use std::io::{Read as _, Write as _};

use anyhow::{Context as _, Result, bail};
use bartizan_trust::time::UnixSeconds;
use data_encoding::BASE64;
use ring::hmac;
use serde_json::json;

use super::config::Webhook;
use super::{Alarm, stream};
use crate::home::read_bounded;
use crate::keys::secret::Secret;

/// Of an answer only the first line counts.
const ANSWER_BYTES_MAX: usize = 4096;

/// The parts of an `https://` address.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Target<'u> {
    /// As it stands in `Host`.
    authority: &'u str,
    host: &'u str,
    port: u16,
    path: &'u str,
}

impl<'u> Target<'u> {
    pub(super) fn parse(url: &'u str) -> Option<Self> {
        let rest = url.strip_prefix("https://")?;
        let (authority, path) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
        let bracketed = authority.ends_with(']');
        let (host, port) = match authority.rsplit_once(':').filter(|_| !bracketed) {
            Some((host, port)) => (host, port.parse().ok().filter(|port| *port > 0)?),
            None => (authority, 443),
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || "-.:[]".contains(c);
        let fits = !host.is_empty()
            && host.chars().all(plain)
            && path.chars().all(|c| c.is_ascii_graphic() && c != '#');
        fits.then_some(Self { authority, host, port, path })
    }
}

/// Sends it; anything but 2xx is a failure.
pub(super) fn send(hook: &Webhook, alarm: &Alarm, now: UnixSeconds) -> Result<()> {
    let target = Target::parse(&hook.url).context("not an https:// address")?;
    let body = json!({
        "type": "bartizan.alarm", "timestamp": alarm.at, "id": alarm.id,
        "data": { "text": alarm.text, "facts": alarm.facts },
    })
    .to_string();
    let signature = sign(&secret(hook)?, &alarm.id, now, &body);
    let request = format!(
        "POST {} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         user-agent: bartizan\r\nconnection: close\r\nwebhook-id: {}\r\nwebhook-timestamp: {}\r\n\
         webhook-signature: v1,{signature}\r\n\r\n{body}",
        target.path,
        target.authority,
        body.len(),
        alarm.id,
        now.get()
    );
    let plain = stream::connect(&format!("{}:{}", target.host, target.port))?;
    let mut stream = stream::secure(plain, target.host, hook.ca_file.as_deref())?;
    stream.write_all(request.as_bytes()).context("send")?;
    stream.flush().context("send")?;
    let status = status(&mut stream)?;
    if (200..300).contains(&status) {
        return Ok(());
    }
    bail!("the receiver answers {status}")
}

fn secret(hook: &Webhook) -> Result<Secret<Vec<u8>>> {
    let mut text = Secret::new(read_bounded(&hook.secret_file)?);
    let trimmed = text.expose().trim_ascii().to_vec();
    text = Secret::new(trimmed);
    anyhow::ensure!(!text.expose().is_empty(), "{} is empty", hook.secret_file.display());
    match text.expose().strip_prefix(b"whsec_") {
        Some(encoded) => Ok(Secret::new(BASE64.decode(encoded).context("the webhook's secret")?)),
        None => Ok(text),
    }
}

fn sign(secret: &Secret<Vec<u8>>, id: &str, at: UnixSeconds, body: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose());
    BASE64.encode(hmac::sign(&key, format!("{id}.{}.{body}", at.get()).as_bytes()).as_ref())
}

fn status(stream: &mut impl std::io::Read) -> Result<u16> {
    let mut seen = Vec::new();
    let mut bounded = stream.take(u64::try_from(ANSWER_BYTES_MAX).unwrap_or(u64::MAX));
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
        let secret = BASE64.decode(b"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").expect("base64");
        let id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
        let body = "{\"test\": 2432232314}";
        let signature = sign(&Secret::new(secret), id, UnixSeconds::new(1_614_265_330), body);
        assert_eq!(signature, "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn addresses_are_taken_apart() {
        let parts = |url| Target::parse(url).map(|t| (t.host, t.port, t.path));
        assert_eq!(parts("https://h.example"), Some(("h.example", 443, "/")));
        assert_eq!(parts("https://h:8443/a?b"), Some(("h", 8443, "/a?b")));
        assert_eq!(parts("https://[::1]:1/"), Some(("[::1]", 1, "/")));
        assert_eq!(parts("https://[::1]/"), Some(("[::1]", 443, "/")));
        for bad in ["http://h/", "https://", "https://h:0/", "https://h/\r\nx: y", "https://a b/"] {
            assert_eq!(parts(bad), None, "{bad}");
        }
    }
}
