//! The console's pages: `cargo xtask web` checks and builds them with Node.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

/// Node that the tools of `web/` run on; `engines` of its package says the same.
const NODE_MIN: (u32, u32) = (20, 19);
/// Written after an installation, so that the next run is quick: the lock file it was made from.
const INSTALLED: &str = "node_modules/.installed-lock.json";

/// Installs, checks, tests and builds. What it leaves in `web/dist` is what the operator's program embeds.
pub(crate) fn run(root: &Path) -> Result<()> {
    check_node()?;
    let web = root.join("web");
    install(&web)?;
    install(&web.join("tools/openapi"))?;
    for script in ["api:check", "typecheck", "lint", "test", "build", "test:browser"] {
        npm(&web, &["run", "--silent", script])?;
    }
    Ok(())
}

/// Two people in two browsers, against the programs that were just built.
pub(crate) fn real(root: &Path) -> Result<()> {
    npm(&root.join("web"), &["run", "--silent", "test:real"])
}

fn check_node() -> Result<()> {
    let output = Command::new("node").arg("--version").output();
    let text = output.ok().and_then(|output| String::from_utf8(output.stdout).ok());
    let wanted = format!("Node.js {}.{} or newer and npm", NODE_MIN.0, NODE_MIN.1);
    let Some(text) = text else { bail!("{wanted} are needed: run scripts/setup test") };
    if node_version(&text).is_none_or(|found| found < NODE_MIN) {
        bail!("{wanted} are needed, and node says {}: see https://nodejs.org", text.trim());
    }
    Ok(())
}

fn node_version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.trim().strip_prefix('v')?.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// Exactly what the lock file says, and no script of any package runs.
fn install(folder: &Path) -> Result<()> {
    let lock = std::fs::read(folder.join("package-lock.json")).context("read package-lock.json")?;
    if std::fs::read(folder.join(INSTALLED)).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    npm(folder, &["ci", "--ignore-scripts", "--no-audit", "--no-fund"])?;
    std::fs::write(folder.join(INSTALLED), lock).context("note what was installed")
}

fn npm(folder: &Path, arguments: &[&str]) -> Result<()> {
    let status =
        Command::new("npm").args(arguments.iter().map(OsStr::new)).current_dir(folder).status();
    let status = status.context("start npm: run scripts/setup test")?;
    if status.success() {
        Ok(())
    } else {
        bail!("npm {} failed in {}", arguments.join(" "), folder.display())
    }
}

#[cfg(test)]
mod tests {
    use super::node_version;

    #[test]
    fn node_says_its_version() {
        assert_eq!(node_version("v20.19.2\n"), Some((20, 19)));
        assert_eq!(node_version("20.19.2"), None);
        assert_eq!(node_version("vx"), None);
    }
}
