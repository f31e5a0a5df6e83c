//! Which crate may depend on which.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use toml::{Table, Value};

use crate::tidy::read;

/// Our crates each crate may use. What is not listed here may use none.
const ALLOWED: &[(&str, &[&str])] = &[
    ("bartizan-trust", &[]),
    ("bartizan-proto", &["bartizan-trust"]),
    // Only its program, for the signatures of packs; `sources` checks that the engine does not.
    ("bartizan-scan", &["bartizan-trust"]),
    ("bartizan-os", &["bartizan-trust"]),
    ("bartizan-store", &["bartizan-trust"]),
    ("bartizan-agent", &["bartizan-proto", "bartizan-trust"]),
    ("bartizan-guard", &["bartizan-os", "bartizan-proto", "bartizan-trust"]),
    ("bartizan-notify", &[]),
    ("bartizan-probe", &["bartizan-proto", "bartizan-trust"]),
    ("bartizan-server", &["bartizan-notify", "bartizan-proto", "bartizan-store", "bartizan-trust"]),
    ("bartizan", &["bartizan-notify", "bartizan-proto", "bartizan-trust"]),
    ("bartizan-tuf", &[]),
    ("bartizan-testkit", &["bartizan-proto", "bartizan-trust"]),
];

/// What decides and converses knows no runtime, database, HTTP or TLS.
const SPINE: [&str; 2] = ["bartizan-trust", "bartizan-proto"];
const NOT_IN_SPINE: [&str; 7] =
    ["tokio", "rusqlite", "postgres", "hyper", "axum", "rustls", "tokio-rustls"];

const TRUST_DEPENDENCIES_MAX: usize = 8;

/// Checks every manifest.
pub(crate) fn check(root: &Path) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    for entry in fs::read_dir(root.join("crates")).context("list crates")? {
        let folder = entry.context("list crates")?.path();
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let text = read(&folder.join("Cargo.toml"))?;
        let manifest: Table =
            text.parse().with_context(|| format!("read the manifest of {name}"))?;
        problems.extend(check_one(&name, &manifest));
    }
    Ok(problems)
}

fn check_one(folder: &str, manifest: &Table) -> Vec<String> {
    let mut problems = Vec::new();
    let name =
        manifest.get("package").and_then(|package| package.get("name")).and_then(Value::as_str);
    if name != Some(folder) {
        problems.push(format!("crates/{folder} holds a crate of another name"));
    }
    let inherits =
        manifest.get("lints").and_then(|lints| lints.get("workspace")).and_then(Value::as_bool);
    if inherits != Some(true) {
        problems.push(format!("{folder} does not inherit the workspace's lints"));
    }
    let dependencies = names(manifest, "dependencies");
    let Some((_, allowed)) = ALLOWED.iter().find(|(known, _)| *known == folder) else {
        problems
            .push(format!("{folder} has no place in the order of crates (xtask/src/manifests.rs)"));
        return problems;
    };
    for dependency in dependencies.iter().filter(|name| name.starts_with("bartizan")) {
        if !allowed.contains(&dependency.as_str()) {
            problems.push(format!("{folder} must not depend on {dependency}"));
        }
    }
    if SPINE.contains(&folder) {
        for dependency in dependencies.iter().filter(|name| NOT_IN_SPINE.contains(&name.as_str())) {
            problems.push(format!("{folder} must not depend on {dependency}"));
        }
    }
    if folder == "bartizan-trust" && dependencies.len() > TRUST_DEPENDENCIES_MAX {
        problems.push(format!(
            "bartizan-trust has more than {TRUST_DEPENDENCIES_MAX} direct dependencies"
        ));
    }
    problems
}

fn names(manifest: &Table, section: &str) -> Vec<String> {
    manifest
        .get(section)
        .and_then(Value::as_table)
        .map(|table| table.keys().cloned().collect())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(folder: &str, text: &str) -> usize {
        check_one(folder, &text.parse().unwrap()).len()
    }

    #[test]
    fn a_dependency_against_the_order_is_a_problem() {
        let manifest = |name: &str, dependency: &str| {
            format!(
                "[package]\nname = \"{name}\"\n[lints]\nworkspace = true\n[dependencies]\n{dependency} = \"1\"\n"
            )
        };
        assert_eq!(problems("bartizan-server", &manifest("bartizan-server", "bartizan-store")), 0);
        assert_eq!(problems("bartizan-server", &manifest("bartizan-server", "bartizan-os")), 1);
        assert_eq!(
            problems("bartizan-server", &manifest("bartizan-server", "bartizan-testkit")),
            1
        );
        assert_eq!(problems("bartizan-trust", &manifest("bartizan-trust", "tokio")), 1);
        assert_eq!(problems("bartizan-trust", &manifest("bartizan-proto", "serde")), 1);
        assert_eq!(problems("bartizan-trust", "[package]\nname = \"bartizan-trust\"\n"), 1);
        assert_eq!(problems("bartizan-new", &manifest("bartizan-new", "serde")), 1);
    }
}
