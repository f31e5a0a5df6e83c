//! Asks a real server about the inventories of a large fleet: `cargo bench -p bartizan-server --bench inventory`.
//!
//! The sections are written into the store before the server starts, as its agent plane would have written them: three
//! distributions, packages at five levels of patches, some of everything else. Each question goes over a TLS connection of
//! its own, and its answer is read to the end. Medians are shown, and what all of it takes on the disk.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use bartizan_proto::management::InventoryFound;
use bartizan_proto::operator::{EnvelopeBody, LoginAnswer};
use bartizan_store::{
    Access, Admission, IndexItem, Introduction, Location, SectionRecord, SectionWrite, Store,
    StoreError, Tx,
};
use bartizan_testkit::load::endpoint::now;
use bartizan_testkit::load::figures::{float, per, round};
use bartizan_testkit::load::organisation::Organisation;
use bartizan_testkit::load::plane::Console;
use bartizan_testkit::load::proc;
use bartizan_testkit::load::server::Server;
use bartizan_testkit::numbers::Numbers;
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::{EndpointId, Sha256, StatementId};
use clap::Parser;
use data_encoding::BASE64;
use serde::Serialize;

/// Endpoints written in one transaction.
const AT_ONCE: u32 = 100;

/// Asks a server about the inventories of a large fleet.
#[derive(Debug, Parser)]
struct Arguments {
    /// Endpoints in its database.
    #[arg(long, default_value_t = 10_000)]
    endpoints: u32,
    /// Packages of each.
    #[arg(long, default_value_t = 1_500)]
    packages: u32,
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
    found: u64,
    median_ms: f64,
    longest_ms: f64,
    server_cpu_ms: f64,
}

/// Everything.
#[derive(Debug, Serialize)]
struct Figures {
    endpoints: u32,
    packages_each: u32,
    written_in_s: f64,
    disk_bytes_per_endpoint: u64,
    questions: Vec<Figure>,
}

const QUESTIONS: &[(&str, &str)] = &[
    ("a word that is everywhere", "lib"),
    ("a word that one machine has", "serial-004217"),
    ("a word that nothing has", "nothing-has-this-name"),
    ("two letters", "ng"),
    ("a package", "package:base-0017"),
    ("an older package", "package:base-0017<1.17.3"),
    ("all but a package", "-package:extra-00042"),
    ("a port and a system", "port:3389 os:debian"),
    ("a user", "user:admin7"),
    ("five terms", "os:ubuntu package:base-0100>=1.100.2 -port:3389 service:nginx lib"),
];

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let figures = runtime.block_on(measure(&arguments))?;
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&figures)?);
        return Ok(());
    }
    println!(
        "{} endpoints of {} packages: written in {} s, {} bytes on the disk for each; milliseconds: median, longest, the server's own",
        figures.endpoints,
        figures.packages_each,
        figures.written_in_s,
        figures.disk_bytes_per_endpoint
    );
    for figure in figures.questions {
        println!(
            "{:32} {:8.1} {:8.1} {:8.1}   {} endpoints",
            figure.question,
            figure.median_ms,
            figure.longest_ms,
            figure.server_cpu_ms,
            figure.found
        );
    }
    Ok(())
}

async fn measure(arguments: &Arguments) -> Result<Figures> {
    let temporary = tempfile::tempdir()?;
    let dir = temporary.path().join("server");
    std::fs::create_dir_all(&dir)?;
    let (endpoints, packages) = (arguments.endpoints, arguments.packages);
    let mut written_in_s = 0.0;
    let server =
        Server::start_after(Path::new(env!("CARGO_BIN_EXE_bartizan-server")), &dir, |dir| {
            let begin = Instant::now();
            fill(dir, endpoints, packages)?;
            written_in_s = round(begin.elapsed().as_secs_f64());
            Ok(())
        })?;
    let bytes = std::fs::metadata(dir.join("server.db"))?.len();
    let console = login(&server).await?;
    let rounds = usize::try_from(arguments.rounds.max(1))?;
    let mut questions = Vec::new();
    for (question, query) in QUESTIONS {
        let path = format!("/v1/inventory/search?limit=100&query={}", encoded(query));
        let before = proc::cpu_ms(server.pid())?;
        let mut times = Vec::with_capacity(rounds);
        let mut found = 0;
        for _ in 0..rounds {
            let begin = Instant::now();
            let answer = console.fetch_bytes(&path).await?;
            times.push(begin.elapsed().as_secs_f64() * 1000.0);
            found = check(question, &answer, endpoints)?;
        }
        let used = proc::cpu_ms(server.pid())? - before;
        times.sort_by(f64::total_cmp);
        questions.push(Figure {
            question,
            found,
            median_ms: round(times.get(rounds / 2).copied().unwrap_or_default()),
            longest_ms: round(times.last().copied().unwrap_or_default()),
            server_cpu_ms: round(per(float(used), u64::from(arguments.rounds.max(1)))),
        });
    }
    Ok(Figures {
        endpoints,
        packages_each: packages,
        written_in_s,
        disk_bytes_per_endpoint: bytes / u64::from(endpoints.max(1)),
        questions,
    })
}

/// An answer that says nothing is quick.
fn check(question: &str, answer: &[u8], endpoints: u32) -> Result<u64> {
    let found: InventoryFound = serde_json::from_slice(answer)?;
    let all = u64::from(endpoints);
    let wanted = match question {
        "a word that is everywhere" | "a package" | "two letters" => found.total == all,
        "a word that one machine has" => found.total == u64::from(endpoints > 4217),
        "a word that nothing has" => found.total == 0,
        _ => found.total > 0 && found.total < all,
    };
    ensure!(
        wanted && found.not_judged == 0,
        "{question}: {} endpoints, {} not judged",
        found.total,
        found.not_judged
    );
    Ok(found.total)
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

fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    text.bytes()
        .map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}

fn fill(dir: &Path, endpoints: u32, packages: u32) -> Result<()> {
    let store = Store::open(&Location::Sqlite(dir.join("server.db")))?;
    for first in (0..endpoints).step_by(usize::try_from(AT_ONCE)?) {
        let write = move |tx: &mut Tx<'_>| {
            (first..endpoints.min(first + AT_ONCE))
                .try_for_each(|number| endpoint(tx, number, packages))
        };
        store.call(Access::Write, write).context("write the endpoints")?;
    }
    Ok(())
}

fn endpoint(tx: &mut Tx<'_>, number: u32, packages: u32) -> Result<(), StoreError> {
    let id = EndpointId::new(Sha256::of(&number.to_be_bytes()));
    let who = Introduction {
        id,
        hostname: format!("host-{number:06}"),
        os: "Linux".to_owned(),
        descriptor: vec![0; 700],
        enrolment: vec![0; 600],
        control_size: 1,
        jobs_size: 0,
    };
    let wrong = |_| StoreError::Column("tenant");
    let admission = Admission {
        enrolment: StatementId::new(Sha256::of(b"enrolment")),
        tenant: "tn_customer".parse().map_err(wrong)?,
        site: "si_hq".parse().map_err(wrong)?,
        uses_max: 1_000_000,
        auto: true,
    };
    if number == 0 {
        tx.put_enrolment(admission.enrolment, &who.enrolment)?;
    }
    tx.introduce(&who, Some(&admission), 1_800_000_000)?;
    for (section, items) in machine(number, packages) {
        put(tx, id, section, &items)?;
    }
    Ok(())
}

/// Name, and the other texts of an item.
type Thing = (String, Vec<(&'static str, String)>);

fn machine(number: u32, packages: u32) -> Vec<(&'static str, Vec<Thing>)> {
    const SYSTEMS: [(&str, &str); 3] = [
        ("debian", "Debian GNU/Linux 12 (bookworm)"),
        ("ubuntu", "Ubuntu 24.04 LTS"),
        ("rocky", "Rocky Linux 9"),
    ];
    let mut numbers = Numbers::new(u64::from(number) + 1);
    let mut below = |max: usize| numbers.below(max);
    let at = usize::try_from(number % 3).unwrap_or(0);
    let (system, pretty) = SYSTEMS.get(at).copied().unwrap_or(("debian", "Debian"));
    let level = below(5);
    let base = packages * 13 / 15;
    let mut all: Vec<Thing> = (0..base)
        .map(|package| {
            // Most are at the machine's own level of patches.
            let level = if below(20) == 0 { below(5) } else { level };
            let version = format!("1.{package}.{level}-1{system}");
            (
                format!("{}base-{package:04}", if package > 500 { "lib" } else { "" }),
                vec![
                    ("version", version),
                    ("arch", "amd64".to_owned()),
                    ("manager", "dpkg".to_owned()),
                ],
            )
        })
        .collect();
    all.extend((base..packages).map(|_| {
        let package = below(20_000);
        let version = format!("2.{}-1", below(3));
        (
            format!("extra-{package:05}"),
            vec![
                ("version", version),
                ("arch", "amd64".to_owned()),
                ("manager", "dpkg".to_owned()),
            ],
        )
    }));
    let mut sections = other_sections(number, system, pretty, level);
    sections.push(("packages", all));
    sections
}

/// Everything but packages.
fn other_sections(
    number: u32,
    system: &str,
    pretty: &str,
    level: usize,
) -> Vec<(&'static str, Vec<Thing>)> {
    let value = |name: &str, value: String| (name.to_owned(), vec![("value", value)]);
    let service = |unit: u32| {
        let name = if unit == 0 && number.is_multiple_of(4) {
            "nginx".to_owned()
        } else {
            format!("unit-{unit}")
        };
        (name, vec![("state", "running".to_owned()), ("start", "enabled".to_owned())])
    };
    let ports = [22, 80, 443, if number.is_multiple_of(10) { 3389 } else { 8080 }];
    vec![
        (
            "os",
            vec![
                value("id", system.to_owned()),
                value("name", pretty.to_owned()),
                value("hostname", format!("host-{number:06}")),
                value("kernel", format!("6.1.0-{level}")),
            ],
        ),
        (
            "hardware",
            vec![
                value("serial", format!("SERIAL-{number:06}")),
                value("model", format!("Model {}", number % 40)),
                value("vendor", "Maker Inc.".to_owned()),
            ],
        ),
        (
            "network",
            vec![(
                "eth0".to_owned(),
                vec![
                    ("mac", format!("02:00:00:{:02x}:{:02x}:01", number >> 8 & 255, number & 255)),
                    ("addresses", format!("10.{}.{}.7", number >> 8 & 255, number & 255)),
                ],
            )],
        ),
        (
            "users",
            (0..30)
                .map(|user| {
                    (
                        if user == 7 && !number.is_multiple_of(100) {
                            "other7".to_owned()
                        } else {
                            format!("admin{user}")
                        },
                        vec![("shell", "/bin/bash".to_owned())],
                    )
                })
                .collect(),
        ),
        ("services", (0..120).map(service).collect()),
        (
            "ports",
            ports
                .iter()
                .map(|port| (port.to_string(), vec![("process", "server".to_owned())]))
                .collect(),
        ),
    ]
}

fn put(tx: &mut Tx<'_>, id: EndpointId, section: &str, things: &[Thing]) -> Result<(), StoreError> {
    let mut added = vec![index_item(section, "!", "!", String::new(), &[])];
    let mut body = serde_json::Map::new();
    for (name, fields) in things {
        let mut item: serde_json::Map<String, serde_json::Value> = fields
            .iter()
            .map(|(field, text)| ((*field).to_owned(), text.as_str().into()))
            .collect();
        item.insert("name".to_owned(), name.as_str().into());
        let mut text = format!("{name}\n{name}");
        for (_, more) in fields {
            text.push('\n');
            text.push_str(more);
        }
        added.push(index_item(section, name, name, text.to_lowercase(), fields));
        body.insert(name.clone(), item.into());
    }
    let body = serde_json::to_vec(&body).unwrap_or_default();
    let section = SectionRecord {
        name: section.to_owned(),
        hash: Sha256::of(&body),
        items: u64::try_from(things.len()).unwrap_or(0),
        body,
        at: 1_800_000_000,
        own_at: 1_800_000_000,
        indexed: true,
    };
    tx.put_section(
        id,
        &SectionWrite { section: &section, added: &added, removed: &[], changes: &[] },
    )
}

fn index_item(
    section: &str,
    name: &str,
    key: &str,
    text: String,
    fields: &[(&str, String)],
) -> IndexItem {
    let field = |wanted: &str| {
        fields.iter().find(|(name, _)| *name == wanted).map(|(_, text)| text.clone())
    };
    IndexItem {
        hash: Sha256::of(format!("{section}\n{key}\n{text}").as_bytes()),
        name: name.to_lowercase(),
        key: key.to_owned(),
        text,
        version: field("version"),
        manager: field("manager"),
    }
}
