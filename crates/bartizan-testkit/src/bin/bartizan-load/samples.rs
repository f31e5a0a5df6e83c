//! Endpoints that send metrics as `bartizan-guard` does: kept until confirmed, sent again after every broken connection. At the
//! end the server is asked what it can give back.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use bartizan_proto::frame::{FrameReader, encode_frame};
use bartizan_proto::message::{Message, Report as Sent};
use bartizan_proto::series::SeriesAnswer;
use bartizan_testkit::load::endpoint::{Endpoint, Fleet, device_key, now};
use bartizan_testkit::load::figures::{float, median, per, round};
use bartizan_testkit::load::machine::Machine;
use bartizan_testkit::load::proc::{self, Memory};
use bartizan_testkit::load::server::Server;
use bartizan_testkit::numbers::Numbers;
use serde::Serialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio_rustls::client::TlsStream;

use crate::Arguments;
use crate::operators::Operators;
use crate::watching::{Waited, Watcher};

/// Samples of a report, a minute apart.
const SAMPLES: usize = 5;
/// Seconds that a report is about.
const REPORT_S: u64 = 300;
/// Reports on their way at once, as on an endpoint.
const IN_FLIGHT_MAX: usize = 8;
/// Handshakes under way at once.
const CONNECTING_MAX: usize = 64;
const PATIENCE: Duration = Duration::from_mins(3);
/// Longest storm, and whatever else comes after the measured time.
const STORM_S_MAX: u64 = 180;
/// Longest time asked for at once: a point a minute stays below what an answer may have.
const ASKED_S: u64 = 100_000;

/// What was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Figures {
    endpoints: u32,
    seconds: u64,
    /// How much faster than an endpoint's own pace.
    speed: u64,
    reports_sent: u64,
    samples_sent: u64,
    samples_stored: u64,
    samples_lost: u64,
    samples_twice: u64,
    samples_per_second: f64,
    server_cpu_us_per_report: f64,
    samples_per_server_cpu_second: f64,
    server_cpu_percent: f64,
    generator_cpu_percent: f64,
    lag_ms_median: f64,
    lag_ms_max: f64,
    server_rss_kib: u64,
    server_rss_kib_per_endpoint: f64,
    disk_bytes_per_sample: f64,
    disk_bytes_per_endpoint_and_day: f64,
    connect_ms: f64,
    storm_ms: Option<f64>,
    kills: u32,
    /// Until every endpoint's first inventory was stored, if they sent one.
    inventories_ms: Option<f64>,
    /// Somebody at a console meanwhile.
    console: Waited,
}

/// What all endpoints share.
struct Shared {
    fleet: Arc<Fleet>,
    permits: Semaphore,
    begin: Instant,
    /// The first sample's time.
    base: u64,
    speed: u64,
    packages: u32,
    connected: AtomicU64,
    /// Endpoints whose inventory is stored.
    listed: AtomicU64,
    made: AtomicU64,
    reports: AtomicU64,
    lag_ms: Mutex<Vec<f64>>,
    /// Samples are made until this is true.
    ended: watch::Receiver<bool>,
    /// Connections end when it changes.
    storm: watch::Receiver<u32>,
}

/// Runs it all.
pub(crate) async fn measure(
    arguments: &Arguments,
    seconds: u64,
    binary: &Path,
    dir: &Path,
) -> Result<Figures> {
    let mut server = Server::start(binary, dir)?;
    let operators = Arc::new(Operators::open(&server, arguments.agents).await?);
    let speed = arguments.speed.max(1);
    let (end, ended) = watch::channel(false);
    let (blow, storm) = watch::channel(0);
    // All samples lie in the past, whatever the speed and however long a storm takes.
    let span = (seconds + STORM_S_MAX) * speed + 2 * REPORT_S;
    let base = (now()?.get() - span) / REPORT_S * REPORT_S;
    let (before, begin) = (Memory::of(server.pid())?, Instant::now());
    let fleet = crate::fleet::shared(&server, &operators, arguments);
    let shared = Arc::new(Shared::new(fleet, (base, speed), arguments.packages, ended, storm));
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..arguments.agents {
        tasks.spawn(live(Arc::clone(&shared), number));
    }
    shared.wait_connected(arguments.agents).await?;
    let connect_ms = round(begin.elapsed().as_secs_f64() * 1000.0);
    let idle = Memory::of(server.pid())?;

    let disk = disk_bytes(dir);
    let (from, own) = (Instant::now(), proc::own_cpu_ns());
    let until = from + Duration::from_secs(seconds);
    let watcher = Watcher::begin(Arc::clone(&operators));
    let mut watched = Watched { cpu_ms: 0, since: proc::cpu_ms(server.pid())?, kills: 0 };
    watched.wait(&mut server, until, arguments.kill.then_some(binary)).await?;
    let inventories_ms = shared.wait_listed(arguments.agents).await?;
    let storm_ms =
        if arguments.storm { Some(shared.blow(&blow, arguments.agents).await?) } else { None };
    end.send_replace(true);
    let ending = async { while tasks.join_next().await.is_some() {} };
    tokio::time::timeout(PATIENCE, ending).await.context("reports are not confirmed")?;
    let elapsed = from.elapsed().as_secs_f64();
    let console = watcher.end().await?;
    let cpu_ms = watched.cpu_ms + proc::cpu_ms(server.pid())? - watched.since;
    let own_ms = float((proc::own_cpu_ns() - own) / 1_000_000);

    let made = shared.made.load(Ordering::Relaxed);
    let (stored, twice) = stored(&operators, arguments.agents, base, now()?.get()).await?;
    let grown = disk_bytes(dir).saturating_sub(disk);
    let reports = shared.reports.load(Ordering::Relaxed);
    let lag = std::mem::take(&mut *shared.lag_ms.lock().unwrap_or_else(PoisonError::into_inner));
    let agents = u64::from(arguments.agents);
    let days = float(seconds * speed) / 86_400.0;
    Ok(Figures {
        endpoints: arguments.agents,
        seconds,
        speed,
        reports_sent: reports,
        samples_sent: made,
        samples_stored: stored,
        samples_lost: made.saturating_sub(stored),
        samples_twice: twice,
        samples_per_second: round(float(made) / elapsed),
        server_cpu_us_per_report: round(per(float(cpu_ms) * 1000.0, reports)),
        samples_per_server_cpu_second: round(per(float(made) * 1000.0, cpu_ms)),
        server_cpu_percent: round(float(cpu_ms) / elapsed / 10.0),
        generator_cpu_percent: round(own_ms / elapsed / 10.0),
        lag_ms_median: round(median(&lag)),
        lag_ms_max: round(lag.iter().copied().fold(0.0, f64::max)),
        server_rss_kib: idle.rss_kib,
        server_rss_kib_per_endpoint: round(per(
            float(idle.rss_kib.saturating_sub(before.rss_kib)),
            agents,
        )),
        disk_bytes_per_sample: round(per(float(grown), made)),
        disk_bytes_per_endpoint_and_day: round(per(float(grown), agents) / days),
        connect_ms,
        storm_ms,
        kills: watched.kills,
        inventories_ms,
        console,
    })
}

impl Figures {
    /// Nothing may be lost, and nothing be there twice.
    pub(crate) fn judge(&self) -> Result<()> {
        ensure!(self.samples_lost == 0, "{} samples were lost", self.samples_lost);
        ensure!(self.samples_twice == 0, "{} samples are there twice", self.samples_twice);
        ensure!(self.samples_stored == self.samples_sent, "more samples than were sent");
        Ok(())
    }
}

/// The server while metrics come, however often it is another process.
struct Watched {
    /// Of the processes before.
    cpu_ms: u64,
    /// Of this one, when it was first looked at.
    since: u64,
    kills: u32,
}

impl Watched {
    async fn wait(
        &mut self,
        server: &mut Server,
        until: Instant,
        kill: Option<&Path>,
    ) -> Result<()> {
        let mut numbers = Numbers::new(7);
        while Instant::now() < until {
            let pause = Duration::from_millis(1000 + numbers.draw() % 4000);
            tokio::time::sleep(pause.min(until - Instant::now())).await;
            if let Some(binary) = kill.filter(|_| Instant::now() < until) {
                self.cpu_ms += proc::cpu_ms(server.pid())? - self.since;
                server.kill_and_restart(binary)?;
                (self.since, self.kills) = (proc::cpu_ms(server.pid())?, self.kills + 1);
            }
        }
        Ok(())
    }
}

impl Shared {
    fn new(
        fleet: Arc<Fleet>,
        (base, speed): (u64, u64),
        packages: u32,
        ended: watch::Receiver<bool>,
        storm: watch::Receiver<u32>,
    ) -> Self {
        Self {
            fleet,
            permits: Semaphore::new(CONNECTING_MAX),
            begin: Instant::now(),
            base,
            speed,
            packages,
            connected: AtomicU64::new(0),
            listed: AtomicU64::new(0),
            made: AtomicU64::new(0),
            reports: AtomicU64::new(0),
            lag_ms: Mutex::new(Vec::new()),
            ended,
            storm,
        }
    }

    async fn wait_connected(&self, agents: u32) -> Result<()> {
        self.wait(&self.connected, agents, "not all endpoints are connected").await
    }

    /// Until every first inventory is stored, if there are any: how long since the beginning, in milliseconds.
    async fn wait_listed(&self, agents: u32) -> Result<Option<f64>> {
        if self.packages == 0 {
            return Ok(None);
        }
        self.wait(&self.listed, agents, "not all inventories are stored").await?;
        Ok(Some(round(self.begin.elapsed().as_secs_f64() * 1000.0)))
    }

    /// Breaks every connection: how long until all are back, in milliseconds.
    async fn blow(&self, storm: &watch::Sender<u32>, agents: u32) -> Result<f64> {
        self.connected.store(0, Ordering::Relaxed);
        let begin = Instant::now();
        storm.send_replace(1);
        self.wait_connected(agents).await?;
        Ok(round(begin.elapsed().as_secs_f64() * 1000.0))
    }

    /// Until a count is there, or does not rise any more.
    async fn wait(&self, count: &AtomicU64, agents: u32, problem: &str) -> Result<()> {
        let (mut last, mut deadline) = (0, Instant::now() + PATIENCE);
        loop {
            let now = count.load(Ordering::Relaxed);
            if now >= u64::from(agents) {
                return Ok(());
            }
            if now != last {
                (last, deadline) = (now, Instant::now() + PATIENCE);
            }
            ensure!(Instant::now() < deadline, "{problem}: {now} of {agents} after 3 minutes more");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// One endpoint, from its first connection to its last confirmation.
struct Source {
    shared: Arc<Shared>,
    machine: Machine,
    next_sample: u64,
    /// When the next report is made.
    due: tokio::time::Instant,
    seq: u64,
    /// The last report of its inventory.
    listing: u64,
    waiting: VecDeque<(Sent, Instant)>,
    sent: usize,
    epoch: u64,
}

async fn live(shared: Arc<Shared>, number: u32) {
    // Nothing is asked of these channels.
    let (tell, _events) = mpsc::channel(1);
    let Ok(endpoint) = Endpoint::new(Arc::clone(&shared.fleet), number, tell) else { return };
    let mut numbers = Numbers::new(u64::from(number));
    let every_ms = REPORT_S * 1000 / shared.speed;
    let first = Duration::from_millis(numbers.draw() % every_ms.max(1));
    let due = tokio::time::Instant::from_std(shared.begin) + first;
    let mut machine = Machine::new(number);
    let inventory =
        if shared.packages > 0 { machine.packages(shared.packages) } else { Vec::new() };
    let waiting: VecDeque<_> = (1..)
        .zip(inventory)
        .map(|(seq, bytes)| {
            let (epoch, at) = (u64::from(number) + 1, shared.base);
            (Sent { epoch, seq, at, dropped: 0, kind: 1, bytes }, Instant::now())
        })
        .collect();
    let listing = u64::try_from(waiting.len()).unwrap_or(u64::MAX);
    let mut source = Source {
        next_sample: shared.base,
        machine,
        due,
        seq: listing + 1,
        listing,
        waiting,
        sent: 0,
        epoch: u64::from(number) + 1,
        shared,
    };
    loop {
        let opened = async {
            let _permit = source.shared.permits.acquire().await?;
            endpoint.connect().await
        };
        if let Ok(mut stream) = opened.await {
            source.sent = 0;
            if source.converse(&mut stream).await.is_ok_and(|done| done) {
                return;
            }
        }
        tokio::time::sleep(Duration::from_millis(50 + numbers.draw() % 500)).await;
    }
}

impl Source {
    /// True when everything is made and confirmed.
    async fn converse(&mut self, stream: &mut TlsStream<TcpStream>) -> Result<bool> {
        let mut reader = FrameReader::new();
        let mut buffer = vec![0; 2048];
        let (mut ended, mut storm) = (self.shared.ended.clone(), self.shared.storm.clone());
        storm.mark_unchanged();
        let mut beat = tokio::time::interval(Duration::from_secs(30));
        let mut welcomed = false;
        loop {
            let over = *ended.borrow_and_update();
            if over && self.waiting.is_empty() {
                return Ok(true);
            }
            if welcomed {
                self.send(stream).await?;
            }
            tokio::select! {
                read = stream.read(&mut buffer) => {
                    let read = read?;
                    ensure!(read > 0, "closed");
                    reader.extend(buffer.get(..read).unwrap_or_default());
                    while let Some(message) = reader.next_message()? {
                        match message {
                            Message::Welcome { admitted, .. } => {
                                ensure!(admitted, "held in quarantine");
                                welcomed = true;
                                self.shared.connected.fetch_add(1, Ordering::Relaxed);
                            }
                            Message::ReportStored { seq, .. } => self.confirm(seq),
                            _ => {}
                        }
                    }
                }
                () = tokio::time::sleep_until(self.due), if !over => self.make(),
                _ = beat.tick() => {
                    stream.write_all(&encode_frame(&Message::Heartbeat { seq: 1 })).await?;
                }
                _ = ended.changed(), if !over => {}
                _ = storm.changed() => return Ok(false),
            }
        }
    }

    fn make(&mut self) {
        let samples = self.machine.batch(self.next_sample, SAMPLES);
        let last = samples.times.last().copied().unwrap_or_default();
        self.next_sample += REPORT_S;
        self.due += Duration::from_millis(REPORT_S * 1000 / self.shared.speed);
        let count = u64::try_from(samples.count()).unwrap_or_default();
        self.shared.made.fetch_add(count, Ordering::Relaxed);
        self.shared.reports.fetch_add(1, Ordering::Relaxed);
        let (epoch, seq, bytes) = (self.epoch, self.seq, samples.encode());
        self.seq += 1;
        let report = Sent { epoch, seq, at: last, dropped: 0, kind: 2, bytes };
        self.waiting.push_back((report, Instant::now()));
    }

    async fn send(&mut self, stream: &mut TlsStream<TcpStream>) -> Result<()> {
        while self.sent < self.waiting.len().min(IN_FLIGHT_MAX) {
            let Some((report, _)) = self.waiting.get(self.sent) else { break };
            stream.write_all(&encode_frame(&Message::Report(report.clone()))).await?;
            self.sent += 1;
        }
        Ok(stream.flush().await?)
    }

    fn confirm(&mut self, seq: u64) {
        while self.waiting.front().is_some_and(|(report, _)| report.seq <= seq) {
            let Some((report, made)) = self.waiting.pop_front() else { break };
            self.sent = self.sent.saturating_sub(1);
            if report.seq <= self.listing {
                self.shared
                    .listed
                    .fetch_add(u64::from(report.seq == self.listing), Ordering::Relaxed);
                continue;
            }
            let lag = made.elapsed().as_secs_f64() * 1000.0;
            self.shared.lag_ms.lock().unwrap_or_else(PoisonError::into_inner).push(lag);
        }
    }
}

/// Values that the server gives back, and how many stand twice at one time.
async fn stored(operators: &Operators, agents: u32, from: u64, to: u64) -> Result<(u64, u64)> {
    let (mut count, mut twice) = (0, 0);
    for number in 0..agents {
        let id = device_key(number)?.public.endpoint_id();
        let mut first = from;
        while first <= to {
            let last = (first + ASKED_S - 1).min(to);
            let path =
                format!("/v1/endpoints/{id}/series?from={first}&to={last}&step_s=60&stat=last");
            let answer: SeriesAnswer = operators.fetch(&path).await?;
            for row in &answer.series {
                count += u64::try_from(row.points.len())?;
                let pairs = row.points.windows(2);
                twice += u64::try_from(
                    pairs.filter(|p| p.first().map(|a| a.0) >= p.get(1).map(|b| b.0)).count(),
                )?;
            }
            first = last + 1;
        }
    }
    Ok((count, twice))
}

/// Of the server's database.
fn disk_bytes(dir: &Path) -> u64 {
    let size = |name: &str| dir.join(name).metadata().map_or(0, |metadata| metadata.len());
    size("server.db") + size("server.db-wal")
}
