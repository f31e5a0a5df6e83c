//! `bartizan update` from a vendor's repository to a real endpoint, which has its own mind about the vendor.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::stage::{Stage, program, run};

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

/// A vendor with a target larger than any script, and a folder `targets` beside each variant's metadata.
fn vendor(stage: &Stage) {
    program("bartizan-tuf");
    let bytes: Vec<u8> = (0..3_000_000_u32).flat_map(u32::to_be_bytes).take(3_000_000).collect();
    std::fs::write(stage.path("target"), &bytes).unwrap();
    let script =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/peers/python/tuf_repository.py");
    run(Command::new(python())
        .arg(script)
        .arg(stage.path("vendor"))
        .arg(NAME)
        .arg(stage.path("target")))
    .ends_with(0);
    for variant in ["good", "unsigned_target", "wrong_hash"] {
        let targets = stage.path("vendor").join(variant).join("targets");
        std::fs::create_dir(&targets).unwrap();
        std::fs::copy(stage.path("target"), targets.join(NAME)).unwrap();
    }
}

fn arguments(stage: &Stage, variant: &str) -> Vec<String> {
    let text = |path: PathBuf| path.display().to_string();
    let mut arguments: Vec<String> =
        ["update", "--on", "all", "--no-wait", "--repository"].map(str::to_owned).into();
    arguments.push(text(stage.path("vendor").join(variant)));
    arguments.push("--vendor-root".to_owned());
    arguments.push(text(stage.path("vendor/root.json")));
    arguments
}

#[test]
fn an_update_is_signed_by_two_and_an_endpoint_believes_its_own_vendor_only() {
    let stage = Stage::with_endpoint();
    vendor(&stage);
    let update = |variant: &str| {
        let arguments = arguments(&stage, variant);
        stage.json("alice", &arguments.iter().map(String::as_str).collect::<Vec<_>>())
    };
    for (variant, words) in
        [("unsigned_target", "tuf.signature"), ("wrong_hash", "not what the vendor signed")]
    {
        let error = update(variant).error(3);
        assert!(error["message"].as_str().unwrap().contains(words), "{error}");
    }
    assert_eq!(stage.json("bob", &["pending"]).json()["jobs"].as_array().unwrap().len(), 0);

    let submitted = update("good").json();
    assert_eq!(submitted["class"], "update");
    assert_eq!((&submitted["version"], &submitted["root_threshold"]), (&"0.2.0".into(), &2.into()));
    let job = submitted["job"].as_str().unwrap();
    // One signature is too few, so it is delivered to nobody.
    assert_eq!(stage.json("bob", &["job", job]).json()["row"]["state"], "pending");
    let approved = stage.json("bob", &["approve", job, "--no-wait"]).json();
    assert_eq!(approved["words"], submitted["words"]);
    assert_eq!(stage.json("bob", &["job", job]).json()["row"]["state"], "active");

    // Three megabytes travel to the endpoint, whose package came without this vendor's root.
    stage.wait("the endpoint's answer", |stage| {
        let receipts = stage.json("alice", &["receipts", job]).json();
        receipts["receipts"].as_array().is_some_and(|all| !all.is_empty())
    });
    let receipts = stage.json("alice", &["receipts", job]).json();
    assert_eq!(receipts["receipts"][0]["code"], "update.vendor_refused", "{receipts}");
    // And it goes on as before.
    let job = stage.submit("change", "echo works\n");
    stage.json("bob", &["approve", &job, "--no-wait"]).json();
    stage.json("alice", &["watch", &job, "--timeout", "20s"]).ends_with(0);
}
