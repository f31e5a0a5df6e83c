//! The agent shut in, seen from outside, and what it still does there.

use std::collections::BTreeMap;
use std::fs;
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::process::Command;
use std::thread;

use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};

use crate::sides::{Agent, Server, play, runtime};

/// One line of a process's or a thread's status.
fn status(place: &Path, name: &str) -> String {
    let status = fs::read_to_string(place.join("status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(&format!("{name}:")));
    line.unwrap_or_default().trim().to_owned()
}

/// Has the agent reach a server by this name, at work when it does.
fn reaches(mut agent: Agent, name: &str, at_work: impl FnOnce(&Agent) + Send) {
    let runtime = runtime();
    let server = runtime.block_on(Server::start());
    let (place, spki) = (format!("{name}:{}", server.address().port()), server.spki);
    play(
        move || {
            agent.set_up(&[place], &[spki]);
            agent.expect_link(spki);
            at_work(&agent);
            assert!(agent.close(), "the agent follows its guard");
        },
        &runtime,
        async { server.accept().await.until_closed().await },
    );
}

#[test]
fn every_thread_of_a_working_agent_is_filtered() {
    reaches(Agent::start(), "localhost", |agent| {
        assert!(agent.log().contains("agent: sandbox: landlock"), "{}", agent.log());
        assert!(agent.log().contains("seccomp"), "{}", agent.log());
        let tasks: Vec<_> = fs::read_dir(format!("/proc/{}/task", agent.pid()))
            .unwrap()
            .map(|task| task.unwrap().path())
            .collect();
        assert!(tasks.len() >= 3, "the loop and both ends of the pipe");
        for task in tasks {
            assert_eq!(status(&task, "Seccomp"), "2", "a filter");
            assert_eq!(status(&task, "NoNewPrivs"), "1");
        }
    });
}

/// As on a kernel that does not know a call. The filter is this thread's, and that of what it starts.
fn start_without(calls: &[i64], errno: i32) -> Agent {
    let rules: BTreeMap<_, _> = calls.iter().map(|call| (*call, Vec::new())).collect();
    let arch = std::env::consts::ARCH.try_into().unwrap();
    let missing = SeccompAction::Errno(errno.unsigned_abs());
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, missing, arch).unwrap();
    let program = BpfProgram::try_from(filter).unwrap();
    let start = move || {
        seccompiler::apply_filter(&program).unwrap();
        Agent::start()
    };
    thread::spawn(start).join().unwrap()
}

#[test]
fn an_old_kernel_without_landlock_is_named_and_the_rest_holds() {
    let calls = [
        libc::SYS_landlock_create_ruleset,
        libc::SYS_landlock_add_rule,
        libc::SYS_landlock_restrict_self,
    ];
    for (errno, reason) in [(libc::ENOSYS, "has none"), (libc::EOPNOTSUPP, "not enabled")] {
        reaches(start_without(&calls, errno), "127.0.0.1", |agent| {
            let log = agent.log();
            assert!(log.contains("agent: sandbox: seccomp\n"), "{log}");
            assert!(log.contains("[sandbox.no_landlock]") && log.contains(reason), "{log}");
            // Its own filters and the one that plays the old kernel.
            let place = format!("/proc/{}", agent.pid());
            assert_eq!(status(Path::new(&place), "Seccomp_filters"), "4");
        });
    }
}

#[test]
fn a_kernel_without_filters_is_named_and_the_rest_holds() {
    reaches(start_without(&[libc::SYS_seccomp], libc::EINVAL), "127.0.0.1", |agent| {
        let log = agent.log();
        assert!(log.contains("agent: sandbox: landlock"), "{log}");
        assert!(log.contains("[sandbox.no_seccomp]"), "{log}");
    });
}

/// A name server that knows one name, as bytes: a query comes back with the address appended.
fn answer_names(socket: &UdpSocket, queries: usize) {
    let mut query = [0; 512];
    for _ in 0..queries {
        let (size, from) = socket.recv_from(&mut query).unwrap();
        // A header of twelve bytes, then the name as labels, then type and class.
        let question = &query[12..size];
        let end = question.iter().position(|byte| *byte == 0).unwrap() + 5;
        let wants_v4 = question[end - 3] == 1;
        let mut answer = query[..2].to_vec();
        answer.extend([0x81, 0x80, 0, 1, 0, u8::from(wants_v4), 0, 0, 0, 0]);
        answer.extend(&question[..end]);
        if wants_v4 {
            answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1]);
        }
        let _ = socket.send_to(&answer, from);
    }
}

/// An agent that finds `folder` as its `/etc`.
fn start_with_etc(folder: &Path) -> Agent {
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", "mount --bind \"$1\" /etc && exec \"$2\"", "sh"]);
    command.arg(folder).arg(env!("CARGO_BIN_EXE_bartizan-agent"));
    Agent::start_as(command, &[])
}

/// The network changes while the agent runs: the file that names the name server is replaced by another file.
#[test]
fn names_are_resolved_also_after_the_name_server_has_changed() {
    // Name servers have one port; the address is nobody else's.
    let [low, high, ..] = std::process::id().to_le_bytes();
    let place = SocketAddr::from(([127, 53, high, low.max(2)], 53));
    let socket = match UdpSocket::bind(place) {
        Ok(socket) => socket,
        Err(error) => {
            assert_ne!(rustix::process::geteuid().as_raw(), 0, "{place}: {error}");
            println!("only the hosts file was tried: a name server needs root");
            return reaches(Agent::start(), "localhost", |_| {});
        }
    };
    let folder = tempfile::tempdir().unwrap();
    let etc = folder.path();
    fs::write(etc.join("hosts"), "127.0.0.1 localhost\n").unwrap();
    fs::write(etc.join("nsswitch.conf"), "hosts: files dns\n").unwrap();
    fs::write(etc.join("resolv.conf"), "nameserver 127.53.0.1\noptions timeout:1\n").unwrap();
    let mut agent = start_with_etc(etc);
    let runtime = runtime();
    let server = runtime.block_on(Server::start());
    let (name, spki) = (format!("rmm.example:{}", server.address().port()), server.spki);
    thread::spawn(move || answer_names(&socket, usize::MAX));
    let etc = etc.to_owned();
    play(
        move || {
            agent.set_up(&[name], &[spki]);
            wait_for_log(&agent, "rmm.example");
            let new = etc.join("resolv.conf.new");
            fs::write(&new, format!("nameserver {}\n", place.ip())).unwrap();
            fs::rename(new, etc.join("resolv.conf")).unwrap();
            agent.expect_link(spki);
        },
        &runtime,
        async { drop(server.accept().await) },
    );
}

fn wait_for_log(agent: &Agent, wanted: &str) {
    let until = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while !agent.log().contains(wanted) {
        assert!(std::time::Instant::now() < until, "`{wanted}` in {}", agent.log());
        thread::yield_now();
    }
}
