//! The logs as this console remembers them: whatever the owner of the server does to them, it shows.

use std::process::Command;

use crate::stage::{Stage, run};

/// One job in the log, signed, run, and co-signed by both.
fn with_history() -> Stage {
    let stage = Stage::with_endpoint();
    let job = stage.submit("routine", "exit 0\n");
    stage.json("alice", &["watch", &job, "--timeout", "20s"]).ends_with(0);
    stage.wait("both co-signatures", |stage| {
        stage.json("bob", &["witness", "--once"]).ends_with(0);
        let verified = stage.json("alice", &["log", "verify"]).json();
        let jobs = &verified["logs"][1];
        jobs["size"] == 1 && jobs["cosigned_by"].as_array().is_some_and(|names| names.len() == 2)
    });
    stage
}

#[test]
fn a_log_that_is_whole_verifies_and_a_changed_entry_does_not() {
    let stage = with_history();
    stage.tool("bob", &["log", "verify"]).ends_with(0).says(&["jobs: 1 entries", "alice, bob"]);
    let keep = "CREATE TABLE kept AS SELECT * FROM log_entry";
    stage.edit_database(keep);
    stage.edit_database(
        "UPDATE log_entry SET entry = CAST(replace(CAST(entry AS TEXT), 'A', 'B') AS BLOB) WHERE log = 'jobs'",
    );
    let error = stage.json("bob", &["log", "verify"]).error(3);
    assert!(
        error["message"].as_str().unwrap().contains("not those its checkpoint signs"),
        "{error}"
    );
    stage.edit_database(
        "UPDATE log_entry SET entry = (SELECT entry FROM kept WHERE kept.log = log_entry.log AND kept.idx = log_entry.idx)",
    );
    stage.json("bob", &["log", "verify"]).ends_with(0);
}

#[test]
fn a_log_rolled_back_is_seen_by_every_console_that_co_signed_it() {
    let mut stage = with_history();
    let remembered = stage.read("bob/witness-state.json");
    for name in ["witness-alice", "witness-bob", "server"] {
        stage.end(name);
    }
    // A backup from before the job is restored; the server signs the shorter log with its own key.
    stage.edit_database(
        "DELETE FROM log_entry WHERE log = 'jobs'; DELETE FROM cosignature WHERE log = 'jobs'; \
         DELETE FROM receipt; DELETE FROM job_target; DELETE FROM job;",
    );
    std::fs::remove_dir_all(stage.path("server/log")).unwrap();
    stage.restart_server_where_it_was();
    let error = stage.json("bob", &["witness", "--once"]).error(3);
    assert!(error["message"].as_str().unwrap().contains("LOG SHRUNK"), "{error}");
    let verify = stage.json("bob", &["log", "verify"]);
    verify.error(3);
    assert!(verify.out.contains("is not what this console co-signed"), "{verify:?}");
    assert_eq!(stage.read("bob/witness-state.json"), remembered, "it must not forget");

    // A new history of the same length is no better.
    let job = ["run", "--on", "all", "--no-wait", "script.sh"];
    stage.json("alice", &job).error(3);
    assert!(
        stage.json("bob", &["witness", "--once"]).error(3)["message"]
            .as_str()
            .is_some_and(|text| text.contains("LOG FORKED"))
    );
}

#[test]
fn everything_in_the_logs_is_exported_and_stock_ssh_keygen_verifies_it() {
    let stage = with_history();
    let exported = stage.json("bob", &["log", "export", "--dir", "export"]).json();
    // The bundle by two, a job by one, its receipt, the descriptor and the enrolment.
    assert_eq!((&exported["statements"], &exported["signatures"]), (&5.into(), &6.into()));
    assert_eq!(exported["problems"].as_array().unwrap().len(), 0, "{exported}");
    let verify = || run(Command::new("sh").arg(stage.path("export/verify.sh")));
    let said = verify().ends_with(0).out;
    assert_eq!(said.lines().filter(|line| line.starts_with("Good ")).count(), 6, "{said}");
    let mut bytes = stage.read("export/jobs/000000/pae");
    bytes.push(b' ');
    std::fs::write(stage.path("export/jobs/000000/pae"), bytes).unwrap();
    assert_ne!(verify().code, 0, "altered bytes verified");
}
