//! Companions that do not what they should: scripts in the place of `bartizan-probe`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use super::*;
use crate::launcher;

/// Asks a companion that is this script.
fn asked(script: &str, request: &Request) -> Answer {
    let folder = tempfile::tempdir().unwrap();
    let program: PathBuf = folder.path().join("bartizan-probe");
    // Written under another name first: a program that is open for writing does not start.
    let fresh = folder.path().join("fresh");
    fs::write(&fresh, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&fresh, fs::Permissions::from_mode(0o755)).unwrap();
    fs::rename(&fresh, &program).unwrap();
    let (launcher, orders) = launcher::open();
    let serving = thread::spawn(move || orders.serve());
    let answer = Prober::new(launcher.handle(), program, None).hasty().ask(request);
    drop(launcher);
    serving.join().unwrap();
    answer
}

fn ping() -> Request {
    Request::Ping { host: "acme.example".to_owned() }
}

#[track_caller]
fn says(answer: &Answer, part: &str) {
    assert!(matches!(answer, Answer::Unknown { text } if text.contains(part)), "{answer:?}");
}

#[test]
fn what_a_companion_answers_is_taken() {
    let answer =
        asked("cat >/dev/null; printf '{\"answer\":\"echoed\",\"received\":4,\"ms\":1}'", &ping());
    assert_eq!(answer, Answer::Echoed { received: 4, ms: Some(1) });
}

#[test]
fn a_companion_that_hangs_is_ended() {
    says(&asked("exec sleep 1000", &ping()), "did not answer in time");
    says(
        &asked("trap '' TERM; cat >/dev/null; exec 0<&-; exec sleep 1000", &ping()),
        "did not answer in time",
    );
    let large = Request::Certificates { base64: vec!["A".repeat(6000); 16] };
    says(&asked("exec sleep 1000", &large), "did not answer in time");
}

#[test]
fn a_companion_that_talks_without_end_or_nonsense_is_not_believed() {
    says(&asked("exec cat /dev/zero", &ping()), "nonsense");
    says(
        &asked("cat >/dev/null; printf '{\"answer\":\"connected\",\"ms\":1}'", &ping()),
        "nonsense",
    );
    says(&asked("cat >/dev/null; printf 'hello'", &ping()), "nonsense");
    says(&asked("exit 1", &ping()), "bartizan-probe");
}

#[test]
fn without_a_companion_it_is_said_what_to_install() {
    let (launcher, orders) = launcher::open();
    let serving = thread::spawn(move || orders.serve());
    let missing = PathBuf::from("/nowhere/bartizan-probe");
    let prober = Prober::new(launcher.handle(), missing, None);
    says(&prober.ask(&ping()), "is it installed beside bartizan-guard");
    drop(launcher);
    serving.join().unwrap();
    says(&prober.ask(&ping()), "the guard ends");
}
