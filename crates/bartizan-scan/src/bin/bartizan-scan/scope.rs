//! What is scanned: this machine, or a folder.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::arguments::ScanArguments;

/// Roots, and what below them is not entered.
pub(crate) struct Scope {
    /// For the report.
    pub(crate) name: String,
    pub(crate) roots: Vec<PathBuf>,
    pub(crate) skipped: Vec<(PathBuf, &'static str)>,
    /// This machine as it runs, and not an image.
    pub(crate) live: bool,
}

/// What the command line says.
pub(crate) fn scope(arguments: &ScanArguments) -> Result<Scope> {
    if let Some(folder) = arguments.root.as_ref().or(arguments.logs.as_ref()) {
        let folder = folder
            .canonicalize()
            .with_context(|| format!("{}: give a folder that exists", folder.display()))?;
        if !folder.is_dir() {
            bail!(
                "{} is no folder: mount the image and give the folder it is mounted on",
                folder.display()
            );
        }
        let name = crate::walk::shown(&folder);
        return Ok(Scope { name, roots: vec![folder], skipped: Vec::new(), live: false });
    }
    if !arguments.pids.is_empty() {
        let pids: Vec<String> = arguments.pids.iter().map(u32::to_string).collect();
        let name = format!("processes {} of this machine ({})", pids.join(", "), host_name());
        return Ok(Scope { name, roots: Vec::new(), skipped: Vec::new(), live: true });
    }
    Ok(Scope {
        name: format!("this machine ({})", host_name()),
        roots: machine_roots(),
        skipped: machine_skips(arguments.network_mounts),
        live: true,
    })
}

/// A report or a state must not lie in what is looked at: nothing is ever written there.
pub(crate) fn check_outside(scope: &Scope, file: &Path) -> Result<()> {
    if scope.live {
        return Ok(());
    }
    let folder = match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let folder = folder
        .canonicalize()
        .with_context(|| format!("{}: give a file in a folder that exists", file.display()))?;
    if scope.roots.iter().any(|root| folder.starts_with(root)) {
        bail!(
            "{} lies in what is scanned, where nothing is ever written: give another place",
            file.display()
        );
    }
    Ok(())
}

#[cfg(not(windows))]
fn machine_roots() -> Vec<PathBuf> {
    vec![PathBuf::from("/")]
}

#[cfg(windows)]
fn machine_roots() -> Vec<PathBuf> {
    let drives = (b'A'..=b'Z').map(|letter| PathBuf::from(format!("{}:\\", char::from(letter))));
    drives.filter(|drive| drive.is_dir()).collect()
}

/// File systems that hold no files of this machine.
#[cfg(target_os = "linux")]
fn machine_skips(network: bool) -> Vec<(PathBuf, &'static str)> {
    const KERNEL: [&str; 16] = [
        "proc",
        "sysfs",
        "cgroup",
        "cgroup2",
        "debugfs",
        "tracefs",
        "securityfs",
        "pstore",
        "bpf",
        "configfs",
        "fusectl",
        "mqueue",
        "devpts",
        "autofs",
        "efivarfs",
        "binfmt_misc",
    ];
    const NETWORK: [&str; 8] = ["nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "ceph"];
    let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let mut skips = Vec::new();
    for line in mounts.lines() {
        let mut words = line.split(' ').skip(1);
        let (Some(place), Some(kind)) = (words.next(), words.next()) else { continue };
        let place = PathBuf::from(place.replace("\\040", " "));
        if KERNEL.contains(&kind) {
            skips.push((place, "a view of the kernel, no files"));
        } else if NETWORK.contains(&kind) && !network {
            skips.push((place, "files of another machine; give --network-mounts to read them too"));
        }
    }
    skips
}

#[cfg(not(target_os = "linux"))]
fn machine_skips(_network: bool) -> Vec<(PathBuf, &'static str)> {
    Vec::new()
}

fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname")
        .ok()
        .or_else(|| std::env::var("COMPUTERNAME").ok())
        .unwrap_or_else(|| "name unknown".to_owned());
    bartizan_scan::path::shown(name.trim())
}
