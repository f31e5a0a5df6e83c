//! Interfaces, addresses, routes, name servers, and who listens.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::root::{Root, Unread};
use super::section::{Item, Section};
use crate::limits::{DESCRIPTORS_MAX, FOLDER_ENTRIES_MAX};

/// Largest table of the kernel that is read: a busy gateway has a hundred thousand connections.
const TABLE_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// Interfaces with their addresses, the default routes, the name servers.
pub(super) fn network(root: &Root) -> Section {
    let mut section = Section::new("network");
    interfaces(root, &mut section);
    routes(root, &mut section);
    match root.text("/etc/resolv.conf") {
        Ok(text) => {
            let words = |name: &str| {
                let values = text
                    .lines()
                    .filter_map(|line| line.trim().strip_prefix(name))
                    .flat_map(str::split_whitespace);
                values.map(str::to_owned).collect::<Vec<_>>().join(", ")
            };
            let item = Item::default()
                .text("servers", &words("nameserver "))
                .text("search", &words("search "));
            section.add("dns", item);
        }
        Err(error) => {
            section.unknown("dns", error.failure().unwrap_or("/etc/resolv.conf is not there"));
        }
    }
    section.finish()
}

fn interfaces(root: &Root, section: &mut Section) {
    let names = match root.names("/sys/class/net") {
        Ok(names) => names,
        Err(error) => {
            return section
                .unknown("interfaces", error.failure().unwrap_or("/sys/class/net is not there"));
        }
    };
    let v6 = addresses_v6(root);
    let (v4, by_route) = addresses_v4(root);
    let mut placed = Vec::new();
    // A container's end of a cable comes and goes with it.
    for name in names.iter().filter(|name| *name != "lo" && !name.starts_with("veth")) {
        let fact = |file: &str| root.line(&format!("/sys/class/net/{name}/{file}"));
        let own: Vec<Ipv4Addr> =
            v4.iter().filter(|address| holds(&by_route, name, **address)).copied().collect();
        placed.extend(own.iter().copied());
        let of = v6
            .iter()
            .filter(|(_, interface)| interface == name)
            .map(|(address, _)| address.to_string());
        let all: Vec<String> = own.iter().map(ToString::to_string).chain(of).take(16).collect();
        let speed = fact("speed").and_then(|speed| speed.parse::<u64>().ok());
        let mut item = Item::default()
            .text("name", name)
            .maybe("mac", fact("address").as_deref().filter(|mac| *mac != "00:00:00:00:00:00"))
            .text("addresses", &all.join(", "))
            .maybe("state", fact("operstate").as_deref());
        if let Some(mtu) = fact("mtu").and_then(|mtu| mtu.parse().ok()) {
            item = item.number("mtu", mtu);
        }
        if let Some(speed) = speed {
            item = item.number("speed_mbit", speed);
        }
        section.add(name, item);
    }
    let rest: Vec<String> = v4
        .iter()
        .filter(|address| !placed.contains(address))
        .map(ToString::to_string)
        .take(16)
        .collect();
    if !rest.is_empty() {
        section.add("addresses", Item::default().text("addresses", &rest.join(", ")));
    }
}

type Net = (String, u32, u32);

fn holds(nets: &[Net], name: &str, address: Ipv4Addr) -> bool {
    let bits = u32::from(address);
    // The narrowest network decides, as it does for the kernel.
    let best = nets
        .iter()
        .filter(|(_, net, mask)| *mask != 0 && bits & mask == *net)
        .max_by_key(|(_, _, mask)| *mask);
    best.is_some_and(|(interface, _, _)| interface == name)
}

/// The kernel's own addresses, and the networks behind each interface.
fn addresses_v4(root: &Root) -> (Vec<Ipv4Addr>, Vec<Net>) {
    let mut found = Vec::new();
    let mut last = None;
    for line in root.large_text("/proc/net/fib_trie", TABLE_BYTES_MAX).unwrap_or_default().lines() {
        let line = line.trim_start();
        if let Some(address) = line.strip_prefix("|-- ") {
            last = address.parse::<Ipv4Addr>().ok();
        } else if line.starts_with("/32 host LOCAL")
            && let Some(address) = last
            && !address.is_loopback()
            && !found.contains(&address)
        {
            found.push(address);
        }
    }
    let mut nets = Vec::new();
    for line in root
        .large_text("/proc/net/route", TABLE_BYTES_MAX)
        .unwrap_or_default()
        .lines()
        .skip(1)
        .take(4096)
    {
        let words: Vec<&str> = line.split_whitespace().collect();
        if let (Some(name), Some(net), Some(mask)) =
            (words.first(), hex(words.get(1)), hex(words.get(7)))
        {
            nets.push(((*name).to_owned(), net.swap_bytes(), mask.swap_bytes()));
        }
    }
    (found, nets)
}

fn hex(word: Option<&&str>) -> Option<u32> {
    u32::from_str_radix(word?, 16).ok()
}

fn addresses_v6(root: &Root) -> Vec<(Ipv6Addr, String)> {
    let table = root.text("/proc/net/if_inet6").unwrap_or_default();
    let line = |line: &str| {
        let address = Ipv6Addr::from(u128::from_str_radix(line.get(..32)?, 16).ok()?);
        Some((address, line.split_whitespace().last()?.to_owned()))
    };
    table.lines().filter_map(line).filter(|(address, _)| !address.is_loopback()).take(256).collect()
}

fn routes(root: &Root, section: &mut Section) {
    match root.large_text("/proc/net/route", TABLE_BYTES_MAX) {
        Ok(text) => {
            for line in text.lines().skip(1) {
                let words: Vec<&str> = line.split_whitespace().collect();
                let (Some(name), Some(0), Some(gateway)) =
                    (words.first(), hex(words.get(1)), hex(words.get(2)))
                else {
                    continue;
                };
                if gateway != 0 {
                    let gateway = Ipv4Addr::from(gateway.swap_bytes());
                    let item = Item::default()
                        .text("gateway", &gateway.to_string())
                        .text("interface", name);
                    section.add(&format!("route default {name}"), item);
                }
            }
        }
        Err(error) => {
            section.unknown("routes", error.failure().unwrap_or("/proc/net/route is not there"));
        }
    }
    for line in root.large_text("/proc/net/ipv6_route", TABLE_BYTES_MAX).unwrap_or_default().lines()
    {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (Some(net), Some(&"00"), Some(gateway), Some(name)) =
            (words.first(), words.get(1), words.get(4), words.last())
        else {
            continue;
        };
        let gateway = u128::from_str_radix(gateway, 16).unwrap_or(0);
        if net.bytes().all(|digit| digit == b'0') && gateway != 0 {
            let item = Item::default()
                .text("gateway", &Ipv6Addr::from(gateway).to_string())
                .text("interface", name);
            section.add(&format!("route default {name} v6"), item);
        }
    }
}

/// A socket that waits for others.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Listener {
    protocol: &'static str,
    address: IpAddr,
    port: u16,
    uid: u32,
    inode: u64,
}

/// Listening ports and whose they are.
pub(super) fn ports(root: &Root) -> Section {
    let mut section = Section::new("ports");
    let mut listeners = Vec::new();
    let ephemeral = first_ephemeral(root);
    for (protocol, state) in [("tcp", "0A"), ("tcp6", "0A"), ("udp", "07"), ("udp6", "07")] {
        match root.large_text(&format!("/proc/net/{protocol}"), TABLE_BYTES_MAX) {
            Ok(text) => {
                let found = text.lines().skip(1).filter_map(|line| listener(line, protocol, state));
                // A client of UDP has a port too while it waits for an answer.
                listeners.extend(
                    found.filter(|one| one.protocol == "tcp" || one.port < ephemeral).take(4096),
                );
            }
            // Kernels without IPv6 have no such file.
            Err(Unread::Absent) if protocol.ends_with('6') => {}
            Err(error) => section
                .unknown(protocol, error.failure().unwrap_or("the kernel's table is not there")),
        }
    }
    let owners = owners(root, &listeners, &mut section);
    let names = accounts(root);
    for one in listeners {
        let key = format!("{} {}", one.protocol, std::net::SocketAddr::new(one.address, one.port));
        let item = Item::default()
            .number("port", one.port.into())
            .text("protocol", one.protocol)
            .text("address", &one.address.to_string())
            .maybe("process", owners.get(&one.inode).map(String::as_str))
            .text("user", names.get(&one.uid).map_or(one.uid.to_string().as_str(), String::as_str));
        section.add(&key, item);
    }
    section.finish()
}

fn first_ephemeral(root: &Root) -> u16 {
    let range = root.line("/proc/sys/net/ipv4/ip_local_port_range");
    range.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(32768)
}

fn listener(line: &str, table: &str, state: &str) -> Option<Listener> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let (local, found) = (words.get(1)?, words.get(3)?);
    if *found != state {
        return None;
    }
    let (address, port) = local.split_once(':')?;
    Some(Listener {
        protocol: if table.starts_with("tcp") { "tcp" } else { "udp" },
        address: address_of(address)?,
        port: u16::from_str_radix(port, 16).ok()?,
        uid: words.get(7)?.parse().ok()?,
        inode: words.get(9)?.parse().ok()?,
    })
}

/// Words of 32 bits, each as this machine keeps numbers.
fn address_of(digits: &str) -> Option<IpAddr> {
    let word = |start: usize| -> Option<[u8; 4]> {
        Some(u32::from_str_radix(digits.get(start..start + 8)?, 16).ok()?.to_ne_bytes())
    };
    match digits.len() {
        8 => Some(IpAddr::from(word(0)?)),
        32 => {
            let mut bytes = Vec::new();
            for start in [0, 8, 16, 24] {
                bytes.extend(word(start)?);
            }
            let bytes: [u8; 16] = bytes.try_into().ok()?;
            Some(IpAddr::from(bytes))
        }
        _ => None,
    }
}

/// Which process holds which socket: the only way to know is to look at what each has open.
fn owners(root: &Root, listeners: &[Listener], section: &mut Section) -> BTreeMap<u64, String> {
    let mut owners = BTreeMap::new();
    let (mut left, mut refused) = (DESCRIPTORS_MAX, 0_u32);
    let wanted: std::collections::BTreeSet<u64> = listeners.iter().map(|one| one.inode).collect();
    let processes = root.names("/proc").unwrap_or_default();
    for process in processes
        .iter()
        .filter(|name| name.bytes().all(|b| b.is_ascii_digit()))
        .take(FOLDER_ENTRIES_MAX)
    {
        if owners.len() == wanted.len() {
            break;
        }
        let names = match root.names(&format!("/proc/{process}/fd")) {
            Ok(names) => names,
            Err(Unread::Failed(_)) => {
                refused += 1;
                continue;
            }
            Err(Unread::Absent) => continue,
        };
        for name in names {
            left = left.saturating_sub(1);
            let link = root.link(&format!("/proc/{process}/fd/{name}"));
            let inode = link
                .as_deref()
                .and_then(|link| link.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok());
            if let Some(inode) = inode.filter(|inode| wanted.contains(inode)) {
                let program = root.line(&format!("/proc/{process}/comm")).unwrap_or_default();
                owners.entry(inode).or_insert(program);
            }
            if left == 0 {
                section.unknown(
                    "process",
                    "the machine has too many open files to look at all of them",
                );
                return owners;
            }
        }
    }
    if refused > 0 && owners.len() < wanted.len() {
        section.unknown("process", "some processes do not let this one see what they have open");
    }
    owners
}

fn accounts(root: &Root) -> BTreeMap<u32, String> {
    let text = root.large_text("/etc/passwd", 4 * 1024 * 1024).unwrap_or_default();
    let line = |line: &str| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        Some((fields.nth(1)?.parse().ok()?, name.to_owned()))
    };
    text.lines().filter_map(line).collect()
}
