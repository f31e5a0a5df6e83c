//! Who lets a stage begin, and what happens to endpoints that are not there when it does.

use std::process::Command;

use serde_json::{Value, json};

use crate::stage::{Answer, Stage, program, run};

/// Three endpoints, one after the other.
const THREE: &str = "canary:1,second:1,rest";

/// Alice signs, Bob countersigns, with these options beside.
#[track_caller]
fn submit(stage: &Stage, script: &str, stages: &str, more: &[&str]) -> String {
    let job = draft(stage, script, stages, more);
    stage.json("bob", &["approve", &job, "--no-wait"]).ends_with(0);
    job
}

#[track_caller]
fn draft(stage: &Stage, script: &str, stages: &str, more: &[&str]) -> String {
    stage.write("script.sh", script);
    let run = ["run", "--on", "all", "--class", "change", "--no-wait", "--stages", stages];
    let all = [&run, more, &["--soak", "1s", "--max-fail", "0%", "script.sh"]].concat();
    stage.json("alice", &all).json()["job"].as_str().unwrap().to_owned()
}

#[track_caller]
fn view(stage: &Stage, job: &str) -> Value {
    stage.json("bob", &["rollout", job, "--once"]).json()
}

/// How many of each stage ended well.
fn done(view: &Value) -> Vec<u64> {
    let stages = view["stages"].as_array().unwrap();
    stages.iter().map(|stage| stage["done"].as_u64().unwrap()).collect()
}

#[track_caller]
fn wait_for(stage: &Stage, job: &str, expected: &[u64], next: &str) -> Value {
    let mut last = Value::Null;
    stage.wait(&format!("{expected:?} and {next}"), |stage| {
        last = view(stage, job);
        done(&last) == expected && last["next"] == next
    });
    last
}

/// The codes of a stage's endpoints that wait or refused.
fn codes(view: &Value, stage: usize) -> Vec<&str> {
    let codes = view["stages"][stage]["codes"].as_array().unwrap();
    codes.iter().map(|said| said["code"].as_str().unwrap()).collect()
}

/// Work that has no stages, on one endpoint, to its end: whatever came before it has been looked at by then.
#[track_caller]
fn other_work(stage: &Stage, endpoint: &str) {
    stage.write("other.sh", "exit 0\n");
    stage.json("alice", &["run", "--on", endpoint, "other.sh"]).ends_with(0);
}

/// The folders of endpoints, by their ids.
fn folder_of(stage: &Stage, id: &str) -> &'static str {
    let folders = ["endpoint", "endpoint-2", "endpoint-3"];
    let own = |folder: &&&str| {
        let status = ["status", "--dir", &stage.text(folder)];
        let out = run(Command::new(program("bartizan-guard")).args(status)).ends_with(0).out;
        serde_json::from_str::<Value>(&out).unwrap()["endpoint"] == id
    };
    folders.iter().find(own).unwrap()
}

/// The endpoints of a job, by their stages.
fn targets(stage: &Stage, job: &str) -> Vec<String> {
    let detail = stage.json("bob", &["job", job]).json();
    let rows = detail["targets"].as_array().unwrap();
    rows.iter().map(|row| row["endpoint"].as_str().unwrap().to_owned()).collect()
}

/// Ends an endpoint and waits until the server knows.
fn goes_away(stage: &mut Stage, folder: &str) {
    stage.end(if folder == "endpoint" { "guard" } else { folder });
    stage.wait("its absence", |stage| {
        let list = stage.json("alice", &["endpoints"]).json();
        list["endpoints"].as_array().unwrap().iter().any(|row| row["connected"] == false)
    });
}

fn comes_back(stage: &mut Stage, folder: &str) {
    if folder == "endpoint" {
        stage.restart_guard(&[]);
    } else {
        stage.start_endpoint(folder);
    }
}

#[test]
fn a_stage_that_wants_two_promoters_waits_for_the_second() {
    let stage = Stage::with_endpoints(3);
    let job = submit(&stage, "echo two\n", THREE, &["--promoters", "2"]);
    let seen = wait_for(&stage, &job, &[1, 0, 0], "ready");
    assert_eq!((&seen["promoters"], &seen["promoters_wanted"]), (&Value::Null, &json!(2)));

    let first = stage.json("bob", &["promote", &job]).json();
    assert_eq!((&first["to"], &first["enough"]), (&json!(1), &json!(false)), "{first}");
    // Both see who is missing, and once more by the same person is nothing.
    for who in ["alice", "bob"] {
        stage.tool(who, &["rollout", &job, "--once"]).says(&["1 of 2 people", "so far bob"]);
    }
    let again = stage.json("bob", &["promote", &job]).error(4);
    assert!(again["message"].as_str().unwrap().contains("another person"), "{again}");
    other_work(&stage, &targets(&stage, &job)[1]);
    let seen = view(&stage, &job);
    assert_eq!((done(&seen), codes(&seen, 1)), (vec![1, 0, 0], vec!["stage.not_promoted"]));
    assert_eq!(seen["promoters"], json!(["op_bob"]), "{seen}");

    let second = stage.json("alice", &["promote", &job]).json();
    assert_eq!((&second["to"], &second["enough"]), (&json!(1), &json!(true)), "{second}");
    assert_eq!(second["promotion"], first["promotion"], "one statement, two signatures");
    wait_for(&stage, &job, &[1, 1, 0], "ready");
    // By themselves, each console signs once and waits for the other.
    let auto = ["rollout", &job, "--auto", "--timeout", "60s"];
    std::thread::scope(|scope| {
        let alice = scope.spawn(|| stage.json("alice", &auto));
        stage.wait("her signature", |stage| view(stage, &job)["promoters"] == json!(["op_alice"]));
        other_work(&stage, &targets(&stage, &job)[2]);
        assert_eq!(done(&view(&stage, &job)), [1, 1, 0]);
        stage.json("bob", &auto).ends_with(0);
        alice.join().unwrap().ends_with(0);
    });
    assert_eq!(done(&view(&stage, &job)), [1, 1, 1]);
}

#[test]
fn a_refusal_halts_until_somebody_goes_on_and_says_why() {
    let mut stage = Stage::with_endpoints(3);
    let fine = submit(&stage, "echo fine\n", THREE, &[]);
    wait_for(&stage, &fine, &[1, 0, 0], "ready");
    let none = stage.json("bob", &["promote", &fine, "--despite-refusals", "no matter"]).error(2);
    assert!(none["message"].as_str().unwrap().contains("no endpoint refused"), "{none}");

    // One of two canaries has lost its memory since the job was signed, and takes nothing that is older.
    let job = draft(&stage, "echo mostly\n", "canary:2,rest", &[]);
    let folder = folder_of(&stage, &targets(&stage, &job)[0]);
    goes_away(&mut stage, folder);
    std::fs::remove_file(stage.path(folder).join("state.json")).unwrap();
    comes_back(&mut stage, folder);
    stage.json("bob", &["approve", &job, "--no-wait"]).ends_with(0);
    let seen = wait_for(&stage, &job, &[1, 0], "halted_refusals");
    assert_eq!(codes(&seen, 0), ["replay.seen"], "{seen}");
    let no = stage.json("bob", &["promote", &job]).error(3);
    assert!(no["next"].as_str().unwrap().contains("--despite-refusals"), "{no}");
    stage.json("bob", &["rollout", &job, "--auto", "--timeout", "20s"]).error(3);
    let why = ["promote", &job, "--despite-refusals", "its disk was changed"];
    stage.wait("the soak", |stage| stage.json("bob", &why).code == 0);
    wait_for(&stage, &job, &[1, 1], "nothing");
    let shown = stage.tool("alice", &["rollout", &job, "--once"]).ends_with(0);
    shown.says(&["bob: its disk was changed", "refused: replay.seen"]);
    let seen = view(&stage, &job);
    assert_eq!(seen["promotions"][0]["despite_refusals"], "its disk was changed", "{seen}");
    assert_eq!(seen["stages"][0]["evidence"]["refused"], 1, "{seen}");
}

/// `run --auto` by Alice; Bob countersigns what she submits.
fn run_auto(stage: &Stage, script: &str) -> (String, Answer) {
    stage.write("script.sh", script);
    let run = ["run", "--on", "all", "--class", "change", "--stages", THREE, "--soak", "1s"];
    let run = [&run[..], &["--max-fail", "0%", "--auto", "script.sh"]].concat();
    std::thread::scope(|scope| {
        let running = scope.spawn(|| stage.json("alice", &run));
        let mut job = Value::Null;
        stage.wait("what she submits", |stage| {
            job = stage.json("bob", &["pending"]).json()["jobs"][0]["id"].clone();
            job.is_string()
        });
        let job = job.as_str().unwrap().to_owned();
        stage.json("bob", &["approve", &job, "--no-wait"]).ends_with(0);
        (job, running.join().unwrap())
    })
}

#[test]
fn run_auto_goes_through_all_stages_and_stops_where_one_fails() {
    let stage = Stage::with_endpoints(3);
    let (job, answer) = run_auto(&stage, "echo fine\n");
    answer.ends_with(0);
    let seen = view(&stage, &job);
    assert_eq!((done(&seen), &seen["state"]), (vec![1, 1, 1], &json!("finished")), "{seen}");
    let promoters: Vec<&Value> =
        seen["promotions"].as_array().unwrap().iter().map(|one| &one["promoters"]).collect();
    assert_eq!(promoters, [&json!(["op_alice"]), &json!(["op_alice"])]);

    // Only the canary has it wrong: nobody else begins.
    let (job, answer) = run_auto(&stage, "exit 7\n");
    let error = answer.error(3);
    assert!(error["message"].as_str().unwrap().contains("HALTED"), "{error}");
    let seen = view(&stage, &job);
    assert_eq!((done(&seen), &seen["promotions"]), (vec![0, 0, 0], &json!([])), "{seen}");
    assert_eq!(seen["stages"][0]["failed"], 1, "{seen}");
}

#[test]
fn an_endpoint_that_returns_joins_its_stage_whether_it_may_begin_or_not() {
    let mut stage = Stage::with_endpoints(3);
    let any = draft(&stage, "exit 0\n", THREE, &[]);
    let folder = folder_of(&stage, &targets(&stage, &any)[0]);
    goes_away(&mut stage, folder);
    // Who is away comes last. One job gets as far as its stage, the other does not.
    let far = submit(&stage, "echo far\n", THREE, &[]);
    let near = submit(&stage, "echo near\n", THREE, &[]);
    for job in [&far, &near] {
        wait_for(&stage, job, &[1, 0, 0], "ready");
        stage.json("bob", &["promote", job]).ends_with(0);
        wait_for(&stage, job, &[1, 1, 0], "ready");
    }
    stage.json("bob", &["promote", &far]).ends_with(0);
    let seen = view(&stage, &far);
    assert_eq!((&seen["next"], &seen["stages"][2]["queued"]), (&json!("nothing"), &json!(1)));

    comes_back(&mut stage, folder);
    wait_for(&stage, &far, &[1, 1, 1], "nothing");
    assert_eq!(view(&stage, &far)["state"], "finished");
    stage.wait("it to wait for its stage", |stage| {
        codes(&view(stage, &near), 2) == ["stage.not_promoted"]
    });
    assert_eq!(done(&view(&stage, &near)), [1, 1, 0]);
    stage.json("alice", &["promote", &near]).ends_with(0);
    wait_for(&stage, &near, &[1, 1, 1], "nothing");
}

#[test]
fn a_canary_that_never_returns_is_answered_with_the_same_job_again() {
    let mut stage = Stage::with_endpoints(3);
    let job = draft(&stage, "echo once\n", THREE, &["--expires", "2h"]);
    let canary = targets(&stage, &job)[0].clone();
    let folder = folder_of(&stage, &canary);
    goes_away(&mut stage, folder);
    stage.json("bob", &["approve", &job, "--no-wait"]).ends_with(0);
    let no = stage.json("bob", &["promote", &job]).error(4);
    assert!(no["next"].as_str().unwrap().contains("sign the job again"), "{no}");
    // The server's word does not bring it forward.
    stage.edit_database(&format!(
        "UPDATE job_target SET state = 'done' WHERE job = '{job}' AND endpoint = '{canary}'"
    ));
    stage.json("bob", &["promote", &job]).error(4);
    stage.edit_database(&format!(
        "UPDATE job_target SET state = 'queued' WHERE job = '{job}' AND endpoint = '{canary}'"
    ));

    // As the guide says: what waits is stopped for as long as it could still run, and the job is signed again.
    let scope = format!("job:{job}");
    stage.json("bob", &["freeze", &scope, "--for", "2h", "--no-wait"]).ends_with(0);
    let again = submit(&stage, "echo once\n", THREE, &[]);
    assert_eq!(targets(&stage, &again)[2], canary, "who is away goes last");
    for expected in [[1, 0, 0], [1, 1, 0]] {
        wait_for(&stage, &again, &expected, "ready");
        stage.json("bob", &["promote", &again]).ends_with(0);
    }
    stage.wait("those that are there", |stage| done(&view(stage, &again)) == [1, 1, 0]);

    comes_back(&mut stage, folder);
    wait_for(&stage, &again, &[1, 1, 1], "nothing");
    stage.wait("it to refuse the old job", |stage| {
        codes(&view(stage, &job), 0) == ["freeze.covered"]
    });
}

#[test]
fn promotions_and_quarantine_on_postgresql() {
    let stage = Stage::on_postgresql().grown_to(3);
    crate::rollouts::goes_through_its_stages(&stage);
    crate::preflight::is_quarantined_and_lifted(&stage);
}
