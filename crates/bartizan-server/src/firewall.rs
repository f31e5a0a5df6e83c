//! nftables rules for the server's own machine: the listeners, and the networks that may connect to each.

use std::net::SocketAddr;

use crate::allow::Allow;
use crate::config::Config;

/// For `nft -f`.
pub(crate) fn rules(config: &Config) -> String {
    let mut rules = String::from(
        "# Check with: nft -c -f FILE\ntable inet bartizan_server {\n  chain input {\n    \
         type filter hook input priority filter; policy accept;\n    ct state established,related accept\n",
    );
    rules += &listener("agent", config.agent_listen, &config.agent_allow);
    rules += &listener("operator", config.operator_listen, &config.operator_allow);
    if let Some(listen) = config.metrics_listen {
        rules += &listener("metrics", listen, &config.metrics_allow);
    }
    rules + "  }\n}\n"
}

fn listener(name: &str, listen: SocketAddr, allow: &Allow) -> String {
    let port = listen.port();
    if !allow.is_set() {
        return format!("    # {name}_allow is not set: port {port} is open to everybody\n");
    }
    let place = match (listen.ip().is_unspecified(), listen.is_ipv4()) {
        (true, _) => String::new(),
        (false, true) => format!("ip daddr {} ", listen.ip()),
        (false, false) => format!("ip6 daddr {} ", listen.ip()),
    };
    let mut text = String::new();
    for network in &allow.0 {
        let family = if network.is_ipv4() { "ip" } else { "ip6" };
        text += &format!(
            "    {place}{family} saddr {network} tcp dport {port} accept comment \"{name}\"\n"
        );
    }
    text + &format!("    {place}tcp dport {port} counter drop comment \"{name}\"\n")
}
