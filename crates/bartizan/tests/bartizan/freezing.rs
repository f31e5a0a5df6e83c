//! Freeze, thaw, changed bundles: what two people and a real endpoint make of them.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, UdpSocket};
use std::process::Command;
use std::time::{Duration, Instant};

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

/// A bundle with a change that both sign.
fn publish(stage: &Stage, change: impl FnOnce(&mut Value)) {
    let mut bundle = stage.json("alice", &["bundle", "show"]).ends_with(0).json();
    change(&mut bundle);
    stage.write("next.json", &bundle.to_string());
    let proposed = stage.json("alice", &["bundle", "propose", "next.json"]).ends_with(0).json();
    stage.json("bob", &["approve", &field(&proposed, "statement")]).ends_with(0);
}

/// A change job of Alice and Bob.
fn countersigned(stage: &Stage, script: &str) -> String {
    let job = stage.submit("change", script);
    stage.json("bob", &["approve", &job, "--no-wait"]).ends_with(0);
    job
}

fn frozen_by(stage: &Stage) -> Value {
    let mut guard = Command::new(program("bartizan-guard"));
    guard.args(["status", "--dir"]).arg(stage.path("endpoint"));
    run(&mut guard).ends_with(0).json()["frozen_by"].clone()
}

/// Serves one file as `/freeze` until the test ends; where.
fn mirror(stage: &Stage) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let file = stage.path("mirror.json");
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut asked = [0; 1024];
            let _ = stream.read(&mut asked);
            let answer = match std::fs::read(&file) {
                Ok(body) => [b"HTTP/1.0 200 OK\r\n\r\n".as_slice(), &body].concat(),
                Err(_) => b"HTTP/1.0 404 Not Found\r\n\r\n".to_vec(),
            };
            let _ = stream.write_all(&answer);
        }
    });
    url
}

#[test]
fn a_withheld_freeze_comes_from_a_mirror_while_the_servers_link_is_up() {
    let stage = Stage::with_endpoint();
    let url = mirror(&stage);
    publish(&stage, |bundle| {
        bundle["mirrors"] = serde_json::json!([{ "url": url, "every_s": 1 }]);
    });
    let long = countersigned(&stage, "sleep 600 & sleep 600\n");
    stage.wait("the job to run", |stage| {
        stage.json("bob", &["job", &long]).json()["targets"][0]["state"] == "running"
    });
    // The server is never told of it: that is what one that drops it makes of it.
    let written = stage.json("bob", &["freeze", "org", "--for", "1h", "--out", "freeze.json"]);
    let id = field(&written.ends_with(0).json(), "freeze");
    std::fs::rename(stage.path("freeze.json"), stage.path("mirror.json")).unwrap();
    stage.wait("the running job's end", |stage| receipts(stage, &long, "freeze.covered") == 1);
    assert_eq!(frozen_by(&stage), serde_json::json!([id]));
    assert_eq!(receipts(&stage, &id, "freeze.by_mirror"), 1);
    // A frozen fleet still takes in bundles, and the freeze once it is logged.
    publish(&stage, |bundle| bundle["limits"]["timeout_s_max"] = 60.into());
    let sent = stage.json("bob", &["freeze", "--send", &stage.text("mirror.json")]).ends_with(0);
    let sent = sent.json();
    assert_eq!(sent["confirmed"][0]["way"], "mirror", "{sent}");
    stage.json("alice", &["freeze", "--export", "export.json"]).ends_with(0);
    let exported = String::from_utf8(stage.read("export.json")).unwrap();
    let kept = String::from_utf8(stage.read("mirror.json")).unwrap();
    assert_eq!(exported.trim_end(), kept.trim_end());
}

#[test]
fn a_withheld_freeze_comes_over_the_local_network() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = socket.local_addr().unwrap().port().to_string();
    drop(socket);
    let mut stage = Stage::with_endpoint_in(&[("BARTIZAN_LAN", &port)]);
    stage.end("server");
    let to = format!("127.255.255.255:{port}");
    let freeze = ["freeze", "org", "--for", "1h", "--lan-to", &to, "--out", "freeze.json"];
    let sent = stage.json("bob", &freeze).ends_with(0).json();
    assert_eq!(sent["lan"], serde_json::json!([to]), "{sent}");
    let id = field(&sent, "freeze");
    stage.wait("the endpoint to stand still", |stage| frozen_by(stage) == serde_json::json!([id]));
}

#[test]
fn work_stops_within_its_classs_freshness_where_the_server_withholds_a_freeze() {
    const FRESH: Duration = Duration::from_secs(3);
    let mut stage = Stage::with_endpoint();
    publish(&stage, |bundle| {
        for class in bundle["classes"].as_array_mut().unwrap() {
            class["freshness_s"] = FRESH.as_secs().into();
        }
    });
    stage.end("guard");
    let job = countersigned(&stage, "echo late\n");
    stage.wait("the job to be witnessed", |stage| {
        stage.json("bob", &["job", &job]).json()["witnessed"] == true
    });
    let freeze = ["freeze", "class:fleet", "--for", "1h", "--out", "freeze.json"];
    let written = stage.json("alice", &freeze).ends_with(0).json();
    assert_eq!(written["withheld"], true, "{written}");
    let id = field(&written, "freeze");
    // Bob was told, and does not wait for a log that may never show it.
    stage.json("bob", &["witness", "--withhold", "a freeze is missing"]).ends_with(0);
    for (who, why) in [("alice", id.as_str()), ("bob", "a freeze is missing")] {
        let round = stage.json(who, &["witness", "--once"]).ends_with(0).json();
        assert_eq!(round["cosigned"], serde_json::json!([]), "{round}");
        assert!(field(&round, "withheld").contains(why), "{round}");
    }
    let silent = Instant::now();
    stage.wait("the control view to grow old", |_| {
        silent.elapsed() > FRESH + Duration::from_secs(1)
    });
    stage.start_guard(&[]);
    stage.wait("a refusal", |stage| receipts(stage, &job, "log.control_stale") == 1);
    assert_eq!(receipts(&stage, &job, "ok"), 0);

    // Once the log has the freeze, both speak again, and what it does not cover goes on.
    stage.json("alice", &["freeze", "--send", "freeze.json"]).ends_with(0);
    stage.json("bob", &["witness", "--resume"]).ends_with(0);
    stage.wait("the job that waited", |stage| receipts(stage, &job, "ok") == 1);
}

#[test]
fn a_freeze_of_sessions_stops_no_job() {
    let stage = Stage::with_endpoint();
    let frozen = stage.json("bob", &["freeze", "sessions", "--for", "1h"]).ends_with(0).json();
    assert_eq!(frozen["missing"], serde_json::json!([]), "{frozen}");
    let job = countersigned(&stage, "echo work\n");
    stage.wait("the job", |stage| receipts(stage, &job, "ok") == 1);
    let shown = stage.tool("alice", &["frozen", &field(&frozen, "freeze")]).ends_with(0);
    shown.says(&["frozen by server", "1 of 1 endpoints confirmed"]);
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
