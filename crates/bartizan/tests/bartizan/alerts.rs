//! `bartizan alerts` against the real server; what alerts do is tested with the server.

use serde_json::Value;

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
