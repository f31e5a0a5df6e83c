//! Monitoring policies from the command line to a real endpoint whose server goes away.

use bartizan_testkit::peers::nginx;
use serde_json::Value;

use crate::stage::{Stage, program};

fn policy(stage: &Stage, name: &str, checks: &str) -> Vec<String> {
    let file = format!("{name}.toml");
    stage.write(&file, &format!("name = \"{name}\"\ntitle = \"Test\"\n{checks}"));
    vec!["policy".to_owned(), "sign".to_owned(), file]
}

fn sign(stage: &Stage, name: &str, checks: &str, more: &[&str]) -> String {
    let command = policy(stage, name, checks);
    let mut command: Vec<&str> = command.iter().map(String::as_str).collect();
    command.extend(more);
    let signed = stage.json("alice", &command).json();
    assert_eq!(signed["waits"], Value::Null, "{signed}");
    signed["policy"].as_str().unwrap().to_owned()
}

/// The state of a policy on the one endpoint there is.
fn standing(stage: &Stage, id: &str) -> String {
    let shown = stage.json("alice", &["policy", "show", id]).json();
    let target = &shown["endpoints"][0];
    format!("{} {}", target["state"].as_str().unwrap_or(""), target["code"].as_str().unwrap_or(""))
}

fn check(stage: &Stage, id: &str) -> Value {
    let all = stage.json("alice", &["checks"]).json();
    let checks = all["checks"].as_array().unwrap();
    checks.iter().find(|check| check["check"] == id).cloned().unwrap_or_default()
}

#[test]
fn a_policy_is_looked_at_with_the_server_down_and_its_results_come_later() {
    let mut stage = Stage::with_endpoint();
    let checks = format!(
        "[[check]]\nid = \"stop\"\nkind = \"file_exists\"\npath = \"{}\"\nwanted = false\nevery = 10\nfails = 1\n",
        stage.text("stop")
    );
    let id = sign(&stage, "stop", &checks, &["--tenant", "acme"]);
    stage.wait("a policy that stands", |stage| standing(stage, &id) == "running policy.standing");
    stage.wait("a first result", |stage| check(stage, "stop")["state"] == "ok");
    let before = stage.plane.clone();
    stage.end("server");
    stage.write("stop", "");
    let spool = stage.path("endpoint/reports");
    let bytes = |path: &std::path::Path| -> usize {
        let all = std::fs::read_dir(path).into_iter().flatten().flatten();
        all.filter_map(|file| std::fs::read(file.path()).ok())
            .filter(|bytes| bytes.windows(7).any(|part| part == b"\"error\""))
            .count()
    };
    stage.wait("a result without a server", |_| bytes(&spool) > 0);
    stage.start_server();
    // It listens on another port now.
    for who in ["alice", "bob"] {
        for file in ["org.json", "session.json"] {
            let path = stage.path(who).join(file);
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            std::fs::write(&path, text.replace(&before, &stage.plane)).unwrap();
        }
    }
    stage.wait("the result", |stage| check(stage, "stop")["state"] == "error");
    let found = check(&stage, "stop");
    assert_eq!((&found["policy"], &found["value"]), (&Value::from(id.as_str()), &Value::from(1)));
    stage.tool("alice", &["checks"]).ends_with(0).says(&["stop", "error", "it is there"]);
    let endpoint = found["endpoint"].as_str().unwrap().to_owned();
    let changes = stage.json("alice", &["checks", &endpoint, "--changes"]).json();
    let states: Vec<_> =
        changes["checks"].as_array().unwrap().iter().map(|c| c["state"].clone()).collect();
    assert_eq!(states, ["error", "ok"]);

    let why = stage.json("alice", &["policy", "explain", &endpoint, "stop"]).json();
    assert_eq!(why["checks"][0]["policy"], id.as_str());
    // A nearer policy takes the check's place; another leaves it out.
    let nearer = sign(&stage, "stop", &checks, &["--endpoint", &endpoint]);
    stage.wait("the nearer policy", |stage| standing(stage, &nearer) == "running policy.standing");
    stage.wait("its result", |stage| check(stage, "stop")["policy"] == nearer.as_str());
    stage.tool("alice", &["policy", "explain", &endpoint]).ends_with(0).says(&[
        "runs because of policy stop version 1",
        "does not run",
        "one of the same name",
    ]);
    // A later version without the check takes both back.
    let empty = "exclude = [\"stop\"]\n";
    let second = sign(&stage, "stop", empty, &["--endpoint", &endpoint]);
    stage.wait("the end of the first", |stage| {
        standing(stage, &nearer) == "done policy.old_version"
    });
    stage.wait("no more results", |stage| check(stage, "stop") == Value::Null);
    stage.json("bob", &["policy", "withdraw", &second]).ends_with(0);
    stage.json("bob", &["policy", "withdraw", &second]).error(1);
    stage.wait("the end of it", |stage| standing(stage, &second) == "done freeze.withdrawn");
    stage.wait("the wider one again", |stage| check(stage, "stop")["state"] == "error");
    stage.tool("alice", &["policy", "list"]).ends_with(0).says(&["stop", "withdrawn", "replaced"]);
}

#[test]
fn the_defaults_are_useful_without_any_configuration() {
    let stage = Stage::with_endpoint();
    stage.tool("alice", &["policy", "list"]).ends_with(0).says(&["--defaults"]);
    let signed = stage.json("alice", &["policy", "sign", "--defaults"]).json();
    let id = signed["policy"].as_str().unwrap().to_owned();
    stage.wait("a policy that stands", |stage| standing(stage, &id) == "running policy.standing");
    stage.wait("results", |stage| check(stage, "reboot")["state"] != Value::Null);
    let copied = ["policy", "sign", "--defaults", "--days", "9999"];
    assert!(stage.json("alice", &copied).error(2)["message"].as_str().unwrap().contains("days"));
    stage.write("bad.toml", "name = \"x\"\ntitle = \"x\"\n[[check]]\nid = \"x\"\nkind = \"log\"\npath = \"/l\"\npattern = \"(\"\nabove = { warn = 1 }\n");
    let bad = stage.json("alice", &["policy", "sign", "bad.toml"]).error(2);
    assert!(bad["message"].as_str().unwrap().contains("pattern"), "{bad}");
}

#[test]
fn a_web_server_and_its_certificate_are_watched_over_the_network_and_raise_an_alert() {
    program("bartizan-probe");
    let peer = nginx(Some(5), "location / { return 200 'all is well'; }").unwrap();
    let stage = Stage::with_endpoint();
    let (url, file) = (format!("https://127.0.0.1:{}/", peer.port), peer.path("certificate.pem"));
    let checks = format!(
        "[[check]]\nid = \"web\"\nkind = \"http\"\nurl = \"{url}\"\ncontains = \"well\"\n\
         tls = \"danger_unverified\"\nexpires = {{ warn = 21, error = 7 }}\nevery = 30\nfails = 1\nrecovers = 1\n\
         [[check]]\nid = \"believed\"\nkind = \"http\"\nurl = \"{url}\"\nevery = 30\nfails = 1\n\
         [[check]]\nid = \"file\"\nkind = \"certificate_file\"\npath = \"{}\"\nbelow = {{ warn = 21 }}\nevery = 10\nfails = 1\n\
         [[check]]\nid = \"port\"\nkind = \"tcp\"\nhost = \"127.0.0.1\"\nport = {}\nevery = 30\nrecovers = 1\n",
        file.display(),
        peer.port
    );
    let command = policy(&stage, "web", &checks);
    let command: Vec<&str> =
        command.iter().map(String::as_str).chain(["--tenant", "acme"]).collect();
    stage.tool("alice", &command).ends_with(0).says(&[
        "ASK OVER THE NETWORK",
        "ITS CERTIFICATE IS NOT VERIFIED",
        "days left of its certificate warn at most 21, error at most 7",
    ]);
    let found = |stage: &Stage, id: &str, instance: &str| -> (Value, Value) {
        let all = stage.json("alice", &["checks"]).json();
        let mut checks = all["checks"].as_array().unwrap().iter();
        let one = checks.find(|one| one["check"] == id && one["instance"] == instance);
        let one = one.cloned().unwrap_or_default();
        (one["state"].clone(), one["value"].clone())
    };
    let state = |stage: &Stage, id: &str, instance: &str| found(stage, id, instance).0;
    stage.wait("its answer", |stage| state(stage, "web", "") == "ok");
    stage.wait("its certificate", |stage| state(stage, "web", "certificate") == "error");
    let days = found(&stage, "web", "certificate").1.as_u64().unwrap();
    assert!(days == 4 || days == 5, "{days}");
    stage.wait("a certificate that is not believed", |s| state(s, "believed", "") == "error");
    stage.wait("the file", |stage| state(stage, "file", "") == "warn");
    stage.wait("the port", |stage| state(stage, "port", "") == "ok");
    stage.wait("an alert", |stage| {
        let alerts = stage.json("alice", &["alerts"]).json().to_string();
        alerts.contains("the certificate ends in")
    });
}
