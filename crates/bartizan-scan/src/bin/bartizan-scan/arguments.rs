//! What the command line says.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::{Args, Parser, Subcommand};

/// Looks for traces of a compromise: offline, read-only, and honest about what it could not see.
#[derive(Debug, Parser)]
#[command(
    name = "bartizan-scan",
    version,
    disable_help_subcommand = true,
    args_conflicts_with_subcommands = true,
    after_help = "Exit codes: 0 no indicators found, 1 suspicious, 2 compromised, 3 incomplete or an error."
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) scan: ScanArguments,
}

/// Anything but a scan.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Rule packs: show and check them.
    #[command(subcommand)]
    Pack(PackCommand),
    /// Measure what scanning costs on this machine.
    #[command(subcommand)]
    Bench(BenchCommand),
    /// Scan as a signed job says: what the guard of an endpoint starts.
    #[command(hide = true)]
    Order {
        /// The folder with the order.
        folder: PathBuf,
    },
    /// Say by what a signed job names packs and recipients: what the operator's tool starts.
    #[command(hide = true)]
    Check {
        /// A pack that comes with the job.
        #[arg(long = "pack", value_name = "FILE")]
        packs: Vec<PathBuf>,
        /// For whom evidence is encrypted.
        #[arg(long = "recipient")]
        recipients: Vec<String>,
    },
    /// One picture of what many endpoints said: what the operator's tool starts.
    #[command(hide = true)]
    Rollup {
        /// What was verified of each endpoint.
        index: PathBuf,
        /// A report in a file: .json .html .csv .txt
        #[arg(long = "report", value_name = "FILE")]
        reports: Vec<PathBuf>,
        /// JSON on standard output.
        #[arg(long)]
        json: bool,
    },
    /// Put the harmless triggers before the rules and say which are found.
    SelfTest(PackArguments),
}

/// What can be done with packs.
#[derive(Debug, Subcommand)]
pub(crate) enum PackCommand {
    /// Encode a pack from its JSON source. Sign the result with `bartizan pack sign`.
    Build {
        /// The source.
        source: PathBuf,
        /// The pack.
        #[arg(long, short)]
        output: PathBuf,
        /// The organisation whose people will sign it (`bartizan org` shows its id).
        #[arg(long)]
        org: Option<String>,
    },
    /// Make the source of a pack from rules of others: Sigma, YARA, STIX 2.1, OpenIOC, MISP, CSV.
    Import(ImportArguments),
    /// Say what is wrong with a pack before it is used; exit code 1 if something is.
    Lint {
        /// A pack, or its source.
        pack: PathBuf,
        /// JSON on standard output.
        #[arg(long)]
        json: bool,
    },
    /// Say which rules fire on ordinary software; exit code 1 if one does.
    Test {
        /// A pack, or its source.
        pack: PathBuf,
        /// A folder of ordinary software.
        #[arg(long, value_name = "DIR")]
        goodware: PathBuf,
        /// JSON on standard output.
        #[arg(long)]
        json: bool,
    },
    /// List what stands in packs.
    Show(PackArguments),
}

/// What can be measured. Figures are processor time, so that other work on the machine matters less.
#[derive(Debug, Subcommand)]
pub(crate) enum BenchCommand {
    /// Files: scanning beside reading and hashing alone.
    Files {
        /// A folder; it is only read.
        tree: PathBuf,
        #[command(flatten)]
        packs: PackArguments,
        /// Rounds; the figures are medians.
        #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..=99))]
        rounds: u8,
    },
    /// Windows events, made up here, with the Sigma rules of some folders.
    Events {
        /// Folders of Sigma rules.
        #[arg(required = true)]
        rules: Vec<PathBuf>,
        /// How many events.
        #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
        events: u64,
        /// Rounds; the figures are medians.
        #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=99))]
        rounds: u8,
        /// JSON on standard output.
        #[arg(long)]
        json: bool,
    },
}

/// Rules of others.
#[derive(Debug, Clone, Args)]
pub(crate) struct ImportArguments {
    /// Files or folders; the ending says what they are.
    #[arg(required = true)]
    pub(crate) sources: Vec<PathBuf>,
    /// The name of the pack.
    #[arg(long)]
    pub(crate) name: String,
    /// Its version.
    #[arg(long)]
    pub(crate) version: String,
    /// What it is about.
    #[arg(long)]
    pub(crate) title: Option<String>,
    /// The source that `pack build` takes.
    #[arg(long, short)]
    pub(crate) output: PathBuf,
    /// JSON on standard output.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Which rules.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct PackArguments {
    /// A rule pack besides those built in.
    #[arg(long = "pack", value_name = "FILE")]
    pub(crate) packs: Vec<PathBuf>,
    /// Public keys that may sign packs, one OpenSSH line each.
    #[arg(long = "pack-keys", value_name = "FILE")]
    pub(crate) keys: Option<PathBuf>,
    /// Only the packs that are given, not those built in.
    #[arg(long)]
    pub(crate) no_builtin: bool,
    /// Use packs that nobody signed.
    #[arg(long)]
    pub(crate) danger_unsigned: bool,
    /// JSON on standard output.
    #[arg(long)]
    pub(crate) json: bool,
}

/// A scan.
#[derive(Debug, Clone, Args)]
pub(crate) struct ScanArguments {
    /// A mounted image or a collected folder instead of this machine.
    #[arg(long, value_name = "DIR", conflicts_with = "logs")]
    pub(crate) root: Option<PathBuf>,
    /// A folder of logs and other evidence only.
    #[arg(long, value_name = "DIR")]
    pub(crate) logs: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) packs: PackArguments,
    /// Leave out what matches, as `**/node_modules/**`; the coverage counts it.
    #[arg(long, value_name = "GLOB")]
    pub(crate) exclude: Vec<String>,
    /// A remote-management tool that belongs here.
    #[arg(long = "expect-tool", value_name = "NAME")]
    pub(crate) expect_tools: Vec<String>,
    /// Canary files: lines of `sha256  path`, as sha256sum writes them.
    #[arg(long, value_name = "FILE")]
    pub(crate) canaries: Option<PathBuf>,
    /// Leave out the memory of processes.
    #[arg(long)]
    pub(crate) no_processes: bool,
    /// Only the memory of this process, and no files; may be given for several.
    #[arg(long = "process", value_name = "PID", conflicts_with_all = ["root", "logs", "no_processes", "canaries", "resume"])]
    pub(crate) pids: Vec<u32>,
    /// Also file systems of other machines (NFS, SMB).
    #[arg(long)]
    pub(crate) network_mounts: bool,
    /// A report besides the one on the terminal; its ending says the form: .json .jsonl .html .csv .stix.json .sarif .txt
    #[arg(long = "report", value_name = "FILE")]
    pub(crate) reports: Vec<PathBuf>,
    /// No progress and no findings on the terminal: the last line only.
    #[arg(long, short)]
    pub(crate) quiet: bool,
    /// Workers.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=32))]
    pub(crate) jobs: u8,
    /// Of each worker's time, at most so many per cent.
    #[arg(long, value_name = "PERCENT", default_value_t = 100, value_parser = clap::value_parser!(u8).range(1..=100))]
    pub(crate) cpu_percent: u8,
    /// Read at most so many megabytes a second.
    #[arg(long, value_name = "MB")]
    pub(crate) io_mb_per_s: Option<u32>,
    /// End after this long (`90s`, `30m`, `2h`) and report what was seen until then.
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub(crate) time_budget: Option<Duration>,
    /// Keep the state of the scan here; the same command goes on from it after an interruption.
    #[arg(long, value_name = "FILE")]
    pub(crate) resume: Option<PathBuf>,
}

fn parse_duration(text: &str) -> Result<Duration> {
    let split = text.find(|char: char| !char.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let number: u64 = number.parse().context("a number and a unit, as 30m")?;
    let seconds = match unit {
        "s" => number,
        "m" => number.saturating_mul(60),
        "h" => number.saturating_mul(3600),
        _ => bail!("a number and a unit, as 90s, 30m or 2h"),
    };
    Ok(Duration::from_secs(seconds))
}
