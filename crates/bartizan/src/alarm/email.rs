//! E-mail, by `lettre`, always over TLS.

use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result};
use lettre::message::Mailbox;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::CertificateStore;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Message, SmtpTransport, Transport as _};

use super::Alarm;
use super::config::{Email, MailTls};
use crate::home::read_bounded;
use crate::keys::secret::Secret;

/// For each command.
const PATIENCE: Duration = Duration::from_secs(15);
/// Characters of the subject, which phones show.
const SUBJECT_MAX: usize = 120;

/// Sends one message to everybody in `to`; who is refused is a failure for all.
pub(super) fn send(email: &Email, alarm: &Alarm) -> Result<()> {
    let message = message(email, alarm)?;
    transport(email)?.send(&message).context("hand the message to the mail server")?;
    Ok(())
}

fn transport(email: &Email) -> Result<SmtpTransport> {
    let (host, port) = email.server.rsplit_once(':').context("`server` is host:port")?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let mut tls = TlsParameters::builder(host.to_owned());
    if let Some(file) = &email.ca_file {
        let roots = Certificate::from_pem(&read_bounded(file)?)
            .with_context(|| format!("read the certificates in {}", file.display()))?;
        tls = tls.certificate_store(CertificateStore::None).add_root_certificate(roots);
    }
    let tls = tls.build_rustls().context("TLS")?;
    let mut transport = SmtpTransport::builder_dangerous(host)
        .port(port.parse().context("`server` is host:port")?)
        .hello_name(ClientId::Domain("bartizan".to_owned()))
        .timeout(Some(PATIENCE))
        .tls(match email.tls {
            MailTls::Tls => Tls::Wrapper(tls),
            // Without STARTTLS there is no message: alarms are not sent in the clear.
            MailTls::StartTls => Tls::Required(tls),
        });
    if let (Some(user), Some(file)) = (&email.user, &email.password_file) {
        let password = Secret::new(read_bounded(file)?);
        let password = str::from_utf8(password.expose().trim_ascii())
            .with_context(|| format!("{} is not UTF-8", file.display()))?;
        transport = transport
            .credentials(Credentials::new(user.clone(), password.to_owned()))
            .authentication(vec![Mechanism::Plain]);
    }
    Ok(transport.build())
}

fn message(email: &Email, alarm: &Alarm) -> Result<Message> {
    let plain = |c: char| if c.is_ascii_graphic() || c == ' ' { c } else { '?' };
    let subject: String = alarm.text.chars().map(plain).take(SUBJECT_MAX).collect();
    let facts = serde_json::to_string_pretty(&alarm.facts).unwrap_or_default();
    let body = format!(
        "{}\n\n{facts}\n\nSent by a witness of Bartizan, not by its server. Look at it with: bartizan log mine, bartizan log audit\n",
        alarm.text
    );
    let address = |text: &str| {
        text.parse().with_context(|| format!("`{text}` is no mail address; correct alarms.toml"))
    };
    let host = email.from.rsplit_once('@').map_or("localhost", |(_, host)| host);
    let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
    let mut message = Message::builder()
        .from(Mailbox::new(Some("Bartizan".to_owned()), address(&email.from)?))
        .subject(format!("[Bartizan] {subject}"))
        .date(SystemTime::UNIX_EPOCH + Duration::from_secs(alarm.at.get()))
        .message_id(Some(format!("<{}@{host}>", alarm.id)))
        .header(ContentType::TEXT_PLAIN)
        .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()));
    for to in &email.to {
        message = message.to(Mailbox::new(None, address(to)?));
    }
    message.body(body).context("write the message")
}

#[cfg(test)]
mod tests {
    use bartizan_trust::time::UnixSeconds;

    use super::*;

    #[test]
    fn hostile_text_adds_no_header_and_ends_no_message() {
        let email = Email {
            server: "m:1".to_owned(),
            tls: MailTls::Tls,
            from: "a@b.example".to_owned(),
            to: vec!["c@d.example".to_owned()],
            user: None,
            password_file: None,
            ca_file: None,
        };
        let text = "x\r\nBcc: everybody@example.org\r\n.\r\nQUIT \u{202e}";
        let alarm = Alarm::new(text, &serde_json::json!({}), UnixSeconds::ZERO);
        let message = String::from_utf8(message(&email, &alarm).unwrap().formatted()).unwrap();
        let (head, _) = message.split_once("\r\n\r\n").unwrap();
        assert!(!head.lines().any(|line| line.starts_with("Bcc")), "{head}");
        assert!(head.contains("Date: Thu, 01 Jan 1970 00:00:00 +0000"), "{head}");
        assert!(message.is_ascii());
    }

    #[test]
    fn an_address_that_is_none_is_named() {
        let email = Email {
            server: "m:1".to_owned(),
            tls: MailTls::Tls,
            from: "nobody".to_owned(),
            to: Vec::new(),
            user: None,
            password_file: None,
            ca_file: None,
        };
        let alarm = Alarm::new("x", &serde_json::json!({}), UnixSeconds::ZERO);
        let error = message(&email, &alarm).unwrap_err();
        assert!(error.to_string().contains("`nobody`"), "{error}");
    }
}
