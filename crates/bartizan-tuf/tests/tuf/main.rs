//! The vendor's word, against repositories that python-tuf builds: what is good is believed, every known way around it is
//! refused, and what was refused stands in nobody's way.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::path::{Path, PathBuf};
use std::process::Command;

use bartizan_tuf::{Refused, Request, Target, verify};

const NAME: &str = "bartizan-endpoint.tar";

/// The interpreter with the packages of `tests/peers/python/requirements.txt`.
fn python() -> PathBuf {
    let venv = std::env::var_os("BARTIZAN_VENV").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/venv"),
        PathBuf::from,
    );
    let python = venv.join("bin/python");
    assert!(python.exists(), "python-tuf is needed for this test: run `scripts/setup test`");
    python
}

struct Vendor(tempfile::TempDir);

impl Vendor {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("target"), b"a program").unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../tests/peers/python/tuf_repository.py");
        let out = Command::new(python())
            .arg(script)
            .arg(folder.path().join("repositories"))
            .arg(NAME)
            .arg(folder.path().join("target"))
            .output()
            .unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        Self(folder)
    }

    fn ask(&self, variant: &str, target: &str) -> Result<Target, Refused> {
        let repositories = self.0.path().join("repositories");
        verify(&Request {
            root: &repositories.join("root.json"),
            metadata: &repositories.join(variant).join("metadata"),
            store: &self.0.path().join("store"),
            target,
        })
    }

    /// The version that is believed, or the code of the refusal.
    fn judge(&self, variant: &str) -> String {
        match self.ask(variant, NAME) {
            Ok(target) => target.version,
            Err(refused) => code(&refused),
        }
    }

    /// What is in the store, by name.
    fn store(&self) -> Vec<(String, Vec<u8>)> {
        let mut files: Vec<_> = std::fs::read_dir(self.0.path().join("store"))
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| {
                let name = entry.file_name().into_string().unwrap();
                (name, std::fs::read(entry.path()).unwrap())
            })
            .collect();
        files.sort();
        files
    }
}

fn code(refused: &Refused) -> String {
    let text = refused.to_string();
    text.trim_start_matches('[').split(']').next().unwrap().to_owned()
}

/// Refused with this code, nothing of it kept, and the good one is still believed afterwards.
#[track_caller]
fn refused(variant: &str, expected: &str) {
    let vendor = Vendor::new();
    assert_eq!(vendor.judge(variant), expected);
    assert_eq!(vendor.store(), [], "what was refused is not remembered");
    assert_eq!(vendor.judge("good"), "0.2.0");
}

#[test]
fn a_good_repository_is_believed() {
    let target = Vendor::new().ask("good", NAME).unwrap();
    assert_eq!(
        target,
        Target {
            name: NAME.to_owned(),
            version: "0.2.0".to_owned(),
            // sha256sum of `a program`.
            sha256: "d69ea8cda2433733c1ce02de65da8f48e6a3dbba6bb18876a2062908e54ef7cb".to_owned(),
            size: 9,
        }
    );
}

#[test]
fn a_target_the_vendor_did_not_sign_is_refused() {
    refused("unsigned_target", "tuf.signature");
}

#[test]
fn one_of_two_vendor_keys_is_too_few() {
    refused("one_of_two", "tuf.signature");
}

// CVE-2026-6966
#[test]
fn one_signature_twice_does_not_meet_a_threshold_of_two() {
    refused("doubled", "tuf.signature");
    refused("relabelled", "tuf.signature");
}

#[test]
fn expired_metadata_is_refused() {
    refused("expired", "tuf.expired");
}

#[test]
fn targets_that_the_snapshot_does_not_name_are_refused() {
    refused("swapped", "tuf.invalid");
}

#[test]
fn a_delegated_target_is_refused() {
    refused("delegated", "tuf.no_target");
}

#[test]
fn a_target_without_a_version_is_refused() {
    refused("without_version", "tuf.no_target");
}

// CVE-2025-2885
#[test]
fn a_root_that_is_not_the_next_one_is_refused() {
    refused("root_gap", "tuf.rollback");
}

#[test]
fn a_root_that_the_one_before_did_not_sign_is_refused() {
    refused("root_stranger", "tuf.signature");
}

#[test]
fn an_older_repository_is_refused_after_a_newer_one() {
    let vendor = Vendor::new();
    assert_eq!(vendor.judge("good"), "0.2.0");
    assert_eq!(vendor.judge("newer"), "0.3.0");
    let before = vendor.store();
    assert_eq!(vendor.judge("good"), "tuf.rollback");
    assert_eq!(vendor.judge("older_snapshot"), "tuf.rollback");
    assert_eq!(vendor.store(), before);
    assert_eq!(vendor.judge("newer"), "0.3.0");
}

// CVE-2025-2888
#[test]
fn refused_metadata_does_not_block_what_is_good_later() {
    let vendor = Vendor::new();
    assert_eq!(vendor.judge("forged_timestamp"), "tuf.signature");
    // Signed rightly, version 99, but what it names is not there.
    assert_eq!(vendor.judge("half_timestamp"), "tuf.invalid");
    assert_eq!(vendor.judge("good"), "0.2.0");
}

#[test]
fn a_rotated_key_is_followed_and_the_old_one_is_not_believed_again() {
    let vendor = Vendor::new();
    assert_eq!(vendor.judge("rotated"), "0.2.0");
    // The old timestamp key, under the first root only: the root that was reached counts.
    assert_eq!(vendor.judge("good"), "tuf.signature");
    assert_eq!(vendor.judge("rotated"), "0.2.0");
}

#[test]
fn another_name_and_names_with_paths_are_no_target() {
    let vendor = Vendor::new();
    for name in ["other.tar", "../bartizan-endpoint.tar", "", "bartizan-endpoint.tar/"] {
        assert_eq!(code(&vendor.ask("good", name).unwrap_err()), "tuf.no_target", "{name}");
    }
}

#[test]
fn the_program_says_what_the_library_says() {
    let vendor = Vendor::new();
    let run = |variant: &str| {
        let repositories = vendor.0.path().join("repositories");
        let out = Command::new(env!("CARGO_BIN_EXE_bartizan-tuf"))
            .arg("verify")
            .arg(repositories.join("root.json"))
            .arg(repositories.join(variant).join("metadata"))
            .arg(vendor.0.path().join("store"))
            .arg(NAME)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&out.stdout) + String::from_utf8_lossy(&out.stderr);
        (out.status.code(), text.into_owned())
    };
    let (status, text) = run("good");
    assert_eq!(status, Some(0), "{text}");
    let said: Target = serde_json::from_str(&text).unwrap();
    assert_eq!(said, vendor.ask("good", NAME).unwrap());
    let (status, text) = run("expired");
    assert_eq!(status, Some(1));
    assert!(text.starts_with("[tuf.expired]"), "{text}");
}
