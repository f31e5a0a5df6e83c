//! The public logs: the part that is shown, proven here to belong to the newest checkpoint.

use core::ops::Range;

use anyhow::{Context as _, Result};
use bartizan_trust::checkpoint::Checkpoint;
use bartizan_trust::envelope::Envelope;
use bartizan_trust::merkle::{Frontier, leaf_hash, verify_inclusion};
use bartizan_trust::policy::LogTrust;
use bartizan_trust::proof::LogProof;
use bartizan_trust::sshsig::SshSig;
use bartizan_trust::statement::StatementType;
use data_encoding::BASE64;

use super::{bounded, signed_by};
use crate::commands::{Console, export};
use crate::console::desk::Desk;
use crate::console::shapes::{
    Alert, Cosigned, EntriesWindow, EntryRow, EntryView, LogView, Logs, Part, ProofFile, Severity,
    Verification,
};
use crate::exit::{self, Code, fail};
use crate::sign::render;
use crate::tiles::Tiles;
use crate::trust::{entries_from, newest_checkpoint};
use crate::witness::{self, Log, View};

/// Both logs.
pub(crate) fn show(desk: &Desk, console: &Console) -> Result<Logs> {
    let trust = LogTrust::parse(&console.trust.bundle.log).context("read the log policy")?;
    let memory = witness::load(&desk.context.home)?;
    let (mut logs, mut alerts) = (Vec::new(), Vec::new());
    for log in Log::ALL {
        let key = log.key(&trust);
        let opened = newest_checkpoint(&console.api, log, key)?;
        let seen = memory.views.get(key.name()).copied();
        let verification = match seen {
            None => Verification::good(),
            Some(seen) if contains(desk, console, log, &opened.checkpoint, &seen)? => {
                Verification::good()
            }
            Some(seen) => {
                let text = format!(
                    "`{}` is not what this console co-signed at {} entries",
                    key.name(),
                    seen.size
                );
                alerts.push(Alert {
                    code: "log.forked".to_owned(),
                    severity: Severity::Urgent,
                    text: text.clone(),
                    next: "sign nothing on this server, keep what this page shows, and tell the other operators".to_owned(),
                });
                Verification::bad(text)
            }
        };
        let note = &opened.note;
        logs.push(LogView {
            name: log.name().to_owned(),
            origin: key.name().to_owned(),
            size: opened.checkpoint.size,
            root: opened.checkpoint.root.to_string(),
            checkpoint: String::from_utf8_lossy(&note.encode()).into_owned(),
            verification,
            cosigned_here: seen.map(|seen| seen.size),
            witnesses: trust
                .policy
                .witnesses()
                .map(|(name, key)| Cosigned {
                    name: name.to_owned(),
                    at: note.cosigned_at(key).map(bartizan_trust::time::UnixSeconds::get),
                })
                .collect(),
        });
    }
    Ok(Logs { logs, alerts })
}

/// Whether a log begins with what was co-signed.
fn contains(
    desk: &Desk,
    console: &Console,
    log: Log,
    newest: &Checkpoint,
    seen: &View,
) -> Result<bool> {
    if seen.size > newest.size {
        return Ok(false);
    }
    let root = Tiles::open(newest.clone(), |path| tile(console, log, path))
        .and_then(|mut tiles| tiles.root_at(seen.size));
    if let Some(root) = unless_absent(root)? {
        return Ok(root == seen.root);
    }
    let whole = desk.logs.whole(console, log)?;
    let mut frontier = Frontier::default();
    for entry in whole.entries.iter().take(usize::try_from(seen.size).unwrap_or(usize::MAX)) {
        frontier.push(leaf_hash(entry));
    }
    Ok(frontier.size() == seen.size && frontier.root() == seen.root)
}

fn tile(console: &Console, log: Log, path: &str) -> Result<Vec<u8>> {
    Ok(console.api.fetch_bytes(&format!("/v1/log/{}/{path}", log.name()))?.into())
}

/// Nothing where the server has no such tile: it writes tiles a moment after the entries, and takes parts of tiles away that are full.
fn unless_absent<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error) if exit::reason(&error).as_deref() == Some("request.not_found") => Ok(None),
        Err(error) => Err(error),
    }
}

fn find(name: &str) -> Result<Log> {
    let found = Log::ALL.into_iter().find(|log| log.name() == name);
    found.ok_or_else(|| fail(Code::Usage, "no such log", "`control` or `jobs`"))
}

/// A part of a log.
struct Window {
    checkpoint: Checkpoint,
    start: u64,
    entries: Vec<Vec<u8>>,
}

/// The part of a log that `range` says of its size, proven by tiles; by the whole log where a tile is not there.
fn window(
    desk: &Desk,
    console: &Console,
    log: Log,
    range: impl Fn(u64) -> Range<u64>,
) -> Result<Window> {
    let trust = LogTrust::parse(&console.trust.bundle.log).context("read the log policy")?;
    let checkpoint = newest_checkpoint(&console.api, log, log.key(&trust))?.checkpoint;
    let Range { start, end } = range(checkpoint.size);
    let proven = || {
        let entries = entries_from(&console.api, log, start, end.min(checkpoint.size))?;
        let mut tiles = Tiles::open(checkpoint.clone(), |path| tile(console, log, path))?;
        tiles.prove(start, &entries)?;
        Ok(entries)
    };
    if let Some(entries) = unless_absent(proven())? {
        return Ok(Window { checkpoint, start, entries });
    }
    let whole = desk.logs.whole(console, log)?;
    let checkpoint = whole.opened.checkpoint.clone();
    let Range { start, end } = range(checkpoint.size);
    let (skip, count) = (usize::try_from(start)?, usize::try_from(end.saturating_sub(start))?);
    let entries = whole.entries.iter().skip(skip).take(count).cloned().collect();
    Ok(Window { checkpoint, start, entries })
}

/// Entries, newest first.
pub(crate) fn entries(
    desk: &Desk,
    console: &Console,
    name: &str,
    part: Part,
) -> Result<EntriesWindow> {
    let window = window(desk, console, find(name)?, |size| part.of_newest(size))?;
    let numbered = (window.start..).zip(&window.entries);
    let mut rows: Vec<_> = numbered.map(|(index, entry)| row(console, index, entry)).collect();
    rows.reverse();
    Ok(EntriesWindow { total: window.checkpoint.size, offset: part.offset, rows })
}

fn row(console: &Console, index: u64, entry: &[u8]) -> EntryRow {
    let Ok(envelope) = Envelope::decode(entry) else {
        let title = "this entry is no statement".to_owned();
        return EntryRow {
            index,
            kind: "unknown".to_owned(),
            id: None,
            title,
            signatures: Vec::new(),
        };
    };
    EntryRow {
        index,
        kind: envelope.kind().map_or("unknown", StatementType::name).to_owned(),
        id: Some(envelope.id().to_string()),
        title: title(&envelope),
        signatures: signed_by(console, &envelope),
    }
}

/// The first line of a statement in words.
pub(super) fn title(envelope: &Envelope) -> String {
    let text = render::statement(envelope).unwrap_or_default();
    bounded(text.lines().next().unwrap_or_default())
}

/// One entry, with everything to verify it by stock tools.
pub(crate) fn entry(desk: &Desk, console: &Console, name: &str, index: u64) -> Result<EntryView> {
    let log = find(name)?;
    let window = window(desk, console, log, |size| index.min(size)..index.saturating_add(1))?;
    let checkpoint = &window.checkpoint;
    let Some(bytes) = window.entries.first() else {
        let problem = format!("the log has {} entries", checkpoint.size);
        return Err(fail(Code::Usage, problem, "choose one of them"));
    };
    let path = format!("/v1/log/{name}/proof?index={index}&size={}", checkpoint.size);
    let proof = console.api.fetch_bytes(&path)?;
    let leaf = leaf_hash(bytes);
    let decoded = LogProof::decode(&proof).context("read the proof")?;
    let proven = verify_inclusion(&leaf, index, checkpoint.size, &decoded.path, &checkpoint.root);
    let (files, commands) = stock(desk, console, bytes)?;
    let decoded = Envelope::decode(bytes).ok();
    Ok(EntryView {
        row: row(console, index, bytes),
        text: decoded.as_ref().map_or_else(|| Ok(String::new()), render::statement)?,
        words: decoded.as_ref().map(render::words).unwrap_or_default(),
        verification: match proven {
            Ok(()) => Verification::good(),
            Err(error) => {
                Verification::bad(format!("the proof does not lead to the checkpoint: {error}"))
            }
        },
        leaf: leaf.to_string(),
        proof: String::from_utf8_lossy(&proof).into_owned(),
        files,
        commands,
    })
}

/// The signed bytes, armoured signatures and keys, and what to type.
fn stock(desk: &Desk, console: &Console, entry: &[u8]) -> Result<(Vec<ProofFile>, Vec<String>)> {
    let people = export::operators(&desk.logs.whole(console, Log::Control)?.entries);
    let mut files = Vec::new();
    let mut commands = Vec::new();
    if let Ok(envelope) = Envelope::decode(entry) {
        let who = |_: usize, signature: &SshSig| {
            people.get(&signature.public_key().to_openssh()).cloned()
        };
        let parts = export::parts(&envelope, "", who)?;
        files.extend(parts.files.iter().map(|(name, bytes)| file(name, bytes)));
        let allowed: String = parts.allowed.into_iter().collect();
        files.push(file("allowed_signers", allowed.as_bytes()));
        commands.extend(parts.commands);
    }
    Ok((files, commands))
}

fn file(name: &str, bytes: &[u8]) -> ProofFile {
    ProofFile { name: name.to_owned(), base64: BASE64.encode(bytes) }
}
