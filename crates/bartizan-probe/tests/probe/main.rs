//! The companion against real servers, and against peers that do what none should.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod dns;
mod hostile;
mod ping;
mod web;

use std::io::Write as _;
use std::process::{Command, Stdio};

use bartizan_probe::System;
use bartizan_proto::probe::{Answer, Request};
use bartizan_trust::statement::{HttpMethod, TlsTrust};

/// Asks the program, as the guard does.
#[track_caller]
fn ask(request: &Request) -> Answer {
    ask_by(&mut Command::new(env!("CARGO_BIN_EXE_bartizan-probe")), request)
}

#[track_caller]
fn ask_by(command: &mut Command, request: &Request) -> Answer {
    let name = command.get_program().to_string_lossy().into_owned();
    let mut child = command
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    child.stdin.take().unwrap().write_all(&request.encode()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{name}: {:?}", output.status);
    Answer::decode(&output.stdout, request).unwrap()
}

/// Asks within this process, with another system around it.
fn ask_within(request: &Request, system: &System) -> Answer {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let answer = runtime.block_on(bartizan_probe::answer(request, system));
    Answer::decode(&answer.encode(), request).unwrap()
}

fn web(url: String, contains: Option<&str>, tls: TlsTrust) -> Request {
    Request::Http { url, method: HttpMethod::Get, contains: contains.map(str::to_owned), tls }
}

fn tcp(port: u16, banner: Option<&str>) -> Request {
    Request::Tcp { host: "127.0.0.1".to_owned(), port, banner: banner.map(str::to_owned) }
}

#[track_caller]
fn failed(answer: &Answer, part: &str) {
    assert!(matches!(answer, Answer::Failed { text, .. } if text.contains(part)), "{answer:?}");
}

#[track_caller]
fn unknown(answer: &Answer, part: &str) {
    assert!(matches!(answer, Answer::Unknown { text } if text.contains(part)), "{answer:?}");
}

#[test]
fn what_is_no_request_is_not_answered() {
    for bytes in [&b""[..], b"{}", b"{\"ask\":\"ping\",\"host\":\"169.254.169.254\"}"] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_bartizan-probe"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(bytes).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(!output.status.success() && output.stdout.is_empty());
    }
}
