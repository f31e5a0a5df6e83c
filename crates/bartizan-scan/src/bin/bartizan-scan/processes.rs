//! Processes of this machine and their memory.

use bartizan_scan::evidence::Output;
use bartizan_scan::rules::Rules;

use crate::pace::Pace;

/// Looks at every process but this one.
#[cfg(target_os = "linux")]
pub(crate) fn examine(rules: &Rules, pace: &Pace, output: &mut Output) {
    let Ok(entries) = std::fs::read_dir("/proc") else {
        output.coverage.add_unreadable("/proc", "not mounted");
        return;
    };
    let own = std::process::id();
    let mut pids: Vec<u32> =
        entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect();
    pids.sort_unstable();
    for pid in pids {
        if pid != own && pace.stopped().is_none() {
            linux::examine(rules, pid, pace, output);
        }
    }
}

/// Only Linux shows memory as files; elsewhere it is said that nobody looked.
#[cfg(not(target_os = "linux"))]
pub(crate) fn examine(_rules: &Rules, _pace: &Pace, output: &mut Output) {
    output.coverage.add_not_understood("memory of processes: read on Linux only");
}

#[cfg(target_os = "linux")]
mod linux {
    use std::fs::{self, File};
    use std::os::unix::fs::FileExt as _;
    use std::path::Path;

    use bartizan_scan::evidence::Output;
    use bartizan_scan::model::Area;
    use bartizan_scan::process::{self, ProcessEvidence};
    use bartizan_scan::rules::Rules;

    use crate::pace::Pace;

    /// Bytes of memory looked at together.
    const PIECE_BYTES: usize = 8 * 1024 * 1024;
    /// Bytes of one process that are looked at: a database's cache is not read to its end.
    const PROCESS_BYTES_MAX: u64 = 1024 * 1024 * 1024;

    pub(super) fn examine(rules: &Rules, pid: u32, pace: &Pace, output: &mut Output) {
        let folder = Path::new("/proc").join(pid.to_string());
        // A kernel thread has no program; a process that is gone has no folder.
        let Ok(program) = fs::read_link(folder.join("exe")) else {
            let gone = !folder.exists();
            let is_kernel = fs::read(folder.join("cmdline")).is_ok_and(|line| line.is_empty());
            if !gone && !is_kernel {
                output.coverage.add_existing(Area::Processes);
                output.coverage.add_unreadable(
                    folder.display().to_string(),
                    "belongs to somebody else: scan as root",
                );
            }
            return;
        };
        let command = fs::read(folder.join("cmdline")).unwrap_or_default();
        let command: Vec<String> = command
            .split(|byte| *byte == 0)
            .map(|part| String::from_utf8_lossy(part).into_owned())
            .collect();
        let process = ProcessEvidence {
            pid,
            program: program.to_string_lossy().into_owned(),
            command: command.join(" ").trim().to_owned(),
        };
        process::examine(rules, &process, output);
        examine_memory(rules, &folder, &process, pace, output);
    }

    /// What is no copy of a file: the rest is looked at as files.
    fn examine_memory(
        rules: &Rules,
        folder: &Path,
        process: &ProcessEvidence,
        pace: &Pace,
        output: &mut Output,
    ) {
        let (Ok(maps), Ok(memory)) =
            (fs::read_to_string(folder.join("maps")), File::open(folder.join("mem")))
        else {
            if folder.exists() {
                output
                    .coverage
                    .add_unreadable(folder.display().to_string(), "its memory: scan as root");
            }
            return;
        };
        let mut left = PROCESS_BYTES_MAX;
        let mut piece = vec![0; PIECE_BYTES];
        for (start, end) in maps.lines().filter_map(region) {
            let mut at = start;
            while at < end && left > 0 && pace.stopped().is_none() {
                let wanted = usize::try_from(end - at).unwrap_or(PIECE_BYTES).min(PIECE_BYTES);
                let Some(space) = piece.get_mut(..wanted) else { return };
                // Regions that cannot be read (devices) and processes that end are left behind.
                let Ok(read) = memory.read_at(space, at) else { break };
                if read == 0 {
                    break;
                }
                process::examine_memory(
                    rules,
                    process,
                    space.get(..read).unwrap_or_default(),
                    output,
                );
                let read_bytes = u64::try_from(read).unwrap_or(u64::MAX);
                output.coverage.bytes += read_bytes;
                pace.read(read);
                left = left.saturating_sub(read_bytes);
                at = at.saturating_add(read_bytes);
            }
        }
        if left == 0 {
            output
                .coverage
                .add_not_understood("processes of more memory than the limit: read in part");
        }
    }

    /// The range of a line of `maps`, if it is readable and no copy of a file.
    fn region(line: &str) -> Option<(u64, u64)> {
        let mut words = line.split_ascii_whitespace();
        let (range, rights) = (words.next()?, words.next()?);
        let name = words.nth(3).unwrap_or_default();
        let special = matches!(name, "[vvar]" | "[vvar_vclock]" | "[vsyscall]" | "[vdso]");
        let of_file =
            name.starts_with('/') && !name.starts_with("/memfd:") && !rights.contains('w');
        if !rights.starts_with('r') || special || of_file {
            return None;
        }
        let (start, end) = range.split_once('-')?;
        Some((u64::from_str_radix(start, 16).ok()?, u64::from_str_radix(end, 16).ok()?))
    }
}
