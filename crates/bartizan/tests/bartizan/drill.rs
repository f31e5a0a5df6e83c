//! The drill is the promise as a test: an attacker who owns the server runs nothing.

use std::process::Command;

use serde_json::Value;

#[test]
fn drill_an_attacker_who_owns_the_server_runs_nothing() {
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
    let attempts = report["attempts"].as_array().unwrap();
    let found: Vec<(&str, &str)> = attempts
        .iter()
        .map(|attempt| (attempt["outcome"].as_str().unwrap(), attempt["code"].as_str().unwrap()))
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
        "freeze.covered",
        "log.shrunk",
    ];
    assert_eq!(found, expected.map(|code| ("refused", code)), "{report}");
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains("10 attempts, none ran anything on any endpoint"), "{page}");
    let left: Vec<_> = std::fs::read_dir(&folder).unwrap().flatten().collect();
    assert_eq!(left.len(), 1, "only the page is left: {left:?}");
    // Kept where the drill fails: the logs of its processes are in it.
    std::fs::remove_dir_all(folder).unwrap();
}
