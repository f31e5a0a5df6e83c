//! The same test as a process of its own enters the sandbox and tries one thing; its exit status says what the kernel
//! answered.

use std::io;
use std::net::{TcpListener, TcpStream, ToSocketAddrs, UdpSocket};
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::{fs, thread};

use rustix::process::{Pid, test_kill_process};

use super::*;

/// Which layers the attempt is made under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Under {
    Nothing,
    Files,
    Calls,
    Both,
}

const LAYERS: [Under; 4] = [Under::Nothing, Under::Files, Under::Calls, Under::Both];

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Done,
    /// `EPERM`, as system calls are refused.
    NotPermitted,
    /// `EACCES`, as files are refused.
    Denied,
    /// By SIGSYS.
    Ended,
    /// This kernel's landlock is too old to be asked.
    NotAsked,
}

type Deed = fn(&Path) -> io::Result<()>;

/// Things to try, with a folder of one's own to try them in: what comes of each under landlock, and under seccomp.
const DEEDS: &[(&str, Deed, Outcome, Outcome)] = &[
    // What the agent does all day.
    ("start a thread", |_| join(thread::spawn(|| ())), Outcome::Done, Outcome::Done),
    ("read hosts", |_| fs::read("/etc/hosts").map(drop), Outcome::Done, Outcome::Done),
    (
        "resolve a name",
        |_| ("localhost", 1).to_socket_addrs().map(drop),
        Outcome::Done,
        Outcome::Done,
    ),
    ("connect", connect, Outcome::Done, Outcome::Done),
    (
        "sleep",
        |_| {
            thread::sleep(std::time::Duration::from_nanos(1));
            Ok(())
        },
        Outcome::Done,
        Outcome::Done,
    ),
    // What somebody who took it over would do.
    (
        "become another program",
        |_| Err(Command::new("true").exec()),
        Outcome::Denied,
        Outcome::Ended,
    ),
    (
        "start another program",
        |_| Command::new("true").status().map(drop),
        Outcome::Denied,
        Outcome::NotPermitted,
    ),
    (
        "read a file",
        |folder| fs::read(folder.join("there")).map(drop),
        Outcome::Denied,
        Outcome::Done,
    ),
    ("list a folder", |folder| fs::read_dir(folder).map(drop), Outcome::Denied, Outcome::Done),
    (
        "list /etc",
        |_| fs::read_dir("/etc").map(|mut all| drop(all.next())),
        Outcome::Denied,
        Outcome::Done,
    ),
    (
        "write a file",
        |folder| fs::write(folder.join("new"), ""),
        Outcome::Denied,
        Outcome::NotPermitted,
    ),
    (
        "empty a file",
        |folder| fs::write(folder.join("there"), ""),
        Outcome::Denied,
        Outcome::NotPermitted,
    ),
    (
        "remove a file",
        |folder| fs::remove_file(folder.join("there")),
        Outcome::Denied,
        Outcome::NotPermitted,
    ),
    (
        "make a folder",
        |folder| fs::create_dir(folder.join("new")),
        Outcome::Denied,
        Outcome::NotPermitted,
    ),
    (
        "rename a file",
        |folder| fs::rename(folder.join("there"), folder.join("new")),
        Outcome::Denied,
        Outcome::NotPermitted,
    ),
    (
        "listen",
        |_| TcpListener::bind("127.0.0.1:0").map(drop),
        Outcome::Denied,
        Outcome::NotPermitted,
    ),
    (
        "bind UDP",
        |_| UdpSocket::bind("127.0.0.1:0").map(drop),
        Outcome::Done,
        Outcome::NotPermitted,
    ),
    ("open a local socket", |_| UnixStream::pair().map(drop), Outcome::Done, Outcome::NotPermitted),
    ("signal another process", signal_parent, Outcome::NotPermitted, Outcome::NotPermitted),
    ("change the root", |folder| std::os::unix::fs::chroot(folder), Outcome::Done, Outcome::Ended),
];

/// What landlock learned after its first version.
const NEWER: [&str; 3] = ["listen", "signal another process", "empty a file"];

fn join(thread: thread::JoinHandle<()>) -> io::Result<()> {
    thread.join().map_err(|_| io::Error::other("it panicked"))
}

fn connect(_: &Path) -> io::Result<()> {
    TcpStream::connect(std::env::var(ADDRESS).unwrap_or_default()).map(drop)
}

fn signal_parent(_: &Path) -> io::Result<()> {
    let parent = std::env::var(PARENT).ok().and_then(|pid| pid.parse().ok());
    let parent = parent.and_then(Pid::from_raw).ok_or_else(|| io::Error::other("no parent"))?;
    Ok(test_kill_process(parent)?)
}

const ASKED: &str = "BARTIZAN_TEST_ATTEMPT";
const WHERE: &str = "BARTIZAN_TEST_FOLDER";
const ADDRESS: &str = "BARTIZAN_TEST_ADDRESS";
const PARENT: &str = "BARTIZAN_TEST_PARENT";

/// In the process that tries: never returns.
fn try_one(asked: &str) -> ! {
    let (under, name) = asked.split_once('/').unwrap();
    let layers = LAYERS.iter().find(|layers| format!("{layers:?}") == under).unwrap();
    let (_, deed, ..) = DEEDS.iter().find(|(known, ..)| *known == name).unwrap();
    match layers {
        Under::Nothing => {}
        Under::Files => match files::restrict() {
            Landlock::Partial if NEWER.contains(&name) => std::process::exit(13),
            Landlock::Whole | Landlock::Partial => {}
            Landlock::Missing(reason) => panic!("landlock is missing: {reason}"),
        },
        Under::Calls => calls::restrict().unwrap(),
        Under::Both => enter(),
    }
    let folder = PathBuf::from(std::env::var_os(WHERE).unwrap());
    let status = match deed(&folder).map_err(|error| (error.raw_os_error(), error)) {
        Ok(()) => 0,
        Err((Some(libc::EPERM), _)) => 10,
        Err((Some(libc::EACCES), _)) => 11,
        Err((_, error)) => {
            eprintln!("{asked}: {error}");
            12
        }
    };
    std::process::exit(status)
}

fn outcome(status: ExitStatus) -> Option<Outcome> {
    match (status.code(), status.signal()) {
        (Some(0), _) => Some(Outcome::Done),
        (Some(10), _) => Some(Outcome::NotPermitted),
        (Some(11), _) => Some(Outcome::Denied),
        (Some(13), _) => Some(Outcome::NotAsked),
        (_, Some(libc::SIGSYS)) => Some(Outcome::Ended),
        _ => None,
    }
}

/// Has a process of its own try it.
fn attempt(under: Under, name: &str) -> (Option<Outcome>, String) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("there"), "content").unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let tried = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "sandbox::tests::attempts::each_thing_a_conqueror_would_try_fails"])
        .arg("--nocapture")
        .env(ASKED, format!("{under:?}/{name}"))
        .env(WHERE, folder.path())
        .env(ADDRESS, address)
        .env(PARENT, std::process::id().to_string())
        .output()
        .unwrap();
    (outcome(tried.status), String::from_utf8_lossy(&tried.stderr).into_owned())
}

#[test]
fn each_thing_a_conqueror_would_try_fails() {
    if let Ok(asked) = std::env::var(ASKED) {
        try_one(&asked);
    }
    for (name, _, files, calls) in DEEDS {
        // Whichever answers first; ending answers before all.
        let both = match (files, calls) {
            (_, Outcome::Done) => files,
            _ => calls,
        };
        for (under, expected) in LAYERS.into_iter().zip([&Outcome::Done, files, calls, both]) {
            // Without a sandbox even the root of all files would be changed, so only root may.
            if *name == "change the root" && under != Under::Calls && under != Under::Both {
                continue;
            }
            let (found, said) = attempt(under, name);
            if found == Some(Outcome::NotAsked) {
                println!("{name}: not tried under landlock alone, this kernel's is too old");
                continue;
            }
            assert_eq!(found, Some(*expected), "{name} under {under:?}: {said}");
        }
    }
}
