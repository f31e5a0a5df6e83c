//! Loads a real server with simulated endpoints: `bartizan-load --agents 1000 --json`.
//!
//! Starts `bartizan-server` in a new directory, makes an organisation with two operators, connects the
//! endpoints over mutual TLS, sends one countersigned job to all and waits for their signed receipts.
//!
//! With `--seconds S` it sends metrics instead, as endpoints do, and counts what the server can give back.

mod fleet;
mod operators;
mod samples;
mod watching;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use bartizan_testkit::load::figures::{float, per, round};
use bartizan_testkit::load::proc::{self, Memory};
use bartizan_testkit::load::server::Server;
use clap::{Parser, ValueEnum};
use serde::Serialize;

/// How the simulated endpoints treat a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Verify {
    /// Decide for real.
    Full,
    /// Answer blindly, to measure the server alone.
    None,
}

/// Loads a server.
#[derive(Debug, Parser)]
struct Arguments {
    /// Simulated endpoints.
    #[arg(long, alias = "endpoints", default_value_t = 1000)]
    agents: u32,
    /// Send metrics for so long, instead of jobs.
    #[arg(long)]
    seconds: Option<u64>,
    /// So many times faster than endpoints do.
    #[arg(long, default_value_t = 1)]
    speed: u64,
    /// With metrics: packages in the inventory that each endpoint sends first.
    #[arg(long, default_value_t = 0)]
    packages: u32,
    /// Kill the server now and then while metrics come.
    #[arg(long)]
    kill: bool,
    /// Break every connection at once at the end, and wait until all are back.
    #[arg(long)]
    storm: bool,
    /// How they treat the job.
    #[arg(long, value_enum, default_value_t = Verify::Full)]
    verify: Verify,
    /// Jobs, one after the other; medians are shown.
    #[arg(long, default_value_t = 3)]
    jobs: u32,
    /// Seconds to watch the idle server.
    #[arg(long, default_value_t = 10)]
    idle_seconds: u64,
    /// The server's program; by default the one beside this program.
    #[arg(long)]
    server_bin: Option<PathBuf>,
    /// Directory of the new server; by default a temporary one.
    #[arg(long)]
    server_dir: Option<PathBuf>,
    /// JSON instead of lines.
    #[arg(long)]
    json: bool,
}

/// What was measured.
#[derive(Debug, Serialize)]
struct Report {
    agents: u32,
    verify: String,
    connect_storm_ms: f64,
    connect_cpu_us_per_agent: f64,
    server_rss_kib_before: u64,
    server_rss_kib_idle: u64,
    server_anonymous_kib_per_agent: f64,
    server_rss_kib_per_agent: f64,
    server_idle_cpu_percent: f64,
    fan_out: Vec<FanOut>,
    freeze: Freeze,
    receipts_lost: u64,
}

/// One freeze of everything: from the operator's request to the stored confirmations.
#[derive(Debug, Serialize)]
struct Freeze {
    first_confirmation_ms: f64,
    last_confirmation_ms: f64,
    server_cpu_us_per_endpoint: f64,
}

/// One job to everybody.
#[derive(Debug, Serialize)]
struct FanOut {
    /// From the second operator's signature on.
    first_receipt_ms: f64,
    last_receipt_ms: f64,
    server_cpu_us_per_receipt: f64,
    receipts: u64,
    refused: u64,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    proc::raise_open_files();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    if let Some(seconds) = arguments.seconds {
        return metrics(&arguments, seconds, &runtime);
    }
    let report = runtime.block_on(measure(&arguments))?;
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        println!("{report:#?}");
    }
    ensure!(report.receipts_lost == 0, "{} receipts were lost", report.receipts_lost);
    ensure!(report.fan_out.iter().all(|job| job.refused == 0), "endpoints refused an honest job");
    Ok(())
}

fn metrics(arguments: &Arguments, seconds: u64, runtime: &tokio::runtime::Runtime) -> Result<()> {
    let temporary = tempfile::tempdir()?;
    let dir = arguments.server_dir.clone().unwrap_or_else(|| temporary.path().join("server"));
    std::fs::create_dir_all(&dir).with_context(|| format!("create `{}`", dir.display()))?;
    let binary = server_bin(arguments)?;
    let figures = runtime.block_on(samples::measure(arguments, seconds, &binary, &dir))?;
    println!("{}", serde_json::to_string_pretty(&figures)?);
    figures.judge()
}

async fn measure(arguments: &Arguments) -> Result<Report> {
    let temporary = tempfile::tempdir()?;
    let dir = arguments.server_dir.clone().unwrap_or_else(|| temporary.path().join("server"));
    std::fs::create_dir_all(&dir).with_context(|| format!("create `{}`", dir.display()))?;
    let server = Server::start(&server_bin(arguments)?, &dir)?;
    let operators = operators::Operators::open(&server, arguments.agents).await?;

    let before = Memory::of(server.pid())?;
    let cpu = proc::cpu_ms(server.pid())?;
    let begin = Instant::now();
    let mut fleet = fleet::connect(&server, &operators, arguments).await?;
    let storm = begin.elapsed();
    let connect_ms = proc::cpu_ms(server.pid())? - cpu;

    let cpu = proc::cpu_ms(server.pid())?;
    tokio::time::sleep(Duration::from_secs(arguments.idle_seconds)).await;
    let idle_ms = proc::cpu_ms(server.pid())? - cpu;
    let idle = Memory::of(server.pid())?;

    let agents = u64::from(arguments.agents);
    let (mut fan_out, mut lost) = (Vec::new(), 0);
    for number in 0..arguments.jobs.max(1) {
        let (job, missing) = one_job(&server, &operators, &mut fleet, number).await?;
        fan_out.push(job);
        lost += missing;
    }
    let freeze = freeze(&server, &operators, &mut fleet).await?;
    let more = |after: u64, before: u64| round(per(float(after.saturating_sub(before)), agents));
    Ok(Report {
        agents: arguments.agents,
        verify: format!("{:?}", arguments.verify).to_lowercase(),
        connect_storm_ms: round(storm.as_secs_f64() * 1000.0),
        connect_cpu_us_per_agent: round(per(float(connect_ms) * 1000.0, agents)),
        server_rss_kib_before: before.rss_kib,
        server_rss_kib_idle: idle.rss_kib,
        server_anonymous_kib_per_agent: more(idle.anonymous_kib, before.anonymous_kib),
        server_rss_kib_per_agent: more(idle.rss_kib, before.rss_kib),
        server_idle_cpu_percent: round(
            float(idle_ms) / float(arguments.idle_seconds.max(1)) / 10.0,
        ),
        fan_out,
        freeze,
        receipts_lost: lost,
    })
}

/// Freezes everything, and waits until every endpoint's confirmation is stored.
async fn freeze(
    server: &Server,
    operators: &operators::Operators,
    fleet: &mut fleet::Connected,
) -> Result<Freeze> {
    let cpu = proc::cpu_ms(server.pid())?;
    let begin = Instant::now();
    operators.freeze().await?;
    let answers = fleet.answers(begin).await?;
    let cpu = proc::cpu_ms(server.pid())? - cpu;
    Ok(Freeze {
        first_confirmation_ms: round(answers.first_ms),
        last_confirmation_ms: round(answers.last_ms),
        server_cpu_us_per_endpoint: round(per(
            float(cpu) * 1000.0,
            u64::try_from(fleet.targets.len())?,
        )),
    })
}

/// Sends a job to all, waits for the receipts, and compares with what the server says it stored.
async fn one_job(
    server: &Server,
    operators: &operators::Operators,
    fleet: &mut fleet::Connected,
    number: u32,
) -> Result<(FanOut, u64)> {
    let job = operators.submit(&fleet.targets, number).await?;
    let cpu = proc::cpu_ms(server.pid())?;
    let begin = Instant::now();
    operators.approve(&job).await?;
    let answers = fleet.answers(begin).await?;
    let cpu = proc::cpu_ms(server.pid())? - cpu;
    let agents = u64::try_from(fleet.targets.len())?;
    let stored = operators.receipts(&job, fleet).await?;
    let row = FanOut {
        first_receipt_ms: round(answers.first_ms),
        last_receipt_ms: round(answers.last_ms),
        server_cpu_us_per_receipt: round(per(float(cpu) * 1000.0, agents)),
        receipts: stored,
        refused: answers.refused,
    };
    Ok((row, agents - stored.min(agents)))
}

fn server_bin(arguments: &Arguments) -> Result<PathBuf> {
    if let Some(named) = &arguments.server_bin {
        return Ok(named.clone());
    }
    let own = std::env::current_exe()?;
    Ok(own.parent().context("find the folder of this program")?.join("bartizan-server"))
}
