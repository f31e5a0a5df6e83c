//! The inventory of a real machine, from its guard to an operator's terminal; fields, tags and groups.

use serde_json::Value;

use crate::stage::{Answer, Stage};

/// A stage whose endpoint has sent everything, and the endpoint's id and host name.
fn stage() -> (Stage, String, String) {
    let stage = Stage::with_endpoint();
    let endpoints = stage.json("alice", &["endpoints"]).json();
    let row = &endpoints["endpoints"][0];
    let (id, name) =
        (row["id"].as_str().unwrap().to_owned(), row["hostname"].as_str().unwrap().to_owned());
    stage.json("bob", &["endpoint", "refresh", &id]).ends_with(0);
    stage.wait("all sections", |stage| {
        let shown = stage.json("alice", &["inventory", &id]).json();
        shown["inventory"]["sections"].as_array().is_some_and(|all| all.len() == 15)
    });
    (stage, id, name)
}

fn names(answer: &Answer) -> Vec<String> {
    let found = answer.json();
    let of = |row: &Value| row["id"].as_str().unwrap().to_owned();
    found["endpoints"].as_array().unwrap().iter().map(of).collect()
}

#[test]
fn a_real_machine_is_shown_searched_and_written_down_about() {
    let (stage, id, name) = stage();
    let show = |section: &str| stage.json("alice", &["inventory", &name, section]).json();
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    assert_eq!(show("os")["items"]["kernel"]["value"], kernel.trim());
    assert_eq!(show("users")["items"]["root"]["uid"], 0);
    let text = stage.tool("bob", &["inventory", &id, "users"]).ends_with(0);
    text.says(&["ITEM", "SHELL", "root", "/root"]);
    stage.tool("bob", &["inventory", &id]).ends_with(0).says(&[
        "SECTION",
        "packages",
        "LOOKED AT",
        "ago",
    ]);
    assert_eq!(
        stage.json("bob", &["inventory", &id, "nonsense"]).error(1)["code"],
        "request.not_found"
    );
    stage.json("bob", &["inventory", "no-such-host"]).error(1);
    stage.json("bob", &["inventory"]).error(2);

    let find = |query: &[&str]| {
        let arguments: Vec<&str> = ["inventory", "search"].iter().chain(query).copied().collect();
        names(&stage.json("alice", &arguments).ends_with(0))
    };
    let here = std::slice::from_ref(&id);
    assert_eq!(find(&["user:root"]), here);
    assert_eq!(find(&["user:root -user:nobody-of-this-name"]), here);
    assert_eq!(find(&["site:hq -user:root"]), [""; 0]);
    assert_eq!(find(&[kernel.trim()]), here);
    let shown = stage.tool("alice", &["inventory", "search", "user:root"]).ends_with(0);
    shown.says(&["FOUND", "users root"]);
    for (query, code) in [
        ("colour:red", "query.malformed"),
        ("group:none", "query.no_group"),
        ("field.x:1", "query.no_field"),
    ] {
        assert_eq!(stage.json("bob", &["inventory", "search", query]).error(1)["code"], code);
    }
    check_notes(&stage, &id, &name);
}

/// Fields, tags and groups, and who set them.
fn check_notes(stage: &Stage, id: &str, name: &str) {
    let find = |query: &[&str]| {
        let arguments: Vec<&str> = ["inventory", "search"].iter().chain(query).copied().collect();
        names(&stage.json("alice", &arguments).ends_with(0))
    };
    let here = [id.to_owned()];
    let say = |arguments: &[&str]| drop(stage.json("alice", arguments).ends_with(0));
    say(&[
        "field", "define", "level", "--kind", "choice", "--choice", "gold", "--choice", "silver",
    ]);
    say(&["field", "define", "owner"]);
    say(&["field", "set", "level", "silver", "--tenant", "acme"]);
    say(&["field", "set", "level", "GOLD", "--endpoint", name]);
    say(&["field", "set", "owner", "-x", "--endpoint", id]);
    assert_eq!(find(&["field.level:gold"]), here);
    say(&["field", "unset", "level", "--endpoint", id]);
    assert_eq!(find(&["field.level:silver"]), here);
    assert_eq!(
        stage.json("bob", &["field", "set", "level", "lead", "--tenant", "acme"]).error(1)["code"],
        "field.value"
    );
    assert_eq!(stage.json("bob", &["field", "define", "level"]).error(1)["code"], "field.exists");
    say(&["tag", "add", name, "vip"]);
    say(&["group", "save", "mine", "tag:vip", "field.level:silver"]);
    assert_eq!(find(&["group:mine", "user:root"]), here);
    assert_eq!(
        stage.json("bob", &["group", "save", "x", "group:mine"]).error(1)["code"],
        "query.group_in_group"
    );
    assert_eq!(stage.json("bob", &["tag", "add", name, "Not A Name"]).error(1)["code"], "tag.name");
    stage
        .tool("bob", &["inventory", id])
        .ends_with(0)
        .says(&["tags: vip", "level: silver (set for the tenant)"]);
    stage.tool("bob", &["tag", "list"]).ends_with(0).says(&["vip", id]);
    stage
        .tool("bob", &["group", "list"])
        .ends_with(0)
        .says(&["mine", "tag:vip field.level:silver"]);
    stage
        .tool("bob", &["field", "list"])
        .ends_with(0)
        .says(&["gold, silver", "owner = -x for the endpoint"]);
    // Everything with the operator whose session it was.
    let history = stage.json("bob", &["field", "history"]).json();
    let marks = history["marks"].as_array().unwrap();
    assert_eq!(marks.len(), 8, "{history}");
    assert!(marks.iter().all(|mark| mark["by"] == "op_alice"), "{history}");
    say(&["tag", "remove", id, "vip"]);
    assert_eq!(find(&["group:mine"]), [""; 0]);
    say(&["group", "remove", "mine"]);
    say(&["--yes", "field", "remove", "level"]);
    assert_eq!(
        stage.json("bob", &["inventory", "search", "field.level:gold"]).error(1)["code"],
        "query.no_field"
    );
}
