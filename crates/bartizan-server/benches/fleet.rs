//! Asks a real server what consoles ask, with a large fleet in its database: `cargo bench -p bartizan-server --bench fleet`.
//!
//! The endpoints are written into the store before the server starts, as their first frames would have written them; none is
//! connected. Each question goes over a TLS connection of its own, and its answer is read to the end. Medians are shown.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use bartizan_proto::operator::{EndpointTree, EndpointWindow, EnvelopeBody, LoginAnswer};
use bartizan_store::{Access, Admission, Introduction, Location, Store, StoreError, Tx};
use bartizan_testkit::load::endpoint::now;
use bartizan_testkit::load::figures::{float, per, round};
use bartizan_testkit::load::organisation::Organisation;
use bartizan_testkit::load::plane::Console;
use bartizan_testkit::load::proc;
use bartizan_testkit::load::server::Server;
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::{EndpointId, Sha256, StatementId};
use clap::Parser;
use data_encoding::BASE64;
use serde::Serialize;

/// Asks a server about a large fleet.
#[derive(Debug, Parser)]
struct Arguments {
    /// Endpoints in its database.
    #[arg(long, default_value_t = 100_000)]
    endpoints: u32,
    /// How often each question is asked.
    #[arg(long, default_value_t = 15)]
    rounds: u32,
    /// What `cargo bench` passes to every benchmark.
    #[arg(long, hide = true)]
    bench: bool,
    /// JSON instead of lines.
    #[arg(long)]
    json: bool,
}

/// One question.
#[derive(Debug, Serialize)]
struct Figure {
    question: &'static str,
    median_ms: f64,
    longest_ms: f64,
    server_cpu_ms: f64,
}

const QUESTIONS: &[(&str, &str)] = &[
    ("first rows", "window?limit=100"),
    ("rows in the middle", "window?limit=100&offset=50000"),
    ("a search that finds many", "window?limit=100&search=web-"),
    ("a search that finds one", "window?limit=100&search=site17-00100"),
    ("a search that finds nothing", "window?limit=100&search=nothing-has-this-name"),
    ("one tenant", "window?limit=100&tenant=tn_customer7"),
    ("who is away, by last contact", "window?limit=100&state=away&sort=last_seen"),
    ("the tree of tenants and sites", "tree"),
];

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let figures = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(measure(&arguments))?;
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&figures)?);
        return Ok(());
    }
    println!("{} endpoints; milliseconds: median, longest, the server's own", arguments.endpoints);
    for figure in figures {
        println!(
            "{:32} {:8.1} {:8.1} {:8.1}",
            figure.question, figure.median_ms, figure.longest_ms, figure.server_cpu_ms
        );
    }
    Ok(())
}

async fn measure(arguments: &Arguments) -> Result<Vec<Figure>> {
    let temporary = tempfile::tempdir()?;
    let dir = temporary.path().join("server");
    std::fs::create_dir_all(&dir)?;
    let endpoints = arguments.endpoints;
    let server =
        Server::start_after(Path::new(env!("CARGO_BIN_EXE_bartizan-server")), &dir, |dir| {
            fill(dir, endpoints)
        })?;
    let console = login(&server).await?;
    let rounds = usize::try_from(arguments.rounds.max(1))?;
    let mut figures = Vec::new();
    for (question, path) in QUESTIONS {
        let path = format!("/v1/endpoints/{path}");
        let before = proc::cpu_ms(server.pid())?;
        let mut times = Vec::with_capacity(rounds);
        for _ in 0..rounds {
            let begin = Instant::now();
            let answer = console.fetch_bytes(&path).await?;
            times.push(begin.elapsed().as_secs_f64() * 1000.0);
            check(question, &answer, endpoints)?;
        }
        let used = proc::cpu_ms(server.pid())? - before;
        times.sort_by(f64::total_cmp);
        figures.push(Figure {
            question,
            median_ms: round(times.get(rounds / 2).copied().unwrap_or_default()),
            longest_ms: round(times.last().copied().unwrap_or_default()),
            server_cpu_ms: round(per(float(used), u64::from(arguments.rounds.max(1)))),
        });
    }
    Ok(figures)
}

/// An answer that says nothing is quick.
fn check(question: &str, answer: &[u8], endpoints: u32) -> Result<()> {
    if question.starts_with("the tree") {
        let tree: EndpointTree = serde_json::from_slice(answer)?;
        ensure!(tree.branches.len() == 500, "a tree of {} sites", tree.branches.len());
        return Ok(());
    }
    let window: EndpointWindow = serde_json::from_slice(answer)?;
    let wanted = match question {
        "a search that finds one" => window.total == 1,
        "a search that finds nothing" => window.total == 0,
        "first rows" | "rows in the middle" | "who is away, by last contact" => {
            window.total == u64::from(endpoints)
        }
        _ => window.total > 100 && window.total < u64::from(endpoints),
    };
    ensure!(wanted, "{question}: {} endpoints", window.total);
    Ok(())
}

async fn login(server: &Server) -> Result<Console> {
    let organisation = Organisation::for_server(&server.identity, now()?)?;
    let console = Console::new(server.operator_plane, server.identity.spki)?;
    let _: serde_json::Value = console.send("/v1/genesis", &body(&organisation.genesis)).await?;
    let login = organisation.login(console.key, now()?)?;
    let _: LoginAnswer = console.send("/v1/login", &body(&login)).await?;
    Ok(console)
}

fn body(envelope: &Envelope) -> EnvelopeBody {
    EnvelopeBody { envelope: BASE64.encode(&envelope.encode()) }
}

/// Writes the endpoints: 50 tenants of ten sites each, named as people name machines.
fn fill(dir: &Path, endpoints: u32) -> Result<()> {
    const KINDS: [&str; 6] = ["web", "db", "dc", "ws", "kiosk", "build"];
    let store = Store::open(&Location::Sqlite(dir.join("server.db")))?;
    let fill = move |tx: &mut Tx<'_>| {
        for number in 0..endpoints {
            let kind = KINDS.get(usize::try_from(number % 6).unwrap_or(0)).unwrap_or(&"web");
            let site = number % 500;
            let who = Introduction {
                id: EndpointId::new(Sha256::of(&number.to_be_bytes())),
                hostname: format!("{kind}-site{site}-{:05}", number / 500),
                os: format!("Debian GNU/Linux {}", 10 + number % 4),
                // As large as real ones.
                descriptor: vec![0; 700],
                enrolment: vec![0; 600],
                control_size: 1,
                jobs_size: 0,
            };
            let admission = admission(site).map_err(|_| StoreError::Column("tenant"))?;
            if number < 500 {
                tx.put_enrolment(admission.enrolment, &who.enrolment)?;
            }
            tx.introduce(&who, Some(&admission), u64::from(1_800_000_000 + number % 100_000))?;
        }
        Ok(())
    };
    store.call(Access::Write, fill).context("write the endpoints")
}

/// Ten sites for each tenant.
fn admission(site: u32) -> Result<Admission> {
    Ok(Admission {
        enrolment: StatementId::new(Sha256::of(&site.to_be_bytes())),
        tenant: format!("tn_customer{}", site % 50).parse()?,
        site: format!("si_site{site}").parse()?,
        uses_max: 1_000_000,
        auto: true,
    })
}
