//! What Linux says about a running program: memory and CPU, from `/proc`.

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde::Serialize;

/// Memory of one program in KiB.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Memory {
    /// Resident, shared pages counted whole.
    pub rss_kib: u64,
    /// Resident, shared pages divided among those who share them.
    pub pss_kib: u64,
    /// Not backed by a file: heap and stacks.
    pub anonymous_kib: u64,
}

impl Memory {
    /// Memory of the program with this id.
    pub fn of(pid: u32) -> Result<Self> {
        let path = PathBuf::from(format!("/proc/{pid}/smaps_rollup"));
        let text = std::fs::read_to_string(&path).with_context(|| {
            format!("read `{}`; is program {pid} running and ours?", path.display())
        })?;
        Ok(Self::parse(&text))
    }

    fn parse(text: &str) -> Self {
        let field = |name: &str| {
            text.lines()
                .find_map(|line| {
                    line.strip_prefix(name)?.trim().strip_suffix("kB")?.trim().parse().ok()
                })
                .unwrap_or_default()
        };
        Self { rss_kib: field("Rss:"), pss_kib: field("Pss:"), anonymous_kib: field("Anonymous:") }
    }
}

/// CPU that the program with this id has used so far, in milliseconds, user and system together.
pub fn cpu_ms(pid: u32) -> Result<u64> {
    let path = format!("/proc/{pid}/stat");
    let text = std::fs::read_to_string(&path).with_context(|| format!("read `{path}`"))?;
    let ticks = parse_ticks(&text).with_context(|| format!("understand `{path}`"))?;
    Ok(ticks * 1000 / rustix::param::clock_ticks_per_second().max(1))
}

/// CPU that this program has used so far, in nanoseconds.
pub fn own_cpu_ns() -> u64 {
    let spent = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    let part = |value: i64| u64::try_from(value).unwrap_or_default();
    part(spent.tv_sec) * 1_000_000_000 + part(spent.tv_nsec)
}

/// Raises the number of open files this program may have to what the system allows; returns it.
pub fn raise_open_files() -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    // Best effort: with too few, opening a connection fails and says so.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

fn parse_ticks(stat: &str) -> Option<u64> {
    // The name in parentheses may hold anything; fields count from its last parenthesis.
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_from_the_rollup() {
        let text = "55ac-7fff ---p 0 [rollup]\nRss:  1756 kB\nPss:   322 kB\nPss_Anon: 9 kB\nAnonymous:  112 kB\n";
        assert_eq!(Memory::parse(text), Memory { rss_kib: 1756, pss_kib: 322, anonymous_kib: 112 });
        assert_eq!(Memory::parse("nonsense"), Memory::default());
    }

    #[test]
    fn cpu_is_read_whatever_the_program_is_called() {
        let stat = "7 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 21 13 0 0";
        assert_eq!(parse_ticks(stat), Some(34));
        assert_eq!(parse_ticks("7 (cut"), None);
    }
}
