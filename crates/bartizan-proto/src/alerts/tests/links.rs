//! Lost links, sites, and the server's own network.

use super::*;

fn minutes(count: u64) -> u64 {
    count * 60
}

#[test]
fn a_server_that_is_away_is_told_after_five_minutes_and_a_workstation_is_not() {
    let mut world = World::new(&everything_to_mail());
    world.connect("hq", 1..3);
    let windows = EndpointFacts { os: "Windows 11 Pro".to_owned(), ..facts("hq") };
    world.machine.set_endpoint(endpoint(2), windows);
    world.link(1, false);
    world.link(2, false);
    world.pass(minutes(5) - 10);
    assert!(world.sent().is_empty());
    world.pass(20);
    assert_eq!(world.sent(), ["opened mail link"]);
    world.link(1, true);
    world.pass(10);
    assert_eq!(world.sent(), ["resolved mail link"]);
}

#[test]
fn windows_servers_are_servers() {
    let mut world = World::new(&everything_to_mail());
    world.connect("hq", 1..2);
    let windows = EndpointFacts { os: "Windows Server 2022".to_owned(), ..facts("hq") };
    world.machine.set_endpoint(endpoint(1), windows);
    world.link(1, false);
    world.pass(minutes(6));
    assert_eq!(world.sent(), ["opened mail link"]);
}

#[test]
fn a_short_loss_leaves_no_trace() {
    let mut world = World::new(&everything_to_mail());
    world.connect("hq", 1..2);
    world.link(1, false);
    world.pass(minutes(4));
    world.link(1, true);
    world.pass(minutes(60));
    assert!(world.sent().is_empty() && world.stored.is_empty() && world.entries.is_empty());
}

#[test]
fn a_site_that_is_down_is_one_alert_and_its_endpoints_are_hidden_and_counted() {
    let mut world = World::new(&everything_to_mail());
    world.connect("hq", 1..9);
    world.connect("branch", 20..30);
    for number in 1..8 {
        world.link(number, false);
        world.pass(10);
    }
    world.pass(minutes(20));
    assert_eq!(world.sent.len(), 1);
    assert_eq!(world.sent[0].message.site, Some("si_hq".parse().unwrap()));
    world.sent();
    let site = world.the(SITE).id;
    let hidden = world.stored.values().filter(|alert| alert.hidden_by == Some(site)).count();
    assert_eq!(hidden, 7);
    let why = world
        .machine
        .explain(world.stored.values().find(|a| a.key == LINK).unwrap().id, world.at());
    assert!(why.unwrap().iter().any(|why| why.about == "dependency"));

    for number in 1..8 {
        world.link(number, true);
    }
    world.pass(minutes(10));
    assert_eq!(world.sent(), ["resolved mail site.link"]);
    assert!(world.phases().iter().all(|(_, phase)| *phase == Phase::Resolved));
}

#[test]
fn whoever_stays_away_when_the_site_is_back_is_told_then() {
    let mut world = World::new(&everything_to_mail());
    world.connect("hq", 1..9);
    for number in 1..9 {
        world.link(number, false);
    }
    world.pass(minutes(20));
    world.sent();
    for number in 2..9 {
        world.link(number, true);
    }
    world.pass(limits::RELEASE_S - 20);
    assert_eq!(world.sent(), ["resolved mail site.link"]);
    world.pass(60);
    assert_eq!(world.sent(), ["opened mail link"]);
}

#[test]
fn a_few_losses_of_a_big_site_are_told_one_by_one() {
    let mut world = World::new(&everything_to_mail());
    world.connect("hq", 1..11);
    for number in 1..6 {
        world.link(number, false);
    }
    world.pass(minutes(10));
    assert_eq!(world.sent(), ["opened mail link"; 5], "5 of 10 are not most");
}

#[test]
fn losses_one_after_the_other_are_no_loss_of_a_site() {
    let mut world = World::new(&everything_to_mail());
    world.connect("hq", 1..5);
    for number in 1..5 {
        world.link(number, false);
        world.pass(limits::TOGETHER_S + 10);
    }
    world.pass(minutes(10));
    assert_eq!(world.sent(), ["opened mail link"; 4]);
}

#[test]
fn people_who_go_home_are_no_loss_of_a_site() {
    let mut world = World::new(&everything_to_mail());
    world.connect("hq", 1..20);
    for number in 2..20 {
        let laptop = EndpointFacts { os: "macOS 15".to_owned(), ..facts("hq") };
        world.machine.set_endpoint(endpoint(number), laptop);
        world.link(number, false);
    }
    world.pass(minutes(60));
    assert!(world.sent().is_empty() && world.stored.is_empty());
}

#[test]
fn the_servers_own_network_is_one_alert() {
    let mut world = World::new(&everything_to_mail());
    for (site, first) in [("a", 0), ("b", 10), ("c", 20)] {
        world.connect(site, first..first + 5);
    }
    for number in 0..30 {
        world.link(number, false);
    }
    world.pass(minutes(30));
    assert_eq!(world.sent(), ["opened mail server.network"]);
    for number in 0..30 {
        world.link(number, true);
    }
    world.pass(minutes(10));
    assert_eq!(world.sent(), ["resolved mail server.network"]);
}

#[test]
fn endpoints_behind_a_gateway_are_hidden_behind_it() {
    let gateway = endpoint(1).to_string();
    let mut value = everything_to_mail();
    value["depends"] = json!([{ "tenant": "tn_acme", "site": "si_hq", "on": gateway }]);
    let mut world = World::new(&value);
    world.connect("hq", 1..10);
    // Two of nine, and the gateway itself: not most of the site.
    for number in [2, 3, 1] {
        world.link(number, false);
        world.pass(20);
    }
    world.pass(minutes(10));
    assert_eq!(world.sent.len(), 1);
    assert_eq!(world.sent[0].message.endpoint, Some(endpoint(1)));
    let gateway = world.sent[0].message.alert;
    assert_eq!(world.stored.values().filter(|alert| alert.hidden_by == gateway).count(), 2);
    world.sent();
    world.link(1, true);
    world.pass(limits::RELEASE_S + 30);
    assert_eq!(world.sent(), ["resolved mail link", "opened mail link", "opened mail link"]);
}

#[test]
fn a_restart_opens_no_storm() {
    let value = everything_to_mail();
    let mut world = World::new(&value);
    world.connect("hq", 1..50);
    world.restart(&value, 30);
    world.pass(200);
    for number in 1..50 {
        world.link(number, true);
    }
    world.pass(minutes(60));
    assert!(world.sent().is_empty() && world.stored.is_empty());
}

#[test]
fn whoever_does_not_come_back_after_a_restart_is_told() {
    let value = everything_to_mail();
    let mut world = World::new(&value);
    world.connect("hq", 1..5);
    world.restart(&value, 30);
    for number in 2..5 {
        world.link(number, true);
    }
    world.pass(limits::GRACE_S + minutes(5) + 20);
    assert_eq!(world.sent(), ["opened mail link"]);
}

#[test]
fn an_open_alert_survives_a_restart_and_is_not_told_again() {
    let value = everything_to_mail();
    let mut world = World::new(&value);
    world.connect("hq", 1..5);
    world.link(1, false);
    world.check(2, "disk", CheckState::Error);
    world.pass(minutes(10));
    assert_eq!(world.sent().len(), 2);
    world.restart(&value, 30);
    world.pass(minutes(30));
    for number in 2..5 {
        world.link(number, true);
    }
    world.sent();
    world.link(1, true);
    world.check(2, "disk", CheckState::Ok);
    world.pass(20);
    let sent = world.sent();
    assert!(
        sent.contains(&"resolved mail link".to_owned())
            && sent.contains(&"resolved mail disk".to_owned()),
        "{sent:?}"
    );
}

#[test]
fn somebody_who_was_away_before_the_restart_is_no_new_alert() {
    let value = everything_to_mail();
    let mut world = World::new(&value);
    world.connect("hq", 1..2);
    world.link(1, false);
    world.pass(minutes(10));
    let id = world.the(LINK).id;
    assert!(world.deed(id, OperatorDeed::Resolve));
    world.pass(minutes(60));
    world.sent();
    world.restart(&value, 30);
    world.pass(minutes(60));
    assert!(world.sent().is_empty());
}

#[test]
fn a_link_that_goes_up_and_down_sends_no_storm() {
    let value = json!({ "offline": [{ "severity": "error", "after_min": 2 }], "routes": everything_to_mail()["routes"] });
    let mut world = World::new(&value);
    world.connect("hq", 1..2);
    for _ in 0..100 {
        world.link(1, false);
        world.pass(minutes(3));
        world.link(1, true);
        world.pass(minutes(1));
    }
    let sent = world.sent();
    assert!(sent.len() <= 2 * limits::FLAP_OPENS, "{sent:?}");
    world.pass(limits::CALM_S + 20);
    assert_eq!(world.sent(), ["resolved mail link"]);
}
