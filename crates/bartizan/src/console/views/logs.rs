//! The public logs, downloaded and recomputed here.

use anyhow::{Context as _, Result};
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
use crate::exit::{Code, fail};
use crate::sign::render;
use crate::trust::{WholeLog, whole_log};
use crate::witness::{self, Log, View};

/// Both logs.
pub(crate) fn show(desk: &Desk, console: &Console) -> Result<Logs> {
    let trust = LogTrust::parse(&console.trust.bundle.log).context("read the log policy")?;
    let memory = witness::load(&desk.context.home)?;
    let (mut logs, mut alerts) = (Vec::new(), Vec::new());
    for log in Log::ALL {
        let key = log.key(&trust);
        let whole = whole_log(&console.api, log, key)?;
        let seen = memory.views.get(key.name()).copied();
        let verification = match seen.filter(|seen| !contains(&whole, seen)) {
            None => Verification::good(),
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
                    next: "sign nothing on this server; keep `bartizan log verify`'s output and tell the other operators".to_owned(),
                });
                Verification::bad(text)
            }
        };
        let note = &whole.opened.note;
        logs.push(LogView {
            name: log.name().to_owned(),
            origin: key.name().to_owned(),
            size: whole.opened.checkpoint.size,
            root: whole.opened.checkpoint.root.to_string(),
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
fn contains(whole: &WholeLog, seen: &View) -> bool {
    let mut frontier = Frontier::default();
    for entry in whole.entries.iter().take(usize::try_from(seen.size).unwrap_or(usize::MAX)) {
        frontier.push(leaf_hash(entry));
    }
    frontier.size() == seen.size && frontier.root() == seen.root
}

fn find(name: &str) -> Result<Log> {
    let found = Log::ALL.into_iter().find(|log| log.name() == name);
    found.ok_or_else(|| fail(Code::Usage, "no such log", "`control` or `jobs`"))
}

fn whole(console: &Console, log: Log) -> Result<WholeLog> {
    let trust = LogTrust::parse(&console.trust.bundle.log).context("read the log policy")?;
    whole_log(&console.api, log, log.key(&trust))
}

/// Entries, newest first.
pub(crate) fn entries(console: &Console, name: &str, part: Part) -> Result<EntriesWindow> {
    let whole = whole(console, find(name)?)?;
    let numbered: Vec<(u64, &Vec<u8>)> = (0..).zip(&whole.entries).collect();
    let newest = numbered.into_iter().rev().collect();
    let rows =
        part.of(newest).into_iter().map(|(index, entry)| row(console, index, entry)).collect();
    Ok(EntriesWindow { total: whole.opened.checkpoint.size, offset: part.offset, rows })
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
pub(crate) fn entry(console: &Console, name: &str, index: u64) -> Result<EntryView> {
    let log = find(name)?;
    let whole = whole(console, log)?;
    let place = usize::try_from(index).unwrap_or(usize::MAX);
    let Some(bytes) = whole.entries.get(place) else {
        let problem = format!("the log has {} entries", whole.entries.len());
        return Err(fail(Code::Usage, problem, "choose one of them"));
    };
    let checkpoint = &whole.opened.checkpoint;
    let path = format!("/v1/log/{name}/proof?index={index}&size={}", checkpoint.size);
    let proof = console.api.fetch_bytes(&path)?;
    let leaf = leaf_hash(bytes);
    let decoded = LogProof::decode(&proof).context("read the proof")?;
    let proven = verify_inclusion(&leaf, index, checkpoint.size, &decoded.path, &checkpoint.root);
    let (files, commands) = stock(console, bytes)?;
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
fn stock(console: &Console, entry: &[u8]) -> Result<(Vec<ProofFile>, Vec<String>)> {
    let people = export::operators(&whole(console, Log::Control)?.entries);
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
