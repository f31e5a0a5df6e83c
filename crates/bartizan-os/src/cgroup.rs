//! A control group (version 2) for each job: what it may use, and one file that ends all of it.
//!
//! Only below a group that was delegated to the guard, as the unit's `Delegate=` does. Anywhere else the groups belong to
//! somebody else, and jobs run without these limits; the guard says so, and the inventory too.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::limits::{CPU_PERIOD_US, JOB_CPU_WEIGHT, JOB_MEMORY_PERCENT, JOB_PROCESSES_MAX};

/// The group of the guard itself, a leaf: groups that hold processes cannot hand controllers on.
const OWN: &str = "guard";
/// Names of the groups of jobs begin so.
const JOB: &str = "job-";
/// What is limited, where the kernel and whoever delegated allow it.
const CONTROLLERS: [&str; 3] = ["memory", "pids", "cpu"];

/// A group below which the guard may make others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delegation {
    base: PathBuf,
    /// Which of [`CONTROLLERS`] hold below it.
    controllers: Vec<&'static str>,
}

/// What one job is in.
#[derive(Debug)]
pub(crate) struct JobGroup {
    path: PathBuf,
    /// Whoever writes `0` here is in it.
    pub(crate) entrance: File,
}

/// Finds the group that was delegated to this process, moves the process into a leaf of its own, and hands the
/// controllers on. The reason, if there is none.
pub fn take_over() -> Result<Delegation, String> {
    let base = delegated()?;
    let own = base.join(OWN);
    make(&own)
        .and_then(|()| fs::write(own.join("cgroup.procs"), "0"))
        .map_err(|error| format!("the delegated cgroup cannot be used: {error}"))?;
    let available = read(&base.join("cgroup.controllers"));
    let controllers = CONTROLLERS
        .into_iter()
        .filter(|name| available.split_whitespace().any(|known| known == *name))
        .filter(|name| fs::write(base.join("cgroup.subtree_control"), format!("+{name}")).is_ok())
        .collect();
    let delegation = Delegation { base, controllers };
    delegation.sweep();
    Ok(delegation)
}

impl Delegation {
    /// In one line.
    pub fn describe(&self) -> String {
        let missing: Vec<&str> =
            CONTROLLERS.into_iter().filter(|name| !self.controllers.contains(name)).collect();
        let limits = if self.controllers.is_empty() {
            "nothing".to_owned()
        } else {
            self.controllers.join(", ")
        };
        let without = if missing.is_empty() {
            String::new()
        } else {
            format!("; not delegated: {}", missing.join(", "))
        };
        format!("cgroup: ends whole, limits {limits}{without}")
    }

    /// A group for a job, with its limits.
    pub(crate) fn job(&self, name: &str) -> io::Result<JobGroup> {
        let path = self.base.join(format!("{JOB}{name}"));
        // One of an earlier life whose leftovers still run is not shared.
        let _ = fs::remove_dir(&path);
        fs::create_dir(&path)?;
        let entrance = self
            .limit(&path)
            .and_then(|()| OpenOptions::new().write(true).open(path.join("cgroup.procs")));
        match entrance {
            Ok(entrance) => Ok(JobGroup { path, entrance }),
            Err(error) => {
                let _ = fs::remove_dir(&path);
                Err(error)
            }
        }
    }

    /// Holds a job to so many per cent of one processor, where that can be limited here.
    pub(crate) fn limit_cpu(&self, group: &JobGroup, percent: u32) -> io::Result<()> {
        if !self.controllers.contains(&"cpu") {
            return Ok(());
        }
        let quota_us = CPU_PERIOD_US / 100 * percent;
        fs::write(group.path.join("cpu.max"), format!("{quota_us} {CPU_PERIOD_US}"))
    }

    fn limit(&self, path: &Path) -> io::Result<()> {
        for name in &self.controllers {
            match *name {
                "memory" => {
                    fs::write(path.join("memory.max"), memory_max().to_string())?;
                    // All of a job or nothing of it: half a script is worse.
                    fs::write(path.join("memory.oom.group"), "1")?;
                }
                "pids" => fs::write(path.join("pids.max"), JOB_PROCESSES_MAX.to_string())?,
                _ => fs::write(path.join("cpu.weight"), JOB_CPU_WEIGHT.to_string())?,
            }
        }
        Ok(())
    }

    /// Removes the groups of jobs that left nothing running.
    fn sweep(&self) {
        let Ok(entries) = fs::read_dir(&self.base) else { return };
        for entry in entries.flatten() {
            if entry.file_name().to_string_lossy().starts_with(JOB) {
                let _ = fs::remove_dir(entry.path());
            }
        }
    }
}

impl JobGroup {
    /// Ends everything in it at once, also what multiplies faster than a list of processes can be read.
    pub(crate) fn kill(&self) -> io::Result<()> {
        OpenOptions::new().write(true).open(self.path.join("cgroup.kill"))?.write_all(b"1")
    }
}

impl Drop for JobGroup {
    fn drop(&mut self) {
        // What a script leaves running keeps its group, and its limits.
        let _ = fs::remove_dir(&self.path);
    }
}

/// The group that somebody delegated to this process, above the guard's own leaf if it is in there already.
fn delegated() -> Result<PathBuf, String> {
    let own = own_group().ok_or("this kernel or container has no cgroup version 2")?;
    let base = match own.parent() {
        Some(parent) if own.ends_with(OWN) && is_delegated(parent) => parent.to_owned(),
        _ => own,
    };
    if is_delegated(&base) {
        Ok(base)
    } else {
        Err("no cgroup was delegated to the guard; the unit's `Delegate=` does".to_owned())
    }
}

fn own_group() -> Option<PathBuf> {
    let groups = read(Path::new("/proc/self/cgroup"));
    let own = groups.lines().find_map(|line| line.strip_prefix("0::/"))?;
    let mounts = read(Path::new("/proc/self/mountinfo"));
    Some(mount_point(&mounts)?.join(own))
}

/// Where the whole of version 2 is mounted. The fields before the dash vary in number.
fn mount_point(mountinfo: &str) -> Option<PathBuf> {
    mountinfo.lines().find_map(|line| {
        let (before, after) = line.split_once(" - ")?;
        let (root, place) = {
            let mut fields = before.split(' ').skip(3);
            (fields.next()?, fields.next()?)
        };
        (after.starts_with("cgroup2 ") && root == "/").then(|| PathBuf::from(place))
    })
}

/// The mark that systemd leaves on what it delegates.
fn is_delegated(group: &Path) -> bool {
    ["trusted.delegate", "user.delegate"].into_iter().any(|name| {
        let mut value = [0_u8; 8];
        rustix::fs::getxattr(group, name, &mut value)
            .is_ok_and(|length| value.get(..length) == Some(b"1"))
    })
}

fn make(path: &Path) -> io::Result<()> {
    match fs::create_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made,
    }
}

fn memory_max() -> u64 {
    let text = read(Path::new("/proc/meminfo"));
    let total = text
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:")?.trim().strip_suffix("kB"))
        .and_then(|number| number.trim().parse::<u64>().ok());
    total.map_or(u64::MAX >> 1, |kib| kib.saturating_mul(1024) / 100 * JOB_MEMORY_PERCENT)
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_2_is_found_beside_version_1_and_only_whole() {
        let mixed = "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw\n\
                     35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
                     41 31 0:38 / /sys/fs/cgroup/unified rw shared:9 - cgroup2 cgroup2 rw\n";
        assert_eq!(mount_point(mixed), Some("/sys/fs/cgroup/unified".into()));
        let bound = "41 31 0:38 /system.slice /mnt rw shared:9 - cgroup2 cgroup2 rw\n";
        assert_eq!(mount_point(bound), None);
        assert_eq!(mount_point("damaged\n"), None);
    }

    #[test]
    fn what_was_not_delegated_is_named() {
        let some = |controllers| Delegation { base: PathBuf::new(), controllers }.describe();
        assert_eq!(
            some(vec!["memory", "pids", "cpu"]),
            "cgroup: ends whole, limits memory, pids, cpu"
        );
        assert_eq!(
            some(Vec::new()),
            "cgroup: ends whole, limits nothing; not delegated: memory, pids, cpu"
        );
    }
}
