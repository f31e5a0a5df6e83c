//! Damaged files of an operator's home: each is named, with its remedy, and none is replaced.

use crate::stage::Stage;

/// Damages one file, runs a command that needs it, and puts it back.
#[track_caller]
fn check(stage: &Stage, file: &str, command: &[&str], remedy: &str) {
    let path = format!("bob/{file}");
    let original = stage.read(&path);
    for damage in ["", "{", "\u{1b}[2J\0", "[1,2]"] {
        stage.write(&path, damage);
        let answer = stage.tool("bob", command).ends_with(1);
        answer.says(&[file, remedy, "next: "]);
        assert!(!answer.err.contains('\u{1b}'), "{answer:?}");
        stage.json("bob", command).error(1);
        assert_eq!(stage.read(&path), damage.as_bytes(), "{file} was replaced");
    }
    std::fs::write(stage.path(&path), original).unwrap();
    stage.tool("bob", command).ends_with(0);
}

#[test]
fn each_damaged_file_is_named_with_its_remedy_and_kept() {
    let stage = Stage::organisation();
    check(&stage, "org.json", &["status"], "bartizan join");
    let join = stage.json("bob", &["org"]).json()["anchor"].as_str().unwrap().to_owned();
    let join = ["join", "--anchor", &join, "--server", &stage.plane];
    check(&stage, "org.json", &join, "restore it from a backup");
    check(&stage, "session.json", &["status"], "logs in anew");
    check(&stage, "session.key", &["status"], "logs in anew");
    check(&stage, "witness-state.json", &["witness", "--once"], "restore it from a backup");
    check(&stage, "witness-state.json", &["log", "verify"], "restore it from a backup");
    check(&stage, "witness.key", &["witness", "--once"], "restore it from a backup");
    let card = ["card", "--id", "bob", "--name", "Bob"];
    check(&stage, "id_ed25519", &card, "must come from a backup");
}

#[test]
fn a_file_with_an_unknown_or_a_missing_field_is_damaged() {
    let stage = Stage::organisation();
    let original = String::from_utf8(stage.read("bob/org.json")).unwrap();
    let without = original.replace("\"spki\"", "\"spkl\"");
    stage.write("bob/org.json", &without);
    stage.tool("bob", &["status"]).ends_with(1).says(&["org.json is damaged", "spk"]);
    let with = original.replacen('{', "{\"danger\": true,", 1);
    stage.write("bob/org.json", &with);
    stage.tool("bob", &["status"]).ends_with(1).says(&["org.json is damaged", "danger"]);
}

#[test]
fn a_home_that_cannot_be_made_and_one_that_is_empty_say_what_to_do() {
    let stage = Stage::new();
    stage.write("occupied", "a file");
    stage.tool("occupied/home", &["status"]).ends_with(1).says(&["occupied/home", "next: "]);
    let empty = stage.tool("nobody", &["status"]).ends_with(1);
    empty.says(&[
        "belongs to no organisation yet",
        "next: open `bartizan console`",
        "run `bartizan join",
    ]);
    stage.tool("nobody", &["card", "--id", "x", "--name", "X"]).ends_with(1).says(&["ssh-agent"]);
    stage.json("nobody", &["endpoints"]).error(1);
}

#[test]
fn damaged_cards_and_identities_are_named() {
    let stage = Stage::new();
    stage.people(&["alice", "bob"]);
    stage.init_server();
    stage.write("bad.card", "{\"id\":\"op_bob\"}");
    stage.write("bad.json", "{}");
    let init = |card: &str, server: &str| {
        let who = ["init", "--id", "alice", "--name", "A", "--with", card];
        let made = stage.tool("alice", &[who.as_slice(), &["--server", server]].concat());
        assert!(!stage.path("genesis.json").exists() || made.code == 0, "{made:?}");
        made
    };
    init("bad.card", "identity.json").ends_with(1).says(&["bad.card", "missing field"]);
    init("absent.card", "identity.json").ends_with(1).says(&["absent.card"]);
    init("bob.card", "bad.json").ends_with(1).says(&["bad.json", "bartizan-server identity"]);
    // One person under two names, and two people under one name.
    let own = stage.tool("alice", &["card", "--id", "zoe", "--name", "Zoe"]).ends_with(0);
    stage.write("zoe.card", &own.out);
    init("zoe.card", "identity.json").ends_with(1).says(&["this bundle would be invalid"]);
    init("alice.card", "identity.json").ends_with(1).says(&["this bundle would be invalid"]);
    init("bob.card", "identity.json").ends_with(0);
}
