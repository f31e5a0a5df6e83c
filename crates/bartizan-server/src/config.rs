//! The configuration: TOML, then a raw struct, then validated values, with all problems at once.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use bartizan_store::Location;
use serde::Deserialize;

use crate::allow::{Allow, Network};
use crate::channels::{self, Channel, RawChannel};
use crate::remote_write::config::{self as remote_write, Destination, RawDestination};
use crate::series::retention::{RawRetention, Retention};

/// Name of the file in the server's directory.
pub(crate) const FILE: &str = "server.toml";
/// Default seconds between heartbeats: offline is known within 90 seconds.
const HEARTBEAT_S: u32 = 30;

/// The file as it is written. Each value is read by itself, so that one of the wrong type does not hide
/// the problems of the others.
#[derive(Debug, Default)]
struct RawConfig {
    agent_listen: Option<String>,
    operator_listen: Option<String>,
    metrics_listen: Option<String>,
    addresses: Vec<String>,
    database: Option<String>,
    heartbeat_s: Option<i64>,
    witness: Vec<RawWitness>,
    channel: Vec<RawChannel>,
    agent_allow: Vec<String>,
    operator_allow: Vec<String>,
    metrics_allow: Vec<String>,
    backups: Option<String>,
    retention: Vec<RawRetention>,
    remote_write: Vec<RawDestination>,
    danger_public_operator_plane: bool,
}

/// One `[[witness]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawWitness {
    url: String,
}

/// Where a guardian listens: `http://` HOST `:` PORT PATH.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WitnessAddress {
    /// `host:port`.
    pub(crate) authority: String,
    /// The submission prefix, without a `/` at its end.
    pub(crate) prefix: String,
}

/// Validated configuration.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    pub(crate) dir: PathBuf,
    pub(crate) agent_listen: SocketAddr,
    pub(crate) operator_listen: SocketAddr,
    pub(crate) metrics_listen: Option<SocketAddr>,
    pub(crate) addresses: Vec<String>,
    pub(crate) database: Location,
    pub(crate) heartbeat_s: u32,
    pub(crate) witnesses: Vec<WitnessAddress>,
    pub(crate) channels: Vec<Channel>,
    pub(crate) agent_allow: Allow,
    pub(crate) operator_allow: Allow,
    pub(crate) metrics_allow: Allow,
    /// Where backups of this server go, so that `preflight` can look.
    pub(crate) backups: Option<PathBuf>,
    pub(crate) retention: Retention,
    pub(crate) remote_write: Vec<Destination>,
}

/// Every problem of a configuration file.
#[derive(Debug, thiserror::Error)]
#[error("`{}` has {} problem(s):\n{}", path.display(), problems.len(), problems.join("\n"))]
pub(crate) struct ConfigError {
    path: PathBuf,
    problems: Vec<String>,
}

impl Config {
    /// Reads and validates `DIR/server.toml`.
    pub(crate) fn load(dir: &Path) -> anyhow::Result<Self> {
        let path = dir.join(FILE);
        let text = std::fs::read_to_string(&path).with_context(|| {
            format!("read `{}`; `bartizan-server init` makes it", path.display())
        })?;
        Ok(Self::parse(dir, &text)?)
    }

    /// Validates the text of a configuration file.
    pub(crate) fn parse(dir: &Path, text: &str) -> Result<Self, ConfigError> {
        let mut problems = Vec::new();
        let table = text.parse::<toml::Table>().map_err(|error| {
            problems.push(format!("- {}; correct the line", error.to_string().trim_end()));
        });
        let raw = table.map(|table| read_table(table, &mut problems));
        let config = raw.ok().and_then(|raw| validate(dir, raw, &mut problems));
        match config {
            Some(config) if problems.is_empty() => Ok(config),
            _ => Err(ConfigError { path: dir.join(FILE), problems }),
        }
    }
}

fn read_table(table: toml::Table, problems: &mut Vec<String>) -> RawConfig {
    let mut raw = RawConfig::default();
    for (key, value) in table {
        let fits = match key.as_str() {
            "agent_listen" => set(&mut raw.agent_listen, value.try_into()),
            "operator_listen" => set(&mut raw.operator_listen, value.try_into()),
            "metrics_listen" => set(&mut raw.metrics_listen, value.try_into()),
            "addresses" => set(&mut raw.addresses, value.try_into()),
            "database" => set(&mut raw.database, value.try_into()),
            "heartbeat_s" => set(&mut raw.heartbeat_s, value.try_into()),
            "witness" => set(&mut raw.witness, value.try_into()),
            "channel" => set(&mut raw.channel, value.try_into()),
            "agent_allow" => set(&mut raw.agent_allow, value.try_into()),
            "operator_allow" => set(&mut raw.operator_allow, value.try_into()),
            "metrics_allow" => set(&mut raw.metrics_allow, value.try_into()),
            "backups" => set(&mut raw.backups, value.try_into()),
            "retention" => set(&mut raw.retention, value.try_into()),
            "remote_write" => set(&mut raw.remote_write, value.try_into()),
            "danger_public_operator_plane" => {
                set(&mut raw.danger_public_operator_plane, value.try_into())
            }
            _ => {
                problems
                    .push(format!("- `{key}`: not a setting; remove it or correct its spelling"));
                true
            }
        };
        if !fits {
            problems.push(format!(
                "- `{key}`: not the right type of value; see the comments that `init` writes"
            ));
        }
    }
    raw
}

fn set<T>(field: &mut T, value: Result<T, toml::de::Error>) -> bool {
    value.map(|value| *field = value).is_ok()
}

fn validate(dir: &Path, raw: RawConfig, problems: &mut Vec<String>) -> Option<Config> {
    let agent_listen =
        listen("agent_listen", raw.agent_listen.as_deref(), "0.0.0.0:8443", problems);
    let operator_listen =
        listen("operator_listen", raw.operator_listen.as_deref(), "127.0.0.1:8444", problems);
    let metrics_listen = raw
        .metrics_listen
        .as_deref()
        .map(|text| listen("metrics_listen", Some(text), "127.0.0.1:9464", problems));
    if let Some(address) = operator_listen
        && !raw.danger_public_operator_plane
        && !is_private(address.ip())
    {
        problems.push(format!(
            "- `operator_listen`: {address} can be reached from the internet; use a loopback or private address, \
             or set danger_public_operator_plane = true if a firewall protects it"
        ));
    }
    let addresses = raw.addresses;
    check_addresses(&addresses, problems);
    let heartbeat_s = raw
        .heartbeat_s
        .map_or(Some(HEARTBEAT_S), |s| u32::try_from(s).ok().filter(|s| (1..=300).contains(s)));
    if heartbeat_s.is_none() {
        problems.push("- `heartbeat_s`: out of range; use 1 to 300 seconds".to_owned());
    }
    let witnesses = witnesses(&raw.witness, problems);
    let channels = channels::parse(dir, raw.channel, problems);
    let agent_allow = allow("agent_allow", &raw.agent_allow, problems);
    let operator_allow = allow("operator_allow", &raw.operator_allow, problems);
    let metrics_allow = allow("metrics_allow", &raw.metrics_allow, problems);
    let retention = Retention::parse(&raw.retention, problems);
    let remote_write = remote_write::parse(dir, raw.remote_write, problems);
    let database = database(dir, raw.database.as_deref().unwrap_or("sqlite"), problems);
    Some(Config {
        dir: dir.to_owned(),
        agent_listen: agent_listen?,
        operator_listen: operator_listen?,
        metrics_listen: metrics_listen.flatten(),
        addresses,
        database: database?,
        heartbeat_s: heartbeat_s?,
        witnesses,
        channels,
        agent_allow,
        operator_allow,
        metrics_allow,
        backups: raw.backups.map(|path| dir.join(path)),
        retention,
        remote_write,
    })
}

fn listen(
    key: &str,
    text: Option<&str>,
    example: &str,
    problems: &mut Vec<String>,
) -> Option<SocketAddr> {
    let Some(text) = text else {
        if !is_named(key, problems) {
            problems.push(format!("- `{key}`: missing; write for example {key} = \"{example}\""));
        }
        return None;
    };
    let address = text.parse().ok();
    if address.is_none() {
        problems.push(format!(
            "- `{key}`: `{text}` is not an IP address and port; write for example \"{example}\""
        ));
    }
    address
}

fn witnesses(raw: &[RawWitness], problems: &mut Vec<String>) -> Vec<WitnessAddress> {
    if raw.len() > bartizan_trust::limits::POLICY_WITNESSES_MAX {
        problems.push("- `witness`: name at most 64".to_owned());
    }
    let mut addresses = Vec::new();
    for RawWitness { url } in raw {
        match witness(url) {
            Some(address) => addresses.push(address),
            None => problems.push(format!(
                "- `witness`: `{url}` is not the address of a guardian; write for example url = \"http://10.0.0.9:8445\" (what passes is signed, so plain HTTP will do)"
            )),
        }
    }
    addresses
}

fn witness(url: &str) -> Option<WitnessAddress> {
    let rest = url.strip_prefix("http://")?;
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._~/".contains(c);
    let fits = is_host_port(authority) && path.chars().all(plain);
    let prefix = format!("/{path}").trim_end_matches('/').to_owned();
    fits.then(|| WitnessAddress { authority: authority.to_owned(), prefix })
}

/// The networks of a listener.
fn allow(key: &str, texts: &[String], problems: &mut Vec<String>) -> Allow {
    let mut networks = Vec::new();
    for text in texts {
        match Network::parse(text) {
            Some(network) => networks.push(network),
            None => problems.push(format!(
                "- `{key}`: `{text}` is not a network; write for example \"192.0.2.0/24\" (the bits that do not count are 0)"
            )),
        }
    }
    Allow(networks)
}

/// Whether a setting's problem has been told already, so that one mistake is not told as two.
fn is_named(key: &str, problems: &[String]) -> bool {
    problems.iter().any(|problem| problem.starts_with(&format!("- `{key}`:")))
}

fn check_addresses(addresses: &[String], problems: &mut Vec<String>) {
    if is_named("addresses", problems) {
        return;
    }
    if addresses.is_empty() || addresses.len() > bartizan_trust::limits::SERVER_ADDRESSES_MAX {
        problems.push("- `addresses`: name 1 to 8 addresses under which agents reach this server, `host:port`".to_owned());
    }
    for address in addresses.iter().filter(|address| !is_host_port(address)) {
        problems.push(format!("- `addresses`: `{address}` is not `host:port`; write for example \"rmm.example.org:8443\""));
    }
}

/// Whether text has the form `host:port` with a port above zero.
pub(crate) fn is_host_port(text: &str) -> bool {
    let port = |text: &str| text.parse::<u16>().is_ok_and(|port| port > 0);
    text.rsplit_once(':').is_some_and(|(host, number)| {
        !host.is_empty() && port(number) && !host.contains(char::is_whitespace)
    })
}

fn database(dir: &Path, text: &str, problems: &mut Vec<String>) -> Option<Location> {
    match text {
        "sqlite" => Some(Location::Sqlite(dir.join("server.db"))),
        url if url.starts_with("postgres://") || url.starts_with("postgresql://") => {
            Some(Location::Postgres(url.to_owned()))
        }
        _ => {
            problems
                .push("- `database`: write \"sqlite\" or \"postgres://user@host/name\"".to_owned());
            None
        }
    }
}

/// Loopback, private and link-local addresses. "Every interface" is none of them.
pub(crate) fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            v4.is_loopback() || v4.is_private() || v4.is_link_local() || is_shared(v4)
        }
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => is_private(IpAddr::V4(v4)),
            None => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
        },
    }
}

/// 100.64.0.0/10, which overlay networks use.
const fn is_shared(address: std::net::Ipv4Addr) -> bool {
    let [a, b, _, _] = address.octets();
    a == 100 && b & 0xc0 == 64
}

/// A new configuration file.
pub(crate) fn template(agent: &SocketAddr, operator: &SocketAddr, addresses: &[String]) -> String {
    let quoted: Vec<String> = addresses.iter().map(|address| format!("\"{address}\"")).collect();
    format!(
        r#"# bartizan-server. Check changes with `bartizan-server check --dir DIR`.

# Where agents connect. Public; every agent must reach it.
agent_listen = "{agent}"

# Where operators connect. Keep it on loopback or a private network: a public address is refused.
operator_listen = "{operator}"

# Prometheus metrics over plain HTTP. Remove the comment sign to switch it on.
#metrics_listen = "127.0.0.1:9464"

# The names under which agents reach agent_listen. They go into the bundle that the operators sign.
addresses = [{}]

# "sqlite" keeps everything in DIR/server.db; "postgres://user@host/name" uses PostgreSQL.
database = "sqlite"

# Networks that may connect, for each listener; left out, everybody may.
#agent_allow = ["192.0.2.0/24"]
#operator_allow = ["10.0.0.0/24"]
#metrics_allow = ["10.0.0.9/32"]

# Where backups of this server go: `bartizan preflight` looks whether there is a recent one.
#backups = "/srv/backups/bartizan"

# Seconds between an agent's heartbeats; three missed ones mean offline.
heartbeat_s = {HEARTBEAT_S}

# Guardians (`bartizan witness serve`) to ask for co-signatures, one section each. Consoles come by themselves.
#[[witness]]
#url = "http://10.0.0.9:8445"

# How many days metrics are kept: as they came, one point in five minutes, one in an hour. One section for everybody, and one
# for each tenant that differs.
#[[retention]]
#tenant = "tn_acme"
#raw_days = 14
#five_minute_days = 90
#hour_days = 730
{}{}"#,
        quoted.join(", "),
        channels::TEMPLATE,
        remote_write::TEMPLATE
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> String {
        Config::parse(Path::new("/srv"), text)
            .map_or_else(|error| error.to_string(), |_| String::new())
    }

    const GOOD: &str = "agent_listen = \"0.0.0.0:8443\"\naddresses = [\"rmm.example.org:8443\"]\n";

    #[test]
    fn every_problem_is_reported_at_once() {
        let text = "agent_listen = \"nowhere\"\noperator_listen = \"8.8.8.8:1\"\nheartbeat_s = 0\ndatabase = \"mysql\"\nspeed = 9\nnoise = 1\n";
        let found = problems(text);
        for expected in [
            "agent_listen",
            "operator_listen",
            "heartbeat_s",
            "database",
            "speed",
            "noise",
            "addresses",
        ] {
            assert!(found.contains(&format!("- `{expected}`")), "{expected} in:\n{found}");
        }
    }

    #[test]
    fn networks_of_listeners_are_read_and_mistakes_named() {
        let good = format!("{GOOD}operator_listen = \"127.0.0.1:1\"\n");
        let text = format!("{good}agent_allow = [\"10.0.0.0/8\", \"::1\"]\nbackups = \"b\"\n");
        let config = Config::parse(Path::new("/srv"), &text).expect("config");
        assert_eq!(config.agent_allow.to_string(), "10.0.0.0/8, ::1/128");
        assert!(!config.operator_allow.is_set());
        assert_eq!(config.backups.as_deref(), Some(Path::new("/srv/b")));
        for key in ["agent_allow", "operator_allow", "metrics_allow"] {
            let found = problems(&format!("{good}{key} = [\"10.0.0.1/8\"]\n"));
            assert!(found.contains(&format!("- `{key}`: `10.0.0.1/8`")), "{found}");
        }
    }

    #[test]
    fn the_template_is_valid() {
        let address = |text: &str| text.parse().expect("address");
        let text =
            template(&address("0.0.0.0:8443"), &address("127.0.0.1:8444"), &["h:1".to_owned()]);
        assert_eq!(problems(&text), "");
    }

    #[test]
    fn guardians_are_named_by_plain_http_addresses() {
        let config = |url: &str| {
            let text =
                format!("{GOOD}operator_listen = \"127.0.0.1:1\"\n[[witness]]\nurl = \"{url}\"\n");
            Config::parse(Path::new("/srv"), &text).map(|config| config.witnesses)
        };
        for (url, prefix) in [
            ("http://10.0.0.9:8445", ""),
            ("http://g.example:80/", ""),
            ("http://g:80/a/b/", "/a/b"),
        ] {
            let found = config(url).expect(url);
            assert_eq!(found.len(), 1, "{url}");
            assert_eq!(found.first().expect("one").prefix, prefix, "{url}");
        }
        for url in
            ["https://g:1", "g:1", "http://g", "http://g:0", "http://g:1/a b", "http://g:1/?q"]
        {
            let error = config(url).expect_err(url).to_string();
            assert!(error.contains("not the address of a guardian"), "{error}");
        }
    }

    #[test]
    fn a_public_operator_plane_is_refused() {
        for public in [
            "8.8.8.8:8444",
            "0.0.0.0:8444",
            "[::]:8444",
            "[2606:4700::1]:8444",
            "[::ffff:8.8.8.8]:8444",
            "100.128.0.1:1",
        ] {
            let text = format!("{GOOD}operator_listen = \"{public}\"\n");
            assert!(problems(&text).contains("can be reached from the internet"), "{public}");
            assert_eq!(
                problems(&format!("{text}danger_public_operator_plane = true\n")),
                "",
                "{public}"
            );
        }
        for private in [
            "127.0.0.1:0",
            "10.1.2.3:8444",
            "192.168.1.1:1",
            "[::1]:1",
            "[fd00::1]:1",
            "100.64.0.1:1",
        ] {
            assert_eq!(
                problems(&format!("{GOOD}operator_listen = \"{private}\"\n")),
                "",
                "{private}"
            );
        }
    }
}
