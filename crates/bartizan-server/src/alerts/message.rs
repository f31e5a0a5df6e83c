//! What a message looks like over each channel. Everything an endpoint said is hostile here.

use anyhow::Context as _;
use bartizan_notify::email::{self, Mail};
use bartizan_notify::syslog::{self, Line, Urgency};
use bartizan_notify::webhook;
use bartizan_proto::alerts::{Message, Reason, Severity};
use serde_json::json;

use crate::app::now;
use crate::channels::{Channel, Way};
use crate::zones::rfc3339;

/// Sends one message, on a thread of its own.
pub(crate) async fn send(channel: Channel, id: String, message: Message) -> anyhow::Result<()> {
    tokio::task::spawn_blocking(move || deliver(&channel.way, &id, &message))
        .await
        .context("the sender ended")?
}

fn deliver(way: &Way, id: &str, message: &Message) -> anyhow::Result<()> {
    match way {
        Way::Email(sender) => {
            let (subject, text) = (headline(message), text(message));
            let mail =
                Mail { id, at: message.at.get(), mark: "Bartizan", subject: &subject, text: &text };
            email::send(sender, &mail)
        }
        Way::Webhook(hook) => webhook::send(hook, id, now().get(), &body(message)),
        Way::Syslog(receiver) => {
            let (at, headline) = (rfc3339(message.at), headline(message));
            let fields = fields(message);
            let fields: Vec<(&str, &str)> = fields
                .iter()
                .map(|(name, value)| (*name, value.as_str()))
                .chain([("id", id)])
                .collect();
            let line = Line {
                urgency: urgency(message),
                at: &at,
                host: "-",
                kind: message.reason.name(),
                fields: &fields,
                text: &headline,
            };
            syslog::send(receiver, &line)
        }
    }
}

const fn urgency(message: &Message) -> Urgency {
    match (message.reason, message.severity) {
        (Reason::Resolved | Reason::Back | Reason::Test, _) | (_, None) => Urgency::Notice,
        (_, Some(Severity::Warning)) => Urgency::Warning,
        (_, Some(Severity::Error)) => Urgency::Error,
        (_, Some(Severity::Critical)) => Urgency::Alert,
    }
}

/// What happened, where and what, in one line.
fn headline(message: &Message) -> String {
    let begin = match message.reason {
        Reason::Test => return "this is a test".to_owned(),
        Reason::Back => "back".to_owned(),
        Reason::Resolved => "resolved".to_owned(),
        Reason::Opened | Reason::Worse => {
            message.severity.map_or("", Severity::name).to_uppercase()
        }
        Reason::Flapping | Reason::Escalated | Reason::Again => {
            format!(
                "{} ({})",
                message.severity.map_or("", Severity::name).to_uppercase(),
                message.reason.name()
            )
        }
    };
    let tenant = message.tenant.as_ref().map_or("", |tenant| tenant.name());
    let site = message.site.as_ref().map_or("", |site| site.name());
    let place = [tenant, site, &message.hostname];
    let place: Vec<&str> = place.into_iter().filter(|part| !part.is_empty()).collect();
    let what = format!("{} {}", message.key, message.instance);
    let line = format!("{begin}: {}: {}: {}", place.join("/"), what.trim_end(), message.text);
    line.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

fn fields(message: &Message) -> Vec<(&'static str, String)> {
    let text = |value: Option<String>| value.unwrap_or_default();
    vec![
        ("reason", message.reason.name().to_owned()),
        (
            "severity",
            message.severity.map_or_else(String::new, |severity| severity.name().to_owned()),
        ),
        ("alert", text(message.alert.map(|id| id.to_string()))),
        ("endpoint", text(message.endpoint.map(|id| id.to_string()))),
        ("hostname", message.hostname.clone()),
        ("tenant", text(message.tenant.as_ref().map(ToString::to_string))),
        ("site", text(message.site.as_ref().map(ToString::to_string))),
        ("check", message.key.clone()),
        ("instance", message.instance.clone()),
    ]
}

fn text(message: &Message) -> String {
    let mut text = format!("{}\n\n", headline(message));
    for (name, value) in fields(message).into_iter().filter(|(_, value)| !value.is_empty()) {
        let value: String = value.chars().filter(|c| !c.is_control()).collect();
        text.push_str(&format!("{name:<9} {value}\n"));
    }
    text.push_str(&format!("since     {} (by the endpoint's clock)\n", rfc3339(message.since)));
    if message.hidden > 0 {
        text.push_str(&format!("hidden    {} alerts that follow from this one\n", message.hidden));
    }
    if let Some(alert) = message.alert {
        text.push_str(&format!(
            "\nLook at it:         bartizan alerts why {alert}\nI look after it:    bartizan alerts ack {alert}\n"
        ));
    }
    text
}

/// As "Standard Webhooks" proposes: type, time, data.
fn body(message: &Message) -> String {
    let kind = match message.reason {
        Reason::Back => "endpoint.back".to_owned(),
        reason => format!("alert.{}", reason.name()),
    };
    let at = rfc3339(message.at);
    json!({ "type": kind, "timestamp": at, "data": { "headline": headline(message), "message": message } }).to_string()
}

#[cfg(test)]
mod tests {
    use bartizan_trust::time::UnixSeconds;

    use super::*;

    fn message(hostile: &str) -> Message {
        Message {
            reason: Reason::Opened,
            alert: None,
            severity: Some(Severity::Error),
            endpoint: None,
            hostname: hostile.to_owned(),
            tenant: "tn_acme".parse().ok(),
            site: "si_hq".parse().ok(),
            key: "disk".to_owned(),
            instance: "/".to_owned(),
            text: hostile.to_owned(),
            since: UnixSeconds::ZERO,
            at: UnixSeconds::ZERO,
            hidden: 3,
        }
    }

    #[test]
    fn a_message_says_what_where_and_what_to_do() {
        let message = message("web1");
        assert_eq!(headline(&message), "ERROR: acme/hq/web1: disk /: web1");
        let text = text(&message);
        assert!(text.contains("check     disk\n") && text.contains("hidden    3 alerts"), "{text}");
        let body: serde_json::Value = serde_json::from_str(&body(&message)).expect("JSON");
        assert_eq!(
            (&body["type"], &body["timestamp"]),
            (&"alert.opened".into(), &"1970-01-01T00:00:00Z".into())
        );
    }

    #[test]
    fn hostile_text_adds_no_line_to_the_facts_of_a_mail() {
        let text = text(&message("x\nseverity  none\n"));
        assert_eq!(text.lines().filter(|line| line.starts_with("severity")).count(), 1, "{text}");
    }
}
