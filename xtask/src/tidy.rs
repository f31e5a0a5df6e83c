//! The rules of the house that no compiler checks. Every problem is listed, not only the first.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{manifests, sources};

/// Checks everything.
pub(crate) fn run(root: &Path) -> Result<()> {
    let mut problems = Vec::new();
    problems.extend(manifests::check(root)?);
    problems.extend(sources::check(root)?);
    problems.extend(check_refusals(root)?);
    problems.extend(check_guard(root)?);
    problems.extend(check_lock(root)?);
    if problems.is_empty() {
        return Ok(());
    }
    for problem in &problems {
        eprintln!("tidy: {problem}");
    }
    bail!("{} problems", problems.len())
}

/// Every refusal code is documented.
fn check_refusals(root: &Path) -> Result<Vec<String>> {
    let source = read(&root.join("crates/bartizan-trust/src/refusal.rs"))?;
    let page = read(&root.join("docs/spec/refusals.md"))?;
    Ok(refusal_codes(&source)
        .into_iter()
        .filter(|code| !page.contains(&format!("`{code}`")))
        .map(|code| format!("docs/spec/refusals.md does not explain `{code}`"))
        .collect())
}

fn refusal_codes(source: &str) -> Vec<String> {
    let mut codes = Vec::new();
    for line in source.lines() {
        if let Some((_, rest)) = line.split_once("=> \"")
            && let Some((code, _)) = rest.split_once('"')
            && code.contains('.')
            && !code.contains(' ')
        {
            codes.push(code.to_owned());
        }
    }
    codes
}

/// The privileged process has few dependencies and none that can open a socket.
fn check_guard(root: &Path) -> Result<Vec<String>> {
    const SOCKETS: [&str; 8] =
        ["tokio", "mio", "hyper", "rustls", "socket2", "ureq", "reqwest", "async-std"];
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(program)
        .args(["tree", "-p", "bartizan-guard", "-e", "normal", "--prefix", "none", "--locked"])
        .current_dir(root)
        .output()
        .context("run cargo tree")?;
    if !output.status.success() {
        bail!("cargo tree failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let mut packages: Vec<&str> = text.lines().filter_map(|line| line.split(' ').next()).collect();
    packages.sort_unstable();
    packages.dedup();
    let mut problems: Vec<String> = packages
        .iter()
        .filter(|package| SOCKETS.contains(package))
        .map(|package| format!("bartizan-guard depends on `{package}`, which opens sockets"))
        .collect();
    let ceiling = number(&root.join("crates/bartizan-guard/dependency-ceiling.txt"))?;
    if packages.len() > ceiling {
        problems.push(format!(
            "bartizan-guard has {} packages, the ceiling is {ceiling}",
            packages.len()
        ));
    }
    Ok(problems)
}

/// Raising the number of packages in the lock file is a visible decision.
fn check_lock(root: &Path) -> Result<Vec<String>> {
    let count =
        read(&root.join("Cargo.lock"))?.lines().filter(|line| *line == "[[package]]").count();
    let ceiling = number(&root.join("xtask/lock-ceiling.txt"))?;
    Ok(if count > ceiling {
        vec![format!("Cargo.lock has {count} packages, the ceiling is {ceiling}")]
    } else {
        Vec::new()
    })
}

fn number(path: &Path) -> Result<usize> {
    read(path)?.trim().parse().with_context(|| format!("{} is no number", path.display()))
}

/// Reads a file of the tree.
pub(crate) fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("read {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_found_and_sentences_are_not() {
        let source = "Self::A => \"sig.missing\",\nSelf::B => \"not a code. really\",\n";
        assert_eq!(refusal_codes(source), ["sig.missing"]);
    }
}
