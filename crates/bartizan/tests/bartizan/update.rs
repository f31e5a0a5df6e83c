//! `bartizan update` from a vendor's repository to a real endpoint, which has its own mind about the vendor.

use std::path::{Path, PathBuf};
use std::process::Command;

use bartizan_trust::id::Sha256;

use crate::stage::{Answer, Stage, program, run};

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

/// `bartizan update` from a repository, with the vendor's root as it came with the package.
fn update(stage: &Stage, repository: &str, more: &[&str]) -> Answer {
    let root = stage.text("vendor/root.json");
    let start = ["update", "--on", "all", "--no-wait", "--vendor-root", &root, "--repository"];
    stage.json("alice", &[&start[..], &[repository], more].concat())
}

/// Serves a folder as any web server would; its port.
fn serve(stage: &mut Stage, name: &str, folder: &str, tls: &str) -> String {
    let script = "import functools, http.server, ssl, sys\n\
        handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=sys.argv[1])\n\
        server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler)\n\
        if sys.argv[2]:\n\
        \x20   context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)\n\
        \x20   context.load_cert_chain(sys.argv[2])\n\
        \x20   server.socket = context.wrap_socket(server.socket, server_side=True)\n\
        print(server.server_port, flush=True)\n\
        server.serve_forever()\n";
    let mut command = Command::new(python());
    command.args(["-c", script]).arg(stage.path(folder)).arg(tls);
    stage.start(name, &mut command);
    let file = format!("{name}.out");
    stage.wait("a web server", |stage| stage.read(&file).ends_with(b"\n"));
    String::from_utf8(stage.read(&file)).unwrap().trim().to_owned()
}

#[test]
fn a_repository_on_the_web_is_fetched_and_judged_like_a_folder() {
    let mut stage = Stage::with_endpoint();
    vendor(&stage);
    // A repository that keeps its target under its hash.
    let good = stage.path("vendor/good");
    let hash = Sha256::of(&stage.read("target"));
    std::fs::rename(
        good.join("targets").join(NAME),
        good.join("targets").join(format!("{hash}.{NAME}")),
    )
    .unwrap();
    let port = serve(&mut stage, "web", "vendor", "");
    let at = |variant: &str| format!("http://127.0.0.1:{port}/{variant}");

    for (variant, words) in [
        ("unsigned_target", "tuf.signature"),
        ("wrong_hash", "not what the vendor signed"),
        ("expired", "tuf.expired"),
    ] {
        let error = update(&stage, &at(variant), &[]).error(3);
        assert!(error["message"].as_str().unwrap().contains(words), "{variant}: {error}");
    }
    let error = update(&stage, &at("nothing"), &[]).error(3);
    assert!(error["message"].as_str().unwrap().contains("is no repository"), "{error}");
    // A folder without a slash at its end is moved to the one with it.
    std::fs::create_dir_all(stage.path("vendor/odd/metadata/timestamp.json")).unwrap();
    let error = update(&stage, &at("odd"), &[]).error(5);
    assert!(error["message"].as_str().unwrap().contains("it moved to"), "{error}");
    // Bytes that nobody signed, as large as the vendor's.
    let swapped = good.join("targets").join(format!("{hash}.{NAME}"));
    let target = stage.read("target");
    std::fs::write(&swapped, vec![0; target.len()]).unwrap();
    let error = update(&stage, &at("good"), &[]).error(3);
    assert!(error["message"].as_str().unwrap().contains("not what the vendor signed"), "{error}");
    std::fs::write(&swapped, [&target[..], b"more"].concat()).unwrap();
    update(&stage, &at("good"), &[]).error(5);
    std::fs::write(&swapped, &target).unwrap();
    assert_eq!(stage.json("bob", &["pending"]).json()["jobs"].as_array().unwrap().len(), 0);

    let submitted = update(&stage, &format!("{}/", at("good")), &[]).json();
    assert_eq!(submitted["version"], "0.2.0");
    // Over TLS, to somebody whose certificate is believed, and to somebody whose is not.
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let both = format!("{}{}", made.cert.pem(), made.signing_key.serialize_pem());
    let (pem, ca) = (stage.write("web.pem", &both), stage.write("ca.pem", &made.cert.pem()));
    let port = serve(&mut stage, "secure", "vendor", &pem);
    let secure = format!("https://localhost:{port}/good");
    update(&stage, &secure, &[]).error(5);
    let again = update(&stage, &secure, &["--ca", &ca]).json();
    assert_eq!(again["version"], "0.2.0");
    // What is signed is the same, wherever it came from.
    let content = |submitted: &serde_json::Value| {
        let job = submitted["job"].as_str().unwrap();
        stage.json("bob", &["job", job]).json()["content"].clone()
    };
    assert!(content(&submitted) == content(&again), "two packages");
    // A newer version whose target is not there yet. Last, since metadata that was believed is remembered.
    let newer = format!("https://localhost:{port}/newer");
    let error = update(&stage, &newer, &["--ca", &ca]).error(3);
    assert!(error["message"].as_str().unwrap().contains("has no targets/"), "{error}");
    stage.end("secure");
    update(&stage, &secure, &["--ca", &ca]).error(5);
}

#[test]
fn an_update_is_signed_by_two_and_an_endpoint_believes_its_own_vendor_only() {
    let stage = Stage::with_endpoint();
    vendor(&stage);
    let update = |variant: &str| update(&stage, &stage.text(&format!("vendor/{variant}")), &[]);
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
