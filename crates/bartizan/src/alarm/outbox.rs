//! Alarms that wait: one file each, on the disk before anything else happens, removed when every channel has it.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context as _, Result};
use bartizan_notify::{email, webhook};
use bartizan_trust::id::Sha256;
use bartizan_trust::time::UnixSeconds;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::config::Email;
use super::{Channels, desktop};
use crate::home::{Home, write_private};

const FOLDER: &str = "alarms";
/// Alarms that wait at the same time. More are the same trouble told again.
const WAITING_MAX: usize = 1000;
/// Seconds before the first repetition; doubled each time.
const RETRY_FIRST_S: u64 = 1;
/// Seconds between repetitions in the end.
const RETRY_LAST_S: u64 = 3600;

/// Something a person must hear of.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Alarm {
    /// The same for the same alarm, so that receivers can tell a repetition.
    pub(crate) id: String,
    pub(crate) at: UnixSeconds,
    pub(crate) text: String,
    pub(crate) facts: Value,
}

impl Alarm {
    pub(crate) fn new(text: &str, facts: &Value, at: UnixSeconds) -> Self {
        let hash = Sha256::of_parts(&[text.as_bytes(), b"\n", facts.to_string().as_bytes()]);
        let mark: String = hash.to_string().chars().take(32).collect();
        Self { id: format!("alarm_{mark}"), at, text: text.to_owned(), facts: facts.clone() }
    }
}

/// An alarm and who has not got it yet.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Waiting {
    pub(crate) alarm: Alarm,
    pub(crate) channels: BTreeMap<String, Attempts>,
}

/// How often a channel was tried.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Attempts {
    pub(crate) tries: u32,
    pub(crate) due: UnixSeconds,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) problem: Option<String>,
}

fn file(alarm: &Alarm) -> String {
    format!("{FOLDER}/{}.json", alarm.id)
}

/// Keeps an alarm for every channel. One that waits already is not put twice.
pub(super) fn put(home: &Home, channels: &Channels, alarm: &Alarm) -> Result<()> {
    let _lock = home.lock("alarms.lock")?;
    let path = home.path(&file(alarm));
    if path.exists() {
        return Ok(());
    }
    let count = fs::read_dir(home.path(FOLDER)).map_or(0, Iterator::count);
    anyhow::ensure!(
        count < WAITING_MAX,
        "{WAITING_MAX} alarms wait in {} already; mend the channels in alarms.toml",
        home.path(FOLDER).display()
    );
    let names = channels.names().into_iter();
    let channels = names.map(|name| (name, Attempts::default())).collect();
    save(home, &Waiting { alarm: alarm.clone(), channels })
}

fn save(home: &Home, waiting: &Waiting) -> Result<()> {
    let bytes = serde_json::to_vec_pretty(waiting).context("write an alarm")?;
    write_private(&home.path(&file(&waiting.alarm)), &bytes)
}

/// What waits, oldest first.
pub(crate) fn waiting(home: &Home) -> Result<Vec<Waiting>> {
    let folder = home.path(FOLDER);
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let mut all = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("list {}", folder.display()))? {
        let name = entry.context("list alarms")?.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("alarm_") && name.ends_with(".json") {
            all.extend(home.load::<Waiting>(&format!("{FOLDER}/{name}"))?);
        }
    }
    all.sort_by(|a, b| (a.alarm.at, &a.alarm.id).cmp(&(b.alarm.at, &b.alarm.id)));
    Ok(all)
}

/// Tries every channel that is due; what failed, in words.
pub(super) fn deliver(home: &Home, channels: &Channels, now: UnixSeconds) -> Result<Vec<String>> {
    let mut failures = Vec::new();
    let names = channels.names();
    for mut one in waiting(home)? {
        // A channel that somebody took out of the file gets nothing any more.
        one.channels.retain(|name, _| names.contains(name));
        let due: Vec<String> = one
            .channels
            .iter()
            .filter(|(_, attempts)| attempts.due <= now)
            .map(|(name, _)| name.clone())
            .collect();
        for name in &due {
            match send(channels, name, &one.alarm, now) {
                Ok(()) => {
                    one.channels.remove(name);
                }
                Err(error) => {
                    let problem = format!("{error:#}");
                    failures.push(format!("{name}: {problem}"));
                    let attempts = one.channels.entry(name.clone()).or_default();
                    let wait = RETRY_FIRST_S << attempts.tries.min(12);
                    attempts.tries = attempts.tries.saturating_add(1);
                    attempts.due = now.plus(wait.min(RETRY_LAST_S));
                    attempts.problem = Some(problem);
                }
            }
            settle(home, &one)?;
        }
        if due.is_empty() && one.channels.is_empty() {
            settle(home, &one)?;
        }
    }
    Ok(failures)
}

/// After each attempt, so that a process that dies repeats at most one.
fn settle(home: &Home, one: &Waiting) -> Result<()> {
    let _lock = home.lock("alarms.lock")?;
    if !one.channels.is_empty() {
        return save(home, one);
    }
    let path = home.path(&file(&one.alarm));
    match fs::remove_file(&path) {
        // Two witnesses of one home may have sent it at the same time.
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

fn send(channels: &Channels, name: &str, alarm: &Alarm, now: UnixSeconds) -> Result<()> {
    if let Some(hook) =
        channels.webhook.iter().find(|hook| name.strip_prefix("webhook ") == Some(&hook.url))
    {
        return webhook::send(&hook.receiver(), &alarm.id, now.get(), &hook_body(alarm));
    }
    match (&channels.email, name) {
        (_, "desktop") => desktop::send(alarm),
        (Some(email), _) => send_mail(email, alarm),
        (None, _) => Ok(()),
    }
}

fn hook_body(alarm: &Alarm) -> String {
    json!({
        "type": "bartizan.alarm", "timestamp": alarm.at, "id": alarm.id,
        "data": { "text": alarm.text, "facts": alarm.facts },
    })
    .to_string()
}

fn send_mail(email: &Email, alarm: &Alarm) -> Result<()> {
    let facts = serde_json::to_string_pretty(&alarm.facts).unwrap_or_default();
    let text = format!(
        "{}\n\n{facts}\n\nSent by a witness of Bartizan, not by its server. Look at it with: bartizan log mine, bartizan log audit\n",
        alarm.text
    );
    let mail = email::Mail {
        id: &alarm.id,
        at: alarm.at.get(),
        mark: "Bartizan",
        subject: &alarm.text,
        text: &text,
    };
    email::send(&email.sender(), &mail)
}
