//! What lies in the guard's folder when somebody or something has been at it; certificate and command line.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Output};

use crate::pipe::{Place, guard_command};

fn guard(place: &Place, arguments: &[&str]) -> Output {
    guard_command().args(arguments).arg("--dir").arg(place.path("guard")).output().unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn everything_in_the_folder_is_its_owners_only() {
    let place = Place::new();
    place.start().kill();
    let mut folders = vec![place.path("guard")];
    while let Some(folder) = folders.pop() {
        assert_eq!(mode(&folder), 0o700, "{}", folder.display());
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                assert_eq!(mode(&path), 0o600, "{}", path.display());
            }
        }
    }
}

#[test]
fn a_damaged_state_is_reported_kept_aside_and_the_endpoint_goes_on() {
    let mut place = Place::new();
    let mut guard = place.start();
    guard.link(&place);
    let (job, content) = place.job("true\n");
    guard.deliver(job.clone(), &content);
    guard.receipt();
    guard.kill();
    let state = place.path("guard/state.json");
    let good = fs::read(&state).unwrap();
    for damage in [&b""[..], b"{}", &good[..good.len() / 2], &[0; 4096]] {
        fs::write(&state, damage).unwrap();
        let mut guard = place.start();
        assert!(place.log().contains("state.json is damaged. Kept as"), "{}", place.log());
        let seen = guard.link(&place);
        assert_eq!(seen.control_size, 0, "it begins from its anchor");
        // What it ran before it forgot does not run again.
        guard.deliver(place.for_view(&job, seen.jobs_size), &content);
        assert_eq!(guard.receipt_of_a_refusal(), "replay.seen");
        guard.kill();
    }
    let kept: Vec<Vec<u8>> = (1..=4)
        .map(|n| fs::read(place.path(&format!("guard/state.json.damaged-{n}"))).unwrap())
        .collect();
    assert_eq!(kept[2], good[..good.len() / 2], "exactly what was found");
}

#[test]
fn a_link_in_the_place_of_the_state_is_not_followed() {
    let place = Place::new();
    let (state, elsewhere) = (place.path("guard/state.json"), place.path("elsewhere.json"));
    // A perfect state, but not in its place: somebody could exchange it for an older one.
    fs::rename(&state, &elsewhere).unwrap();
    symlink(&elsewhere, &state).unwrap();
    let before = fs::read(&elsewhere).unwrap();
    place.start().kill();
    assert!(place.log().contains("state.json is damaged. Kept as"), "{}", place.log());
    assert_eq!(fs::read(&elsewhere).unwrap(), before, "what it points to is untouched");
    assert!(state.symlink_metadata().unwrap().is_file());
    let aside = place.path("guard/state.json.damaged-1");
    assert!(aside.symlink_metadata().unwrap().is_symlink());
}

#[test]
fn a_damaged_identity_stops_the_guard_with_advice_and_is_left_alone() {
    for (file, advice) in
        [("enrolled.json", "enrol this endpoint anew"), ("device.key", "restore it from a backup")]
    {
        let place = Place::new();
        let path = place.path("guard").join(file);
        fs::write(&path, "damaged").unwrap();
        let out = guard(&place, &["run"]);
        let said = String::from_utf8(out.stderr).unwrap();
        assert_eq!(out.status.code(), Some(1));
        assert!(said.contains(file) && said.contains(advice), "{file}: {said}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "damaged");
    }
}

#[test]
fn enrolling_twice_or_while_a_guard_runs_changes_nothing() {
    let place = Place::new();
    let key = fs::read(place.path("guard/device.key")).unwrap();
    let again = |place: &Place| {
        let out = place.enroll();
        assert_eq!(out.status.code(), Some(1));
        String::from_utf8(out.stderr).unwrap()
    };
    assert!(again(&place).contains("enrolled already"));
    let running = place.start();
    assert!(again(&place).contains("another bartizan-guard"));
    assert!(
        String::from_utf8(guard(&place, &["run"]).stderr)
            .unwrap()
            .contains("another bartizan-guard")
    );
    running.kill();
    assert_eq!(fs::read(place.path("guard/device.key")).unwrap(), key);
}

#[test]
fn looking_does_not_change_what_is_looked_at() {
    let place = Place::new();
    let path = place.path("guard/state.json");
    let out = guard(&place, &["status"]);
    let found: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(found["endpoint"], place.endpoint.to_string());
    fs::write(&path, "damaged").unwrap();
    let out = guard(&place, &["status"]);
    assert_eq!(out.status.code(), Some(1));
    assert!(String::from_utf8(out.stderr).unwrap().contains("state.json is damaged"));
    assert_eq!(fs::read_to_string(&path).unwrap(), "damaged", "only `run` keeps it aside");
}

#[test]
fn a_wrong_command_line_shows_all_its_mistakes() {
    let out = guard_command()
        .args(["enroll", "--speed", "9", "--dir", "a", "--dir", "b", "--server"])
        .output()
        .unwrap();
    let said = String::from_utf8(out.stderr).unwrap();
    assert_eq!(out.status.code(), Some(2));
    for mistake in [
        "`--speed`",
        "`--dir` stands twice",
        "`--server` needs",
        "`--anchor` is missing",
        "`--enrolment` is missing",
        "Usage:",
    ] {
        assert!(said.contains(mistake), "{mistake} in {said}");
    }
    let out = guard_command().args(["run", "--dir", "/nonexistent"]).output().unwrap();
    assert_eq!(out.status.code(), Some(1));
    assert!(String::from_utf8(out.stderr).unwrap().contains("run `bartizan-guard enroll` first"));
}

fn openssl(arguments: &[&str], file: &Path) -> String {
    let out =
        Command::new("openssl").args(arguments).arg(file).output().expect("openssl is missing");
    let said = String::from_utf8_lossy(&[out.stdout, out.stderr].concat()).into_owned();
    assert!(out.status.success(), "{said}");
    said
}

#[test]
fn openssl_reads_and_verifies_the_devices_certificate() {
    let place = Place::new();
    let (der, pem) = (place.path("guard/certificate.der"), place.path("certificate.pem"));
    let text = openssl(&["x509", "-inform", "DER", "-noout", "-text", "-in"], &der);
    for expected in [
        "Version: 3 (0x2)",
        "Signature Algorithm: ED25519",
        "Issuer: CN = bartizan endpoint",
        "Public Key Algorithm: ED25519",
        "Not After : Dec 31 23:59:59 9999 GMT",
    ] {
        assert!(text.replace("CN=", "CN = ").contains(expected), "{expected} in {text}");
    }
    let encoded = openssl(&["x509", "-inform", "DER", "-in"], &der);
    fs::write(&pem, encoded).unwrap();
    let trusted = pem.display().to_string();
    let verified = openssl(&["verify", "-check_ss_sig", "-CAfile", &trusted], &pem);
    assert!(verified.contains(": OK"), "{verified}");
    // One flipped bit of the signature, and it is no more.
    let mut bytes = fs::read(&der).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    let bad = place.path("bad.der");
    fs::write(&bad, bytes).unwrap();
    fs::write(&pem, openssl(&["x509", "-inform", "DER", "-in"], &bad)).unwrap();
    let out = Command::new("openssl")
        .args(["verify", "-check_ss_sig", "-CAfile", &trusted])
        .arg(&pem)
        .output()
        .expect("openssl is missing");
    assert!(!out.status.success());
}
