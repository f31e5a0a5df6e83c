//! The page that says who did what, when.

use serde_json::{Value, json};

use crate::page::Page;
use crate::stage::Stage;

fn rows(page: &Page, query: &str) -> Vec<Value> {
    page.get(&format!("/audit?{query}"))["rows"].as_array().unwrap().clone()
}

fn field<'v>(rows: &'v [Value], name: &str) -> Vec<&'v Value> {
    rows.iter().map(|row| &row[name]).collect()
}

#[test]
fn who_did_what_comes_from_both_logs_and_from_this_consoles_own_notes() {
    let mut stage = Stage::with_endpoint();
    let (alice, bob) = (Page::open(&mut stage, "alice"), Page::open(&mut stage, "bob"));
    let wish = json!({ "on": ["all"], "script": "echo hi\n", "interpreter": "sh", "title": "=1+1", "class": "change" });
    let sheet = alice.sheet("job", &wish);
    let id = alice.sign(&sheet).json()["id"].as_str().unwrap().to_owned();
    let second = bob.sheet("approval", &json!({ "id": id }));
    bob.sign(&second).json();

    // Newest first; each entry shows the signatures that it adds, and by whom.
    let jobs = rows(&bob, "kind=job");
    assert_eq!(field(&jobs, "did"), ["approved a job", "wrote a job"], "{jobs:#?}");
    assert_eq!(
        (&jobs[0]["who"][0]["name"], &jobs[1]["who"][0]["name"]),
        (&json!("bob"), &json!("Alice"))
    );
    assert_eq!(jobs[0]["who"].as_array().unwrap().len(), 1, "{jobs:#?}");
    assert_eq!(field(&jobs, "index"), [1, 0]);
    assert_eq!((&jobs[0]["tenant"], &jobs[0]["class"]), (&json!("acme"), &json!("change")));
    // Bob's console knows when Bob signed; of what it did not do it has the author's date, or a date before.
    assert_eq!(field(&jobs, "here"), [true, false]);
    assert_eq!(field(&jobs, "after"), [false, false]);
    assert_eq!(field(&rows(&alice, "kind=job"), "after"), [true, false]);
    // Each row leads to its entry with a proof.
    let entry = bob.get("/logs/jobs/entries/1");
    assert_eq!(
        (&entry["row"]["id"], &entry["verification"]["verified"]),
        (&json!(id), &json!(true))
    );

    let bundle = rows(&bob, "kind=bundle");
    assert_eq!(
        (field(&bundle, "log"), bundle[0]["who"].as_array().unwrap().len()),
        (vec![&json!("control")], 2)
    );
    let all = bob.get("/audit");
    let people: Vec<&Value> =
        all["people"].as_array().unwrap().iter().map(|one| &one["name"]).collect();
    assert_eq!(people, ["Alice", "bob"], "{all}");
    let op = all["people"][0]["id"].as_str().unwrap();
    assert_eq!(field(&rows(&bob, &format!("person={op}&kind=job")), "did"), ["wrote a job"]);
    assert_eq!(rows(&bob, "tenant=acme").len(), 2);
    assert_eq!(rows(&bob, "tenant=other").len(), 0);
    let at = jobs[1]["at"].as_u64().unwrap();
    assert_eq!(rows(&bob, &format!("kind=job&until={at}")).len(), 0);
    assert_eq!(rows(&bob, &format!("kind=job&since={at}")).len(), 2);
    bob.fetch("/audit?kind=odd").refused(400, "usage");

    files(&bob, &id);
    // What stands in no log is this console's own note, and says that it proves nothing.
    let local = rows(&bob, "person=me&kind=local");
    assert_eq!(field(&local, "did"), ["saved as a file", "saved as a file"], "{local:#?}");
    assert_eq!(local[0]["who"][0]["verification"]["verified"], false);
    assert_eq!(rows(&alice, "kind=local").len(), 0, "Bob's notes are Bob's");
}

/// All rows as CSV and as JSON.
fn files(bob: &Page, id: &str) {
    let csv = bob.fetch("/audit/export?form=csv&kind=job");
    assert_eq!(csv.header("content-type"), Some("text/csv; charset=utf-8"), "{csv:#?}");
    let lines: Vec<&str> = csv.body.split("\r\n").collect();
    assert_eq!(lines[0], "time,exact,who,kind,did,title,class,tenant,id,log,entry,here");
    assert!(lines[1].contains("bob as approve,job,approved a job,'=1+1,change,acme"), "{csv:#?}");
    assert_eq!(lines.len(), 4, "two rows, and nothing after the last line");
    let json = bob.fetch("/audit/export?form=json&kind=job").json();
    assert_eq!(json.as_array().unwrap().len(), 2);
    assert_eq!(json[0]["id"], id);
    bob.fetch("/audit/export?form=xml").refused(400, "console.bad_request");
}

#[test]
fn a_server_that_changes_the_past_is_not_audited_but_reported() {
    let mut stage = Stage::with_endpoint();
    stage.submit("routine", "exit 0\n");
    let page = Page::open(&mut stage, "alice");
    assert_eq!(rows(&page, "kind=job").len(), 1);
    // The log shows another entry than its checkpoint signs.
    stage.edit_database("UPDATE log_entry SET entry = x'00' WHERE log = 'jobs'");
    let fresh = Page::open(&mut stage, "bob");
    fresh.fetch("/audit").refused(422, "refused");
}
