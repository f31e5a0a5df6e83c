//! The one door through which work reaches the machine.

mod scan;

pub use scan::{Scanner, scan};

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use bartizan_trust::authorize::Authorized;
use bartizan_trust::id::Sha256;
use bartizan_trust::statement::{Interpreter, Output, Script};

use crate::account::{self, Account};
use crate::cgroup::{Delegation, JobGroup};
use crate::limits::OUTPUT_LINGER;
use crate::output::{Collector, Read1, read_both};
use crate::{sealed, tree};

pub use crate::output::Stream;

/// A piece of output, while the script runs.
#[derive(Debug, Clone, Copy)]
pub struct Chunk<'a> {
    /// Bytes of either stream before it.
    pub offset: u64,
    /// Which stream.
    pub stream: Stream,
    /// The bytes.
    pub bytes: &'a [u8],
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// By itself, with this status; death by signal n counts as 128 + n, as in a shell.
    Exited(i32),
    /// It took longer than allowed.
    TimedOut,
    /// The guard was told to stop.
    Interrupted,
    /// It never began; the code says why.
    NotStarted(&'static str),
}

/// What became of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Report {
    /// How it ended.
    pub ending: Ending,
    /// Everything it wrote.
    pub output: Output,
    /// Of a scan that began: the hash of the scanner's program.
    pub program: Option<Sha256>,
}

/// Runs an authorised script in a fresh process and folder below `folder`, which belongs to the guard. Takes the proof by
/// value: one proof, one run. Where a cgroup was delegated, the run gets one of its own below it. `sink` gets output as it
/// comes, up to the job's cap.
#[expect(clippy::needless_pass_by_value, reason = "the proof is used up: one proof, one run")]
pub fn run(
    proof: Box<Authorized<Script>>,
    folder: &Path,
    groups: Option<&Delegation>,
    stop: impl Fn() -> bool,
    sink: impl FnMut(Chunk<'_>),
) -> Report {
    let script = proof.action();
    let mut collector = Collector::new(script.output_max, sink);
    let place = folder.join(proof.job().to_string());
    let begun = prepare(&proof, &place, groups)
        .and_then(|prepared| Ok((start(script, &prepared, &place)?, prepared)));
    let ending = match begun {
        Ok((child, prepared)) => {
            let timeout = Duration::from_secs(u64::from(script.timeout_s));
            follow(child, prepared.group.as_ref(), timeout, &stop, &mut collector)
        }
        Err(code) => Ending::NotStarted(code),
    };
    // What cannot be removed now is removed with the folder at the next start.
    let _ = fs::remove_dir_all(&place);
    Report { ending, output: collector.finish(), program: None }
}

/// The same for everything that runs, whatever the guard was started with.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

struct Prepared {
    /// The content, which nobody can change any more.
    content: File,
    work: PathBuf,
    account: Option<Account>,
    become_account: bool,
    group: Option<JobGroup>,
}

/// Puts the content where nobody can change it, and checks there that it is what was signed.
fn prepare(
    proof: &Authorized<Script>,
    place: &Path,
    groups: Option<&Delegation>,
) -> Result<Prepared, &'static str> {
    let script = proof.action();
    let become_account = script.run_as.is_some();
    let account = match &script.run_as {
        Some(name) => Some(account::by_name(name).ok_or("exec.account_unknown")?),
        None => account::by_uid(account::own_uid()),
    };
    if become_account
        && !account::is_root()
        && account.as_ref().is_none_or(|a| a.uid != account::own_uid())
    {
        return Err("exec.not_permitted");
    }
    let mut content = sealed::write(proof.content()).map_err(|_| "exec.spawn")?;
    if sealed::hash(&mut content).map_err(|_| "exec.spawn")? != script.content.sha256 {
        return Err("exec.content_changed");
    }
    let name = proof.job().to_string();
    let group = groups.map(|groups| groups.job(&name)).transpose().map_err(|_| "exec.cgroup")?;
    let prepared = Prepared { content, work: place.join("work"), account, become_account, group };
    make_folder(place, &prepared).map_err(|_| "exec.folder")?;
    Ok(prepared)
}

fn make_folder(place: &Path, prepared: &Prepared) -> io::Result<()> {
    // A leftover of an earlier life is not reused.
    let _ = fs::remove_dir_all(place);
    fs::create_dir_all(&prepared.work)?;
    fs::set_permissions(&prepared.work, fs::Permissions::from_mode(0o700))?;
    if let Some(account) = prepared.other_account() {
        chown(&prepared.work, Some(account.uid), Some(account.gid))?;
    }
    Ok(())
}

impl Prepared {
    /// The account to become, where that is not the guard's own.
    fn other_account(&self) -> Option<&Account> {
        self.account.as_ref().filter(|_| self.become_account && account::is_root())
    }
}

fn start(script: &Script, prepared: &Prepared, place: &Path) -> Result<Child, &'static str> {
    let interpreter = find_interpreter(script.interpreter).ok_or("exec.interpreter_missing")?;
    let home = prepared
        .account
        .as_ref()
        .map_or_else(|| place.join("work"), |account| account.home.clone());
    let mut command = Command::new(interpreter);
    command
        .arg(sealed::path(&prepared.content))
        .args(&script.args)
        .env_clear()
        .env("PATH", PATH)
        .env("LANG", "C.UTF-8")
        .env("HOME", home)
        .envs(script.env.iter().map(|var| (&var.name, &var.value)))
        .current_dir(&prepared.work)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // What a terminal sends to the guard is not for its scripts.
        .process_group(0);
    let entrance = prepared.group.as_ref().map(|group| &group.entrance);
    tree::plant(&mut command, &prepared.content, entrance, prepared.other_account());
    command.spawn().map_err(|_| "exec.spawn")
}

/// Fixed places, so that no variable decides who reads a script.
fn find_interpreter(interpreter: Interpreter) -> Option<&'static Path> {
    let places: &[&str] = match interpreter {
        Interpreter::Bash => &["/bin/bash", "/usr/bin/bash", "/usr/local/bin/bash"],
        Interpreter::Sh => &["/bin/sh", "/usr/bin/sh"],
        Interpreter::Python3 => &["/usr/bin/python3", "/usr/local/bin/python3"],
    };
    places.iter().map(Path::new).find(|path| path.exists())
}

fn follow<F: FnMut(Chunk<'_>)>(
    mut child: Child,
    group: Option<&JobGroup>,
    timeout: Duration,
    stop: &impl Fn() -> bool,
    collector: &mut Collector<F>,
) -> Ending {
    let reads = read_both(child.stdout.take(), child.stderr.take());
    let deadline = Instant::now() + timeout;
    let mut open = 2_u8;
    loop {
        if let Ok(Some(status)) = child.try_wait() {
            drain(&reads, open, collector);
            return Ending::Exited(exit_code(status));
        }
        if Instant::now() >= deadline || stop() {
            let ending = if stop() { Ending::Interrupted } else { Ending::TimedOut };
            tree::end(&mut child, group);
            drain(&reads, open, collector);
            return ending;
        }
        let pause =
            Duration::from_millis(20).min(deadline.saturating_duration_since(Instant::now()));
        match reads.recv_timeout(pause) {
            Ok(Read1::Bytes(stream, bytes)) => collector.take(stream, &bytes),
            Ok(Read1::End) => open = open.saturating_sub(1),
            Err(RecvTimeoutError::Timeout) => {}
            // Both streams are closed; only the end is awaited now.
            Err(RecvTimeoutError::Disconnected) => std::thread::sleep(Duration::from_millis(5)),
        }
    }
}

/// Takes what is still in the pipes, but does not wait for what a script left running.
fn drain<F: FnMut(Chunk<'_>)>(reads: &Receiver<Read1>, mut open: u8, collector: &mut Collector<F>) {
    let until = Instant::now() + OUTPUT_LINGER;
    // The clock is asked each time: what was left running may write without end.
    while open > 0 && Instant::now() < until {
        match reads.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(Read1::Bytes(stream, bytes)) => collector.take(stream, &bytes),
            Ok(Read1::End) => open -= 1,
            Err(_) => return,
        }
    }
}

fn exit_code(status: ExitStatus) -> i32 {
    status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(-1)
}
