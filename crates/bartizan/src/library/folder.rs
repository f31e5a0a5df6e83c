//! The library as a folder of plain files, so that it can live in git: `NAME.sh` is the script and `NAME.json` says what it is.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use bartizan_trust::statement::Interpreter;
use bartizan_trust::time::UnixSeconds;
use serde::Serialize;

use super::{About, Became, Library, SCRIPTS_MAX, is_name};
use crate::exit::{Code, fail};
use crate::home::{read_bounded, write_private};

/// Of a script that comes without a word about it.
const TIMEOUT_S: u32 = 600;
/// A script, what is said about it, and other things that lie in a repository.
const FILES_MAX: usize = 10 * SCRIPTS_MAX;

/// A file of such a folder.
#[derive(Debug, Clone)]
pub(crate) struct Loose {
    /// `clear-cache.sh`, without folders.
    pub(crate) name: String,
    pub(crate) text: String,
}

/// What came of a folder.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Imported {
    pub(crate) new: Vec<String>,
    pub(crate) changed: Vec<String>,
    pub(crate) same: u32,
    /// Name and reason of each that was not taken.
    pub(crate) refused: Vec<(String, String)>,
}

/// Which reads it, by its ending.
fn interpreter(ending: &str) -> Option<Interpreter> {
    match ending {
        "sh" => Some(Interpreter::Sh),
        "bash" => Some(Interpreter::Bash),
        "py" => Some(Interpreter::Python3),
        _ => None,
    }
}

const fn ending(interpreter: Interpreter) -> &'static str {
    match interpreter {
        Interpreter::Sh => "sh",
        Interpreter::Bash => "bash",
        Interpreter::Python3 => "py",
    }
}

/// Takes scripts in. Each is judged alone; none is signed or run by that.
pub(crate) fn import(library: &Library<'_>, files: &[Loose], now: UnixSeconds) -> Imported {
    let mut done = Imported::default();
    for file in files {
        let Some((name, end)) = file.name.rsplit_once('.') else { continue };
        let Some(interpreter) = interpreter(end) else { continue };
        let about = files.iter().find(|other| other.name == format!("{name}.json"));
        match take(library, name, interpreter, about, &file.text, now) {
            Ok(Became::New) => done.new.push(name.to_owned()),
            Ok(Became::NewVersion | Became::Described) => done.changed.push(name.to_owned()),
            Ok(Became::Same) => done.same += 1,
            Err(error) => done.refused.push((file.name.clone(), format!("{error:#}"))),
        }
    }
    done
}

fn take(
    library: &Library<'_>,
    name: &str,
    interpreter: Interpreter,
    about: Option<&Loose>,
    text: &str,
    now: UnixSeconds,
) -> Result<Became> {
    let about = match about {
        Some(file) => serde_json::from_str(&file.text).context("read what is said about it")?,
        // What is known of it already stays.
        None => library.find(name)?.map_or_else(|| unsaid(name, interpreter), |kept| kept.about),
    };
    library.keep(name, About { interpreter, ..about }, text, now)
}

/// What is known of a script that comes without a word about it.
fn unsaid(name: &str, interpreter: Interpreter) -> About {
    About {
        title: name.replace('-', " "),
        description: String::new(),
        interpreter,
        timeout_s: TIMEOUT_S,
        destructive: false,
        run_as: None,
        parameters: Vec::new(),
    }
}

/// The files of a folder. Links are passed over: what they lead to was not put there to be a script.
pub(crate) fn read(folder: &Path) -> Result<Vec<Loose>> {
    let mut files = Vec::new();
    let entries = fs::read_dir(folder).with_context(|| format!("read {}", folder.display()))?;
    for (count, entry) in entries.enumerate() {
        let entry = entry.with_context(|| format!("read {}", folder.display()))?;
        if count >= FILES_MAX {
            let problem = format!("there are more than {FILES_MAX} files in {}", folder.display());
            return Err(fail(Code::Error, problem, "name the folder that has the scripts"));
        }
        let Ok(name) = entry.file_name().into_string() else { continue };
        let known = name.rsplit_once('.').is_some_and(|(stem, end)| {
            is_name(stem) && (end == "json" || interpreter(end).is_some())
        });
        if !known || !entry.file_type().is_ok_and(|kind| kind.is_file()) {
            continue;
        }
        let text = String::from_utf8(read_bounded(&entry.path())?)
            .map_err(|_| fail(Code::Error, format!("`{name}` is no text"), "leave it out"))?;
        files.push(Loose { name, text });
    }
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(files)
}

/// Writes the newest version of every script, and what is said about it. Other files stay as they are.
pub(crate) fn write(library: &Library<'_>, folder: &Path) -> Result<usize> {
    let all = library.list()?;
    for kept in &all {
        let Some(newest) = kept.versions.first() else { continue };
        let text = library.text(&kept.name, &newest.sha256)?;
        let script = format!("{}.{}", kept.name, ending(kept.about.interpreter));
        write_private(&folder.join(script), text.as_bytes())?;
        let about = serde_json::to_string_pretty(&kept.about).context("write JSON")? + "\n";
        write_private(&folder.join(format!("{}.json", kept.name)), about.as_bytes())?;
    }
    Ok(all.len())
}
