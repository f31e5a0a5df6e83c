//! Room and inodes of file systems.

use std::collections::BTreeSet;

use bartizan_trust::statement::Levels;

use super::{Seen, fact};
use crate::limits::LOOK_DISKS_MAX;

/// File systems that are full by their nature.
const ALWAYS_FULL: [&str; 5] = ["squashfs", "iso9660", "udf", "erofs", "cramfs"];

pub(super) fn room(paths: &[String], below: Levels) -> Vec<Seen> {
    each(paths, |path| {
        let disk = match rustix::fs::statvfs(path) {
            Ok(disk) => disk,
            Err(error) => return Some(Seen::unknown(&format!("{path}: {}", error.kind()))),
        };
        let used = disk.f_blocks.saturating_sub(disk.f_bfree);
        let all = used.saturating_add(disk.f_bavail);
        let percent = percent(disk.f_bavail, all)?;
        let free = disk.f_bavail.saturating_mul(disk.f_frsize) / (1024 * 1024);
        let text = format!("{percent} % of room left, {free} MiB");
        Some(Seen::new(below.below(percent), percent, &text))
    })
}

pub(super) fn inodes(paths: &[String], below: Levels) -> Vec<Seen> {
    each(paths, |path| {
        let disk = match rustix::fs::statvfs(path) {
            Ok(disk) => disk,
            Err(error) => return Some(Seen::unknown(&format!("{path}: {}", error.kind()))),
        };
        // Some file systems make inodes as they need them, and count none.
        let percent = percent(disk.f_favail, disk.f_files)?;
        let text = format!("{percent} % of inodes left, {}", disk.f_favail);
        Some(Seen::new(below.below(percent), percent, &text))
    })
}

fn each(paths: &[String], look: impl Fn(&str) -> Option<Seen>) -> Vec<Seen> {
    let found;
    let paths = if paths.is_empty() {
        found = mounted(&fact("/proc/self/mounts").unwrap_or_default());
        &found
    } else {
        paths
    };
    paths.iter().filter_map(|path| Some(look(path)?.of(path))).collect()
}

fn percent(part: u64, all: u64) -> Option<u64> {
    u64::try_from((u128::from(part) * 100).checked_div(u128::from(all))?).ok()
}

/// The root, and every file system on a device of this machine; none twice.
fn mounted(mounts: &str) -> Vec<String> {
    let mut devices = BTreeSet::new();
    let mut paths = vec!["/".to_owned()];
    for line in mounts.lines() {
        let mut words = line.split(' ');
        let (Some(device), Some(mount), Some(kind)) = (words.next(), words.next(), words.next())
        else {
            continue;
        };
        let counts = device.starts_with("/dev/") && !ALWAYS_FULL.contains(&kind);
        if counts && devices.insert(device) && mount != "/" {
            // The kernel writes blanks as octal.
            paths.push(mount.replace("\\040", " "));
        }
    }
    // In a container single files are mounts of the host's disk.
    paths.retain(|path| std::path::Path::new(path).is_dir());
    paths.truncate(LOOK_DISKS_MAX);
    paths
}

#[cfg(test)]
mod tests {
    use bartizan_trust::statement::Severity;

    use super::super::Judged;
    use super::*;

    #[test]
    fn file_systems_on_devices_are_found_once_each() {
        let mounts = "/dev/vda1 / ext4 rw 0 0\n/dev/vda1 /usr ext4 rw 0 0\n/dev/vda2 /tmp ext4 rw 0 0\n/dev/vdb /etc/hosts ext4 rw 0 0\n/dev/loop3 /proc squashfs ro 0 0\nproc /proc proc rw 0 0\n";
        assert_eq!(mounted(mounts), ["/", "/tmp"]);
        assert_eq!(mounted(""), ["/"]);
    }

    #[test]
    fn room_is_judged_by_its_levels() {
        let path = vec!["/".to_owned()];
        let always = Levels { warn: Some(100), error: None };
        let seen = room(&path, always);
        assert_eq!((seen.len(), seen[0].judged), (1, Judged::Bad(Severity::Warn)));
        assert_eq!(seen[0].instance, "/");
        let nowhere = room(&["/nowhere at all".to_owned()], always);
        assert_eq!(nowhere[0].judged, Judged::Unknown);
        // Without blocks there is nothing to judge.
        assert_eq!(room(&["/proc".to_owned()], always), []);
        assert_eq!(percent(u64::MAX, u64::MAX), Some(100));
        assert_eq!(percent(1, 0), None);
    }
}
