//! When a schedule is due, to the second: its first time, how late it may start, its jitter, its next time.

use bartizan_trust::standing::next;

use super::*;

/// At nine in UTC: an hour after every world begins.
const AT_NINE: &str = "0 9 * * *";

fn calendar(cron: &str) -> On {
    On::Calendar { cron: cron.to_owned(), zone: "UTC".to_owned() }
}

/// An order that runs every ten minutes, counted from so many seconds after it is taken in.
fn every_ten_minutes_from(offset_s: i64) -> Standing {
    let mut world = World::new().unwrap();
    let state = world.endpoint(0).unwrap();
    let mut job = world.job().unwrap();
    job.window.nbf = UnixSeconds::new(world.now.get().saturating_add_signed(offset_s));
    job.trigger = Some(trigger(On::Interval { every_s: 600 }, world.now.plus(DAY)));
    let envelope = signed(&job, &[("carol", Author), ("bob", Approve)]).unwrap();
    let delivery = world.deliver(&envelope, &state).unwrap();
    let state = stands(&world, &state, &delivery);
    let (offsets, sensed) = (Offsets::UTC, Sensed::Nothing);
    Standing { world, state, envelope, content: CONTENT.to_vec(), offsets, sensed }
}

#[test]
fn the_first_run_of_an_interval_comes_one_interval_after_the_window_begins() {
    let mut order = every_ten_minutes_from(60);
    let begins = order.world.now.plus(60);
    order.pass(60);
    order.refused(Refusal::OrderNotDue);
    order.pass(599);
    order.refused(Refusal::OrderNotDue);
    order.pass(1);
    assert_eq!(order.runs(), begins.plus(600));
}

#[test]
fn what_was_due_at_the_moment_an_order_was_taken_in_does_not_run() {
    let mut order = every_ten_minutes_from(-600);
    let taken_in = order.world.now;
    order.refused(Refusal::OrderNotDue);
    order.pass(599);
    order.refused(Refusal::OrderNotDue);
    order.pass(1);
    assert_eq!(order.runs(), taken_in.plus(600));
}

#[test]
fn a_run_starts_at_most_its_jitter_its_lateness_and_a_minute_after_its_time() {
    let schedules = [(calendar(AT_NINE), HOUR), (On::Interval { every_s: DAY }, DAY)];
    for (on, due_s) in schedules {
        for (jitter_s, late_s) in [(0, 0), (0, HOUR), (1800, 0), (1800, 600), (600, 1800)] {
            let mut order = Standing::of(on.clone(), |t| {
                (t.jitter_s, t.late_s) = (jitter_s, late_s);
                t.freshness_s = 7 * DAY;
            });
            let due = order.world.now.plus(due_s);
            let latest = due.plus(jitter_s + late_s + 60);
            order.world.now = latest.plus(1);
            order.refused(Refusal::OrderNotDue);
            order.world.now = latest;
            assert_eq!(order.runs(), due, "{on:?} {jitter_s} {late_s}");
        }
    }
}

/// Nobody can choose it, and anybody who knows the ids can compute it.
#[test]
fn jitter_is_six_bytes_of_a_hash_over_order_endpoint_and_time() {
    let mut order = Standing::of(On::Interval { every_s: DAY }, |t| t.jitter_s = HOUR);
    let due = order.world.now.plus(DAY);
    let endpoint = order.state.endpoint.to_string();
    let id = order.id();
    let parts = [id.hash().as_bytes(), endpoint.as_bytes(), &due.get().to_be_bytes()];
    let hash = Sha256::of(&parts.concat());
    let number = hash.as_bytes()[..6].iter().fold(0, |all, byte| all * 256 + u64::from(*byte));
    order.pass(DAY + number % HOUR - 1);
    order.refused(Refusal::OrderNotDue);
    order.pass(1);
    assert_eq!(order.runs(), due);
}

#[test]
fn a_run_an_hour_ago_is_none_of_its_class_within_the_hour() {
    let world = World::with(|bundle| {
        bundle.classes[1].orders.runs_per_hour_max = 1;
        Ok(())
    });
    let mut order = Standing::in_world(world.unwrap(), On::RebootPending {}, |_| {});
    order.sensed = Sensed::Holds;
    order.pass(1);
    order.runs();
    order.pass(HOUR - 1);
    order.refused(Refusal::RateLimited);
    order.pass(1);
    order.runs();
}

/// A job that begins with the world and stands for 1000 days.
fn scheduled(on: On) -> (UnixSeconds, Job) {
    let mut world = World::new().unwrap();
    let mut job = world.job().unwrap();
    job.trigger = Some(trigger(on, world.now.plus(1000 * DAY)));
    (world.now, job)
}

#[track_caller]
fn comes_next(on: On, after_s: u64, expected_s: Option<u64>) {
    let (begun, job) = scheduled(on);
    let expected = expected_s.map(|seconds| begun.plus(seconds));
    assert_eq!(next(&job, begun.plus(after_s), &Offsets::UTC), expected);
}

#[test]
fn the_next_time_of_an_interval_is_its_next_multiple() {
    for (after_s, expected_s) in [(0, 600), (1, 600), (599, 600), (600, 1200), (1500, 1800)] {
        comes_next(On::Interval { every_s: 600 }, after_s, Some(expected_s));
    }
}

#[test]
fn the_next_time_of_a_calendar_is_a_later_minute_within_a_year() {
    for (after_s, expected_s) in [(0, 60), (59, 60), (60, 120)] {
        comes_next(calendar("* * * * *"), after_s, Some(expected_s));
    }
    comes_next(calendar(AT_NINE), 0, Some(HOUR));
    comes_next(calendar(AT_NINE), HOUR, Some(DAY + HOUR));
    // Worlds begin at eight on 15 January 2027; the next leap day is more than a year away.
    comes_next(calendar("0 7 15 1 *"), 0, Some(365 * DAY - HOUR));
    comes_next(calendar("0 0 29 2 *"), 0, None);
}

#[test]
fn nothing_comes_next_at_or_after_the_end_of_an_order() {
    let (begun, mut job) = scheduled(On::Interval { every_s: 600 });
    for (until_s, expected) in [(599, None), (600, None), (601, Some(begun.plus(600)))] {
        job.trigger.as_mut().unwrap().until = begun.plus(until_s);
        assert_eq!(next(&job, begun, &Offsets::UTC), expected, "{until_s}");
    }
}

#[test]
fn what_waits_for_a_condition_or_a_difference_has_no_next_time() {
    comes_next(On::RebootPending {}, 0, None);
    comes_next(On::DiskBelow { path: "/".to_owned(), percent: 10 }, 0, None);
    comes_next(On::ServiceDown { unit: "cron".to_owned() }, 0, None);
    comes_next(On::Start {}, 0, None);
    comes_next(On::FileChanged { path: "/etc/hosts".to_owned() }, 0, None);
    let order = StatementId::new(Sha256::of(b"another order"));
    comes_next(On::Ended { order, well: true }, 0, None);
}
