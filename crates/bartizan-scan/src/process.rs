//! Processes: what they run, and what stands in their memory.

use crate::command;
use crate::evidence::Output;
use crate::file;
use crate::model::{Area, Confidence, Evidence, Level, Rule};
use crate::path;
use crate::rules::Rules;

/// A running process.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProcessEvidence {
    /// Its number.
    pub pid: u32,
    /// The program it runs, as the kernel names it.
    pub program: String,
    /// Its arguments, separated by spaces.
    pub command: String,
}

impl ProcessEvidence {
    /// What it runs has no name any more: deleted, replaced by an update, or never a file.
    pub fn is_without_file(&self) -> bool {
        self.program.ends_with(" (deleted)") || self.program.starts_with("/memfd:")
    }

    fn evidence(&self) -> Evidence {
        Evidence::at(path::shown(&format!("process {} ({})", self.pid, self.program)))
    }
}

/// Folders no installed program runs from.
const TEMPORARY: [&str; 4] = ["/tmp/", "/var/tmp/", "/dev/shm/", "/run/shm/"];

/// Looks at what a process runs.
pub fn examine(rules: &Rules, process: &ProcessEvidence, output: &mut Output) {
    output.coverage.add_read(Area::Processes, 1);
    command::examine(rules, &process.command, &process.evidence(), output);
    let gone = process.program.ends_with(" (deleted)");
    let from_memory = process.program.starts_with("/memfd:");
    let temporary = TEMPORARY.iter().any(|folder| process.program.starts_with(folder));
    let without_file = from_memory || (gone && temporary);
    if !without_file {
        return;
    }
    let rule = Rule {
        id: "process.no-file".to_owned(),
        reason: "a process runs a program that is in no file any more".to_owned(),
        level: Level::Suspicious,
        confidence: Confidence::Medium,
        stage: Some("execution".to_owned()),
        source: "https://attack.mitre.org/techniques/T1620".to_owned(),
        advice: "keep the machine on: the program exists only in memory; take an image of it"
            .to_owned(),
    };
    output.add("engine", &rule, process.evidence().with_excerpt(&path::shown(&process.command)));
}

/// Looks at a piece of a process's memory.
pub fn examine_memory(rules: &Rules, process: &ProcessEvidence, bytes: &[u8], output: &mut Output) {
    file::match_memory(rules, bytes, &process.evidence(), output);
}
