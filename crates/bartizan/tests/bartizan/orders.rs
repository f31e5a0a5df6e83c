//! Standing orders from the command line to a real endpoint whose server goes away.

use std::process::Command;

use serde_json::{Value, json};

use crate::page::Page;
use crate::stage::{Stage, program};

fn lines(stage: &Stage, name: &str) -> usize {
    std::fs::read_to_string(stage.path(name)).unwrap_or_default().lines().count()
}

fn state(stage: &Stage, id: &str) -> Option<String> {
    let all = stage.json("alice", &["orders"]).json();
    let orders = all["orders"].as_array().unwrap();
    let order = orders.iter().find(|order| order["id"] == id)?;
    order["endpoints"][0]["state"].as_str().map(str::to_owned)
}

/// An order of Alice that writes a line whenever a file changes.
fn order(stage: &Stage) -> String {
    stage.write("watched", "before");
    stage.write("order.sh", &format!("echo ran >> '{}'\necho said\n", stage.text("runs")));
    let when = format!("file:{}", stage.text("watched"));
    let run = [
        "run",
        "--on",
        "all",
        "--when",
        &when,
        "--distance",
        "1s",
        "--rate",
        "100/hour",
        "order.sh",
    ];
    let submitted = stage.json("alice", &run).json();
    assert_eq!(submitted["class"], "routine");
    let id = submitted["job"].as_str().unwrap().to_owned();
    stage.wait("a standing order", |stage| state(stage, &id).as_deref() == Some("standing"));
    id
}

#[test]
fn an_order_runs_with_the_server_down_and_its_receipts_come_later() {
    let mut stage = Stage::with_endpoint();
    let id = order(&stage);
    let before = stage.plane.clone();
    stage.end("server");
    stage.write("watched", "one");
    stage.wait("a run without a server", |stage| lines(stage, "runs") == 1);
    let outbox = stage.path("endpoint/outbox");
    let written =
        |path: std::path::PathBuf| path.extension().is_some_and(|ending| ending == "json");
    stage.wait("its receipt", |_| {
        std::fs::read_dir(&outbox).is_ok_and(|all| all.flatten().any(|file| written(file.path())))
    });
    stage.end("guard");
    let mut guard = Command::new(program("bartizan-guard"));
    guard.args(["run", "--dir"]).arg(stage.path("endpoint"));
    stage.start("guard", &mut guard);
    stage.write("watched", "two");
    stage.wait("a run after a restart", |stage| lines(stage, "runs") == 2);

    stage.start_server();
    // It listens on another port now.
    for who in ["alice", "bob"] {
        for file in ["org.json", "session.json"] {
            let path = stage.path(who).join(file);
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            std::fs::write(&path, text.replace(&before, &stage.plane)).unwrap();
        }
    }
    let ran = |stage: &Stage| -> Vec<Value> {
        let all = stage.json("alice", &["receipts", &id]).json();
        let receipts = all["receipts"].as_array().unwrap().clone();
        receipts.into_iter().filter(|receipt| receipt["decision"] == "done").collect()
    };
    stage.wait("both receipts", |stage| ran(stage).len() == 2);
    let both = ran(&stage);
    assert!(both.iter().all(|receipt| receipt["verified"] == true && receipt["exit"] == 0));
    assert_ne!(both[0]["occurrence"], both[1]["occurrence"]);
    assert_eq!(state(&stage, &id).as_deref(), Some("standing"));
    stage.tool("alice", &["orders"]).ends_with(0).says(&["whenever", "standing", "ok"]);
    assert_eq!(lines(&stage, "runs"), 2);
    let page = Page::open(&mut stage, "bob").get("/orders");
    let last = &page["orders"][0]["endpoints"][0]["last"];
    let expected = json!({ "decision": "done", "code": "ok", "exit": 0 });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&last[name], value, "{page}");
    }
    assert_eq!(last["verification"]["verified"], true, "{page}");
    let newest = both.iter().filter_map(|receipt| receipt["t1"].as_u64()).max();
    assert_eq!(last["at"].as_u64(), newest, "{page}");

    stage.json("bob", &["orders", "withdraw", &id, "--reason", "enough"]).ends_with(0);
    stage.json("bob", &["orders", "withdraw", &id]).error(1);
    stage.wait("the end of the order", |stage| state(stage, &id).as_deref() == Some("over"));
    stage.write("watched", "three");
    // What runs now would have run after the order, had it stood.
    stage.write("script.sh", "exit 0\n");
    stage.json("alice", &["run", "--on", "all", "script.sh"]).ends_with(0);
    assert_eq!(lines(&stage, "runs"), 2);
}

#[test]
fn a_job_after_another_waits_for_it() {
    let stage = Stage::with_endpoint();
    let first = stage.submit("change", &format!("echo first >> '{}'\n", stage.text("order")));
    stage.write("second.sh", &format!("echo second >> '{}'\n", stage.text("order")));
    let run = ["run", "--on", "all", "--after", &first, "--no-wait", "second.sh"];
    let second = stage.json("alice", &run).json()["job"].as_str().unwrap().to_owned();
    stage.wait("a refusal", |stage| {
        stage.json("alice", &["receipts", &second]).json()["receipts"][0]["code"] == "after.missing"
    });
    stage.json("bob", &["approve", &first, "--no-wait"]).ends_with(0);
    stage.json("alice", &["watch", &second, "--timeout", "20s"]).ends_with(0);
    assert_eq!(stage.read("order"), b"first\nsecond\n");
    stage.tool("alice", &["job", &second]).ends_with(0).says(&["after", &first]);
}

#[test]
fn orders_that_no_class_allows_are_refused_before_anybody_signs() {
    let stage = Stage::with_endpoint();
    stage.write("script.sh", "exit 0\n");
    let run = |more: &[&str]| {
        stage.json("alice", &[&["run", "--on", "all"], more, &["script.sh"]].concat())
    };
    let zone = run(&["--cron", "0 3 * * *", "--zone", "Europe/Nowhere"]).error(1);
    assert!(zone["message"].as_str().unwrap().contains("Europe/Nowhere"), "{zone}");
    for bad in [["--cron", "every day"], ["--every", "5s"]] {
        assert!(run(&bad).error(1)["message"].as_str().unwrap().contains("trigger"));
    }
    assert_eq!(run(&["--every", "1h", "--until", "200d"]).error(3)["code"], "order.not_allowed");
    for usage in
        [&["--every", "1h", "--at-start"][..], &["--when", "moon:full"], &["--rate", "1/day"]]
    {
        assert_eq!(run(usage).code, 2, "{usage:?}");
    }
    assert_eq!(stage.json("alice", &["orders"]).json()["orders"].as_array().unwrap().len(), 0);
    let cron = run(&[
        "--cron",
        "30 2 * * 1-5",
        "--zone",
        "Europe/Berlin",
        "--late",
        "6h",
        "--jitter",
        "20m",
    ]);
    let id = cron.json()["job"].as_str().unwrap().to_owned();
    stage.wait("a standing order", |stage| state(stage, &id).as_deref() == Some("standing"));
    let next = &stage.json("bob", &["orders"]).json()["orders"][0]["next"];
    assert!(next.as_u64().is_some_and(|at| at % 1800 == 0), "{next}");
    let shown = stage.tool("bob", &["job", &id]).ends_with(0);
    shown.says(&[
        "AGAIN   at 30 2 * * 1-5 (Europe/Berlin)",
        "20 min of jitter",
        "up to 6 h late",
        "for at most 7 d",
    ]);
}
