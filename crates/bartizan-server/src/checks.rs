//! What a server can check of itself before work goes on. What it says of its logs, keys and jobs is checked by the
//! operator's tool, which does not take its word.

use std::path::Path;
use std::time::{Duration, SystemTime};

use bartizan_proto::preflight::Check;

use crate::allow::Allow;
use crate::config::{Config, is_private};

/// A backup that is older is not recent.
const BACKUP_AGE_MAX: Duration = Duration::from_hours(7 * 24);

/// Every check, in the order in which people read them.
pub(crate) fn all(config: &Config) -> Vec<Check> {
    vec![operator_plane(config), operator_allow(config), agent_allow(config), backups(config)]
}

fn operator_plane(config: &Config) -> Check {
    const NAME: &str = "plane.private";
    let address = config.operator_listen;
    if is_private(address.ip()) {
        return Check::ok(NAME, format!("operators connect to {address}"));
    }
    let found = format!("operators connect to {address}, which the internet can reach");
    if config.operator_allow.is_set() {
        return Check::warn(NAME, found, "use a loopback or private address and a VPN");
    }
    Check::fail(NAME, found, "use a loopback or private address, or set operator_allow")
}

fn operator_allow(config: &Config) -> Check {
    const NAME: &str = "allow.operator";
    if config.operator_allow.is_set() {
        return Check::ok(NAME, format!("only from {}", config.operator_allow));
    }
    if config.operator_listen.ip().is_loopback() {
        return Check::ok(NAME, "only from this machine");
    }
    let next = "name your operators' networks: operator_allow = [\"10.0.0.0/24\"]";
    Check::warn(NAME, "every address may connect to the operator plane", next)
}

fn agent_allow(config: &Config) -> Check {
    const NAME: &str = "allow.agent";
    let Allow(networks) = &config.agent_allow;
    if !networks.is_empty() {
        return Check::ok(NAME, format!("only from {}", config.agent_allow));
    }
    if config.agent_listen.ip().is_loopback() {
        return Check::ok(NAME, "only from this machine");
    }
    let next =
        "if your customers have fixed addresses, name them: agent_allow = [\"192.0.2.0/24\"]";
    Check::warn(NAME, "every address may connect to the agent plane", next)
}

fn backups(config: &Config) -> Check {
    const NAME: &str = "backups";
    let Some(dir) = &config.backups else {
        let next = "say where backups of this server go: backups = \"/srv/backups/bartizan\"";
        return Check::warn(NAME, "no folder of backups is configured", next);
    };
    let shown = dir.display();
    match newest(dir) {
        Err(error) => Check::fail(
            NAME,
            format!("`{shown}` cannot be read: {error}"),
            "correct `backups` or the folder's permissions",
        ),
        Ok(None) => {
            Check::fail(NAME, format!("`{shown}` holds no file"), "make a backup (guide: server)")
        }
        Ok(Some(age)) if age > BACKUP_AGE_MAX => Check::warn(
            NAME,
            format!("the newest file in `{shown}` is {} days old", age.as_secs() / 86_400),
            "make a backup (guide: server)",
        ),
        Ok(Some(age)) => Check::ok(
            NAME,
            format!("the newest file in `{shown}` is {} h old", age.as_secs() / 3600),
        ),
    }
}

/// How old the newest file of a folder is.
fn newest(dir: &Path) -> std::io::Result<Option<Duration>> {
    let now = SystemTime::now();
    let mut newest = None;
    for entry in std::fs::read_dir(dir)? {
        let metadata = entry?.metadata()?;
        if metadata.is_file() && metadata.len() > 0 {
            let age = now.duration_since(metadata.modified()?).unwrap_or_default();
            newest = Some(newest.map_or(age, |known: Duration| known.min(age)));
        }
    }
    Ok(newest)
}
