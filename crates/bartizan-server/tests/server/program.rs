//! The real program in a directory of its own.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use bartizan_proto::operator::{EnvelopeBody, LoginAnswer, ServerIdentity, Stored};
use bartizan_testkit::load::organisation::Organisation;
use bartizan_testkit::load::plane::Console;
use bartizan_trust::envelope::Envelope;
use data_encoding::BASE64;

use crate::now;

/// Runs a subcommand to its end.
pub(crate) fn server(arguments: &[&str], dir: &Path) -> Output {
    let (command, rest) = arguments.split_first().expect("a subcommand");
    Command::new(env!("CARGO_BIN_EXE_bartizan-server"))
        .args([command, "--dir"])
        .arg(dir)
        .args(rest)
        .output()
        .expect("start bartizan-server")
}

/// A new server's directory, not running.
pub(crate) fn init(dir: &Path) -> ServerIdentity {
    let listen = ["--agent-listen", "127.0.0.1:0", "--operator-listen", "127.0.0.1:0"];
    let out = server(&[&["init", "--address", "127.0.0.1:0"], listen.as_slice()].concat(), dir);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    serde_json::from_slice(&out.stdout).expect("identity")
}

/// A running server, killed at the end.
pub(crate) struct Program {
    pub(crate) child: Child,
    pub(crate) operator: SocketAddr,
    pub(crate) agent: SocketAddr,
    dir: PathBuf,
}

impl Program {
    /// Starts a server in a directory that `init` made, and waits until it is ready.
    pub(crate) fn start(dir: &Path) -> Self {
        Self::start_with(dir, &[])
    }

    /// The same with more arguments.
    pub(crate) fn start_with(dir: &Path, arguments: &[&str]) -> Self {
        let ready = dir.join("ready.json");
        let _ = std::fs::remove_file(&ready);
        let mut child = Command::new(env!("CARGO_BIN_EXE_bartizan-server"))
            .args(["run", "--dir"])
            .arg(dir)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("start bartizan-server");
        let until = Instant::now() + Duration::from_secs(30);
        while !ready.exists() {
            assert!(child.try_wait().expect("wait").is_none(), "the server ended");
            assert!(Instant::now() < until, "the server is not ready after 30 s");
            std::thread::yield_now();
        }
        let said: serde_json::Value =
            serde_json::from_slice(&std::fs::read(&ready).expect("ready.json")).expect("JSON");
        let address = |plane: &str| said[plane].as_str().expect("plane").parse().expect("address");
        Self { child, operator: address("operator"), agent: address("agent"), dir: dir.to_owned() }
    }

    /// Kills it without any warning and starts it again.
    pub(crate) fn crash_and_restart(mut self) -> Self {
        self.child.kill().expect("kill");
        self.child.wait().expect("wait");
        let dir = self.dir.clone();
        drop(self);
        Self::start(&dir)
    }

    /// Asks it to stop and returns whether it did so cleanly.
    pub(crate) fn stop(mut self) -> bool {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().expect("kill").success());
        self.child.wait().expect("wait").success()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An envelope as a request body.
pub(crate) fn body(envelope: &Envelope) -> EnvelopeBody {
    EnvelopeBody { envelope: BASE64.encode(&envelope.encode()) }
}

/// A server with an organisation and a console that is logged in.
pub(crate) async fn founded(dir: &Path) -> (Program, Organisation, Console) {
    let identity = init(dir);
    let program = Program::start(dir);
    let organisation = Organisation::for_server(&identity, now()).expect("organisation");
    let console = Console::new(program.operator, identity.spki).expect("console");
    let _: Stored =
        console.send("/v1/genesis", &body(&organisation.genesis)).await.expect("genesis");
    log_in(&console, &organisation).await;
    (program, organisation, console)
}

/// Logs a console in.
pub(crate) async fn log_in(console: &Console, organisation: &Organisation) {
    let login = organisation.login(console.key, now()).expect("login");
    let answer: LoginAnswer = console.send("/v1/login", &body(&login)).await.expect("log in");
    assert_eq!(answer.operator, Some(organisation.author.id.clone()));
}
