//! Workspace chores: `cargo xtask ci` is what decides whether a change lands, `cargo xtask tidy` checks the rules that no
//! compiler checks, `cargo xtask web` the pages of the console.

mod ci;
mod manifests;
mod sources;
mod tidy;
mod web;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    let outcome = match std::env::args().nth(1).as_deref() {
        Some("ci") => ci::run(&root()),
        Some("tidy") => tidy::run(&root()),
        Some("web") => web::run(&root()),
        _ => {
            eprintln!("usage: cargo xtask ci | tidy | web");
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
