//! The drill is the promise as a test: no attacker that it plays runs anything.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

use crate::stage::Stage;

#[test]
fn drill_attackers_run_nothing() {
    let folder = tempfile::tempdir().unwrap().keep();
    let page = folder.join("drill.html");
    let mut drill = Command::new(env!("CARGO_BIN_EXE_bartizan"));
    let output = drill
        .args(["drill", "--json", "--html"])
        .arg(&page)
        .env("TMPDIR", &folder)
        .output()
        .unwrap();
    let (said, complaints) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}\n{complaints}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["executed"], 0, "{report}");
    let mut found: Vec<(String, BTreeSet<String>)> = Vec::new();
    for attempt in report["attempts"].as_array().unwrap() {
        assert_eq!(attempt["outcome"], "refused", "{attempt}");
        let text = |field: &str| attempt[field].as_str().unwrap().to_owned();
        assert!(!text("endpoint").is_empty(), "{attempt}");
        match found.last_mut().filter(|(name, _)| *name == text("name")) {
            Some((_, codes)) => drop(codes.insert(text("code"))),
            None => found.push((text("name"), [text("code")].into())),
        }
    }
    let found: Vec<String> = found
        .iter()
        .map(|(_, codes)| codes.iter().cloned().collect::<Vec<_>>().join(" "))
        .collect();
    let expected = [
        "sig.approvals_missing",
        "sig.author_missing",
        "sig.approvals_missing",
        "target.not_listed",
        "scope.wrong_tenant",
        "content.mismatch",
        "replay.seen",
        "window.expired",
        "sig.approvals_missing",
        "sig.author_missing",
        "class.too_weak",
        "sig.root_missing",
        "update.vendor_refused",
        "content.mismatch",
        "update.not_newer",
        "sig.author_missing",
        "server.unknown_key",
        "server.tls",
        "freeze.covered",
        "window.expired",
        "freeze.covered",
        "replay.seen",
        "log.fork",
        "log.shrunk",
    ];
    assert_eq!(found, expected, "{report}");
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains("24 attempts, none ran anything on any endpoint"), "{page}");
    let left: Vec<_> = std::fs::read_dir(&folder).unwrap().flatten().collect();
    assert_eq!(left.len(), 1, "only the page is left: {left:?}");
    // Kept where the drill fails: the logs of its processes are in it.
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn drill_on_a_live_fleet_stops_nothing_and_says_who_is_reached() {
    let stage = Stage::with_endpoint();
    let report = stage.json("alice", &["drill", "--fleet"]).json();
    assert_eq!(report["problems"], serde_json::json!([]), "{report}");
    assert_eq!(report["confirmed"].as_array().unwrap().len(), 1, "{report}");
    assert_eq!(
        (&report["silent"], &report["absent"]),
        (&serde_json::json!([]), &serde_json::json!([]))
    );
    assert!(report["signatures"].as_u64().unwrap() >= 3, "{report}");
    // Work goes on while the freeze stands, and the other operator ends it.
    let job = stage.submit("routine", "echo fine\n");
    stage.tool("alice", &["watch", &job, "--timeout", "20s"]).ends_with(0).says(&["fine"]);
    assert_eq!(report["thawed"], false);
    stage.json("bob", &["approve", report["thaw"].as_str().unwrap()]).ends_with(0);
    let frozen = stage.json("bob", &["frozen"]).json();
    assert_eq!(frozen["freezes"], serde_json::json!([]), "{frozen}");
}
