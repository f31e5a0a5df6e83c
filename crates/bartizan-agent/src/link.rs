//! The connection: make it, keep it, say when it is gone, make it again.

use std::net::UdpSocket;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use bartizan_proto::frame::{FrameReader, encode_frame};
use bartizan_proto::limits::ALPN;
use bartizan_proto::message::{Message, Setup};
use bartizan_trust::id::Sha256;
use ring::rand::{SecureRandom, SystemRandom};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::net::TcpStream;
use tokio::sync::mpsc::Receiver;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::backoff::Backoff;
use crate::dial;
use crate::direction::{FromGuard, from_guard, may_come_from_server};
use crate::lan;
use crate::mirror::Mirrors;
use crate::pipe::Pipe;
use crate::tls::{self, PinnedServer};

/// How long a handshake may take.
const HANDSHAKE_PATIENCE: Duration = Duration::from_secs(20);
/// How long one write may take before the connection counts as dead.
const WRITE_PATIENCE: Duration = Duration::from_secs(30);
/// Heartbeat interval until the server names one.
const HEARTBEAT_FIRST: Duration = Duration::from_secs(30);
/// Heartbeats without an answer before the connection counts as dead.
const HEARTBEATS_MISSED_MAX: u64 = 3;

/// Why a connection is given up.
enum Ended {
    /// Try again after a pause.
    Lost(anyhow::Error),
    /// The guard named other servers: try those at once.
    NewSetup(Setup),
    /// The guard is gone.
    GuardGone,
}

/// Connects and reconnects until the guard closes the pipe; listens for freezes on the local network meanwhile.
pub(crate) async fn run(local: Option<UdpSocket>) {
    let (pipe, mut messages) = Pipe::open();
    let pipe = Arc::new(pipe);
    let mut others = JoinSet::new();
    if let Some(socket) = local {
        others.spawn(lan::listen(socket, Arc::clone(&pipe)));
    }
    let mut mirrors = Mirrors::default();
    let mut backoff = Backoff::default();
    let Some(mut setup) = first_setup(&mut messages).await else { return };
    let mut tls: Option<(ClientConfig, Arc<PinnedServer>)> = None;
    loop {
        mirrors.follow(&setup.mirrors, &pipe);
        let configured = match tls.take() {
            Some(configured) => Ok(configured),
            None => tls::configure(&setup, &pipe),
        };
        let ended = match configured {
            Ok(configured) => {
                let ended =
                    connect_and_relay(&setup, &configured, &pipe, &mut messages, &mut backoff)
                        .await;
                // Kept while the set-up stays.
                tls = Some(configured);
                ended
            }
            Err(error) => Ended::Lost(error),
        };
        match ended {
            Ended::GuardGone => return,
            Ended::NewSetup(next) => {
                setup = next;
                tls = None;
            }
            Ended::Lost(error) => {
                eprintln!("agent: {error:#}");
                match pause(backoff.fail(random()), &mut messages).await {
                    Ok(None) => {}
                    Ok(Some(next)) => {
                        setup = next;
                        tls = None;
                    }
                    Err(()) => return,
                }
            }
        }
    }
}

async fn first_setup(messages: &mut Receiver<Message>) -> Option<Setup> {
    loop {
        if let Message::Setup(setup) = messages.recv().await? {
            return Some(setup);
        }
    }
}

/// Waits, but notices a new set-up or the guard's end. What the guard would like to send meanwhile is dropped: it sends
/// everything that matters again when the link is up.
async fn pause(length: Duration, messages: &mut Receiver<Message>) -> Result<Option<Setup>, ()> {
    let sleep = sleep(length);
    tokio::pin!(sleep);
    loop {
        tokio::select! {
            () = &mut sleep => return Ok(None),
            message = messages.recv() => match message {
                None => return Err(()),
                Some(Message::Setup(setup)) => return Ok(Some(setup)),
                Some(_) => {}
            },
        }
    }
}

async fn connect_and_relay(
    setup: &Setup,
    (config, server): &(ClientConfig, Arc<PinnedServer>),
    pipe: &Arc<Pipe>,
    messages: &mut Receiver<Message>,
    backoff: &mut Backoff,
) -> Ended {
    let stream = match connect_any(setup, config, server).await {
        Ok(stream) => stream,
        Err(error) => return Ended::Lost(error),
    };
    let Some(spki) = server.shown() else {
        return Ended::Lost(anyhow::anyhow!("the server showed no key"));
    };
    pipe.send(Message::Link { server_spki: Some(spki) });
    let ended = relay(stream, setup, pipe, messages, backoff).await;
    pipe.send(Message::Link { server_spki: None });
    ended
}

async fn connect_any(
    setup: &Setup,
    config: &ClientConfig,
    server: &PinnedServer,
) -> Result<TlsStream<TcpStream>> {
    let connector = TlsConnector::from(Arc::new(config.clone()));
    let mut last = anyhow::anyhow!("no address is known");
    for address in &setup.addresses {
        match connect_one(&connector, server, address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error.context(format!("reach {address}")),
        }
    }
    Err(last)
}

async fn connect_one(
    connector: &TlsConnector,
    server: &PinnedServer,
    address: &str,
) -> Result<TlsStream<TcpStream>> {
    let name = ServerName::try_from(dial::host(address).to_owned()).context("not a host name")?;
    let tcp = dial::connect(address).await?;
    server.forget();
    let stream = timeout(HANDSHAKE_PATIENCE, connector.connect(name, tcp))
        .await
        .context("[server.silent] no TLS answer; is something else on this port?")?
        .map_err(|error| refused_handshake(error, server.stranger()))?;
    if stream.get_ref().1.alpn_protocol() != Some(ALPN) {
        bail!(
            "[server.protocol] no agreement on `bartizan/1`; is this the agent plane of a Bartizan server?"
        );
    }
    Ok(stream)
}

/// Names the key, so that a proxy that opens TLS is told from a server that got a new key.
fn refused_handshake(error: std::io::Error, stranger: Option<Sha256>) -> anyhow::Error {
    let Some(spki) = stranger else {
        return anyhow::Error::new(error).context("[server.tls] TLS handshake");
    };
    let proxy = dial::proxy().map_or_else(String::new, |proxy| format!(" through {proxy}"));
    anyhow::anyhow!(
        "[server.unknown_key] the server{proxy} has the key {spki}, which the bundle does not name; \
         if a proxy opens TLS, except this address; if the server got a new key, sign a bundle that names it"
    )
}

/// The state of one connection.
struct Relay<'a> {
    pipe: &'a Arc<Pipe>,
    backoff: &'a mut Backoff,
    heartbeat: Duration,
    sent: u64,
    answered: u64,
}

async fn relay(
    stream: TlsStream<TcpStream>,
    setup: &Setup,
    pipe: &Arc<Pipe>,
    messages: &mut Receiver<Message>,
    backoff: &mut Backoff,
) -> Ended {
    let (reader, mut writer) = tokio::io::split(stream);
    let mut relay = Relay { pipe, backoff, heartbeat: HEARTBEAT_FIRST, sent: 0, answered: 0 };
    match relay.work(reader, &mut writer, setup, messages).await {
        Ok(ended) => ended,
        Err(error) => Ended::Lost(error),
    }
}

impl Relay<'_> {
    async fn work(
        &mut self,
        mut reader: ReadHalf<TlsStream<TcpStream>>,
        writer: &mut WriteHalf<TlsStream<TcpStream>>,
        setup: &Setup,
        messages: &mut Receiver<Message>,
    ) -> Result<Ended> {
        let mut frames = FrameReader::new();
        let mut buffer = vec![0; 4096];
        let mut ticks = ticks(self.heartbeat);
        loop {
            tokio::select! {
                read = reader.read(&mut buffer) => {
                    let count = read.context("read from the server")?;
                    if count == 0 {
                        bail!("the server closed the connection");
                    }
                    frames.extend(buffer.get(..count).unwrap_or_default());
                    let before = self.heartbeat;
                    self.take_frames(&mut frames)?;
                    if self.heartbeat != before {
                        ticks = self::ticks(self.heartbeat);
                    }
                }
                message = messages.recv() => match message {
                    None => return Ok(Ended::GuardGone),
                    Some(Message::Setup(next)) if next != *setup => return Ok(Ended::NewSetup(next)),
                    Some(message) => self.pass_on(writer, &message).await?,
                },
                _ = ticks.tick() => self.beat(writer).await?,
            }
        }
    }

    fn take_frames(&mut self, frames: &mut FrameReader) -> Result<()> {
        while let Some(message) = frames.next_message().context("the server sent no frame")? {
            if !may_come_from_server(&message) {
                bail!("the server sent a message that is not its to send");
            }
            match message {
                Message::HeartbeatAck { seq } => {
                    self.answered = self.answered.max(seq.min(self.sent));
                }
                Message::Welcome { heartbeat_s, .. } => {
                    self.backoff.succeed();
                    self.heartbeat = Duration::from_secs(u64::from(heartbeat_s.clamp(1, 3600)));
                    self.pipe.send(message);
                }
                other => self.pipe.send(other),
            }
        }
        Ok(())
    }

    async fn pass_on(
        &self,
        writer: &mut WriteHalf<TlsStream<TcpStream>>,
        message: &Message,
    ) -> Result<()> {
        match from_guard(message) {
            FromGuard::Relay => write(writer, message).await,
            FromGuard::Own | FromGuard::Refuse => Ok(()),
        }
    }

    async fn beat(&mut self, writer: &mut WriteHalf<TlsStream<TcpStream>>) -> Result<()> {
        if self.sent - self.answered >= HEARTBEATS_MISSED_MAX {
            bail!("the server answers no heartbeats");
        }
        self.sent += 1;
        write(writer, &Message::Heartbeat { seq: self.sent }).await
    }
}

async fn write(writer: &mut WriteHalf<TlsStream<TcpStream>>, message: &Message) -> Result<()> {
    let frame = encode_frame(message);
    timeout(WRITE_PATIENCE, async {
        writer.write_all(&frame).await?;
        writer.flush().await
    })
    .await
    .context("the server takes no bytes")?
    .context("write to the server")
}

fn ticks(length: Duration) -> tokio::time::Interval {
    let mut ticks = interval_at(Instant::now() + length, length);
    // After a suspended machine wakes up, one heartbeat is enough.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

pub(crate) fn random() -> u32 {
    let mut bytes = [0; 4];
    // Without randomness the longest pause is the polite one.
    if SystemRandom::new().fill(&mut bytes).is_err() {
        return u32::MAX;
    }
    u32::from_be_bytes(bytes)
}
