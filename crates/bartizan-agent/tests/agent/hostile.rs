//! A server that has the right key and bad intentions: it costs a connection, and nothing else.

use bartizan_proto::frame::encode_frame;
use bartizan_proto::limits::FRAME_BYTES_MAX;
use bartizan_proto::message::Message;
use tokio::io::AsyncWriteExt;

use crate::sides::{Agent, Server, in_time, play, runtime};

/// The agent gives the connection up, says so to the guard, passes nothing on, and comes back.
fn costs_a_connection(attack: &[u8]) {
    let runtime = runtime();
    let server = runtime.block_on(Server::start());
    let (address, spki) = (server.address(), server.spki);
    play(
        move || {
            let mut agent = Agent::start();
            agent.set_up(&[address], &[spki]);
            agent.expect_link(spki);
            agent.expect_no_link();
            agent.expect_link(spki);
            assert_eq!(agent.receive(), Message::InventoryRequest);
        },
        &runtime,
        async {
            let mut peer = server.accept().await;
            peer.send_bytes(attack).await;
            peer.until_closed().await;
            let mut peer = server.accept().await;
            peer.send(&Message::InventoryRequest).await;
            peer.until_closed().await;
        },
    );
}

#[test]
fn garbage_costs_a_connection() {
    costs_a_connection(&[0xff; 64]);
}

#[test]
fn an_oversized_frame_is_refused_when_it_is_announced() {
    let size = u32::try_from(FRAME_BYTES_MAX).unwrap() + 1;
    costs_a_connection(&size.to_be_bytes());
}

#[test]
fn an_empty_frame_costs_a_connection() {
    costs_a_connection(&[0; 4]);
}

#[test]
fn a_server_cannot_have_the_device_key_sign_for_it() {
    costs_a_connection(&encode_frame(&Message::TlsSign { content: b"sign this".to_vec() }));
}

#[test]
fn a_server_cannot_pretend_to_be_the_agent_or_an_endpoint() {
    costs_a_connection(&encode_frame(&Message::Link { server_spki: None }));
    costs_a_connection(&encode_frame(&Message::Receipt { envelope: b"{}".to_vec() }));
}

#[test]
fn a_server_that_speaks_no_tls_costs_a_connection() {
    let runtime = runtime();
    let server = runtime.block_on(Server::start());
    let (address, spki) = (server.address(), server.spki);
    play(
        move || {
            let mut agent = Agent::start();
            agent.set_up(&[address], &[spki]);
            agent.expect_link(spki);
            assert!(agent.log().contains("[server.tls]"), "{}", agent.log());
        },
        &runtime,
        async {
            let mut tcp = server.accept_tcp().await;
            in_time(tcp.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")).await.unwrap();
            drop(tcp);
            drop(server.accept().await);
        },
    );
}

#[test]
fn a_server_that_falls_silent_is_given_up_and_reached_again() {
    let runtime = runtime();
    let server = runtime.block_on(Server::start());
    let (address, spki) = (server.address(), server.spki);
    play(
        move || {
            let mut agent = Agent::start();
            agent.set_up(&[address], &[spki]);
            agent.expect_link(spki);
            assert!(matches!(agent.receive(), Message::Welcome { .. }));
            agent.expect_no_link();
            agent.expect_link(spki);
            // Written before the next attempt, not before the guard hears of the loss.
            assert!(agent.log().contains("answers no heartbeats"), "{}", agent.log());
        },
        &runtime,
        async {
            let mut peer = server.accept().await;
            // An answer to what was never asked counts for nothing.
            peer.send(&Message::HeartbeatAck { seq: u64::MAX }).await;
            peer.send(&Message::Welcome { heartbeat_s: 1, admitted: true }).await;
            let mut beats = 0;
            while let Some(message) = peer.receive().await {
                beats += u32::from(matches!(message, Message::Heartbeat { .. }));
            }
            assert_eq!(beats, 3);
            drop(server.accept().await);
        },
    );
}
