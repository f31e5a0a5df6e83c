//! What standing orders wait for: a few facts about the machine, read and never changed.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use bartizan_trust::id::Sha256;
use bartizan_trust::standing::Sensed;
use bartizan_trust::statement::On;

use crate::limits::WATCHED_BYTES_MAX;

/// A look that remembers a file it has read, so that one that did not change is not read again.
#[derive(Debug, Default)]
pub struct Sense {
    file: Option<(Stamp, Sha256)>,
}

/// What changes with every write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    changed: (i64, i64),
}

impl Sense {
    /// Looks for what a trigger waits for. Nothing where it cannot be told: an order waits rather than runs.
    pub fn look(&mut self, on: &On) -> Sensed {
        match on {
            On::DiskBelow { path, percent } => holds(is_disk_below(path, *percent)),
            On::ServiceDown { unit } => {
                holds(is_service_down(Path::new("/sys/fs/cgroup/system.slice"), unit))
            }
            On::RebootPending {} => holds(Some(is_reboot_pending())),
            On::Start {} => fs::read("/proc/sys/kernel/random/boot_id")
                .map_or(Sensed::Nothing, |id| Sensed::Seen(Sha256::of(&id))),
            On::FileChanged { path } => {
                self.file(Path::new(path)).map_or(Sensed::Nothing, Sensed::Seen)
            }
            On::Interval { .. } | On::Calendar { .. } | On::Ended { .. } => Sensed::Nothing,
        }
    }

    fn file(&mut self, path: &Path) -> io::Result<Sha256> {
        // Without waiting, should it be a named pipe.
        let file = match File::options().read(true).custom_flags(libc::O_NONBLOCK).open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Sha256::of(b"absent"));
            }
            Err(error) => return Err(error),
        };
        let about = file.metadata()?;
        if !about.is_file() {
            return Err(io::Error::other("not a regular file"));
        }
        let stamp = Stamp {
            device: about.dev(),
            inode: about.ino(),
            size: about.len(),
            changed: (about.ctime(), about.ctime_nsec()),
        };
        if let Some((known, seen)) = self.file
            && known == stamp
        {
            return Ok(seen);
        }
        let seen = read(file, &stamp)?;
        self.file = Some((stamp, seen));
        Ok(seen)
    }
}

fn read(file: File, stamp: &Stamp) -> io::Result<Sha256> {
    if stamp.size > WATCHED_BYTES_MAX {
        let Stamp { device, inode, size, changed } = stamp;
        return Ok(Sha256::of(format!("large {device} {inode} {size} {changed:?}").as_bytes()));
    }
    let mut content = Vec::new();
    file.take(WATCHED_BYTES_MAX).read_to_end(&mut content)?;
    Ok(Sha256::of_parts(&[b"content", &content]))
}

const fn holds(condition: Option<bool>) -> Sensed {
    match condition {
        Some(true) => Sensed::Holds,
        Some(false) | None => Sensed::Nothing,
    }
}

/// Whether the machine says that it wants to be started anew.
pub(crate) fn is_reboot_pending() -> bool {
    ["/run/reboot-required", "/var/run/reboot-required"].iter().any(|path| Path::new(path).exists())
}

/// By the room that is left for everybody, as `df` shows it.
fn is_disk_below(path: &str, percent: u32) -> Option<bool> {
    let disk = rustix::fs::statvfs(path).ok()?;
    let used = disk.f_blocks.checked_sub(disk.f_bfree)?;
    let all = used.checked_add(disk.f_bavail)?;
    Some(all > 0 && u128::from(disk.f_bavail) * 100 < u128::from(all) * u128::from(percent))
}

/// A service runs as long as there are processes in its cgroup. Nothing is asked of the service manager: the guard has no
/// sockets to ask with.
pub(crate) fn is_service_down(services: &Path, unit: &str) -> Option<bool> {
    if !services.is_dir() {
        return None;
    }
    let name = if unit.ends_with(".service") { unit.to_owned() } else { format!("{unit}.service") };
    // Instances of a template stand in a slice of their own.
    let slice = name.split_once('@').map(|(template, _)| format!("system-{template}.slice"));
    let folder = slice.map_or_else(|| services.to_owned(), |slice| services.join(slice)).join(name);
    match fs::read_to_string(folder.join("cgroup.events")) {
        Ok(events) => Some(!events.lines().any(|line| line == "populated 1")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Some(true),
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_another_one_when_its_content_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("watched");
        let on = On::FileChanged { path: path.to_str().unwrap().to_owned() };
        let mut sense = Sense::default();
        let absent = sense.look(&on);
        fs::write(&path, "one").unwrap();
        let one = sense.look(&on);
        assert_eq!(sense.look(&on), one);
        fs::write(&path, "two").unwrap();
        let two = sense.look(&on);
        // Written anew with the same content it is the same.
        fs::remove_file(&path).unwrap();
        fs::write(&path, "one").unwrap();
        assert_eq!(sense.look(&on), one);
        fs::remove_file(&path).unwrap();
        assert_eq!(sense.look(&on), absent);
        assert!(absent != one && one != two && two != absent);
        fs::create_dir(&path).unwrap();
        assert_eq!(sense.look(&on), Sensed::Nothing);
    }

    #[test]
    fn a_service_is_down_when_it_has_no_processes() {
        let folder = tempfile::tempdir().unwrap();
        let down = |unit| is_service_down(folder.path(), unit);
        let events = |name: &str, text: &str| {
            fs::create_dir_all(folder.path().join(name)).unwrap();
            fs::write(folder.path().join(name).join("cgroup.events"), text).unwrap();
        };
        events("nginx.service", "populated 1\nfrozen 0\n");
        events("old.service", "populated 0\nfrozen 0\n");
        events("system-vpn.slice/vpn@hq.service", "populated 1\nfrozen 0\n");
        assert_eq!((down("nginx"), down("nginx.service")), (Some(false), Some(false)));
        assert_eq!(
            (down("old"), down("absent"), down("vpn@hq")),
            (Some(true), Some(true), Some(false))
        );
        // Without a service manager that keeps cgroups nothing is known, so nothing runs.
        assert_eq!(is_service_down(&folder.path().join("none"), "nginx"), None);
    }

    #[test]
    fn disks_are_measured_as_df_does() {
        assert_eq!(is_disk_below("/nowhere at all", 99), None);
        assert_eq!(is_disk_below("/proc", 99), Some(false), "a file system without blocks");
        assert!(is_disk_below("/", 1).is_some());
    }

    #[test]
    fn zones_come_from_the_database_of_the_machine() {
        use bartizan_trust::time::UnixSeconds;
        let (from, to) = (UnixSeconds::new(1_767_225_600), UnixSeconds::new(1_798_761_600));
        let berlin = crate::zone::offsets("Europe/Berlin", from, to).expect("install `tzdata`");
        let change = |at, offset| (UnixSeconds::new(at), offset);
        assert_eq!(berlin.first_s, 3600);
        assert_eq!(berlin.changes, [change(1_774_746_000, 7200), change(1_792_890_000, 3600)]);
        assert!(crate::zone::offsets("Europe/Nowhere", from, to).is_none());
        assert!(crate::zone::offsets("UTC", from, to).is_some());
    }
}
