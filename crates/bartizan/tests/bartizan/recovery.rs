//! Every row of the recovery table, with real processes: what people type, and what the endpoint makes of it.

use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::people::{both, decision, runs, words};
use crate::stage::{Answer, Stage, program, run};

/// A server shows endpoints new times of an old log once a minute, and delays are counted by those.
const REFRESH: Duration = Duration::from_mins(3);

/// With the passphrase of the sheets.
fn paper(stage: &Stage, who: &str, arguments: &[&str]) -> Answer {
    let mut command = stage.command(who, arguments);
    command.args(["--yes", "--json"]).env("BARTIZAN_PASSPHRASE_FILE", stage.path("phrase"));
    run(&mut command)
}

/// Alice and Bob with a recovery key and a spare witness on paper, and an endpoint of theirs.
fn founded(delay: &str) -> Stage {
    let mut stage = Stage::new();
    stage.people(&["alice", "bob"]);
    stage.init_server();
    stage.write("phrase", "five random words of ours\n");
    paper(&stage, "alice", &["recovery", "new", "--dir", "paper"]).ends_with(0);
    let make = ["init", "--id", "alice", "--name", "Alice", "--with", "bob.card"];
    let rest = ["--server", "identity.json", "--recovery", "paper/recovery.json"];
    let delay = ["--recovery-delay", delay];
    stage.json("alice", &[make.as_slice(), &rest, &delay].concat()).ends_with(0);
    stage.json("bob", &["init", "--countersign", "genesis.json"]).ends_with(0);
    stage.start_server();
    let publish = ["init", "--publish", "genesis.json", "--server", &stage.plane];
    stage.json("alice", &publish).ends_with(0);
    join(&stage, "bob");
    stage.add_endpoint();
    stage
}

fn anchor(stage: &Stage) -> String {
    stage.json("alice", &["org"]).json()["anchor"].as_str().unwrap().to_owned()
}

fn join(stage: &Stage, who: &str) {
    let join = ["join", "--anchor", &anchor(stage), "--server", &stage.plane];
    stage.json(who, &join).ends_with(0);
}

/// What the endpoint itself believes.
fn endpoint(stage: &Stage) -> Value {
    let mut command = Command::new(program("bartizan-guard"));
    run(command.args(["status", "--dir"]).arg(stage.path("endpoint"))).ends_with(0).json()
}

#[track_caller]
fn follows(stage: &Stage, version: u64) {
    stage.wait_for(REFRESH, "the endpoint's new bundle", |stage| {
        endpoint(stage)["bundle"] == version
    });
}

#[test]
fn one_of_two_people_gone() {
    let mut stage = founded("3s");
    runs(&stage, "alice", "bob");
    // Bob is gone, with his computer. Alice alone changes nothing.
    stage.end("witness-bob");
    stage.people(&["carol"]);
    let carol = words(&stage, "carol");
    let add = stage.json("alice", &["operator", "add", "carol.card", "--words", &carol]).json();
    assert_eq!(add["done"], false, "{add}");

    let propose = ["recover", "propose", "--sheet", "paper/recovery.age", "--keep", "alice"];
    let with = ["--with", "carol.card", "--words", &carol];
    let proposed = paper(&stage, "alice", &[propose.as_slice(), &with].concat()).json();
    // By the recovery key alone, or without enough of the new people, nothing happens.
    let send = ["recover", "send", "recovered.json", "--sheet", "paper/recovery.age"];
    assert_eq!(paper(&stage, "alice", &send).error(3)["code"], "bundle.threshold");
    for who in ["alice", "carol"] {
        let signed = stage.json(who, &["recover", "sign", "recovered.json"]).json();
        assert_eq!(signed["words"], proposed["words"]);
    }
    stage.json("bob", &["recover", "sign", "recovered.json"]).error(1);
    assert_eq!(paper(&stage, "alice", &send).json()["statement"], proposed["statement"]);
    follows(&stage, 2);

    // Bob's key counts no longer. Carol's console is named as a witness, and the two work on.
    stage.json("bob", &["endpoints"]).error(3);
    join(&stage, "carol");
    let witness = ["operator", "witness", "add", "carol.card", "--words", &carol];
    both(&stage, &stage.json("alice", &witness), "carol");
    stage.watch("carol");
    follows(&stage, 3);
    runs(&stage, "alice", "carol");
}

#[test]
fn both_gone() {
    let mut stage = founded("3s");
    // Nobody is left, and no console co-signs. New people have the two sheets, the anchor and the address.
    stage.end("witness-alice");
    stage.end("witness-bob");
    stage.people(&["dora", "emil"]);
    let (dora, emil) = (words(&stage, "dora"), words(&stage, "emil"));
    let place = ["--sheet", "paper/recovery.age", "--anchor", &anchor(&stage), "--server"];
    let place = [place.as_slice(), &[&stage.plane]].concat();
    let spare = ["--witness-sheet", "paper/spare-witness.age"];
    let with = ["--with", "dora.card", "emil.card", "--words", &dora, "--words", &emil];
    let propose = [&["recover", "propose"], place.as_slice(), &with].concat();
    paper(&stage, "dora", &propose).ends_with(0);
    for who in ["dora", "emil"] {
        stage.json(who, &["recover", "sign", "recovered.json"]).ends_with(0);
    }
    let send = [&["recover", "send", "recovered.json"], place.as_slice(), &spare].concat();
    paper(&stage, "dora", &send).ends_with(0);
    let finish = [&["recover", "finish"], place.as_slice(), &spare].concat();
    // Co-signed again after the delay: that is what ends it for the endpoint.
    stage.wait_for(REFRESH, "the end of the delay", |stage| {
        paper(stage, "dora", &finish).json()["in_force"] == true && endpoint(stage)["bundle"] == 2
    });

    // Their consoles take the places of those that are gone; the spare witness vouches for that too.
    for who in ["dora", "emil"] {
        join(&stage, who);
    }
    for (card, words) in [("dora.card", &dora), ("emil.card", &emil)] {
        let add = ["operator", "witness", "add", card, "--words", words];
        both(&stage, &stage.json("dora", &add), "emil");
        paper(&stage, "dora", &finish).ends_with(0);
    }
    follows(&stage, 4);
    stage.watch("dora");
    stage.watch("emil");
    runs(&stage, "dora", "emil");
}

#[test]
fn a_stolen_recovery_key_is_vetoed_by_one_and_changes_nothing_else() {
    let stage = founded("1h");
    stage.people(&["mallory", "eve"]);
    let (mallory, eve) = (words(&stage, "mallory"), words(&stage, "eve"));
    let place = ["--sheet", "paper/recovery.age", "--anchor", &anchor(&stage), "--server"];
    let place = [place.as_slice(), &[&stage.plane]].concat();
    let with = ["--with", "mallory.card", "eve.card", "--words", &mallory, "--words", &eve];
    paper(&stage, "mallory", &[&["recover", "propose"], place.as_slice(), &with].concat())
        .ends_with(0);
    for who in ["mallory", "eve"] {
        stage.json(who, &["recover", "sign", "recovered.json"]).ends_with(0);
    }
    let send = [&["recover", "send", "recovered.json"], place.as_slice()].concat();
    let sent = paper(&stage, "mallory", &send).json();
    let id = sent["statement"].as_str().unwrap();
    assert_eq!(sent["in_force"], false, "{sent}");
    // Until then they are nobody, also to the server.
    stage
        .json("mallory", &["join", "--anchor", &anchor(&stage), "--server", &stage.plane])
        .error(3);
    stage.tool("bob", &["frozen"]).ends_with(0).says(&[id, "bundle veto"]);
    stage.json("bob", &["bundle", "veto", id]).ends_with(0);
    let frozen = stage.json("alice", &["frozen"]).json();
    assert_eq!(frozen["server"]["pending"], serde_json::json!([]), "{frozen}");
    assert_eq!(
        paper(&stage, "alice", &["recover", "finish", "--sheet", "paper/recovery.age"]).json()["version"],
        1
    );
    runs(&stage, "alice", "bob");
    assert_eq!(endpoint(&stage)["bundle"], 1);
    // The wrong passphrase opens nothing.
    stage.write("phrase", "a guess\n");
    let finish = ["recover", "finish", "--sheet", "paper/recovery.age"];
    paper(&stage, "alice", &finish).error(1);
}

#[test]
fn the_paper_lost() {
    let stage = founded("1h");
    stage.people(&["mallory"]);
    paper(&stage, "bob", &["recovery", "new", "--dir", "paper2"]).ends_with(0);
    paper(&stage, "bob", &["recovery", "new", "--dir", "paper2"]).error(1);
    let replace = ["recovery", "replace", "paper2/recovery.json"];
    both(&stage, &stage.json("bob", &replace), "alice");
    follows(&stage, 2);
    // The old sheet opens, and is worth nothing.
    let old = ["recover", "finish", "--sheet", "paper/recovery.age"];
    paper(&stage, "alice", &old).error(3);
    let new = ["recover", "finish", "--sheet", "paper2/recovery.age"];
    assert_eq!(paper(&stage, "alice", &new).json()["version"], 2);
    let spare = ["--witness-sheet", "paper/spare-witness.age"];
    let error = paper(&stage, "alice", &[new.as_slice(), &spare].concat()).error(3);
    assert!(error["message"].as_str().unwrap().contains("spare witness"), "{error}");
    runs(&stage, "alice", "bob");
}

#[test]
fn everything_lost_and_the_administrator_gives_the_machine_to_a_new_organisation() {
    let mut stage = founded("1h");
    runs(&stage, "alice", "bob");
    let lost = stage.submit("change", "echo of the lost organisation\n");
    stage.end("guard");
    stage.json("bob", &["approve", &lost, "--no-wait"]).ends_with(0);
    let before = endpoint(&stage);

    // Another server, other people; on the machine, by hand.
    let mut new = Stage::organisation();
    let enroll = ["enroll", "--tenant", "acme", "--site", "hq"];
    let grant = new.json("alice", &enroll).json();
    let line = grant["command"].as_str().unwrap();
    let options = || line.split_whitespace().skip(2);
    let guard = |command: &str| {
        let mut line = Command::new(program("bartizan-guard"));
        run(line.arg(command).args(options()).arg("--dir").arg(stage.path("endpoint")))
    };
    // `enroll` does not do it by accident.
    guard("enroll").ends_with(1).says(&["reanchor"]);
    guard("reanchor").ends_with(0).says(&["former-1"]);
    let after = endpoint(&stage);
    assert_eq!(after["anchor"], new.json("bob", &["org"]).json()["anchor"]);
    assert_ne!(after["endpoint"], before["endpoint"]);

    for who in ["alice", "bob"] {
        new.watch(who);
    }
    stage.restart_guard(&[]);
    new.wait("a connected endpoint", |new| {
        new.json("alice", &["endpoints"]).json()["endpoints"][0]["connected"] == true
    });
    runs(&new, "alice", "bob");
    // The old organisation reaches it no longer: what was queued there never ran.
    assert_eq!(decision(&stage, "bob", &lost), "");
    assert!(stage.path("endpoint/former-1/device.key").exists());
}
