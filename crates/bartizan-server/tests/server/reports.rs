//! What endpoints observe: stored once whoever is killed, bounded whoever floods.

use std::sync::Arc;

use bartizan_proto::frame::encode_frame;
use bartizan_proto::limits::REPORT_BYTES_MAX;
use bartizan_proto::message::{Message, Report};
use bartizan_testkit::load::endpoint::Endpoint;
use serde_json::Value;
use tokio::io::AsyncWriteExt as _;

use crate::endpoints::{Line, World, id};
use crate::{now, wait_for};

/// A kind that no server knows, so that only the way of a report is looked at.
const STRANGE: u8 = 200;

fn report(epoch: u64, seq: u64, kind: u8) -> Message {
    let bytes = format!("report {seq}").into_bytes();
    Message::Report(Report { epoch, seq, at: now().get(), dropped: 0, kind, bytes })
}

pub(crate) fn endpoint(world: &World, number: u32) -> Endpoint {
    Endpoint::new(Arc::clone(&world.fleet), number, world.tell.clone()).expect("endpoint")
}

/// A line that has been welcomed.
pub(crate) async fn line(endpoint: &Endpoint) -> Line {
    let mut line = Line::open(endpoint).await;
    let answer = line.hear().await;
    assert!(matches!(answer, Some(Message::Welcome { .. })), "{answer:?}");
    line
}

pub(crate) async fn stored(line: &mut Line) -> (u64, u64) {
    let answer = line.hear().await;
    let Some(Message::ReportStored { epoch, seq }) = answer else {
        assert_eq!(answer, None, "not a report's confirmation");
        unreachable!("the connection ended before a report's confirmation");
    };
    (epoch, seq)
}

#[test]
fn a_report_is_confirmed_and_known_when_it_comes_again() {
    let dir = tempfile::tempdir().expect("temp dir");
    wait_for(async {
        let world = World::new(dir.path()).await;
        let endpoint = endpoint(&world, 0);
        let mut line = line(&endpoint).await;
        line.say(&report(5, 10, STRANGE)).await;
        assert_eq!(stored(&mut line).await, (5, 10));
        line.say(&report(5, 3, STRANGE)).await;
        assert_eq!(stored(&mut line).await, (5, 10), "everything up to 10 is there");
        line.say(&report(u64::MAX, 1, STRANGE)).await;
        assert_eq!(stored(&mut line).await, (u64::MAX, 1), "another spool");
    });
}

#[test]
fn what_was_confirmed_survives_a_kill_and_what_was_not_comes_again() {
    let dir = tempfile::tempdir().expect("temp dir");
    wait_for(async {
        let world = World::new(dir.path()).await;
        let endpoint = endpoint(&world, 0);
        let mut program = world.program;
        let mut confirmed = 0;
        for round in 1..=3_u64 {
            let mut line = line(&endpoint).await;
            let last = round * 40;
            // From the first that is not confirmed, as a spool does.
            for seq in confirmed + 1..=last {
                line.say(&report(1, seq, STRANGE)).await;
            }
            // Killed in the middle of it: with the first confirmation, whatever it says.
            let (_, seq) = stored(&mut line).await;
            assert!(seq > confirmed && seq <= last);
            confirmed = seq;
            program = program.crash_and_restart();
        }
        let mut line = line(&endpoint).await;
        line.say(&report(1, 1, STRANGE)).await;
        let (_, floor) = stored(&mut line).await;
        assert!(floor >= confirmed, "confirmed {confirmed}, stored {floor}");
        for seq in floor + 1..=120 {
            line.say(&report(1, seq, STRANGE)).await;
        }
        while stored(&mut line).await.1 < 120 {}
        drop(program);
    });
}

#[test]
fn from_quarantine_inventory_is_taken_and_nothing_else() {
    let dir = tempfile::tempdir().expect("temp dir");
    wait_for(async {
        let mut world = World::new(dir.path()).await;
        world.connect(0).await;
        world.connect(1).await;
        let endpoint = endpoint(&world, 2);
        let mut held = Line::open(&endpoint).await;
        assert!(matches!(held.hear().await, Some(Message::Welcome { admitted: false, .. })));
        held.say(&report(1, 1, 1)).await;
        assert_eq!(stored(&mut held).await, (1, 1));
        for (seq, kind) in [(2, 2), (3, 3), (4, 4), (5, STRANGE), (6, 1)] {
            held.say(&report(1, seq, kind)).await;
        }
        held.say(&Message::Heartbeat { seq: 7 }).await;
        let answer = held.hear().await;
        assert!(matches!(answer, Some(Message::HeartbeatAck { seq: 7 })), "{answer:?}");

        let path = format!("/v1/endpoints/{}/admit", id(2));
        let _: Value = world.console.send(&path, &()).await.expect("admit");
        let mut line = line(&endpoint).await;
        line.say(&report(1, 2, 2)).await;
        assert_eq!(stored(&mut line).await, (1, 2), "it was not taken before");
    });
}

#[test]
fn a_flood_is_not_read_and_another_endpoint_does_not_notice() {
    let dir = tempfile::tempdir().expect("temp dir");
    wait_for(async {
        let world = World::new(dir.path()).await;
        let (loud, quiet) = (endpoint(&world, 0), endpoint(&world, 1));
        let (flood, mut quiet) = (line(&loud).await, line(&quiet).await);
        // Far more than both sides' socket buffers hold: at the allowed rate it would take a quarter of an hour.
        let bytes = vec![0; REPORT_BYTES_MAX];
        let flood = tokio::spawn(async move {
            let mut stream = flood.stream;
            for seq in 1..=2000 {
                let report = Report {
                    epoch: 1,
                    seq,
                    at: 0,
                    dropped: 0,
                    kind: STRANGE,
                    bytes: bytes.clone(),
                };
                if stream.write_all(&encode_frame(&Message::Report(report))).await.is_err() {
                    return;
                }
            }
        });
        for seq in 1..=20 {
            quiet.say(&report(1, seq, STRANGE)).await;
            assert_eq!(stored(&mut quiet).await, (1, seq));
        }
        assert!(!flood.is_finished(), "64 MiB were read at once");
        flood.abort();
    });
}
