//! A private PostgreSQL: own directory, own socket, no network, gone at the end of the test.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A running server.
pub(crate) struct Postgres {
    server: Child,
    dir: tempfile::TempDir,
}

impl Postgres {
    /// Makes and starts one. A missing PostgreSQL fails the test: install the package `postgresql`.
    pub(crate) fn start() -> Self {
        let dir = tempfile::Builder::new().prefix("bz-pg-").tempdir_in("/tmp").expect("temp dir");
        let (data, initdb, postgres) = (dir.path().join("data"), find("initdb"), find("postgres"));
        if is_root() {
            run(Command::new("chown").arg("postgres:postgres").arg(dir.path()));
        }
        let mut init = as_postgres(&initdb);
        run(init
            .args([
                "--auth=trust",
                "--username=bartizan",
                "--encoding=UTF8",
                "--locale=C",
                "--no-sync",
                "-D",
            ])
            .arg(&data));
        let mut server = as_postgres(&postgres);
        server.arg("-D").arg(&data).arg("-k").arg(dir.path());
        server.args(["-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=20"]);
        let server =
            server.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("start postgres");
        let mut started = Self { server, dir };
        started.wait();
        started
    }

    /// How to connect, as a URL.
    pub(crate) fn address(&self) -> String {
        let socket = self.dir.path().to_string_lossy().replace('/', "%2F");
        format!("postgres://bartizan@{socket}/postgres")
    }

    fn wait(&mut self) {
        let address = self.address();
        let until = Instant::now() + Duration::from_secs(30);
        while postgres::Client::connect(&address, postgres::NoTls).is_err() {
            assert!(self.server.try_wait().expect("wait").is_none(), "postgres ended at once");
            assert!(Instant::now() < until, "postgres did not start within 30 s");
            std::thread::yield_now();
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // SIGQUIT: at once; nothing in it is worth keeping. `setpriv` and `runuser` replace themselves or pass it on.
        let pid = std::fs::read_to_string(self.dir.path().join("data/postmaster.pid"))
            .unwrap_or_default();
        if let Some(pid) = pid.lines().next() {
            let _ = Command::new("kill").args(["-QUIT", pid]).status();
        }
        let _ = self.server.wait();
    }
}

fn find(name: &str) -> PathBuf {
    let in_path = std::env::var_os("PATH")
        .into_iter()
        .flat_map(|path| std::env::split_paths(&path).collect::<Vec<_>>());
    let installed = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|dir| dir.path().join("bin"));
    let mut candidates = in_path.chain(installed).map(|dir| dir.join(name));
    candidates
        .find(|path| path.is_file())
        .unwrap_or_else(|| panic!("`{name}` not found: install the package `postgresql`"))
}

fn is_root() -> bool {
    let out = Command::new("id").arg("-u").output().expect("id");
    out.stdout == b"0\n"
}

/// PostgreSQL refuses to run as root; its package brings the user `postgres`.
fn as_postgres(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program);
    command.current_dir("/tmp");
    command
}

fn run(command: &mut Command) {
    let out = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(out.status.success(), "{command:?}: {}", String::from_utf8_lossy(&out.stderr));
}
