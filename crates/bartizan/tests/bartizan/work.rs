//! From a script to its receipts on a real endpoint, with every document that `--json` prints on the way.

use serde_json::Value;

use crate::stage::{Answer, Stage, on_terminal, run};

#[track_caller]
fn fields(value: &Value, names: &[&str]) {
    for name in names {
        assert!(value.get(name).is_some(), "`{name}` in {value}");
    }
}

fn lines(answer: &Answer) -> Vec<Value> {
    answer.out.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

#[test]
fn two_people_run_a_script_and_every_document_is_json() {
    let stage = Stage::with_endpoint();
    let endpoints = stage.json("alice", &["endpoints"]).json();
    let endpoint = &endpoints["endpoints"][0];
    fields(endpoint, &["id", "hostname", "os", "tenant", "site", "standing", "connected"]);
    assert_eq!(endpoint["last"], Value::Null, "nothing has run there");
    let id = endpoint["id"].as_str().unwrap();
    // What the list for people shows is what the other commands take.
    let table = stage.tool("bob", &["endpoints"]).ends_with(0).out;
    let shown = table.lines().nth(1).and_then(|line| line.split_whitespace().next()).unwrap();
    stage.tool("bob", &["endpoint", "show", shown]).ends_with(0).says(&["connected"]);
    stage.wait("an inventory", |stage| {
        let shown = stage.json("alice", &["endpoint", "show", id]).json();
        shown["inventory"]["kernel"].is_string()
    });
    fields(&stage.json("bob", &["endpoint", "refresh", id]).json(), &["endpoint"]);
    fields(&stage.json("bob", &["endpoint", "admit", id]).json(), &["endpoint", "standing"]);
    let none = stage.json("bob", &["endpoints", "--tenant", "other", "--search", "x y&z"]).json();
    assert_eq!(none["endpoints"].as_array().unwrap().len(), 0);

    stage.write("script.sh", "echo out; echo err >&2; exit 0\n");
    let run = ["run", "--on", "all", "--class", "change", "--no-wait", "script.sh"];
    let submitted = stage.json("alice", &run).json();
    fields(&submitted, &["job", "class", "words", "approvals_needed"]);
    assert_eq!(submitted["approvals_needed"], 1);
    let job = submitted["job"].as_str().unwrap();
    let pending = stage.json("bob", &["pending"]).json();
    fields(&pending["jobs"][0], &["id", "state", "class", "title", "targets"]);
    assert_eq!(pending["jobs"][0]["id"], job);
    assert_eq!(stage.json("bob", &["receipts", job]).json()["receipts"], Value::Array(vec![]));

    // Still waiting: code 4. The author is no second person: code 3 and the endpoint's own code.
    assert_eq!(stage.json("bob", &["watch", job, "--timeout", "1s"]).error(4)["code"], "pending");
    let own = stage.json("alice", &["approve", job, "--no-wait"]).error(3);
    assert_eq!(own["code"], "sig.approvals_missing", "{own}");
    assert_eq!(stage.json("bob", &["job", job]).json()["row"]["state"], "pending");

    let approved = stage.json("bob", &["approve", &job[..14], "--no-wait"]).json();
    fields(&approved, &["job", "words"]);
    assert_eq!(approved["words"], submitted["words"], "both compare the same words");
    check_the_end(&stage, job);
}

fn check_the_end(stage: &Stage, job: &str) {
    let watched = stage.json("alice", &["watch", job, "--timeout", "20s"]).ends_with(0);
    let lines = lines(&watched);
    let text = |stream: u64| -> String {
        let of = |line: &&Value| line["kind"] == "output" && line["stream"] == stream;
        lines.iter().filter(of).filter_map(|line| line["text"].as_str()).collect()
    };
    assert_eq!((text(1).as_str(), text(2).as_str()), ("out\n", "err\n"), "{lines:?}");
    let summary = lines.last().unwrap();
    assert_eq!((&summary["kind"], &summary["done"]), (&"summary".into(), &1.into()));
    fields(summary, &["job", "failed", "refused", "expired"]);

    let receipts = stage.json("bob", &["receipts", job]).json();
    let receipt = &receipts["receipts"][0];
    fields(receipt, &["endpoint", "seq", "decision", "code", "exit", "output", "t0", "t1", "next"]);
    assert_eq!(receipt["verified"], true);
    assert_eq!((&receipt["decision"], &receipt["code"]), (&"done".into(), &"ok".into()));
    stage.tool("bob", &["receipts", job]).ends_with(0).says(&["VERIFIED", "done", "yes"]);
    stage
        .tool("bob", &["watch", job, "--timeout", "20s"])
        .ends_with(0)
        .says(&["│ out", "│ err", "done 1"]);
    let listed = stage.json("bob", &["jobs"]).json();
    assert_eq!(listed["jobs"][0]["state"], "finished");
    // The list of endpoints says what became of the last job there, by the endpoint's own signed word.
    let last = stage.json("bob", &["endpoints"]).json()["endpoints"][0]["last"].clone();
    assert_eq!(
        (&last["job"], &last["decision"], &last["code"]),
        (&job.into(), &"done".into(), &"ok".into())
    );
    assert_eq!(last["at"], receipt["t1"], "{last}");
    stage.tool("bob", &["endpoints"]).ends_with(0).says(&["LAST JOB", "done, "]);
    fields(&stage.json("bob", &["job", job]).json(), &["row", "targets", "envelope", "witnessed"]);
    let export = ["statement", "export", job, "--dir", "out"];
    assert_eq!(stage.json("bob", &export).json()["commands"].as_array().unwrap().len(), 2);
    let unknown = format!("st_{}", "a".repeat(52));
    assert_eq!(stage.json("bob", &["job", &unknown]).error(1)["code"], "request.not_found");
    stage.json("bob", &["job", "st_zzzzzzzz"]).error(1);
}

#[test]
fn a_script_that_fails_on_an_endpoint_ends_the_command_with_1() {
    let stage = Stage::with_endpoint();
    stage.write("script.sh", "exit 7\n");
    let answer = stage.json("alice", &["run", "--on", "all", "script.sh"]);
    answer.error(1);
    assert_eq!(lines(&answer).last().unwrap()["failed"], 1);
    let listed = stage.json("alice", &["jobs"]).json();
    let job = listed["jobs"][0]["id"].as_str().unwrap();
    let receipts = stage.json("alice", &["receipts", job]).json();
    assert_eq!(receipts["receipts"][0]["exit"], 7, "{receipts}");
    assert_eq!(receipts["receipts"][0]["code"], "exec.exit_status");
    stage.write("script.sh", "exit 0\n");
    stage.json("alice", &["run", "--on", "all", "script.sh"]).ends_with(0);
}

#[test]
fn the_approver_reads_the_script_and_can_say_no() {
    let stage = Stage::with_endpoint();
    let job = stage.submit("change", "echo what bob reads\n");
    let command = stage.command("bob", &["approve", &job, "--no-wait"]);
    let words = stage.json("bob", &["job", &job]).json();
    assert_eq!(words["row"]["state"], "pending");

    let refused = on_terminal(&command, &[("[y/N]", "n")]).ends_with(1);
    let words = words_in(&refused.out);
    assert_eq!(words.len(), 8, "{refused:?}");
    refused.says(&["│ echo what bob reads", "class   change", "tenant acme", "nothing was signed"]);
    // No terminal and no --yes: nobody read it, so nothing is signed.
    run(&mut stage.command("bob", &["approve", &job]))
        .ends_with(1)
        .says(&["no terminal to ask on"]);
    assert_eq!(stage.json("bob", &["job", &job]).json()["row"]["state"], "pending");

    let signed = on_terminal(&command, &[("[y/N]", "y")]).ends_with(0);
    assert_eq!(words_in(&signed.out), words);
    stage.json("bob", &["watch", &job, "--timeout", "20s"]).ends_with(0);
}

fn words_in(text: &str) -> Vec<&str> {
    let line = text.lines().find_map(|line| line.strip_prefix("words")).unwrap_or_default();
    line.split_whitespace().collect()
}

#[test]
fn the_approver_refuses_what_the_server_changed() {
    let stage = Stage::with_endpoint();
    let (job, other) = (stage.submit("change", "echo one\n"), stage.submit("change", "echo two\n"));
    let approve = || stage.json("bob", &["approve", &job, "--no-wait"]);
    let with = |sql: String, back: String, reason: &str| {
        stage.edit_database(&sql);
        let error = approve().error(3);
        assert!(error["message"].as_str().unwrap().contains(reason), "{error}");
        assert!(error["next"].as_str().unwrap().contains("do not sign"), "{error}");
        stage.edit_database(&back);
    };
    let content = |text: &str| {
        let hex = data_encoding::HEXLOWER.encode(text.as_bytes());
        format!("UPDATE job SET content = x'{hex}' WHERE id = '{job}'")
    };
    with(content("echo 1ne\n"), content("echo one\n"), "another content");
    with(content(""), content("echo one\n"), "another content");
    // The server shows a job that is signed, but not the one that was asked for.
    let swap = format!("UPDATE job SET envelope = (SELECT envelope FROM job WHERE id = '{other}')");
    let keep = "CREATE TABLE kept AS SELECT id, envelope FROM job";
    stage.edit_database(keep);
    let back = "UPDATE job SET envelope = (SELECT envelope FROM kept WHERE kept.id = job.id)";
    with(format!("{swap} WHERE id = '{job}'"), back.to_owned(), "another job");
    // The author's signature replaced by nobody's: same statement, no signature that counts.
    let drop = "UPDATE job SET envelope = CAST(replace(CAST(envelope AS TEXT), \
                substr(CAST(envelope AS TEXT), instr(CAST(envelope AS TEXT), '\"signatures\":')), \
                '\"signatures\":[]}') AS BLOB)";
    with(format!("{drop} WHERE id = '{job}'"), back.to_owned(), "no operator of the bundle");
    approve().ends_with(0);
    stage.json("bob", &["watch", &job, "--timeout", "20s"]).ends_with(0);
}

#[test]
fn a_person_the_bundle_does_not_name_runs_and_approves_nothing() {
    let stage = Stage::with_endpoint();
    let job = stage.submit("change", "echo for two\n");
    stage.people(&["mallory"]);
    // With a copy of Alice's session, which speaks but does not sign.
    for file in ["org.json", "session.json", "session.key"] {
        std::fs::copy(stage.path("alice").join(file), stage.path("mallory").join(file)).unwrap();
    }
    let run = ["run", "--on", "all", "--no-wait", "script.sh"];
    assert_eq!(stage.json("mallory", &run).error(3)["code"], "sig.author_missing");
    let approved = stage.json("mallory", &["approve", &job, "--no-wait"]).error(3);
    assert_eq!(approved["code"], "sig.approvals_missing");
    let enroll = ["enroll", "--tenant", "acme", "--site", "hq"];
    stage.json("mallory", &enroll).error(3);
    // And without the session, not even a login.
    std::fs::remove_file(stage.path("mallory/session.json")).unwrap();
    stage.json("mallory", &["pending"]).error(3);
    assert_eq!(stage.json("bob", &["job", &job]).json()["row"]["state"], "pending");
}

#[test]
fn a_refusal_by_the_endpoint_ends_the_watch_with_3_and_says_what_to_do() {
    let stage = Stage::with_endpoint();
    let job = stage.submit("change", "echo one signature\n");
    stage.edit_database(&format!("UPDATE job SET state = 'active' WHERE id = '{job}'"));
    stage.wait("a refusal", |stage| {
        let all = stage.json("bob", &["receipts", &job]).json();
        all["receipts"][0]["code"] == "sig.approvals_missing"
    });
    let receipts = stage.json("bob", &["receipts", &job]).json();
    assert_eq!(receipts["receipts"][0]["decision"], "refused");
    assert!(receipts["receipts"][0]["next"].as_str().unwrap().contains("bartizan approve"));
    stage
        .tool("bob", &["watch", &job, "--timeout", "5s"])
        .ends_with(3)
        .says(&["1 endpoints refused", "refused: sig.approvals_missing"]);
    stage.json("bob", &["watch", &job, "--timeout", "5s"]).error(3);
}

#[test]
fn a_receipt_that_somebody_changed_ends_receipts_with_3() {
    let stage = Stage::with_endpoint();
    let job = stage.submit("routine", "exit 0\n");
    stage.json("alice", &["watch", &job, "--timeout", "20s"]).ends_with(0);
    stage.json("alice", &["receipts", &job]).ends_with(0);
    let changed =
        "UPDATE receipt SET envelope = CAST(replace(CAST(envelope AS TEXT), 'A', 'B') AS BLOB)";
    stage.edit_database(changed);
    let code = stage.json("alice", &["receipts", &job]).code;
    assert_ne!(code, 0, "a changed receipt was believed");
    let list = stage.json("alice", &["endpoints"]).json();
    assert_eq!(list["endpoints"][0]["last"], Value::Null, "a changed receipt was shown");
}

#[test]
fn wishes_that_fit_no_endpoint_and_jobs_no_class_allows_are_refused_before_signing() {
    let stage = Stage::with_endpoint();
    stage.write("script.sh", "exit 0\n");
    for wish in ["nowhere", "tenant:other", "site:other", "all,\u{1b}[2J"] {
        let answer = stage.tool("alice", &["run", "--on", wish, "script.sh"]).ends_with(1);
        answer.says(&["no admitted endpoint fits", "next: use `all`"]);
        assert!(!answer.err.contains('\u{1b}'));
    }
    stage.tool("alice", &["run", "--on", "all", "absent.sh"]).ends_with(1).says(&["absent.sh"]);
    stage.write("large.sh", &"#".repeat(1024 * 1024 + 1));
    stage.tool("alice", &["run", "--on", "all", "large.sh"]).ends_with(1).says(&["1 MiB"]);
    let long = ["run", "--on", "all", "--expires", "30d", "--no-wait", "script.sh"];
    assert_eq!(stage.json("alice", &long).error(3)["code"], "window.invalid");
    for stricter in [["--class", "fleet"].as_slice(), &["--destructive"]] {
        // Its delay alone is longer than that.
        let run = ["run", "--on", "all", "--expires", "10m", "--no-wait", "script.sh"];
        let answer = stage.tool("alice", &[&run, stricter].concat()).ends_with(2);
        answer.says(&["before its last stage can begin", "next: "]);
    }
    assert_eq!(stage.json("alice", &["jobs"]).json()["jobs"].as_array().unwrap().len(), 0);
    let fits = ["run", "--on", "tenant:acme", "--no-wait", "script.sh"];
    stage.json("alice", &fits).ends_with(0);
}
