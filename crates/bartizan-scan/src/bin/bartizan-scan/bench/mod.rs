//! `bench`: what scanning costs on this machine, in processor time, beside what cannot be avoided.

mod events;
mod stream;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use bartizan_scan::digest::{Digester, Wanted};
use serde_json::json;

use crate::arguments::{BenchCommand, PackArguments};
use crate::pace::Pace;
use crate::walk::{self, Met, Plan};
use crate::{output, packs, read, work};

/// `bench …`
pub(crate) fn run(command: &BenchCommand) -> Result<u8> {
    match command {
        BenchCommand::Files { tree, packs, rounds } => files(tree, packs, *rounds),
        BenchCommand::Events { rules, events, rounds, json } => {
            events::run(rules, *events, *rounds, *json)
        }
    }
}

/// Scans a tree and only hashes it, in turns, and compares.
fn files(tree: &Path, arguments: &PackArguments, rounds: u8) -> Result<u8> {
    let root = tree.canonicalize().with_context(|| format!("read {}", tree.display()))?;
    let loaded = packs::load(arguments)?;
    let pace = Pace::new(100, None, None, Arc::new(AtomicBool::new(false)));
    let plan = plan(root);
    let (mut floors, mut scans) = (Vec::new(), Vec::new());
    let (mut files, mut bytes) = hash(&plan, &pace); // So that all rounds read from memory.
    for _ in 0..rounds {
        let begun = cpu_time()?;
        (files, bytes) = hash(&plan, &pace);
        floors.push(cpu_time()?.saturating_sub(begun));
        let begun = cpu_time()?;
        work::run(&plan, &loaded.rules, &pace, 1, &mut |_| {});
        scans.push(cpu_time()?.saturating_sub(begun));
    }
    if bytes == 0 {
        bail!("{} holds nothing to read: give a folder of files", tree.display());
    }
    let (floor, scan) = (median(floors), median(scans));
    let megabytes = to_f64(bytes) / 1e6;
    let rate = |time: Duration| megabytes / time.as_secs_f64().max(1e-6);
    let share = floor.as_secs_f64() / scan.as_secs_f64().max(1e-6);
    if arguments.json {
        let shown = json!({
            "files": files, "bytes": bytes, "rounds": rounds,
            "floor_cpu_ms": floor.as_millis(), "scan_cpu_ms": scan.as_millis(), "share_of_floor": share,
        });
        output::line(&shown.to_string())?;
        return Ok(0);
    }
    output::line(&format!("{files} files, {megabytes:.0} MB; medians of {rounds} rounds"))?;
    output::line(&format!("reading and SHA-256: {:.0} MB per CPU second", rate(floor)))?;
    output::line(&format!(
        "scanning: {:.0} MB per CPU second, {:.0} % of that",
        rate(scan),
        share * 100.0
    ))?;
    Ok(0)
}

fn plan(root: PathBuf) -> Plan {
    let excluded = globset::GlobSet::empty();
    Plan { roots: vec![root], skipped: Vec::new(), excluded, after: None }
}

/// The least that a scan can do: walk, read, SHA-256.
fn hash(plan: &Plan, pace: &Pace) -> (u64, u64) {
    let (mut files, mut bytes) = (0, 0);
    let mut piece = vec![0; 256 * 1024];
    walk::walk(plan, &mut |met| {
        if let Met::File(found) = met
            && let Ok(mut file) = read::open(&found.place)
        {
            let mut digester = Digester::new(Wanted::default());
            while let Ok(read) = std::io::Read::read(&mut file, &mut piece)
                && let Some(read) = piece.get(..read).filter(|read| !read.is_empty())
            {
                digester.update(read);
                bytes += u64::try_from(read.len()).unwrap_or_default();
            }
            std::hint::black_box(digester.finish());
            files += 1;
        }
        pace.stopped().is_none()
    });
    (files, bytes)
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

#[expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "a figure for people; nothing is decided by it"
)]
const fn to_f64(number: u64) -> f64 {
    number as f64
}

/// Processor time of this program, all threads together.
#[cfg(unix)]
fn cpu_time() -> Result<Duration> {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Ok(Duration::new(u64::try_from(time.tv_sec)?, u32::try_from(time.tv_nsec)?))
}

/// Elsewhere the wall clock has to do: measure on a machine with nothing else to do.
#[cfg(not(unix))]
fn cpu_time() -> Result<Duration> {
    static BEGUN: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    Ok(BEGUN.get_or_init(std::time::Instant::now).elapsed())
}
