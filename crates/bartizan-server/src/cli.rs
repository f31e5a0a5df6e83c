//! The command line.

use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use bartizan_proto::preflight::QuarantineReason;
use bartizan_store::{Access, Store, StoreError};
use clap::{Parser, Subcommand};

use crate::config::{self, Config, ConfigError};
use crate::firewall;
use crate::keys::ServerKeys;
use crate::rescue::JobsKey;

/// Something went wrong while the server ran or was set up.
const EXIT_FAILED: u8 = 1;
/// The configuration is wrong. (2 is what clap uses for wrong arguments.)
const EXIT_CONFIG: u8 = 3;
/// The database is damaged or too new.
const EXIT_DATABASE: u8 = 4;

/// Bartizan's server: relays, stores, shows; decides nothing on an endpoint.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make the directory of a new server: configuration and keys. Prints its identity for `bartizan init`.
    Init {
        /// Where everything of this server is kept.
        #[arg(long)]
        dir: PathBuf,
        /// How agents reach this server, `host:port`; may be given more than once.
        #[arg(long, required = true)]
        address: Vec<String>,
        /// Where agents connect. Port 0 picks a free one now.
        #[arg(long, default_value = "0.0.0.0:8443")]
        agent_listen: SocketAddr,
        /// Where operators connect; keep it private.
        #[arg(long, default_value = "127.0.0.1:8444")]
        operator_listen: SocketAddr,
    },
    /// Print what a bundle needs to know of this server.
    Identity {
        /// The server's directory.
        #[arg(long)]
        dir: PathBuf,
    },
    /// Check configuration, keys and database without serving.
    Check {
        /// The server's directory.
        #[arg(long)]
        dir: PathBuf,
    },
    /// Make the database of a lost server again, from a mirror that `bartizan log rescue` wrote.
    Rescue {
        /// The new server's directory, with the lost one's configuration and keys.
        #[arg(long)]
        dir: PathBuf,
        /// The mirror.
        #[arg(long)]
        from: PathBuf,
        /// The key of the jobs log is lost: make a new one, for operators to name in a new bundle.
        #[arg(long)]
        jobs_log_key_lost: bool,
    },
    /// Print nftables rules that let exactly the allowed networks reach each listener.
    Firewall {
        /// The server's directory.
        #[arg(long)]
        dir: PathBuf,
    },
    /// Raise the alarm: keep all jobs back, also in a server that runs, until an operator lifts it with `bartizan preflight`.
    Quarantine {
        /// The server's directory.
        #[arg(long)]
        dir: PathBuf,
        /// Why, for the operators.
        #[arg(long)]
        reason: String,
    },
    /// Serve until SIGTERM or SIGINT.
    Run {
        /// The server's directory.
        #[arg(long)]
        dir: PathBuf,
        /// Keep a damaged SQLite database aside and start with an empty one.
        #[arg(long)]
        set_aside_damaged_database: bool,
    },
}

/// Runs the command line.
pub(crate) fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Init { dir, address, agent_listen, operator_listen } => {
            init(&dir, &address, agent_listen, operator_listen)
        }
        Command::Identity { dir } => identity(&dir),
        Command::Check { dir } => check(&dir),
        Command::Rescue { dir, from, jobs_log_key_lost } => {
            let jobs_key = if jobs_log_key_lost { JobsKey::Lost } else { JobsKey::Kept };
            rescue(&dir, &from, jobs_key)
        }
        Command::Firewall { dir } => {
            Config::load(&dir).map(|config| print!("{}", firewall::rules(&config)))
        }
        Command::Quarantine { dir, reason } => quarantine(&dir, reason),
        Command::Run { dir, set_aside_damaged_database } => run(&dir, set_aside_damaged_database),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

fn fail(error: &anyhow::Error) -> ExitCode {
    eprintln!("bartizan-server: {error:#}");
    if let Some(error) = error.downcast_ref::<StoreError>() {
        eprintln!("[{}] next: {}", error.code(), error.advice());
        if matches!(error, StoreError::Damaged { .. } | StoreError::Newer { .. }) {
            return ExitCode::from(EXIT_DATABASE);
        }
    }
    if error.downcast_ref::<ConfigError>().is_some() {
        return ExitCode::from(EXIT_CONFIG);
    }
    ExitCode::from(EXIT_FAILED)
}

fn init(
    dir: &Path,
    addresses: &[String],
    agent: SocketAddr,
    operator: SocketAddr,
) -> anyhow::Result<()> {
    let path = dir.join(config::FILE);
    ensure!(
        !path.exists(),
        "`{}` exists already; remove the directory to begin anew, or use `identity`",
        path.display()
    );
    let agent = pick_port(agent)?;
    let addresses = with_port(addresses, agent);
    let text = config::template(&agent, &operator, &addresses);
    // Refuses nonsense before anything is written.
    Config::parse(dir, &text)?;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .with_context(|| format!("create `{}`", dir.display()))?;
    ServerKeys::create(dir)?;
    crate::published::write_atomically(&path, text.as_bytes())?;
    identity(dir)
}

/// A port that is free now: the address goes into the signed bundle, so it must be known before.
fn pick_port(address: SocketAddr) -> anyhow::Result<SocketAddr> {
    if address.port() != 0 {
        return Ok(address);
    }
    let listener = TcpListener::bind(address).with_context(|| format!("listen on {address}"))?;
    Ok(listener.local_addr()?)
}

/// Addresses given with port 0 mean the picked port.
fn with_port(addresses: &[String], agent: SocketAddr) -> Vec<String> {
    let replace = |address: &String| match address.strip_suffix(":0") {
        Some(host) => format!("{host}:{}", agent.port()),
        None => address.clone(),
    };
    addresses.iter().map(replace).collect()
}

fn identity(dir: &Path) -> anyhow::Result<()> {
    let config = Config::load(dir)?;
    let identity = ServerKeys::load(dir)?.identity(&config.addresses);
    println!("{}", serde_json::to_string_pretty(&identity)?);
    Ok(())
}

fn check(dir: &Path) -> anyhow::Result<()> {
    let config = Config::load(dir)?;
    ServerKeys::load(dir)?;
    Store::open(&config.database)?.close();
    println!("configuration, keys and database are fine");
    Ok(())
}

fn rescue(dir: &Path, from: &Path, jobs_key: JobsKey) -> anyhow::Result<()> {
    let rescued = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(crate::rescue::rescue(dir, from, jobs_key))?;
    println!("{}", serde_json::to_string(&rescued)?);
    Ok(())
}

fn quarantine(dir: &Path, text: String) -> anyhow::Result<()> {
    let config = Config::load(dir)?;
    let mut store = Store::open(&config.database)?;
    let reason = QuarantineReason { code: "alarm".to_owned(), text };
    store.call(Access::Write, move |tx| {
        crate::quarantine::enter(tx, crate::app::now(), vec![reason])
    })?;
    store.close();
    println!(
        "in quarantine; next: freeze (`bartizan freeze org`), look, then `bartizan preflight`"
    );
    Ok(())
}

fn run(dir: &Path, set_aside: bool) -> anyhow::Result<()> {
    let filter = tracing_subscriber::EnvFilter::try_from_env("BARTIZAN_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .init();
    let config = Config::load(dir)?;
    let keys = ServerKeys::load(dir)?;
    // A killed server left it behind; it says where that one listened.
    let _ = std::fs::remove_file(dir.join("ready.json"));
    let store = match Store::open(&config.database) {
        Err(StoreError::Damaged { path, finding }) if set_aside => {
            let kept = bartizan_store::set_aside(&path, &crate::app::now().get().to_string())?;
            tracing::error!(
                "the database was damaged ({finding}) and is kept as `{}`",
                kept.display()
            );
            Store::open(&config.database)?
        }
        opened => opened?,
    };
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(crate::run::serve(config, keys, store))
}
