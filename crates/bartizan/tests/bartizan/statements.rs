//! Statements in files: shown and verified offline, and by stock `ssh-keygen`.

use std::process::Command;

use data_encoding::BASE64;
use serde_json::{Value, json};

use crate::stage::{Answer, Stage, run};

const VERIFY: [&str; 5] = ["statement", "verify", "genesis.json", "--bundle", "genesis.json"];

fn ssh_keygen(stage: &Stage, line: &str) -> Answer {
    run(Command::new("sh").args(["-c", line]).current_dir(stage.path("out")))
}

#[test]
fn a_statement_is_shown_and_verified_without_any_server() {
    let stage = Stage::new();
    stage.genesis();
    let shown = stage.tool("carol", &["statement", "show", "genesis.json"]).ends_with(0);
    shown.says(&["BUNDLE  version 1", "(op_alice)", "(op_bob)", "words   ", "id      st_"]);
    let shown = stage.json("carol", &["statement", "show", "genesis.json"]).json();
    assert_eq!(shown["signatures"], 2);
    assert_eq!(shown["type"], "application/vnd.bartizan.bundle.v1+json");
    assert_eq!(shown["payload"]["operators"][0]["id"], "op_alice");
    assert_eq!(shown["words"].as_str().unwrap().split(' ').count(), 8);

    let verified = stage.json("carol", &VERIFY).json();
    assert_eq!(verified["ignored"], 0);
    let signers = json!([
        { "operator": "op_alice", "role": "root.v1@bartizan" },
        { "operator": "op_bob", "role": "root.v1@bartizan" },
    ]);
    assert_eq!(verified["signed_by"], signers);
    assert_eq!(verified["id"], shown["id"]);
}

#[test]
fn an_altered_statement_is_refused() {
    let stage = Stage::new();
    stage.genesis();
    let mut envelope: Value = serde_json::from_slice(&stage.read("genesis.json")).unwrap();
    let payload = BASE64.decode(envelope["payload"].as_str().unwrap().as_bytes()).unwrap();
    let altered = String::from_utf8(payload).unwrap().replace("\"Alice\"", "\"Mallory\"");
    envelope["payload"] = BASE64.encode(altered.as_bytes()).into();
    let ordered = format!(
        "{{\"payloadType\":{},\"payload\":{},\"signatures\":{}}}",
        envelope["payloadType"], envelope["payload"], envelope["signatures"]
    );
    stage.write("altered.json", &ordered);
    let verify = ["statement", "verify", "altered.json", "--bundle", "genesis.json"];
    let answer = stage.json("carol", &verify);
    assert_eq!(answer.error(3)["code"], "refused");
    let report: Value = serde_json::from_str(answer.out.lines().last().unwrap()).unwrap();
    assert_eq!((&report["signed_by"], &report["ignored"]), (&json!([]), &json!(2)));
}

#[test]
fn a_statement_of_people_the_bundle_does_not_name_is_refused() {
    let (stage, other) = (Stage::new(), Stage::new());
    stage.genesis();
    other.genesis();
    std::fs::copy(other.path("genesis.json"), stage.path("other.json")).unwrap();
    let verify = ["statement", "verify", "genesis.json", "--bundle", "other.json"];
    stage.tool("carol", &verify).ends_with(3).says(&["IGNORED signature 0", "next: "]);
    let mangled = ["statement", "show", "identity.json"];
    stage.tool("carol", &mangled).ends_with(1).says(&["identity.json", "next: "]);
    stage.json("carol", &["statement", "show", "absent.json"]).error(1);
}

#[test]
fn stock_ssh_keygen_verifies_an_export_and_refuses_altered_bytes() {
    let stage = Stage::new();
    stage.genesis();
    let export = ["statement", "export", "genesis.json", "--dir", "out"];
    let exported = stage.json("carol", &export).json();
    assert_eq!(exported["dir"], "out");
    let commands: Vec<&str> = exported["commands"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line.as_str().unwrap())
        .collect();
    assert_eq!(commands.len(), 2);
    for line in &commands {
        ssh_keygen(&stage, line).ends_with(0).says(&["Good \"root.v1@bartizan\" signature"]);
        // A signature for one role is none for another.
        let other_role = line.replace("root.v1@bartizan", "approve.v1@bartizan");
        assert_ne!(ssh_keygen(&stage, &other_role).code, 0);
    }
    let mut bytes = stage.read("out/pae");
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(stage.path("out/pae"), bytes).unwrap();
    for line in commands {
        assert_ne!(ssh_keygen(&stage, line).code, 0, "altered bytes verified");
    }
}

#[test]
fn what_cannot_be_shown_is_not_signed() {
    let stage = Stage::new();
    stage.genesis();
    let before = stage.read("genesis.json");
    let full = || std::fs::File::options().write(true).open("/dev/full").unwrap();
    let on_a_full_disk = |who: &str, arguments: &[&str]| {
        let mut command = stage.command(who, arguments);
        let output = command.arg("--yes").stdout(full()).output().unwrap();
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{complaint}");
        assert!(
            complaint.contains("No space left") && !complaint.contains("panicked"),
            "{complaint}"
        );
    };
    on_a_full_disk("alice", &["init", "--countersign", "genesis.json"]);
    assert_eq!(stage.read("genesis.json"), before);
    on_a_full_disk("alice", &["statement", "show", "genesis.json"]);
    on_a_full_disk("alice", &["help", "exit-codes"]);
}
