//! A stolen key shows itself: what bears one's signature, and an alarm that does not pass through the server.

use crate::stage::Stage;

impl Stage {
    /// An organisation whose Alice has had her key copied.
    pub(crate) fn robbed() -> Self {
        let stage = Self::with_endpoint();
        std::fs::create_dir(stage.path("thief")).unwrap();
        std::fs::copy(stage.path("alice/id_ed25519"), stage.path("thief/id_ed25519")).unwrap();
        let anchor = stage.json("alice", &["org"]).json()["anchor"].as_str().unwrap().to_owned();
        let join = ["join", "--anchor", &anchor, "--server", &stage.plane];
        stage.json("thief", &join).ends_with(0);
        stage
    }
}

const RUN: [&str; 7] = ["run", "--on", "all", "--class", "change", "--no-wait", "x.sh"];

#[test]
fn what_bears_my_signature_is_listed_and_what_i_did_not_sign_here_stands_out() {
    let stage = Stage::robbed();
    stage.write("x.sh", "true\n");
    stage.json("alice", &RUN).ends_with(0);
    let stolen = stage.json("thief", &RUN).ends_with(0).json()["job"].as_str().unwrap().to_owned();
    let listed = stage.json("alice", &["log", "mine"]).ends_with(0).json();
    let all = listed["signed"].as_array().unwrap();
    let elsewhere: Vec<_> = all.iter().filter(|entry| entry["signed_here"] == false).collect();
    assert_eq!(elsewhere.len(), 1, "{listed}");
    assert_eq!(elsewhere[0]["id"], stolen.as_str());
    assert!(all.iter().any(|entry| entry["kind"] == "bundle" && entry["signed_here"] == true));
    stage.tool("alice", &["log", "mine"]).says(&["elsewhere", &stolen, "author.v1@bartizan"]);
    stage.tool("bob", &["log", "mine"]).ends_with(0).says(&["bundle", "here"]);
}

#[test]
fn the_witness_raises_the_alarm_until_somebody_has_heard_it() {
    let mut stage = Stage::robbed();
    stage.end("witness-alice");
    let heard = stage.text("heard");
    let alarm = format!("printf '%s\\n' \"$BARTIZAN_ALARM\" >> '{heard}'");
    let look = ["witness", "--once", "--alarm", &alarm];
    stage.json("alice", &look).ends_with(0);
    stage.write("x.sh", "true\n");
    stage.json("alice", &RUN).ends_with(0);
    let quiet = stage.json("alice", &look).ends_with(0).json();
    assert_eq!(quiet["alarms"], serde_json::json!([]), "my own work is no alarm: {quiet}");
    assert!(!stage.path("heard").exists());

    let stolen = stage.json("thief", &RUN).ends_with(0).json()["job"].as_str().unwrap().to_owned();
    let deaf = ["witness", "--once", "--alarm", "exit 7"];
    stage.tool("alice", &deaf).ends_with(1).says(&["alarm command", "next round"]);
    let alarmed = stage.json("alice", &look).ends_with(0).json();
    let text = alarmed["alarms"][0].as_str().unwrap();
    assert!(text.contains("signed with your key elsewhere") && text.contains(&stolen), "{alarmed}");
    assert_eq!(String::from_utf8(stage.read("heard")).unwrap().trim(), text);
    let after = stage.json("alice", &look).ends_with(0).json();
    assert_eq!(after["alarms"], serde_json::json!([]), "once: {after}");

    stage.json("bob", &["freeze", "sessions", "--for", "1h", "--no-wait"]).ends_with(0);
    let frozen = stage.json("alice", &look).ends_with(0).json();
    assert!(frozen["alarms"][0].as_str().unwrap().contains("a new freeze"), "{frozen}");
}
