//! An organisation comes into being on two people's computers; a server cannot make or change one.

use crate::stage::Stage;

#[test]
fn two_homes_found_an_organisation_and_both_see_the_same_words() {
    let stage = Stage::organisation();
    let (alice, bob) = (stage.json("alice", &["org"]).json(), stage.json("bob", &["org"]).json());
    assert_eq!(alice, bob);
    assert_eq!(alice["words"].as_str().unwrap().split(' ').count(), 8);
    assert_eq!(alice["server"], stage.plane.as_str());
    let status = stage.json("bob", &["status"]).json();
    assert_eq!((&status["bundle"], &status["operators"]), (&1.into(), &2.into()));
    assert_eq!(status["anchor"], alice["anchor"]);
    assert!(status["server"]["spki"].as_str().unwrap().len() == 64);
    stage.tool("bob", &["status"]).ends_with(0).says(&["anchor", "bundle  version 1, 2 operators"]);

    // Nothing is there yet, and every list says so.
    assert_eq!(stage.json("bob", &["endpoints"]).json()["endpoints"].as_array().unwrap().len(), 0);
    stage.tool("bob", &["endpoints"]).ends_with(0).says(&["bartizan enroll"]);
    for command in ["jobs", "pending"] {
        assert_eq!(stage.json("bob", &[command]).json()["jobs"].as_array().unwrap().len(), 0);
    }
    let witnessed = stage.json("bob", &["witness", "--once"]).json();
    assert_eq!(witnessed["cosigned"][0]["log"], "control");
    assert_eq!(witnessed["cosigned"][0]["size"], 1);
    let verified = stage.json("alice", &["log", "verify"]).json();
    assert_eq!(verified["ok"], true);
    assert_eq!(verified["logs"][0]["cosigned_by"].as_array().unwrap().len(), 2, "{verified}");
}

#[test]
fn a_bundle_without_its_second_signature_is_not_published() {
    let mut stage = Stage::new();
    stage.people(&["alice", "bob"]);
    stage.init_server();
    let make = ["init", "--id", "alice", "--name", "Alice", "--with", "bob.card"];
    let rest = ["--server", "identity.json", "--out", "genesis.json"];
    let make = [make.as_slice(), &rest].concat();
    let made = stage.json("alice", &make).json();
    assert_eq!(made["signatures"], 1);
    stage.start_server();
    let publish = ["init", "--publish", "genesis.json", "--server", &stage.plane];
    stage.tool("alice", &publish).ends_with(3).says(&["bundle.threshold", "next: "]);

    // The same person twice is one person.
    stage.tool("alice", &["init", "--countersign", "genesis.json"]);
    stage.json("alice", &publish).error(3);
    // Making it again must not throw away what others may have signed.
    let before = stage.read("genesis.json");
    stage.tool("alice", &make).ends_with(1).says(&["genesis.json exists", "--out"]);
    assert_eq!(stage.read("genesis.json"), before);

    let signed = stage.json("bob", &["init", "--countersign", "genesis.json"]).json();
    assert_eq!(signed["anchor"], made["anchor"], "a signature does not change what is signed");
    assert_eq!(signed["words"], made["words"]);
    stage.json("alice", &publish).ends_with(0);
}

#[test]
fn an_unsigned_and_a_foreign_genesis_are_refused() {
    let stage = Stage::organisation();
    let other = Stage::organisation();
    let anchor = other.json("alice", &["org"]).json()["anchor"].as_str().unwrap().to_owned();

    // Bob of the one organisation is sent to the server of the other.
    stage.people(&["dora"]);
    let join = ["join", "--anchor", &anchor, "--server", &stage.plane];
    stage.json("dora", &join).error(3);
    assert!(!stage.path("dora/org.json").exists(), "a refused organisation is not kept");

    // Somebody the bundle does not name cannot log in.
    let own = stage.json("alice", &["org"]).json()["anchor"].as_str().unwrap().to_owned();
    let stranger = stage.json("dora", &["join", "--anchor", &own, "--server", &stage.plane]);
    stranger.error(3);
    assert!(!stage.path("dora/org.json").exists());

    // A home that belongs to one organisation is not given to another.
    let before = stage.read("bob/org.json");
    let moved = ["join", "--anchor", &anchor, "--server", &other.plane];
    stage.tool("bob", &moved).ends_with(1).says(&["belongs to the organisation", "--home"]);
    assert_eq!(stage.read("bob/org.json"), before);

    // A second genesis is refused by a server that has one.
    std::fs::copy(other.path("genesis.json"), stage.path("other.json")).unwrap();
    let publish = ["init", "--publish", "other.json", "--server", &stage.plane];
    stage.people(&["eve"]);
    let code = stage.json("eve", &publish).code;
    assert_ne!(code, 0);
}

#[test]
fn another_server_at_the_same_address_is_not_spoken_to() {
    let stage = Stage::organisation();
    let other = Stage::organisation();
    let file = String::from_utf8(stage.read("bob/org.json")).unwrap();
    stage.write("bob/org.json", &file.replace(&stage.plane, &other.plane));
    let error = stage.json("bob", &["status"]).error(3);
    assert!(error["next"].as_str().unwrap().contains("do not go on"), "{error}");
}

#[test]
fn a_server_that_is_away_ends_a_command_with_5() {
    let mut stage = Stage::organisation();
    stage.end("server");
    for command in ["status", "endpoints", "jobs", "pending"] {
        assert_eq!(stage.json("bob", &[command]).error(5)["code"], "unreachable");
    }
    stage.tool("bob", &["status"]).ends_with(5).says(&[
        &stage.plane,
        "cannot be reached",
        "next: ",
    ]);
    stage.tool("bob", &["witness", "--once"]).ends_with(5);
    // What needs no server still works.
    stage.tool("bob", &["org"]).ends_with(0).says(&["anchor bz1-"]);
}
