//! A server that is not what people think it is comes up in quarantine, and an operator looks before work goes on.

use std::process::Command;

use serde_json::Value;

use crate::stage::{Answer, Stage, program, run};

/// The outcome of a check, which must be there.
#[track_caller]
fn outcome(answer: &Answer, name: &str) -> String {
    let shown: Value = serde_json::from_str(answer.out.lines().last().unwrap()).unwrap();
    let checks = shown["checks"].as_array().unwrap();
    let of_name = checks.iter().filter(|check| check["name"] == name);
    let worst = of_name
        .map(|check| check["outcome"].as_str().unwrap())
        .max_by_key(|outcome| ["ok", "warn", "fail"].iter().position(|known| known == outcome));
    worst.unwrap_or_else(|| panic!("no {name} in {shown}")).to_owned()
}

#[track_caller]
fn reasons(answer: &Answer) -> Vec<String> {
    let shown: Value = serde_json::from_str(answer.out.lines().last().unwrap()).unwrap();
    let reasons = shown["quarantine"]["reasons"].as_array().cloned().unwrap_or_default();
    reasons.iter().map(|reason| reason["code"].as_str().unwrap().to_owned()).collect()
}

fn state(stage: &Stage, job: &str) -> String {
    let row = stage.json("bob", &["job", job]).json()["row"].clone();
    row["state"].as_str().unwrap().to_owned()
}

fn ran(stage: &Stage, job: &str) -> bool {
    let page = stage.json("bob", &["receipts", job]).json();
    page["receipts"].as_array().unwrap().iter().any(|receipt| receipt["code"] == "ok")
}

#[test]
fn after_an_alarm_nothing_is_delivered_until_it_is_lifted_and_waiting_work_is_signed_again() {
    is_quarantined_and_lifted(&Stage::with_endpoint());
}

/// A fleet with work on every endpoint, whatever the server keeps it in.
pub(crate) fn is_quarantined_and_lifted(stage: &Stage) {
    let clean = stage.json("alice", &["preflight"]).ends_with(0);
    assert_eq!(reasons(&clean), [""; 0]);
    for name in ["plane.private", "keys", "clock", "versions", "logs.control", "logs.jobs"] {
        assert_eq!(outcome(&clean, name), "ok", "{name} {clean:?}");
    }
    let job = stage.submit("change", "echo waited\n");

    let mut raise = Command::new(program("bartizan-server"));
    raise.args(["quarantine", "--reason", "odd logins", "--dir"]).arg(stage.path("server"));
    run(&mut raise).ends_with(0);
    stage.wait("the running server to notice", |stage| {
        stage.json("bob", &["approve", &job, "--no-wait"]).code != 0
    });
    assert_eq!(state(stage, &job), "cancelled");
    let refused = stage.json("alice", &["run", "--on", "all", "--no-wait", "script.sh"]).error(1);
    assert_eq!(refused["code"], "server.quarantined", "{refused}");

    // Without a freeze it is not lifted; a freeze passes through a quarantined server.
    let looked = stage.json("bob", &["preflight", "--lift"]);
    looked.error(3);
    assert_eq!(outcome(&looked, "frozen"), "fail");
    assert_eq!(reasons(&looked), ["alarm"]);
    let frozen = stage.json("bob", &["freeze", "org", "--for", "1h"]).ends_with(0).json();
    assert_eq!(frozen["missing"], serde_json::json!([]), "{frozen}");
    let lifted = stage.json("bob", &["preflight", "--lift"]).ends_with(0).json();
    assert_eq!(lifted["lifted"], true, "{lifted}");
    assert_eq!(lifted["to_sign_again"], serde_json::json!([job]), "{lifted}");

    let again = stage.json("alice", &["preflight", "--resign"]).ends_with(0).json();
    assert_eq!(again["earlier"][0]["operator"], "op_bob", "{again}");
    let next = again["signed_again"][0].as_str().unwrap().to_owned();
    assert_eq!(again["to_sign_again"], serde_json::json!([]), "{again}");
    stage.json("bob", &["approve", &next, "--no-wait"]).ends_with(0);
    let freeze = frozen["freeze"].as_str().unwrap();
    let thaw = stage.json("bob", &["thaw", freeze]).ends_with(0).json();
    stage.json("alice", &["approve", thaw["statement"].as_str().unwrap()]).ends_with(0);
    stage.wait("the job that was signed again", |stage| ran(stage, &next));
    assert!(!ran(stage, &job), "what was ended stays ended");
}

#[test]
fn a_server_restored_from_an_old_backup_is_not_lifted() {
    let mut stage = Stage::with_endpoint();
    let backup = stage.text("backup.db");
    stage.edit_database(&format!("VACUUM INTO '{backup}'"));
    let job = stage.submit("change", "echo newer\n");
    stage.json("bob", &["approve", &job, "--no-wait"]).ends_with(0);
    stage.wait("the job", |stage| ran(stage, &job));
    for name in ["witness-alice", "witness-bob", "server"] {
        stage.end(name);
    }
    for ending in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(stage.path(&format!("server/server.db{ending}")));
    }
    std::fs::copy(&backup, stage.path("server/server.db")).unwrap();
    stage.restart_server_where_it_was();
    let looked = stage.json("bob", &["preflight", "--lift"]);
    looked.error(3);
    assert!(reasons(&looked).contains(&"restore.older_than_logs".to_owned()), "{looked:?}");
    assert_eq!(outcome(&looked, "logs.jobs"), "fail");
    stage
        .tool("bob", &["preflight"])
        .ends_with(3)
        .says(&["IN QUARANTINE", "not what this console"]);
}

#[test]
fn after_an_update_people_look_and_lift_without_a_freeze() {
    let mut stage = Stage::with_endpoint();
    stage.end("server");
    stage.edit_database(
        "UPDATE meta SET value = replace(value, '\"version\":\"', '\"version\":\"9.') WHERE key = 'lineage'",
    );
    stage.restart_server_where_it_was();
    let looked = stage.json("alice", &["preflight"]).ends_with(0);
    assert_eq!(reasons(&looked), ["update"]);
    assert_eq!(outcome(&looked, "frozen"), "warn");
    let refused = ["run", "--on", "all", "--no-wait", "script.sh"];
    stage.write("script.sh", "echo work\n");
    assert_eq!(stage.json("alice", &refused).error(1)["code"], "server.quarantined");
    stage.json("alice", &["preflight", "--lift"]).ends_with(0);
    let job = stage.submit("change", "echo work\n");
    stage.json("bob", &["approve", &job, "--no-wait"]).ends_with(0);
    stage.wait("the job", |stage| ran(stage, &job));
}

#[test]
fn rows_that_do_not_match_what_was_signed_are_found() {
    let stage = Stage::organisation();
    assert_eq!(outcome(&stage.json("bob", &["preflight"]).ends_with(0), "work.signed"), "ok");
    // A job that nobody signed, made of the only envelope at hand.
    stage.edit_database(&format!(
        "INSERT INTO job SELECT 'st_{}', 'active', 'change', 't', 'tn_acme', 1, 9999999999, entry, x'', 0 FROM log_entry WHERE log = 'control' LIMIT 1",
        "a".repeat(52)
    ));
    let looked = stage.json("bob", &["preflight", "--lift"]);
    looked.error(3);
    assert_eq!(outcome(&looked, "work.signed"), "fail");
}

#[test]
fn a_job_marked_as_complete_by_hand_is_found() {
    let mut stage = Stage::with_endpoint();
    stage.end("guard");
    let job = stage.submit("change", "echo never\n");
    stage.edit_database(&format!("UPDATE job SET state = 'active' WHERE id = '{job}'"));
    let looked = stage.json("bob", &["preflight"]);
    looked.error(3);
    assert_eq!(outcome(&looked, "work.signed"), "fail");
    looked.says(&["marked as complete with 0 of 1 approvals"]);
}

#[test]
fn a_checkpoint_of_somebody_else_must_be_contained() {
    let stage = Stage::organisation();
    let checkpoint = stage.read("server/log/control/checkpoint");
    std::fs::write(stage.path("theirs"), checkpoint).unwrap();
    let theirs = ["preflight", "--checkpoint", "theirs"];
    let contained = stage.json("bob", &theirs).ends_with(0);
    contained.says(&["contains the 1 entries of theirs"]);
}

#[test]
fn a_listener_with_an_allowlist_answers_nobody_else() {
    let mut stage = Stage::with_endpoint();
    stage.end("server");
    let config = String::from_utf8(stage.read("server/server.toml")).unwrap();
    stage.write("server/server.toml", &format!("{config}\nagent_allow = [\"192.0.2.0/24\"]\n"));
    stage.restart_server_where_it_was();
    let looked = stage.json("alice", &["preflight"]).ends_with(0);
    looked.says(&["only from 192.0.2.0/24"]);
    stage.wait("refused connections", |stage| {
        let log = String::from_utf8_lossy(&stage.read("guard.log")).into_owned();
        log.matches("TLS handshake").count() > 1 || log.matches("[server.").count() > 1
    });
    let list = stage.json("alice", &["endpoints"]).json();
    assert_eq!(list["endpoints"][0]["connected"], false, "{list}");
}

/// Stock nftables takes the rules, in a network of its own.
fn nft_takes(stage: &Stage, name: &str, rules: &str) {
    let file = stage.write(name, rules);
    run(Command::new("unshare").args(["-rn", "nft", "-c", "-f", &file])).ends_with(0);
}

#[test]
fn firewall_rules_name_exactly_the_pairs_and_stock_nftables_takes_them() {
    let stage = Stage::organisation();
    let shown = stage.json("alice", &["firewall", "--user", "root"]).ends_with(0).json();
    let agents = String::from_utf8(stage.read("identity.json")).unwrap();
    let agents: Value = serde_json::from_str(&agents).unwrap();
    assert_eq!(shown["pairs"][0]["address"], agents["agent_addresses"][0], "{shown}");
    assert_eq!(shown["pairs"].as_array().unwrap().len(), 1, "{shown}");
    nft_takes(&stage, "endpoint.nft", shown["rules"].as_str().unwrap());

    let windows = stage.json("alice", &["firewall", "--windows"]).ends_with(0).json();
    assert_eq!(windows["pairs"], shown["pairs"]);
    let address = shown["pairs"][0]["address"].as_str().unwrap();
    let (host, port) = address.rsplit_once(':').unwrap();
    let allowed: Vec<&str> =
        windows["rules"].as_str().unwrap().lines().filter(|line| line.contains("Allow")).collect();
    assert_eq!(allowed.len(), 1, "{windows}");
    assert!(
        allowed[0].ends_with(&format!("-RemoteAddress '{host}' -RemotePort {port}")),
        "{windows}"
    );
    stage.tool("alice", &["firewall", "--program", "C:\\a.exe"]).ends_with(2).says(&["--windows"]);
    stage.tool("alice", &["firewall", "--windows", "--program", "a'.exe"]).ends_with(2);

    let config = String::from_utf8(stage.read("server/server.toml")).unwrap();
    let allow = "agent_allow = [\"192.0.2.0/24\", \"2001:db8::/32\"]";
    let config = config.replace("agent_listen = \"127.0.0.1", "agent_listen = \"0.0.0.0");
    stage.write("server/server.toml", &format!("{config}\n{allow}\n"));
    let mut command = Command::new(program("bartizan-server"));
    let rules = run(command.args(["firewall", "--dir"]).arg(stage.path("server"))).ends_with(0).out;
    for part in ["ip saddr 192.0.2.0/24 tcp", "ip6 saddr 2001:db8::/32 tcp", "counter drop"] {
        assert!(rules.contains(part), "{part} in {rules}");
    }
    assert!(rules.contains("# operator_allow is not set"), "{rules}");
    nft_takes(&stage, "server.nft", &rules);
}
