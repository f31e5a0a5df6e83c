//! The demo's stage: a temporary directory, real processes in it, and the operator's own tool as a
//! person would use it.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// How long the demo waits for anything before it says that the step failed.
const PATIENCE: Duration = Duration::from_mins(1);

/// Everything the demo starts. Dropping it ends every process.
pub(crate) struct Stage {
    root: PathBuf,
    binaries: PathBuf,
    running: Vec<(String, Child)>,
}

impl Stage {
    /// A fresh directory below the system's temporary one.
    pub(crate) fn new() -> Result<Self> {
        let root = tempfile::Builder::new()
            .prefix("bartizan-demo-")
            .tempdir()
            .context("create a directory")?
            .keep();
        let own = std::env::current_exe().context("find this program")?;
        let binaries = own.parent().context("find the folder of this program")?.to_owned();
        for name in ["bartizan-server", "bartizan-guard", "bartizan-agent"] {
            if !binaries.join(name).exists() {
                bail!("`{name}` is not beside `bartizan`; build it first: cargo build");
            }
        }
        Ok(Self { root, binaries, running: Vec::new() })
    }

    /// Where everything lies.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// A path inside.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// One of the programs.
    pub(crate) fn binary(&self, name: &str) -> PathBuf {
        self.binaries.join(name)
    }

    /// Starts a process that stays; its messages go to `<name>.log`.
    pub(crate) fn start(&mut self, name: &str, command: &mut Command) -> Result<()> {
        let log = File::create(self.path(&format!("{name}.log"))).context("create a log file")?;
        let child = command
            .stdin(Stdio::null())
            .stdout(log.try_clone().context("share the log file")?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("start `{name}`"))?;
        self.running.push((name.to_owned(), child));
        Ok(())
    }

    /// Ends one process as a power cut would.
    pub(crate) fn kill(&mut self, name: &str) -> Result<()> {
        let at =
            self.running.iter().position(|(known, _)| known == name).context("no such process")?;
        let (_, mut child) = self.running.remove(at);
        child
            .kill()
            .and_then(|()| child.wait().map(|_| ()))
            .with_context(|| format!("end `{name}`"))
    }

    /// Fails when a process that should stay has ended.
    pub(crate) fn check_alive(&mut self) -> Result<()> {
        for (name, child) in &mut self.running {
            if let Some(status) = child.try_wait().context("look after a process")? {
                bail!(
                    "`{name}` ended by itself ({status}); see {}",
                    self.root.join(format!("{name}.log")).display()
                );
            }
        }
        Ok(())
    }

    /// What an operator types: `bartizan …` with the operator's own home and key.
    pub(crate) fn operator(&self, who: &str, arguments: &[&str]) -> Command {
        let home = self.path(who);
        let mut command = Command::new(self.binary("bartizan"));
        command
            .arg("--home")
            .arg(&home)
            .arg("--key")
            .arg(home.join("id_ed25519"))
            .args(["--json", "--yes"]);
        command.args(arguments).stdin(Stdio::null()).env_remove("SSH_AUTH_SOCK");
        command
    }

    /// Runs an operator's command and reads the JSON document it prints.
    pub(crate) fn ask(&self, who: &str, arguments: &[&str]) -> Result<Value> {
        let output = self.operator(who, arguments).output().context("run `bartizan`")?;
        let shown = || format!("{who}: bartizan {}", arguments.join(" "));
        if !output.status.success() {
            bail!(
                "`{}` ended with {}: {}",
                shown(),
                output.status,
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        last_json(&output.stdout).with_context(|| format!("read the answer of `{}`", shown()))
    }

    /// Runs an operator's command and hands over each JSON line as it comes.
    pub(crate) fn follow(
        &self,
        who: &str,
        arguments: &[&str],
        mut line: impl FnMut(&Value),
    ) -> Result<()> {
        let mut child = self
            .operator(who, arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("run `bartizan`")?;
        let output = child.stdout.take().context("read its output")?;
        for text in BufReader::new(output).lines() {
            if let Ok(value) = serde_json::from_str(&text.context("read its output")?) {
                line(&value);
            }
        }
        let status = child.wait().context("wait for it")?;
        if status.success() {
            Ok(())
        } else {
            bail!("`bartizan {}` ended with {status}", arguments.join(" "))
        }
    }

    /// Runs any other program to its end; its output, or its complaint.
    pub(crate) fn run_to_end(command: &mut Command) -> Result<String> {
        let name = command.get_program().to_string_lossy().into_owned();
        let output = command
            .stdin(Stdio::null())
            .output()
            .with_context(|| format!("run `{name}`; is it installed?"))?;
        if !output.status.success() {
            bail!(
                "`{name}` ended with {}: {}",
                output.status,
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// What somebody with a shell on the server can do.
    pub(crate) fn edit_database(&self, sql: &str) -> Result<()> {
        let database = self.path("server").join("server.db");
        Self::run_to_end(
            Command::new("sqlite3").args(["-cmd", ".timeout 10000"]).arg(database).arg(sql),
        )
        .map(|_| ())
    }

    /// Asks again until `done` finds what it looks for.
    pub(crate) fn wait_for<T>(
        &mut self,
        what: &str,
        mut done: impl FnMut(&Self) -> Result<Option<T>>,
    ) -> Result<T> {
        let start = Instant::now();
        loop {
            self.check_alive()?;
            if let Some(found) = done(self)? {
                return Ok(found);
            }
            if start.elapsed() > PATIENCE {
                bail!(
                    "waited {} s for {what}; the logs are in {}",
                    PATIENCE.as_secs(),
                    self.root.display()
                );
            }
            std::thread::sleep(Duration::from_millis(150));
        }
    }

    /// Writes a file for an operator.
    pub(crate) fn write(&self, name: &str, text: &str) -> Result<PathBuf> {
        let path = self.path(name);
        fs::write(&path, text).with_context(|| format!("write {}", path.display()))?;
        Ok(path)
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // Newest first: agents before the server, so that nothing reconnects in vain.
        for (_, child) in self.running.iter_mut().rev() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A port nobody listens on at this moment.
pub(crate) fn free_port() -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").context("find a free port")?;
    Ok(listener.local_addr().context("read its number")?.port())
}

fn last_json(output: &[u8]) -> Result<Value> {
    // Either one document over several lines, or lines of which the last is the result.
    if let Ok(whole) = serde_json::from_slice(output) {
        return Ok(whole);
    }
    let text = String::from_utf8_lossy(output);
    let last = text.lines().rev().find(|line| line.starts_with(['{', '['])).context("no JSON")?;
    serde_json::from_str(last).context("not JSON")
}
