//! `bartizan-tuf`: prints what the vendor's repository says of a target, as JSON, or why it is not believed.

use std::path::Path;
use std::process::ExitCode;

use bartizan_tuf::{Request, verify};

const USAGE: &str = "\
Usage:
  bartizan-tuf verify ROOT METADATA STORE TARGET

ROOT is the pinned root metadata, METADATA the folder of the repository's metadata, STORE a folder in which the versions seen
are kept, TARGET a name. Prints {\"name\",\"version\",\"sha256\",\"size\"}. Exit codes: 0 believed, 1 refused, 2 wrong command line.";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let ["verify", root, metadata, store, target] = arguments.as_slice() else {
        if let ["--version"] = arguments.as_slice() {
            println!("bartizan-tuf {}", env!("CARGO_PKG_VERSION"));
            return ExitCode::SUCCESS;
        }
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let request = Request {
        root: Path::new(root),
        metadata: Path::new(metadata),
        store: Path::new(store),
        target,
    };
    match verify(&request).map_err(anyhow::Error::new).and_then(|target| {
        println!("{}", serde_json::to_string(&target)?);
        Ok(())
    }) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
