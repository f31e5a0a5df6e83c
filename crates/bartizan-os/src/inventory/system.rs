//! The operating system, its file systems, and what it is waiting for.

use std::collections::BTreeSet;

use super::apt::CompareVersions;
use super::root::{Root, Unread, value_of};
use super::section::{Item, Section};

/// File systems that hold no files of anybody's.
const NOT_STORAGE: [&str; 22] = [
    "proc",
    "sysfs",
    "devtmpfs",
    "devpts",
    "cgroup",
    "cgroup2",
    "securityfs",
    "debugfs",
    "tracefs",
    "pstore",
    "bpf",
    "mqueue",
    "hugetlbfs",
    "configfs",
    "fusectl",
    "autofs",
    "binfmt_misc",
    "rpc_pipefs",
    "efivarfs",
    "nsfs",
    "ramfs",
    "squashfs",
];
/// File systems of other machines: asking them for their size may wait for ever.
const REMOTE: [&str; 12] = [
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "smbfs",
    "ceph",
    "glusterfs",
    "afs",
    "9p",
    "fuse.sshfs",
    "fuse.rclone",
    "fuse.glusterfs",
];

/// Distribution, kernel, machine, time.
pub(super) fn os(root: &Root) -> Section {
    let mut section = Section::new("os");
    let release = match root.text("/etc/os-release") {
        Err(Unread::Absent) => root.text("/usr/lib/os-release"),
        other => other,
    };
    match &release {
        Ok(text) => {
            for (key, name) in [
                ("name", "PRETTY_NAME"),
                ("id", "ID"),
                ("like", "ID_LIKE"),
                ("version", "VERSION_ID"),
                ("codename", "VERSION_CODENAME"),
            ] {
                section.value(key, value_of(text, name, '=').unwrap_or_default());
            }
        }
        Err(error) => {
            section.unknown("name", error.failure().unwrap_or("/etc/os-release is not there"));
        }
    }
    for (key, path) in [
        ("hostname", "/proc/sys/kernel/hostname"),
        ("kernel", "/proc/sys/kernel/osrelease"),
        ("kernel_build", "/proc/sys/kernel/version"),
    ] {
        match root.line(path) {
            Some(text) => section.value(key, &text),
            None => section.unknown(key, &format!("{path} cannot be read")),
        }
    }
    let machine = root.line("/proc/sys/kernel/arch");
    section.value("architecture", &machine.unwrap_or_else(|| std::env::consts::ARCH.to_owned()));
    section.value("virtualisation", virtualisation(root));
    let stat = root.text("/proc/stat").unwrap_or_default();
    let started = stat.lines().find_map(|line| line.strip_prefix("btime ")?.parse::<u64>().ok());
    match started {
        // The kernel computes it anew from a clock that is set now and then.
        Some(at) => section.add("boot", Item::default().number("at", at / 60 * 60)),
        None => section.unknown("boot", "/proc/stat does not say when the machine started"),
    }
    match zone(root) {
        Some(zone) => section.value("time_zone", &zone),
        None => section.unknown("time_zone", "neither /etc/localtime nor /etc/timezone names one"),
    }
    section.finish()
}

fn zone(root: &Root) -> Option<String> {
    let link = root.link("/etc/localtime");
    let named = link
        .as_deref()
        .and_then(|link| link.split_once("zoneinfo/"))
        .map(|(_, zone)| zone.to_owned());
    named.or_else(|| root.line("/etc/timezone"))
}

fn virtualisation(root: &Root) -> &'static str {
    let of_container = root.line("/run/systemd/container");
    match of_container.as_deref() {
        Some("docker") => return "docker",
        Some("podman") => return "podman",
        Some("lxc" | "lxc-libvirt") => return "lxc",
        Some("wsl") => return "wsl",
        Some(_) => return "container",
        None => {}
    }
    if root.exists("/.dockerenv") {
        return "docker";
    }
    if root.exists("/run/.containerenv") {
        return "podman";
    }
    let fact = |name: &str| root.line(&format!("/sys/class/dmi/id/{name}")).unwrap_or_default();
    let words = format!("{} {} {}", fact("sys_vendor"), fact("product_name"), fact("bios_vendor"))
        .to_lowercase();
    for (mark, name) in [
        ("vmware", "vmware"),
        ("virtualbox", "virtualbox"),
        ("innotek", "virtualbox"),
        ("microsoft corporation virtual machine", "hyper-v"),
        ("amazon ec2", "amazon ec2"),
        ("google compute engine", "google compute engine"),
        ("parallels", "parallels"),
        ("bhyve", "bhyve"),
        ("xen", "xen"),
        ("qemu", "kvm"),
        ("kvm", "kvm"),
        ("openstack", "kvm"),
    ] {
        if words.contains(mark) {
            return name;
        }
    }
    if root.line("/sys/hypervisor/type").as_deref() == Some("xen") {
        return "xen";
    }
    let flags = root.large_text("/proc/cpuinfo", 4 * 1024 * 1024).unwrap_or_default();
    let guest = flags
        .lines()
        .find(|line| line.starts_with("flags"))
        .is_some_and(|line| line.split(' ').any(|flag| flag == "hypervisor"));
    if guest { "virtual machine" } else { "none found" }
}

/// Mounted file systems. How full they are is in the metrics: it changes all the time.
pub(super) fn filesystems(root: &Root) -> Section {
    let mut section = Section::new("filesystems");
    let text = match root.large_text("/proc/self/mounts", 4 * 1024 * 1024) {
        Ok(text) => text,
        Err(error) => {
            section.unknown(
                "filesystems",
                error.failure().unwrap_or("/proc/self/mounts is not there"),
            );
            return section;
        }
    };
    let mut seen = BTreeSet::new();
    for line in text.lines() {
        let mut words = line.split(' ');
        let (Some(device), Some(mount), Some(kind), Some(options)) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            continue;
        };
        let of_disk = device.starts_with("/dev/");
        let skipped = NOT_STORAGE.contains(&kind)
            || (kind == "overlay" && mount != "/")
            || (kind == "tmpfs" && mount != "/tmp");
        // Bind mounts show the same disk again.
        if skipped || (of_disk && !seen.insert(device.to_owned())) {
            continue;
        }
        let mount = unescape(mount);
        let item = Item::default()
            .text("mount", &mount)
            .text("device", &unescape(device))
            .text("type", kind)
            .flag("read_only", options.split(',').any(|option| option == "ro"));
        section.add(&mount, size(root, item, &mount, kind));
    }
    section.finish()
}

fn size(root: &Root, item: Item, mount: &str, kind: &str) -> Item {
    if REMOTE.contains(&kind) || kind.starts_with("fuse.") {
        return item
            .text("size_unknown", "not asked: a file system of another machine may not answer");
    }
    match rustix::fs::statvfs(root.path(mount)) {
        Ok(stat) => item
            .number("size", stat.f_blocks.saturating_mul(stat.f_frsize))
            .number("inodes", stat.f_files),
        Err(error) => item.text("size_unknown", &error.to_string()),
    }
}

/// The kernel writes blanks in paths as octal.
fn unescape(text: &str) -> String {
    text.replace("\\040", " ").replace("\\011", "\t").replace("\\012", "\n").replace("\\134", "\\")
}

/// Whether a restart is due, and what the package manager's own lists say is new.
pub(super) fn updates(root: &Root, compare: CompareVersions) -> Section {
    let mut section = Section::new("updates");
    let pending =
        ["/run/reboot-required", "/var/run/reboot-required"].iter().any(|path| root.exists(path));
    let why = root.text("/run/reboot-required.pkgs").unwrap_or_default();
    let mut names: Vec<&str> =
        why.lines().map(str::trim).filter(|line| !line.is_empty()).take(32).collect();
    names.sort_unstable();
    names.dedup();
    let knows = root.exists("/var/lib/dpkg");
    if knows || pending {
        let item = Item::default().flag("pending", pending).text("for", &names.join(", "));
        section.add("reboot", item);
    } else {
        section.unknown("reboot", "only systems of the Debian family leave a mark for it");
    }
    match root.text("/var/lib/update-notifier/updates-available") {
        Ok(text) => {
            let first = |mark: &str| {
                let line = text.lines().find(|line| line.contains(mark))?;
                line.split_whitespace().next()?.parse::<u64>().ok()
            };
            let all = first("can be applied immediately")
                .or_else(|| first("can be installed immediately"));
            let security =
                first("standard security updates").or_else(|| first("are security updates"));
            let at = root.written("/var/lib/update-notifier/updates-available").unwrap_or(0);
            let item = Item::default()
                .number("count", all.unwrap_or(0))
                .number("security", security.unwrap_or(0));
            section
                .add("pending", item.text("by", "update-notifier").number("at", at / 3600 * 3600));
        }
        Err(Unread::Absent) => super::apt::pending(root, compare, &mut section),
        Err(Unread::Failed(why)) => section.unknown("pending", &why),
    }
    section.finish()
}
