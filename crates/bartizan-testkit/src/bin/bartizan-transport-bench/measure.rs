//! Runs the candidates one after the other and shows medians and ratios.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use bartizan_testkit::load::figures::{float, median, per, round};
use bartizan_testkit::load::proc::Memory;
use bartizan_testkit::load::proxy::Proxy;
use bytes::Bytes;
use serde::Serialize;

use crate::client::{Connection, Target};
use crate::{Arguments, Transport};

/// Bytes of one message.
const MESSAGE_BYTES: usize = 64;
/// Handshakes under way at once: enough to keep the server busy, few enough for its backlog.
const CONNECTING_MAX: usize = 64;

/// Medians of one candidate.
#[derive(Debug, Serialize)]
struct Row {
    transport: &'static str,
    idle_kib_per_connection: f64,
    used_kib_per_connection: f64,
    connect_cpu_us: f64,
    message_cpu_us: f64,
    passes_connect_proxy: bool,
    idle_ratio: f64,
    message_ratio: f64,
}

/// One run of one candidate.
#[derive(Debug, Default)]
struct Run {
    idle_kib: f64,
    used_kib: f64,
    connect_us: f64,
    message_us: f64,
    proxied: bool,
}

pub(crate) fn compare(arguments: &Arguments) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut rows: Vec<Row> = Vec::new();
    for transport in Transport::ALL.into_iter().filter(|t| arguments.only.is_none_or(|o| o == *t)) {
        let mut runs = Vec::new();
        for run in 1..=arguments.runs.max(1) {
            eprintln!("{} run {run} of {}", transport.name(), arguments.runs.max(1));
            runs.push(runtime.block_on(one_run(transport, arguments))?);
        }
        let floor = rows.first().map(|row| (row.idle_kib_per_connection, row.message_cpu_us));
        rows.push(summarise(transport, &runs, floor));
    }
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&rows)?);
    } else {
        print_table(&rows);
    }
    Ok(())
}

fn summarise(transport: Transport, runs: &[Run], floor: Option<(f64, f64)>) -> Row {
    let middle = |of: fn(&Run) -> f64| round(median(&runs.iter().map(of).collect::<Vec<_>>()));
    let idle = middle(|run| run.idle_kib);
    let message = middle(|run| run.message_us);
    let (idle_floor, message_floor) = floor.unwrap_or((idle, message));
    Row {
        transport: transport.name(),
        idle_kib_per_connection: idle,
        used_kib_per_connection: middle(|run| run.used_kib),
        connect_cpu_us: middle(|run| run.connect_us),
        message_cpu_us: message,
        passes_connect_proxy: runs.iter().all(|run| run.proxied),
        idle_ratio: round(idle / idle_floor),
        message_ratio: round(message / message_floor),
    }
}

fn print_table(rows: &[Row]) {
    println!(
        "| transport | KiB per idle connection | after traffic | CPU µs per connection | CPU µs per 64 B echo | through a CONNECT proxy | memory | message |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for row in rows {
        let proxied = if row.passes_connect_proxy { "yes" } else { "no" };
        println!(
            "| {} | {:.1} | {:.1} | {:.0} | {:.1} | {proxied} | {:.1}× | {:.1}× |",
            row.transport,
            row.idle_kib_per_connection,
            row.used_kib_per_connection,
            row.connect_cpu_us,
            row.message_cpu_us,
            row.idle_ratio,
            row.message_ratio,
        );
    }
}

async fn one_run(transport: Transport, arguments: &Arguments) -> Result<Run> {
    let mut server = Server::start(transport)?;
    let target = server.target(transport)?;
    let message = Bytes::from(vec![b'b'; MESSAGE_BYTES]);
    let proxied = passes_proxy(&target, &message).await;

    let (memory, cpu) = (server.memory_kib()?, server.cpu_ns()?);
    let mut open = connect_all(&target, arguments.connections).await?;
    let connect_ns = server.cpu_ns()? - cpu;
    let idle = server.memory_kib()? - memory;

    // One exchange each before counting: HTTP/2 settles its windows here.
    echo_all(&mut open, 1, &message).await?;
    let each = (arguments.messages / arguments.connections.max(1)).max(1);
    let cpu = server.cpu_ns()?;
    echo_all(&mut open, each, &message).await?;
    let message_ns = server.cpu_ns()? - cpu;
    let used = server.memory_kib()? - memory;
    Ok(Run {
        idle_kib: per(idle, arguments.connections),
        used_kib: per(used, arguments.connections),
        connect_us: per(float(connect_ns) / 1000.0, arguments.connections),
        message_us: per(float(message_ns) / 1000.0, each * arguments.connections),
        proxied,
    })
}

/// Tried, not assumed: one echo through a tunnel that the proxy counted.
async fn passes_proxy(target: &Target, message: &Bytes) -> bool {
    let attempt = async {
        let proxy = Proxy::start().await?;
        target.connect(Some(&proxy)).await?.echo(message).await?;
        anyhow::Ok(proxy.tunnels() == 1)
    };
    tokio::time::timeout(Duration::from_secs(10), attempt)
        .await
        .is_ok_and(|done| done.unwrap_or(false))
}

async fn connect_all(target: &Target, count: u64) -> Result<Vec<Connection>> {
    let permits = std::sync::Arc::new(tokio::sync::Semaphore::new(CONNECTING_MAX));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..count {
        let (target, permits) = (target.clone(), permits.clone());
        tasks.spawn(async move {
            let _permit = permits.acquire_owned().await?;
            target.connect(None).await
        });
    }
    tasks.join_all().await.into_iter().collect()
}

async fn echo_all(open: &mut Vec<Connection>, each: u64, message: &Bytes) -> Result<()> {
    let mut tasks = tokio::task::JoinSet::new();
    for mut connection in open.drain(..) {
        let message = message.clone();
        tasks.spawn(async move {
            for _ in 0..each {
                connection.echo(&message).await?;
            }
            anyhow::Ok(connection)
        });
    }
    *open = tasks.join_all().await.into_iter().collect::<Result<_>>()?;
    Ok(())
}

/// The server program under test; killed when dropped.
struct Server {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Server {
    fn start(transport: Transport) -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["--serve", transport.name()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("start the server")?;
        let stdin = child.stdin.take().context("no standard input")?;
        let stdout = BufReader::new(child.stdout.take().context("no standard output")?);
        Ok(Self { child, stdin, stdout })
    }

    fn target(&mut self, transport: Transport) -> Result<Target> {
        let line = self.line()?;
        let (port, pin) = line.split_once(' ').context("the server said no port")?;
        Target::new(transport, SocketAddr::from(([127, 0, 0, 1], port.parse()?)), pin.parse()?)
    }

    fn cpu_ns(&mut self) -> Result<u64> {
        writeln!(self.stdin, "cpu")?;
        Ok(self.line()?.parse()?)
    }

    /// Anonymous memory once it has stopped moving: the last handshakes may still be finishing.
    fn memory_kib(&self) -> Result<f64> {
        let deadline = Instant::now() + Duration::from_secs(5);
        let mut last = Memory::of(self.child.id())?.anonymous_kib;
        loop {
            std::thread::sleep(Duration::from_millis(200));
            let now = Memory::of(self.child.id())?.anonymous_kib;
            if now == last || Instant::now() > deadline {
                return Ok(float(now));
            }
            last = now;
        }
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        self.stdout.read_line(&mut line).context("the server ended")?;
        Ok(line.trim().to_owned())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
