//! What a real machine measures, from its guard to an operator's terminal and the console's pages.

use std::process::Command;

use crate::page::Page;
use crate::stage::{Stage, run};

/// A stage whose endpoint's first samples have come, and the endpoint's id and host name.
fn stage() -> (Stage, String, String) {
    let stage = Stage::with_endpoint();
    let endpoints = stage.json("alice", &["endpoints"]).json();
    let row = &endpoints["endpoints"][0];
    let text = |field: &str| row[field].as_str().unwrap().to_owned();
    let (id, name) = (text("id"), text("hostname"));
    stage.wait("the first samples", |stage| {
        let shown = stage.json("alice", &["metrics", &id]).json();
        !shown["metrics"]["series"].as_array().unwrap().is_empty()
    });
    (stage, id, name)
}

/// What Linux says of this machine's memory, in bytes.
fn memory_total() -> f64 {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:")).unwrap();
    let kibibytes: f64 = line.trim().trim_end_matches(" kB").parse().unwrap();
    kibibytes * 1024.0
}

#[test]
fn a_real_machine_shows_what_it_measured() {
    let (mut stage, id, name) = stage();
    let one = stage.json("alice", &["metrics", &name, "memory_total_bytes"]).json();
    assert_eq!(one["endpoint"], id);
    let series = one["metrics"]["series"].as_array().unwrap();
    assert_eq!(series.len(), 1, "{one}");
    assert_eq!(series[0]["name"], "bartizan_memory_total_bytes");
    assert_eq!(series[0]["points"][0][1], memory_total());
    assert_eq!(one["metrics"]["reports"]["refused"], 0);

    let list = stage.tool("bob", &["metrics", &id]).ends_with(0);
    list.says(&["METRIC", "LAST", "TREND", "load1", "filesystem_free_bytes", "memory_used_bytes"]);
    let over_time = stage.tool("bob", &["metrics", &id, "load1", "--since", "1h"]).ends_with(0);
    over_time.says(&["load1: ", " to ", "FROM", "mean", "ago"]);
    // A label that no interface has, and a time before the endpoint was there.
    let missing = ["metrics", &id, "network_receive_bytes_total", "--of", "no-such-interface"];
    stage.tool("bob", &missing).ends_with(0).says(&["No network_receive", "--since 7d"]);

    check_console(&mut stage, &id);
    // A wish that cannot be met says what to do.
    let refused = |arguments: &[&str], exit| stage.json("bob", arguments).error(exit);
    let wrong = refused(&["metrics", &id, "lod1"], 2);
    assert!(wrong["next"].as_str().unwrap().contains("bartizan metrics"), "{wrong}");
    refused(&["metrics", "no-such-host"], 1);
    refused(&["metrics", &id, "--of", "eth0"], 2);
    refused(&["metrics", &id, "load1", "--since", "yesterday"], 2);
}

/// Pages get the same.
fn check_console(stage: &mut Stage, id: &str) {
    let page = Page::open(stage, "alice");
    let found =
        page.get(&format!("/endpoints/{id}/series?name=bartizan_filesystem_size_bytes&label=/"));
    let series = found["series"].as_array().unwrap();
    assert_eq!(series.len(), 1, "{found}");
    assert_eq!((&series[0]["label_key"], &series[0]["label"]), (&"mount".into(), &"/".into()));
    assert_eq!(series[0]["counter"], false);
    let (times, values) = (series[0]["times"].as_array().unwrap(), series[0]["values"].as_array());
    assert_eq!(times.len(), values.unwrap().len());
    assert!(found["losses"]["dropped"] == 0, "{found}");
    page.fetch(&format!("/endpoints/{id}/series?name=nonsense")).refused(400, "series.name");
    page.fetch(&format!("/endpoints/{id}/series?from=5&to=4")).refused(400, "series.range");
    page.fetch(&format!("/endpoints/{id}/series?from=0&step_s=1")).refused(400, "series.too_many");
}

#[test]
fn an_operator_makes_a_token_and_ends_it() {
    let stage = Stage::organisation();
    stage.tool("alice", &["metrics", "token", "list"]).ends_with(0).says(&["token new NAME"]);
    let new = ["metrics", "token", "new", "wall", "--tenant", "acme", "--for", "30d"];
    let made = stage.json("alice", &new).json();
    let token = made["token"].as_str().unwrap();
    assert_eq!(stage.json("bob", &new).error(1)["code"], "token.exists");
    stage.tool("bob", &["metrics", "token", "list"]).ends_with(0).says(&["wall", "acme", "alice"]);
    let ask = || {
        let (url, header) = (
            format!("https://{}/api/v1/query?query=1", stage.plane),
            format!("authorization: Bearer {token}"),
        );
        run(Command::new("curl").args(["--silent", "--insecure", "--header", &header, &url])).out
    };
    assert!(ask().contains("\"scalar\""), "{}", ask());
    stage.tool("bob", &["metrics", "token", "revoke", "wall"]).ends_with(0).says(&["no more"]);
    assert!(ask().contains("token.unknown"), "{}", ask());
    let gone = stage.json("bob", &["metrics", "token", "revoke", "wall"]).error(1);
    assert_eq!(gone["code"], "request.not_found");
    let short = ["metrics", "token", "new", "x", "--for", "1h"];
    assert_eq!(stage.json("bob", &short).error(1)["code"], "token.days");
}

#[test]
fn the_catalogue_needs_no_server() {
    let stage = Stage::new();
    let all = stage.json("nobody", &["metrics"]).json();
    let names = all["catalogue"].as_array().unwrap();
    assert!(
        names.iter().any(|metric| metric["name"] == "bartizan_load1" && metric["label"].is_null())
    );
    stage.tool("nobody", &["metrics"]).ends_with(0).says(&[
        "filesystem_used_bytes",
        "mount",
        "counter",
    ]);
}
