//! What the machine does at the moment, read from `/proc` and the file systems; no process, no socket.
//!
//! Names are those of the catalogue in `bartizan_proto::samples`, which this crate does not know.

mod processes;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use bartizan_trust::statement::is_plain_char;

use self::processes::Processes;
use crate::limits::{
    FACT_BYTES_MAX, METRIC_DISKS_MAX, METRIC_FILESYSTEMS_MAX, METRIC_INTERFACES_MAX,
    METRIC_LABEL_BYTES_MAX,
};

/// Fields of a processor's line, by what they are counted as.
const CPU_MODES: [(&str, &[usize]); 4] =
    [("user", &[0, 1]), ("system", &[2, 5, 6]), ("iowait", &[4]), ("steal", &[7])];
/// Counters of an interface: the name, and its column in the kernel's table.
const NETWORK: [(&str, usize); 8] = [
    ("bartizan_network_receive_bytes_total", 0),
    ("bartizan_network_transmit_bytes_total", 8),
    ("bartizan_network_receive_packets_total", 1),
    ("bartizan_network_transmit_packets_total", 9),
    ("bartizan_network_receive_errors_total", 2),
    ("bartizan_network_transmit_errors_total", 10),
    ("bartizan_network_receive_drops_total", 3),
    ("bartizan_network_transmit_drops_total", 11),
];
/// Counters of a disk: the name, its column behind the disk's name, and what one of it is.
const DISK: [(&str, usize, f64); 5] = [
    ("bartizan_disk_reads_total", 0, 1.0),
    ("bartizan_disk_read_bytes_total", 2, 512.0),
    ("bartizan_disk_writes_total", 4, 1.0),
    ("bartizan_disk_written_bytes_total", 6, 512.0),
    ("bartizan_disk_busy_seconds_total", 9, 0.001),
];

/// One value.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// The metric.
    pub name: &'static str,
    /// Of which disk, interface or program; empty where there is one.
    pub label: String,
    /// Finite.
    pub value: f64,
}

/// Measures again and again; some figures are what happened since the last time.
#[derive(Debug, Default)]
pub struct Meter {
    cpu: Option<Vec<u64>>,
    processes: Processes,
}

impl Meter {
    /// Everything there is now. What cannot be read is left out; the first time there is no processor time.
    pub fn measure(&mut self) -> Vec<Reading> {
        let mut out = Vec::new();
        let ticks = self.cpu(&fact("/proc/stat"), &mut out);
        let memory = memory(&fact("/proc/meminfo"), &mut out);
        load(&fact("/proc/loadavg"), &mut out);
        uptime(&fact("/proc/uptime"), &mut out);
        filesystems(&fact("/proc/self/mounts"), &mut out);
        network(&fact("/proc/net/dev"), &mut out);
        let is_disk = |name: &str| Path::new("/sys/block").join(name).exists();
        disks(&fact("/proc/diskstats"), is_disk, &mut out);
        self.processes.measure(ticks, memory, &mut out);
        out
    }

    /// Percent since the last time, and the ticks of one processor in between.
    fn cpu(&mut self, stat: &str, out: &mut Vec<Reading>) -> Option<f64> {
        let line = stat.lines().next()?.strip_prefix("cpu ")?;
        // Guests are counted as users already.
        let now: Vec<u64> =
            line.split_whitespace().take(8).map_while(|field| field.parse().ok()).collect();
        let count = stat.lines().filter(|line| line.starts_with("cpu")).count().saturating_sub(1);
        let before = self.cpu.replace(now.clone())?;
        let spent: Vec<f64> = now
            .iter()
            .zip(&before)
            .map(|(now, before)| float(now.saturating_sub(*before)))
            .collect();
        let all: f64 = spent.iter().sum();
        if all <= 0.0 {
            return None;
        }
        for (mode, fields) in CPU_MODES {
            let ticks: f64 = fields.iter().filter_map(|field| spent.get(*field)).sum();
            push(out, "bartizan_cpu_percent", mode, hundredths(100.0 * ticks / all));
        }
        Some(all / float(u64::try_from(count).unwrap_or(1).max(1)))
    }
}

/// Returns all of it in bytes.
fn memory(text: &str, out: &mut Vec<Reading>) -> f64 {
    let of = |name: &str| {
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        let number = value.and_then(|value| value.trim().strip_suffix(" kB")?.trim().parse().ok());
        number.map(|kibibytes: u64| float(kibibytes.saturating_mul(1024)))
    };
    let Some(total) = of("MemTotal") else { return 0.0 };
    push(out, "bartizan_memory_total_bytes", "", total);
    let caches = ["MemFree", "Buffers", "Cached", "SReclaimable"];
    let spare: f64 = caches.iter().filter_map(|name| of(name)).sum();
    push(out, "bartizan_memory_used_bytes", "", (total - spare).max(0.0));
    if let Some(available) = of("MemAvailable") {
        push(out, "bartizan_memory_available_bytes", "", available);
    }
    if let (Some(swap), Some(free)) = (of("SwapTotal"), of("SwapFree")) {
        push(out, "bartizan_swap_total_bytes", "", swap);
        push(out, "bartizan_swap_used_bytes", "", (swap - free).max(0.0));
    }
    total
}

fn load(text: &str, out: &mut Vec<Reading>) {
    let names = ["bartizan_load1", "bartizan_load5", "bartizan_load15"];
    for (name, field) in names.into_iter().zip(text.split_whitespace()) {
        if let Some(value) = field.parse().ok().filter(|value: &f64| value.is_finite()) {
            push(out, name, "", value);
        }
    }
}

fn uptime(text: &str, out: &mut Vec<Reading>) {
    let seconds = text.split('.').next().and_then(|seconds| seconds.parse().ok());
    if let Some(seconds) = seconds {
        push(out, "bartizan_uptime_seconds", "", float(seconds));
    }
}

/// Those on devices: asking one on the network may take for ever.
fn filesystems(mounts: &str, out: &mut Vec<Reading>) {
    let mut seen = BTreeSet::new();
    let own = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ');
        let (device, mount) = (words.next()?, words.next()?);
        // One line a device: bind mounts show the same disk again. Images of programs are always full.
        let image = device.starts_with("/dev/loop");
        let own = device.starts_with("/dev/") && !image && seen.insert(device);
        own.then(|| mount.replace("\\040", " "))
    });
    for mount in own.take(METRIC_FILESYSTEMS_MAX) {
        filesystem(&mount, out);
    }
}

fn filesystem(mount: &str, out: &mut Vec<Reading>) {
    let Ok(stat) = rustix::fs::statvfs(mount) else { return };
    let bytes = |blocks: u64| float(blocks.saturating_mul(stat.f_frsize));
    push(out, "bartizan_filesystem_size_bytes", mount, bytes(stat.f_blocks));
    let used = stat.f_blocks.saturating_sub(stat.f_bfree);
    push(out, "bartizan_filesystem_used_bytes", mount, bytes(used));
    push(out, "bartizan_filesystem_free_bytes", mount, bytes(stat.f_bavail));
    // Some file systems make inodes as they need them, and say that they have none.
    if stat.f_files > 0 {
        push(out, "bartizan_filesystem_inodes", mount, float(stat.f_files));
        push(out, "bartizan_filesystem_inodes_free", mount, float(stat.f_ffree));
    }
}

fn network(table: &str, out: &mut Vec<Reading>) {
    // Those of containers come and go with them.
    let passing = ["veth", "ifb", "docker", "br-", "virbr", "cali", "flannel"];
    let lines = table.lines().skip(2).filter_map(|line| line.split_once(':'));
    let own = lines.filter(|(name, _)| {
        let name = name.trim();
        name != "lo" && !passing.iter().any(|prefix| name.starts_with(prefix))
    });
    for (name, counters) in own.take(METRIC_INTERFACES_MAX) {
        let fields: Vec<&str> = counters.split_whitespace().collect();
        for (metric, column) in NETWORK {
            if let Some(value) = fields.get(column).and_then(|field| field.parse().ok()) {
                push(out, metric, name.trim(), float(value));
            }
        }
    }
}

fn disks(table: &str, is_disk: impl Fn(&str) -> bool, out: &mut Vec<Reading>) {
    let whole = table.lines().filter_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().skip(2).collect();
        let (name, counters) = fields.split_first()?;
        let made_up = ["loop", "ram", "zram", "dm-", "md", "sr"];
        let own = !made_up.iter().any(|prefix| name.starts_with(prefix)) && is_disk(name);
        own.then(|| (name.to_string(), counters.to_vec()))
    });
    for (name, counters) in whole.take(METRIC_DISKS_MAX) {
        for (metric, column, unit) in DISK {
            if let Some(value) = counters.get(column).and_then(|field| field.parse().ok()) {
                push(out, metric, &name, thousandths(float(value) * unit));
            }
        }
    }
}

/// Text from the machine as a label: bounded, and shown as itself.
fn label(text: &str) -> String {
    let mut label = String::new();
    for c in text.chars().filter(|c| is_plain_char(*c)) {
        if label.len() + c.len_utf8() > METRIC_LABEL_BYTES_MAX {
            break;
        }
        label.push(c);
    }
    label
}

fn push(out: &mut Vec<Reading>, name: &'static str, of: &str, value: f64) {
    out.push(Reading { name, label: label(of), value });
}

fn hundredths(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

fn thousandths(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "a measured value")]
const fn float(value: u64) -> f64 {
    value as f64
}

fn fact(path: &str) -> String {
    let mut text = Vec::new();
    let read = File::open(path).and_then(|file| file.take(FACT_BYTES_MAX).read_to_end(&mut text));
    if read.is_ok() { String::from_utf8_lossy(&text).into_owned() } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(readings: &[Reading], name: &str, label: &str) -> Option<f64> {
        readings.iter().find(|r| r.name == name && r.label == label).map(|r| r.value)
    }

    #[test]
    fn this_machine_is_measured() {
        let mut meter = Meter::default();
        let first = meter.measure();
        assert!(value(&first, "bartizan_memory_total_bytes", "").unwrap() > 1_000_000.0);
        assert!(value(&first, "bartizan_processes", "").unwrap() >= 1.0);
        assert!(value(&first, "bartizan_uptime_seconds", "").unwrap() > 0.0);
        assert_eq!(value(&first, "bartizan_cpu_percent", "user"), None, "nothing to compare with");
        // Until the kernel has counted a tick.
        let second = loop {
            let again = meter.measure();
            if value(&again, "bartizan_cpu_percent", "user").is_some() {
                break again;
            }
        };
        let modes =
            CPU_MODES.map(|(mode, _)| value(&second, "bartizan_cpu_percent", mode).unwrap());
        assert!(modes.iter().sum::<f64>() <= 100.1, "{modes:?}");
        assert!(second.iter().all(|r| r.value.is_finite() && r.label.len() <= 64));
        assert!(second.len() <= 256);
    }

    #[test]
    fn figures_are_read_from_the_kernels_tables() {
        let mut out = Vec::new();
        let mut meter = Meter::default();
        meter.cpu("cpu  100 0 50 800 50 0 0 0 0 0\ncpu0 1\ncpu1 1\nintr 5\n", &mut out);
        let ticks = meter.cpu("cpu  150 0 75 1600 75 0 0 100 0 0\ncpu0 1\ncpu1 1\n", &mut out);
        assert_eq!(ticks, Some(500.0), "two processors");
        let modes = CPU_MODES.map(|(mode, _)| value(&out, "bartizan_cpu_percent", mode));
        assert_eq!(modes, [5.0, 2.5, 2.5, 10.0].map(Some));

        let total = memory(
            "MemTotal: 1000 kB\nMemFree: 100 kB\nBuffers: 50 kB\nCached: 250 kB\nSwapTotal: 10 kB\nSwapFree: 4 kB\n",
            &mut out,
        );
        assert!((total - 1_024_000.0).abs() < 0.5);
        assert_eq!(value(&out, "bartizan_memory_used_bytes", ""), Some(600.0 * 1024.0));
        assert_eq!(value(&out, "bartizan_memory_available_bytes", ""), None);
        assert_eq!(value(&out, "bartizan_swap_used_bytes", ""), Some(6.0 * 1024.0));

        network(
            "h\nh\n  eth0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n    lo: 1 1\nveth12: 7 7\n",
            &mut out,
        );
        assert_eq!(value(&out, "bartizan_network_receive_bytes_total", "eth0"), Some(1.0));
        assert_eq!(value(&out, "bartizan_network_transmit_drops_total", "eth0"), Some(12.0));
        assert_eq!(value(&out, "bartizan_network_receive_bytes_total", "veth12"), None);

        let table = " 8 0 sda 10 1 200 3 20 2 400 5 0 1500 9\n 8 1 sda1 1 1 1 1 1 1 1 1 1 1 1\n 7 0 loop0 1 1 1 1\n";
        disks(table, |name| name == "sda" || name == "loop0", &mut out);
        assert_eq!(value(&out, "bartizan_disk_read_bytes_total", "sda"), Some(102_400.0));
        assert_eq!(value(&out, "bartizan_disk_busy_seconds_total", "sda"), Some(1.5));
        assert!(!out.iter().any(|r| r.label == "sda1" || r.label == "loop0"));
    }

    #[test]
    fn tables_that_are_none_give_nothing() {
        let mut out = Vec::new();
        let mut meter = Meter::default();
        for text in ["", "cpu", "cpu  x y", "MemTotal: lots", "\n\n: :", "a b c d e f"] {
            for _ in 0..2 {
                meter.cpu(text, &mut out);
            }
            memory(text, &mut out);
            uptime(text, &mut out);
            load("nan inf x", &mut out);
            filesystems(text, &mut out);
            network(text, &mut out);
            disks(text, |_| true, &mut out);
        }
        assert_eq!(out, []);
    }

    #[test]
    fn labels_are_bounded_and_plain() {
        assert_eq!(label("/srv/\u{202e}x\n"), "/srv/x");
        assert_eq!(label(&"ä".repeat(100)).len(), 64);
        let mounts: Vec<String> = (0..100).map(|n| format!("/dev/sd{n} / ext4 rw 0 0")).collect();
        let mut out = Vec::new();
        filesystems(&mounts.join("\n"), &mut out);
        assert!(out.len() <= 5 * METRIC_FILESYSTEMS_MAX);
    }
}
