//! The same door for a scan: the scanner that is installed here, told what to look at by what was signed and by nothing else.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use bartizan_trust::authorize::Authorized;
use bartizan_trust::id::Sha256;
use bartizan_trust::statement::Scan;

use super::{Chunk, Ending, PATH, Report, follow};
use crate::account;
use crate::cgroup::{Delegation, JobGroup};
use crate::output::Collector;
use crate::tree;

/// The scanner that is installed here.
#[derive(Debug, Clone)]
pub struct Scanner {
    /// Its program, at a fixed place.
    pub program: PathBuf,
    /// Keys whose signatures make a rule pack believable, one OpenSSH line each.
    pub pack_keys: Vec<String>,
}

/// Others than the guard may not write the program that runs as the guard.
const WRITABLE_BY_OTHERS: u32 = 0o022;

/// Runs the scanner as an authorised scan says, in a fresh folder below `folder`. As with scripts: one proof, one run, a cgroup
/// of its own, output up to the job's cap. The report says which program it was.
#[expect(clippy::needless_pass_by_value, reason = "the proof is used up: one proof, one run")]
pub fn scan(
    proof: Box<Authorized<Scan>>,
    scanner: &Scanner,
    folder: &Path,
    groups: Option<&Delegation>,
    stop: impl Fn() -> bool,
    sink: impl FnMut(Chunk<'_>),
) -> Report {
    let order = proof.action();
    let mut collector = Collector::new(order.output_max(), sink);
    let place = folder.join(proof.job().to_string());
    let begun = begin(&proof, scanner, &place, groups);
    let (ending, program) = match begun {
        Ok(Begun { child, group, program }) => {
            let timeout = Duration::from_secs(u64::from(order.timeout_s()));
            (follow(child, group.as_ref(), timeout, &stop, &mut collector), Some(program))
        }
        Err(code) => (Ending::NotStarted(code), None),
    };
    // What cannot be removed now is removed with the folder at the next start.
    let _ = fs::remove_dir_all(&place);
    Report { ending, output: collector.finish(), program }
}

struct Begun {
    child: Child,
    group: Option<JobGroup>,
    program: Sha256,
}

fn begin(
    proof: &Authorized<Scan>,
    scanner: &Scanner,
    place: &Path,
    groups: Option<&Delegation>,
) -> Result<Begun, &'static str> {
    let (file, program) = open_program(&scanner.program).map_err(|_| "scan.program")?;
    write_order(proof, scanner, place).map_err(|_| "exec.folder")?;
    let name = proof.job().to_string();
    let group = groups.map(|groups| groups.job(&name)).transpose().map_err(|_| "exec.cgroup")?;
    if let (Some(groups), Some(group)) = (groups, &group) {
        groups.limit_cpu(group, proof.action().cpu_percent).map_err(|_| "exec.cgroup")?;
    }
    let child = start(&file, group.as_ref(), place).map_err(|_| "exec.spawn")?;
    Ok(Begun { child, group, program })
}

/// Opened once: what is hashed is what runs. Nobody but the guard's own account and root may be able to change it.
fn open_program(path: &Path) -> io::Result<(File, Sha256)> {
    let mut file = OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW).open(path)?;
    let facts = file.metadata()?;
    let ours = facts.uid() == 0 || facts.uid() == account::own_uid();
    if !facts.is_file() || !ours || facts.mode() & WRITABLE_BY_OTHERS != 0 {
        return Err(io::Error::other("a program that others can change"));
    }
    let content = crate::versions::measure(&mut file)?;
    Ok((file, content.sha256))
}

/// What the scanner reads: the signed order, the packs that came with it, and whose packs to believe.
fn write_order(proof: &Authorized<Scan>, scanner: &Scanner, place: &Path) -> io::Result<()> {
    // A leftover of an earlier life is not reused.
    let _ = fs::remove_dir_all(place);
    fs::create_dir_all(place)?;
    fs::set_permissions(place, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
    fs::create_dir(place.join("work"))?;
    let order = serde_json::to_vec(proof.action()).map_err(io::Error::other)?;
    let keys = scanner.pack_keys.join("\n");
    for (name, bytes) in
        [("order.json", order.as_slice()), ("content", proof.content()), ("keys", keys.as_bytes())]
    {
        let mut options = OpenOptions::new();
        options
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(place.join(name))?
            .write_all(bytes)?;
    }
    Ok(())
}

fn start(program: &File, group: Option<&JobGroup>, place: &Path) -> io::Result<Child> {
    let mut command = Command::new(format!("/proc/self/fd/{}", program.as_raw_fd()));
    command
        .arg0("bartizan-scan")
        .arg("order")
        // From its work folder: the folder of the order.
        .arg("..")
        .env_clear()
        .env("PATH", PATH)
        .env("LANG", "C.UTF-8")
        .current_dir(place.join("work"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    tree::plant(&mut command, program, group.map(|group| &group.entrance), None);
    command.spawn()
}
