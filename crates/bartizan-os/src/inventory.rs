//! Facts about the machine, read from `/proc`, `/sys` and files; no process, no socket.
//!
//! [`read`] is the short account that agents of every version send; [`collect`] is the whole, in sections.

mod apt;
mod certificates;
mod containers;
mod hardware;
mod network;
mod packages;
mod people;
mod root;
mod section;
mod security;
mod services;
mod system;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::net::{Ipv4Addr, Ipv6Addr};

use bartizan_trust::statement::is_plain_char;
use serde::Serialize;

pub use apt::CompareVersions;
pub use certificates::{Found as FoundCertificate, ReadCertificates, Told as ToldCertificate};
pub use root::Root;
pub use section::{Fact, Item, Section};

use crate::limits::{FACT_BYTES_MAX, INVENTORY_ITEMS_MAX, INVENTORY_TEXT_MAX};

/// What a collection needs besides the machine.
#[derive(Clone, Copy)]
pub struct Reading<'f> {
    /// Version of the agent.
    pub agent: &'f str,
    /// What holds jobs in, in one line.
    pub jobs: &'f str,
    /// The order of dpkg's versions.
    pub compare: CompareVersions,
    /// What reads certificates, or says why nobody does.
    pub certificates: ReadCertificates<'f>,
}

impl core::fmt::Debug for Reading<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Reading")
    }
}

/// Reads a whole machine, section by section: each is handed over when it is there, so that one that hangs holds up no other
/// before it. Those that ask file systems come last.
pub fn collect(root: &Root, reading: &Reading<'_>, mut found: impl FnMut(Section)) {
    let mut agent = Section::new("agent");
    agent.value("version", reading.agent);
    agent.value("jobs", reading.jobs);
    found(agent.finish());
    found(system::os(root));
    found(hardware::hardware(root));
    found(hardware::disks(root));
    found(network::network(root));
    found(people::users(root));
    found(people::groups(root));
    found(services::services(root));
    found(packages::packages(root));
    found(network::ports(root));
    found(security::security(root));
    found(containers::containers(root));
    found(certificates::certificates(root, reading.certificates));
    found(system::updates(root, reading.compare));
    found(system::filesystems(root));
}

/// What an endpoint reports of itself. Sizes are in bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Inventory {
    /// Host name.
    pub hostname: String,
    /// Operating system and version.
    pub os: String,
    /// Kernel version.
    pub kernel: String,
    /// Processor.
    pub cpu: Cpu,
    /// Memory.
    pub memory: Memory,
    /// File systems on disks.
    pub disks: Vec<Disk>,
    /// Addresses other than loopback.
    pub addresses: Vec<String>,
    /// Seconds since boot, rounded to five minutes so that it does not change all the time.
    pub uptime_s: u64,
    /// Version of the agent.
    pub agent: String,
    /// What holds jobs in: a cgroup and its limits, or why there is none.
    pub jobs: String,
}

/// Processor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cpu {
    /// Model name.
    pub model: String,
    /// Logical processors.
    pub count: usize,
}

/// Memory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Memory {
    /// All of it.
    pub total: u64,
    /// Swap space.
    pub swap: u64,
}

/// A file system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Disk {
    /// Where it is mounted.
    pub mount: String,
    /// Its type.
    pub kind: String,
    /// Its size.
    pub total: u64,
    /// Free for ordinary accounts, rounded to 64 MiB so that it does not change all the time.
    pub free: u64,
}

/// Reads everything. What cannot be read is empty or zero; an inventory never fails.
pub fn read(agent_version: &str, jobs: &str) -> Inventory {
    let memory = fact("/proc/meminfo");
    let cpu = fact("/proc/cpuinfo");
    Inventory {
        hostname: hostname(),
        os: operating_system(),
        kernel: plain(fact("/proc/sys/kernel/osrelease").trim()),
        cpu: Cpu {
            model: plain(value_of(&cpu, "model name").unwrap_or_default()),
            count: std::thread::available_parallelism().map_or(1, usize::from),
        },
        memory: Memory {
            total: kibibytes(&memory, "MemTotal"),
            swap: kibibytes(&memory, "SwapTotal"),
        },
        disks: disks(),
        addresses: addresses(),
        uptime_s: uptime_s() / 300 * 300,
        agent: agent_version.to_owned(),
        jobs: plain(jobs),
    }
}

/// The host name.
pub fn hostname() -> String {
    plain(fact("/proc/sys/kernel/hostname").trim())
}

/// Name and version of the operating system.
pub fn operating_system() -> String {
    let release = fact("/etc/os-release");
    let name = release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="));
    plain(name.unwrap_or("Linux").trim_matches('"'))
}

fn fact(path: &str) -> String {
    let mut text = Vec::new();
    let read = File::open(path).and_then(|file| file.take(FACT_BYTES_MAX).read_to_end(&mut text));
    if read.is_ok() { String::from_utf8_lossy(&text).into_owned() } else { String::new() }
}

fn value_of<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    text.lines()
        .find_map(|line| Some(line.strip_prefix(name)?.trim_start().strip_prefix(':')?.trim()))
}

fn kibibytes(text: &str, name: &str) -> u64 {
    let number =
        value_of(text, name).and_then(|value| value.strip_suffix("kB")?.trim().parse::<u64>().ok());
    number.unwrap_or(0).saturating_mul(1024)
}

fn uptime_s() -> u64 {
    fact("/proc/uptime").split('.').next().and_then(|seconds| seconds.parse().ok()).unwrap_or(0)
}

fn disks() -> Vec<Disk> {
    let mounts = fact("/proc/self/mounts");
    let mut seen = BTreeSet::new();
    mounts
        .lines()
        .filter_map(|line| {
            let mut words = line.split(' ');
            let (device, mount, kind) = (words.next()?, words.next()?, words.next()?);
            // One line a device: bind mounts show the same disk again.
            (device.starts_with("/dev/") && seen.insert(device)).then(|| disk(mount, kind))?
        })
        .take(INVENTORY_ITEMS_MAX)
        .collect()
}

fn disk(mount: &str, kind: &str) -> Option<Disk> {
    const ROUNDING: u64 = 64 * 1024 * 1024;
    // The kernel writes blanks in mount points as octal.
    let path = mount.replace("\\040", " ");
    let stat = rustix::fs::statvfs(path.as_str()).ok()?;
    Some(Disk {
        mount: plain(&path),
        kind: plain(kind),
        total: stat.f_blocks.saturating_mul(stat.f_frsize),
        free: stat.f_bavail.saturating_mul(stat.f_frsize) / ROUNDING * ROUNDING,
    })
}

fn addresses() -> Vec<String> {
    let mut found = BTreeSet::new();
    ipv4(&fact("/proc/net/fib_trie"), &mut found);
    ipv6(&fact("/proc/net/if_inet6"), &mut found);
    found.into_iter().take(INVENTORY_ITEMS_MAX).collect()
}

/// An address line is followed by a line that says `host LOCAL`.
fn ipv4(trie: &str, found: &mut BTreeSet<String>) {
    let mut last = None;
    for line in trie.lines() {
        if let Some(address) = line.trim_start().strip_prefix("|-- ") {
            last = address.parse::<Ipv4Addr>().ok();
        } else if line.trim_start().starts_with("/32 host LOCAL")
            && let Some(address) = last
            && !address.is_loopback()
        {
            found.insert(address.to_string());
        }
    }
}

fn ipv6(table: &str, found: &mut BTreeSet<String>) {
    for line in table.lines() {
        let Some(digits) = line.get(..32) else { continue };
        let Ok(number) = u128::from_str_radix(digits, 16) else { continue };
        let address = Ipv6Addr::from(number);
        if !address.is_loopback() {
            found.insert(address.to_string());
        }
    }
}

/// Text that shows as itself wherever it is shown.
fn plain(text: &str) -> String {
    text.chars().filter(|c| is_plain_char(*c)).take(INVENTORY_TEXT_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_has_a_name_a_processor_memory_and_a_disk_size() {
        let inventory = read("0.1.0", "no cgroup");
        assert!(
            !inventory.hostname.is_empty()
                && !inventory.kernel.is_empty()
                && !inventory.os.is_empty()
        );
        assert!(inventory.cpu.count > 0 && inventory.memory.total > 1024 * 1024);
        assert!(inventory.disks.iter().all(|disk| disk.total >= disk.free));
    }

    #[test]
    fn addresses_are_read_from_the_kernels_tables() {
        let mut found = BTreeSet::new();
        let trie = "Main:\n  +-- 0.0.0.0/0\n     |-- 10.1.2.3\n        /32 host LOCAL\n     |-- 10.1.2.0\n        /24 link UNICAST\n     |-- 127.0.0.1\n        /32 host LOCAL\n";
        ipv4(trie, &mut found);
        ipv6(
            "fe80000000000000000000000000abcd 02 40 20 80 eth0\n00000000000000000000000000000001 01 80 10 80 lo\nxx\n",
            &mut found,
        );
        assert_eq!(found.into_iter().collect::<Vec<_>>(), ["10.1.2.3", "fe80::abcd"]);
    }

    #[test]
    fn text_from_the_machine_cannot_mislead() {
        assert_eq!(plain("web\u{202e}1\u{1b}[31m\n"), "web1[31m");
        assert_eq!(plain(&"a".repeat(1000)).len(), INVENTORY_TEXT_MAX);
    }
}
