//! The demo is the end-to-end test: it fails where a step does not do what it says.

use std::process::Command;

#[test]
fn story_a_countersigned_script_runs_and_a_hostile_server_runs_nothing() {
    let folder = tempfile::tempdir().unwrap().keep();
    let mut demo = Command::new(env!("CARGO_BIN_EXE_bartizan"));
    let output = demo.args(["demo", "--once"]).env("TMPDIR", &folder).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{complaints}");
    for line in [
        "the other two wait for their stage",
        "signed on a receipt that her computer verified",
        "refused by three endpoints: sig.approvals_missing",
        "the added one refused: target.not_listed",
        "refused: content.mismatch",
        "every statement with stock ssh-keygen",
        "signatures good",
    ] {
        assert!(said.contains(line), "`{line}` is missing in:\n{said}");
    }
    // Kept where the story fails: the logs of its processes are in it.
    std::fs::remove_dir_all(folder).unwrap();
}
