//! What is left to this process once it has started: its pipe, connections to servers, and reading what name resolution reads.
//!
//! Two layers, each of which goes on without the other: landlock (files, ports, signals to others) and seccomp (system calls).
//! Both are applied before the first thread starts, which makes them those of every thread.

mod calls;
mod files;

/// Shuts this process in and says on standard error which layers hold.
pub(crate) fn enter() {
    let landlock = files::restrict();
    let seccomp = calls::restrict();
    for line in report(landlock, seccomp) {
        eprintln!("agent: {line}");
    }
}

/// How far the kernel goes along with landlock.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Landlock {
    /// All that was asked for.
    Whole,
    /// What this kernel knows of it.
    Partial,
    /// Nothing, for this reason.
    Missing(String),
}

/// One line of what holds, and one for each layer that does not.
fn report(landlock: Landlock, seccomp: Result<(), String>) -> Vec<String> {
    let mut held = Vec::new();
    let mut lines = Vec::new();
    match landlock {
        Landlock::Whole => held.push("landlock"),
        Landlock::Partial => held.push("landlock as far as this kernel knows it"),
        Landlock::Missing(reason) => lines.push(format!(
            "[sandbox.no_landlock] files are not shut off: {reason}; Linux 5.13 with landlock enabled can"
        )),
    }
    match seccomp {
        Ok(()) => held.push("seccomp"),
        Err(reason) => lines.push(format!(
            "[sandbox.no_seccomp] system calls are not filtered: {reason}; a kernel with CONFIG_SECCOMP_FILTER can"
        )),
    }
    let held = if held.is_empty() { "none".to_owned() } else { held.join(", ") };
    lines.insert(0, format!("sandbox: {held}"));
    lines
}

#[cfg(test)]
mod tests;
