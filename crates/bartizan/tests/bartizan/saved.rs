//! Saved lists of endpoints, and the list as a file.

use serde_json::json;

use crate::page::Page;
use crate::stage::Stage;

#[test]
fn views_are_kept_by_the_operators_own_program_and_by_nobody_else() {
    let mut stage = Stage::organisation();
    let page = Page::open(&mut stage, "alice");
    assert_eq!(page.get("/views"), json!({ "views": [] }));
    let view = json!({
        "name": "Away in Berlin", "search": "ws", "tenant": "acme", "site": "berlin", "state": "away", "sort": "last_seen",
        "descending": true, "columns": ["last_heard", "name"],
    });
    assert_eq!(page.post("/views", &view).json(), json!({ "views": [view] }));
    // The server is not asked, and what it would like to be kept is no view.
    stage.end("server");
    assert_eq!(page.get("/views"), json!({ "views": [view] }));
    page.post("/views", &json!({ "name": "x", "columns": ["secret"] }))
        .refused(422, "console.bad_request");
    page.post("/views", &json!({ "name": "a\u{202e}b" })).refused(400, "usage");
    let kept = std::fs::read_to_string(stage.path("alice/views.json")).unwrap();
    assert!(kept.contains("Away in Berlin"), "{kept}");
    // Bob's are his own.
    let other = Page::open(&mut stage, "bob");
    assert_eq!(other.get("/views"), json!({ "views": [] }));
    let gone = page.post("/views/forget", &json!({ "name": "Away in Berlin" })).json();
    assert_eq!(gone, json!({ "views": [] }));
}

#[test]
fn a_hostile_endpoint_writes_no_formula_into_the_file() {
    let mut stage = Stage::with_endpoint();
    let page = Page::open(&mut stage, "alice");
    let id = page.get("/endpoints")["rows"][0]["id"].as_str().unwrap().to_owned();
    let hex = data_encoding::HEXLOWER.encode("=cmd|'/c calc'!A1,\"\r\n\u{1b}[2J".as_bytes());
    stage.edit_database(&format!("UPDATE endpoint SET hostname = CAST(x'{hex}' AS TEXT)"));
    let reply = page.fetch("/endpoints/export?columns=id,name,state");
    assert_eq!(reply.status, 200, "{reply:#?}");
    assert_eq!(reply.header("content-type"), Some("text/csv; charset=utf-8"));
    let name = "\"'=cmd|'/c calc'!A1,\"\"\\u{d}\\u{a}\\u{1b}[2J\"";
    assert_eq!(reply.body, format!("id,name,state\r\n{id},{name},connected\r\n"));
    // The filters are those of the list.
    assert_eq!(
        page.fetch("/endpoints/export?columns=id&state=away&sort=os&descending=true").body,
        "id\r\n"
    );
    let all = page.fetch("/endpoints/export").body;
    assert!(all.starts_with("name,state,tenant,site,system,last_heard,id\r\n"), "{all}");
    page.fetch("/endpoints/export?columns=secret").refused(400, "usage");
    stage.end("server");
    stage.wait("the page to know", |_| page.fetch("/endpoints/export").status == 502);
}
