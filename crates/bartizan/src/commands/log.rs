//! `log verify` and `status`.

use anyhow::{Context as _, Result};
use bartizan_proto::operator::ServerIdentity;
use bartizan_trust::envelope::Envelope;
use bartizan_trust::policy::LogTrust;
use clap::Subcommand;
use serde_json::json;

use super::{Console, Context, File, export, mirror};
use crate::api::session;
use crate::exit::refused;
use crate::mine;
use crate::terminal::{cell, table};
use crate::trust::whole_log;
use crate::witness::{self, Log};

/// `bartizan log …`
#[derive(Debug, Subcommand)]
pub(crate) enum LogCommand {
    /// Download both logs, recompute their roots, verify every signature
    Verify,
    /// Keep a verified copy of both logs, scripts, receipts and endpoints
    Mirror(mirror::MirrorOptions),
    /// Go through both logs: gaps, forks, unknown signers, jobs without enough people or without receipts
    Audit(mirror::AuditOptions),
    /// Put mirrors together, so that `bartizan-server rescue` makes a lost server from them
    Rescue(mirror::RescueOptions),
    /// List what bears your signature, and whether this console made it
    Mine,
    /// Write every statement of both logs, and all receipts, for stock `ssh-keygen -Y verify`
    Export {
        /// Where to
        #[arg(long)]
        dir: File,
    },
}

pub(crate) fn run(context: &Context, command: &LogCommand) -> Result<()> {
    match command {
        LogCommand::Verify => verify(context),
        LogCommand::Mine => mine(context),
        LogCommand::Mirror(options) => mirror::mirror(context, options),
        LogCommand::Audit(options) => mirror::audit(context, options),
        LogCommand::Rescue(options) => mirror::rescue(context, options),
        LogCommand::Export { dir } => export::logs(context, dir),
    }
}

fn mine(context: &Context) -> Result<()> {
    let console = context.connect()?;
    let trust = LogTrust::parse(&console.trust.bundle.log).context("read the log policy")?;
    let key = session::own_key(&context.home)?;
    let me = key.as_deref().and_then(|key| mine::operator(&console.view, key));
    let me = me.context("this console's key belongs to no operator of the bundle in force")?;
    let mut all = Vec::new();
    for log in Log::ALL {
        let whole = whole_log(&console.api, log, log.key(&trust))?;
        all.extend(mine::signed_by(&context.home, me, log, 0, &whole.entries)?);
    }
    let rows: Vec<Vec<String>> = all
        .iter()
        .map(|mine| {
            let place = format!("{} {}", mine.log.name(), mine.index);
            let here = if mine.here { "here" } else { "elsewhere" };
            let roles = mine.roles.join(", ");
            vec![place, mine.kind.to_owned(), mine.id.to_string(), roles, here.to_owned()]
        })
        .collect();
    let text = if rows.is_empty() {
        "nothing bears your signature".to_owned()
    } else {
        table(&["ENTRY", "KIND", "ID", "AS", "SIGNED"], &rows)
    };
    let shown: Vec<_> = all.iter().map(mine::Mine::json).collect();
    context.terminal.result(&json!({ "operator": me.id, "signed": shown }), &text)
}

fn verify(context: &Context) -> Result<()> {
    let console = context.connect()?;
    let trust = LogTrust::parse(&console.trust.bundle.log).context("read the log policy")?;
    let mut problems = Vec::new();
    let mut logs = Vec::new();
    let mut text = String::new();
    for log in Log::ALL {
        let whole = whole_log(&console.api, log, log.key(&trust))?;
        let checkpoint = &whole.opened.checkpoint;
        let cosigned: Vec<&str> = trust
            .policy
            .witnesses()
            .filter(|(_, key)| whole.opened.note.cosigned_at(key).is_some())
            .map(|(name, _)| name)
            .collect();
        problems.extend(check_entries(log, &whole.entries));
        problems.extend(check_memory(context, log.key(&trust).name(), &whole.entries)?);
        text += &format!(
            "{}: {} entries, root {}, co-signed by {}\n",
            log.name(),
            checkpoint.size,
            checkpoint.root,
            if cosigned.is_empty() { "nobody".to_owned() } else { cosigned.join(", ") }
        );
        logs.push(json!({ "log": log.name(), "size": checkpoint.size, "root": checkpoint.root, "cosigned_by": cosigned }));
    }
    for problem in &problems {
        text += &format!("PROBLEM {problem}\n");
    }
    context
        .terminal
        .result(&json!({ "ok": problems.is_empty(), "logs": logs, "problems": problems }), &text)?;
    if problems.is_empty() {
        return Ok(());
    }
    Err(refused(
        format!("{} problems", problems.len()),
        "keep this output and tell the other operators",
    ))
}

fn check_entries(log: Log, entries: &[Vec<u8>]) -> Vec<String> {
    let mut problems = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        match Envelope::decode(entry) {
            Err(error) => problems.push(format!("{} entry {index}: {error}", log.name())),
            Ok(envelope) => {
                let (_, ignored) = envelope.verify_signatures();
                for signature in ignored {
                    problems.push(format!(
                        "{} entry {index}, signature {}: {}",
                        log.name(),
                        signature.index,
                        signature.reason
                    ));
                }
            }
        }
    }
    problems
}

/// The log still contains what this console has vouched for.
fn check_memory(context: &Context, origin: &str, entries: &[Vec<u8>]) -> Result<Vec<String>> {
    let Some(view) = witness::load(&context.home)?.views.get(origin).copied() else {
        return Ok(Vec::new());
    };
    let mut frontier = bartizan_trust::merkle::Frontier::default();
    let size = usize::try_from(view.size).context("count entries")?;
    for entry in entries.iter().take(size) {
        frontier.push(bartizan_trust::merkle::leaf_hash(entry));
    }
    Ok(if frontier.size() == view.size && frontier.root() == view.root {
        Vec::new()
    } else {
        vec![format!("`{origin}` is not what this console co-signed at {} entries", view.size)]
    })
}

/// What the server says of itself, beside what we believe.
pub(crate) fn status(context: &Context) -> Result<()> {
    let console: Console = context.connect()?;
    let identity: ServerIdentity = console.api.fetch("/v1/server")?;
    let bundle = &console.trust.bundle;
    let warning = crate::expiry::warning(&context.home)?;
    let shown = json!({
        "server": { "version": identity.version, "address": console.org.server, "spki": identity.spki },
        "anchor": console.org.anchor, "bundle": bundle.version, "operators": bundle.operators.len(),
        "expires": bundle.expires, "warning": warning,
    });
    let mut text = format!(
        "server  {} (version {})\nanchor  {}\nbundle  version {}, {} operators, expires {}",
        console.org.server,
        cell(&identity.version),
        console.org.anchor,
        bundle.version,
        bundle.operators.len(),
        crate::sign::render::date(bundle.expires)
    );
    if let Some(warning) = warning {
        text += &format!("\n{warning}");
    }
    context.terminal.result(&shown, &text)
}
