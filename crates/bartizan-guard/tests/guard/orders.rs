//! Standing orders in a real guard: they run without a server and after a restart, never twice, and end when they must.

use std::fs;
use std::time::{Duration, Instant};

use bartizan_proto::message::Message;
use bartizan_testkit::world::signed;
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::StatementId;
use bartizan_trust::statement::{Decision, On, Receipt, SignatureRole};

use crate::pipe::{Guard, Place};

/// A state, not a moment.
#[track_caller]
fn wait(place: &Place, what: &str, mut done: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(30);
    while !done() {
        assert!(Instant::now() < until, "waited for {what}; {}", place.log());
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn runs(place: &Place) -> usize {
    fs::read_to_string(place.path("runs")).unwrap_or_default().lines().count()
}

/// An order that stands and writes a line whenever a file changes.
fn standing(place: &mut Place, more: &str) -> (Guard, StatementId) {
    let text = format!("echo ran >> '{}'\n{more}", place.path("runs").display());
    let on = On::FileChanged { path: place.path("watched").to_str().unwrap().to_owned() };
    let (order, content) = place.order(&text, on);
    let id = Envelope::decode(&order.envelope).unwrap().id();
    let mut guard = place.start();
    guard.link(place);
    guard.deliver(order, &content);
    let receipt = guard.receipt();
    assert_eq!((receipt.job, receipt.decision), (id, Decision::Standing), "{}", place.log());
    assert_eq!(receipt.code, "order.standing");
    (guard, id)
}

fn change(place: &Place, text: &str) {
    fs::write(place.path("watched"), text).unwrap();
}

/// Receipts up to the first that fits.
fn receipts_until(guard: &mut Guard, mut wanted: impl FnMut(&Receipt) -> bool) -> Vec<Receipt> {
    let mut all = Vec::new();
    loop {
        let receipt = guard.receipt();
        guard.send(&Message::ReceiptStored { seq: receipt.seq });
        all.push(receipt);
        if all.last().is_some_and(&mut wanted) {
            return all;
        }
    }
}

#[test]
fn an_order_runs_without_a_server_and_after_a_restart_and_its_receipts_wait() {
    let mut place = Place::new();
    let (guard, id) = standing(&mut place, "");
    guard.kill();
    // No link from here on.
    let guard = place.start();
    change(&place, "one");
    wait(&place, "the first run", || runs(&place) == 1);
    // By its name: a file that is being written bears another ending.
    let second = place.path("guard/outbox/0000000000000002.json");
    wait(&place, "its receipt", || second.exists());
    guard.kill();
    let mut guard = place.start();
    change(&place, "two");
    wait(&place, "the second run", || runs(&place) == 2);
    guard.link(&place);
    let mut ran = 0;
    let all = receipts_until(&mut guard, |receipt| {
        ran += usize::from(receipt.decision == Decision::Done);
        ran == 2
    });
    assert!(all.iter().all(|receipt| receipt.job == id));
    let due: Vec<_> = all.iter().filter_map(|receipt| receipt.occurrence).collect();
    assert!(due.len() == 2 && due[0] < due[1], "{all:?}");
    assert!(all.windows(2).all(|pair| pair[0].seq + 1 == pair[1].seq), "one chain");
    assert_eq!(runs(&place), 2);
    guard.kill();
}

#[test]
fn sigkill_at_any_point_never_runs_an_occurrence_twice() {
    let mut place = Place::new();
    let (mut guard, _) = standing(&mut place, "sleep 0.2\n");
    let started = place.path("guard/started");
    for round in 1..=4 {
        let before = runs(&place);
        change(&place, &format!("round {round}"));
        if round % 2 == 0 {
            wait(&place, "the run", || runs(&place) > before);
        } else {
            // Between the note and the first line of the script, or not long after.
            wait(&place, "the note", || {
                fs::read_dir(&started).is_ok_and(|mut all| all.next().is_some())
            });
        }
        guard.kill();
        guard = place.start();
        guard.link(&place);
        let all = receipts_until(&mut guard, |receipt| receipt.occurrence.is_some());
        let last = all.last().unwrap();
        assert!(matches!(last.decision, Decision::Interrupted | Decision::Done), "{last:?}");
        assert!(runs(&place) <= before + 1, "round {round}; {}", place.log());
    }
    let before = runs(&place);
    change(&place, "in peace");
    receipts_until(&mut guard, |receipt| receipt.decision == Decision::Done);
    assert_eq!(runs(&place), before + 1, "{}", place.log());
    guard.kill();
}

#[test]
fn content_altered_on_the_disk_ends_the_order_and_never_runs() {
    for damage in ["content", "json"] {
        let mut place = Place::new();
        let (guard, id) = standing(&mut place, "");
        guard.kill();
        let evil = format!("echo evil >> '{}'\n", place.path("evil").display());
        fs::write(place.path("guard/orders").join(format!("{id}.{damage}")), evil).unwrap();
        let mut guard = place.start();
        guard.link(&place);
        change(&place, "one");
        let all = receipts_until(&mut guard, |receipt| receipt.decision == Decision::Ended);
        assert_eq!(all.last().unwrap().code, "content.mismatch");
        assert_eq!((runs(&place), place.path("evil").exists()), (0, false));
        wait(&place, "an empty folder", || {
            fs::read_dir(place.path("guard/orders")).unwrap().count() == 0
        });
        // Other work goes on (I9).
        let (job, content) = place.job("exit 0\n");
        let seen = 1;
        guard.deliver(place.for_view(&job, seen), &content);
        receipts_until(&mut guard, |receipt| receipt.decision == Decision::Done);
        guard.kill();
    }
}

#[test]
fn an_order_ends_with_its_author_and_when_it_is_taken_back() {
    for (number, code) in ["sig.author_missing", "freeze.withdrawn"].into_iter().enumerate() {
        let mut place = Place::new();
        let (mut guard, id) = standing(&mut place, "sleep 600\n");
        change(&place, "one");
        wait(&place, "a run", || runs(&place) == 1);
        if number == 0 {
            let retire =
                |bundle: &mut bartizan_trust::statement::Bundle| bundle.operators.truncate(2);
            place.world.publish(retire, &["alice", "bob"]).unwrap();
        } else {
            let withdrawal = place.world.withdrawal(id);
            let signed = signed(&withdrawal, &[("alice", SignatureRole::Freeze)]).unwrap();
            place.world.log_control(&signed);
        }
        guard.link(&place);
        let all = receipts_until(&mut guard, |receipt| receipt.decision == Decision::Ended);
        assert_eq!(all.last().unwrap().code, code, "{}", place.log());
        if number == 1 {
            // What ran is ended too.
            let all =
                receipts_until(&mut guard, |receipt| receipt.decision == Decision::Interrupted);
            assert_eq!(all.last().unwrap().code, code);
        }
        change(&place, "two");
        guard.kill();
        let guard = place.start();
        assert!(fs::read_dir(place.path("guard/orders")).unwrap().next().is_none());
        assert_eq!(runs(&place), 1);
        guard.kill();
    }
}

#[test]
fn a_frozen_order_waits_and_says_so_once() {
    let mut place = Place::new();
    let (mut guard, id) = standing(&mut place, "");
    let scope = bartizan_trust::statement::FreezeScope::Job(id);
    let freeze = signed(&place.world.freeze(scope, 3600), &[("alice", SignatureRole::Freeze)]);
    guard.send(&Message::Freeze { envelope: freeze.unwrap().encode() });
    receipts_until(&mut guard, |receipt| receipt.code == "freeze.by_server");
    change(&place, "one");
    let all =
        receipts_until(&mut guard, |receipt| receipt.job == id && receipt.occurrence.is_some());
    let refusal = all.last().unwrap();
    assert_eq!((refusal.decision, refusal.code.as_str()), (Decision::Refused, "freeze.covered"));
    assert_eq!(runs(&place), 0);
    // Delivered again, it still stands.
    guard.kill();
    let guard = place.start();
    assert!(place.path("guard/orders").join(format!("{id}.json")).exists());
    guard.kill();
}
