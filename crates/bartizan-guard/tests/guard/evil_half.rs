//! The same as the event loop's own test, with real processes and a real pipe: fewer runs, longer ones.
//! `BARTIZAN_SEED=3 cargo nextest run -p bartizan-guard real_processes` plays one again.

use bartizan_proto::message::{Hello, JobPhase, Message};
use bartizan_testkit::evil_half::{Known, Patience};
use bartizan_testkit::numbers::Numbers;
use bartizan_testkit::world::signed;
use bartizan_trust::statement::SignatureRole;

use crate::pipe::{Guard, Place};

/// How often the network half writes something in one run.
const WRITES: usize = 30;
const RUNS: u64 = 3;

#[test]
fn evil_half_in_real_processes_runs_only_what_people_signed() {
    let seeds = match std::env::var("BARTIZAN_SEED") {
        Ok(seed) => vec![seed.parse().expect("BARTIZAN_SEED is a number")],
        Err(_) => (0..RUNS).collect(),
    };
    for seed in seeds {
        eprintln!("BARTIZAN_SEED={seed}");
        play(seed);
    }
}

fn play(seed: u64) {
    let mut place = Place::new();
    let marks = place.path("marks");
    let known = Known::new(&mut place.world, place.endpoint, &marks).unwrap();
    let mut numbers = Numbers::new(seed);
    let guard = place.start();
    let (mut guard, _) = linked(&place, guard);
    let mut patience = Patience::default();
    for _ in 0..WRITES {
        let written = known.write(&mut numbers);
        guard.send_bytes(&written);
        if patience.ends_with(&written) {
            patience = Patience::default();
            // The guard has ended its network half, and started another.
            guard = linked(&place, place.reconnect(guard)).0;
        }
    }
    // A connection that is in the middle of a frame says nothing any more; a new one does.
    let guard = place.reconnect(guard);
    let role = SignatureRole::Freeze;
    let thaw = place.world.thaw(known.freeze.id());
    let thaw = signed(&thaw, &[("alice", role), ("bob", role)]).unwrap();
    place.world.log_control(&known.freeze);
    place.world.log_control(&thaw);
    let (mut guard, hello) = linked(&place, guard);
    let seen = hello.jobs_size;
    let last = Known::one_more(&mut place.world, place.endpoint, &marks, seen).unwrap();
    // Room for the receipts to come.
    guard.send(&Message::ReceiptStored { seq: u64::MAX });
    let [job, content] = last.delivery();
    guard.send(&job);
    guard.send(&content);
    guard.receive_until(|message| {
        matches!(message, Message::JobTaken { phase: JobPhase::Running, .. }).then_some(())
    });
    // Jobs end in any order: wait until the last one has left its line.
    let lines = || std::fs::read_to_string(&marks).unwrap_or_default();
    while !lines().contains(last.mark) {
        guard.receive();
    }
    let ran: Vec<String> = lines().lines().map(str::to_owned).collect();
    for mark in &ran {
        assert!(mark == last.mark || known.may_run(mark), "`{mark}` ran; {}", place.log());
        assert_eq!(ran.iter().filter(|other| *other == mark).count(), 1, "{ran:?}");
    }
    guard.kill();
}

/// A link that stands. What was written before may still make the guard end the network half that wrote it, and start another.
fn linked(place: &Place, mut guard: Guard) -> (Guard, Hello) {
    for _ in 0..=WRITES {
        if let Some(hello) = guard.try_link(place) {
            return (guard, hello);
        }
        guard = place.reconnect_when_ended(guard);
    }
    panic!("no link: {}", place.log());
}
