//! What protects the machine: virus scanner, encryption, confinement, secure boot.

use super::root::{Root, Unread};
use super::section::{Item, Section};
use super::services::populated;

/// Scanners by a file that only they bring, and the unit they run as.
const SCANNERS: [(&str, &str, &str); 9] = [
    ("clamav", "/usr/sbin/clamd", "clamav-daemon"),
    ("clamav", "/usr/bin/clamscan", "clamav-daemon"),
    ("crowdstrike falcon", "/opt/CrowdStrike/falcond", "falcon-sensor"),
    ("sentinelone", "/opt/sentinelone/bin/sentinelctl", "sentinelone"),
    ("microsoft defender", "/opt/microsoft/mdatp/sbin/wdavdaemon", "mdatp"),
    ("sophos", "/opt/sophos-spl/base/bin/sophos_watchdog", "sophos-spl"),
    ("eset", "/opt/eset/efs/sbin/startd", "efs"),
    ("bitdefender", "/opt/bitdefender-security-tools/bin/bdsecd", "bdsec"),
    ("trend micro", "/opt/ds_agent/ds_agent", "ds_agent"),
];

/// Everything of it.
pub(super) fn security(root: &Root) -> Section {
    let mut section = Section::new("security");
    antivirus(root, &mut section);
    encryption(root, &mut section);
    confinement(root, &mut section);
    secure_boot(root, &mut section);
    section.finish()
}

fn antivirus(root: &Root, section: &mut Section) {
    let slice = "/sys/fs/cgroup/system.slice";
    let mut found: Vec<&str> = Vec::new();
    for (name, mark, unit) in SCANNERS {
        if found.contains(&name) || !root.exists(mark) {
            continue;
        }
        found.push(name);
        let mut item = Item::default().text("name", name);
        if root.exists(slice) {
            let runs = populated(root, &format!("{slice}/{unit}.service"));
            item = item.text("state", if runs { "running" } else { "stopped" });
        } else {
            item = item.text("state_unknown", "systemd's cgroups are not there");
        }
        if name == "clamav" {
            let bases = ["daily.cld", "daily.cvd", "main.cvd"];
            let newest = bases
                .iter()
                .filter_map(|base| root.written(&format!("/var/lib/clamav/{base}")))
                .max();
            item = match newest {
                Some(at) => item.number("signatures_at", at / 3600 * 3600),
                None => {
                    item.text("signatures_unknown", "/var/lib/clamav has none that can be read")
                }
            };
        }
        section.add(&format!("antivirus {name}"), item);
    }
    if found.is_empty() {
        section.add("antivirus", Item::default().text("state", "none of the known ones found"));
    }
}

/// Whether the root file system is on an encrypted device, at whatever depth.
fn encryption(root: &Root, section: &mut Section) {
    let mounts = root.large_text("/proc/self/mounts", 4 * 1024 * 1024).unwrap_or_default();
    let of_root = mounts.lines().find_map(|line| {
        let mut words = line.split(' ');
        let device = words.next()?;
        (words.next()? == "/").then(|| device.to_owned())
    });
    let Some(device) = of_root.and_then(|device| device.strip_prefix("/dev/").map(str::to_owned))
    else {
        return section
            .unknown("encryption", "the root file system is on no device of this machine");
    };
    let name = match device.strip_prefix("mapper/") {
        Some(mapped) => mapper(root, mapped),
        None => Some(device),
    };
    match name.and_then(|name| is_encrypted(root, &name, 0)) {
        Some(encrypted) => {
            section.add("encryption", Item::default().flag("root_encrypted", encrypted));
        }
        None => {
            section
                .unknown("encryption", "the device of the root file system is not in /sys/block");
        }
    }
}

fn mapper(root: &Root, name: &str) -> Option<String> {
    let all = root.names("/sys/block").ok()?;
    all.into_iter()
        .find(|device| root.line(&format!("/sys/block/{device}/dm/name")).as_deref() == Some(name))
}

/// A device, or one of those it is made of. Layers are few; a circle of them ends at the depth.
fn is_encrypted(root: &Root, name: &str, depth: u32) -> Option<bool> {
    const LAYERS_MAX: u32 = 8;
    let base = format!("/sys/class/block/{name}");
    if depth > LAYERS_MAX || !root.exists(&base) {
        return None;
    }
    if root.line(&format!("{base}/dm/uuid")).is_some_and(|uuid| uuid.starts_with("CRYPT-")) {
        return Some(true);
    }
    let below = root.names(&format!("{base}/slaves")).unwrap_or_default();
    let all: Vec<bool> =
        below.iter().take(16).filter_map(|lower| is_encrypted(root, lower, depth + 1)).collect();
    Some(!all.is_empty() && all.iter().all(|encrypted| *encrypted))
}

fn confinement(root: &Root, section: &mut Section) {
    match root.line("/sys/fs/selinux/enforce").as_deref() {
        Some("1") => return section.value("confinement", "selinux enforcing"),
        Some(_) => return section.value("confinement", "selinux permissive"),
        None => {}
    }
    match root.line("/sys/module/apparmor/parameters/enabled").as_deref() {
        Some("Y") => section.value("confinement", "apparmor"),
        Some(_) | None => section.value("confinement", "none found"),
    }
}

fn secure_boot(root: &Root, section: &mut Section) {
    let folder = "/sys/firmware/efi/efivars";
    if !root.exists("/sys/firmware/efi") {
        return section.value("secure_boot", "not started by UEFI");
    }
    let names = match root.names(folder) {
        Ok(names) => names,
        Err(error) => {
            return section.unknown(
                "secure_boot",
                error.failure().unwrap_or("the firmware's variables are not there"),
            );
        }
    };
    let Some(name) = names.iter().find(|name| name.starts_with("SecureBoot-")) else {
        return section.value("secure_boot", "off");
    };
    // Four bytes of attributes, then the value.
    match root.bytes(&format!("{folder}/{name}"), 64) {
        Ok(bytes) => {
            section.value("secure_boot", if bytes.get(4) == Some(&1) { "on" } else { "off" });
        }
        Err(Unread::Absent) => section.value("secure_boot", "off"),
        Err(Unread::Failed(why)) => section.unknown("secure_boot", &why),
    }
}
