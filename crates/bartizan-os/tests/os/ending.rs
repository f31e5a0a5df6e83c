//! What is told to end ends, with everything it started.

use std::cell::Cell;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use bartizan_os::exec::Ending;
use bartizan_trust::statement::{Interpreter, Script};

use crate::runs::{Place, is_alive};

const fn one_second(script: &mut Script) {
    script.timeout_s = 1;
}

/// Runs a script that starts other processes, which note their ids as files and never end by themselves, and ends it when
/// all of them are at work.
#[track_caller]
fn all_end(interpreter: Interpreter, text: &str, count: usize) {
    let place = Place::new();
    fs::create_dir(place.path("pids")).unwrap();
    let text = text.replace("PIDS", &place.path("pids").display().to_string());
    let noted = || fs::read_dir(place.path("pids")).unwrap().count() == count;
    let change = |script: &mut Script| script.interpreter = interpreter;
    let ran = place.run_while(&text, change, noted, |_| {});
    assert_eq!(ran.report.ending, Ending::Interrupted, "{}", String::from_utf8_lossy(&ran.stderr));
    let pids: Vec<String> = fs::read_dir(place.path("pids"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let alive: Vec<_> = pids.iter().filter(|pid| is_alive(pid)).collect();
    assert!(alive.is_empty(), "still at work: {alive:?}");
}

#[test]
fn children_and_grandchildren_end_with_their_script() {
    let text =
        "touch PIDS/$$\nsh -c 'touch PIDS/$$; sh -c \"touch PIDS/\\$\\$; sleep 600\"; :' &\nwait";
    all_end(Interpreter::Sh, text, 3);
}

#[test]
fn a_session_of_its_own_does_not_escape() {
    let text = "touch PIDS/$$\nsetsid sh -c 'touch PIDS/$$; sleep 600; :' &\nsleep 600";
    all_end(Interpreter::Bash, text, 2);
}

#[test]
fn a_daemon_whose_parents_are_gone_does_not_escape() {
    // Two forks, a session of its own, no terminal, no pipe, and deaf to requests.
    let text = "import os, signal, time\n\
        def note(): open('PIDS/%d' % os.getpid(), 'w').close()\n\
        if os.fork() == 0:\n    os.setsid()\n    if os.fork(): os._exit(0)\n    \
        os.closerange(0, 100)\n    signal.signal(signal.SIGTERM, signal.SIG_IGN)\n    \
        note()\n    time.sleep(600)\n\
        note()\ntime.sleep(600)\n";
    all_end(Interpreter::Python3, text, 2);
}

#[test]
fn a_stopped_process_does_not_escape() {
    let text = "touch PIDS/$$\nsh -c 'touch PIDS/$$; kill -STOP $$; sleep 600' &\nsleep 600";
    all_end(Interpreter::Sh, text, 2);
}

#[test]
fn a_script_that_cleans_up_when_asked_may_do_so() {
    let text = "trap 'echo cleaned; exit 0' TERM\necho ready\nwhile :; do sleep 0.05; done";
    let ready = Cell::new(false);
    let ran = Place::new().run_while(text, |_| {}, || ready.get(), |_| ready.set(true));
    assert_eq!(ran.report.ending, Ending::Interrupted);
    assert_eq!(ran.text(), "ready\ncleaned\n");
}

#[test]
fn a_timeout_is_not_much_longer_than_it_says() {
    let begun = Instant::now();
    let ran = Place::new().run("trap '' TERM\nwhile :; do :; done", one_second);
    assert_eq!(ran.report.ending, Ending::TimedOut);
    let took = begun.elapsed();
    assert!(took >= Duration::from_secs(1) && took < Duration::from_secs(8), "{took:?}");
}

#[test]
fn a_timeout_ends_what_has_a_session_of_its_own() {
    let place = Place::new();
    let pid = place.path("pid");
    let text = format!("setsid sh -c 'echo $$ > {}; exec sleep 600' &\nwait", pid.display());
    let ran = place.run(&text, one_second);
    assert_eq!(ran.report.ending, Ending::TimedOut);
    // Ended before it could even say who it is, or after.
    assert!(!fs::read_to_string(pid).is_ok_and(|pid| is_alive(&pid)));
}

#[test]
fn a_flood_does_not_put_the_timeout_off() {
    let ran = Place::new().run("exec yes", one_second);
    assert_eq!(ran.report.ending, Ending::TimedOut);
}

#[test]
fn a_guard_that_stops_ends_its_scripts() {
    let begun = Cell::new(false);
    let ran = Place::new().run_while(
        "echo begun\nsleep 600",
        |_| {},
        || begun.get(),
        |_| begun.set(true),
    );
    assert_eq!(ran.report.ending, Ending::Interrupted);
    assert_eq!(ran.text(), "begun\n");
}

#[test]
fn what_a_script_leaves_running_does_not_hold_its_end_up() {
    let place = Place::new();
    let pid = place.path("pid");
    let ran = place.run(&format!("sleep 600 &\necho $! > '{}'", pid.display()), |_| {});
    ran.exited(0);
    let pid = fs::read_to_string(pid).unwrap();
    assert!(is_alive(&pid), "a service that a script starts stays");
    let killed = std::process::Command::new("kill").args(["-KILL", pid.trim()]).status();
    assert!(killed.expect("kill is missing").success());
}

#[test]
fn what_a_script_leaves_writing_does_not_hold_its_end_up() {
    let place = Place::new();
    let pid = place.path("pid");
    place.run(&format!("yes &\necho $! > '{}'", pid.display()), |_| {}).exited(0);
    // Nobody reads any more, so it ends by itself.
    wait_until_gone(&pid);
}

fn wait_until_gone(pid: &Path) {
    let pid = fs::read_to_string(pid).unwrap();
    let until = Instant::now() + Duration::from_secs(10);
    while is_alive(&pid) {
        assert!(Instant::now() < until, "{pid} still writes");
        std::thread::yield_now();
    }
}

#[test]
fn a_script_that_closes_its_output_is_still_awaited() {
    let ran = Place::new().run("exec > /dev/null 2>&1\nsleep 0.1\nexit 5", |_| {});
    ran.exited(5);
}
