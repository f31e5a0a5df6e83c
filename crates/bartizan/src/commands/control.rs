//! `thaw`, `bundle`, and what all statements of the control log have in common, which stop things or move trust.

use anyhow::{Context as _, Result};
use bartizan_proto::operator::{ControlDrafts, Stored};
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::StatementId;
use bartizan_trust::statement::{Bundle, SignatureRole, Statement, StatementType, Thaw, V1, Veto};
use clap::Subcommand;
use data_encoding::BASE64;
use serde_json::json;

use super::{Console, Context, File, change, options};
use crate::api::session;
use crate::exit::{Code, fail, refused};
use crate::home::{now, read_bounded};
use crate::keys::Signer;
use crate::mine;
use crate::sign::{fields, render};
use crate::witness;

/// `bartizan bundle …`
#[derive(Debug, Subcommand)]
pub(crate) enum BundleCommand {
    /// Print the bundle in force, to edit and propose
    Show,
    /// Sign a changed bundle; others sign it with `approve`
    Propose {
        /// The changed bundle, as `show` printed it
        file: File,
    },
    /// Sign the same bundle with a later end
    Renew {
        /// How long it is valid from now on
        #[arg(long = "for", default_value = "365d", value_parser = options::seconds)]
        seconds: u64,
    },
    /// Stop a bundle that waits for its delay
    Veto {
        /// Its id
        id: StatementId,
        /// Why, for the others
        #[arg(long, default_value = "")]
        reason: String,
    },
}

/// `bartizan thaw`
pub(crate) fn thaw(context: &Context, id: StatementId, reason: &str) -> Result<()> {
    let console = context.connect()?;
    let statement = thaw_of(&console, id, reason)?;
    let stored = sign_and_send(context, &console, &statement, SignatureRole::Freeze)?;
    done_or_waiting(context, &stored, "thawed")
}

/// The end of a freeze that stands.
pub(crate) fn thaw_of(console: &Console, freeze: StatementId, reason: &str) -> Result<Thaw> {
    if !console.view.freezes.standing(now()).any(|(known, _)| *known == freeze) {
        return Err(fail(Code::Error, "no such freeze stands", "see `bartizan frozen`"));
    }
    Ok(Thaw {
        v: V1,
        org: console.org.anchor.org(),
        iat: now(),
        crit: Vec::new(),
        freeze,
        reason: reason.to_owned(),
    })
}

/// What stops a bundle that waits.
pub(crate) fn veto_of(console: &Console, bundle: StatementId, reason: &str) -> Veto {
    Veto {
        v: V1,
        org: console.org.anchor.org(),
        iat: now(),
        crit: Vec::new(),
        bundle,
        reason: reason.to_owned(),
    }
}

/// `bartizan bundle …`
pub(crate) fn bundle(context: &Context, command: &BundleCommand) -> Result<()> {
    let console = context.connect()?;
    match command {
        BundleCommand::Show => {
            let shown = serde_json::to_value(&console.trust.bundle).context("write the bundle")?;
            let text = serde_json::to_string_pretty(&shown).context("write the bundle")?;
            context.terminal.result(&shown, &text)
        }
        BundleCommand::Propose { file } => {
            let text = read_bounded(file)?;
            let edited: Bundle = serde_json::from_slice(&text)
                .with_context(|| format!("{} is no bundle", file.display()))?;
            // It follows whatever comes last, also a bundle that waits.
            let chain = &console.view.chain;
            let last = chain.pending.last().map_or(&chain.current, |pending| &pending.trust);
            let next = Bundle {
                org: Some(console.org.anchor.org()),
                version: last.bundle.version + 1,
                prev: Some(last.id),
                iat: now(),
                ..edited
            };
            let mut envelope = Envelope::new(&next);
            show(context, &console, &envelope)?;
            context.terminal.confirm("Sign this bundle?")?;
            Signer::open(&context.home, context.key.as_deref())?
                .sign(&mut envelope, SignatureRole::Root)?;
            mine::remember(&context.home, &envelope)?;
            let stored = send(context, &console, &envelope)?;
            done_or_waiting(context, &stored, "published")
        }
        BundleCommand::Renew { seconds } => change::propose(context, &console, |bundle| {
            bundle.expires = now().plus(*seconds);
            Ok(())
        }),
        BundleCommand::Veto { id, reason } => {
            let statement = veto_of(&console, *id, reason);
            let stored = sign_and_send(context, &console, &statement, SignatureRole::Root)?;
            done_or_waiting(context, &stored, "vetoed")
        }
    }
}

/// `bartizan approve` of something that is no job: true when `text` names a draft.
pub(crate) fn approve(context: &Context, console: &Console, text: &str) -> Result<bool> {
    let fits = |envelope: &Envelope| text.len() > 5 && envelope.id().to_string().starts_with(text);
    let Some(mut envelope) = drafts(console)?.into_iter().find(fits) else { return Ok(false) };
    let role = role_of_draft(&envelope)?;
    show(context, console, &envelope)?;
    context.terminal.confirm("Compare the words with the others. Sign?")?;
    Signer::open(&context.home, context.key.as_deref())?.sign(&mut envelope, role)?;
    mine::remember(&context.home, &envelope)?;
    let stored = send(context, console, &envelope)?;
    done_or_waiting(context, &stored, "signed by enough")?;
    Ok(true)
}

/// As what the next person signs a draft.
pub(crate) fn role_of_draft(envelope: &Envelope) -> Result<SignatureRole> {
    match envelope.kind() {
        Some(StatementType::Bundle) => Ok(SignatureRole::Root),
        Some(StatementType::Freeze | StatementType::Thaw) => Ok(SignatureRole::Freeze),
        _ => Err(refused(
            "the server shows a draft of a kind that needs no second person",
            "do not sign; tell the other operators",
        )),
    }
}

/// Control statements that lack signatures, as far as they can be read.
pub(crate) fn drafts(console: &Console) -> Result<Vec<Envelope>> {
    let page: ControlDrafts = console.api.fetch("/v1/control/drafts")?;
    let decode = |text: &String| Envelope::decode(&BASE64.decode(text.as_bytes()).ok()?).ok();
    Ok(page.drafts.iter().filter_map(decode).collect())
}

/// A statement from its exact bytes; of a bundle, first what it changes.
pub(super) fn show(context: &Context, console: &Console, envelope: &Envelope) -> Result<()> {
    let mut text = render::statement(envelope)?;
    if envelope.kind() == Some(StatementType::Bundle) {
        text += &fields::changes(&console.view.chain, envelope)?;
    }
    context.terminal.show(&text)
}

/// Signs a statement of the control log and sends it.
pub(super) fn sign_and_send<S: Statement>(
    context: &Context,
    console: &Console,
    statement: &S,
    role: SignatureRole,
) -> Result<Stored> {
    send(context, console, &sign(context, statement, role)?)
}

/// Shows a statement from its exact bytes, and signs it.
pub(super) fn sign<S: Statement>(
    context: &Context,
    statement: &S,
    role: SignatureRole,
) -> Result<Envelope> {
    let mut envelope = Envelope::new(statement);
    context.terminal.show(&render::statement(&envelope)?)?;
    context.terminal.confirm("Sign it?")?;
    Signer::open(&context.home, context.key.as_deref())?.sign(&mut envelope, role)?;
    mine::remember(&context.home, &envelope)?;
    Ok(envelope)
}

pub(crate) fn send(context: &Context, console: &Console, envelope: &Envelope) -> Result<Stored> {
    let stored: Stored = console.api.send("/v1/control", &session::body(envelope))?;
    // The jobs log has nothing to do with it, and may be the one whose key this bundle replaces.
    witness::cosign_control(&context.home, &console.api, &console.trust.bundle)?;
    Ok(stored)
}

pub(crate) fn done_or_waiting(context: &Context, stored: &Stored, done: &str) -> Result<()> {
    if stored.log_index.is_none() {
        return waits_for_others(context, stored.id);
    }
    let shown = json!({ "statement": stored.id, "done": true });
    context.terminal.result(&shown, &format!("{} {done}", stored.id))
}

pub(super) fn waits_for_others(context: &Context, id: StatementId) -> Result<()> {
    let text = format!("{id} waits for other operators: bartizan approve {id}");
    context.terminal.result(&json!({ "statement": id, "done": false }), &text)
}
