//! Arbitrary code in the place of the network half: no crash, no effect.

use bartizan_proto::frame::encode_frame;
use bartizan_proto::message::{JobMessage, JobPhase, Message};
use bartizan_trust::id::Sha256;
use bartizan_trust::statement::Decision;

use crate::pipe::{Guard, Place};

#[track_caller]
fn still_honest(place: &mut Place, guard: &mut Guard) {
    let seen = guard.link(place).jobs_size;
    let (job, content) = place.job("true\n");
    let job = place.for_view(&job, seen);
    guard.deliver(job, &content);
    let receipt = guard.receive_until(|message| match message {
        Message::JobTaken { phase, .. } => Some(*phase),
        _ => None,
    });
    assert_eq!(receipt, JobPhase::Running, "{}", place.log());
    guard.receive_until(|message| match message {
        Message::Receipt { envelope } => {
            let text = String::from_utf8_lossy(envelope).into_owned();
            let envelope = bartizan_trust::envelope::Envelope::decode(text.as_bytes()).unwrap();
            let receipt: bartizan_trust::statement::Receipt = envelope.statement().unwrap();
            (receipt.decision == Decision::Done).then_some(())
        }
        _ => None,
    });
}

#[test]
fn malformed_frames_end_the_agent_and_not_the_guard() {
    let mut place = Place::new();
    let mut guard = place.start();
    let corpus: [&[u8]; 6] = [
        &[0xff; 64],
        &[0, 0, 0, 0],
        &[0, 0, 0, 1, 0],
        &[0, 0, 0, 2, 129, 2],
        &[0, 2, 0, 1, 1],
        &[0, 0, 0, 5, 7, 0, 0, 0, 0],
    ];
    for bytes in corpus {
        guard.send_bytes(bytes);
        guard = place.reconnect(guard);
        // A link that worked ends the growing pause before the next agent.
        guard.link(&place);
        assert!(guard.is_alive());
    }
    still_honest(&mut place, &mut guard);
    guard.kill();
}

#[test]
fn messages_that_are_not_the_agents_to_send_end_it() {
    let mut place = Place::new();
    let mut guard = place.start();
    for message in [
        Message::Heartbeat { seq: 1 },
        Message::TlsSigned { signature: vec![0; 64] },
        Message::Receipt { envelope: b"{}".to_vec() },
    ] {
        guard.send(&message);
        guard = place.reconnect(guard);
        guard.link(&place);
    }
    still_honest(&mut place, &mut guard);
    guard.kill();
}

#[test]
fn deliveries_without_rhyme_or_reason_run_nothing() {
    let mut place = Place::new();
    let mut guard = place.start();
    guard.link(&place);
    let (good, content) = place.job(&format!("echo ran > '{}'\n", place.path("ran").display()));
    let hash = Sha256::of(b"x");
    let nonsense = [
        JobMessage { envelope: b"{}".to_vec(), ..good.clone() },
        JobMessage { proof: Vec::new(), ..good.clone() },
        JobMessage { path: vec![hash; 20], ..good.clone() },
        JobMessage { index: 7, ..good.clone() },
        JobMessage { stage: u32::MAX, ..good.clone() },
        JobMessage { consistency: vec![hash; 64], ..good.clone() },
    ];
    for message in nonsense {
        guard.deliver(message, &content);
    }
    // Content nobody asked for, of another job, in pieces that do not fit.
    guard.send(&Message::Content { sha256: hash, total: 5, offset: 4, bytes: vec![1; 9] });
    guard.send(&Message::Content { sha256: hash, total: 0, offset: u32::MAX, bytes: vec![] });
    // Control entries from nowhere.
    for start in [0, 1, 2, u64::MAX] {
        let entries = vec![b"junk".to_vec(); 3];
        guard.send(&Message::Control { start, entries, checkpoint: b"no note".to_vec() });
    }
    guard.send(&Message::ReceiptStored { seq: u64::MAX });
    still_honest(&mut place, &mut guard);
    assert!(!place.path("ran").exists(), "{}", place.log());
    guard.kill();
}

#[test]
fn half_a_frame_and_then_nothing_keeps_nobody_waiting() {
    let mut place = Place::new();
    let mut guard = place.start();
    let frame = encode_frame(&Message::InventoryRequest);
    guard.send_bytes(&frame[..2]);
    guard = place.reconnect(guard);
    still_honest(&mut place, &mut guard);
    guard.kill();
}

#[test]
fn a_server_with_another_key_than_the_bundle_names_is_not_spoken_to() {
    let mut place = Place::new();
    let mut guard = place.start();
    guard.link(&place);
    guard.send(&Message::InventoryRequest);
    guard.receive_until(|message| {
        matches!(message, Message::Setup(setup) if !setup.spkis.is_empty()).then_some(())
    });
    guard.send(&Message::Link { server_spki: Some(Sha256::of(b"the attacker's key")) });
    guard = place.reconnect(guard);
    still_honest(&mut place, &mut guard);
    guard.kill();
}
