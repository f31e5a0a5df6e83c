//! What checks say.

use super::*;
use CheckState::{Error, Gone, Ok, Unknown, Warn};

#[test]
fn a_check_opens_one_alert_and_its_recovery_ends_it() {
    let mut world = World::new(&everything_to_mail());
    world.check(1, "disk", Warn);
    assert_eq!(world.sent(), ["opened mail disk"]);
    for _ in 0..5 {
        world.pass(3600);
        world.check(1, "disk", Warn);
    }
    assert!(world.sent().is_empty(), "the same again is not told again");
    world.check(1, "disk", Ok);
    world.pass(10);
    assert_eq!(world.sent(), ["resolved mail disk"]);
    assert_eq!(world.the("disk").phase, Phase::Resolved);
    assert_eq!(
        world.happened(),
        [Happening::Opened, Happening::Sent, Happening::Resolved, Happening::Sent]
    );
}

#[test]
fn a_check_that_no_policy_names_any_more_ends_its_alert() {
    let mut world = World::new(&everything_to_mail());
    world.check(1, "disk", Warn);
    world.check(1, "disk", Gone);
    world.pass(10);
    assert_eq!(world.sent(), ["opened mail disk", "resolved mail disk"]);
    world.check(1, "cpu", Gone);
    assert!(world.phases().iter().all(|(key, _)| key != "cpu"));
}

#[test]
fn checks_instances_and_endpoints_are_told_apart() {
    let mut world = World::new(&everything_to_mail());
    world.check(1, "disk", Warn);
    world.check(1, "cpu", Warn);
    world.check(2, "disk", Warn);
    assert_eq!(world.sent().len(), 3);
    assert_eq!(world.stored.len(), 3);
}

#[test]
fn worse_is_told_once_and_better_is_kept() {
    let mut world = World::new(&everything_to_mail());
    world.check(1, "disk", Warn);
    world.check(1, "disk", Error);
    assert_eq!(world.sent(), ["opened mail disk", "worse mail disk"]);
    for state in [Warn, Error, Warn, Error] {
        world.pass(60);
        world.check(1, "disk", state);
    }
    assert!(world.sent().is_empty());
    assert_eq!(world.the("disk").severity, Severity::Error);
    assert!(world.happened().contains(&Happening::Better));
}

#[test]
fn an_alert_that_comes_back_soon_is_the_same_one() {
    let mut world = World::new(&everything_to_mail());
    world.check(1, "disk", Warn);
    world.check(1, "disk", Ok);
    world.pass(limits::REOPEN_S - 20);
    let id = world.the("disk").id;
    world.check(1, "disk", Warn);
    assert_eq!(world.the("disk").id, id);
    world.check(1, "disk", Ok);
    world.pass(limits::REOPEN_S + 20);
    world.check(1, "disk", Warn);
    assert_eq!(world.stored.len(), 2, "later it is another one");
}

#[test]
fn flapping_sends_no_storm() {
    let mut world = World::new(&everything_to_mail());
    for _ in 0..50 {
        world.check(1, "disk", Warn);
        world.pass(60);
        world.check(1, "disk", Ok);
        world.pass(60);
    }
    let sent = world.sent();
    assert_eq!(sent.iter().filter(|line| line.starts_with("flapping")).count(), 1, "{sent:?}");
    assert_eq!(sent.len(), 2 * (limits::FLAP_OPENS - 1) + 1, "{sent:?}");
    assert!(world.the("disk").entries < 20, "its history does not grow with every turn");
    world.pass(limits::CALM_S + 20);
    assert_eq!(world.sent(), ["resolved mail disk"]);
    assert_eq!(world.the("disk").phase, Phase::Resolved);
}

#[test]
fn a_flapping_check_that_stays_ill_stays_open() {
    let mut world = World::new(&everything_to_mail());
    for _ in 0..6 {
        world.check(1, "disk", Warn);
        world.pass(60);
        world.check(1, "disk", Ok);
        world.pass(60);
    }
    world.check(1, "disk", Warn);
    world.pass(limits::CALM_S + 20);
    assert_eq!(world.the("disk").phase, Phase::Open);
    assert_eq!(world.the("disk").calm, None);
    world.check(1, "disk", Ok);
    world.pass(10);
    assert_eq!(world.sent().last().unwrap(), "resolved mail disk");
}

#[test]
fn what_was_over_before_it_was_heard_calls_nobody_and_is_in_the_history() {
    let mut world = World::new(&everything_to_mail());
    let yesterday = world.now - 86_400;
    world.check_at(1, "disk", Error, yesterday);
    world.pass(60);
    world.check_at(1, "disk", Ok, yesterday + 7200);
    world.pass(3600);
    assert!(world.sent().is_empty());
    let alert = world.the("disk");
    assert_eq!((alert.phase, alert.opened), (Phase::Resolved, None));
    assert_eq!(alert.since, UnixSeconds::new(yesterday), "times are the endpoint's claims");
    assert_eq!(world.happened(), [Happening::Past]);
    assert_eq!(world.entries[0].claimed, Some(UnixSeconds::new(yesterday + 7200)));
}

#[test]
fn what_is_late_and_still_so_is_told_after_a_short_wait() {
    let mut world = World::new(&everything_to_mail());
    let yesterday = world.now - 86_400;
    world.check_at(1, "disk", Error, yesterday);
    world.pass(limits::SETTLE_S - 10);
    assert!(world.sent().is_empty());
    world.pass(20);
    assert_eq!(world.sent(), ["opened mail disk"]);
}

#[test]
fn a_fresh_result_does_not_wait_behind_a_late_one() {
    let mut world = World::new(&everything_to_mail());
    world.check_at(1, "disk", Error, world.now - 86_400);
    world.check(1, "disk", Error);
    assert_eq!(world.sent(), ["opened mail disk"]);
}

#[test]
fn a_late_recovery_ends_what_is_open() {
    let mut world = World::new(&everything_to_mail());
    world.check(1, "disk", Error);
    world.pass(86_400);
    world.check_at(1, "disk", Ok, world.now - 80_000);
    world.pass(10);
    assert_eq!(world.sent(), ["opened mail disk", "resolved mail disk"]);
}

#[test]
fn a_result_out_of_order_changes_nothing() {
    let mut world = World::new(&everything_to_mail());
    world.check(1, "disk", Error);
    world.pass(60);
    world.check(1, "disk", Ok);
    world.pass(60);
    world.sent();
    world.check_at(1, "disk", Error, world.now - 90);
    world.pass(limits::REORDER_S - 60);
    assert!(world.sent().is_empty());
    assert_eq!(world.the("disk").phase, Phase::Resolved);
    assert!(world.happened().contains(&Happening::Disordered));
}

#[test]
fn a_clock_set_back_silences_no_check_for_long() {
    let mut world = World::new(&everything_to_mail());
    world.check(1, "disk", Ok);
    world.pass(limits::REORDER_S + 10);
    world.check_at(1, "disk", Error, world.now - 7200);
    world.pass(limits::SETTLE_S + 10);
    assert_eq!(world.sent(), ["opened mail disk"]);
}

#[test]
fn times_from_the_future_are_now() {
    let mut world = World::new(&everything_to_mail());
    world.check_at(1, "disk", Error, world.now + 1_000_000);
    assert_eq!(world.the("disk").at, world.at());
    assert_eq!(world.the("disk").since, world.at());
    world.check(1, "disk", Ok);
    assert_eq!(world.the("disk").phase, Phase::Resolved, "its future does not hide what comes now");
}

#[test]
fn what_cannot_be_judged_is_an_alert_after_a_while_and_ends_none() {
    let mut world = World::new(&everything_to_mail());
    world.check(1, "disk", Unknown);
    world.pass(limits::UNKNOWN_AFTER_S - 10);
    assert!(world.sent().is_empty());
    world.pass(20);
    assert_eq!(world.sent(), ["opened mail disk"]);
    assert!(world.the("disk").text.starts_with("could not be judged"));

    world.check(2, "cpu", Error);
    world.check(2, "cpu", Unknown);
    world.pass(3600);
    assert_eq!((world.the("cpu").phase, world.the("cpu").severity), (Phase::Open, Severity::Error));
    world.check(3, "ram", Unknown);
    world.check(3, "ram", Ok);
    assert!(
        world.phases().iter().all(|(key, _)| key != "ram"),
        "a moment of not knowing is nothing"
    );
}

#[test]
fn a_flood_of_one_endpoint_is_one_alert_and_others_are_heard() {
    let mut world = World::new(&everything_to_mail());
    for number in 0..limits::ENDPOINT_ALERTS_MAX + 50 {
        world.check(1, &format!("c{number}"), Error);
    }
    assert_eq!(world.stored.len(), limits::ENDPOINT_ALERTS_MAX + 1);
    assert_eq!(world.the(FLOOD).phase, Phase::Open);
    world.sent();
    world.check(2, "disk", Error);
    assert_eq!(world.sent(), ["opened mail disk"]);
}

#[test]
fn hostile_text_is_cut_and_made_plain() {
    let mut world = World::new(&everything_to_mail());
    let observation = Observation {
        endpoint: endpoint(1),
        key: "k\r\nBcc: x\u{202e}".to_owned(),
        instance: "i\u{0}".repeat(1000),
        state: Error,
        since: UnixSeconds::ZERO,
        at: world.at(),
        text: "ü".repeat(4000),
    };
    world.machine.handle_observation(observation, world.at());
    world.settle();
    let alert = world.stored.values().next().unwrap();
    assert_eq!(alert.key, "k\u{fffd}\u{fffd}Bcc: x\u{fffd}");
    assert_eq!(alert.instance.len(), limits::INSTANCE_BYTES_MAX);
    assert_eq!(alert.text.len(), limits::TEXT_BYTES_MAX);
    assert!(!alert.instance.contains('\0'));
}

#[test]
fn a_history_has_an_end() {
    let mut world = World::new(&json!({}));
    for _ in 0..limits::ENTRIES_MAX {
        world.check(1, "disk", Warn);
        world.check(1, "disk", Error);
    }
    assert_eq!(world.entries.len(), usize::try_from(limits::ENTRIES_MAX).unwrap());
    assert_eq!(world.happened().last(), Some(&Happening::Full));
}
