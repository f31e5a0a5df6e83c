//! `alarms.toml` in the home: where alarms go.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use bartizan_notify::{Privacy, email, webhook};
use serde::Deserialize;

use crate::exit::{Code, fail};
use crate::home::{Home, read_bounded};

/// The file.
const FILE: &str = "alarms.toml";
/// Webhooks: some people and a ticket system.
const WEBHOOKS_MAX: usize = 8;
/// People an alarm is mailed to.
const RECIPIENTS_MAX: usize = 16;

/// Every channel.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Channels {
    /// Show a notification with `notify-send`.
    #[serde(default)]
    pub(super) desktop: bool,
    #[serde(default)]
    pub(super) webhook: Vec<Webhook>,
    pub(super) email: Option<Email>,
}

/// One `[[webhook]]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Webhook {
    /// `https://…`
    pub(super) url: String,
    /// Holds `whsec_` and base64, or any text.
    pub(super) secret_file: PathBuf,
    /// Certificates to believe instead of the system's.
    pub(super) ca_file: Option<PathBuf>,
}

/// `[email]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Email {
    /// `host:port`
    pub(super) server: String,
    #[serde(default)]
    pub(super) tls: MailTls,
    pub(super) from: String,
    pub(super) to: Vec<String>,
    pub(super) user: Option<String>,
    pub(super) password_file: Option<PathBuf>,
    /// Certificates to believe instead of the system's.
    pub(super) ca_file: Option<PathBuf>,
}

/// How the connection to a mail server becomes private. There is no third way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum MailTls {
    /// By STARTTLS, which must succeed (port 587).
    #[default]
    StartTls,
    /// From the first byte (port 465).
    Tls,
}

impl Webhook {
    pub(super) fn receiver(&self) -> webhook::Webhook {
        webhook::Webhook {
            url: self.url.clone(),
            secret_file: self.secret_file.clone(),
            ca_file: self.ca_file.clone(),
        }
    }
}

impl Email {
    pub(super) fn sender(&self) -> email::Email {
        email::Email {
            server: self.server.clone(),
            privacy: match self.tls {
                MailTls::StartTls => Privacy::StartTls,
                MailTls::Tls => Privacy::Tls,
            },
            from: self.from.clone(),
            to: self.to.clone(),
            user: self.user.clone(),
            password_file: self.password_file.clone(),
            ca_file: self.ca_file.clone(),
        }
    }
}

impl Channels {
    /// Reads and checks the file; without one there are no channels.
    pub(crate) fn load(home: &Home) -> Result<Self> {
        let path = home.path(FILE);
        if !path.exists() {
            return Ok(Self::default());
        }
        let text = String::from_utf8(read_bounded(&path)?).context("alarms.toml is not UTF-8")?;
        let parsed: Result<Self, String> =
            toml::from_str(&text).map_err(|error| error.to_string().trim_end().to_owned());
        let mut channels = parsed
            .and_then(|channels| match channels.problem() {
                None => Ok(channels),
                Some(problem) => Err(problem),
            })
            .map_err(|problem| {
                let next = "correct it; docs/guide/witnesses.md shows a whole one";
                fail(Code::Error, format!("{}: {problem}", path.display()), next)
            })?;
        // Files are named from the home on.
        let place = |path: &mut PathBuf| *path = home.path("").join(&*path);
        for hook in &mut channels.webhook {
            place(&mut hook.secret_file);
            hook.ca_file.iter_mut().for_each(place);
        }
        if let Some(email) = &mut channels.email {
            email.password_file.iter_mut().for_each(place);
            email.ca_file.iter_mut().for_each(place);
        }
        Ok(channels)
    }

    /// What each channel is called in the outbox.
    pub(crate) fn names(&self) -> Vec<String> {
        let hooks = self.webhook.iter().map(|hook| format!("webhook {}", hook.url));
        let email = self.email.iter().map(|email| format!("email {}", email.to.join(" ")));
        let desktop = self.desktop.then(|| "desktop".to_owned());
        hooks.chain(email).chain(desktop).collect()
    }

    fn problem(&self) -> Option<String> {
        if self.webhook.len() > WEBHOOKS_MAX {
            return Some("webhook: at most 8".to_owned());
        }
        for hook in &self.webhook {
            if !webhook::Target::parse(&hook.url).is_some_and(|target| target.is_private) {
                let url = &hook.url;
                return Some(format!("webhook: `{url}` is not an https:// address"));
            }
        }
        let email = self.email.as_ref()?;
        if bartizan_notify::host_of(&email.server).is_none() {
            return Some(format!("email: server `{}` is not host:port", email.server));
        }
        if email.to.is_empty() || email.to.len() > RECIPIENTS_MAX {
            return Some("email: name 1 to 16 people in `to`".to_owned());
        }
        let addresses = email.to.iter().chain([&email.from]);
        let bad = addresses.into_iter().find(|address| !email::is_address(address));
        if let Some(bad) = bad {
            return Some(format!("email: `{bad}` is not an address"));
        }
        let both = email.user.is_some() == email.password_file.is_some();
        (!both).then(|| "email: `user` and `password_file` go together".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> Option<String> {
        toml::from_str::<Channels>(text).map_or_else(|e| Some(e.to_string()), |c| c.problem())
    }

    const MAIL: &str = "[email]\nserver = \"m:587\"\nfrom = \"a@b\"\nto = [\"c@d\"]\n";

    #[test]
    fn a_whole_file_is_read_and_mistakes_are_named() {
        assert_eq!(problem(""), None);
        assert_eq!(problem(MAIL), None);
        let hook = |url: &str| {
            format!("desktop = true\n[[webhook]]\nurl = \"{url}\"\nsecret_file = \"s\"\n")
        };
        assert_eq!(problem(&hook("https://h.example/x?y=z")), None);
        for url in ["http://h/", "https://", "https://h:x/", "https://h/ x", "https://u@h/"] {
            assert!(problem(&hook(url)).is_some_and(|said| said.contains("https")), "{url}");
        }
        for (from, to) in [
            ("m:587", "m"),
            ("a@b", "a"),
            ("a@b", "a@b>\\r\\nDATA"),
            ("[\"c@d\"]", "[]"),
            ("server", "sever"),
        ] {
            assert!(problem(&MAIL.replacen(from, to, 1)).is_some(), "{from} {to}");
        }
        assert!(problem(&format!("{MAIL}user = \"u\"\n")).is_some_and(|p| p.contains("together")));
        assert!(problem(&format!("{MAIL}tls = \"none\"\n")).is_some());
    }
}
