//! A state that is put back to an older one while the machine runs.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use bartizan_proto::message::Message;
use bartizan_trust::statement::Decision;
use bartizan_trust::time::UnixSeconds;

use serde_json::Value;

use crate::pipe::{Guard, Place, guard_command};

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

fn tenant(place: &Place) -> Value {
    let output = guard_command().arg("status").arg("--dir").arg(place.path("guard")).output();
    let status: Value = serde_json::from_slice(&output.unwrap().stdout).unwrap();
    status["tenant"].clone()
}

#[test]
fn a_lost_state_makes_nobody_homeless_whose_enrolment_is_over() {
    let mut place = Place::new();
    let mut guard = place.start();
    guard.link(&place);
    settled(&mut guard);
    guard.kill();
    assert_eq!(tenant(&place), "tn_acme");

    // By witness time the enrolment has been over for days.
    place.world.now = place.world.now.plus(7 * 24 * 3600);
    fs::remove_file(place.path("guard/state.json")).unwrap();
    let mut guard = place.start();
    guard.link(&place);
    settled(&mut guard);
    assert_eq!(tenant(&place), "tn_acme", "{}", place.log());
    // I9: it works for the same people as before, once what it may have forgotten is past.
    place.world.now = place.world.now.plus(125);
    let (job, content) = place.job("true\n");
    let seen = guard.link(&place).jobs_size;
    guard.deliver(place.for_view(&job, seen), &content);
    assert_eq!(guard.receipt().decision, Decision::Done, "{}", place.log());
    guard.kill();

    // Without the note that it has been a member it is somebody new, and an enrolment that is over admits nobody.
    fs::remove_file(place.path("guard/state.json")).unwrap();
    fs::remove_file(place.path("guard/joined.json")).unwrap();
    let mut guard = place.start();
    guard.link(&place);
    settled(&mut guard);
    guard.kill();
    assert_eq!(tenant(&place), Value::Null);
    assert!(place.log().contains("the enrolment is refused"), "{}", place.log());
}

#[test]
fn another_machines_note_admits_nobody() {
    let mut place = Place::new();
    let mut guard = place.start();
    guard.link(&place);
    settled(&mut guard);
    guard.kill();
    let note = fs::read(place.path("guard/joined.json")).unwrap();
    // The same install command on another machine, too late, with everything but the device key copied.
    fs::remove_dir_all(place.path("guard")).unwrap();
    assert!(place.enroll().status.success());
    place.world.now = place.world.now.plus(7 * 24 * 3600);
    fs::write(place.path("guard/joined.json"), note).unwrap();
    let mut guard = place.start();
    guard.link(&place);
    settled(&mut guard);
    guard.kill();
    assert_eq!(tenant(&place), Value::Null, "{}", place.log());
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
