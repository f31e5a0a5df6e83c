//! Places where things start by themselves or leave traces: told by path, read by form.

use crate::command;
use crate::evidence::{FileEvidence, Output};
use crate::file::kind::to_text;
use crate::limits;
use crate::model::{Area, Confidence, Evidence, Level, Rule};
use crate::pack::FileKind;
use crate::path;
use crate::registry;
use crate::rules::Rules;

/// The engine's own rules: about how places are used, not about any attack in particular.
const ENGINE: &str = "engine";

/// Looks at a file that lies in a place with a meaning.
pub(crate) fn examine(
    rules: &Rules,
    file: &FileEvidence<'_>,
    path: &str,
    kind: FileKind,
    output: &mut Output,
) {
    if kind == FileKind::Hive {
        registry::examine(rules, file, output);
        return;
    }
    let Some(place) = place_of(path) else { return };
    if !matches!(kind, FileKind::Text | FileKind::Script) {
        if file.size > 0 {
            output.coverage.add_existing(place.area());
            output.coverage.add_not_understood(format!("{} that are no text", place.area().name()));
        }
        return;
    }
    let text = to_text(file.head);
    let entries = match place {
        Place::Task => examine_task(rules, file, &text, output),
        Place::AuthorizedKeys => examine_keys(file, path, &text, output),
        Place::Preload => examine_preload(file, &text, output),
        Place::Cron | Place::Unit | Place::Startup | Place::History | Place::PowerShellHistory => {
            examine_lines(rules, file, place, &text, output)
        }
    };
    output.coverage.add_read(place.area(), entries);
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Cron,
    Unit,
    AuthorizedKeys,
    Startup,
    Preload,
    History,
    PowerShellHistory,
    Task,
}

impl Place {
    const fn area(self) -> Area {
        match self {
            Self::Cron => Area::Cron,
            Self::Unit => Area::Units,
            Self::AuthorizedKeys => Area::AuthorizedKeys,
            Self::Startup | Self::Preload => Area::ShellStartup,
            Self::History | Self::PowerShellHistory => Area::Histories,
            Self::Task => Area::ScheduledTasks,
        }
    }
}

fn place_of(path: &str) -> Option<Place> {
    let name = path::file_name(path);
    // Every part of the path is a place where a folder's name may begin.
    let within = |folders: &str| {
        path.starts_with(folders)
            || path
                .match_indices('/')
                .any(|(at, _)| path.get(at + 1..).is_some_and(|rest| rest.starts_with(folders)))
    };
    match name {
        "authorized_keys" | "authorized_keys2" => return Some(Place::AuthorizedKeys),
        "crontab" | "anacrontab" if within("etc/") => return Some(Place::Cron),
        "ld.so.preload" if within("etc/") => return Some(Place::Preload),
        ".bashrc" | ".bash_profile" | ".bash_login" | ".profile" | ".zshrc" | ".zprofile"
        | ".zshenv" | ".bash_logout" => return Some(Place::Startup),
        "profile" | "bash.bashrc" | "rc.local" | "environment" | "bashrc" if within("etc/") => {
            return Some(Place::Startup);
        }
        ".bash_history" | ".zsh_history" | ".ash_history" | ".sh_history" => {
            return Some(Place::History);
        }
        "consolehost_history.txt" => return Some(Place::PowerShellHistory),
        _ => {}
    }
    let ending = path::extension(name).unwrap_or_default();
    if within("etc/cron.") || within("var/spool/cron/") || within("var/cron/") {
        return (!matches!(name, ".placeholder" | "readme")).then_some(Place::Cron);
    }
    if matches!(ending, "service" | "timer" | "socket" | "path" | "conf")
        && (within("systemd/system/") || within("systemd/user/"))
    {
        return Some(Place::Unit);
    }
    if within("etc/profile.d/")
        || within("etc/update-motd.d/")
        || (ending == "desktop" && path.contains("autostart/"))
        || path.contains("start menu/programs/startup/")
    {
        return Some(Place::Startup);
    }
    within("windows/system32/tasks/").then_some(Place::Task)
}

fn examine_lines(
    rules: &Rules,
    file: &FileEvidence<'_>,
    place: Place,
    text: &str,
    output: &mut Output,
) -> u64 {
    let mut entries = 0;
    for (number, line) in text.lines().take(limits::TEXT_LINES_MAX).enumerate() {
        let line = line.trim();
        let command = match place {
            Place::Unit => match line.split_once('=') {
                Some((key, value)) if key.starts_with("Exec") || key == "Environment" => {
                    value.trim_start_matches(['-', '@', '+', '!', ':'])
                }
                _ => continue,
            },
            _ if line.is_empty() || line.starts_with('#') => continue,
            _ => line,
        };
        entries += 1;
        command::examine(rules, command, &at_line(file, number), output);
    }
    entries
}

fn at_line(file: &FileEvidence<'_>, number: usize) -> Evidence {
    let place = format!("{}:{}", path::shown(file.place), number + 1);
    Evidence { place, ..file.evidence() }
}

/// Task Scheduler writes XML; what is started stands in `Command` and `Arguments`.
fn examine_task(rules: &Rules, file: &FileEvidence<'_>, text: &str, output: &mut Output) -> u64 {
    let mut entries = 0;
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("<Exec") {
        let (body, next) = after.split_once("</Exec>").unwrap_or((after, ""));
        rest = next;
        entries += 1;
        let element = |name: &str| {
            let (_, after) = body.split_once(&format!("<{name}>"))?;
            after.split_once(&format!("</{name}>")).map(|(value, _)| unescape(value))
        };
        let command = element("Command").unwrap_or_default();
        let arguments = element("Arguments").unwrap_or_default();
        command::examine(rules, &format!("{command} {arguments}"), &file.evidence(), output);
    }
    if entries == 0 && !text.contains("<Task") {
        output.coverage.add_not_understood("scheduled tasks that are no XML");
    }
    entries
}

fn unescape(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&apos;", "'")
        .replace("&amp;", "&")
}

/// Homes nobody should log in to.
const SERVICE_HOMES: [&str; 8] =
    ["var/www/", "var/lib/", "var/spool/", "srv/", "tmp/", "var/tmp/", "dev/shm/", "nonexistent/"];
/// Services that log in to themselves by design.
const SERVICE_LOGINS: [&str; 7] =
    ["postgres", "postgresql", "pgsql", "git", "gitea", "gitlab", "nova"];

fn examine_keys(file: &FileEvidence<'_>, path: &str, text: &str, output: &mut Output) -> u64 {
    let mut entries = 0;
    for (number, line) in text.lines().take(limits::TEXT_LINES_MAX).enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        entries += 1;
        let usual = path.split('/').any(|part| SERVICE_LOGINS.contains(&part));
        if SERVICE_HOMES.iter().any(|home| path.starts_with(home)) && !usual {
            let rule = engine_rule(
                "keys.service-account",
                "a key may log in to an account of a service or of nobody",
                Confidence::Medium,
                "ask who put the key there; remove it if nobody did, and look for what was done with it",
            );
            output.add(ENGINE, &rule, at_line(file, number).with_excerpt(&key_comment(line)));
        }
    }
    entries
}

/// The key itself says nothing to a person; its last word does.
fn key_comment(line: &str) -> String {
    path::shown(line.rsplit(' ').next().unwrap_or_default())
}

fn examine_preload(file: &FileEvidence<'_>, text: &str, output: &mut Output) -> u64 {
    let mut entries = 0;
    for (number, line) in text.lines().take(limits::TEXT_LINES_MAX).enumerate() {
        if line.trim().is_empty() || line.trim_start().starts_with('#') {
            continue;
        }
        entries += 1;
        let rule = engine_rule(
            "preload.library",
            "a library is loaded into every process",
            Confidence::Medium,
            "find out which package put the library there; if none did, treat the machine as compromised",
        );
        output.add(ENGINE, &rule, at_line(file, number).with_excerpt(&path::shown(line)));
    }
    entries
}

fn engine_rule(id: &str, reason: &str, confidence: Confidence, advice: &str) -> Rule {
    Rule {
        id: id.to_owned(),
        reason: reason.to_owned(),
        level: Level::Suspicious,
        confidence,
        stage: Some("persistence".to_owned()),
        source: "Bartizan".to_owned(),
        advice: advice.to_owned(),
    }
}
