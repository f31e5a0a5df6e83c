//! Making a connection and making it again.

use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use bartizan_proto::message::Message;
use bartizan_testkit::load::proxy::Proxy;
use bartizan_trust::id::Sha256;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::sides::{Agent, Server, in_time, play, runtime};

fn receipt() -> Message {
    Message::Receipt { envelope: b"a receipt".to_vec() }
}

#[test]
fn messages_pass_in_both_directions_under_the_devices_key() {
    let runtime = runtime();
    let server = runtime.block_on(Server::start());
    let mut agent = Agent::start();
    let key = agent.public_key().to_vec();
    let (address, spki) = (server.address(), server.spki);
    play(
        move || {
            agent.set_up(&[address], &[spki]);
            agent.expect_link(spki);
            agent.send(&receipt());
            assert_eq!(agent.receive(), Message::InventoryRequest);
            assert!(agent.close(), "the agent follows its guard");
        },
        &runtime,
        async {
            let mut peer = server.accept().await;
            let shown = peer.stream.get_ref().1.peer_certificates().unwrap()[0].to_vec();
            assert!(shown.windows(32).any(|window| window == key), "not the device's key");
            assert_eq!(peer.receive().await, Some(receipt()));
            peer.send(&Message::InventoryRequest).await;
            peer.until_closed().await;
        },
    );
}

#[test]
fn a_server_whose_key_no_bundle_names_is_refused_by_name() {
    let runtime = runtime();
    let server = runtime.block_on(Server::start());
    let (address, spki) = (server.address(), server.spki);
    let (refused, wait) = channel();
    play(
        move || {
            let mut agent = Agent::start();
            agent.set_up(&[address], &[Sha256::of(b"the real server's key")]);
            wait.recv().unwrap();
            agent.set_up(&[address], &[Sha256::of(b"another"), spki]);
            // The first thing the guard hears of: nothing was said before.
            agent.expect_link(spki);
            let log = agent.log();
            assert!(
                log.contains("[server.unknown_key]") && log.contains(&spki.to_string()),
                "{log}"
            );
            assert!(log.contains("sign a bundle"), "what to do: {log}");
        },
        &runtime,
        async {
            assert!(server.try_accept().await.is_err());
            refused.send(()).unwrap();
            while server.try_accept().await.is_err() {}
        },
    );
}

#[test]
fn without_a_bundle_any_server_is_reached_and_its_key_reported() {
    let runtime = runtime();
    let server = runtime.block_on(Server::start());
    let (address, spki) = (server.address(), server.spki);
    play(
        move || {
            let mut agent = Agent::start();
            agent.set_up(&[address], &[]);
            agent.expect_link(spki);
        },
        &runtime,
        async { drop(server.accept().await) },
    );
}

#[test]
fn a_server_that_does_not_speak_our_protocol_gets_not_a_byte() {
    for (offered, code) in [(&[][..], "[server.protocol]"), (&["h2"][..], "[server.tls]")] {
        let runtime = runtime();
        let server = runtime.block_on(Server::start_with(offered));
        let (address, spki) = (server.address(), server.spki);
        let (done, wait) = channel();
        play(
            move || {
                let mut agent = Agent::start();
                agent.set_up(&[address, address], &[spki]);
                agent.serve_handshakes_until(&wait);
                let log = agent.log();
                assert!(log.contains(code), "{code} in {log}");
            },
            &runtime,
            async {
                // Two addresses a round: at the third attempt the first round has been reported.
                for _ in 0..3 {
                    if let Ok(mut peer) = server.try_accept().await {
                        assert_eq!(peer.receive().await, None, "offered {offered:?}");
                    }
                }
                done.send(()).unwrap();
            },
        );
    }
}

#[test]
fn the_second_address_is_tried_when_the_first_is_dead() {
    let runtime = runtime();
    let (dead, server) = runtime.block_on(async {
        let closed = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        (closed.local_addr().unwrap(), Server::start().await)
    });
    let (address, spki) = (server.address(), server.spki);
    play(
        move || {
            let mut agent = Agent::start();
            agent.set_up(&[dead, address], &[spki]);
            agent.expect_link(spki);
        },
        &runtime,
        async { drop(server.accept().await) },
    );
}

#[test]
fn a_connection_passes_a_proxy() {
    let runtime = runtime();
    let (proxy, server) =
        runtime.block_on(async { (Proxy::start().await.unwrap(), Server::start().await) });
    let (address, spki) = (server.address(), server.spki);
    let place = format!("http://{}/", proxy.address);
    play(
        move || {
            let mut agent = Agent::start_with(&[("BARTIZAN_PROXY", &place)]);
            agent.set_up(&[address], &[spki]);
            agent.expect_link(spki);
            agent.send(&receipt());
            assert_eq!(agent.receive(), Message::InventoryRequest);
        },
        &runtime,
        async {
            let mut peer = server.accept().await;
            assert_eq!(peer.receive().await, Some(receipt()));
            peer.send(&Message::InventoryRequest).await;
            assert_eq!(proxy.tunnels(), 1);
            peer.until_closed().await;
        },
    );
}

#[test]
fn a_proxy_that_refuses_or_babbles_is_named() {
    let endless = format!("HTTP/1.1 200 OK\r\nX: {}", "a".repeat(20_000));
    for (answer, said) in [
        ("HTTP/1.1 403 Forbidden\r\n\r\n", "status 403; allow CONNECT"),
        (endless.as_str(), "the proxy's answer is too long"),
        ("SSH-2.0-x\r\n\r\n", "read the proxy's answer"),
    ] {
        let runtime = runtime();
        let proxy = runtime.block_on(TcpListener::bind(("127.0.0.1", 0))).unwrap();
        let place = format!("http://{}", proxy.local_addr().unwrap());
        let (done, wait) = channel();
        play(
            move || {
                let mut agent = Agent::start_with(&[("BARTIZAN_PROXY", &place)]);
                agent.set_up(&["192.0.2.1:443"], &[]);
                wait.recv().unwrap();
                assert!(agent.log().contains(said), "{said} in {}", agent.log());
                assert!(agent.is_alive());
            },
            &runtime,
            async {
                // At the second attempt the first has been reported.
                for _ in 0..2 {
                    let (mut stream, _) = in_time(proxy.accept()).await.unwrap();
                    let mut asked = vec![0; 7];
                    stream.read_exact(&mut asked).await.unwrap();
                    assert_eq!(asked, b"CONNECT");
                    let _ = stream.write_all(answer.as_bytes()).await;
                }
                done.send(()).unwrap();
            },
        );
    }
}

#[test]
fn pauses_between_attempts_stay_below_their_bounds() {
    let runtime = runtime();
    let server = runtime.block_on(Server::start());
    let (address, spki) = (server.address(), server.spki);
    let (done, wait) = channel::<()>();
    play(
        move || {
            let mut agent = Agent::start();
            agent.set_up(&[address], &[spki]);
            wait.recv().unwrap();
            assert!(agent.is_alive());
        },
        &runtime,
        async {
            drop(server.accept_tcp().await);
            for bound_s in [1, 2] {
                let closed = Instant::now();
                drop(server.accept_tcp().await);
                // One second for a busy machine.
                assert!(closed.elapsed() < Duration::from_secs(bound_s + 1), "pause {bound_s}");
            }
            done.send(()).unwrap();
        },
    );
}

#[test]
fn an_agent_that_cannot_read_its_guard_ends_and_says_why() {
    let mut agent = Agent::start();
    agent.send_bytes(&[0xff; 8]);
    agent.expect_end();
    assert!(agent.log().contains("the guard sent no frame"), "{}", agent.log());
}
