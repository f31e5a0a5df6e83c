//! Two halves, two users: what the network half can reach, and what the guard never has.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use bartizan_os::account::{self, Account};
use bartizan_proto::message::Message;
use bartizan_trust::statement::Interpreter;

use crate::pipe::{Place, guard_command};

/// What the stand-in for the network half finds out about itself: its id, the guard's id, and each thing it tries.
const CURIOUS: &str = r#"#!/usr/bin/env -S python3 -u
import json, os, sys
def attempt(deed):
    try: return str(deed())
    except OSError as error: return error.strerror
found = {
    "pid": str(os.getpid()),
    "guard": str(os.getppid()),
    "list": attempt(lambda: os.listdir("FOLDER")),
    "state": attempt(lambda: open("FOLDER/state.json").read()),
    "key": attempt(lambda: open("FOLDER/device.key", "rb").read()),
    "write": attempt(lambda: open("FOLDER/planted", "w")),
    "memory": attempt(lambda: open("/proc/%d/mem" % os.getppid(), "rb").read(1)),
    "signal": attempt(lambda: os.kill(os.getppid(), 0)),
    "root": attempt(lambda: os.setuid(0)),
    "environment": " ".join(sorted(os.environ)),
}
with open("REPORT", "w") as report: json.dump(found, report)
sys.stdin.buffer.read()
"#;

/// A running guard whose network half has reported.
struct Halves {
    guard: Child,
    found: BTreeMap<String, String>,
    log: PathBuf,
}

impl Halves {
    /// `command` is the guard's; `owner` whom the folder belongs to.
    fn start(
        place: &Place,
        mut command: Command,
        owner: Option<&Account>,
        options: &[&str],
    ) -> Self {
        let folder = place.path("guard");
        let report = place.path("report");
        let made = Command::new("mkfifo").args(["-m", "666"]).arg(&report).status();
        assert!(made.expect("mkfifo is missing").success());
        let agent = place.path("curious");
        let text = CURIOUS
            .replace("FOLDER", &folder.display().to_string())
            .replace("REPORT", &report.display().to_string());
        fs::write(&agent, text).unwrap();
        fs::set_permissions(&agent, fs::Permissions::from_mode(0o755)).unwrap();
        // Others may pass through the test's folder, as through `/var/lib`.
        fs::set_permissions(place.path("."), fs::Permissions::from_mode(0o755)).unwrap();
        if let Some(owner) = owner {
            give_away(&folder, owner);
        }
        let log = place.path("halves.log");
        let guard = command
            .args(["run", "--dir"])
            .arg(&folder)
            .arg("--agent-binary")
            .arg(&agent)
            .args(options)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let mut text = String::new();
        // Waits for the agent to open the other side.
        fs::File::open(&report).unwrap().read_to_string(&mut text).unwrap();
        let found = serde_json::from_str(&text).unwrap();
        Self { guard, found, log }
    }

    fn found(&self, name: &str) -> &str {
        &self.found[name]
    }

    fn agent_status(&self, name: &str) -> Vec<String> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.found("pid"))).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(&format!("{name}:")));
        line.unwrap().split_whitespace().map(str::to_owned).collect()
    }

    fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }
}

impl Drop for Halves {
    fn drop(&mut self) {
        let _ = self.guard.kill();
        let _ = self.guard.wait();
    }
}

fn give_away(path: &Path, owner: &Account) {
    chown(path, Some(owner.uid), Some(owner.gid)).unwrap();
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            give_away(&entry.unwrap().path(), owner);
        }
    }
}

fn nobody() -> Account {
    account::by_name("nobody").expect("the account nobody is missing")
}

#[test]
fn the_network_half_is_another_user_without_any_privilege() {
    let place = Place::new();
    if !account::is_root() {
        return one_user(&Halves::start(&place, guard_command(), None, &[]));
    }
    let halves = Halves::start(&place, guard_command(), None, &["--agent-user", "nobody"]);
    assert!(halves.log().contains("the agent runs as `nobody`, without privileges"));
    let (uid, gid) = (nobody().uid.to_string(), nobody().gid.to_string());
    assert_eq!(halves.agent_status("Uid"), [&uid; 4].map(String::as_str));
    assert_eq!(halves.agent_status("Gid"), [&gid; 4].map(String::as_str));
    assert_eq!(halves.agent_status("Groups"), Vec::<String>::new());
    for set in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
        assert_eq!(halves.agent_status(set), ["0000000000000000"], "{set}");
    }
    assert_eq!(halves.agent_status("NoNewPrivs"), ["1"], "set-user-id programs give it nothing");
    for attempt in ["list", "state", "key", "write", "memory"] {
        assert_eq!(halves.found(attempt), "Permission denied", "{attempt}");
    }
    for attempt in ["signal", "root"] {
        assert_eq!(halves.found(attempt), "Operation not permitted", "{attempt}");
    }
    assert!(!place.path("guard/planted").exists());
}

#[test]
fn not_started_as_root_it_says_that_there_is_one_user() {
    let place = Place::new();
    if !account::is_root() {
        return one_user(&Halves::start(&place, guard_command(), None, &[]));
    }
    // The program may lie where that account cannot go.
    let program = place.path("bartizan-guard");
    fs::copy(guard_command().get_program(), &program).unwrap();
    let mut command = Command::new(program);
    command.uid(nobody().uid).gid(nobody().gid);
    one_user(&Halves::start(&place, command, Some(&nobody()), &[]));
}

/// The same user can do what the guard can; the promise then rests on the guard's checks alone, and it says so.
fn one_user(halves: &Halves) {
    let log = halves.log();
    assert!(log.contains("guard and agent run as one user (not started as root)"), "{log}");
    assert!(halves.found("state").contains("\"format\""));
    assert_eq!(halves.agent_status("NoNewPrivs"), ["1"]);
}

#[test]
fn a_script_has_the_sockets_and_capabilities_that_the_guard_gave_up() {
    let mut place = Place::new();
    let mut guard = place.start();
    guard.link(&place);
    let text = "import socket\n\
                socket.create_server(('127.0.0.1', 0))\n\
                socket.socketpair()\n\
                print([line for line in open('/proc/self/status') if line.startswith('CapEff')])\n";
    let (job, content) = place.job_with(text, |script| script.interpreter = Interpreter::Python3);
    guard.deliver(job, &content);
    let told = guard.receive_until(|message| match message {
        Message::Output { bytes, .. } => Some(String::from_utf8(bytes.clone()).unwrap()),
        _ => None,
    });
    assert_eq!(guard.receipt().code, "ok", "{told}");
    let none = told.contains("0000000000000000");
    assert_eq!(none, !account::is_root(), "{told}");
}

#[test]
fn the_guard_has_no_socket() {
    let place = Place::new();
    let options: &[&str] = if account::is_root() { &["--agent-user", "nobody"] } else { &[] };
    let halves = Halves::start(&place, guard_command(), None, options);
    assert_eq!(halves.found("guard"), halves.guard.id().to_string());
    let mut pipes = 0;
    for entry in fs::read_dir(format!("/proc/{}/fd", halves.guard.id())).unwrap() {
        let Ok(target) = fs::read_link(entry.unwrap().path()) else { continue };
        let target = target.display().to_string();
        assert!(!target.starts_with("socket:"), "{target}");
        pipes += usize::from(target.starts_with("pipe:"));
    }
    assert!(pipes >= 2, "one pipe in, one out");
}

/// Read files of everybody, and see what every process has open (`CAP_DAC_READ_SEARCH`, `CAP_SYS_PTRACE`).
const READING: &str = "0000000000080004";

/// A line of the status of each of the guard's threads: its first thread, the one that looks at the machine, then the others.
fn threads(guard: u32, name: &str) -> (String, String, Vec<String>) {
    let mut first = String::new();
    let mut reading = String::new();
    let mut others = Vec::new();
    for task in fs::read_dir(format!("/proc/{guard}/task")).unwrap() {
        let task = task.unwrap();
        let status = fs::read_to_string(task.path().join("status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(&format!("{name}:"))).unwrap();
        let line = line.trim().to_owned();
        let comm = fs::read_to_string(task.path().join("comm")).unwrap();
        if task.file_name().to_str() == Some(&guard.to_string()) {
            first = line;
        } else if comm.trim() == "inventory" {
            reading = line;
        } else {
            others.push(line);
        }
    }
    (first, reading, others)
}

#[test]
fn every_thread_of_the_guard_but_the_one_that_starts_processes_is_confined() {
    let place = Place::new();
    let halves = Halves::start(&place, guard_command(), None, &[]);
    let guard = halves.guard.id();
    let own = fs::read_to_string("/proc/self/status").unwrap();
    let own = own.lines().find_map(|line| line.strip_prefix("CapEff:")).unwrap().trim().to_owned();
    for (name, starts_processes, confined) in [
        ("Seccomp", None, "2"),
        ("NoNewPrivs", None, "1"),
        ("CapEff", Some(own.as_str()), "0000000000000000"),
        ("CapPrm", Some(own.as_str()), "0000000000000000"),
    ] {
        let (first, reading, others) = threads(guard, name);
        // Deciding, reading the pipe, writing the pipe.
        assert!(others.len() >= 3, "{name}: {others:?}");
        assert!(others.iter().all(|other| other == confined), "{name}: {others:?}");
        assert_eq!(first, starts_processes.unwrap_or("0"), "{name}");
        // Of the two it keeps those that the guard was given.
        let kept = starts_processes.map(|own| {
            let bits = |text: &str| u64::from_str_radix(text, 16).unwrap();
            format!("{:016x}", bits(own) & bits(READING))
        });
        assert_eq!(
            reading,
            kept.as_deref().unwrap_or(confined),
            "{name} of the thread that looks at the machine"
        );
    }
    assert!(halves.log().contains("it opens no sockets and starts no programs"));
}

#[test]
fn the_network_half_inherits_no_variable_but_the_proxys() {
    let place = Place::new();
    let mut command = guard_command();
    command.env("BARTIZAN_PROXY", "http://127.0.0.1:1").env("SECRET", "of the guard");
    let halves = Halves::start(&place, command, None, &[]);
    let found: Vec<&str> =
        halves.found("environment").split(' ').filter(|name| *name != "LC_CTYPE").collect();
    assert_eq!(found, ["BARTIZAN_PROXY"]);
}

#[test]
fn an_account_for_the_agent_that_would_be_no_separation_is_refused() {
    let place = Place::new();
    let said = |user: &str| {
        let out = guard_command()
            .args(["run", "--agent-user", user, "--dir"])
            .arg(place.path("guard"))
            .output()
            .unwrap();
        assert_eq!(out.status.code(), Some(1));
        String::from_utf8(out.stderr).unwrap()
    };
    if !account::is_root() {
        assert!(said("nobody").contains("needs root"));
        return;
    }
    assert!(said("root").contains("has root's privileges"));
    assert!(said("no-such-user").contains("useradd --system no-such-user"));
}
