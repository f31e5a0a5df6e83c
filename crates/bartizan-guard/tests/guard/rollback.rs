//! A state that is put back to an older one while the machine runs.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use bartizan_proto::message::Message;
use bartizan_trust::statement::Decision;
use bartizan_trust::time::UnixSeconds;

use crate::pipe::{Guard, Place};

#[test]
fn a_rolled_back_state_runs_nothing_twice() {
    let mut place = Place::new();
    let runs = place.path("runs");
    let script = format!("echo ran >> '{}'\n", runs.display());
    let (job, content) = place.job(&script);
    let mut guard = place.start();
    guard.link(&place);
    settled(&mut guard);
    let older = fs::read(place.path("guard/state.json")).unwrap();
    guard.deliver(job.clone(), &content);
    assert_eq!(guard.receipt().decision, Decision::Done);
    guard.kill();

    fs::write(place.path("guard/state.json"), older).unwrap();
    let mut guard = place.start();
    let seen = guard.link(&place).jobs_size;
    guard.deliver(place.for_view(&job, seen), &content);
    assert_eq!(guard.receipt_of_a_refusal(), "replay.seen", "{}", place.log());
    assert!(place.log().contains("is not the state this machine stored last"));
    assert_eq!(fs::read_to_string(&runs).unwrap(), "ran\n");

    // I9: what is signed afterwards runs.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    place.world.now = UnixSeconds::new(now + 125);
    let (job, content) = place.job(&script);
    let seen = guard.link(&place).jobs_size;
    guard.deliver(place.for_view(&job, seen), &content);
    // The second receipt of a job that ended well: the first of them may come again.
    while fs::read_to_string(&runs).unwrap() != "ran\nran\n" {
        guard.receive();
    }
    guard.kill();
}

/// Everything that was said has been taken in.
fn settled(guard: &mut Guard) {
    guard.send(&Message::InventoryRequest);
    let mut inventories = 0;
    guard.receive_until(|message| {
        // The first comes with the link.
        inventories += u32::from(matches!(message, Message::Inventory { .. }));
        (inventories == 2).then_some(())
    });
}
