//! Canary files: nobody has a reason to touch them.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use bartizan_scan::digest::{Digests, Wanted};
use bartizan_scan::evidence::Output;
use bartizan_scan::model::{Area, Confidence, Evidence, Level, Rule};

/// Largest canary; they are small by nature.
const CANARY_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Compares canaries with what was noted when they were laid out. `root` is what an image's paths are below.
pub(crate) fn examine(list: &Path, root: Option<&Path>, output: &mut Output) -> Result<()> {
    let text = fs::read_to_string(list).with_context(|| format!("read {}", list.display()))?;
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let Some((digest, name)) = line.split_once("  ").filter(|(digest, _)| digest.len() == 64)
        else {
            bail!("{}: write lines of `sha256  path`, as sha256sum does", list.display());
        };
        let path = match root {
            Some(root) => root.join(name.trim_start_matches(['/', '\\'])),
            None => PathBuf::from(name),
        };
        let state = state(&path, digest);
        match state {
            State::Untouched => {}
            State::Unreadable(why) => {
                output.coverage.add_existing(Area::Canaries);
                output.coverage.add_unreadable(crate::walk::shown(&path), why);
                continue;
            }
            State::Missing => report(&path, "it is gone", output),
            State::Changed => report(&path, "its content is another", output),
        }
        output.coverage.add_read(Area::Canaries, 1);
    }
    Ok(())
}

enum State {
    Untouched,
    Changed,
    Missing,
    Unreadable(String),
}

fn state(path: &Path, digest: &str) -> State {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => State::Missing,
        Err(error) => State::Unreadable(error.to_string()),
        Ok(facts) if !facts.is_file() || facts.len() > CANARY_BYTES_MAX => State::Changed,
        Ok(_) => match fs::read(path) {
            Ok(bytes)
                if Digests::of(&bytes, Wanted::default()).sha256_hex() == digest.to_lowercase() =>
            {
                State::Untouched
            }
            Ok(_) => State::Changed,
            Err(error) => State::Unreadable(error.to_string()),
        },
    }
}

fn report(path: &Path, what: &str, output: &mut Output) {
    let rule = Rule {
        id: "canary.touched".to_owned(),
        reason: "a canary file was touched".to_owned(),
        level: Level::Suspicious,
        confidence: Confidence::High,
        stage: Some("impact".to_owned()),
        source: "the list of canaries".to_owned(),
        advice: "isolate the machine, then look for other files that changed at the same time"
            .to_owned(),
    };
    output.add("engine", &rule, Evidence::at(crate::walk::shown(path)).with_excerpt(what));
}
