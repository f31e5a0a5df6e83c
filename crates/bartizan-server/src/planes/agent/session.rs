//! One connection of one agent: one task, small buffers, one message after the other.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use bartizan_proto::frame::{FrameReader, encode_frame};
use bartizan_proto::message::{Hello, JobPhase, Message};
use bartizan_proto::operator::JobEvent;
use bartizan_store::{DueJob, StoreError, Tx};
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::{EndpointId, StatementId};
use bartizan_trust::keys::PublicKey;
use bartizan_trust::statement::{Action, Job};
use data_encoding::BASE64;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_rustls::server::TlsStream;

use super::HANDSHAKE_TIMEOUT;
use super::control::ControlCursor;
use super::delivery::{Attempt, InFlight};
use super::policies;
use super::reports::{Incoming, Outcome};
use crate::allowance::Allowance;
use crate::app::{App, now};
use crate::hub::{Link, Wish};
use crate::metrics::count;

/// A peer that takes longer to read one frame is gone.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// Bytes read at once; kept on the task, so small.
const READ_BYTES: usize = 2 * 1024;
/// Bytes of the end of a job's output kept until its receipt comes.
const OUTPUT_TAIL_MAX: usize = 64 * 1024;
/// Jobs of one endpoint whose output is kept at once.
const OUTPUT_JOBS_MAX: usize = 4;
/// Bytes of a report's frame beside what it holds.
const REPORT_HEAD_BYTES: usize = 42;
/// Jobs of which a connection remembers whether they are scans.
const RESULTS_KNOWN_MAX: usize = 256;

/// The state of a connection.
pub(super) struct Session {
    pub(super) app: Arc<App>,
    pub(super) device: PublicKey,
    pub(super) id: EndpointId,
    pub(super) admitted: bool,
    pub(super) control: ControlCursor,
    pub(super) jobs_size: u64,
    /// Jobs known to be due, in order.
    pub(super) due: VecDeque<DueJob>,
    /// Policies known to be due, after the jobs.
    pub(super) due_policies: VecDeque<policies::Due>,
    /// There may be others by now.
    pub(super) look_again: bool,
    pub(super) in_flight: Option<InFlight>,
    pub(super) attempts: HashMap<StatementId, Attempt>,
    /// The job row behind the id the endpoint knows a delivered job by.
    pub(super) rows: HashMap<StatementId, StatementId>,
    pub(super) outputs: HashMap<StatementId, Vec<u8>>,
    /// Which jobs are scans, and how much they may bring.
    results: HashMap<StatementId, Option<u64>>,
    stream: Box<TlsStream<TcpStream>>,
    reader: FrameReader,
    link: Arc<Link>,
    allowance: Allowance,
    pub(super) reports: Incoming,
}

/// Serves a connection until it ends.
pub(super) async fn run(
    app: Arc<App>,
    mut stream: Box<TlsStream<TcpStream>>,
    device: PublicKey,
    stop: watch::Receiver<bool>,
) {
    let id = device.endpoint_id();
    let mut reader = FrameReader::new();
    let hello = match tokio::time::timeout(HANDSHAKE_TIMEOUT, first_frame(&mut stream, &mut reader))
        .await
    {
        Ok(Ok(hello)) => hello,
        Ok(Err(error)) => {
            return tracing::info!(endpoint.id = %id, "agent sent no hello: {error:#}");
        }
        Err(_) => return tracing::info!(endpoint.id = %id, "agent sent no hello in time"),
    };
    let standing = match Box::pin(super::hello::introduce(&app, &device, &hello)).await {
        Ok(standing) => standing,
        Err(error) => {
            count(&app.metrics.handshakes_refused);
            return tracing::warn!(endpoint.id = %id, "agent refused: {error:#}");
        }
    };
    // An endpoint that has seen no entry of the jobs log has no policy: it is new, or has lost its memory.
    if hello.jobs_size == 0
        && let Err(error) = app.db.write(move |tx| tx.forget_policy_targets(id)).await
    {
        return tracing::error!(endpoint.id = %id, %error, "forget where policies stand");
    }
    let admitted = standing.admitted;
    let link = app.hub.connect(id, admitted.then_some(standing.place));
    link.seen(now());
    tracing::info!(endpoint.id = %id, admitted, "agent connected");
    let mut session = Session {
        control: ControlCursor::new(hello.control_size),
        jobs_size: hello.jobs_size,
        app: Arc::clone(&app),
        device,
        id,
        admitted,
        due: VecDeque::new(),
        due_policies: VecDeque::new(),
        look_again: true,
        in_flight: None,
        attempts: HashMap::new(),
        rows: HashMap::new(),
        outputs: HashMap::new(),
        results: HashMap::new(),
        stream,
        reader,
        link: Arc::clone(&link),
        allowance: app.hub.take_allowance(id),
        reports: Incoming::default(),
    };
    match session.serve(stop).await {
        Ok(why) => tracing::info!(endpoint.id = %id, "agent connection ended: {why}"),
        Err(error) => tracing::info!(endpoint.id = %id, "agent connection closed: {error:#}"),
    }
    app.hub.return_allowance(id, session.allowance);
    app.hub.disconnect(id, &link);
    let _ = app.db.write(move |tx| tx.touch(&[(id, now().get())])).await;
}

async fn first_frame(
    stream: &mut TlsStream<TcpStream>,
    reader: &mut FrameReader,
) -> anyhow::Result<Hello> {
    loop {
        if let Some(message) = reader.next_message()? {
            let Message::Hello(hello) = message else { bail!("the first frame is not a hello") };
            return Ok(hello);
        }
        let mut buffer = [0; READ_BYTES];
        let read = stream.read(&mut buffer).await?;
        ensure!(read > 0, "closed");
        reader.extend(buffer.get(..read).unwrap_or_default());
    }
}

async fn sleep_until(at: Option<std::time::Instant>) {
    if let Some(at) = at {
        tokio::time::sleep_until(at.into()).await;
    }
}

/// What made the loop turn.
enum Turn {
    Bytes(usize),
    Wish(Wish),
    Control,
    Timer,
    Room,
    Stored(Result<Outcome, StoreError>),
    Stop,
}

impl Session {
    async fn serve(&mut self, mut stop: watch::Receiver<bool>) -> anyhow::Result<&'static str> {
        let heartbeat = Duration::from_secs(u64::from(self.app.config.heartbeat_s));
        let mut control = self.app.logs.control.subscribe();
        self.send(&Message::Welcome {
            heartbeat_s: self.app.config.heartbeat_s,
            admitted: self.admitted,
        })
        .await?;
        Box::pin(self.push_control(true)).await?;
        Box::pin(self.look_for_work()).await?;
        Box::pin(self.ask_what_quarantine_left_out()).await?;
        self.drain().await?;
        let mut silent_at = Instant::now() + heartbeat * 3;
        loop {
            let timer = self.next_timer().map_or(silent_at, |at| at.min(silent_at));
            let full = self.allowance.wait_until(std::time::Instant::now());
            let mut buffer = [0; READ_BYTES];
            let turn = tokio::select! {
                read = self.stream.read(&mut buffer), if full.is_none() && self.reports.has_room() => Turn::Bytes(read?),
                outcome = self.reports.stored() => Turn::Stored(outcome),
                () = sleep_until(full), if full.is_some() => Turn::Room,
                wish = self.link.wished() => Turn::Wish(wish),
                _ = control.changed() => Turn::Control,
                () = tokio::time::sleep_until(timer) => Turn::Timer,
                _ = stop.changed() => Turn::Stop,
            };
            match turn {
                Turn::Bytes(0) => return Ok("closed by the agent"),
                Turn::Bytes(read) => {
                    silent_at = Instant::now() + heartbeat * 3;
                    self.link.seen(now());
                    self.reader.extend(buffer.get(..read).unwrap_or_default());
                    self.drain().await?;
                }
                Turn::Wish(Wish { close: true, .. }) => {
                    return Ok("replaced or to be judged again");
                }
                Turn::Wish(wish) => Box::pin(self.grant(wish)).await?,
                Turn::Control => Box::pin(self.push_control(false)).await?,
                // What is not read is not heard.
                Turn::Timer if Instant::now() >= silent_at && !self.reports.has_room() => {
                    silent_at = Instant::now() + heartbeat;
                }
                Turn::Timer if Instant::now() >= silent_at => return Ok("no heartbeat"),
                Turn::Timer => Box::pin(self.on_timer()).await?,
                Turn::Room => {}
                Turn::Stored(outcome) => {
                    Box::pin(self.confirm_reports(outcome?)).await?;
                    self.drain().await?;
                }
                Turn::Stop => return Ok("the server stops"),
            }
        }
    }

    async fn grant(&mut self, wish: Wish) -> anyhow::Result<()> {
        for envelope in wish.freezes {
            self.send(&Message::Freeze { envelope: envelope.to_vec() }).await?;
        }
        if wish.inventory {
            self.send(&Message::InventoryRequest).await?;
        }
        if wish.work {
            self.look_for_work().await?;
        }
        Ok(())
    }

    async fn on_timer(&mut self) -> anyhow::Result<()> {
        self.push_control(false).await?;
        self.look_for_work().await
    }

    fn next_timer(&self) -> Option<Instant> {
        let delivery = self.delivery_timer();
        [delivery, self.control.due_at()].into_iter().flatten().min()
    }

    /// Acts on every whole frame that has arrived, as far as there is room for reports.
    async fn drain(&mut self) -> anyhow::Result<()> {
        while self.reports.has_room() {
            let Some(message) = self.reader.next_message()? else { break };
            count(&self.app.metrics.frames_in);
            if let Message::Report(report) = message {
                self.pay(report.bytes.len() + REPORT_HEAD_BYTES);
                self.take_report(report);
                continue;
            }
            // On the heap while it lasts, so that an idle connection is small.
            Box::pin(self.accept(message)).await?;
        }
        self.store_reports();
        Ok(())
    }

    fn pay(&mut self, bytes: usize) {
        let now = std::time::Instant::now();
        let had_room = self.allowance.wait_until(now).is_none();
        self.allowance.spend(bytes, now);
        if had_room && self.allowance.wait_until(now).is_some() {
            count(&self.app.metrics.report_floods);
        }
    }

    async fn accept(&mut self, message: Message) -> anyhow::Result<()> {
        match message {
            Message::Heartbeat { seq } => self.send(&Message::HeartbeatAck { seq }).await,
            Message::Inventory { json } => self.accept_inventory(json).await,
            Message::JobTaken { job, phase, jobs_size } => {
                self.accept_taken(job, phase, jobs_size).await
            }
            Message::Output { job, offset, stream, bytes } => {
                self.accept_output(job, offset, stream.code(), bytes).await
            }
            Message::Receipt { envelope } => self.accept_receipt(envelope).await,
            Message::ControlRequest { from } => {
                self.control.rewind(from);
                self.push_control(true).await
            }
            Message::ContentRequest { sha256, offset } => self.send_content(sha256, offset).await,
            Message::Report(report) => {
                self.take_report(report);
                Ok(())
            }
            Message::Hello(_) => bail!("a second hello"),
            Message::Welcome { .. }
            | Message::Control { .. }
            | Message::Job(_)
            | Message::Content { .. }
            | Message::ReceiptStored { .. }
            | Message::ReportStored { .. }
            | Message::InventoryRequest
            | Message::Freeze { .. }
            | Message::HeartbeatAck { .. }
            | Message::Setup(_)
            | Message::Link { .. }
            | Message::TlsSign { .. }
            | Message::TlsSigned { .. }
            | Message::FreezeFound { .. } => bail!("a message that only goes the other way"),
        }
    }

    /// In quarantine little of an inventory is taken and nothing of it searched.
    async fn ask_what_quarantine_left_out(&mut self) -> anyhow::Result<()> {
        if !self.admitted {
            return Ok(());
        }
        let id = self.id;
        let (all, indexed) = self.app.db.read(move |tx| tx.section_counts(id)).await?;
        if indexed < all {
            self.send(&Message::InventoryRequest).await?;
        }
        Ok(())
    }

    async fn accept_inventory(&self, json: Vec<u8>) -> anyhow::Result<()> {
        // Kept as it came; only its syntax is checked, so that readers get JSON.
        serde_json::from_slice::<serde_json::Value>(&json)
            .context("an inventory that is not JSON")?;
        let (id, at) = (self.id, now().get());
        Ok(self.app.db.write(move |tx| tx.put_inventory(id, &json, at)).await?)
    }

    async fn accept_taken(
        &mut self,
        job: StatementId,
        phase: JobPhase,
        jobs_size: u64,
    ) -> anyhow::Result<()> {
        self.jobs_size = jobs_size;
        if self.in_flight.as_ref().is_some_and(|in_flight| in_flight.known_as == job) {
            self.in_flight = None;
        }
        if phase == JobPhase::Running {
            match self.row_of(job) {
                Some(row) => self.move_target(row, "running").await?,
                None if self.attempts.contains_key(&job) => {
                    self.move_policy(job, "running").await?;
                }
                None => {}
            }
        }
        self.deliver_next().await
    }

    async fn accept_output(
        &mut self,
        job: StatementId,
        offset: u64,
        stream: u8,
        bytes: Vec<u8>,
    ) -> anyhow::Result<()> {
        if self.row_of(job).is_none() {
            // Delivered over an earlier connection, or none of this endpoint's jobs.
            let id = self.id;
            if self.app.db.read(move |tx| tx.job_target(job, id)).await?.is_none() {
                return Ok(());
            }
            self.rows.insert(job, job);
        }
        let Some(row) = self.row_of(job) else { return Ok(()) };
        if let Some(bytes_max) = self.result_max(row).await? {
            ensure!(self.admitted, "a result from quarantine");
            let of = (row, self.id);
            let put = move |tx: &mut Tx<'_>| tx.put_result(of, offset, &bytes, bytes_max);
            return Ok(self.app.db.write(put).await?);
        }
        let bytes = bytes.as_slice();
        if self.outputs.len() >= OUTPUT_JOBS_MAX && !self.outputs.contains_key(&row) {
            self.outputs.clear();
        }
        let tail = self.outputs.entry(row).or_default();
        tail.extend_from_slice(bytes);
        if tail.len() > OUTPUT_TAIL_MAX {
            tail.drain(..tail.len() - OUTPUT_TAIL_MAX);
        }
        self.app
            .events
            .push(row, JobEvent::Output { endpoint: self.id, stream, bytes: BASE64.encode(bytes) });
        Ok(())
    }

    /// How much the result of a job may have, if it is a scan.
    async fn result_max(&mut self, row: StatementId) -> anyhow::Result<Option<u64>> {
        if let Some(known) = self.results.get(&row) {
            return Ok(*known);
        }
        let record = self.app.db.read(move |tx| tx.job(row)).await?;
        let job = record.and_then(|record| Envelope::decode(&record.envelope).ok());
        let action = job.and_then(|envelope| Some(envelope.statement::<Job>().ok()?.action));
        let bytes_max = match action {
            Some(Action::Scan(scan)) => Some(u64::from(scan.output_max())),
            Some(Action::Script(_) | Action::Update(_)) | None => None,
        };
        if self.results.len() >= RESULTS_KNOWN_MAX {
            self.results.clear();
        }
        self.results.insert(row, bytes_max);
        Ok(bytes_max)
    }

    /// The job row behind an id, if it was delivered here.
    pub(super) fn row_of(&self, job: StatementId) -> Option<StatementId> {
        self.rows.get(&job).copied()
    }

    /// Sends one frame.
    pub(super) async fn send(&mut self, message: &Message) -> anyhow::Result<()> {
        let frame = encode_frame(message);
        count(&self.app.metrics.frames_out);
        let write = async {
            self.stream.write_all(&frame).await?;
            self.stream.flush().await
        };
        tokio::time::timeout(WRITE_TIMEOUT, write).await.context("the agent does not read")??;
        Ok(())
    }
}
