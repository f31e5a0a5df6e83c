//! `bartizan alerts` against the real server; what alerts do is tested with the server.

use serde_json::{Value, json};

use crate::page::Page;
use crate::stage::Stage;

const RULES: &str = r#"
[[offline]]
tenant = "tn_acme"
severity = "critical"
after_min = 2

[[windows]]
name = "sunday"
cron = "0 3 * * 0"
zone = "Europe/Berlin"
minutes = 120

[[routes]]
name = "log"
steps = [{ channels = ["log"] }]
"#;

#[test]
fn rules_are_set_shown_and_refused_with_all_their_problems() {
    let mut stage = Stage::organisation();
    stage.end("server");
    let config = String::from_utf8(stage.read("server/server.toml")).unwrap();
    let channel = "[[channel]]\nname = \"log\"\nkind = \"syslog\"\naddress = \"127.0.0.1:9\"\ntransport = \"udp\"\n";
    stage.write("server/server.toml", &format!("{config}{channel}"));
    stage.restart_server_where_it_was();

    stage.tool("alice", &["alerts"]).ends_with(0).says(&["no alerts"]);
    stage
        .tool("alice", &["alerts", "rules", "show"])
        .ends_with(0)
        .says(&["channel log (syslog)", "no rules"]);
    let bad = stage.write(
        "bad.toml",
        &RULES.replace("Europe/Berlin", "Mars/Base").replace("\"log\"] }", "\"pager\"] }"),
    );
    stage.tool("alice", &["alerts", "rules", "set", &bad]).ends_with(1).says(&[
        "no `Mars/Base`",
        "no channel `pager`",
        "next:",
    ]);
    let good = stage.write("good.toml", RULES);
    stage.tool("alice", &["alerts", "rules", "set", &good]).ends_with(0).says(&["version 1"]);
    stage.tool("bob", &["alerts", "rules", "set", &good]).ends_with(0).says(&["version 2"]);
    let shown = stage.tool("alice", &["alerts", "rules", "show"]).ends_with(0);
    shown.says(&[
        "version 1 by op_alice",
        "version 2 by op_bob",
        "[[windows]]",
        "zone = \"Europe/Berlin\"",
    ]);
    // What is shown can be set again.
    let again = stage.write("again.toml", &shown.out);
    stage.tool("alice", &["alerts", "rules", "set", &again]).ends_with(0).says(&["version 3"]);
    let answer: Value = stage.json("alice", &["alerts", "rules", "show"]).json();
    assert_eq!(answer["document"]["offline"][0]["after_min"], 2, "{answer}");

    stage.tool("alice", &["alerts", "test", "log"]).ends_with(0);
    stage
        .tool("alice", &["alerts", "test", "pager"])
        .ends_with(1)
        .says(&["no such channel", "next:"]);
    stage.tool("alice", &["alerts", "why", "al_abcdef"]).ends_with(1).says(&["no alert"]);
    let list: Value = stage.json("alice", &["alerts", "--phase", "resolved", "--hidden"]).json();
    assert_eq!(list["total"], 0, "{list}");
}

#[test]
fn the_console_makes_and_ends_windows_and_says_what_it_could_not_do() {
    let mut stage = Stage::organisation();
    let page = Page::open(&mut stage, "alice");
    assert_eq!(page.get("/overview")["open_alerts"], 0);
    let list = page.get("/alerts?state=resolved&severity=error&tenant=acme&search=%25&hidden=true");
    assert_eq!((&list["total"], &list["rows"]), (&json!(0), &json!([])));
    for bad in ["/alerts?state=waiting", "/alerts?severity=mild"] {
        page.fetch(bad).refused(400, "console.bad_request");
    }
    page.fetch("/alerts?tenant=A%20b").refused(400, "usage");
    page.fetch("/alerts?endpoint=al_x").refused(400, "usage");
    page.fetch("/alerts/al_x").refused(400, "usage");

    // Rules by the command line are kept when a page makes a window.
    let rules = RULES.split("[[routes]]").next().unwrap();
    let file = stage.write("rules.toml", rules);
    stage.tool("alice", &["alerts", "rules", "set", &file]).ends_with(0);
    let shown = page.get("/alerts/rules");
    assert_eq!((&shown["version"], &shown["windows"][0]["name"]), (&json!(1), &json!("sunday")));
    assert_eq!(shown["links"][0]["applies"], "tenant acme");
    assert_eq!(shown["links"][0]["says"][0], "being away is told as critical after 2 minutes");
    let window = json!({ "name": "move", "tenant": "acme", "site": "hq", "from": 1_796_083_200_u64, "until": 1_796_169_600_u64 });
    let wish = |base: u64, window: &Value| json!({ "base": base, "window": window });
    let made = page.post("/alerts/windows", &wish(1, &window)).json();
    assert_eq!((&made["version"], &made["windows"][1]["site"]), (&json!(2), &json!("hq")));
    assert_eq!(made["history"][0]["version"], 2);
    page.post("/alerts/windows", &wish(2, &window)).refused(400, "usage");
    let mut bad = window.clone();
    bad["name"] = json!("other");
    page.post("/alerts/windows", &wish(1, &bad)).refused(400, "alert.rules_changed");
    bad["until"] = json!(1);
    page.post("/alerts/windows", &wish(2, &bad)).refused(400, "alert.rules");
    let end = |base: u64, name: &str| json!({ "base": base, "name": name });
    let left = page.post("/alerts/windows/end", &end(2, "move")).json();
    assert_eq!(left["windows"].as_array().unwrap().len(), 1);
    page.post("/alerts/windows/end", &end(3, "move")).refused(400, "error");

    // What does not work with one is said of that one.
    let absent = format!("al_{}", "a".repeat(52));
    let deed = |ids: Value| json!({ "ids": ids, "deed": "acknowledge", "note": "on it" });
    let done = page.post("/alerts/deeds", &deed(json!([absent]))).json();
    assert_eq!((&done["done"], &done["left"][0]["id"]), (&json!(0), &json!(absent)), "{done}");
    page.post("/alerts/deeds", &deed(json!(vec![absent.as_str(); 200]))).json();
    page.post("/alerts/deeds", &deed(json!(vec![absent.as_str(); 201]))).refused(400, "usage");
    page.post("/alerts/deeds", &deed(json!(["al_x"]))).refused(400, "usage");
    let wait = json!({ "endpoints": [format!("ep_{}", "a".repeat(52))], "channel": "none" });
    let done = page.post("/alerts/tell-me", &wait).json();
    assert_eq!(done["left"][0]["code"], "alert.no_channel", "{done}");
}
