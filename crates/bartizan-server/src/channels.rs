//! `[[channel]]` of `server.toml`: where messages about alerts go. Secrets stay in files of their own.

use std::path::{Path, PathBuf};

use bartizan_notify::email::{self, Email};
use bartizan_notify::syslog::{Syslog, Transport};
use bartizan_notify::webhook::{Target, Webhook};
use bartizan_notify::{Privacy, host_of, is_loopback};
use bartizan_proto::alerts::Channel as ChannelName;
use serde::Deserialize;

use crate::config::is_private;

/// Channels of one server: some people, some teams, a ticket system each.
const CHANNELS_MAX: usize = 64;
/// People a message is mailed to.
const RECIPIENTS_MAX: usize = 16;

/// One `[[channel]]` as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawChannel {
    name: String,
    kind: String,
    server: Option<String>,
    tls: Option<String>,
    from: Option<String>,
    to: Option<Vec<String>>,
    user: Option<String>,
    password_file: Option<PathBuf>,
    url: Option<String>,
    secret_file: Option<PathBuf>,
    address: Option<String>,
    transport: Option<String>,
    ca_file: Option<PathBuf>,
    #[serde(default)]
    danger_plain: bool,
}

/// A channel.
#[derive(Debug, Clone)]
pub(crate) struct Channel {
    pub(crate) name: String,
    pub(crate) way: Way,
}

/// How it sends.
#[derive(Debug, Clone)]
pub(crate) enum Way {
    Email(Email),
    Webhook(Webhook),
    Syslog(Syslog),
}

impl Channel {
    /// As operators see it.
    pub(crate) fn shown(&self) -> ChannelName {
        let kind = match self.way {
            Way::Email(_) => "email",
            Way::Webhook(_) => "webhook",
            Way::Syslog(_) => "syslog",
        };
        ChannelName { name: self.name.clone(), kind: kind.to_owned() }
    }
}

/// Checks all; every problem is added.
pub(crate) fn parse(dir: &Path, raw: Vec<RawChannel>, problems: &mut Vec<String>) -> Vec<Channel> {
    if raw.len() > CHANNELS_MAX {
        problems.push(format!("- `channel`: name at most {CHANNELS_MAX}"));
    }
    let mut channels: Vec<Channel> = Vec::new();
    let mut names: Vec<String> = Vec::new();
    for one in raw {
        let name = one.name.clone();
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if name.is_empty() || name.len() > 32 || !name.chars().all(plain) {
            problems.push(format!(
                "- `channel`: `{name}` is no name; use 1 to 32 letters, digits and - _ ."
            ));
        } else if names.contains(&name) {
            problems.push(format!("- `channel`: `{name}` is there twice; give one another name"));
        }
        names.push(name.clone());
        let mut own = Vec::new();
        let way = way(dir, one, &mut own);
        let say = |problem: String| format!("- `channel`: `{name}`: {problem}");
        problems.extend(own.into_iter().map(say));
        channels.extend(way.map(|way| Channel { name: name.clone(), way }));
    }
    channels
}

fn way(dir: &Path, raw: RawChannel, problems: &mut Vec<String>) -> Option<Way> {
    refuse_others(&raw, problems);
    match raw.kind.as_str() {
        "email" => email(dir, raw, problems).map(Way::Email),
        "webhook" => webhook(dir, raw, problems).map(Way::Webhook),
        "syslog" => syslog(dir, raw, problems).map(Way::Syslog),
        other => {
            problems.push(format!("kind: `{other}` is none of email, webhook, syslog"));
            None
        }
    }
}

/// A setting of another kind does nothing, so it is a mistake.
fn refuse_others(raw: &RawChannel, problems: &mut Vec<String>) {
    let settings = [
        ("server", "email", raw.server.is_some()),
        ("tls", "email", raw.tls.is_some()),
        ("from", "email", raw.from.is_some()),
        ("to", "email", raw.to.is_some()),
        ("user", "email", raw.user.is_some()),
        ("password_file", "email", raw.password_file.is_some()),
        ("url", "webhook", raw.url.is_some()),
        ("secret_file", "webhook", raw.secret_file.is_some()),
        ("address", "syslog", raw.address.is_some()),
        ("transport", "syslog", raw.transport.is_some()),
    ];
    for (setting, kind, _) in
        settings.into_iter().filter(|(_, kind, is_set)| *is_set && *kind != raw.kind)
    {
        problems.push(format!("{setting}: is for channels of kind {kind}; remove it"));
    }
}

fn email(dir: &Path, raw: RawChannel, problems: &mut Vec<String>) -> Option<Email> {
    let before = problems.len();
    let server = raw.server.unwrap_or_default();
    let host = host_of(&server);
    if host.is_none() {
        problems.push("server: write for example \"mail.example.org:587\"".to_owned());
    }
    let privacy = match raw.tls.as_deref() {
        None | Some("starttls") => Privacy::StartTls,
        Some("tls") => Privacy::Tls,
        Some("none") => Privacy::Plain,
        Some(_) => {
            problems.push("tls: write \"starttls\", \"tls\" or \"none\"".to_owned());
            Privacy::StartTls
        }
    };
    if privacy == Privacy::Plain && !raw.danger_plain && !host.is_some_and(is_loopback) {
        problems.push(
            "tls: \"none\" is for this machine only; use \"starttls\", or set danger_plain = true"
                .to_owned(),
        );
    }
    let (from, to) = (raw.from.unwrap_or_default(), raw.to.unwrap_or_default());
    if to.is_empty() || to.len() > RECIPIENTS_MAX {
        problems.push(format!("to: name 1 to {RECIPIENTS_MAX} people"));
    }
    for address in to.iter().chain([&from]).filter(|address| !email::is_address(address)) {
        problems
            .push(format!("`{address}` is not an address; write for example \"rmm@example.org\""));
    }
    if raw.user.is_some() != raw.password_file.is_some() {
        problems.push("user and password_file go together".to_owned());
    }
    (problems.len() == before).then(|| Email {
        server,
        privacy,
        from,
        to,
        user: raw.user,
        password_file: raw.password_file.map(|path| dir.join(path)),
        ca_file: raw.ca_file.map(|path| dir.join(path)),
    })
}

fn webhook(dir: &Path, raw: RawChannel, problems: &mut Vec<String>) -> Option<Webhook> {
    let url = raw.url.unwrap_or_default();
    match Target::parse(&url) {
        None => problems.push("url: write for example \"https://hooks.example.org/rmm\"".to_owned()),
        Some(target) if !target.is_private && !raw.danger_plain && !is_near(target.host) => problems.push(
            "url: http:// is for this machine and private addresses; use https://, or set danger_plain = true".to_owned(),
        ),
        Some(_) => {}
    }
    let Some(secret_file) = raw.secret_file else {
        problems.push("secret_file: name a file with the secret that signs, `whsec_…`".to_owned());
        return None;
    };
    Some(Webhook {
        url,
        secret_file: dir.join(secret_file),
        ca_file: raw.ca_file.map(|path| dir.join(path)),
    })
}

fn syslog(dir: &Path, raw: RawChannel, problems: &mut Vec<String>) -> Option<Syslog> {
    let address = raw.address.unwrap_or_default();
    if host_of(&address).is_none() {
        problems.push("address: write for example \"logs.example.org:6514\"".to_owned());
    }
    let transport = match raw.transport.as_deref() {
        Some("tls") | None => Transport::Tls,
        Some("tcp") => Transport::Tcp,
        Some("udp") => Transport::Udp,
        Some(_) => {
            problems.push("transport: write \"tls\", \"tcp\" or \"udp\"".to_owned());
            return None;
        }
    };
    let is_far = host_of(&address).is_some_and(|host| !is_near(host));
    if transport != Transport::Tls && !raw.danger_plain && is_far {
        problems.push("transport: tcp and udp are for this machine and private addresses; use \"tls\", or set danger_plain = true".to_owned());
    }
    Some(Syslog { address, transport, ca_file: raw.ca_file.map(|path| dir.join(path)) })
}

/// This machine, or an address that the internet does not reach.
pub(crate) fn is_near(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    is_loopback(host) || bare.parse().is_ok_and(is_private)
}

/// What `init` writes.
pub(crate) const TEMPLATE: &str = r#"
# Where messages about alerts go, one section each; `bartizan alerts test NAME` tries one. Without rules every alert goes to every channel.
# Secrets are in files of their own, from this directory on.
#[[channel]]
#name = "office"
#kind = "email"
#server = "mail.example.org:587"
#tls = "starttls"            # or "tls"; "none" only to this machine
#from = "rmm@example.org"
#to = ["technicians@example.org"]
#user = "rmm"
#password_file = "mail.password"
#
#[[channel]]
#name = "tickets"
#kind = "webhook"
#url = "https://hooks.example.org/rmm"
#secret_file = "webhook.secret"   # `whsec_` and base64; signs as Standard Webhooks says
#
#[[channel]]
#name = "siem"
#kind = "syslog"
#address = "logs.example.org:6514"
#transport = "tls"           # "tcp" and "udp" only to private addresses
#ca_file = "logs-ca.pem"     # certificates to believe instead of the system's; for every kind
"#;

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<String> {
        #[derive(Deserialize)]
        struct File {
            channel: Vec<RawChannel>,
        }
        let file: File = toml::from_str(text).expect("TOML");
        let mut problems = Vec::new();
        parse(Path::new("/srv"), file.channel, &mut problems);
        problems
    }

    #[test]
    fn the_template_is_good_when_its_comment_signs_are_gone() {
        let text: String = TEMPLATE
            .lines()
            .filter_map(|line| Some(format!("{}\n", line.strip_prefix('#')?)))
            .collect();
        let body = text.split_once("[[channel]]").expect("a channel").1;
        assert_eq!(problems(&format!("[[channel]]{body}")), Vec::<String>::new());
    }

    #[test]
    fn every_problem_of_every_channel_is_told() {
        let found = problems(
            "[[channel]]\nname = \"a b\"\nkind = \"email\"\nserver = \"m\"\ntls = \"ssl\"\nfrom = \"x\"\nuser = \"u\"\nurl = \"u\"\n\
             [[channel]]\nname = \"w\"\nkind = \"webhook\"\nurl = \"ftp://x\"\n\
             [[channel]]\nname = \"w\"\nkind = \"pager\"\n\
             [[channel]]\nname = \"s\"\nkind = \"syslog\"\naddress = \"x\"\ntransport = \"raw\"\n",
        );
        for expected in [
            "`a b` is no name",
            "server: write",
            "tls: write",
            "`x` is not an address",
            "to: name",
            "go together",
            "url: is for channels of kind webhook",
            "url: write",
            "secret_file: name",
            "`w` is there twice",
            "`pager` is none",
            "address: write",
            "transport: write",
        ] {
            assert!(found.iter().any(|line| line.contains(expected)), "{expected} in {found:#?}");
        }
    }

    #[test]
    fn plain_connections_stay_near_unless_somebody_says_so() {
        for (host, is_near) in [
            ("127.0.0.1", true),
            ("[::1]", true),
            ("localhost", true),
            ("10.0.0.1", true),
            ("192.0.2.1", false),
            ("h.example", false),
        ] {
            let hook = format!(
                "[[channel]]\nname = \"w\"\nkind = \"webhook\"\nsecret_file = \"s\"\nurl = \"http://{host}/\"\n"
            );
            assert_eq!(problems(&hook).is_empty(), is_near, "{host}");
            assert!(problems(&format!("{hook}danger_plain = true\n")).is_empty());
            let log = format!(
                "[[channel]]\nname = \"s\"\nkind = \"syslog\"\ntransport = \"udp\"\naddress = \"{host}:514\"\n"
            );
            assert_eq!(problems(&log).is_empty(), is_near, "{host}");
            let mail = format!(
                "[[channel]]\nname = \"m\"\nkind = \"email\"\ntls = \"none\"\nfrom = \"a@b.example\"\nto = [\"a@b.example\"]\nserver = \"{host}:25\"\n"
            );
            assert_eq!(problems(&mail).is_empty(), is_loopback(host), "{host}");
        }
    }
}
