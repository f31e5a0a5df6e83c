//! `statement show`, `verify`, `export`: statements in files, offline, and for stock tools.

use std::path::Path;

use anyhow::{Context as _, Result};
use bartizan_proto::operator::JobDetail;
use bartizan_trust::envelope::Envelope;
use bartizan_trust::signers::operator_signatures;
use bartizan_trust::statement::Bundle;
use clap::Subcommand;
use data_encoding::BASE64;
use serde_json::json;

use super::export::Folder;
use super::{Context, File, watch};
use crate::exit::refused;
use crate::home::read_bounded;
use crate::sign::render;

/// `bartizan statement …`
#[derive(Debug, Subcommand)]
pub(crate) enum StatementCommand {
    /// Render a statement from its exact bytes
    Show {
        /// The envelope
        file: File,
    },
    /// Verify its signatures by the keys of a bundle
    Verify {
        /// The envelope
        file: File,
        /// The bundle's envelope
        #[arg(long)]
        bundle: File,
    },
    /// Write what stock `ssh-keygen -Y verify` needs, and the commands
    Export {
        /// A file, or a job's id
        what: String,
        /// Where to
        #[arg(long)]
        dir: File,
    },
}

pub(crate) fn run(context: &Context, command: &StatementCommand) -> Result<()> {
    match command {
        StatementCommand::Show { file } => {
            let envelope = read(file)?;
            let payload: serde_json::Value =
                serde_json::from_slice(envelope.payload()).context("read the payload")?;
            let shown = json!({
                "id": envelope.id(), "type": envelope.payload_type(), "words": render::words(&envelope),
                "signatures": envelope.signature_count(), "payload": payload,
            });
            context.terminal.result(&shown, &render::statement(&envelope)?)
        }
        StatementCommand::Verify { file, bundle } => verify(context, &read(file)?, &read(bundle)?),
        StatementCommand::Export { what, dir } => {
            let envelope = if Path::new(what).exists() {
                read(Path::new(what))?
            } else {
                fetch(context, what)?
            };
            export(context, &envelope, dir)
        }
    }
}

fn read(path: &Path) -> Result<Envelope> {
    Envelope::decode(&read_bounded(path)?).with_context(|| format!("read {}", path.display()))
}

fn fetch(context: &Context, id: &str) -> Result<Envelope> {
    let console = context.connect()?;
    let id = watch::find(&console, id)?;
    let detail: JobDetail = console.api.fetch(&format!("/v1/jobs/{id}"))?;
    let bytes = BASE64.decode(detail.envelope.as_bytes()).context("read the job")?;
    Envelope::decode(&bytes).context("read the job")
}

fn verify(context: &Context, envelope: &Envelope, bundle: &Envelope) -> Result<()> {
    let bundle: Bundle = bundle.statement().context("read the bundle")?;
    let (counted, ignored) = operator_signatures(&bundle, envelope);
    let mut text = render::statement(envelope)?;
    for signature in &counted {
        text += &format!("signed  {} as {}\n", signature.operator.id, signature.role);
    }
    for signature in &ignored {
        text += &format!("IGNORED signature {}: {}\n", signature.index, signature.reason);
    }
    let signers: Vec<_> = counted
        .iter()
        .map(|s| json!({ "operator": s.operator.id, "role": s.role.namespace() }))
        .collect();
    let shown = json!({ "id": envelope.id(), "signed_by": signers, "ignored": ignored.len() });
    context.terminal.result(&shown, &text)?;
    if counted.is_empty() || !ignored.is_empty() {
        return Err(refused("not every signature counts", "see the reasons above"));
    }
    Ok(())
}

fn export(context: &Context, envelope: &Envelope, folder: &Path) -> Result<()> {
    let mut files = Folder::new(folder);
    files.add("", envelope, |number, _| Some(format!("signer-{number}")))?;
    let commands = files.finish()?;
    let text = format!(
        "written to {}. The keys in allowed_signers come from the statement: compare them with the bundle. Then, in that folder:\n{}",
        folder.display(),
        commands.join("\n")
    );
    context.terminal.result(&json!({ "dir": folder, "commands": commands }), &text)
}
