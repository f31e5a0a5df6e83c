//! Killed at any point, the guard never runs a job twice, and accounts for the one run there was.

use std::time::{Duration, Instant};

use bartizan_proto::message::{JobPhase, Message};
use bartizan_trust::statement::Decision;

use crate::pipe::{Guard, Place};

/// When the guard is killed.
#[derive(Debug, Clone, Copy)]
enum Point {
    JobSent,
    Running,
    FirstOutput,
    ReceiptSent,
}

#[test]
fn sigkill_of_the_guard_never_leads_to_a_second_run() {
    for point in [Point::JobSent, Point::Running, Point::FirstOutput, Point::ReceiptSent] {
        for round in 0..3 {
            let mut place = Place::new();
            kill_and_redeliver(&mut place, point);
            let runs = std::fs::read_to_string(place.path("runs")).unwrap_or_default();
            let once = runs == "ran\n";
            // Killed before its first line, the script ends with the guard and is not begun again.
            let never = runs.is_empty() && matches!(point, Point::JobSent | Point::Running);
            assert!(once || never, "{point:?}, round {round}: `{runs}`; {}", place.log());
        }
    }
}

/// Kills at the point, starts again, delivers the same job until it has been accounted for, and once more.
fn kill_and_redeliver(place: &mut Place, point: Point) {
    let runs = place.path("runs");
    // Long enough to be killed in the middle, and the line comes first.
    let text = format!("echo ran >> '{}'\necho started\nsleep 0.2\n", runs.display());
    let (job, content) = place.job(&text);
    let mut guard = place.start();
    guard.link(place);
    guard.deliver(job.clone(), &content);
    reach(&mut guard, point);
    guard.kill();

    let mut guard = place.start();
    let seen = guard.link(place).jobs_size;
    guard.deliver(place.for_view(&job, seen), &content);
    let first = guard.receipt();
    assert!(
        matches!(first.decision, Decision::Done | Decision::Interrupted | Decision::Refused),
        "{first:?}; {}",
        place.log()
    );
    guard.kill();

    let mut guard = place.start();
    let seen = guard.link(place).jobs_size;
    guard.deliver(place.for_view(&job, seen), &content);
    let again = guard.receive_until(|message| match message {
        Message::JobTaken { phase, .. } => Some(*phase),
        _ => None,
    });
    assert_eq!(again, JobPhase::Refused);
    guard.kill();
}

fn reach(guard: &mut Guard, point: Point) {
    guard.receive_until(|message| match (point, message) {
        (Point::JobSent, _)
        | (Point::Running, Message::JobTaken { phase: JobPhase::Running, .. })
        | (Point::FirstOutput, Message::Output { .. })
        | (Point::ReceiptSent, Message::Receipt { .. }) => Some(()),
        _ => None,
    });
}

#[test]
fn a_script_does_not_outlive_its_guard() {
    let mut place = Place::new();
    let noted = place.path("pid");
    let text = format!("echo $$ > '{}'\necho noted\nexec sleep 600\n", noted.display());
    let (job, content) = place.job(&text);
    let mut guard = place.start();
    guard.link(&place);
    guard.deliver(job, &content);
    reach(&mut guard, Point::FirstOutput);
    guard.kill();
    let pid = std::fs::read_to_string(noted).unwrap();
    let stat = format!("/proc/{}/stat", pid.trim());
    let until = Instant::now() + Duration::from_secs(10);
    // Gone, or dead and not yet buried.
    while std::fs::read_to_string(&stat).is_ok_and(|stat| !stat.contains(") Z ")) {
        assert!(Instant::now() < until, "the script still runs");
        std::thread::yield_now();
    }
}

#[test]
fn sigkill_of_the_agent_loses_neither_the_job_nor_its_receipt() {
    let mut place = Place::new();
    let text = format!("echo ran >> '{}'\nsleep 0.2\n", place.path("runs").display());
    let (job, content) = place.job(&text);
    let mut guard = place.start();
    guard.link(&place);
    guard.deliver(job.clone(), &content);
    reach(&mut guard, Point::Running);
    // The agent's end of the pipe goes away while the script runs.
    let mut guard = place.reconnect(guard);
    let seen = guard.link(&place).jobs_size;
    let receipt = guard.receipt();
    assert_eq!(receipt.decision, Decision::Done);
    guard.deliver(place.for_view(&job, seen), &content);
    assert_eq!(guard.receipt().code, "replay.seen");
    assert_eq!(std::fs::read_to_string(place.path("runs")).unwrap(), "ran\n");
    guard.kill();
}

#[test]
fn a_receipt_is_sent_until_the_server_has_it() {
    let mut place = Place::new();
    let (job, content) = place.job("exit 7\n");
    let mut guard = place.start();
    guard.link(&place);
    guard.deliver(job, &content);
    let first = guard.receipt();
    assert_eq!((first.decision, first.exit, first.seq), (Decision::Failed, Some(7), 1));
    guard.kill();
    let mut guard = place.start();
    guard.link(&place);
    assert_eq!(guard.receipt(), first, "not confirmed, so sent again");
    guard.send(&Message::ReceiptStored { seq: 1 });
    // A round trip: the confirmation was handled before the answer to this.
    guard.send(&Message::InventoryRequest);
    guard.receive_until(|message| matches!(message, Message::Inventory { .. }).then_some(()));
    guard.kill();
    let mut guard = place.start();
    guard.link(&place);
    guard.send(&Message::InventoryRequest);
    let mut inventories = 0;
    guard.receive_until(|message| {
        assert!(!matches!(message, Message::Receipt { .. }), "confirmed, so not sent again");
        inventories += u32::from(matches!(message, Message::Inventory { .. }));
        (inventories == 2).then_some(())
    });
    guard.kill();
}
