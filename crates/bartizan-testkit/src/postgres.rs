//! A private PostgreSQL: own directory, own socket, no network, gone with the value.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

/// How long it may take to start.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running server.
#[derive(Debug)]
pub struct Postgres {
    server: Child,
    dir: tempfile::TempDir,
}

impl Postgres {
    /// Makes and starts one. A missing PostgreSQL is an error: install the package `postgresql`.
    pub fn start() -> Result<Self> {
        let dir = tempfile::Builder::new().prefix("bz-pg-").tempdir_in("/tmp")?;
        let (data, initdb, postgres) =
            (dir.path().join("data"), find("initdb")?, find("postgres")?);
        if is_root()? {
            run(Command::new("chown").arg("postgres:postgres").arg(dir.path()))?;
        }
        let mut init = as_postgres(&initdb)?;
        run(init
            .args(["--auth=trust", "--username=bartizan", "--encoding=UTF8", "--locale=C"])
            .args(["--no-sync", "-D"])
            .arg(&data))?;
        let mut server = as_postgres(&postgres)?;
        server.arg("-D").arg(&data).arg("-k").arg(dir.path());
        server.args(["-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=20"]);
        let server = server
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("start PostgreSQL")?;
        let mut started = Self { server, dir };
        started.wait()?;
        Ok(started)
    }

    /// How to connect, as a URL.
    pub fn address(&self) -> String {
        let socket = self.dir.path().to_string_lossy().replace('/', "%2F");
        format!("postgres://bartizan@{socket}/postgres")
    }

    /// Runs SQL as its owner could; what it prints.
    pub fn query(&self, sql: &str) -> Result<String> {
        let psql = find("psql")?;
        let mut command = Command::new(psql);
        command.args(["-XAtq", "-v", "ON_ERROR_STOP=1", "-U", "bartizan", "-d", "postgres", "-h"]);
        run(command.arg(self.dir.path()).args(["-c", sql]))
    }

    fn wait(&mut self) -> Result<()> {
        let until = Instant::now() + PATIENCE;
        while self.query("SELECT 1").is_err() {
            ensure!(self.server.try_wait()?.is_none(), "PostgreSQL ended at once");
            ensure!(Instant::now() < until, "PostgreSQL did not start within 30 s");
        }
        Ok(())
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // SIGQUIT: at once; nothing in it is worth keeping. `setpriv` replaces itself.
        let pid = std::fs::read_to_string(self.dir.path().join("data/postmaster.pid"))
            .unwrap_or_default();
        if let Some(pid) = pid.lines().next() {
            let _ = Command::new("kill").args(["-QUIT", pid]).status();
        }
        let _ = self.server.wait();
    }
}

fn find(name: &str) -> Result<PathBuf> {
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
        .with_context(|| format!("`{name}` not found: install the package `postgresql`"))
}

fn is_root() -> Result<bool> {
    Ok(Command::new("id").arg("-u").output().context("run `id`")?.stdout == b"0\n")
}

/// PostgreSQL refuses to run as root; its package brings the user `postgres`.
fn as_postgres(program: &Path) -> Result<Command> {
    if !is_root()? {
        return Ok(Command::new(program));
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program);
    command.current_dir("/tmp");
    Ok(command)
}

fn run(command: &mut Command) -> Result<String> {
    let out = command.output().with_context(|| format!("run {command:?}"))?;
    if !out.status.success() {
        bail!("{command:?}: {}", String::from_utf8_lossy(&out.stderr));
    }
    Ok(String::from_utf8_lossy(&out.stdout).into_owned())
}
