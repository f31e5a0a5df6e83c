//! What holds jobs in where a cgroup was delegated to the guard, and what the guard says where none was.
//!
//! A cgroup can be delegated by root where version 2 is mounted writable; elsewhere these tests show the other half: that
//! it is said, and that jobs run all the same. Limits are looked at for those controllers that this machine's version 2
//! has; where version 1 holds them, there are none to look at.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use bartizan_os::account;
use bartizan_proto::message::Message;
use bartizan_trust::statement::{Action, Decision, Script};

use crate::pipe::{Guard, Place};

/// A cgroup as systemd would delegate it; removed with everything in it.
struct Delegated(PathBuf);

impl Delegated {
    fn new(place: &Place) -> Option<Self> {
        if !account::is_root() {
            return None;
        }
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
        let mount = mounts
            .lines()
            .map(|line| line.split(' ').collect::<Vec<_>>())
            .find(|words| words[2] == "cgroup2")?[1]
            .to_owned();
        let group = Path::new(&mount).join(format!("bartizan-test-{}", place.endpoint));
        fs::create_dir(&group).ok()?;
        let marked = Command::new("python3")
            .args(["-c", "import os, sys; os.setxattr(sys.argv[1], 'user.delegate', b'1')"])
            .arg(&group)
            .status()
            .expect("python3 is missing");
        assert!(marked.success(), "Linux 5.7 and later keep such a mark");
        Some(Self(group))
    }

    fn start(&self, place: &Place) -> Guard {
        place.start_by(&[
            "/bin/sh",
            "-c",
            "echo 0 > \"$0/cgroup.procs\" && exec \"$@\"",
            self.text(),
        ])
    }

    fn text(&self) -> &str {
        self.0.to_str().unwrap()
    }

    /// The groups of jobs.
    fn jobs(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().path());
        entries.filter(|path| path.display().to_string().contains("/job-")).collect()
    }
}

impl Drop for Delegated {
    fn drop(&mut self) {
        let _ = fs::write(self.0.join("cgroup.kill"), "1");
        let until = Instant::now() + Duration::from_secs(10);
        while Instant::now() < until && self.0.exists() {
            for group in self.jobs().into_iter().chain([self.0.join("guard"), self.0.clone()]) {
                let _ = fs::remove_dir(group);
            }
            std::thread::yield_now();
        }
    }
}

#[test]
fn a_job_ends_whole_however_fast_it_multiplies() {
    let mut place = Place::new();
    let Some(delegated) = Delegated::new(&place) else { return without(&mut place) };
    let mut guard = delegated.start(&place);
    guard.link(&place);
    // Each process starts the next and is gone: a list of processes is old before it is read.
    let text = "import os, sys, time\n\
                print(open('/proc/self/cgroup').read(), flush=True)\n\
                if os.fork() == 0:\n    \
                while not os.fork(): pass\n    \
                os._exit(0)\n\
                time.sleep(600)\n";
    let (job, content) = place.job_with(text, |script: &mut Script| {
        script.interpreter = bartizan_trust::statement::Interpreter::Python3;
        script.timeout_s = 1;
    });
    guard.deliver(job, &content);
    let told = guard.receive_until(|message| match message {
        Message::Output { bytes, .. } => Some(String::from_utf8(bytes.clone()).unwrap()),
        _ => None,
    });
    let group = &delegated.jobs()[0];
    assert!(told.contains(group.file_name().unwrap().to_str().unwrap()), "{told}");
    check_limits(group);
    assert_eq!(guard.receipt().decision, Decision::TimedOut);
    assert_eq!(delegated.jobs(), Vec::<PathBuf>::new(), "nothing is left in the group");
    // And the next job gets a group of its own.
    let (job, content) = place.job("cat /proc/self/cgroup");
    guard.deliver(place.for_view(&job, 1), &content);
    assert_eq!(guard.receipt_until_done().code, "ok");
    assert!(place.log().contains("jobs: cgroup: ends whole"), "{}", place.log());
}

fn check_limits(group: &Path) {
    let held = fs::read_to_string(group.join("cgroup.controllers")).unwrap();
    for controller in held.split_whitespace() {
        let (file, wanted) = match controller {
            "memory" => ("memory.oom.group", "1"),
            "pids" => ("pids.max", "4096"),
            "cpu" => ("cpu.weight", "50"),
            _ => continue,
        };
        assert_eq!(fs::read_to_string(group.join(file)).unwrap().trim(), wanted, "{file}");
    }
}

#[test]
fn without_a_cgroup_jobs_run_and_the_inventory_says_so() {
    without(&mut Place::new());
}

fn without(place: &mut Place) {
    let mut guard = place.start();
    guard.link(place);
    let inventory = guard.receive_until(|message| match message {
        Message::Inventory { json } => Some(String::from_utf8(json.clone()).unwrap()),
        _ => None,
    });
    assert!(inventory.contains("no cgroup, so no limits but time and output"), "{inventory}");
    let (job, content) = place.job("echo ran");
    guard.deliver(job, &content);
    assert_eq!(guard.receipt().code, "ok");
    assert!(matches!(place.world.job().unwrap().action, Action::Script(_)));
}
