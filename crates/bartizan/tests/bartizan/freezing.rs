//! Freeze, thaw, changed bundles: what two people and a real endpoint make of them.

use std::process::Command;

use serde_json::Value;

use crate::stage::{Stage, program, run};

/// The receipts of a statement that say this.
fn receipts(stage: &Stage, job: &str, code: &str) -> usize {
    let page = stage.json("bob", &["receipts", job]).json();
    let all = page["receipts"].as_array().unwrap();
    all.iter().filter(|receipt| receipt["code"] == code).count()
}

fn field(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}")).to_owned()
}

#[test]
fn one_person_stops_what_runs_and_two_let_it_go_on() {
    let stage = Stage::with_endpoint();
    let long = stage.submit("change", "echo begun\nsleep 600\n");
    stage.json("bob", &["approve", &long, "--no-wait"]).ends_with(0);
    stage.wait("the job to run", |stage| {
        stage.json("bob", &["job", &long]).json()["targets"][0]["state"] == "running"
    });

    let frozen = stage.json("bob", &["freeze", "org", "--for", "1h", "--reason", "strange"]);
    let frozen = frozen.ends_with(0).json();
    let id = field(&frozen, "freeze");
    assert_eq!(frozen["missing"], serde_json::json!([]), "{frozen}");
    assert_eq!(frozen["confirmed"].as_array().unwrap().len(), 1, "{frozen}");
    stage.wait("the running job's end", |stage| receipts(stage, &long, "freeze.covered") == 1);

    let next = stage.submit("change", "echo worth waiting for\n");
    stage.json("bob", &["approve", &next, "--no-wait"]).ends_with(0);
    stage.wait("a refusal", |stage| receipts(stage, &next, "freeze.covered") == 1);
    stage.tool("alice", &["frozen"]).ends_with(0).says(&["org", &id, "bob"]);

    // Its maker alone does not end it, and neither does whoever signs twice.
    let thaw = stage.json("bob", &["thaw", &id]).ends_with(0).json();
    assert_eq!(thaw["done"], false, "{thaw}");
    let draft = field(&thaw, "statement");
    let again = stage.json("bob", &["approve", &draft]).ends_with(0).json();
    assert_eq!(again["done"], false, "{again}");
    stage.tool("alice", &["pending"]).ends_with(0).says(&[&draft, "thaw"]);
    let done = stage.json("alice", &["approve", &draft]).ends_with(0).json();
    assert_eq!(done["done"], true, "{done}");
    stage.tool("alice", &["frozen"]).ends_with(0).says(&["nothing is frozen"]);
    stage.wait("the job that waited", |stage| receipts(stage, &next, "ok") == 1);
    assert_eq!(receipts(&stage, &long, "ok"), 0, "what was ended does not run again");
    stage.json("bob", &["log", "verify"]).ends_with(0);
}

#[test]
fn a_freeze_from_a_file_acts_although_the_server_is_gone() {
    let mut stage = Stage::with_endpoint();
    let long = stage.submit("change", "sleep 600\n");
    stage.json("bob", &["approve", &long, "--no-wait"]).ends_with(0);
    stage.wait("the job to run", |stage| {
        stage.json("bob", &["job", &long]).json()["targets"][0]["state"] == "running"
    });
    stage.end("server");
    let written = stage.json("bob", &["freeze", "org", "--for", "1h", "--out", "freeze.json"]);
    let id = field(&written.ends_with(0).json(), "freeze");
    let guard = |arguments: &[&str]| {
        run(Command::new(program("bartizan-guard"))
            .args(arguments)
            .arg("--dir")
            .arg(stage.path("endpoint")))
    };
    guard(&["freeze", "--file", &stage.text("freeze.json")]).ends_with(0);
    stage.wait("the endpoint to stand still", |_| {
        let status = guard(&["status"]).ends_with(0).json();
        status["frozen_by"] == serde_json::json!([id]) && status["receipts"] == 2
    });
    // Only what people signed counts, also from a file.
    stage.write("none.json", "{}");
    guard(&["freeze", "--file", &stage.text("none.json")]).ends_with(1).says(&["none.json"]);
}

#[test]
fn a_freeze_beyond_four_hours_waits_for_the_others() {
    let stage = Stage::organisation();
    let asked = stage.json("alice", &["freeze", "tenant:acme", "--for", "3d"]).ends_with(0).json();
    assert_eq!(asked["done"], false, "{asked}");
    let id = field(&asked, "statement");
    stage.tool("bob", &["frozen"]).says(&["nothing is frozen"]);
    stage.json("bob", &["approve", &id]).ends_with(0);
    stage.tool("bob", &["frozen"]).ends_with(0).says(&["tenant:acme", "alice, bob"]);
}

#[test]
fn a_scope_that_is_none_is_a_usage_error() {
    let stage = Stage::new();
    for scope in ["everything", "tenant:", "class:huge", "job:short", "org:x"] {
        stage.json("alice", &["freeze", scope]).error(2);
    }
}

#[test]
fn a_changed_bundle_needs_both_and_moves_the_endpoint() {
    let stage = Stage::with_endpoint();
    let mut bundle = stage.json("alice", &["bundle", "show"]).ends_with(0).json();
    assert_eq!(bundle["version"], 1);
    bundle["limits"]["timeout_s_max"] = 60.into();
    stage.write("bundle.json", &bundle.to_string());
    let proposed = stage.json("alice", &["bundle", "propose", "bundle.json"]).ends_with(0).json();
    assert_eq!(proposed["done"], false, "{proposed}");
    let id = field(&proposed, "statement");
    assert_eq!(stage.json("bob", &["bundle", "show"]).json()["version"], 1);
    // What Bob is asked to sign is shown field by field, from the exact bytes.
    let shown = stage.tool("bob", &["approve", &id]).ends_with(0);
    shown.says(&["limits.timeout_s_max: 86400 → 60", "it only takes away, and acts at once"]);
    shown.says(&["log.policy = ", "weaken_delay_s = 86400", "recovery.keys = none"]);
    assert_eq!(stage.json("bob", &["bundle", "show"]).json()["version"], 2);
    let long = ["run", "--on", "all", "--class", "change", "--no-wait", "--timeout", "2m", "x.sh"];
    stage.write("x.sh", "true\n");
    let refused = stage.json("alice", &long);
    // The endpoint, or the server before it, refuses what the new bundle no longer allows.
    if refused.code == 0 {
        let job = field(&refused.json(), "job");
        stage.json("bob", &["approve", &job, "--no-wait"]).ends_with(0);
        stage.wait("a refusal", |stage| receipts(stage, &job, "class.cap") == 1);
    } else {
        refused.error(3);
    }
}

#[test]
fn a_bundle_file_that_is_none_is_refused_by_name() {
    let stage = Stage::organisation();
    stage.write("bundle.json", "{\"version\": 2}");
    stage.tool("alice", &["bundle", "propose", "bundle.json"]).ends_with(1).says(&["bundle.json"]);
}
