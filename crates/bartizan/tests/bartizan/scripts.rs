//! The library of scripts, on pages and on the command line; and what a review is worth on real endpoints.

use data_encoding::HEXLOWER;
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};

use crate::page::Page;
use crate::stage::Stage;

fn script(title: &str, text: &str) -> Value {
    json!({
        "about": { "name": "hello", "title": title, "interpreter": "sh", "timeout_s": 60 },
        "text": text,
    })
}

#[test]
fn versions_are_kept_compared_and_exchanged_with_a_folder() {
    let mut stage = Stage::organisation();
    let page = Page::open(&mut stage, "alice");
    assert_eq!(page.get("/scripts"), json!({ "scripts": [], "unknown": null }));
    page.post("/scripts", &script("Say hello", "echo one\n")).json();
    let kept = page.post("/scripts", &script("Say hello", "echo two\n")).json();
    let versions = kept["scripts"][0]["versions"].as_array().unwrap();
    assert_eq!(versions.len(), 2, "{kept}");
    let [new, old] = [0, 1].map(|at| versions[at]["sha256"].as_str().unwrap().to_owned());
    assert_eq!(new, sha256("echo two\n"));
    let text = page.get(&format!("/scripts/hello/versions/{new}?since={old}"));
    assert_eq!((&text["text"], &text["difference"]["from"]), (&json!("echo two\n"), &json!(old)));
    assert_eq!(text["difference"]["lines"][0], json!({ "change": "removed", "text": "echo one" }));
    page.fetch(&format!("/scripts/hello/versions/{}", "0".repeat(64))).refused(400, "usage");
    page.fetch(&format!("/scripts/other/versions/{new}")).refused(400, "error");
    let mut bad = script("Say hello", "x");
    bad["about"]["name"] = json!("../hello");
    page.post("/scripts", &bad).refused(400, "usage");

    // A folder for git, and back into another home, by page and by command.
    let folder = stage.text("git");
    stage.json("alice", &["scripts", "export", &folder]).ends_with(0);
    assert_eq!(stage.read("git/hello.sh"), b"echo two\n");
    let done = stage.json("bob", &["scripts", "import", &folder]).ends_with(0).json();
    assert_eq!(done["new"], json!(["hello"]), "{done}");
    let listed = stage.json("bob", &["scripts"]).ends_with(0).json();
    assert_eq!(listed["scripts"][0]["about"]["title"], "Say hello", "{listed}");
    let files = json!({ "files": [{ "name": "bye.sh", "text": "echo bye\n" }, { "name": "b d.sh", "text": "x" }] });
    let done = page.post("/scripts/import", &files).json();
    assert_eq!(
        (&done["new"], &done["refused"][0]["name"]),
        (&json!(["bye"]), &json!("b d.sh")),
        "{done}"
    );
    // Without the server all of it is there, and nobody claims to know what was reviewed.
    stage.end("server");
    let alone = page.get("/scripts");
    assert_eq!(alone["scripts"].as_array().unwrap().len(), 2, "{alone}");
    assert!(alone["unknown"]["code"].is_string(), "{alone}");
    page.post("/scripts/forget", &json!({ "name": "hello" })).json();
    page.post("/scripts/forget", &json!({ "name": "hello" })).refused(400, "error");
}

fn sha256(text: &str) -> String {
    HEXLOWER.encode(digest(&SHA256, text.as_bytes()).as_ref())
}

/// A bundle in which one endpoint is the most for a new script, and two for one that was reviewed.
fn small_numbers(stage: &Stage) {
    let mut bundle = stage.json("alice", &["bundle", "show"]).ends_with(0).json();
    for class in bundle["classes"].as_array_mut().unwrap() {
        if class["class"] == "routine" {
            class["endpoints_new_max"] = 1.into();
            class["endpoints_max"] = 2.into();
        }
    }
    stage.write("next.json", &bundle.to_string());
    let proposed = stage.json("alice", &["bundle", "propose", "next.json"]).ends_with(0).json();
    let id = proposed["statement"].as_str().unwrap();
    stage.json("bob", &["approve", id]).ends_with(0);
}

/// What is previewed for a text on every endpoint.
fn preview(page: &Page, text: &str, args: &[&str]) -> Value {
    let script =
        json!({ "sha256": sha256(text), "size": text.len(), "interpreter": "sh", "args": args });
    page.post("/preview", &json!({ "on": ["all"], "script": script })).json()
}

fn job(text: &str) -> Value {
    json!({ "on": ["all"], "script": text, "interpreter": "sh", "title": "say hello" })
}

#[test]
fn a_script_that_two_people_signed_and_that_ran_is_everyday_work_on_the_same_endpoints() {
    const TEXT: &str = "echo hello\n";
    let mut stage = Stage::with_endpoints(2);
    small_numbers(&stage);
    let (alice, bob) = (Page::open(&mut stage, "alice"), Page::open(&mut stage, "bob"));
    alice.post("/scripts", &script("Say hello", TEXT)).json();
    let before = preview(&alice, TEXT, &[]);
    assert_eq!((&before["class"], &before["review"]), (&json!("change"), &Value::Null), "{before}");
    let sheet = alice.sheet("job", &job(TEXT));
    let id = alice.sign(&sheet).json()["id"].as_str().unwrap().to_owned();
    // Alone, a signature is no review.
    assert_eq!(alice.get("/scripts")["scripts"][0]["versions"][0]["reviews"], json!([]));
    let second = bob.sheet("approval", &json!({ "id": id }));
    assert_eq!(bob.sign(&second).json()["enough"], true);
    let listed = alice.get("/scripts");
    let review = &listed["scripts"][0]["versions"][0]["reviews"][0];
    assert_eq!(
        (&review["job"], &review["people"], &review["log_index"]),
        (&json!(id), &json!(["Alice", "bob"]), &json!(1)),
        "{listed}"
    );
    let path = format!("/jobs/{id}/rollout");
    stage.wait("the first stage", |_| alice.get(&path)["stages"][0]["done"] == 1);
    // Reviewed, but not run everywhere: the class stays.
    let halfway = preview(&alice, TEXT, &[]);
    assert_eq!(
        (&halfway["class"], &halfway["review"]["job"], &halfway["ran_everywhere"]),
        (&json!("change"), &json!(id), &json!(false)),
        "{halfway}"
    );
    stage.wait("a promotion", |_| alice.get(&path)["next"] == "ready");
    let promotion = alice.sheet("promotion", &json!({ "job": id }));
    alice.sign(&promotion).json();
    stage.wait("the end", |_| alice.get(&format!("/jobs/{id}"))["row"]["state"] == "finished");

    let after = preview(&alice, TEXT, &[]);
    assert_eq!(
        (&after["class"], &after["approvals_needed"], &after["ran_everywhere"]),
        (&json!("routine"), &json!(0), &json!(true)),
        "{after}"
    );
    // In another form it is another script.
    let other = preview(&alice, TEXT, &["--force"]);
    assert_eq!((&other["class"], &other["review"]), (&json!("change"), &Value::Null), "{other}");
    // The endpoints think the same: alone, Alice lets both run it.
    let again = alice.sheet("job", &job(TEXT));
    assert_eq!(again["class"], "routine", "{again}");
    assert!(again["notes"].to_string().contains("very script before"), "{again}");
    let id = alice.sign(&again).json()["id"].as_str().unwrap().to_owned();
    stage.wait("the end", |_| alice.get(&format!("/jobs/{id}"))["row"]["state"] == "finished");
    let receipts = alice.get(&format!("/jobs/{id}/receipts"));
    let decisions: Vec<&Value> =
        receipts["rows"].as_array().unwrap().iter().map(|row| &row["decision"]).collect();
    assert_eq!(decisions, ["done", "done"], "{receipts}");
}
