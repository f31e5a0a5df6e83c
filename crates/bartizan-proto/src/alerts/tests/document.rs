//! The document of rules.

use super::*;

fn problems(value: &Value) -> Vec<String> {
    match RulesDocument::read(value) {
        Ok(document) => document.problems(&channels(), &zones()),
        Err(problems) => problems,
    }
}

fn one(value: &Value, expected: &str) {
    let found = problems(value);
    assert!(found.len() == 1 && found[0].contains(expected), "{expected} in {found:?} of {value}");
}

#[test]
fn a_whole_document_is_read() {
    let value = json!({
        "offline": [
            { "os": "windows 11", "tenant": "tn_acme" },
            { "site": "si_hq", "severity": "critical", "after_min": 2 },
        ],
        "windows": [
            { "name": "patches", "cron": "0 3 * * 0", "zone": "UTC", "minutes": 120, "check": "disk*" },
            { "name": "move", "from": 5, "until": 6 },
        ],
        "depends": [{ "site": "si_hq", "on": endpoint(1).to_string() }],
        "routes": [{
            "name": "night", "severity": "error", "also": true, "resend_min": 5, "recovery": false,
            "hours": [{ "days": ["mon"], "from": "22:00", "to": "06:00", "zone": "UTC" }],
            "steps": [{ "channels": ["mail"] }, { "after_min": 5, "channels": ["boss", "hook"] }],
        }],
    });
    assert_eq!(problems(&value), Vec::<String>::new());
    let document = RulesDocument::read(&value).unwrap();
    let again = serde_json::to_value(&document).unwrap();
    assert_eq!(RulesDocument::read(&again).unwrap(), document, "what is written is read the same");
    assert_eq!(document.zones().into_iter().collect::<Vec<_>>(), ["UTC"]);
}

#[test]
fn every_problem_is_reported_at_once() {
    let read = problems(&json!({
        "noise": [], "offline": 7, "windows": [{ "name": 1 }, { "speed": 2 }],
        "routes": [{ "name": "x", "steps": [], "loud": true }, { "name": "y", "steps": [], "severity": "awful" }],
    }));
    assert_eq!(read.len(), 6, "{read:#?}");
    let checked = problems(&json!({
        "offline": [{ "severity": "error", "after_min": 1 }, { "after_min": 5 }, { "os": "" }],
        "windows": [{ "name": "a", "cron": "daily", "zone": "Mars/Base", "minutes": 0, "check": "a*b" }, { "name": "a", "from": 2, "until": 1 }],
        "routes": [{ "name": "", "resend_min": 4, "steps": [{ "channels": ["none"] }, { "channels": [] }],
                     "hours": [{ "days": ["monday"], "from": "8", "to": "9", "zone": "Mars/Base" }] }],
    }));
    for expected in [
        "offline 1",
        "offline 2",
        "offline 3",
        "cron",
        "no `Mars/Base`",
        "minutes: 1 to",
        "beginning and `*`",
        "a later until",
        "`a` is there twice",
        "a name has 1 to 64",
        "resend_min",
        "no channel `none`",
        "channels: 1 to",
        "each comes later",
        "days like",
    ] {
        assert!(checked.iter().any(|line| line.contains(expected)), "{expected} in {checked:#?}");
    }
}

#[test]
fn limits_hold_on_both_sides() {
    let steps = json!([{ "channels": ["mail"] }]);
    let route = |key: &str, value: Value| {
        let mut route = json!({ "name": "r", "steps": steps });
        route[key] = value;
        json!({ "routes": [route] })
    };
    assert!(problems(&route("resend_min", json!(limits::RESEND_MINUTES_MIN))).is_empty());
    one(&route("resend_min", json!(limits::RESEND_MINUTES_MIN - 1)), "resend_min");
    assert!(problems(&route("resend_min", json!(limits::STEP_MINUTES_MAX))).is_empty());
    one(&route("resend_min", json!(limits::STEP_MINUTES_MAX + 1)), "resend_min");
    let many = |count: usize| {
        (0..count).map(|at| json!({ "after_min": at, "channels": ["mail"] })).collect::<Value>()
    };
    assert!(problems(&route("steps", many(limits::STEPS_MAX))).is_empty());
    one(&route("steps", many(limits::STEPS_MAX + 1)), "steps: 1 to");
    let step = |after: u32| json!([{ "after_min": after, "channels": ["mail"] }]);
    assert!(problems(&route("steps", step(limits::STEP_MINUTES_MAX))).is_empty());
    one(&route("steps", step(limits::STEP_MINUTES_MAX + 1)), "at most a week");
    let to = |count: usize| json!([{ "channels": vec!["mail"; count] }]);
    assert!(problems(&route("steps", to(limits::CHANNELS_MAX))).is_empty());
    one(&route("steps", to(limits::CHANNELS_MAX + 1)), "channels: 1 to");
    let window = |minutes: u32| json!({ "windows": [{ "name": "w", "cron": "0 3 * * *", "zone": "UTC", "minutes": minutes }] });
    assert!(problems(&window(limits::WINDOW_MINUTES_MAX)).is_empty());
    one(&window(limits::WINDOW_MINUTES_MAX + 1), "minutes: 1 to");
    let offline =
        |minutes: u32| json!({ "offline": [{ "severity": "error", "after_min": minutes }] });
    for (minutes, is_good) in [(1, false), (2, true), (10_080, true), (10_081, false)] {
        assert_eq!(problems(&offline(minutes)).is_empty(), is_good, "{minutes}");
    }
    let rules = |count: usize| json!({ "offline": vec![json!({}); count] });
    assert!(problems(&rules(limits::RULES_MAX)).is_empty());
    one(&rules(limits::RULES_MAX + 1), "at most 256");
    one(
        &json!({ "depends": [{ "endpoint": endpoint(1).to_string(), "on": endpoint(1).to_string() }] }),
        "itself",
    );
}
