//! E-mail by SMTP, with the `lettre` crate.

use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use anyhow::{Context as _, Result, ensure};
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Body, Mailbox, Message};
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, SmtpTransport, Transport as _};

use crate::{Privacy, ascii_line, host_of, is_loopback, secret, stream};

/// For one step of a conversation.
const PATIENCE: Duration = Duration::from_secs(15);
/// Characters of a subject.
const SUBJECT_CHARS_MAX: usize = 120;
/// Longest text of one mail.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// A mail server, and who is written to.
#[derive(Debug, Clone)]
pub struct Email {
    /// `host:port`
    pub server: String,
    /// How the connection becomes private.
    pub privacy: Privacy,
    /// Who writes.
    pub from: String,
    /// Who is written to.
    pub to: Vec<String>,
    /// Who logs in.
    pub user: Option<String>,
    /// Holds the password.
    pub password_file: Option<PathBuf>,
    /// Certificates to believe instead of the system's.
    pub ca_file: Option<PathBuf>,
}

/// One message.
#[derive(Debug, Clone, Copy)]
pub struct Mail<'m> {
    /// The same for each attempt.
    pub id: &'m str,
    /// When, in seconds since 1970.
    pub at: u64,
    /// Begins the subject, in brackets; ours.
    pub mark: &'m str,
    /// May be hostile.
    pub subject: &'m str,
    /// May be hostile; plain text.
    pub text: &'m str,
}

/// Whether text is an address that means what it seems to: no comment, no quoting, no second address.
pub fn is_address(text: &str) -> bool {
    let plain = |c: char| {
        c.is_ascii_graphic() && !matches!(c, '<' | '>' | '"' | ',' | ';' | '\\' | '(' | ')')
    };
    text.len() <= 254 && text.chars().all(plain) && text.parse::<Address>().is_ok()
}

/// Sends one message to everybody in `to`; who is refused is a failure for all.
pub fn send(email: &Email, mail: &Mail<'_>) -> Result<()> {
    let message = message(email, mail)?;
    let host = host_of(&email.server).context("the mail server is not host:port")?;
    let port =
        email.server.rsplit_once(':').and_then(|(_, port)| port.parse().ok()).context("port")?;
    let credentials = credentials(email)?;
    ensure!(
        credentials.is_none() || email.privacy != Privacy::Plain || is_loopback(host),
        "a password is not sent in the clear"
    );
    let tls = match email.privacy {
        Privacy::StartTls => Tls::Required(parameters(host, email.ca_file.as_deref())?),
        Privacy::Tls => Tls::Wrapper(parameters(host, email.ca_file.as_deref())?),
        Privacy::Plain => Tls::None,
    };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let mut transport = SmtpTransport::builder_dangerous(bare)
        .port(port)
        .tls(tls)
        .timeout(Some(PATIENCE))
        .hello_name(ClientId::Domain("bartizan".to_owned()));
    if let Some(credentials) = credentials {
        transport = transport
            .credentials(credentials)
            .authentication(vec![Mechanism::Plain, Mechanism::Login]);
    }
    let answer = transport.build().send(&message).map_err(|error| plain_error(&error))?;
    ensure!(answer.is_positive(), "the mail server does not take it");
    Ok(())
}

/// What a mail server said is hostile text, too.
fn plain_error(error: &lettre::transport::smtp::Error) -> anyhow::Error {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        text = format!("{text}: {inner}");
        source = inner.source();
    }
    anyhow::anyhow!("the mail server: {}", ascii_line(&text, 300))
}

fn credentials(email: &Email) -> Result<Option<Credentials>> {
    let (Some(user), Some(file)) = (&email.user, &email.password_file) else { return Ok(None) };
    let password = secret::read(file)?;
    let password = String::from_utf8(password.to_vec()).context("the password is not UTF-8")?;
    Ok(Some(Credentials::new(user.clone(), password)))
}

/// TLS with exactly the certificates we name: those of the file, or the system's.
fn parameters(host: &str, ca: Option<&Path>) -> Result<TlsParameters> {
    let bare = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let mut builder = TlsParameters::builder(bare).certificate_store(CertificateStore::None);
    for certificate in stream::certificates(ca)? {
        builder = builder.add_root_certificate(
            Certificate::from_der(certificate.to_vec()).context("a certificate")?,
        );
    }
    builder.build_rustls().context("TLS for the mail server")
}

fn message(email: &Email, mail: &Mail<'_>) -> Result<Message> {
    let mailbox = |address: &String, name: Option<&str>| -> Result<Mailbox> {
        ensure!(is_address(address), "`{}` is not an address", ascii_line(address, 80));
        Ok(Mailbox::new(name.map(str::to_owned), address.parse().context("an address")?))
    };
    let host = email.from.rsplit_once('@').map_or("localhost", |(_, host)| host);
    let subject = format!("[{}] {}", mail.mark, ascii_line(mail.subject, SUBJECT_CHARS_MAX));
    let mut builder = Message::builder()
        .from(mailbox(&email.from, Some("Bartizan"))?)
        .subject(subject)
        .date(UNIX_EPOCH + Duration::from_secs(mail.at.min(253_402_300_799)))
        .message_id(Some(format!("<{}@{host}>", ascii_line(mail.id, 80))))
        .raw_header(HeaderValue::new(
            HeaderName::new_from_ascii_str("Auto-Submitted"),
            "auto-generated".to_owned(),
        ));
    for to in &email.to {
        builder = builder.to(mailbox(to, None)?);
    }
    let mut text = mail.text;
    while text.len() > BODY_BYTES_MAX {
        let end = (0..=BODY_BYTES_MAX).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text = text.get(..end).unwrap_or_default();
    }
    let shown: String =
        text.chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect();
    // Base64 needs no dot-stuffing and keeps every line short, whatever the text is.
    let body =
        Body::new_with_encoding(shown.replace('\n', "\r\n"), ContentTransferEncoding::Base64)
            .map_err(|_| anyhow::anyhow!("encode the message"))?;
    builder
        .header(ContentType::TEXT_PLAIN)
        .header(ContentTransferEncoding::Base64)
        .body(body)
        .context("make the message")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn email() -> Email {
        Email {
            server: "m:25".to_owned(),
            privacy: Privacy::Tls,
            from: "a@b.example".to_owned(),
            to: vec!["c@d.example".to_owned(), "e@f.example".to_owned()],
            user: None,
            password_file: None,
            ca_file: None,
        }
    }

    fn written(subject: &str, text: &str) -> String {
        let mail = Mail { id: "nt_x", at: 951_782_400, mark: "Bartizan", subject, text };
        String::from_utf8(message(&email(), &mail).unwrap().formatted()).unwrap()
    }

    #[test]
    fn hostile_text_adds_no_header_and_ends_no_message() {
        let hostile = "x\r\nBcc: everybody@example.org\r\n.\r\nQUIT\r\n\u{202e}<script>";
        let written = written(hostile, hostile);
        let (head, body) = written.split_once("\r\n\r\n").unwrap();
        assert!(!head.to_lowercase().contains("\r\nbcc:"), "{head}");
        assert!(head.contains("Subject: [Bartizan] x??Bcc: everybody@example.org"), "{head}");
        assert!(head.contains("Content-Type: text/plain"), "never HTML: {head}");
        assert!(!body.lines().any(|line| line == "." || line.len() > 78), "{body}");
        assert!(!body.contains("script"), "all of it is encoded");
    }

    #[test]
    fn a_huge_text_is_cut() {
        let text = written(&"s".repeat(100_000), &"ü".repeat(1_000_000));
        assert!(text.len() < 2 * BODY_BYTES_MAX, "{}", text.len());
        assert!(text.lines().all(|line| line.len() < 200));
    }

    #[test]
    fn headers_are_those_people_and_programs_expect() {
        let text = written("disk full", "hello");
        for expected in [
            "From: Bartizan <a@b.example>\r\n",
            "To: c@d.example, e@f.example\r\n",
            "Date: Tue, 29 Feb 2000 00:00:00 +0000\r\n",
            "Message-ID: <nt_x@b.example>\r\n",
            "Auto-Submitted: auto-generated\r\n",
            "aGVsbG8=",
        ] {
            assert!(text.contains(expected), "{expected} in {text}");
        }
    }

    #[test]
    fn addresses_mean_what_they_seem_to() {
        for good in ["a@b.example", "a+b@b.example", "a@localhost"] {
            assert!(is_address(good), "{good}");
        }
        for bad in [
            "a",
            "@b",
            "a@",
            "a@b@c",
            "a@b>\r\nDATA",
            "a b@c",
            "\"a\"@b",
            "a@b,c@d",
            "A <a@b>",
            "a(x)@b",
            &format!("{}@b", "a".repeat(300)),
        ] {
            assert!(!is_address(bad), "{bad}");
        }
    }

    #[test]
    fn a_password_is_not_sent_in_the_clear() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("password");
        std::fs::write(&file, "secret").unwrap();
        let email = Email {
            server: "mail.example:25".to_owned(),
            privacy: Privacy::Plain,
            user: Some("a".to_owned()),
            password_file: Some(file),
            ..email()
        };
        let mail = Mail { id: "x", at: 0, mark: "B", subject: "s", text: "t" };
        let said = send(&email, &mail).unwrap_err().to_string();
        assert!(said.contains("in the clear"), "{said}");
    }
}
