//! Workspace chores: `cargo xtask ci` is what decides whether a change lands, `cargo xtask tidy` checks the rules that no
//! compiler checks.

mod ci;
mod manifests;
mod sources;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    let outcome = match std::env::args().nth(1).as_deref() {
        Some("ci") => ci::run(&root()),
        Some("tidy") => tidy::run(&root()),
        _ => {
            eprintln!("usage: cargo xtask ci | tidy");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new(".")).to_owned()
}
