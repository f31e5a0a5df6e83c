//! `bench`: what scanning costs on this machine, in processor time, beside what cannot be avoided.

mod events;
mod stream;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use bartizan_scan::digest::{Digester, Digests, Wanted};
use bartizan_scan::file;
use bartizan_scan::pack::FileKind;
use serde_json::json;

use crate::arguments::{BenchCommand, PackArguments};
use crate::pace::Pace;
use crate::walk::{self, Met, Plan};
use crate::{output, packs, read, work};

/// Larger archives are not opened by a scan either.
const ARCHIVE_BYTES_MAX: u64 = 24 * 1024 * 1024;

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
    let (mut floors, mut unpacked, mut scans) = (Vec::new(), Vec::new(), Vec::new());
    let counts = hash(&plan, &pace, true); // So that all rounds read from memory.
    if counts.bytes == 0 {
        bail!("{} holds nothing to read: give a folder of files", tree.display());
    }
    for _ in 0..rounds {
        floors.push(cpu_of(|| _ = hash(&plan, &pace, false))?);
        unpacked.push(cpu_of(|| _ = hash(&plan, &pace, true))?);
        scans.push(cpu_of(|| _ = work::run(&plan, &loaded.rules, &pace, 1, &mut |_| {}))?);
    }
    let (floor, unpacked, scan) = (median(floors), median(unpacked), median(scans));
    let share = |of: Duration| of.as_secs_f64() / scan.as_secs_f64().max(1e-6);
    if arguments.json {
        let shown = json!({
            "files": counts.files, "bytes": counts.bytes, "unpacked_bytes": counts.unpacked, "rounds": rounds,
            "floor_cpu_ms": floor.as_millis(), "unpacked_floor_cpu_ms": unpacked.as_millis(),
            "scan_cpu_ms": scan.as_millis(),
            "share_of_floor": share(floor), "share_of_unpacked_floor": share(unpacked),
        });
        output::line(&shown.to_string())?;
        return Ok(0);
    }
    let megabytes = to_f64(counts.bytes) / 1e6;
    let rate = |time: Duration| megabytes / time.as_secs_f64().max(1e-6);
    output::line(&format!(
        "{} files, {megabytes:.0} MB, and {:.0} MB that stand packed in them; medians of {rounds} rounds",
        counts.files,
        to_f64(counts.unpacked) / 1e6
    ))?;
    for (what, floor) in
        [("reading and SHA-256", floor), ("the same, also of what is unpacked", unpacked)]
    {
        output::line(&format!(
            "{what}: {:.0} MB per CPU second; scanning reaches {:.0} % of that",
            rate(floor),
            share(floor) * 100.0
        ))?;
    }
    output::line(&format!("scanning: {:.0} MB per CPU second", rate(scan)))?;
    Ok(0)
}

fn plan(root: PathBuf) -> Plan {
    let excluded = globset::GlobSet::empty();
    Plan { roots: vec![root], skipped: Vec::new(), excluded, after: None }
}

/// What was read.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    files: u64,
    bytes: u64,
    /// Members of archives.
    unpacked: u64,
}

/// The least that a scan can do: walk, read, SHA-256; `members` says whether also of what stands in archives.
fn hash(plan: &Plan, pace: &Pace, members: bool) -> Counts {
    let mut counts = Counts::default();
    let mut piece = vec![0; 256 * 1024];
    let mut whole = Vec::new();
    walk::walk(plan, &mut |met| {
        if let Met::File(found) = met
            && let Ok(mut file) = read::open(&found.place)
        {
            let mut digester = Digester::new(Wanted::default());
            let fits = found.facts.len() <= ARCHIVE_BYTES_MAX;
            let mut opened = None;
            whole.clear();
            while let Ok(read) = std::io::Read::read(&mut file, &mut piece)
                && let Some(read) = piece.get(..read).filter(|read| !read.is_empty())
            {
                digester.update(read);
                counts.bytes += length(read);
                // The first piece tells what it is.
                let is_archive = || file::kind::kind_of(read) == FileKind::Archive;
                if *opened.get_or_insert_with(|| members && fits && is_archive()) {
                    whole.extend_from_slice(read);
                }
            }
            std::hint::black_box(digester.finish());
            counts.files += 1;
            file::unpack(&found.path, &whole, &mut |member| {
                std::hint::black_box(Digests::of(member, Wanted::default()));
                counts.unpacked += length(member);
            });
        }
        pace.stopped().is_none()
    });
    counts
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or_default()
}

/// What some work costs.
fn cpu_of(work: impl FnOnce()) -> Result<Duration> {
    let begun = cpu_time()?;
    work();
    Ok(cpu_time()?.saturating_sub(begun))
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
