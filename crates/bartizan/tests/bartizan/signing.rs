//! Signing from pages: two people, two consoles, real endpoints; and what a page, a person or the server can try.

use serde_json::{Value, json};

use crate::page::Page;
use crate::stage::Stage;

fn script(text: &str, class: &str) -> Value {
    json!({ "on": ["all"], "script": text, "interpreter": "sh", "title": "say hello", "class": class })
}

fn wait_for_state(stage: &Stage, page: &Page, job: &str, state: &str) {
    stage.wait(state, |_| page.get(&format!("/jobs/{job}"))["row"]["state"] == state);
}

#[test]
fn a_job_is_written_signed_countersigned_and_runs() {
    let mut stage = Stage::with_endpoint();
    let (alice, bob) = (Page::open(&mut stage, "alice"), Page::open(&mut stage, "bob"));
    let preview =
        alice.post("/preview", &json!({ "on": ["tenant:acme"], "class": "change" })).json();
    assert_eq!(
        (
            preview["endpoints"].clone(),
            preview["approvals_needed"].clone(),
            preview["disabled"].clone()
        ),
        (json!(1), json!(1), Value::Null),
        "{preview}"
    );

    let sheet = alice.sheet("job", &script("echo out; echo err >&2\n", "change"));
    let text = sheet["text"].as_str().unwrap();
    for part in [
        "JOB     say hello",
        "class   change",
        "│ echo out; echo err >&2",
        sheet["words"].as_str().unwrap(),
        sheet["id"].as_str().unwrap(),
    ] {
        assert!(text.contains(part), "`{part}` in {text}");
    }
    assert_eq!(sheet["words"].as_str().unwrap().split(' ').count(), 8);
    let signed = alice.sign(&sheet).json();
    assert_eq!(signed["enough"], false, "{signed}");
    let job = signed["id"].as_str().unwrap().to_owned();

    let own = alice.get("/approvals");
    assert!(own["items"][0]["disabled"].as_str().unwrap().contains("somebody else"), "{own}");
    let inbox = bob.get("/approvals");
    let item = &inbox["items"][0];
    assert_eq!(
        (item["id"].clone(), item["disabled"].clone(), item["verification"]["verified"].clone()),
        (json!(job), Value::Null, json!(true)),
        "{inbox}"
    );
    assert_eq!(item["signatures"][0]["name"], "Alice");
    assert_eq!(bob.get("/overview")["waiting_for_me"], 1);
    let second = bob.sheet("approval", &json!({ "id": job }));
    assert_eq!(
        (second["id"].clone(), second["words"].clone()),
        (sheet["id"].clone(), sheet["words"].clone())
    );
    assert_eq!(bob.sign(&second).json()["enough"], true);

    wait_for_state(&stage, &alice, &job, "finished");
    shows_what_happened(&alice, &bob, &job);
    shows_what_differs(&alice);
}

/// The job, its endpoints, receipts, events and place in lists, once it has ended well on one endpoint.
fn shows_what_happened(alice: &Page, bob: &Page, job: &str) {
    let view = alice.get(&format!("/jobs/{job}"));
    assert_eq!(
        (view["approvals"].clone(), view["verification"]["verified"].clone()),
        (json!(1), json!(true)),
        "{view}"
    );
    let targets = alice.get(&format!("/jobs/{job}/targets?state=done"));
    assert_eq!(targets["total"], 1, "{targets}");
    assert!(targets["rows"][0]["hostname"].is_string());
    let receipts = alice.get(&format!("/jobs/{job}/receipts"));
    assert_eq!(
        (
            receipts["total"].clone(),
            receipts["bad"].clone(),
            receipts["rows"][0]["decision"].clone()
        ),
        (json!(1), json!(0), json!("done")),
        "{receipts}"
    );
    let rollout = alice.get(&format!("/jobs/{job}/rollout"));
    assert_eq!(
        (rollout["next"].clone(), rollout["stages"][0]["done"].clone()),
        (json!("nothing"), json!(1)),
        "{rollout}"
    );
    let events = alice.fetch(&format!("/jobs/{job}/events"));
    for part in ["\"kind\":\"output\"", "out\\n", "\"kind\":\"ended\",\"state\":\"finished\""] {
        assert!(events.body.contains(part), "`{part}` in {events:?}");
    }
    let listed = bob.get("/jobs?state=finished");
    assert_eq!(
        (
            listed["total"].clone(),
            listed["rows"][0]["author"].clone(),
            listed["rows"][0]["counts"][0]["state"].clone()
        ),
        (json!(1), json!("Alice"), json!("done")),
        "{listed}"
    );
    let endpoint = targets["rows"][0]["endpoint"].as_str().unwrap();
    assert_eq!(bob.get(&format!("/endpoints/{endpoint}/jobs"))["rows"][0]["job"]["id"], json!(job));
    assert_eq!(
        bob.get(&format!("/endpoints/{endpoint}/receipts"))["rows"][0]["verification"]["verified"],
        true
    );
}

/// The next job of that title shows what differs from the last one.
fn shows_what_differs(alice: &Page) {
    let again = alice.sheet("job", &script("echo out; echo other >&2\n", "change"));
    let lines = again["difference"]["lines"].as_array().unwrap();
    let changed: Vec<&str> = lines
        .iter()
        .filter(|line| line["change"] != "same")
        .map(|line| line["text"].as_str().unwrap())
        .collect();
    assert!(
        changed.contains(&"  │ echo out; echo err >&2")
            && changed.contains(&"  │ echo out; echo other >&2"),
        "{changed:?}"
    );
}

#[test]
fn a_sheet_signs_what_it_showed_once_and_nothing_else() {
    let mut stage = Stage::with_endpoint();
    let page = Page::open(&mut stage, "alice");
    let sheet = page.sheet("job", &script("exit 0\n", "routine"));
    let other = page.sheet("job", &script("exit 1\n", "routine"));
    let sign = |token: &Value, id: &Value, words: &Value| {
        page.post("/sign", &json!({ "token": token, "id": id, "words": words }))
    };
    // A token of one sheet with the digest or the words of another spends it and signs nothing.
    sign(&sheet["token"], &other["id"], &sheet["words"]).refused(400, "error");
    sign(&sheet["token"], &sheet["id"], &sheet["words"]).refused(400, "error");
    sign(&other["token"], &other["id"], &sheet["words"]).refused(400, "error");
    sign(&json!("guessed"), &other["id"], &other["words"]).refused(400, "error");
    assert_eq!(page.get("/jobs")["total"], 0, "nothing was signed");
    let sheet = page.sheet("job", &script("exit 0\n", "routine"));
    assert_eq!(page.sign(&sheet).json()["enough"], true);
    page.sign(&sheet).refused(400, "error");
    assert_eq!(page.get("/jobs")["total"], 1);
    assert_eq!(page.get("/logs/jobs/entries")["total"], 1, "signed once");
}

#[test]
fn a_freeze_reaches_endpoints_and_two_people_end_it() {
    let mut stage = Stage::with_endpoint();
    let (alice, bob) = (Page::open(&mut stage, "alice"), Page::open(&mut stage, "bob"));
    alice.post("/sheets/freeze", &json!({ "scope": "moon" })).refused(400, "usage");
    let sheet = alice.sheet("freeze", &json!({ "scope": "org", "reason": "drill" }));
    assert!(sheet["text"].as_str().unwrap().starts_with("FREEZE  org"), "{sheet}");
    let freeze = alice.sign(&sheet).json()["id"].as_str().unwrap().to_owned();
    stage.wait("a confirmation that verifies", |_| {
        bob.get(&format!("/freezes/{freeze}"))["confirmed"] == 1
    });
    let one = bob.get(&format!("/freezes/{freeze}"));
    assert_eq!(
        (one["rows"][0]["state"].clone(), one["rows"][0]["way"].clone(), one["missing"].clone()),
        (json!("frozen"), json!("server"), json!(0)),
        "{one}"
    );
    assert_eq!(bob.get("/overview")["freezes"][0]["id"], json!(freeze));

    let thaw = alice.sheet("thaw", &json!({ "id": freeze }));
    let first = alice.sign(&thaw).json();
    assert_eq!(first["enough"], false, "{first}");
    let item = bob.get("/approvals")["items"][0].clone();
    assert_eq!(item["kind"], "thaw", "{item}");
    let second = bob.sheet("approval", &json!({ "id": item["id"] }));
    assert_eq!(bob.sign(&second).json()["enough"], true);
    stage.wait("nothing to stand still", |_| {
        bob.get("/freezes")["freezes"].as_array().unwrap().is_empty()
    });
    bob.post("/sheets/thaw", &json!({ "id": freeze })).refused(400, "error");
}

#[test]
fn what_the_server_changed_is_shown_as_such_and_not_offered_for_signing() {
    let mut stage = Stage::with_endpoint();
    let bob = Page::open(&mut stage, "bob");
    let job = stage.submit("change", "echo one\n");
    let hex = data_encoding::HEXLOWER.encode(b"echo 1ne\n");
    stage.edit_database(&format!("UPDATE job SET content = x'{hex}' WHERE id = '{job}'"));
    let item = bob.get("/approvals")["items"][0].clone();
    assert_eq!(item["verification"]["verified"], false, "{item}");
    assert!(item["disabled"].as_str().unwrap().contains("sign nothing"), "{item}");
    let refused = bob.post("/sheets/approval", &json!({ "id": job })).refused(422, "refused");
    assert!(refused["message"].as_str().unwrap().contains("another content"), "{refused}");
    let view = bob.get(&format!("/jobs/{job}"));
    assert_eq!(
        (view["verification"]["verified"].clone(), view["script"].clone()),
        (json!(false), Value::Null),
        "{view}"
    );
    // Another endpoint slipped into the list of targets.
    let hex = data_encoding::HEXLOWER.encode(b"echo one\n");
    stage.edit_database(&format!("UPDATE job SET content = x'{hex}' WHERE id = '{job}'"));
    let other = format!("ep_{}", "a".repeat(52));
    stage.edit_database(&format!(
        "INSERT INTO job_target (job, endpoint, position) VALUES ('{job}', '{other}', 1)"
    ));
    let refused = bob.post("/sheets/approval", &json!({ "id": job })).refused(422, "refused");
    assert!(refused["message"].as_str().unwrap().contains("other endpoints"), "{refused}");
}

#[test]
fn a_stage_is_promoted_on_receipts_that_were_verified() {
    let mut stage = Stage::with_endpoints(2);
    let (alice, bob) = (Page::open(&mut stage, "alice"), Page::open(&mut stage, "bob"));
    let mut wish = script("exit 0\n", "routine");
    wish["stages"] = json!("canary:1,rest");
    wish["soak_s"] = json!(1);
    let sheet = alice.sheet("job", &wish);
    assert_eq!(sheet["stages"][0]["name"], "canary", "{sheet}");
    let job = alice.sign(&sheet).json()["id"].as_str().unwrap().to_owned();
    let early = alice.post("/sheets/promotion", &json!({ "job": job }));
    assert!(early.status == 409 || early.status == 200, "{early:?}");
    stage.wait("a stage that may begin", |_| {
        bob.get(&format!("/jobs/{job}/rollout"))["next"] == "ready"
    });
    let promotion = bob.sheet("promotion", &json!({ "job": job }));
    assert!(promotion["text"].as_str().unwrap().contains("PROMOTE stage 1"), "{promotion}");
    assert_eq!(bob.sign(&promotion).json()["enough"], true);
    wait_for_state(&stage, &bob, &job, "finished");
    let done = bob.get(&format!("/jobs/{job}/rollout"));
    assert_eq!(
        (done["next"].clone(), done["stages"][1]["done"].clone()),
        (json!("nothing"), json!(1)),
        "{done}"
    );
    assert!(done["promote_disabled"].as_str().unwrap().contains("not at work"), "{done}");
}

#[test]
fn somebody_whom_the_bundle_does_not_name_is_told_why_nothing_can_be_signed() {
    let mut stage = Stage::with_endpoint();
    let job = stage.submit("change", "echo for two\n");
    stage.people(&["mallory"]);
    // With a copy of Alice's session, which speaks but does not sign.
    for file in ["org.json", "session.json", "session.key"] {
        std::fs::copy(stage.path("alice").join(file), stage.path("mallory").join(file)).unwrap();
    }
    let page = Page::open(&mut stage, "mallory");
    let sheet = page.post("/sheets/approval", &json!({ "id": job })).json();
    let signed = page.sign(&sheet);
    assert_eq!(signed.refused(422, "sig.approvals_missing")["code"], "sig.approvals_missing");
    assert_eq!(page.get(&format!("/jobs/{job}"))["row"]["state"], "pending");
}

#[test]
fn an_endpoint_is_let_in_by_an_enrolment_that_a_page_signed() {
    let mut stage = Stage::organisation();
    for who in ["alice", "bob"] {
        stage.watch(who);
    }
    let page = Page::open(&mut stage, "alice");
    page.post("/sheets/enrolment", &json!({ "tenant": "A b", "site": "hq" })).refused(400, "usage");
    let request = json!({ "tenant": "acme", "site": "hq", "uses": 1, "manual": true });
    let sheet = page.sheet("enrolment", &request);
    assert!(sheet["text"].as_str().unwrap().starts_with("ENROL   up to 1 endpoint(s)"), "{sheet}");
    let signed = page.sign(&sheet).json();
    stage.enrol(signed["command"].as_str().unwrap());
    stage.restart_guard(&[]);
    stage.wait("an endpoint in quarantine", |_| {
        page.get("/endpoints?state=quarantined")["total"] == 1
    });
    let id = page.get("/endpoints")["rows"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(page.get("/overview")["endpoints"]["quarantined"], 1);
    page.post(&format!("/endpoints/{id}/admit"), &json!({})).json();
    stage.wait("an endpoint let in", |_| page.get("/endpoints?state=connected")["total"] == 1);
    page.post(&format!("/endpoints/{id}/refresh"), &json!({})).json();
}

#[test]
fn everything_that_waits_is_in_the_inbox_however_old() {
    let mut stage = Stage::with_endpoint();
    let (alice, bob) = (Page::open(&mut stage, "alice"), Page::open(&mut stage, "bob"));
    // More than fit into a first look at the list.
    let mut jobs = Vec::new();
    for number in 0..60 {
        let sheet = alice.sheet("job", &script(&format!("exit {number}\n"), "change"));
        jobs.push(alice.sign(&sheet).json()["id"].clone());
    }
    let waits = |page: &Page| {
        let inbox = page.get("/approvals");
        assert_eq!(inbox["left_off"], 0);
        let items = inbox["items"].as_array().unwrap().clone();
        items.into_iter().filter(|item| item["disabled"].is_null()).collect::<Vec<_>>()
    };
    let mine = waits(&bob);
    assert_eq!(mine.len(), 60);
    assert_eq!(bob.get("/overview")["waiting_for_me"], 60);
    assert!(mine.iter().all(|item| item["verification"]["verified"] == true));
    let oldest = &jobs[0];
    assert!(mine.iter().any(|item| item["id"] == *oldest));
    // What was verified before is not asked for again, and a signature is still seen.
    assert_eq!(bob.sign(&bob.sheet("approval", &json!({ "id": oldest }))).json()["enough"], true);
    assert_eq!(waits(&bob).len(), 59);
}
