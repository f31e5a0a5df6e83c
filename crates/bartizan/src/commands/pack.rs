//! `pack sign`: vouches for rules of the scanner.

use std::fs;

use anyhow::{Context as _, Result};
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::{Sha256, TenantId};
use bartizan_trust::people::pack_keys;
use bartizan_trust::statement::{Bundle, Pack, SignatureRole};
use clap::Subcommand;
use serde_json::json;

use super::{Context, File};
use crate::exit::{Code, fail};
use crate::keys::Signer;
use crate::sign::render;

/// `bartizan pack …`
#[derive(Debug, Subcommand)]
pub(crate) enum PackCommand {
    /// Sign a rule pack that `bartizan-scan pack build` made
    Sign {
        /// The pack; the signature is added to it
        file: File,
    },
}

pub(crate) fn run(context: &Context, command: &PackCommand) -> Result<()> {
    let PackCommand::Sign { file } = command;
    let bytes = fs::read(file).with_context(|| format!("read {}", file.display()))?;
    let Some((mut envelope, body)) = split(&bytes) else {
        let next = "make it with `bartizan-scan pack build --org`, and look at it with `bartizan-scan pack show`";
        return Err(fail(Code::Error, "not a rule pack with a statement to sign", next));
    };
    let statement: Pack = envelope.statement().context("read the pack's statement")?;
    if statement.body != Sha256::of(body) {
        let next = "build the pack again; what was to be signed is not what stands in it";
        return Err(fail(Code::Refused, "the pack's statement is about another body", next));
    }
    context.terminal.show(&render::statement(&envelope)?)?;
    context.terminal.confirm("Sign this rule pack?")?;
    let signer = Signer::open(&context.home, context.key.as_deref())?;
    signer.sign(&mut envelope, SignatureRole::Pack)?;
    fs::write(file, join(&envelope, body)).with_context(|| format!("write {}", file.display()))?;
    let key = signer.public().fingerprint();
    let shown = json!({ "name": statement.name, "version": statement.version, "body": statement.body, "key": key });
    context
        .terminal
        .result(&shown, &format!("signed by {key}; scanners need that key: --pack-keys"))
}

/// Whether endpoints of a tenant believe a pack file by the bundle in force. SPEC: scan.md "Packs"
pub(super) fn is_vouched_for(bytes: &[u8], bundle: &Bundle, tenant: &TenantId) -> bool {
    let Some((envelope, body)) = split(bytes) else { return false };
    let about = envelope.statement::<Pack>().ok().map(|statement| statement.body);
    let keys = pack_keys(bundle, tenant);
    let (signatures, _) = envelope.verify_signatures();
    let counts = signatures.iter().any(|signature| {
        signature.role == SignatureRole::Pack && keys.contains(&signature.key.to_openssh().as_str())
    });
    counts && about == Some(Sha256::of(body))
}

/// The envelope and the body of a pack file. What is signed says which body it is about, so the digest in the first line
/// does not matter here. SPEC: pack.md, "The file"
fn split(bytes: &[u8]) -> Option<(Envelope, &[u8])> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let head = core::str::from_utf8(bytes.get(..end)?).ok()?;
    let length: usize = head.strip_prefix("bartizan-pack 1 ")?.split_once(' ')?.1.parse().ok()?;
    let (envelope, body) = bytes.get(end + 1..)?.split_at_checked(length)?;
    Some((Envelope::decode(envelope).ok()?, body))
}

fn join(envelope: &Envelope, body: &[u8]) -> Vec<u8> {
    let envelope = envelope.encode();
    let head = format!("bartizan-pack 1 {} {}\n", Sha256::of(body), envelope.len());
    [head.as_bytes(), &envelope, body].concat()
}
