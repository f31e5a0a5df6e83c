//! Every check in order, each with the time it took.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};

/// Runs everything; the first failure ends it.
pub(crate) fn run(root: &Path) -> Result<()> {
    let start = Instant::now();
    step("format", || cargo(root, &["fmt", "--all", "--check"]))?;
    step("tidy", || crate::tidy::run(root))?;
    step("web", || crate::web::run(root))?;
    // Warnings are denied through clippy's own flag: RUSTFLAGS would rebuild every dependency.
    step("clippy", || {
        cargo(root, &["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"])
    })?;
    step("build", || cargo(root, &["build", "--workspace"]))?;
    step("console", || crate::web::real(root))?;
    step("doc tests", || cargo(root, &["test", "--quiet", "--doc", "-p", "bartizan-trust"]))?;
    // Last, so that the line which counts the tests ends the output.
    step("tests", || cargo(root, &["nextest", "run", "--workspace", "--no-tests", "fail"]))?;
    println!("everything passed in {} s", start.elapsed().as_secs());
    Ok(())
}

fn step(name: &str, work: impl FnOnce() -> Result<()>) -> Result<()> {
    println!("── {name}");
    let start = Instant::now();
    work().with_context(|| name.to_owned())?;
    println!("── {name}: {} s", start.elapsed().as_secs());
    Ok(())
}

fn cargo(root: &Path, arguments: &[&str]) -> Result<()> {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let venv = std::env::var_os("BARTIZAN_VENV").unwrap_or_else(|| root.join("target/venv").into());
    let status = Command::new(program)
        .args(arguments)
        .env("BARTIZAN_VENV", venv)
        // The pages were built by the first steps: a program without them is a mistake.
        .env("BARTIZAN_REQUIRE_CONSOLE", "1")
        .current_dir(root)
        .status()
        .context("start cargo")?;
    if status.success() { Ok(()) } else { bail!("cargo {} failed", arguments.join(" ")) }
}
