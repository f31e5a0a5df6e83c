//! The last resort: the machine's administrator gives it to another organisation, by hand and in no other way.

use std::fs;
use std::process::Output;

use bartizan_testkit::world::World;
use data_encoding::BASE64URL_NOPAD;
use serde_json::Value;

use crate::pipe::{Place, guard_command};

/// `bartizan-guard reanchor` to the organisation of `world`.
fn reanchor(place: &Place, world: &World) -> Output {
    let anchor = bartizan_trust::id::Anchor::new(world.org).to_string();
    let enrolment = BASE64URL_NOPAD.encode(&world.enrolment("acme").unwrap().encode());
    guard_command()
        .args(["reanchor", "--server", "rmm.example:443", "--anchor", &anchor])
        .args(["--enrolment", &enrolment, "--dir"])
        .arg(place.path("guard"))
        .output()
        .unwrap()
}

fn other() -> World {
    World::with(|bundle| {
        "0.0.1".clone_into(&mut bundle.min_agent);
        Ok(())
    })
    .unwrap()
}

fn status(place: &Place) -> Value {
    let output = guard_command().arg("status").arg("--dir").arg(place.path("guard")).output();
    serde_json::from_slice(&output.unwrap().stdout).unwrap()
}

#[test]
fn an_administrator_gives_the_machine_to_another_organisation() {
    let mut place = Place::new();
    let mut guard = place.start();
    guard.link(&place);
    let (job, content) = place.job("true\n");
    guard.deliver(job, &content);
    guard.receipt();
    guard.kill();
    let (before, key) = (status(&place), fs::read(place.path("guard/device.key")).unwrap());
    let output = reanchor(&place, &other());
    assert!(output.status.success(), "{output:?}");
    let after = status(&place);
    assert_ne!(after["anchor"], before["anchor"]);
    assert_ne!(after["endpoint"], before["endpoint"], "a key of its own");
    assert_eq!((&after["bundle"], &after["receipts"]), (&0.into(), &0.into()));
    assert_eq!(after["tenant"], Value::Null, "nothing of the old organisation is believed");
    // The old ledger is kept: state, key and receipts as they were.
    let aside = place.path("guard/former-1");
    assert_eq!(fs::read(aside.join("device.key")).unwrap(), key);
    for name in ["enrolled.json", "state.json", "certificate.der", "outbox"] {
        assert!(aside.join(name).exists(), "{name}");
    }
    // The guard runs for the new one, and does not fall back to the old.
    place.start().kill();
    assert_eq!(status(&place)["anchor"], after["anchor"]);
    assert!(reanchor(&place, &World::new().unwrap()).status.success(), "and back again");
    assert!(place.path("guard/former-2").exists());
}

#[test]
fn a_running_guard_is_not_reanchored() {
    let place = Place::new();
    let guard = place.start();
    let before = status(&place);
    let output = reanchor(&place, &other());
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("stop it first"), "{said}");
    assert!(!place.path("guard/former-1").exists());
    assert_eq!(status(&place), before);
    guard.kill();
}

#[test]
fn a_wrong_invitation_moves_nothing() {
    let place = Place::new();
    let before = status(&place);
    let anchor = bartizan_trust::id::Anchor::new(other().org).to_string();
    let of_another =
        BASE64URL_NOPAD.encode(&World::new().unwrap().enrolment("acme").unwrap().encode());
    for (anchor, enrolment, word) in [
        ("bz1-nonsense", of_another.as_str(), "--anchor"),
        (&anchor, "nonsense!", "--enrolment"),
        (&anchor, &of_another, "different organisations"),
    ] {
        let output = guard_command()
            .args(["reanchor", "--server", "a:1", "--anchor", anchor, "--enrolment", enrolment])
            .arg("--dir")
            .arg(place.path("guard"))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(1) && said.contains(word), "{said}");
    }
    assert_eq!(status(&place), before);
    assert!(!place.path("guard/former-1").exists());
}

#[test]
fn a_machine_keeps_to_its_own_organisation_unless_it_is_another() {
    let place = Place::new();
    let own = status(&place);
    let output = reanchor(&place, &place.world);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(1) && said.contains("already"), "{said}");
    assert_eq!(status(&place), own);
}
