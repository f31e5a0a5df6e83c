//! Rules about source files and texts.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::tidy::read;

/// Above this a file is split.
const LINES_MAX: usize = 700;
/// The one crate that may contain unsafe code.
const UNSAFE_CRATE: &str = "bartizan-os";
/// The scanner's engine is pure; its program is the part that reads disks and knows of signatures.
const SCAN_ENGINE: &str = "crates/bartizan-scan/src/";
const SCAN_PROGRAM: &str = "crates/bartizan-scan/src/bin/";
const NOT_IN_SCAN_ENGINE: [&str; 8] = [
    "bartizan_trust",
    "std::fs",
    "TcpStream",
    "UdpSocket",
    "std::process",
    "std::env",
    "SystemTime::now",
    "Instant::now",
];
const FOLDERS: [&str; 8] = ["crates", "xtask", "docs", "scripts", "tests", "fuzz", "web", ".ci"];
/// Generated, and checked against its source by `npm run api:check`.
const GENERATED: &str = "web/src/api/schema.ts";
/// Of web/: longer pages are two pages.
const WEB_LINES_MAX: usize = 500;

/// Checks every file.
pub(crate) fn check(root: &Path) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    for folder in FOLDERS {
        walk(&root.join(folder), &mut |path| {
            let name = path.strip_prefix(root).unwrap_or(path).display().to_string();
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("rs") => problems.extend(check_rust(&name, &read(path)?)),
                Some("ts" | "tsx") => problems.extend(check_web(&name, &read(path)?)),
                Some("json") if name.ends_with("package-lock.json") => {
                    problems.extend(check_lock(&name, &read(path)?));
                }
                Some("md") => problems.extend(check_text(&name, &read(path)?)),
                _ => {}
            }
            Ok(())
        })?;
    }
    problems.extend(check_test_binaries(root)?);
    Ok(problems)
}

fn check_web(name: &str, text: &str) -> Option<String> {
    let lines = text.lines().count();
    (lines > WEB_LINES_MAX && name != GENERATED)
        .then(|| format!("{name} has {lines} lines, at most {WEB_LINES_MAX} are allowed"))
}

/// A lock file names packages and their hashes; where they were fetched from is whoever builds it's business.
fn check_lock(name: &str, text: &str) -> Option<String> {
    text.contains("\"resolved\"").then(|| {
        format!("{name} names a registry: remove it, and install again in its folder, whose .npmrc leaves it out")
    })
}

fn check_rust(name: &str, text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let lines = text.lines().count();
    if lines > LINES_MAX {
        problems.push(format!("{name} has {lines} lines, at most {LINES_MAX} are allowed"));
    }
    // The rules themselves have to name what they forbid.
    if name.starts_with("xtask") {
        return problems;
    }
    if !name.contains(UNSAFE_CRATE) && text.lines().any(has_unsafe) {
        problems.push(format!("{name} contains unsafe code"));
    }
    if name.starts_with(SCAN_ENGINE) && !name.starts_with(SCAN_PROGRAM) {
        for word in NOT_IN_SCAN_ENGINE.iter().filter(|word| text.contains(**word)) {
            problems.push(format!("{name} uses {word}, which belongs in the scanner's program"));
        }
    }
    for word in ["todo!(", "unimplemented!(", "dbg!("] {
        if text.contains(word) {
            problems.push(format!("{name} contains {word}…)"));
        }
    }
    if text.contains("#[ignore") || text.contains("#[should_panic") {
        problems.push(format!("{name} has a test that is ignored or should panic"));
    }
    problems
}

fn has_unsafe(line: &str) -> bool {
    let code = line.split("//").next().unwrap_or_default();
    ["unsafe {", "unsafe fn", "unsafe impl"].iter().any(|word| code.contains(word))
}

/// Documents name no place of one machine only.
fn check_text(name: &str, text: &str) -> Vec<String> {
    ["/work/", "/tmp/", "/root/"]
        .iter()
        .filter(|path| text.contains(*path))
        .map(|path| format!("{name} names the path {path}"))
        .collect()
}

/// At most one test binary per crate, and every file in it is included.
fn check_test_binaries(root: &Path) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    for entry in fs::read_dir(root.join("crates")).context("list crates")? {
        let tests = entry.context("list crates")?.path().join("tests");
        let Ok(binaries) = fs::read_dir(&tests) else { continue };
        let binaries: Vec<PathBuf> =
            binaries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        if binaries.len() > 1 {
            problems.push(format!("{} holds more than one test binary", tests.display()));
        }
        for binary in binaries {
            problems.extend(orphans(&binary)?);
        }
    }
    Ok(problems)
}

fn orphans(binary: &Path) -> Result<Vec<String>> {
    let Ok(entries) = fs::read_dir(binary) else { return Ok(Vec::new()) };
    let mut modules = Vec::new();
    let mut sources = String::new();
    for entry in entries {
        let path = entry.context("list tests")?.path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            sources.push_str(&read(&path)?);
            modules.push(path.file_stem().unwrap_or_default().to_string_lossy().into_owned());
        }
    }
    Ok(modules
        .into_iter()
        .filter(|module| module != "main" && !sources.contains(&format!("mod {module};")))
        .map(|module| format!("{}: `{module}.rs` is included nowhere", binary.display()))
        .collect())
}

fn walk(folder: &Path, visit: &mut impl FnMut(&Path) -> Result<()>) -> Result<()> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(()) };
    for entry in entries {
        let path = entry.with_context(|| format!("list {}", folder.display()))?.path();
        let name = path.file_name().unwrap_or_default();
        if path.is_dir() && name != "target" && name != "node_modules" {
            walk(&path, visit)?;
        } else if path.is_file() {
            visit(&path)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lock_files_of_the_pages_name_no_registry() {
        assert!(check_lock("web/package-lock.json", "{\"integrity\":\"sha512-x\"}").is_none());
        let text = "{\"resolved\":\"https://registry.example/x.tgz\"}";
        assert!(check_lock("web/package-lock.json", text).is_some());
    }

    #[test]
    fn pages_stay_short() {
        let lines = |n: usize| "x\n".repeat(n);
        assert!(check_web("web/src/x.tsx", &lines(WEB_LINES_MAX)).is_none());
        assert!(check_web("web/src/x.tsx", &lines(WEB_LINES_MAX + 1)).is_some());
        assert!(check_web(GENERATED, &lines(WEB_LINES_MAX + 1)).is_none());
    }

    #[test]
    fn unsafe_code_is_seen_outside_its_crate_only() {
        let text = "fn f() {\n    unsafe { g() }\n}\n";
        assert_eq!(check_rust("crates/bartizan-trust/src/x.rs", text).len(), 1);
        assert_eq!(check_rust("crates/bartizan-os/src/x.rs", text).len(), 0);
        assert_eq!(check_rust("crates/bartizan-trust/src/x.rs", "// unsafe { }\n").len(), 0);
    }

    #[test]
    fn the_scanner_engine_is_pure() {
        let text = "use bartizan_trust::envelope::Envelope;\n";
        assert_eq!(check_rust("crates/bartizan-scan/src/pack/mod.rs", text).len(), 1);
        assert_eq!(check_rust("crates/bartizan-scan/src/file.rs", "std::fs::read(x)").len(), 1);
        assert_eq!(check_rust("crates/bartizan-scan/src/bin/bartizan-scan/main.rs", text).len(), 0);
    }

    #[test]
    fn long_files_and_unfinished_code_are_seen() {
        assert_eq!(check_rust("crates/a/src/x.rs", &"\n".repeat(LINES_MAX)).len(), 0);
        assert_eq!(check_rust("crates/a/src/x.rs", &"\n".repeat(LINES_MAX + 1)).len(), 1);
        assert_eq!(check_rust("crates/a/src/x.rs", "fn f() { todo!() }").len(), 1);
        assert_eq!(check_rust("crates/a/src/x.rs", "#[ignore]\nfn f() {}").len(), 1);
    }

    #[test]
    fn paths_of_one_machine_are_seen() {
        assert_eq!(check_text("docs/x.md", "cd /work/here").len(), 1);
        assert_eq!(check_text("docs/x.md", "cd /var/lib/bartizan").len(), 0);
    }
}
