//! A script and everything it starts, as one tree that nothing can leave.
//!
//! Between the guard and the interpreter stands a process that only waits. Whatever the script starts and abandons, also in a
//! session of its own, becomes a child of that process, so the whole tree can be found and ended.

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use rustix::io::{Errno, FdFlags, fcntl_setfd};
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus, kill_process};
use rustix::thread::{Gid, Uid, set_thread_gid, set_thread_groups, set_thread_uid};

use crate::account::Account;
use crate::cgroup::JobGroup;
use crate::limits::{GRACE, KILL_PATIENCE};

/// Lets the command's child wait over the interpreter, which inherits `content`, becomes `account` if one is given, and
/// ends when the guard does. Both enter the job's cgroup by its `entrance`, if there is one.
#[expect(unsafe_code, reason = "code between fork and exec has no safe interface in std")]
pub(crate) fn plant(
    command: &mut Command,
    content: &File,
    entrance: Option<&File>,
    account: Option<&Account>,
) {
    let guard = std::process::id();
    let entrance = entrance.map(AsRawFd::as_raw_fd);
    let content = content.as_raw_fd();
    let account = account.map(|account| (account.uid, account.gid));
    // SAFETY: the closure makes system calls only and allocates nothing, as code after fork must.
    unsafe {
        command.pre_exec(move || {
            end_with(guard)?;
            if let Some(entrance) = entrance {
                enter(entrance)?;
            }
            rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
            let waiter = std::process::id();
            if let Some(interpreter) = fork()? {
                wait_over(interpreter);
            }
            if let Some((uid, gid)) = account {
                become_account(uid, gid)?;
            }
            end_with(waiter)?;
            inherit(content)
        });
    }
}

/// Ends everything in the tree: asked first, then without asking. What is in the job's cgroup ends at once and whole.
pub(crate) fn end(waiter: &mut Child, group: Option<&JobGroup>) {
    let Some(root) = i32::try_from(waiter.id()).ok().and_then(Pid::from_raw) else { return };
    // Stopped, it stays until everything below it is gone, and inherits whatever is abandoned meanwhile.
    let _ = kill_process(root, Signal::STOP);
    signal(&living_below(root), Signal::TERM);
    let asked = Instant::now();
    while asked.elapsed() < GRACE && !living_below(root).is_empty() {
        std::thread::sleep(Duration::from_millis(10));
    }
    if let Some(group) = group {
        // Where the kernel is older than 5.14, the list of processes below has to do.
        let _ = group.kill();
    }
    let until = Instant::now() + KILL_PATIENCE;
    loop {
        let living = living_below(root);
        if living.is_empty() || Instant::now() >= until {
            break;
        }
        signal(&living, Signal::KILL);
        std::thread::sleep(Duration::from_millis(2));
    }
    let _ = waiter.kill();
    let _ = waiter.wait();
}

/// The calling process ends when `parent` ends; fails when that has happened already.
pub(crate) fn end_with(parent: u32) -> io::Result<()> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    let still =
        rustix::process::getppid().and_then(|pid| u32::try_from(pid.as_raw_nonzero().get()).ok());
    if still == Some(parent) { Ok(()) } else { Err(Errno::SRCH.into()) }
}

fn signal(pids: &[Pid], signal: Signal) {
    for pid in pids {
        let _ = kill_process(*pid, signal);
    }
}

/// The child's id in the parent, nothing in the child.
#[expect(unsafe_code, reason = "fork has no safe interface")]
fn fork() -> io::Result<Option<Pid>> {
    // SAFETY: this process is itself a fresh fork with one thread; both sides only make system calls from here on.
    match unsafe { libc::fork() } {
        0 => Ok(None),
        pid => Pid::from_raw(pid.max(0)).map(Some).ok_or_else(io::Error::last_os_error),
    }
}

/// Waits for the interpreter and ends as it ended; buries whatever else dies meanwhile.
fn wait_over(interpreter: Pid) -> ! {
    close_everything();
    loop {
        match rustix::process::wait(WaitOptions::empty()) {
            Ok(Some((pid, status))) if pid == interpreter => exit(code(status)),
            Ok(_) | Err(Errno::INTR) => {}
            Err(_) => exit(255),
        }
    }
}

/// As a shell counts: death by signal n is 128 + n.
fn code(status: WaitStatus) -> i32 {
    status.exit_status().or_else(|| status.terminating_signal().map(|n| 128 + n)).unwrap_or(255)
}

/// The pipes belong to the interpreter alone: their end says that nobody writes any more.
#[expect(unsafe_code, reason = "closing what somebody else opened has no safe interface")]
fn close_everything() {
    // SAFETY: this process uses no descriptor any more; it waits and exits.
    if unsafe { libc::syscall(libc::SYS_close_range, 0_u32, u32::MAX, 0_u32) } == 0 {
        return;
    }
    for descriptor in 0..DESCRIPTORS_OLD_KERNEL {
        // SAFETY: as above.
        unsafe { libc::close(descriptor) };
    }
}

/// Kernels before 5.9 close one descriptor at a time; the guard never has nearly as many.
const DESCRIPTORS_OLD_KERNEL: i32 = 4096;

#[expect(unsafe_code, reason = "ending without running the guard's clean-up has no safe interface")]
fn exit(code: i32) -> ! {
    // SAFETY: ends this process and touches nothing else.
    unsafe { libc::_exit(code) }
}

fn become_account(uid: u32, gid: u32) -> io::Result<()> {
    // This process has one thread, so that what is changed for the thread is changed for all of it.
    set_thread_groups(&[])?;
    set_thread_gid(Gid::from_raw(gid))?;
    set_thread_uid(Uid::from_raw(uid))?;
    Ok(())
}

/// Writes the calling process into a cgroup.
#[expect(unsafe_code, reason = "a number becomes a descriptor again")]
fn enter(entrance: i32) -> io::Result<()> {
    // SAFETY: the guard holds the file open until the child was started, and this process is a copy of it.
    let entrance = unsafe { BorrowedFd::borrow_raw(entrance) };
    rustix::io::write(entrance, b"0").map(drop).map_err(Into::into)
}

#[expect(unsafe_code, reason = "a number becomes a descriptor again")]
fn inherit(content: i32) -> io::Result<()> {
    // SAFETY: the guard holds the file open until the child was started, and this process is a copy of it.
    let content = unsafe { BorrowedFd::borrow_raw(content) };
    Ok(fcntl_setfd(content, FdFlags::empty())?)
}

/// Every living process below `root`.
fn living_below(root: Pid) -> Vec<Pid> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let all: Vec<Entry> = entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok())
        .filter_map(|pid| parse(pid, &fs::read_to_string(format!("/proc/{pid}/stat")).ok()?))
        .collect();
    let mut below = vec![root.as_raw_nonzero().get()];
    let mut next = 0;
    while let Some(parent) = below.get(next).copied() {
        below.extend(all.iter().filter(|entry| entry.parent == parent).map(|entry| entry.pid));
        next += 1;
    }
    let lives = |pid: &i32| all.iter().any(|entry| entry.pid == *pid && entry.lives);
    below.into_iter().skip(1).filter(lives).filter_map(Pid::from_raw).collect()
}

#[derive(Debug, PartialEq, Eq)]
struct Entry {
    pid: i32,
    parent: i32,
    lives: bool,
}

/// A line of `/proc/PID/stat`. The name in brackets may hold anything, brackets too.
fn parse(pid: i32, stat: &str) -> Option<Entry> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace();
    let state = fields.next()?;
    let parent = fields.next()?.parse().ok()?;
    // A dead main thread may leave others at work.
    let threads: u32 = fields.nth(15)?.parse().ok()?;
    Some(Entry { pid, parent, lives: !matches!(state, "Z" | "X") || threads > 1 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_name_cannot_hide_a_process() {
        let rest = "5 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0";
        let entry = |parent, lives| Some(Entry { pid: 9, parent, lives });
        assert_eq!(parse(9, &format!("9 (sh) S {rest} 1 0")), entry(5, true));
        assert_eq!(parse(9, &format!("9 (x) Z 1 ()) Z {rest} 1 0")), entry(5, false));
        assert_eq!(parse(9, &format!("9 (sh) Z {rest} 2 0")), entry(5, true));
        assert_eq!(parse(9, "9 (sh) S"), None);
    }
}
