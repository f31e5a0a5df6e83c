//! Real processes in a directory of their own: the server, endpoints, and the tool as two people use it.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use bartizan_testkit::postgres::Postgres;
use serde_json::Value;

/// How long a test waits for a state before it fails.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a program said, and how it ended.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Answer {
    /// It ended with this code.
    #[track_caller]
    pub(crate) fn ends_with(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:#?}");
        self
    }

    /// It succeeded, and the last line is JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.code, 0, "{self:#?}");
        self.last_json(&self.out)
    }

    /// It failed, and said so in JSON with everything that is documented.
    #[track_caller]
    pub(crate) fn error(&self, exit: i32) -> Value {
        assert_eq!(self.code, exit, "{self:#?}");
        let error = self.last_json(&self.err)["error"].clone();
        assert_eq!(error["exit"], exit, "{self:#?}");
        for field in ["code", "message", "next"] {
            assert!(error[field].as_str().is_some_and(|text| !text.is_empty()), "{self:#?}");
        }
        error
    }

    /// What it wrote contains all of these.
    #[track_caller]
    pub(crate) fn says(&self, parts: &[&str]) -> &Self {
        for part in parts {
            assert!(self.out.contains(part) || self.err.contains(part), "`{part}` in {self:#?}");
        }
        self
    }

    #[track_caller]
    fn last_json(&self, text: &str) -> Value {
        let line = text.lines().last().unwrap_or_default();
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }
}

/// Runs a program to its end. A missing program fails the test with its name.
#[track_caller]
pub(crate) fn run(command: &mut Command) -> Answer {
    let output = command
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("{}: {error}", command.get_program().to_string_lossy()));
    Answer {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Runs a command line on a terminal of its own; answers each question once it has been asked.
#[track_caller]
pub(crate) fn on_terminal(command: &Command, dialogue: &[(&str, &str)]) -> Answer {
    let quoted = |text: &std::ffi::OsStr| format!("'{}'", text.to_string_lossy());
    let mut line = quoted(command.get_program());
    for argument in command.get_args() {
        line += " ";
        line += &quoted(argument);
    }
    let mut child = Command::new("script")
        .args(["-qec", &line, "/dev/null"])
        .env("SHELL", "/bin/sh")
        .env_remove("SSH_AUTH_SOCK")
        .env_remove("BARTIZAN_PASSPHRASE_FILE")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("run `script` of util-linux");
    let (mut input, mut output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut seen = Vec::new();
    for (question, answer) in dialogue {
        let from = seen.len();
        while !String::from_utf8_lossy(&seen[from..]).contains(question) {
            let mut byte = [0];
            let count = output.read(&mut byte).unwrap();
            assert!(count > 0, "`{question}` in {}", String::from_utf8_lossy(&seen));
            seen.extend(byte);
        }
        input.write_all(format!("{answer}\n").as_bytes()).unwrap();
    }
    // The input stays open: at its end `script` would hang up.
    output.read_to_end(&mut seen).unwrap();
    let code = child.wait().unwrap().code().unwrap_or(-1);
    Answer { code, out: String::from_utf8_lossy(&seen).into_owned(), err: String::new() }
}

/// A directory and the processes in it. Dropping it ends every process.
pub(crate) struct Stage {
    folder: tempfile::TempDir,
    running: Vec<(String, Child)>,
    /// Keeps the agents' port free until the server takes it: the bundle names it before that.
    port: Mutex<Option<TcpListener>>,
    /// Where the server keeps everything, if not in its own file.
    postgres: Option<Postgres>,
    /// `host:port` of the operator plane, once the server runs.
    pub(crate) plane: String,
}

impl Stage {
    pub(crate) fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("bartizan-test-").tempdir().unwrap();
        let (running, port, plane) = (Vec::new(), Mutex::new(None), String::new());
        Self { folder, running, port, postgres: None, plane }
    }

    /// One whose server will use PostgreSQL.
    pub(crate) fn on_postgresql() -> Self {
        let mut stage = Self::new();
        stage.postgres = Some(Postgres::start().unwrap());
        stage
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn text(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> String {
        std::fs::write(self.path(name), text).unwrap();
        self.text(name)
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }

    /// `bartizan …` with a person's home, outside of any session of this machine.
    pub(crate) fn command(&self, who: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bartizan"));
        command
            .arg("--home")
            .arg(self.path(who))
            .args(arguments)
            .current_dir(self.folder.path())
            .env_remove("SSH_AUTH_SOCK")
            .env_remove("BARTIZAN_HOME")
            .env_remove("BARTIZAN_PASSPHRASE_FILE");
        command
    }

    /// Runs it without a terminal and without questions.
    #[track_caller]
    pub(crate) fn tool(&self, who: &str, arguments: &[&str]) -> Answer {
        run(self.command(who, arguments).arg("--yes"))
    }

    /// The same with `--json`.
    #[track_caller]
    pub(crate) fn json(&self, who: &str, arguments: &[&str]) -> Answer {
        run(self.command(who, arguments).args(["--yes", "--json"]))
    }

    /// A software key without a passphrase and a card for each.
    pub(crate) fn people(&self, names: &[&str]) {
        for name in names {
            self.tool(name, &["key", "new", "--no-passphrase"]).ends_with(0);
            let card = self.tool(name, &["card", "--id", name, "--name", name]).ends_with(0);
            self.write(&format!("{name}.card"), &card.out);
        }
    }

    /// Makes a server's directory and its identity file.
    pub(crate) fn init_server(&self) {
        let port = TcpListener::bind("127.0.0.1:0").unwrap();
        let agents = port.local_addr().unwrap().to_string();
        *self.port.lock().unwrap() = Some(port);
        let folder = self.text("server");
        let listen = ["--agent-listen", &agents, "--operator-listen", "127.0.0.1:0"];
        run(Command::new(program("bartizan-server"))
            .args(["init", "--dir", &folder, "--address", &agents])
            .args(listen))
        .ends_with(0);
        if let Some(postgres) = &self.postgres {
            let config = String::from_utf8(self.read("server/server.toml")).unwrap();
            let line = format!("database = \"{}\"", postgres.address());
            assert!(config.contains("database = \"sqlite\""), "{config}");
            self.write("server/server.toml", &config.replace("database = \"sqlite\"", &line));
        }
        let identity = Command::new(program("bartizan-server"))
            .args(["identity", "--dir", &folder])
            .output()
            .unwrap();
        assert!(identity.status.success(), "{identity:?}");
        std::fs::write(self.path("identity.json"), identity.stdout).unwrap();
    }

    /// The genesis bundle of alice and bob, signed by both.
    pub(crate) fn genesis(&self) {
        self.people(&["alice", "bob"]);
        self.init_server();
        let make = ["init", "--id", "alice", "--name", "Alice", "--with", "bob.card"];
        let rest = ["--server", "identity.json", "--threshold", "2", "--out", "genesis.json"];
        self.json("alice", &[make.as_slice(), &rest].concat()).ends_with(0);
        self.json("bob", &["init", "--countersign", "genesis.json"]).ends_with(0);
    }

    /// Starts the server; it is ready when it has said so.
    pub(crate) fn start_server(&mut self) {
        let mut command = Command::new(program("bartizan-server"));
        command.args(["run", "--dir"]).arg(self.path("server"));
        drop(self.port.lock().unwrap().take());
        self.start("server", &mut command);
        let line = || std::fs::read_to_string(self.path("server.out")).unwrap_or_default();
        self.wait("the server", |_| line().ends_with('\n'));
        let ready: Value = serde_json::from_str(&line()).unwrap();
        ready["operator"].as_str().unwrap().clone_into(&mut self.plane);
    }

    /// A server that serves the organisation of alice and bob, both joined.
    pub(crate) fn organisation() -> Self {
        Self::new().founded()
    }

    fn founded(mut self) -> Self {
        self.genesis();
        self.start_server();
        let publish = ["init", "--publish", "genesis.json", "--server", &self.plane];
        let published = self.json("alice", &publish).json();
        let anchor = published["anchor"].as_str().unwrap();
        self.json("bob", &["join", "--anchor", anchor, "--server", &self.plane]).ends_with(0);
        self
    }

    /// That, two witnesses, and a connected endpoint.
    pub(crate) fn with_endpoint() -> Self {
        Self::with_endpoint_in(&[])
    }

    /// The endpoint with settings of its own.
    pub(crate) fn with_endpoint_in(settings: &[(&str, &str)]) -> Self {
        Self::new().peopled(settings)
    }

    fn peopled(self, settings: &[(&str, &str)]) -> Self {
        let mut stage = self.founded();
        for who in ["alice", "bob"] {
            stage.watch(who);
        }
        stage.endpoint_in(settings);
        stage
    }

    /// A console that co-signs both logs, again and again.
    pub(crate) fn watch(&mut self, who: &str) {
        let mut command = self.command(who, &["witness", "--interval", "1s"]);
        self.start(&format!("witness-{who}"), &mut command);
    }

    /// Starts the endpoint's guard, which has been enrolled.
    pub(crate) fn restart_guard(&mut self, settings: &[(&str, &str)]) {
        let mut guard = Command::new(program("bartizan-guard"));
        guard.args(["run", "--dir"]).arg(self.path("endpoint"));
        guard.env("BARTIZAN_LAN", "off").envs(settings.iter().copied());
        self.start("guard", &mut guard);
    }

    /// Two witnesses, and a connected endpoint.
    pub(crate) fn add_endpoint(&mut self) {
        for who in ["alice", "bob"] {
            self.watch(who);
        }
        self.endpoint();
    }

    /// That with as many endpoints, each with a guard of its own.
    pub(crate) fn with_endpoints(count: usize) -> Self {
        Self::new().grown_to(count)
    }

    /// The same from an empty stage.
    pub(crate) fn grown_to(self, count: usize) -> Self {
        let mut stage = self.peopled(&[]);
        for number in 2..=count {
            let grant = stage.json("alice", &["enroll", "--tenant", "acme", "--site", "hq"]).json();
            let (name, line) = (format!("endpoint-{number}"), grant["command"].as_str().unwrap());
            run(Command::new(program("bartizan-guard"))
                .args(line.split_whitespace().skip(1))
                .arg("--dir")
                .arg(stage.path(&name)))
            .ends_with(0);
            stage.start_endpoint(&name);
        }
        stage.wait("connected endpoints", |stage| {
            let list = stage.json("alice", &["endpoints"]).json();
            let rows = list["endpoints"].as_array().unwrap();
            rows.iter().filter(|row| row["connected"] == true).count() == count
        });
        stage
    }

    /// Starts the guard in this folder, which is also its name here.
    pub(crate) fn start_endpoint(&mut self, name: &str) {
        let mut guard = Command::new(program("bartizan-guard"));
        guard.args(["run", "--dir"]).arg(self.path(name)).env("BARTIZAN_LAN", "off");
        self.start(name, &mut guard);
    }

    /// Installs an endpoint, starts it, and waits until it is connected.
    pub(crate) fn endpoint(&mut self) {
        self.endpoint_in(&[]);
    }

    fn endpoint_in(&mut self, settings: &[(&str, &str)]) {
        let enroll = ["enroll", "--tenant", "acme", "--site", "hq"];
        let grant = self.json("alice", &enroll).json();
        self.enrol(grant["command"].as_str().unwrap());
        self.start_guard(settings);
    }

    /// Runs what an enrolment says on the endpoint.
    #[track_caller]
    pub(crate) fn enrol(&self, line: &str) {
        run(Command::new(program("bartizan-guard"))
            .args(line.split_whitespace().skip(1))
            .arg("--dir")
            .arg(self.path("endpoint")))
        .ends_with(0);
    }

    /// Starts the endpoint; it is there when it is connected.
    pub(crate) fn start_guard(&mut self, settings: &[(&str, &str)]) {
        self.restart_guard(settings);
        self.wait("a connected endpoint", |stage| {
            let list = stage.json("alice", &["endpoints"]).json();
            list["endpoints"][0]["connected"] == true
        });
    }

    /// Starts a server again where the consoles know it.
    pub(crate) fn restart_server_where_it_was(&mut self) {
        let config = String::from_utf8(self.read("server/server.toml")).unwrap();
        let line = |line: &str| {
            if line.starts_with("operator_listen") {
                format!("operator_listen = \"{}\"\n", self.plane)
            } else {
                format!("{line}\n")
            }
        };
        let config: String = config.lines().map(line).collect();
        self.write("server/server.toml", &config);
        self.start_server();
    }

    /// Starts a process that stays. What it says goes to `NAME.out` and `NAME.log`.
    pub(crate) fn start(&mut self, name: &str, command: &mut Command) {
        let file = |ending: &str| File::create(self.path(&format!("{name}.{ending}"))).unwrap();
        let child = command
            .stdin(Stdio::null())
            .stdout(file("out"))
            .stderr(file("log"))
            .spawn()
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        self.running.push((name.to_owned(), child));
    }

    /// Ends a process that was started here.
    pub(crate) fn end(&mut self, name: &str) {
        let at = self.running.iter().position(|(known, _)| known == name).unwrap();
        let (_, mut child) = self.running.remove(at);
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Until `done`; a state, not a moment.
    #[track_caller]
    pub(crate) fn wait(&self, what: &str, done: impl FnMut(&Self) -> bool) {
        self.wait_for(PATIENCE, what, done);
    }

    /// The same for what is known to take its time.
    #[track_caller]
    pub(crate) fn wait_for(
        &self,
        patience: Duration,
        what: &str,
        mut done: impl FnMut(&Self) -> bool,
    ) {
        let start = Instant::now();
        while !done(self) {
            let logs = || ["server", "guard"].map(|name| self.log(name)).join("\n");
            assert!(start.elapsed() < patience, "waited for {what}\n{}", logs());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn log(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(&format!("{name}.log"))).unwrap_or_default()
    }

    /// What an attacker with a shell on the server can do.
    #[track_caller]
    pub(crate) fn edit_database(&self, sql: &str) {
        if let Some(postgres) = &self.postgres {
            postgres.query(sql).unwrap();
            return;
        }
        let database = self.path("server").join("server.db");
        run(Command::new("sqlite3").args(["-cmd", ".timeout 10000"]).arg(database).arg(sql))
            .ends_with(0);
    }

    /// Alice signs a script for every endpoint; its id.
    #[track_caller]
    pub(crate) fn submit(&self, class: &str, script: &str) -> String {
        self.write("script.sh", script);
        let arguments = ["run", "--on", "all", "--class", class, "--no-wait", "script.sh"];
        let submitted = self.json("alice", &arguments).json();
        submitted["job"].as_str().unwrap().to_owned()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        for (_, child) in self.running.iter_mut().rev() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// One of the other programs, built beside this one.
pub(crate) fn program(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_bartizan")).with_file_name(name);
    assert!(path.exists(), "`{name}` is not beside `bartizan`; build it: cargo build -p {name}");
    path
}
