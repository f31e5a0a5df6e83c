//! Processes of this machine and their memory.

use bartizan_scan::evidence::Output;
use bartizan_scan::model::Area;
use bartizan_scan::rules::Rules;

#[cfg(target_os = "linux")]
use crate::guarded;
use crate::pace::Pace;

/// Looks at these processes; if none is named, at every process but this one.
#[cfg(target_os = "linux")]
pub(crate) fn examine(rules: &Rules, pids: &[u32], pace: &Pace, output: &mut Output) {
    for pid in pids {
        let folder = std::path::Path::new("/proc").join(pid.to_string());
        if !folder.exists() {
            output.coverage.add_existing(Area::Processes);
            output
                .coverage
                .add_unreadable(format!("process {pid}"), "there is none of this number");
        } else if pace.stopped().is_none() {
            guarded_examine(rules, *pid, pace, output);
        }
    }
    if !pids.is_empty() {
        return;
    }
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
            guarded_examine(rules, pid, pace, output);
        }
    }
}

#[cfg(target_os = "linux")]
fn guarded_examine(rules: &Rules, pid: u32, pace: &Pace, output: &mut Output) {
    if let Err(error) = guarded::guard(|| linux::examine(rules, pid, pace, output)) {
        output.coverage.add_existing(Area::Processes);
        output.coverage.add_unreadable(format!("process {pid}"), error.to_string());
    }
}

/// Only Linux shows memory as files; elsewhere it is said that nobody looked.
#[cfg(not(target_os = "linux"))]
pub(crate) fn examine(_rules: &Rules, pids: &[u32], _pace: &Pace, output: &mut Output) {
    for pid in pids {
        output.coverage.add_existing(Area::Processes);
        output.coverage.add_unreadable(format!("process {pid}"), "memory is read on Linux only");
    }
    output.coverage.add_not_understood("memory of processes: read on Linux only");
}

#[cfg(target_os = "linux")]
mod linux {
    use std::fs::{self, File};
    use std::io::Read as _;
    use std::os::unix::fs::FileExt as _;
    use std::path::Path;

    use bartizan_scan::digest::Digests;
    use bartizan_scan::evidence::{FileEvidence, Output};
    use bartizan_scan::model::Area;
    use bartizan_scan::process::{self, ProcessEvidence};
    use bartizan_scan::rules::Rules;
    use bartizan_scan::{file, limits};

    use crate::pace::Pace;
    use crate::read::{mode, seconds};

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
        if process.is_without_file() {
            examine_vanished(rules, &folder, &process, pace, output);
        }
        examine_memory(rules, &folder, &process, pace, output);
    }

    /// A program that has no name any more is looked at as the file it was: the kernel still shows it.
    fn examine_vanished(
        rules: &Rules,
        folder: &Path,
        process: &ProcessEvidence,
        pace: &Pace,
        output: &mut Output,
    ) {
        let mut bytes = Vec::new();
        let read = File::open(folder.join("exe")).and_then(|file| {
            let facts = file.metadata()?;
            let limit = u64::try_from(limits::FILE_BYTES_MAX).unwrap_or(u64::MAX);
            file.take(limit).read_to_end(&mut bytes)?;
            Ok(facts)
        });
        let facts = match read {
            Ok(facts) => facts,
            Err(error) => {
                let place = folder.join("exe").display().to_string();
                output.coverage.add_unreadable(place, error.to_string());
                return;
            }
        };
        pace.read(bytes.len());
        output.coverage.bytes += u64::try_from(bytes.len()).unwrap_or_default();
        let whole = u64::try_from(bytes.len()).is_ok_and(|length| length == facts.len());
        let place = format!("process {}!{}", process.pid, process.program);
        let evidence = FileEvidence {
            place: &place,
            path: process.program.trim_end_matches(" (deleted)"),
            size: facts.len(),
            modified: seconds(facts.modified()),
            created: None,
            mode: mode(&facts),
            is_deleted: true,
            head: &bytes,
            tail: &[],
            logs: &[],
            digests: whole.then(|| Digests::of(&bytes, rules.wanted())),
        };
        file::examine(rules, &evidence, output);
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

    #[cfg(test)]
    mod tests {
        use std::process::{Child, Command, Stdio};
        use std::sync::Arc;
        use std::sync::atomic::AtomicBool;

        use bartizan_scan::pack::Pack;
        use bartizan_scan::rules;

        use super::*;

        const RULES: &str = r#"{"v":1,"name":"test","version":"1","made":0,"title":"t","files":[
            {"rule":{"id":"gone","reason":"r","level":"suspicious","confidence":"high","source":"s","advice":"a"},
             "path":["**/renamed-program"],"kind":["elf"],"deleted":true},
            {"rule":{"id":"there","reason":"r","level":"suspicious","confidence":"high","source":"s","advice":"a"},
             "path":["**/renamed-program"],"kind":["elf"],"packed":true}]}"#;

        /// Waits for its input to end, which is what dropping it does.
        fn start(program: &Path) -> Child {
            let mut command = Command::new(program);
            command.stdin(Stdio::piped()).stdout(Stdio::null());
            // Another thread may be between fork and exec while the program was being copied.
            loop {
                match command.spawn() {
                    Err(error) if error.kind() == std::io::ErrorKind::ExecutableFileBusy => {}
                    child => return child.unwrap(),
                }
            }
        }

        #[test]
        fn a_program_that_was_deleted_while_it_runs_is_looked_at_as_a_file() {
            let folder = tempfile::tempdir().unwrap();
            let program = folder.path().join("renamed-program");
            fs::copy("/bin/cat", &program).unwrap();
            let mut child = start(&program);
            let pack = Pack::parse(RULES.as_bytes()).unwrap();
            let (rules, _) = rules::compile(&[pack]);
            let pace = Pace::new(100, None, None, Arc::new(AtomicBool::new(false)));
            let look = || {
                let mut output = Output::default();
                examine(&rules, child.id(), &pace, &mut output);
                let of_pack = output.findings.iter().filter(|finding| finding.pack == "test");
                of_pack.map(|finding| finding.rule.id.clone()).collect::<Vec<_>>()
            };
            assert_eq!(look(), Vec::<String>::new());
            fs::remove_file(&program).unwrap();
            assert_eq!(look(), ["gone"]);
            drop(child.stdin.take());
            child.wait().unwrap();
        }
    }
}
