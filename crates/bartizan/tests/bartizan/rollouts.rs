//! Roll-outs with real processes: three endpoints in three stages, two people, and a server that is tampered with.

use std::process::Command;

use serde_json::Value;

use crate::stage::{Stage, on_terminal, program, run};

/// Alice signs, Bob countersigns a script for all three endpoints, one after the other.
#[track_caller]
fn rollout(stage: &Stage, script: &str, soak: &str) -> String {
    stage.write("script.sh", script);
    let stages = ["--stages", "canary:1,second:1,rest", "--soak", soak, "--max-fail", "0%"];
    let run = ["run", "--on", "all", "--class", "change", "--no-wait"];
    let submitted = stage.json("alice", &[&run, &stages[..], &["script.sh"]].concat()).json();
    let job = submitted["job"].as_str().unwrap().to_owned();
    stage.json("bob", &["approve", &job, "--no-wait"]).ends_with(0);
    job
}

#[track_caller]
fn view(stage: &Stage, job: &str) -> Value {
    stage.json("bob", &["rollout", job, "--once"]).json()
}

/// `[done, waits]` of each stage.
fn counts(view: &Value) -> Vec<[u64; 2]> {
    let stages = view["stages"].as_array().unwrap();
    stages.iter().map(|s| ["done", "waits"].map(|word| s[word].as_u64().unwrap())).collect()
}

/// The codes of the endpoints of a stage that wait or refused.
fn codes(view: &Value, stage: usize) -> Vec<&str> {
    let codes = view["stages"][stage]["codes"].as_array().unwrap();
    codes.iter().map(|said| said["code"].as_str().unwrap()).collect()
}

#[track_caller]
fn wait_for(stage: &Stage, job: &str, expected: &[[u64; 2]; 3], next: &str) -> Value {
    let mut last = Value::Null;
    stage.wait(&format!("{expected:?} and {next}"), |stage| {
        last = view(stage, job);
        counts(&last) == expected && last["next"] == next
    });
    last
}

#[test]
fn stages_begin_one_after_the_other_as_people_promote_them() {
    goes_through_its_stages(&Stage::with_endpoints(3));
}

/// Three endpoints, whatever the server keeps them in.
pub(crate) fn goes_through_its_stages(stage: &Stage) {
    let job = rollout(stage, "echo hello\n", "1s");
    let seen = wait_for(stage, &job, &[[1, 0], [0, 1], [0, 1]], "ready");
    assert_eq!(codes(&seen, 1), ["stage.not_promoted"], "{seen}");
    let watched = stage.json("alice", &["job", &job]).json();
    let states = watched["targets"].as_array().unwrap().iter().map(|row| &row["state"]);
    assert_eq!(states.collect::<Vec<_>>(), ["done", "waiting", "waiting"], "{watched}");

    let promoted = stage.json("bob", &["promote", &job]).json();
    assert_eq!((&promoted["to"], &promoted["enough"]), (&Value::from(1), &Value::from(true)));
    // The stage has not ended yet, so that the same person cannot promote on and on.
    wait_for(stage, &job, &[[1, 0], [1, 0], [0, 1]], "ready");
    // The rest by itself, to the end.
    stage.json("alice", &["rollout", &job, "--auto", "--timeout", "60s"]).ends_with(0);
    let seen = view(stage, &job);
    assert_eq!(counts(&seen), [[1, 0], [1, 0], [1, 0]], "{seen}");
    assert_eq!((&seen["state"], &seen["next"]), (&"finished".into(), &"nothing".into()));
    stage.json("bob", &["promote", &job]).error(1);
    stage.tool("bob", &["rollout", &job, "--once"]).says(&["canary", "second", "rest", "ended"]);
    // Promotions are entries of the log, and signatures like others.
    let mine = stage.json("bob", &["log", "mine"]).json().to_string();
    assert!(mine.contains("\"promotion\"") && mine.contains("promote.v1@bartizan"), "{mine}");
}

/// The id of an endpoint, from its own guard.
fn id_of(stage: &Stage, folder: &str) -> String {
    let status = ["status", "--dir", &stage.text(folder)];
    let status = run(Command::new(program("bartizan-guard")).args(status)).ends_with(0).out;
    let status: Value = serde_json::from_str(&status).unwrap();
    status["endpoint"].as_str().unwrap().to_owned()
}

fn submit_change(stage: &Stage, on: &str) -> Value {
    stage.write("script.sh", "echo hello\n");
    let run = ["run", "--on", on, "--class", "change", "--no-wait", "script.sh"];
    stage.json("alice", &run).json()
}

#[test]
fn change_begins_with_an_endpoint_that_is_there_and_who_watches_is_asked_for_the_rest() {
    let mut stage = Stage::with_endpoints(2);
    // One endpoint has one stage: nothing to promote.
    let one = id_of(&stage, "endpoint");
    let single = submit_change(&stage, &one);
    assert_eq!(single["stages"], 1, "{single}");
    stage.json("bob", &["approve", single["job"].as_str().unwrap()]).ends_with(0);

    let job = submit_change(&stage, "all");
    assert_eq!(job["stages"], 2, "{job}");
    let bob = stage.command("bob", &["approve", job["job"].as_str().unwrap()]);
    let asked = [("Sign as approver? [y/N]", "y"), ("Let stage 1 (rest) begin? [y/N]", "y")];
    on_terminal(&bob, &asked).ends_with(0).says(&["1 ended well, 0 failed", "done 2"]);

    // Who says no goes on watching; somebody else lets it begin.
    let job = submit_change(&stage, "all")["job"].as_str().unwrap().to_owned();
    let bob = stage.command("bob", &["approve", &job]);
    std::thread::scope(|scope| {
        let asked = [("Sign as approver? [y/N]", "y"), ("begin? [y/N]", "n")];
        let watching = scope.spawn(move || on_terminal(&bob, &asked));
        stage.wait("the canary", |stage| view(stage, &job)["next"] == "ready");
        stage.json("alice", &["rollout", &job, "--auto", "--timeout", "60s"]).ends_with(0);
        watching.join().unwrap().ends_with(0).says(&["later: bartizan promote", "done 2"]);
    });

    // The one whose turn it would be is away.
    let other = id_of(&stage, "endpoint-2");
    let away = if one < other { "guard" } else { "endpoint-2" };
    stage.end(away);
    stage.wait("its absence", |stage| {
        let list = stage.json("alice", &["endpoints"]).json();
        list["endpoints"].as_array().unwrap().iter().any(|row| row["connected"] == false)
    });
    let job = submit_change(&stage, "all")["job"].as_str().unwrap().to_owned();
    stage.json("bob", &["approve", &job, "--no-wait"]).ends_with(0);
    stage.wait("the one that is there to go first", |stage| {
        let seen = view(stage, &job);
        counts(&seen) == [[1, 0], [0, 0]] && seen["next"] == "ready"
    });
}

#[test]
fn a_failing_canary_halts_the_roll_out() {
    let stage = Stage::with_endpoints(3);
    let job = rollout(&stage, "exit 7\n", "1s");
    wait_for(&stage, &job, &[[0, 0], [0, 1], [0, 1]], "halted_failures");
    let no = stage.json("bob", &["promote", &job]).error(3);
    assert!(no["next"].as_str().unwrap().contains("bartizan freeze job:"), "{no}");
    stage.json("bob", &["promote", &job, "--despite-refusals", "no matter"]).error(3);
    stage.json("bob", &["rollout", &job, "--auto", "--timeout", "20s"]).error(3);
    // The next one is not held up by it.
    let job = rollout(&stage, "echo mended\n", "1s");
    stage.json("alice", &["rollout", &job, "--auto", "--timeout", "60s"]).ends_with(0);
}

#[test]
fn a_tampered_database_moves_no_stage_forward() {
    let stage = Stage::with_endpoints(3);
    let first = rollout(&stage, "echo first\n", "1s");
    stage.json("alice", &["rollout", &first, "--auto", "--timeout", "60s"]).ends_with(0);
    let job = rollout(&stage, "echo second\n", "1s");
    wait_for(&stage, &job, &[[1, 0], [0, 1], [0, 1]], "ready");

    // Promotions of another job, in the place of those people have not made.
    stage.edit_database(&format!(
        "INSERT INTO promotion SELECT '{job}', stage, id, envelope, log_index FROM promotion WHERE job = '{first}'"
    ));
    // An endpoint of the last stage in the place of the canary.
    stage.edit_database(&format!(
        "UPDATE job_target SET position = 2 - position WHERE job = '{job}'"
    ));
    stage.wait("the refusal of an endpoint told another stage", |stage| {
        let receipts = stage.json("bob", &["receipts", &job]).json();
        let all = receipts["receipts"].as_array().unwrap();
        all.iter().any(|receipt| receipt["code"] == "target.not_listed")
    });
    // The console is not fooled either.
    let no = stage.json("bob", &["promote", &job]).error(3);
    assert!(no["message"].as_str().unwrap().contains("other endpoints"), "{no}");

    // Put right again, it goes on, and nobody ran it before their stage.
    stage.edit_database(&format!(
        "UPDATE job_target SET position = 2 - position WHERE job = '{job}';
        DELETE FROM promotion WHERE job = '{job}'"
    ));
    stage.wait("the endpoints to wait for their stages again", |stage| {
        let seen = view(stage, &job);
        counts(&seen)[1..].iter().all(|[done, _]| *done == 0) && seen["next"] == "ready"
    });
    stage.json("bob", &["promote", &job]).ends_with(0);
    stage.wait("the second stage", |stage| counts(&view(stage, &job))[1] == [1, 0]);
}
