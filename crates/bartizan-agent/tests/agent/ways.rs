//! Freezes that do not come from the server: the bundle's mirrors, the local network.

use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::mpsc::channel;

use bartizan_proto::lan::datagrams;
use bartizan_proto::message::{Message, Place};
use bartizan_testkit::load::tls::{Identity, public_server_config};
use bartizan_trust::id::Sha256;
use bartizan_trust::statement::Mirror;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::sides::{Agent, in_time, play, runtime};

fn found(place: Place, envelope: &[u8]) -> Message {
    Message::FreezeFound { place, envelope: envelope.to_vec() }
}

/// An agent without a server that asks one mirror.
fn asking(url: String) -> Agent {
    let mut agent = Agent::start_with(&[("BARTIZAN_LAN", "off")]);
    agent.mirrors = vec![Mirror { url, every_s: 1 }];
    agent.set_up(&["127.0.0.1:1"], &[Sha256::of(b"nobody")]);
    agent
}

/// Reads a question to its end and answers it.
async fn answer(mut stream: impl AsyncRead + AsyncWrite + Unpin, answer: &[u8]) -> String {
    let mut asked = Vec::new();
    while !asked.ends_with(b"\r\n\r\n") {
        asked.push(in_time(stream.read_u8()).await.unwrap());
    }
    // One that has heard enough hangs up.
    let _ = in_time(stream.write_all(answer)).await;
    let _ = in_time(stream.shutdown()).await;
    String::from_utf8(asked).unwrap()
}

fn ok(tag: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\nETag: {tag}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into()
}

#[test]
fn a_mirror_is_asked_again_and_again_and_what_it_has_goes_to_the_guard() {
    let runtime = runtime();
    let mirror = runtime.block_on(TcpListener::bind(("127.0.0.1", 0))).unwrap();
    let url = format!("http://{}/acme", mirror.local_addr().unwrap());
    play(
        move || {
            let mut agent = asking(url);
            assert_eq!(agent.receive(), found(Place::Mirror, b"{one}"));
            assert_eq!(agent.receive(), found(Place::Mirror, b"{two}"));
            // Unchanged, and told all the same: the guard may have had a reason that has passed.
            assert_eq!(agent.receive(), found(Place::Mirror, b"{one}"));
            assert_eq!(agent.receive(), found(Place::Mirror, b"{two}"));
            assert_eq!(agent.receive(), found(Place::Mirror, b"{three}"));
        },
        &runtime,
        async {
            let accept = || async { in_time(mirror.accept()).await.unwrap().0 };
            let asked = answer(accept().await, &ok("\"v1\"", "{one}\n{two}\n")).await;
            assert!(asked.starts_with("GET /acme/freeze HTTP/1.0\r\n"), "{asked}");
            assert!(!asked.contains("If-None-Match"), "{asked}");
            let asked = answer(accept().await, b"HTTP/1.1 304 Not Modified\r\n\r\n").await;
            assert!(asked.contains("If-None-Match: \"v1\"\r\n"), "{asked}");
            answer(accept().await, &ok("\"v2\"", "{three}")).await;
        },
    );
}

#[test]
fn a_mirror_behind_tls_is_heard_whoever_certifies_it() {
    let runtime = runtime();
    let mirror = runtime.block_on(TcpListener::bind(("127.0.0.1", 0))).unwrap();
    let url = format!("https://{}", mirror.local_addr().unwrap());
    play(
        move || assert_eq!(asking(url).receive(), found(Place::Mirror, b"{one}")),
        &runtime,
        async {
            let config = public_server_config(&Identity::generate().unwrap()).unwrap();
            let acceptor = TlsAcceptor::from(Arc::new(config));
            let stream = in_time(mirror.accept()).await.unwrap().0;
            let stream = in_time(acceptor.accept(stream)).await.unwrap();
            answer(stream, &ok("x", "{one}")).await;
        },
    );
}

#[test]
fn what_a_hostile_mirror_sends_costs_one_question() {
    let line = "x".repeat(61 * 1024);
    let attacks: Vec<Vec<u8>> = vec![
        b"\x00\xff garbage".to_vec(),
        b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{cut}".to_vec(),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{a}\r\n".to_vec(),
        b"HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1/other\r\n\r\n".to_vec(),
        ok("x", &line),
        ok("x", &"{}\n".repeat(33)),
        ok("x", &"{}".repeat(200 * 1024)),
        format!("HTTP/1.1 200 OK\r\n{}\r\n{{}}", "A: b\r\n".repeat(100)).into(),
        vec![],
    ];
    let runtime = runtime();
    let mirror = runtime.block_on(TcpListener::bind(("127.0.0.1", 0))).unwrap();
    let url = format!("http://{}", mirror.local_addr().unwrap());
    let count = attacks.len();
    play(
        move || {
            let mut agent = asking(url);
            // Nothing of the attacks is passed on: this is the first.
            assert_eq!(agent.receive(), found(Place::Mirror, b"{honest}"));
            assert!(agent.log().contains("[freeze.no_mirror]"), "{}", agent.log());
        },
        &runtime,
        async {
            for attack in attacks {
                answer(in_time(mirror.accept()).await.unwrap().0, &attack).await;
            }
            answer(in_time(mirror.accept()).await.unwrap().0, &ok("x", "{honest}")).await;
        },
    );
    assert_eq!(count, 9);
}

/// A port that is free now.
fn free_port() -> u16 {
    UdpSocket::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

#[test]
fn a_broadcast_freeze_reaches_the_guard_and_junk_does_not() {
    let port = free_port();
    let mut agent = Agent::start_with(&[("BARTIZAN_LAN", &port.to_string())]);
    // It listens before it is told anything; with the first word from it, it has begun.
    agent.set_up(&["127.0.0.1:1"], &[Sha256::of(b"nobody")]);
    let sender = UdpSocket::bind(("0.0.0.0", 0)).unwrap();
    sender.set_broadcast(true).unwrap();
    let envelope = vec![b'e'; 3000];
    let (heard, told) = channel();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            while told.try_recv().is_err() {
                for junk in [&b""[..], b"bzfreez1", &[0xff; 1500], &[b'b'; 42]] {
                    sender.send_to(junk, ("127.255.255.255", port)).unwrap();
                }
                for piece in datagrams(&envelope) {
                    sender.send_to(&piece, ("127.255.255.255", port)).unwrap();
                }
                std::thread::sleep(std::time::Duration::from_millis(50));
            }
        });
        assert_eq!(agent.receive(), found(Place::Lan, &[b'e'; 3000]));
        heard.send(()).unwrap();
    });
    assert!(agent.is_alive());
}

#[test]
fn a_port_that_is_taken_is_said_and_nothing_else_is_lost() {
    let taken = UdpSocket::bind(("0.0.0.0", 0)).unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let runtime = runtime();
    let mirror = runtime.block_on(TcpListener::bind(("127.0.0.1", 0))).unwrap();
    let url = format!("http://{}", mirror.local_addr().unwrap());
    play(
        move || {
            let mut agent = Agent::start_with(&[("BARTIZAN_LAN", &port)]);
            agent.mirrors = vec![Mirror { url, every_s: 1 }];
            agent.set_up(&["127.0.0.1:1"], &[Sha256::of(b"nobody")]);
            assert_eq!(agent.receive(), found(Place::Mirror, b"{one}"));
            assert!(agent.log().contains("[freeze.no_lan]"), "{}", agent.log());
        },
        &runtime,
        async {
            answer(in_time(mirror.accept()).await.unwrap().0, &ok("x", "{one}")).await;
        },
    );
}
