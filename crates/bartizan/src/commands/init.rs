//! `init`, `join`, `org`: an organisation comes into being on its operators' computers.

use std::path::Path;

use anyhow::{Context as _, Result};
use bartizan_proto::operator::ServerIdentity;
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::{Anchor, OperatorId};
use bartizan_trust::statement::SignatureRole;
use bartizan_trust::words::eight_words;
use clap::Args;
use serde_json::json;

use super::keys::{Card, WitnessCard};
use super::recovery::PublicHalves;
use super::{Context, File, options};
use crate::api::session;
use crate::exit::{Code, fail};
use crate::founding::{self, CHANGE_ENDPOINTS_MAX, Wish};
use crate::home::{OrgFile, read_bounded, write_private};
use crate::keys::Signer;
use crate::mine;
use crate::sign::render;

/// `bartizan init …`
#[derive(Debug, Args)]
pub(crate) struct InitOptions {
    /// Your short name
    #[arg(long, value_parser = options::slug::<OperatorId>, requires = "name")]
    id: Option<OperatorId>,
    /// Your name
    #[arg(long)]
    name: Option<String>,
    /// Cards of the other operators (`bartizan card`)
    #[arg(long = "with", num_args = 1..)]
    cards: Vec<File>,
    /// Guardians: files that `bartizan witness key` printed
    #[arg(long = "witness", num_args = 1..)]
    guardians: Vec<File>,
    /// The server: the file that `bartizan-server identity` printed; with --publish its operator plane, host:port
    #[arg(long)]
    server: Option<String>,
    /// How many operators change the bundle
    #[arg(long, default_value_t = 2)]
    threshold: u32,
    /// Where to write the bundle
    #[arg(long, default_value = "genesis.json")]
    out: File,
    /// The recovery key: recovery.json, which `bartizan recovery new` made
    #[arg(long)]
    recovery: Option<File>,
    /// How long a recovery waits, so that it can be vetoed
    #[arg(long, default_value = "72h", value_parser = options::seconds)]
    recovery_delay: u64,
    /// Most endpoints of one job of class `change` (for large fleets)
    #[arg(long, default_value_t = CHANGE_ENDPOINTS_MAX)]
    change_endpoints_max: u32,
    /// Add your signature to a bundle that another operator made
    #[arg(long, conflicts_with_all = ["id", "publish"])]
    countersign: Option<File>,
    /// Hand a complete bundle to the server
    #[arg(long, requires = "server")]
    publish: Option<File>,
}

pub(crate) fn run(context: &Context, options: &InitOptions) -> Result<()> {
    if let Some(path) = &options.countersign {
        return countersign(context, path);
    }
    if let (Some(path), Some(server)) = (&options.publish, &options.server) {
        return publish(context, path, server);
    }
    let (Some(id), Some(name), Some(server)) = (&options.id, &options.name, &options.server) else {
        return Err(fail(
            Code::Usage,
            "too few options",
            "give --id, --name and --server; or --countersign FILE; or --publish FILE --server host:port",
        ));
    };
    if options.out.exists() {
        let problem = format!("{} exists; others may have signed it", options.out.display());
        return Err(fail(Code::Error, problem, "choose another --out, or move it away"));
    }
    let identity: ServerIdentity = serde_json::from_slice(&read_bounded(Path::new(server))?)
        .with_context(|| format!("read {server}; make it with `bartizan-server identity`"))?;
    let mut cards = vec![Card::own(context, id, name)?];
    for path in &options.cards {
        let card = serde_json::from_slice(&read_bounded(path)?);
        cards.push(card.with_context(|| format!("read the card {}", path.display()))?);
    }
    let mut guardians: Vec<WitnessCard> = Vec::new();
    for path in &options.guardians {
        let card = serde_json::from_slice(&read_bounded(path)?);
        guardians
            .push(card.with_context(|| format!("read the witness's card {}", path.display()))?);
    }
    let bundle = founding::genesis(Wish {
        cards,
        guardians,
        identity: &identity,
        threshold: options.threshold,
        recovery: options.recovery.as_deref().map(PublicHalves::read).transpose()?,
        recovery_delay_s: options.recovery_delay,
        change_endpoints_max: options.change_endpoints_max,
    })?;
    for warning in founding::warnings(&bundle) {
        eprintln!("WARNING: {warning}");
    }
    let mut envelope = Envelope::new(&bundle);
    sign(context, &mut envelope)?;
    write_private(&options.out, &envelope.encode())?;
    let next = format!("the others run: bartizan init --countersign {}", options.out.display());
    show(context, &envelope, &next)
}

fn countersign(context: &Context, path: &Path) -> Result<()> {
    let mut envelope = Envelope::decode(&read_bounded(path)?)
        .with_context(|| format!("read {}", path.display()))?;
    sign(context, &mut envelope)?;
    write_private(path, &envelope.encode())?;
    let next = format!(
        "when enough have signed: bartizan init --publish {} --server host:port",
        path.display()
    );
    show(context, &envelope, &next)
}

fn sign(context: &Context, envelope: &mut Envelope) -> Result<()> {
    context.terminal.show(&render::statement(envelope)?)?;
    context.terminal.confirm("Do the other operators see the same words? Sign this bundle?")?;
    Signer::open(&context.home, context.key.as_deref())?.sign(envelope, SignatureRole::Root)?;
    mine::remember(&context.home, envelope)
}

fn show(context: &Context, envelope: &Envelope, next: &str) -> Result<()> {
    let anchor = founding::anchor_of(envelope);
    let words = render::words(envelope);
    let shown =
        json!({ "anchor": anchor, "words": words, "signatures": envelope.signature_count() });
    context.terminal.result(&shown, &format!("signed; anchor {anchor}\n{next}"))
}

fn publish(context: &Context, path: &Path, address: &str) -> Result<()> {
    let envelope = Envelope::decode(&read_bounded(path)?)
        .with_context(|| format!("read {}", path.display()))?;
    founding::check_free(&context.home, founding::anchor_of(&envelope))?;
    finish(context, &founding::publish(&envelope, address)?)
}

/// Becomes part of an organisation that exists: believes nothing but the anchor.
pub(crate) fn join(context: &Context, anchor: Anchor, address: &str) -> Result<()> {
    founding::check_free(&context.home, anchor)?;
    finish(context, &founding::at(anchor, address)?)
}

fn finish(context: &Context, org: &OrgFile) -> Result<()> {
    let api = session::open(&context.home, org, context.key.as_deref())?;
    founding::enter(&context.home, org, &api)?;
    show_org(context)
}

/// The organisation of this console.
pub(crate) fn show_org(context: &Context) -> Result<()> {
    let org = context.home.org()?;
    let words = eight_words(org.anchor.org().hash());
    let warning = crate::expiry::warning(&context.home)?;
    let shown = json!({
        "anchor": org.anchor, "org": org.anchor.org(), "words": words, "server": org.server, "warning": warning,
    });
    let mut text = format!("anchor {}\nwords  {words}\nserver {}", org.anchor, org.server);
    if let Some(warning) = warning {
        text += &format!("\n{warning}");
    }
    context.terminal.result(&shown, &text)
}
