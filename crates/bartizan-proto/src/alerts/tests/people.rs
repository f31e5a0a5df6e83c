//! Who is told: routes, hours, steps, windows, and what operators do.

use super::*;
use CheckState::{Error, Ok, Warn};

fn route(name: &str, more: &Value) -> Value {
    let mut route = json!({ "name": name, "steps": [{ "channels": [name] }] });
    for (key, value) in more.as_object().unwrap() {
        route[key] = value.clone();
    }
    route
}

#[test]
fn without_routes_alerts_are_kept_and_nothing_is_sent() {
    let mut world = World::new(&json!({}));
    world.check(1, "disk", Error);
    world.pass(3600);
    assert!(world.sent().is_empty());
    assert_eq!(world.the("disk").phase, Phase::Open);
}

#[test]
fn without_a_document_every_channel_is_told() {
    let rules = Rules::new(None, &channels(), zones());
    let mut machine = Machine::new(rules, Vec::new(), Vec::new(), UnixSeconds::new(START));
    let observation = Observation {
        endpoint: endpoint(1),
        key: "disk".to_owned(),
        instance: String::new(),
        state: Warn,
        since: UnixSeconds::new(START),
        at: UnixSeconds::new(START),
        text: String::new(),
    };
    machine.handle_observation(observation, UnixSeconds::new(START));
    let sent = machine.take_changes().notifications;
    assert_eq!(
        sent.iter().map(|sent| sent.channel.as_str()).collect::<Vec<_>>(),
        ["mail", "hook", "boss"]
    );
}

#[test]
fn the_first_route_that_fits_is_taken_and_also_goes_on() {
    let routes = json!({ "routes": [
        route("hook", &json!({ "check": "disk*", "also": true })),
        route("boss", &json!({ "severity": "error" })),
        route("mail", &json!({})),
    ] });
    let mut world = World::new(&routes);
    world.check(1, "disk.root", Warn);
    assert_eq!(world.sent(), ["opened hook disk.root", "opened mail disk.root"]);
    world.check(1, "cpu", Error);
    assert_eq!(world.sent(), ["opened boss cpu"]);
    world.check(1, "cpu2", Warn);
    assert_eq!(world.sent(), ["opened mail cpu2"]);
}

#[test]
fn routes_are_for_tenants_sites_and_endpoints() {
    let routes = json!({ "routes": [
        route("hook", &json!({ "tenant": "tn_other" })),
        route("boss", &json!({ "site": "si_hq", "endpoint": endpoint(1).to_string() })),
        route("mail", &json!({ "tenant": "tn_acme" })),
    ] });
    let mut world = World::new(&routes);
    world.connect("hq", 1..3);
    world.check(1, "disk", Warn);
    world.check(2, "disk", Warn);
    world.check(9, "disk", Warn);
    assert_eq!(world.sent(), ["opened boss disk", "opened mail disk"], "nobody knows endpoint 9");
}

#[test]
fn what_happens_outside_the_hours_is_told_when_they_begin() {
    let hours = json!([{ "days": ["mon", "fri"], "from": "08:00", "to": "12:30", "zone": "UTC" }]);
    let mut world = World::new(&json!({ "routes": [route("mail", &json!({ "hours": hours }))] }));
    world.check(1, "a", Warn);
    assert_eq!(world.sent(), ["opened mail a"]);
    world.pass(3600);
    world.check(1, "b", Warn);
    // From Friday 13:00 to Monday 07:59.
    world.pass(2 * 86_400 + 19 * 3600 - 60);
    assert!(world.sent().is_empty());
    world.pass(70);
    assert_eq!(world.sent(), ["opened mail b"]);
}

#[test]
fn nobody_answers_so_the_next_step_is_taken_until_somebody_does() {
    let steps = json!([
        { "channels": ["mail"] }, { "after_min": 15, "channels": ["hook"] }, { "after_min": 30, "channels": ["boss"] }
    ]);
    let mut world = World::new(&json!({ "routes": [route("all", &json!({ "steps": steps }))] }));
    world.check(1, "disk", Error);
    world.pass(15 * 60 - 10);
    assert_eq!(world.sent(), ["opened mail disk"]);
    world.pass(20);
    assert_eq!(world.sent(), ["escalated hook disk"]);
    let id = world.the("disk").id;
    assert!(world.deed(id, OperatorDeed::Acknowledge));
    world.pass(3600);
    assert!(world.sent().is_empty());
    world.check(1, "disk", Ok);
    world.pass(10);
    assert_eq!(
        world.sent(),
        ["resolved mail disk", "resolved hook disk"],
        "the boss never heard of it"
    );
    assert_eq!(
        world.entries.iter().find(|e| e.what == Happening::Acknowledged).unwrap().operator,
        Some(operator())
    );
}

#[test]
fn it_is_sent_again_until_it_is_over() {
    let mut world = World::new(&json!({ "routes": [route("mail", &json!({ "resend_min": 60 }))] }));
    world.check(1, "disk", Error);
    world.pass(3600 * 3 + 100);
    assert_eq!(
        world.sent(),
        ["opened mail disk", "again mail disk", "again mail disk", "again mail disk"]
    );
    world.check(1, "disk", Ok);
    world.pass(7200);
    assert_eq!(world.sent(), ["resolved mail disk"]);
}

#[test]
fn the_end_is_not_told_where_nobody_wants_it() {
    let mut world =
        World::new(&json!({ "routes": [route("mail", &json!({ "recovery": false }))] }));
    world.check(1, "disk", Error);
    world.check(1, "disk", Ok);
    world.pass(60);
    assert_eq!(world.sent(), ["opened mail disk"]);
}

#[test]
fn worse_than_what_was_acknowledged_is_told() {
    let mut world = World::new(&everything_to_mail());
    world.check(1, "disk", Warn);
    let id = world.the("disk").id;
    world.deed(id, OperatorDeed::Acknowledge);
    world.sent();
    world.check(1, "disk", Warn);
    assert!(world.sent().is_empty());
    world.check(1, "disk", Error);
    assert_eq!(world.sent(), ["worse mail disk"]);
    assert_eq!(world.the("disk").phase, Phase::Open);
}

#[test]
fn an_operator_ends_an_alert_and_what_is_said_again_opens_it_again() {
    let mut world = World::new(&everything_to_mail());
    world.check(1, "disk", Warn);
    let id = world.the("disk").id;
    assert!(world.deed(id, OperatorDeed::Note) && world.deed(id, OperatorDeed::Resolve));
    assert!(!world.deed(id, OperatorDeed::Resolve) && !world.deed(id, OperatorDeed::Acknowledge));
    world.pass(60);
    world.check(1, "disk", Warn);
    assert_eq!(world.sent(), ["opened mail disk", "resolved mail disk", "opened mail disk"]);
    let unknown = Id::new(Sha256::of(b"none"));
    assert!(!world.deed(unknown, OperatorDeed::Note));
}

/// Sundays at 3, two hours.
fn sunday(more: &Value) -> Value {
    let mut window =
        json!({ "name": "sunday", "cron": "0 3 * * 0", "zone": "UTC", "minutes": 120 });
    for (key, value) in more.as_object().unwrap() {
        window[key] = value.clone();
    }
    let mut rules = everything_to_mail();
    rules["windows"] = json!([window]);
    rules
}

/// From Friday noon.
const TO_SUNDAY_3: u64 = 39 * 3600;

#[test]
fn within_a_window_nothing_is_sent_and_at_its_end_what_is_still_wrong() {
    let mut world = World::new(&sunday(&json!({})));
    world.check(1, "before", Error);
    world.pass(TO_SUNDAY_3 + 60);
    world.sent();
    world.check(1, "mended", Error);
    world.check(1, "broken", Error);
    world.check(1, "before", Ok);
    world.pass(1800);
    world.check(1, "mended", Ok);
    assert!(world.sent().is_empty());
    let why = world.machine.explain(world.the("broken").id, world.at()).unwrap();
    assert!(why.iter().any(|why| why.about == "window" && why.says.contains("sunday")), "{why:?}");
    world.pass(7200 - 1800 - 60 + 10);
    let mut sent = world.sent();
    sent.sort();
    assert_eq!(sent, ["opened mail broken", "resolved mail before"]);
}

#[test]
fn a_window_is_only_for_its_scope() {
    for (scope, is_quiet) in [
        (json!({ "check": "disk" }), true),
        (json!({ "check": "d*", "site": "si_hq" }), true),
        (json!({ "check": "cpu" }), false),
        (json!({ "tenant": "tn_other" }), false),
        (json!({ "endpoint": endpoint(2).to_string() }), false),
    ] {
        let mut world = World::new(&sunday(&scope));
        world.connect("hq", 1..2);
        world.pass(TO_SUNDAY_3 + 60);
        world.check(1, "disk", Error);
        assert_eq!(world.sent().is_empty(), is_quiet, "{scope}");
    }
}

#[test]
fn a_single_window_has_a_beginning_and_an_end() {
    let mut rules = everything_to_mail();
    rules["windows"] = json!([{ "name": "once", "from": START + 100, "until": START + 200 }]);
    let mut world = World::new(&rules);
    world.pass(100);
    world.check(1, "disk", Error);
    world.pass(90);
    assert!(world.sent().is_empty());
    world.pass(20);
    assert_eq!(world.sent(), ["opened mail disk"]);
}

#[test]
fn tell_me_when_it_is_back_is_told_once() {
    let mut world = World::new(&json!({}));
    world.connect("hq", 1..2);
    world.link(1, false);
    let wish = Wish {
        endpoint: endpoint(1),
        operator: operator(),
        channel: "hook".to_owned(),
        at: world.at(),
    };
    assert!(world.machine.wish(wish.clone()) && world.machine.wish(wish.clone()));
    world.link(1, true);
    assert_eq!(world.sent(), ["back hook link"]);
    world.link(1, false);
    world.link(1, true);
    assert!(world.sent().is_empty());
    for number in 0..limits::WISHES_MAX {
        let one = Wish { endpoint: endpoint(number.try_into().unwrap()), ..wish.clone() };
        assert!(world.machine.wish(one));
    }
    assert!(!world.machine.wish(Wish { endpoint: endpoint(5000), ..wish }));
}

#[test]
fn why_names_routes_that_are_taken_and_those_that_are_not() {
    let routes = json!({ "routes": [
        route("boss", &json!({ "severity": "critical" })),
        route("mail", &json!({ "steps": [{ "channels": ["mail"] }, { "after_min": 10, "channels": ["boss"] }] })),
        route("hook", &json!({})),
    ] });
    let mut world = World::new(&routes);
    world.check(1, "disk", Error);
    let why = world.machine.explain(world.the("disk").id, world.at()).unwrap();
    let all: Vec<String> = why.iter().map(|why| format!("{}: {}", why.about, why.says)).collect();
    for expected in [
        "route: `boss`: is for what is worse",
        "route: `mail`: taken",
        &format!("step: sent to mail at {START}"),
        &format!("step: to boss at {}, if nobody looks after it", START + 600),
        "route: `hook`: not looked at, an earlier one was taken",
    ] {
        assert!(all.iter().any(|line| line == expected), "{expected} in {all:#?}");
    }
}
