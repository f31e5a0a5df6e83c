//! The operator's scripts, kept as files in the operator's own directory: `scripts/NAME/script.json` says what a script is, and each of
//! its versions lies beside it under its SHA-256.
//!
//! The server knows nothing of it. What counts as reviewed is not written here: the jobs log shows it ([`crate::reviews`]).

pub(crate) mod folder;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::{fs, io};

use anyhow::{Context as _, Result};
use bartizan_trust::id::Sha256;
use bartizan_trust::limits::{CONTENT_BYTES_MAX, SCRIPT_ARG_BYTES_MAX, SCRIPT_ENV_MAX};
use bartizan_trust::statement::{Interpreter, is_plain_char};
use bartizan_trust::time::UnixSeconds;
use serde::{Deserialize, Serialize};

use crate::exit::{Code, fail};
use crate::home::{Home, read_bounded, write_private};

/// Scripts that are kept: more than anybody finds again.
pub(crate) const SCRIPTS_MAX: usize = 1000;
/// Versions of one script; then the oldest is forgotten here. The log and whoever ran it still have it.
pub(crate) const VERSIONS_MAX: usize = 200;
/// Longest name: it is a file's name.
pub(crate) const NAME_CHARS_MAX: usize = 64;
/// Longest title: as long as the titles of jobs that people can read in a list.
pub(crate) const TITLE_CHARS_MAX: usize = 120;
/// Longest description: a page of text.
pub(crate) const DESCRIPTION_CHARS_MAX: usize = 4000;
/// Longest run that can be written here: a day. The bundle says what endpoints allow.
pub(crate) const TIMEOUT_S_MAX: u32 = 86_400;

const FOLDER: &str = "scripts";
const ABOUT: &str = "script.json";
const LOCK: &str = "scripts.lock";

/// What a script is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct About {
    /// What it does, in a line; the title of its jobs.
    pub(crate) title: String,
    #[serde(default)]
    pub(crate) description: String,
    pub(crate) interpreter: Interpreter,
    /// Longest run.
    pub(crate) timeout_s: u32,
    /// It deletes or disables something.
    #[serde(default)]
    pub(crate) destructive: bool,
    /// Local account; root unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) run_as: Option<String>,
    /// What is asked for before each job.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) parameters: Vec<Parameter>,
}

/// A variable of the script's environment that a person fills in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Parameter {
    /// `NTP_SERVER`
    pub(crate) name: String,
    /// What to write there.
    #[serde(default)]
    pub(crate) about: String,
    /// What stands there at first.
    #[serde(default)]
    pub(crate) value: String,
}

/// A text that a script had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Version {
    pub(crate) sha256: Sha256,
    pub(crate) size: u32,
    /// When it was kept here.
    pub(crate) at: UnixSeconds,
}

/// A script of the library.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) name: String,
    pub(crate) about: About,
    /// Newest first, at least one.
    pub(crate) versions: Vec<Version>,
}

/// As the file has it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    about: About,
    versions: Vec<Version>,
}

/// What keeping a script came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Became {
    /// There was none of this name.
    New,
    /// Its text is another one.
    NewVersion,
    /// Only what is said about it differs.
    Described,
    /// Nothing differs.
    Same,
}

/// All of them, in order of name.
pub(crate) struct Library<'h> {
    home: &'h Home,
}

impl<'h> Library<'h> {
    pub(crate) const fn new(home: &'h Home) -> Self {
        Self { home }
    }

    /// Every script, in order of name.
    pub(crate) fn list(&self) -> Result<Vec<Kept>> {
        let mut names = BTreeSet::new();
        let entries = match fs::read_dir(self.home.path(FOLDER)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error).context("read the scripts"),
        };
        for entry in entries.take(2 * SCRIPTS_MAX) {
            let name = entry.context("read the scripts")?.file_name();
            names.extend(name.to_str().filter(|name| is_name(name)).map(str::to_owned));
        }
        names.iter().filter_map(|name| self.find(name).transpose()).collect()
    }

    /// One, if it is there.
    pub(crate) fn find(&self, name: &str) -> Result<Option<Kept>> {
        if !is_name(name) {
            return Ok(None);
        }
        let file: Option<File> = self.home.load(&format!("{FOLDER}/{name}/{ABOUT}"))?;
        Ok(file.map(|File { about, versions }| Kept { name: name.to_owned(), about, versions }))
    }

    /// The text of a version, if its hash is the one it lies under.
    pub(crate) fn text(&self, name: &str, sha256: &Sha256) -> Result<String> {
        let next = "restore it from a backup, or save the script again";
        if !is_name(name) {
            return Err(unknown(name));
        }
        let bytes = read_bounded(&self.file(name, sha256))?;
        if Sha256::of(&bytes) != *sha256 {
            return Err(fail(Code::Error, format!("a version of `{name}` is damaged"), next));
        }
        String::from_utf8(bytes).map_err(|_| fail(Code::Error, "this version is no text", next))
    }

    /// Keeps a script: a new version where the text is another one than the newest.
    pub(crate) fn keep(
        &self,
        name: &str,
        about: About,
        text: &str,
        now: UnixSeconds,
    ) -> Result<Became> {
        check(name, &about, text)?;
        let _alone = self.home.lock(LOCK)?;
        let before = self.find(name)?;
        if before.is_none() && self.list()?.len() >= SCRIPTS_MAX {
            let next = "forget scripts that nobody runs any more";
            return Err(fail(
                Code::Error,
                format!("there are {SCRIPTS_MAX} scripts already"),
                next,
            ));
        }
        let sha256 = Sha256::of(text.as_bytes());
        let newest = before.as_ref().and_then(|kept| kept.versions.first());
        let became = match &before {
            None => Became::New,
            Some(_) if newest.is_none_or(|version| version.sha256 != sha256) => Became::NewVersion,
            Some(kept) if kept.about != about => Became::Described,
            Some(_) => return Ok(Became::Same),
        };
        write_private(&self.file(name, &sha256), text.as_bytes())?;
        let mut versions = before.map(|kept| kept.versions).unwrap_or_default();
        if became != Became::Described {
            versions.retain(|version| version.sha256 != sha256);
            let size = u32::try_from(text.len()).context("count the script")?;
            versions.insert(0, Version { sha256, size, at: now });
        }
        let gone = versions.split_off(versions.len().min(VERSIONS_MAX));
        self.home.save(&format!("{FOLDER}/{name}/{ABOUT}"), &File { about, versions })?;
        for version in gone {
            // The list names it no longer; a file that stays does no harm.
            let _ = fs::remove_file(self.file(name, &version.sha256));
        }
        Ok(became)
    }

    /// Forgets a script with all its versions.
    pub(crate) fn forget(&self, name: &str) -> Result<()> {
        let _alone = self.home.lock(LOCK)?;
        if self.find(name)?.is_none() {
            return Err(unknown(name));
        }
        let path = self.home.path(FOLDER).join(name);
        fs::remove_dir_all(&path).with_context(|| format!("remove {}", path.display()))
    }

    fn file(&self, name: &str, sha256: &Sha256) -> PathBuf {
        self.home.path(FOLDER).join(name).join(sha256.to_string())
    }
}

pub(crate) fn unknown(name: &str) -> anyhow::Error {
    let name = crate::terminal::cell(name);
    fail(Code::Error, format!("no script is called `{name}`"), "look at `bartizan scripts`")
}

/// Small letters, digits and dashes: a name of a file everywhere, and never a way out of the folder.
pub(crate) fn is_name(name: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=NAME_CHARS_MAX).contains(&name.len()) && name.bytes().all(known) && !name.starts_with('-')
}

fn check(name: &str, about: &About, text: &str) -> Result<()> {
    let wrong = |what: String| fail(Code::Usage, what, "change it and try again");
    if !is_name(name) {
        let what = format!(
            "a script's name is 1 to {NAME_CHARS_MAX} small letters, digits and dashes, like `clear-cache`"
        );
        return Err(wrong(what));
    }
    let title = about.title.chars().count();
    if !(1..=TITLE_CHARS_MAX).contains(&title) || !about.title.chars().all(is_plain_char) {
        return Err(wrong(format!("its title is a line of 1 to {TITLE_CHARS_MAX} characters")));
    }
    let plain = |c: char| c == '\n' || is_plain_char(c);
    if about.description.chars().count() > DESCRIPTION_CHARS_MAX
        || !about.description.chars().all(plain)
    {
        let what = format!("its description is text of at most {DESCRIPTION_CHARS_MAX} characters");
        return Err(wrong(what));
    }
    if text.is_empty() || text.len() > CONTENT_BYTES_MAX {
        return Err(wrong("a script has 1 byte to 1 MiB".to_owned()));
    }
    if !(1..=TIMEOUT_S_MAX).contains(&about.timeout_s) {
        return Err(wrong(format!("its longest run is 1 to {TIMEOUT_S_MAX} seconds")));
    }
    let mut names = BTreeSet::new();
    let parameter = |one: &Parameter| {
        let first = one.name.bytes().next().is_some_and(|byte| !byte.is_ascii_digit());
        let known = one.name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let short = one.about.len().max(one.value.len()).max(one.name.len());
        first && known && short <= SCRIPT_ARG_BYTES_MAX && names.insert(one.name.clone())
    };
    if about.parameters.len() > SCRIPT_ENV_MAX || !about.parameters.iter().all(parameter) {
        let what = "its parameters are at most 64 variables, each once: letters, digits and `_`";
        return Err(wrong(what.to_owned()));
    }
    Ok(())
}
