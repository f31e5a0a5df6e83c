//! `log mirror`, `log audit`, `log rescue`: what outlives a server, and what it proves.

use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::Args;
use serde_json::json;

use super::{Context, File, options};
use crate::audit::{self, Weight};
use crate::exit::refused;
use crate::home::now;
use crate::mirror::{self, Kept, Mirror};
use crate::terminal::{cell, plain_text};
use crate::witness::{self, Log};

/// `bartizan log mirror`
#[derive(Debug, Args)]
pub(crate) struct MirrorOptions {
    /// The folder of the mirror; made when it is missing
    dir: File,
    /// Go on for ever, this often
    #[arg(long, value_parser = options::seconds)]
    interval: Option<u64>,
}

/// `bartizan log audit`
#[derive(Debug, Args)]
pub(crate) struct AuditOptions {
    /// Audit this mirror, without the server
    #[arg(long)]
    mirror: Option<File>,
    /// Compare with other mirrors, for example of other operators
    #[arg(long, num_args = 1..)]
    against: Vec<File>,
}

/// `bartizan log rescue`
#[derive(Debug, Args)]
pub(crate) struct RescueOptions {
    /// Mirrors, for example of every operator
    #[arg(long, num_args = 1.., required = true)]
    from: Vec<File>,
    /// A new folder for `bartizan-server rescue --from`
    #[arg(long)]
    out: File,
}

fn kept_text(kept: &Kept) -> String {
    let mut text = format!(
        "control: {} entries, jobs: {} entries, {} receipts, {} endpoints\n",
        kept.control, kept.jobs, kept.receipts, kept.endpoints
    );
    for refused in &kept.refused {
        text += &format!("NOT KEPT {}\n", plain_text(refused));
    }
    text
}

pub(crate) fn mirror(context: &Context, options: &MirrorOptions) -> Result<()> {
    loop {
        let console = context.connect()?;
        let kept = mirror::update(&console, &options.dir)?;
        context.terminal.result(&json!({ "dir": options.dir, "kept": kept }), &kept_text(&kept))?;
        let Some(interval) = options.interval else { return Ok(()) };
        std::thread::sleep(Duration::from_secs(interval));
    }
}

pub(crate) fn audit(context: &Context, options: &AuditOptions) -> Result<()> {
    let anchor = context.home.org()?.anchor;
    let others = options.against.iter().map(|dir| Mirror::open(dir, anchor));
    let others = others.collect::<Result<Vec<_>>>()?;
    // The server's logs are fetched into a mirror that is thrown away, so that there is one way to judge.
    let scratch = tempfile::tempdir().context("make a temporary folder")?;
    let (dir, not_kept) = if let Some(dir) = &options.mirror {
        (dir.clone(), Vec::new())
    } else {
        let kept = mirror::update(&context.connect()?, scratch.path())?;
        (scratch.path().to_owned(), kept.refused)
    };
    let memory = witness::load(&context.home)?;
    let report = audit::audit(&Mirror::open(&dir, anchor)?, anchor, &memory, &others, now())?;
    let mut text = format!(
        "control: {} entries, jobs: {} entries, {} receipts\n",
        report.control, report.jobs, report.receipts
    );
    for finding in &report.findings {
        let weight = match finding.weight {
            Weight::Note => "note   ",
            Weight::Problem => "PROBLEM",
        };
        text += &format!(
            "{weight} {} {}: {}\n",
            finding.code,
            cell(&finding.place),
            plain_text(&finding.text)
        );
    }
    for problem in &not_kept {
        text += &format!("PROBLEM server.not_signed {}\n", plain_text(problem));
    }
    let clean = report.is_clean() && not_kept.is_empty();
    text += if clean { "nothing that needs looking into" } else { "" };
    let shown = json!({ "ok": clean, "report": report, "not_signed": not_kept });
    context.terminal.result(&shown, &text)?;
    if clean {
        return Ok(());
    }
    Err(refused("the audit found problems", "keep this output and tell the other operators"))
}

pub(crate) fn rescue(context: &Context, options: &RescueOptions) -> Result<()> {
    let anchor = context.home.org()?.anchor;
    let mirrors = options.from.iter().map(|dir| Mirror::open(dir, anchor));
    let mirrors = mirrors.collect::<Result<Vec<_>>>()?;
    let kept = mirror::merge(&mirrors, &options.out)?;
    let merged = Mirror::open(&options.out, anchor)?;
    let lost = lost(context, &merged)?;
    let mut text = kept_text(&kept);
    for problem in &lost {
        text += &format!("LOST {problem}\n");
    }
    text += &format!(
        "On the new server, with server.toml and the keys from the backup in DIR:\n  bartizan-server rescue --dir DIR --from {}",
        options.out.display()
    );
    let shown = json!({ "out": options.out, "kept": kept, "lost": lost });
    context.terminal.result(&shown, &text)?;
    if lost.is_empty() {
        return Ok(());
    }
    let next = "find a mirror that has them: endpoints that have seen the longer log refuse a shorter one (log.shrunk)";
    Err(refused("these mirrors lack entries that this console co-signed", next))
}

/// What this console vouched for and no mirror has.
fn lost(context: &Context, merged: &Mirror) -> Result<Vec<String>> {
    let memory = witness::load(&context.home)?;
    let mut lost = Vec::new();
    for log in Log::ALL {
        let whole = merged.log(log);
        let Some(view) = memory.views.get(&whole.opened.checkpoint.origin) else { continue };
        let have = whole.opened.checkpoint.size;
        if view.size > have {
            lost.push(format!("{}: entries {have} to {}", log.name(), view.size - 1));
        }
    }
    Ok(lost)
}
