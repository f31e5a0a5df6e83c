//! `firewall`: rules for an endpoint's network half, which then reaches what the bundle names and nothing else.

use std::collections::BTreeSet;
use std::net::{SocketAddr, ToSocketAddrs as _};

use anyhow::{Context as _, Result};
use bartizan_proto::limits::LAN_PORT;
use clap::Args;
use serde_json::json;

use super::{Context, windows_firewall};
use crate::exit::{Code, fail};
use crate::terminal::cell;

/// `bartizan firewall`
#[derive(Debug, Args)]
pub(crate) struct FirewallOptions {
    /// The local account of the network half on endpoints
    #[arg(long, default_value = "bartizan-agent", value_parser = account)]
    user: String,
    /// PowerShell commands for the Windows firewall instead
    #[arg(long, conflicts_with = "user")]
    windows: bool,
    /// The network half on those endpoints
    #[arg(
        long,
        requires = "windows",
        value_parser = windows_firewall::program,
        default_value = r"C:\Program Files\Bartizan\bartizan-agent.exe"
    )]
    program: String,
}

fn account(text: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !text.is_empty() && text.len() <= 32 && text.chars().all(fits) {
        return Ok(text.to_owned());
    }
    Err("a local account: letters, digits, `-` and `_`".to_owned())
}

pub(crate) fn run(context: &Context, options: &FirewallOptions) -> Result<()> {
    let console = context.connect()?;
    let bundle = &console.trust.bundle;
    let servers = bundle.servers.iter().flat_map(|server| server.addresses.iter().cloned());
    let mirrors = bundle.mirrors.iter().filter_map(|mirror| Some(mirror.place()?.address));
    let mut pairs = Vec::new();
    for name in servers.chain(mirrors) {
        for place in resolve(&name)? {
            pairs.push((name.clone(), place));
        }
    }
    let rules = if options.windows {
        windows_firewall::rules(&options.program, bundle.version, &pairs)
    } else {
        rules(&options.user, bundle.version, &pairs)
    };
    let shown = json!({
        "bundle": bundle.version, "rules": rules,
        "pairs": pairs.iter().map(|(name, place)| json!({ "name": name, "address": place })).collect::<Vec<_>>(),
    });
    context.terminal.result(&shown, &rules)
}

/// As this computer knows the name now.
fn resolve(name: &str) -> Result<BTreeSet<SocketAddr>> {
    let found = name.to_socket_addrs().map_err(|error| {
        let next = "run it where endpoints' names are known";
        fail(Code::Error, format!("`{}` has no address: {error}", cell(name)), next)
    })?;
    let places: BTreeSet<SocketAddr> = found.collect();
    places.first().context("a name without an address")?;
    Ok(places)
}

fn rules(user: &str, version: u64, pairs: &[(String, SocketAddr)]) -> String {
    let mut allowed = String::new();
    for (name, place) in pairs {
        let family = if place.is_ipv4() { "ip" } else { "ip6" };
        allowed += &format!(
            "    {family} daddr {} tcp dport {} accept comment \"{}\"\n",
            place.ip(),
            place.port(),
            comment(name)
        );
    }
    format!(
        "# Endpoints of bundle {version}. Check with: nft -c -f FILE; names were looked up just now.\n\
         # Freezes from the local network come to UDP port {LAN_PORT}: let it in where you filter what comes in.\n\
         table inet bartizan {{\n  chain output {{\n    type filter hook output priority filter; policy accept;\n    \
         meta skuid != \"{user}\" accept\n    ct state established,related accept\n{allowed}    \
         meta l4proto {{ tcp, udp }} th dport 53 accept comment \"names\"\n    counter reject\n  }}\n}}\n"
    )
}

/// What may stand in a comment of nftables, and between quotes of PowerShell.
pub(super) fn comment(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_alphanumeric() || "-.:[]".contains(*c)).take(100).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_the_named_pairs_are_allowed() {
        let pairs = [
            ("a.example:8443".to_owned(), ([192, 0, 2, 7], 8443).into()),
            ("x\" accept\n#".to_owned(), "[2001:db8::1]:443".parse().expect("address")),
        ];
        let text = rules("bartizan-agent", 3, &pairs);
        let allowed: Vec<&str> = text.lines().filter(|line| line.contains("daddr")).collect();
        assert_eq!(
            allowed,
            [
                "    ip daddr 192.0.2.7 tcp dport 8443 accept comment \"a.example:8443\"",
                "    ip6 daddr 2001:db8::1 tcp dport 443 accept comment \"xaccept\"",
            ]
        );
        assert!(text.contains("meta skuid != \"bartizan-agent\" accept"), "{text}");
    }
}
