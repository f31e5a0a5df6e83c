//! The endpoint's own programs, side by side by version: a folder for each, and one link that says which of them runs.
//!
//! A version is written whole beside the others before anything points to it, and the link is replaced in one step. So
//! there is a program that runs at every moment, also after a power cut.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Cursor, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use bartizan_trust::authorize::Authorized;
use bartizan_trust::id::Sha256;
use bartizan_trust::statement::{Content, Update};
use bartizan_trust::version::AgentVersion;
use ring::digest;

use crate::archive::{self, Entry};
use crate::tree::end_with;

/// The program that decides; the others stand beside it.
const GUARD: &str = "bartizan-guard";
/// What a version consists of.
const PROGRAMS: [&str; 3] = [GUARD, "bartizan-agent", "bartizan-tuf"];
/// What a version may come without: then it does not scan, or asks nothing over the network.
const OPTIONAL: [&str; 2] = ["bartizan-scan", "bartizan-probe"];
/// The link to the version that runs.
const CURRENT: &str = "current";

/// Writes the programs of an authorised update beside the others. Takes the proof by value: one proof, one installation.
/// Nothing runs them yet.
#[expect(
    clippy::needless_pass_by_value,
    reason = "the proof is used up: one proof, one installation"
)]
pub fn install(
    proof: Box<Authorized<Update>>,
    package: &mut File,
    program: &Entry,
    versions: &Path,
) -> io::Result<()> {
    let update = proof.action();
    let mut bytes = Vec::new();
    archive::open(package, program)?.read_to_end(&mut bytes)?;
    // In this memory nobody changes them any more.
    if Sha256::of(&bytes) != update.program.sha256 {
        return Err(wrong("the program changed on the disk"));
    }
    let target = versions.join(&update.version);
    let fresh = versions.join(format!("{}.new", update.version));
    fs::DirBuilder::new().recursive(true).mode(0o755).create(versions)?;
    for leftover in [&fresh, &target] {
        match fs::remove_dir_all(leftover) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    fs::DirBuilder::new().mode(0o755).create(&fresh)?;
    extract(&bytes, &fresh)?;
    fs::rename(&fresh, &target)?;
    File::open(versions)?.sync_all()
}

fn extract(bytes: &[u8], folder: &Path) -> io::Result<()> {
    let mut archive = Cursor::new(bytes);
    let entries = archive::entries(&mut archive)?;
    for name in PROGRAMS.into_iter().chain(OPTIONAL) {
        let entry = entries.iter().find(|entry| entry.name == name);
        let Some(entry) = entry else {
            if OPTIONAL.contains(&name) {
                continue;
            }
            return Err(wrong("a program is missing in the archive"));
        };
        let path = folder.join(name);
        let mut file =
            fs::OpenOptions::new().write(true).create_new(true).mode(0o755).open(&path)?;
        // Others run them too, whatever the service's mask says.
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
        io::copy(&mut archive::open(&mut archive, entry)?, &mut file)?;
        file.sync_all()?;
    }
    fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    File::open(folder)?.sync_all()
}

/// Hash and size of what a reader holds from where it stands.
pub fn measure(reader: &mut impl Read) -> io::Result<Content> {
    let mut measuring = Measuring::default();
    io::copy(reader, &mut measuring)?;
    measuring.finish()
}

/// A hash that is written into.
#[derive(Clone)]
pub struct Measuring {
    context: digest::Context,
    size: u64,
}

impl Default for Measuring {
    fn default() -> Self {
        Self { context: digest::Context::new(&digest::SHA256), size: 0 }
    }
}

impl Measuring {
    /// Bytes so far.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// What was written.
    pub fn finish(self) -> io::Result<Content> {
        let size = u32::try_from(self.size).map_err(|_| wrong("too large"))?;
        let bytes = self.context.finish();
        let bytes = bytes.as_ref().try_into().map_err(|_| wrong("a hash of another length"))?;
        Ok(Content { sha256: Sha256::from_bytes(bytes), size })
    }
}

impl Write for Measuring {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.context.update(bytes);
        self.size = self.size.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Where the deciding program of a version is.
pub fn program(versions: &Path, version: &str) -> PathBuf {
    versions.join(version).join(GUARD)
}

/// The version the link points to and its program, if both are there.
pub fn current(versions: &Path) -> Option<(AgentVersion, PathBuf)> {
    let target = fs::read_link(versions.join(CURRENT)).ok()?;
    let name = target.to_str()?;
    let version = AgentVersion::parse(name)?;
    let program = program(versions, name);
    program.is_file().then_some((version, program))
}

/// Lets the link point to a version, in one step.
pub fn activate(versions: &Path, version: &str) -> io::Result<()> {
    let fresh = versions.join("current.new");
    match fs::remove_file(&fresh) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    symlink(version, &fresh)?;
    fs::rename(&fresh, versions.join(CURRENT))?;
    File::open(versions)?.sync_all()
}

/// Removes every version but these. What cannot be removed stays.
pub fn keep_only(versions: &Path, wanted: &[&str]) {
    let Ok(entries) = fs::read_dir(versions) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let ours = name.to_str().is_some_and(|name| {
            AgentVersion::parse(name.strip_suffix(".new").unwrap_or(name)).is_some()
                && !wanted.contains(&name)
        });
        if ours {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Starts a version under watch: it ends when this process ends.
#[expect(unsafe_code, reason = "code between fork and exec has no safe interface in std")]
pub fn start(program: &Path, arguments: &[OsString]) -> io::Result<Child> {
    let watcher = std::process::id();
    let mut command = Command::new(program);
    command.args(arguments);
    // SAFETY: the closure makes system calls only and allocates nothing, as code after fork must.
    unsafe {
        command.pre_exec(move || end_with(watcher));
    }
    command.spawn()
}

/// Asks a version that runs under watch to stop; false if it is gone.
pub fn ask_to_stop(child: &Child) -> bool {
    i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw).is_some_and(|pid| {
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).is_ok()
    })
}

/// This process becomes that program; returns only if it cannot.
pub fn become_program(program: &Path, arguments: &[OsString]) -> io::Error {
    Command::new(program).args(arguments).exec()
}

/// Runs the vendor's verifier and returns what it printed; the error is what it said.
pub fn ask(program: &Path, arguments: &[OsString]) -> io::Result<Vec<u8>> {
    let output = Command::new(program).args(arguments).env_clear().output()?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    Err(io::Error::other(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
}

/// The entry of a name, and where the reader stands afterwards does not matter.
pub fn find(package: &mut (impl Read + Seek), name: &str) -> io::Result<Entry> {
    let entries = archive::entries(package)?;
    entries.into_iter().find(|entry| entry.name == name).ok_or_else(|| wrong("no such file in it"))
}

fn wrong(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
