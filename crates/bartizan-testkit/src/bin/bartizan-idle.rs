//! Measures what running programs cost while they have nothing to do: memory and CPU of each, from
//! `/proc`. Meant for an agent and its guard: `bartizan-idle --seconds 60 AGENT_PID GUARD_PID`.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use bartizan_testkit::load::figures::{float, round};
use bartizan_testkit::load::proc::{Memory, cpu_ms};
use clap::Parser;
use serde::Serialize;

/// Measures idle programs.
#[derive(Debug, Parser)]
struct Arguments {
    /// How long to watch.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Ids of the programs, say of an agent and its guard.
    #[arg(required = true)]
    pids: Vec<u32>,
}

#[derive(Debug, Serialize)]
struct Figures {
    seconds: f64,
    programs: Vec<Program>,
    pss_kib_total: u64,
    anonymous_kib_total: u64,
    cpu_ms_total: u64,
    cpu_percent_of_a_core: f64,
}

#[derive(Debug, Serialize)]
struct Program {
    pid: u32,
    name: String,
    #[serde(flatten)]
    memory: Memory,
    cpu_ms: u64,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let before = arguments.pids.iter().map(|pid| cpu_ms(*pid)).collect::<Result<Vec<_>>>()?;
    let begin = Instant::now();
    std::thread::sleep(Duration::from_secs(arguments.seconds));
    let seconds = begin.elapsed().as_secs_f64();
    let programs: Vec<Program> = arguments
        .pids
        .iter()
        .zip(before)
        .map(|(pid, before)| program(*pid, before))
        .collect::<Result<_>>()?;
    let cpu_ms_total = programs.iter().map(|p| p.cpu_ms).sum();
    let figures = Figures {
        seconds: round(seconds),
        pss_kib_total: programs.iter().map(|p| p.memory.pss_kib).sum(),
        anonymous_kib_total: programs.iter().map(|p| p.memory.anonymous_kib).sum(),
        cpu_ms_total,
        cpu_percent_of_a_core: round(float(cpu_ms_total) / seconds / 10.0),
        programs,
    };
    println!("{}", serde_json::to_string_pretty(&figures)?);
    Ok(())
}

fn program(pid: u32, cpu_ms_before: u64) -> Result<Program> {
    let name = std::fs::read_to_string(format!("/proc/{pid}/comm"))
        .with_context(|| format!("program {pid} ended while it was watched"))?;
    Ok(Program {
        pid,
        name: name.trim().to_owned(),
        memory: Memory::of(pid)?,
        cpu_ms: cpu_ms(pid)?.saturating_sub(cpu_ms_before),
    })
}
