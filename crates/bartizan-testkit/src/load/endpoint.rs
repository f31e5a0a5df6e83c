//! A simulated endpoint: real TLS, real messages, the real decision; it only runs nothing.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use bartizan_proto::frame::{FrameReader, encode_frame};
use bartizan_proto::limits::PROTOCOL_VERSION;
use bartizan_proto::message::{Hello, JobMessage, JobPhase, Message};
use bartizan_trust::authorize::{JobDelivery, Verdict, authorize};
use bartizan_trust::control::{self, ControlUpdate, enrol, replay};
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::{Anchor, OrgId, Sha256, StatementId};
use bartizan_trust::refusal::Refusal;
use bartizan_trust::state::{LocalFacts, State};
use bartizan_trust::statement::{
    Decision, Descriptor, Output, Receipt, SignatureRole, StateSummary, V1,
};
use bartizan_trust::time::UnixSeconds;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::organisation::Key;
use super::tls::{Identity, client_config};

const VERSION: &str = "0.1.0";
const READ_BYTES: usize = 8 * 1024;

/// What every endpoint of a load test has in common.
#[derive(Debug)]
pub struct Fleet {
    /// Where the server listens.
    pub address: SocketAddr,
    /// The server's key.
    pub pin: Sha256,
    /// The organisation they belong to.
    pub org: OrgId,
    /// The enrolment they come with.
    pub enrolment: Vec<u8>,
    /// Its id.
    pub enrolment_id: StatementId,
    /// Whether to decide for real; without it a job is answered blindly, to measure the server alone.
    pub verify: bool,
}

/// What an endpoint tells the test.
#[derive(Debug, Clone)]
pub enum Event {
    /// Connected, control log replayed, enrolment verified.
    Ready,
    /// The server stored its receipt.
    Stored,
    /// It refused the job.
    Refused(Refusal),
    /// It gave up.
    Broken(String),
}

/// A simulated endpoint.
pub struct Endpoint {
    fleet: Arc<Fleet>,
    key: Key,
    state: State,
    jobs: Vec<JobMessage>,
    content: Vec<u8>,
    events: mpsc::Sender<Event>,
}

impl Endpoint {
    /// Number `number` of the fleet; the same number has the same key every time.
    pub fn new(fleet: Arc<Fleet>, number: u32, events: mpsc::Sender<Event>) -> Result<Self> {
        let key = device_key(number)?;
        let state = State::new(Anchor::new(fleet.org), key.public.endpoint_id());
        Ok(Self { fleet, key, state, jobs: Vec::new(), content: Vec::new(), events })
    }

    /// Opens the connection and introduces itself.
    pub async fn connect(&self) -> Result<TlsStream<TcpStream>> {
        let identity = Identity::from_pkcs8(&self.key.pkcs8())?;
        let config = client_config(&identity, self.fleet.pin, &["bartizan/1"])?;
        let stream = TcpStream::connect(self.fleet.address).await.context("connect")?;
        stream.set_nodelay(true)?;
        let connector = TlsConnector::from(Arc::new(config));
        let mut stream = connector.connect(ServerName::try_from("bartizan")?, stream).await?;
        send(&mut stream, &Message::Hello(self.hello()?)).await?;
        Ok(stream)
    }

    /// Answers the server until the connection ends.
    pub async fn serve(mut self, mut stream: TlsStream<TcpStream>) {
        if let Err(error) = self.converse(&mut stream).await {
            // Nobody listens any more when the test is over.
            let _ = self.events.send(Event::Broken(format!("{error:#}"))).await;
        }
    }

    async fn converse(&mut self, stream: &mut TlsStream<TcpStream>) -> Result<()> {
        let mut reader = FrameReader::new();
        let mut buffer = vec![0; READ_BYTES];
        let mut heartbeat = Duration::from_secs(30);
        let mut seq = 0;
        loop {
            let Ok(read) = tokio::time::timeout(heartbeat, stream.read(&mut buffer)).await else {
                seq += 1;
                send(stream, &Message::Heartbeat { seq }).await?;
                continue;
            };
            let read = read?;
            ensure!(read > 0, "the server closed the connection");
            reader.extend(buffer.get(..read).unwrap_or_default());
            while let Some(message) = reader.next_message()? {
                if let Message::Welcome { heartbeat_s, admitted } = &message {
                    ensure!(*admitted, "held in quarantine");
                    heartbeat = Duration::from_secs(u64::from(*heartbeat_s).max(1));
                    continue;
                }
                for answer in self.handle(message).await? {
                    send(stream, &answer).await?;
                }
            }
        }
    }

    async fn handle(&mut self, message: Message) -> Result<Vec<Message>> {
        match message {
            Message::Control { start, entries, checkpoint } => {
                self.replay(&ControlUpdate { start, entries: &entries, checkpoint: &checkpoint })
                    .await
            }
            Message::Job(job) => {
                self.jobs.push(job);
                self.decide().await
            }
            Message::Content { total, bytes, .. } => {
                self.content.extend_from_slice(&bytes);
                if self.content.len() < usize::try_from(total)? {
                    Ok(Vec::new())
                } else {
                    self.decide().await
                }
            }
            Message::ReceiptStored { .. } => {
                self.tell(Event::Stored).await;
                Ok(Vec::new())
            }
            Message::InventoryRequest => Ok(vec![Message::Inventory { json: b"{}".to_vec() }]),
            Message::HeartbeatAck { .. } => Ok(Vec::new()),
            Message::Freeze { envelope } => {
                self.state = control::freeze(&self.state, &facts()?, &envelope)
                    .map_err(|refusal| anyhow::anyhow!("the freeze is refused: {refusal:?}"))?;
                let id = Envelope::decode(&envelope)?.id();
                let envelope = self.receipt(id, Decision::Done, "freeze.by_server")?;
                Ok(vec![Message::Receipt { envelope }])
            }
            other => bail!("unexpected message {other:?}"),
        }
    }

    async fn replay(&mut self, update: &ControlUpdate<'_>) -> Result<Vec<Message>> {
        let known = self.state.control.size();
        if update.start > known {
            return Ok(vec![Message::ControlRequest { from: known }]);
        }
        let Ok((state, _)) = replay(&self.state, &facts()?, update) else {
            // Most often a checkpoint that is not witnessed yet; the server sends a better one.
            return Ok(Vec::new());
        };
        self.state = state;
        if self.state.membership.is_none() {
            self.state = enrol(&self.state, &facts()?, &self.fleet.enrolment)
                .map_err(|refusal| anyhow::anyhow!("the enrolment is refused: {refusal:?}"))?;
            self.tell(Event::Ready).await;
        }
        Ok(Vec::new())
    }

    /// Decides on the oldest job that waits.
    async fn decide(&mut self) -> Result<Vec<Message>> {
        let Some(job) = self.jobs.first().cloned() else { return Ok(Vec::new()) };
        if !self.fleet.verify {
            let id = Envelope::decode(&job.envelope)?.id();
            return self.answer(id, Decision::Done, "ok");
        }
        let delivery = JobDelivery {
            envelope: &job.envelope,
            proof: &job.proof,
            consistency: &job.consistency,
            stage: job.stage,
            index: job.index,
            path: &job.path,
            promotions: &job.promotions,
            content: (!self.content.is_empty()).then_some(&self.content),
            package: None,
        };
        let outcome = authorize(&self.state, &facts()?, &delivery);
        if !matches!(outcome.verdict, Verdict::NeedContent(_)) {
            // While content is missing the old view stays: the consistency proof that came with the
            // job starts there, and the same delivery is judged again.
            self.state = outcome.state;
        }
        match outcome.verdict {
            Verdict::Run(proof) => self.answer(proof.job(), Decision::Done, "ok"),
            // Deliveries of these endpoints carry no package.
            Verdict::Update(proof) => self.answer(proof.job(), Decision::Done, "ok"),
            Verdict::Scan(proof) => self.answer(proof.job(), Decision::Done, "ok"),
            Verdict::Stand(order) => self.answer(order.id, Decision::Standing, "order.standing"),
            Verdict::NeedContent(content) => {
                Ok(vec![Message::ContentRequest { sha256: content.sha256, offset: 0 }])
            }
            Verdict::Refused(refusal) => {
                self.tell(Event::Refused(refusal)).await;
                let id = outcome.job.context("an envelope that cannot be read")?;
                self.answer(id, Decision::Refused, refusal.code())
            }
        }
    }

    fn answer(&mut self, job: StatementId, decision: Decision, code: &str) -> Result<Vec<Message>> {
        self.jobs.remove(0);
        self.content = Vec::new();
        let refused = decision == Decision::Refused;
        let phase = if refused { JobPhase::Refused } else { JobPhase::Running };
        let envelope = self.receipt(job, decision, code)?;
        let jobs_size = self.state.jobs.size;
        Ok(vec![Message::JobTaken { job, phase, jobs_size }, Message::Receipt { envelope }])
    }

    /// Its next receipt, signed.
    pub fn receipt(&mut self, job: StatementId, decision: Decision, code: &str) -> Result<Vec<u8>> {
        let state = &self.state;
        let now = facts()?.now;
        let receipt = Receipt {
            v: V1,
            org: state.org,
            iat: now,
            crit: Vec::new(),
            endpoint: state.endpoint,
            seq: state.receipt_seq + 1,
            prev: state.receipt_prev,
            job,
            occurrence: None,
            decision,
            code: code.to_owned(),
            t0: now,
            t1: now,
            exit: (decision == Decision::Done).then_some(0),
            output: Output { sha256: Sha256::of(b""), size: 0 },
            program: None,
            state: StateSummary {
                bundle: state.trust.as_ref().map_or(0, |trust| trust.bundle.version),
                clog: state.control.size(),
                jlog: state.jobs.size,
                floor: state.floor,
            },
        };
        let mut envelope = Envelope::new(&receipt);
        self.key.sign(&mut envelope, SignatureRole::Receipt)?;
        self.state.record_receipt(envelope.id(), &receipt);
        Ok(envelope.encode())
    }

    fn hello(&self) -> Result<Hello> {
        let mut descriptor = Envelope::new(&Descriptor {
            v: V1,
            org: self.fleet.org,
            iat: facts()?.now,
            crit: Vec::new(),
            device_key: self.key.public.to_openssh(),
            enrolment: self.fleet.enrolment_id,
            hostname: "simulated".to_owned(),
            os: "none".to_owned(),
        });
        self.key.sign(&mut descriptor, SignatureRole::Descriptor)?;
        Ok(Hello {
            protocol: PROTOCOL_VERSION,
            agent: VERSION.to_owned(),
            descriptor: descriptor.encode(),
            enrolment: self.fleet.enrolment.clone(),
            control_size: self.state.control.size(),
            jobs_size: self.state.jobs.size,
        })
    }

    async fn tell(&self, event: Event) {
        // Nobody listens any more when the test is over.
        let _ = self.events.send(event).await;
    }
}

/// The device key of an endpoint's number.
pub fn device_key(number: u32) -> Result<Key> {
    Key::named(&format!("endpoint {number}"))
}

/// The date on this machine.
pub fn now() -> Result<UnixSeconds> {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    Ok(UnixSeconds::new(since.as_secs()))
}

fn facts() -> Result<LocalFacts<'static>> {
    Ok(LocalFacts { now: now()?, agent_version: VERSION })
}

async fn send(stream: &mut TlsStream<TcpStream>, message: &Message) -> Result<()> {
    stream.write_all(&encode_frame(message)).await?;
    stream.flush().await.context("send")
}
