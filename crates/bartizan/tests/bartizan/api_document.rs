//! The console's API keeps what its document says: requests that the document allows, and some that it does not, by schemathesis.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::page::Page;
use crate::stage::{Stage, run};

#[test]
fn every_read_answers_as_the_document_says_and_none_breaks() {
    let mut stage = Stage::with_endpoint();
    let page = Page::open(&mut stage, "alice");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let venv =
        std::env::var_os("BARTIZAN_VENV").map_or_else(|| root.join("target/venv"), PathBuf::from);
    let program = venv.join("bin/schemathesis");
    assert!(program.exists(), "{} is missing; run scripts/setup test", program.display());
    let answer = run(Command::new(program)
        .current_dir(stage.path("."))
        .arg("run")
        .arg(root.join("web/openapi.json"))
        .args(["--url", &format!("http://localhost:{}", page.port)])
        .args(["--header", &format!("Authorization: Bearer {}", page.token)])
        .args(["--workers", "2", "--warnings", "off"])
        // Reads: what changes something is signed by a person, from a sheet.
        .args(["--include-method", "GET"])
        // Streams do not end.
        .args(["--exclude-path-regex", "/events$"])
        .args(["--phases", "examples,coverage,fuzzing", "--max-examples", "5", "--seed", "1"])
        .args(["--checks", "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"])
        .args(["--request-timeout", "20", "--no-color"]));
    answer.ends_with(0);
}
