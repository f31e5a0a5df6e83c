//! E-mail: the few lines of SMTP that one message needs, always over TLS.

use std::io::Write as _;
use std::net::TcpStream;

use anyhow::{Context as _, Result, bail, ensure};
use bartizan_trust::time::UnixSeconds;
use data_encoding::BASE64;

use super::Alarm;
use super::config::{Email, MailTls};
use super::stream::{self, Stream};
use crate::home::read_bounded;
use crate::keys::secret::Secret;

/// Longest line of a server, by RFC 5321 512 bytes; some say more.
const LINE_BYTES_MAX: usize = 2048;
/// Lines of one reply.
const LINES_MAX: usize = 64;
/// Characters of base64 in a line.
const WIDTH: usize = 76;

/// Sends one message to everybody in `to`; who is refused is a failure for all.
pub(super) fn send(email: &Email, alarm: &Alarm) -> Result<()> {
    let host = email.server.rsplit_once(':').map_or(email.server.as_str(), |(host, _)| host);
    let plain = stream::connect(&email.server)?;
    let ca = email.ca_file.as_deref();
    let mut stream = match email.tls {
        MailTls::Tls => {
            let mut stream = stream::secure(plain, host, ca)?;
            reply(&mut stream, "2", "greet")?;
            stream
        }
        MailTls::StartTls => stream::secure(start_tls(plain)?, host, ca)?,
    };
    command(&mut stream, "EHLO bartizan", "2")?;
    if let (Some(user), Some(file)) = (&email.user, &email.password_file) {
        let password = Secret::new(read_bounded(file)?);
        let credentials = [b"\0", user.as_bytes(), b"\0", password.expose().trim_ascii()].concat();
        let line = Secret::new(format!("AUTH PLAIN {}", BASE64.encode(&credentials)));
        say(&mut stream, line.expose())?;
        reply(&mut stream, "235", "AUTH PLAIN")?;
    }
    command(&mut stream, &format!("MAIL FROM:<{}>", email.from), "2")?;
    for to in &email.to {
        command(&mut stream, &format!("RCPT TO:<{to}>"), "2")?;
    }
    command(&mut stream, "DATA", "354")?;
    stream.write_all(message(email, alarm).as_bytes()).context("send the message")?;
    command(&mut stream, ".", "2")?;
    // It has the message; how it says good-bye does not matter.
    let _ = say(&mut stream, "QUIT");
    Ok(())
}

/// Up to the point where TLS begins. Nothing the server said in the clear is believed afterwards.
fn start_tls(mut plain: TcpStream) -> Result<TcpStream> {
    reply(&mut plain, "2", "greet")?;
    let offers = command(&mut plain, "EHLO bartizan", "2")?;
    let offered = offers.iter().any(|line| line.trim().eq_ignore_ascii_case("STARTTLS"));
    ensure!(offered, "the mail server offers no STARTTLS; alarms are not sent in the clear");
    command(&mut plain, "STARTTLS", "220")?;
    Ok(plain)
}

fn command(stream: &mut impl Stream, line: &str, expected: &str) -> Result<Vec<String>> {
    say(stream, line)?;
    reply(stream, expected, line.split(' ').next().unwrap_or_default())
}

fn say(stream: &mut impl Stream, line: &str) -> Result<()> {
    stream.write_all(format!("{line}\r\n").as_bytes()).context("speak to the mail server")?;
    stream.flush().context("speak to the mail server")
}

/// Reads a whole reply; its code must begin like this.
fn reply(stream: &mut impl Stream, expected: &str, to: &str) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    while lines.len() < LINES_MAX {
        let line = line(stream)?;
        let (code, rest) = line.split_at_checked(3).context("not a reply of a mail server")?;
        let more = rest.starts_with('-');
        lines.push(rest.get(1..).unwrap_or_default().to_owned());
        if more {
            continue;
        }
        ensure!(code.starts_with(expected), "the mail server answers `{line}` to {to}");
        return Ok(lines);
    }
    bail!("the mail server does not stop talking")
}

/// Byte by byte: what comes after the line belongs to TLS, where that begins.
fn line(stream: &mut impl Stream) -> Result<String> {
    let mut seen = Vec::new();
    let mut byte = [0];
    while !seen.ends_with(b"\r\n") {
        ensure!(seen.len() < LINE_BYTES_MAX, "the mail server's line is too long");
        let count = stream.read(&mut byte).context("hear the mail server")?;
        ensure!(count == 1, "the mail server hung up");
        seen.extend(byte);
    }
    let shown = String::from_utf8_lossy(&seen);
    Ok(shown
        .trim_end()
        .chars()
        .map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '.' })
        .collect())
}

/// Headers and a body in base64, which needs no dot-stuffing.
fn message(email: &Email, alarm: &Alarm) -> String {
    let subject: String = alarm
        .text
        .chars()
        .map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' })
        .take(120)
        .collect();
    let facts = serde_json::to_string_pretty(&alarm.facts).unwrap_or_default();
    let body = format!(
        "{}\r\n\r\n{}\r\n\r\nSent by a witness of Bartizan, not by its server. Look at it with: bartizan log mine, bartizan log audit\r\n",
        alarm.text,
        facts.replace('\n', "\r\n")
    );
    let encoded = BASE64.encode(body.as_bytes());
    let mut lines = String::with_capacity(encoded.len() + encoded.len() / WIDTH * 2 + 2);
    for (at, c) in encoded.chars().enumerate() {
        if at > 0 && at.is_multiple_of(WIDTH) {
            lines.push_str("\r\n");
        }
        lines.push(c);
    }
    let host = email.from.rsplit_once('@').map_or("localhost", |(_, host)| host);
    format!(
        "From: Bartizan <{}>\r\nTo: {}\r\nSubject: [Bartizan] {subject}\r\nDate: {}\r\nMessage-ID: <{}@{host}>\r\n\
         MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\
         Auto-Submitted: auto-generated\r\n\r\n{lines}\r\n",
        email.from,
        email.to.join(", "),
        date(alarm.at),
        alarm.id
    )
}

/// As RFC 5322 writes it, without the day of the week, which it allows.
fn date(at: UnixSeconds) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (days, seconds) = (at.get() / 86_400, at.get() % 86_400);
    // Days since 1 March of the year 0, in eras of 400 years: the leap day is the last of its year.
    let shifted = days + 719_468;
    let (era, day) = (shifted / 146_097, shifted % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let number = if month < 10 { month + 2 } else { month - 10 };
    let year = era * 400 + year + u64::from(month >= 10);
    let name = usize::try_from(number).ok().and_then(|n| MONTHS.get(n)).unwrap_or(&"Jan");
    format!(
        "{day} {name} {year} {:02}:{:02}:{:02} +0000",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (at, expected) in [
            (0, "1 Jan 1970 00:00:00 +0000"),
            (951_782_400, "29 Feb 2000 00:00:00 +0000"),
            (951_868_800, "1 Mar 2000 00:00:00 +0000"),
            (1_798_761_599, "31 Dec 2026 23:59:59 +0000"),
            (4_107_542_400, "1 Mar 2100 00:00:00 +0000"),
        ] {
            assert_eq!(date(UnixSeconds::new(at)), expected);
        }
    }

    #[test]
    fn hostile_text_adds_no_header_and_ends_no_message() {
        let email = Email {
            server: "m:1".to_owned(),
            tls: MailTls::Tls,
            from: "a@b".to_owned(),
            to: vec!["c@d".to_owned()],
            user: None,
            password_file: None,
            ca_file: None,
        };
        let text = "x\r\nBcc: everybody@example.org\r\n.\r\nQUIT \u{202e}";
        let alarm = Alarm::new(text, &serde_json::json!({}), UnixSeconds::ZERO);
        let message = message(&email, &alarm);
        assert!(!message.lines().any(|line| line == "." || line.starts_with("Bcc")), "{message}");
        assert!(message.is_ascii());
        assert!(message.lines().all(|line| line.len() < 200));
    }
}
