//! Registry hives: keys and values that rules name, and command lines that Windows starts by itself.

mod hive;
mod log;

pub use hive::{Hive, HiveError, Key, Value};
pub use log::{LogError, apply, is_log, is_open};

use std::borrow::Cow;

use crate::command;
use crate::evidence::{FileEvidence, Output};
use crate::model::{Area, Evidence};
use crate::path;
use crate::rules::{CompiledRegistry, Rules};

/// Keys whose values are command lines, by a part of the key and the value's name (empty: every value).
const AUTOSTARTS: [(&str, &str); 9] = [
    ("microsoft/windows/currentversion/run", ""),
    ("microsoft/windows/currentversion/runonce", ""),
    ("microsoft/windows/currentversion/runonceex", ""),
    ("microsoft/windows/currentversion/policies/explorer/run", ""),
    ("microsoft/windows nt/currentversion/winlogon", "shell"),
    ("microsoft/windows nt/currentversion/winlogon", "userinit"),
    ("microsoft/windows nt/currentversion/windows", "appinit_dlls"),
    ("microsoft/command processor", "autorun"),
    ("environment", "userinitmprlogonscript"),
];

/// Looks through a hive.
pub fn examine(rules: &Rules, file: &FileEvidence<'_>, output: &mut Output) {
    // A log is read with its hive. Both its name and its bytes say so: bytes alone would let a hive hide.
    if is_log(file.head) && is_log_name(file.path) {
        return;
    }
    if !file.is_whole() {
        output.coverage.add_existing(Area::Registry);
        output.coverage.add_not_understood("registry hives above the size limit");
        return;
    }
    let newest = newest(file, output);
    let hive = match Hive::open(&newest) {
        Ok(hive) => hive,
        Err(error) => {
            output.coverage.add_existing(Area::Registry);
            output.coverage.add_not_understood(error.to_string());
            return;
        }
    };
    let name = hive_name(file.path);
    let (keys, damaged) = hive.visit(|key| examine_key(rules, file, &name, key, output));
    if damaged {
        output.coverage.add_existing(Area::Registry);
        output.coverage.add_not_understood("registry hives with keys that could not be followed");
    } else {
        output.coverage.add_read(Area::Registry, keys);
    }
}

/// `SOFTWARE.LOG1`, `NTUSER.DAT.LOG2`, and `.LOG` of older systems.
fn is_log_name(path: &str) -> bool {
    let ending = path::extension(path).unwrap_or_default().to_lowercase();
    matches!(ending.as_str(), "log" | "log1" | "log2")
}

/// The hive with what its logs hold. Where they cannot be applied, the older state is looked at, and that is said.
fn newest<'a>(file: &FileEvidence<'a>, output: &mut Output) -> Cow<'a, [u8]> {
    if !is_open(file.head) {
        return Cow::Borrowed(file.head);
    }
    match apply(file.head, file.logs) {
        Ok(hive) => Cow::Owned(hive),
        Err(why) => {
            let text = format!(
                "registry hives that were not closed and whose logs were not applied: {why}"
            );
            output.coverage.add_not_understood(text);
            Cow::Borrowed(file.head)
        }
    }
}

/// What the paths of a hive begin with: the name Windows knows it by.
fn hive_name(path: &str) -> String {
    let name = path::file_name(path).to_lowercase();
    match name.as_str() {
        "ntuser.dat" | "usrclass.dat" | "default" => "user".to_owned(),
        other => path::extension(other)
            .map_or(other, |e| other.trim_end_matches(e).trim_end_matches('.'))
            .to_owned(),
    }
}

fn examine_key(rules: &Rules, file: &FileEvidence<'_>, hive: &str, key: &Key, output: &mut Output) {
    let lower = compared(hive, &key.path);
    for rule in rules.registry.iter().filter(|rule| rule.key.is_match(&lower)) {
        match_values(rule, file, hive, key, output);
    }
    let service = lower.starts_with("system/controlset") && lower.contains("/services/");
    for value in &key.values {
        let name = value.name.to_lowercase();
        let starts = (service
            && matches!(name.as_str(), "imagepath" | "servicedll" | "failurecommand"))
            || AUTOSTARTS.iter().any(|(part, wanted)| {
                lower.ends_with(part) && (wanted.is_empty() || *wanted == name)
            });
        if starts {
            let evidence = place(file, hive, key, Some(&value.name));
            command::examine(rules, &value.text(), &evidence, output);
        }
    }
}

/// Lower case, `/` between the parts, and the same for the 32-bit view as for the other.
fn compared(hive: &str, path: &str) -> String {
    let lower = format!("{hive}/{}", path.to_lowercase().replace('\\', "/"));
    lower.replace("/wow6432node/", "/").trim_end_matches('/').to_owned()
}

fn match_values(
    rule: &CompiledRegistry,
    file: &FileEvidence<'_>,
    hive: &str,
    key: &Key,
    output: &mut Output,
) {
    let Some(names) = &rule.value else {
        if rule.rule.data.is_empty() {
            output.add(&rule.pack, &rule.rule.rule, place(file, hive, key, None));
        }
        return;
    };
    for value in &key.values {
        if !names.is_match(value.name.to_lowercase()) {
            continue;
        }
        let text = value.text();
        let lower = text.to_lowercase();
        if rule.rule.data.is_empty()
            || rule.rule.data.iter().any(|data| lower.contains(data.as_str()))
        {
            let evidence =
                place(file, hive, key, Some(&value.name)).with_excerpt(&path::shown(&text));
            output.add(&rule.pack, &rule.rule.rule, evidence);
        }
    }
}

fn place(file: &FileEvidence<'_>, hive: &str, key: &Key, value: Option<&str>) -> Evidence {
    let value = value.map(|name| format!(" : {name}")).unwrap_or_default();
    let text = format!("{}!{hive}\\{}{value}", file.place, key.path);
    Evidence { place: path::shown(&text), happened: key.written, ..file.evidence() }
}
