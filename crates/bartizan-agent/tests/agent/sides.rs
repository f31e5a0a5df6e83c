//! Both neighbours of the agent: the guard at its pipe, a server at its socket.

use std::fs::File;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use bartizan_proto::frame::{FrameReader, encode_frame};
use bartizan_proto::limits::ALPN;
use bartizan_proto::message::{Message, Setup};
use bartizan_testkit::load::tls::{Identity, server_config};
use bartizan_trust::id::Sha256;
use bartizan_trust::statement::Mirror;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// How long anything may take before the test has failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running agent and the pipe to it.
pub(crate) struct Agent {
    child: Child,
    to: ChildStdin,
    /// What it wrote, in pieces, until it closed its end.
    from: Receiver<Vec<u8>>,
    log: tempfile::NamedTempFile,
    frames: FrameReader,
    key: Ed25519KeyPair,
    certificate: Vec<u8>,
    /// Named in every set-up.
    pub(crate) mirrors: Vec<Mirror>,
}

impl Agent {
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    pub(crate) fn start_with(variables: &[(&str, &str)]) -> Self {
        Self::start_as(Command::new(env!("CARGO_BIN_EXE_bartizan-agent")), variables)
    }

    /// `command` is or becomes the agent.
    pub(crate) fn start_as(mut command: Command, variables: &[(&str, &str)]) -> Self {
        let document = Ed25519KeyPair::generate_pkcs8(&ring::rand::SystemRandom::new()).unwrap();
        let key = Ed25519KeyPair::from_pkcs8(document.as_ref()).unwrap();
        let certificate = Identity::from_pkcs8(document.as_ref()).unwrap().certificate.to_vec();
        let log = tempfile::NamedTempFile::new().unwrap();
        let mut child = command
            .env_clear()
            // One port for the whole machine: what other programs' tests send there is not for this one.
            .env("BARTIZAN_LAN", "off")
            .envs(variables.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(log.path()).unwrap())
            .spawn()
            .unwrap();
        let (to, from) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Self {
            child,
            to,
            from: in_pieces(from),
            log,
            frames: FrameReader::new(),
            key,
            certificate,
            mirrors: Vec::new(),
        }
    }

    pub(crate) fn send(&mut self, message: &Message) {
        self.send_bytes(&encode_frame(message));
    }

    pub(crate) fn send_bytes(&mut self, bytes: &[u8]) {
        self.to.write_all(bytes).unwrap();
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn expect_end(&mut self) {
        let piece = self.from.recv_timeout(PATIENCE);
        assert_eq!(piece, Err(RecvTimeoutError::Disconnected), "{}", self.log());
    }

    /// Names servers and their keys.
    pub(crate) fn set_up(&mut self, addresses: &[impl ToString], spkis: &[Sha256]) {
        let addresses = addresses.iter().map(ToString::to_string).collect();
        let certificate = self.certificate.clone();
        let mirrors = self.mirrors.clone();
        self.send(&Message::Setup(Setup {
            certificate,
            addresses,
            spkis: spkis.to_vec(),
            mirrors,
        }));
    }

    /// The next message, handshakes signed on the way. An agent that says nothing fails the test: without that a test
    /// whose server side gave up would wait for the agent, which waits for the server.
    #[track_caller]
    pub(crate) fn receive(&mut self) -> Message {
        loop {
            match self.frames.next_message().unwrap() {
                Some(Message::TlsSign { content }) => {
                    let signature = self.key.sign(&content).as_ref().to_vec();
                    self.send(&Message::TlsSigned { signature });
                }
                Some(message) => return message,
                None => match self.from.recv_timeout(PATIENCE) {
                    Ok(piece) => self.frames.extend(&piece),
                    Err(RecvTimeoutError::Disconnected) => {
                        panic!("the agent ended: {}", self.log())
                    }
                    Err(RecvTimeoutError::Timeout) => {
                        panic!("the agent said nothing for {PATIENCE:?}; its log: {}", self.log())
                    }
                },
            }
        }
    }

    #[track_caller]
    pub(crate) fn expect_link(&mut self, spki: Sha256) {
        let message = self.receive();
        assert_eq!(message, Message::Link { server_spki: Some(spki) }, "{}", self.log());
    }

    #[track_caller]
    pub(crate) fn expect_no_link(&mut self) {
        let message = self.receive();
        assert_eq!(message, Message::Link { server_spki: None }, "{}", self.log());
    }

    /// Signs handshakes, with nothing else to come, until told to stop.
    pub(crate) fn serve_handshakes_until(&mut self, stop: &Receiver<()>) {
        while stop.try_recv().is_err() {
            let Ok(piece) = self.from.recv_timeout(Duration::from_millis(20)) else { continue };
            self.frames.extend(&piece);
            while let Some(message) = self.frames.next_message().unwrap() {
                let Message::TlsSign { content } = message else { panic!("{message:?}") };
                let signature = self.key.sign(&content).as_ref().to_vec();
                self.send(&Message::TlsSigned { signature });
            }
        }
        self.child.kill().unwrap();
    }

    /// Everything it wrote to standard error.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.log.path()).unwrap_or_default()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn public_key(&self) -> &[u8] {
        self.key.public_key().as_ref()
    }

    pub(crate) fn is_alive(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Closes the pipe as a guard that ends does, and waits for the agent to follow.
    pub(crate) fn close(mut self) -> bool {
        // Replacing the end drops it, which closes the pipe.
        drop(std::mem::replace(&mut self.to, spare_stdin()));
        self.child.wait().unwrap().success()
    }
}

/// Reads on a thread of its own, which ends with the pipe: waiting for a piece can end, waiting in a read cannot.
fn in_pieces(mut from: ChildStdout) -> Receiver<Vec<u8>> {
    let (pieces, arrived) = channel();
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            if pieces.send(buffer[..count].to_vec()).is_err() {
                return;
            }
        }
    });
    arrived
}

/// An end of a pipe to nobody.
fn spare_stdin() -> ChildStdin {
    let mut child = Command::new("true").stdin(Stdio::piped()).spawn().expect("true is missing");
    let own = child.stdin.take().unwrap();
    child.wait().unwrap();
    own
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A server with a key of its own.
pub(crate) struct Server {
    listener: TcpListener,
    acceptor: TlsAcceptor,
    pub(crate) spki: Sha256,
}

/// One accepted connection.
pub(crate) struct Peer {
    pub(crate) stream: TlsStream<TcpStream>,
    frames: FrameReader,
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::start_with(&[std::str::from_utf8(ALPN).unwrap()]).await
    }

    pub(crate) async fn start_with(alpn: &[&str]) -> Self {
        let identity = Identity::generate().unwrap();
        let config = server_config(&identity, alpn).unwrap();
        Self {
            listener: TcpListener::bind(("127.0.0.1", 0)).await.unwrap(),
            acceptor: TlsAcceptor::from(Arc::new(config)),
            spki: identity.spki().unwrap(),
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap()
    }

    pub(crate) async fn accept_tcp(&self) -> TcpStream {
        in_time(self.listener.accept()).await.unwrap().0
    }

    pub(crate) async fn try_accept(&self) -> std::io::Result<Peer> {
        let tcp = self.accept_tcp().await;
        let stream = in_time(self.acceptor.accept(tcp)).await?;
        Ok(Peer { stream, frames: FrameReader::new() })
    }

    pub(crate) async fn accept(&self) -> Peer {
        self.try_accept().await.unwrap()
    }
}

impl Peer {
    pub(crate) async fn send(&mut self, message: &Message) {
        self.send_bytes(&encode_frame(message)).await;
    }

    pub(crate) async fn send_bytes(&mut self, bytes: &[u8]) {
        in_time(self.stream.write_all(bytes)).await.unwrap();
        in_time(self.stream.flush()).await.unwrap();
    }

    /// The next message; `None` when the agent closed the connection.
    pub(crate) async fn receive(&mut self) -> Option<Message> {
        let mut buffer = [0; 4096];
        loop {
            if let Some(message) = self.frames.next_message().unwrap() {
                return Some(message);
            }
            match in_time(self.stream.read(&mut buffer)).await {
                Ok(0) | Err(_) => return None,
                Ok(count) => self.frames.extend(&buffer[..count]),
            }
        }
    }

    /// Reads on until the agent gives this connection up.
    pub(crate) async fn until_closed(mut self) {
        while self.receive().await.is_some() {}
    }
}

/// Waits, but not for ever.
pub(crate) async fn in_time<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what).await.expect("nothing happened for 30 s")
}

/// Runs a test with the agent's side on a thread of its own and the server's side on this one.
pub(crate) fn play(
    guard: impl FnOnce() + Send,
    runtime: &Runtime,
    server: impl Future<Output = ()>,
) {
    std::thread::scope(|scope| {
        let guard = scope.spawn(guard);
        runtime.block_on(server);
        guard.join().unwrap();
    });
}

pub(crate) fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}
