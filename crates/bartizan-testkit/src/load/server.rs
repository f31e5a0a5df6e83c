//! A real `bartizan-server` in a directory of its own, for load tests.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use bartizan_proto::operator::ServerIdentity;

/// A running server; ended when dropped.
pub struct Server {
    child: Child,
    dir: PathBuf,
    /// What it says of itself.
    pub identity: ServerIdentity,
    /// Where endpoints connect.
    pub agent_plane: SocketAddr,
    /// Where operators connect.
    pub operator_plane: SocketAddr,
}

impl Server {
    /// Makes a new server in `dir` and starts it.
    pub fn start(binary: &Path, dir: &Path) -> Result<Self> {
        Self::start_after(binary, dir, |_| Ok(()))
    }

    /// The same, with something to do in the new directory before it starts.
    pub fn start_after(
        binary: &Path,
        dir: &Path,
        prepare: impl FnOnce(&Path) -> Result<()>,
    ) -> Result<Self> {
        let (agent_plane, operator_plane) = (free_port()?, free_port()?);
        let agent = agent_plane.to_string();
        let made = Command::new(binary)
            .args(["init", "--dir"])
            .arg(dir)
            .args(["--address", &agent, "--agent-listen", &agent])
            .args(["--operator-listen", &operator_plane.to_string()])
            .output()
            .with_context(|| {
                format!("start `{}`; build it or name it with --server-bin", binary.display())
            })?;
        if !made.status.success() {
            bail!("bartizan-server init: {}", String::from_utf8_lossy(&made.stderr));
        }
        let said = Command::new(binary).args(["identity", "--dir"]).arg(dir).output()?;
        let identity =
            serde_json::from_slice(&said.stdout).context("read `bartizan-server identity`")?;
        prepare(dir)?;
        let log = std::fs::File::create(dir.join("load-server.log"))?;
        let child = Command::new(binary)
            .args(["run", "--dir"])
            .arg(dir)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        let mut server = Self { child, dir: dir.to_owned(), identity, agent_plane, operator_plane };
        server.wait_until_ready()?;
        Ok(server)
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Kills it without any warning, and starts it again.
    pub fn kill_and_restart(&mut self, binary: &Path) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        std::fs::remove_file(self.dir.join("ready.json"))?;
        let log =
            std::fs::OpenOptions::new().append(true).open(self.dir.join("load-server.log"))?;
        self.child = Command::new(binary)
            .args(["run", "--dir"])
            .arg(&self.dir)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        self.wait_until_ready()
    }

    fn wait_until_ready(&mut self) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !self.dir.join("ready.json").exists() {
            if let Some(status) = self.child.try_wait()? {
                bail!(
                    "the server ended ({status}); see {}",
                    self.dir.join("load-server.log").display()
                );
            }
            if Instant::now() > deadline {
                bail!("the server is not ready after 30 s");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that is free now. Somebody may take it before the server does; then the server says so.
fn free_port() -> Result<SocketAddr> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?)
}
