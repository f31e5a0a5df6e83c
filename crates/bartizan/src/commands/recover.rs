//! `recover …`: new people by the recovery key, when those who are there are too few. It is logged, waits, and can be vetoed.

use std::path::Path;

use anyhow::{Context as _, Result};
use bartizan_proto::operator::{CosignatureBody, Stored};
use bartizan_trust::control::ControlView;
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::{Anchor, OperatorId, StatementId};
use bartizan_trust::note::cosignature_message;
use bartizan_trust::policy::LogTrust;
use bartizan_trust::statement::{Bundle, SignatureRole};
use clap::{Args, Subcommand};
use serde_json::json;

use super::keys::Card;
use super::recovery::{unseal, witness_vkey};
use super::{Context, File, change, operator, options};
use crate::api::tls::Pin;
use crate::api::{Api, session};
use crate::exit::{Code, fail, refused};
use crate::home::{OrgFile, now, read_bounded, write_private};
use crate::keys::Signer;
use crate::keys::file::{FileKey, Loaded, load};
use crate::mine;
use crate::sign::{fields, render};
use crate::trust::{current_view, whole_log};
use crate::witness::{Log, View};

/// `bartizan recover …`
#[derive(Debug, Subcommand)]
pub(crate) enum RecoverCommand {
    /// Make a bundle with new people, signed by the recovery key
    Propose(Propose),
    /// A person it names accepts, with a key of their own
    Sign {
        /// The bundle
        file: File,
    },
    /// Hand it to the server, where it waits its delay
    Send {
        /// The bundle, signed by enough of its people
        file: File,
        #[command(flatten)]
        keys: Keys,
    },
    /// After the delay: show what is in force, and co-sign with the spare witness
    Finish {
        #[command(flatten)]
        keys: Keys,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Propose {
    #[command(flatten)]
    keys: Keys,
    /// People of the present bundle who stay
    #[arg(long, num_args = 1.., value_parser = options::slug::<OperatorId>)]
    keep: Vec<OperatorId>,
    /// Cards of new people
    #[arg(long = "with", num_args = 1..)]
    cards: Vec<File>,
    /// The eight words of each card, in the same order; asked for unless given
    #[arg(long = "words")]
    words: Vec<String>,
    /// Where to write the bundle
    #[arg(long, default_value = "recovered.json")]
    out: File,
}

/// Where the organisation is, and the keys that speak for it. The home may belong to none: its people may all be gone.
#[derive(Debug, Args)]
pub(crate) struct Keys {
    /// recovery.age, photographed or typed from the sheet
    #[arg(long, required_unless_present = "recovery_key")]
    sheet: Option<File>,
    /// The recovery key itself, if stock `age` has decrypted it
    #[arg(long, conflicts_with = "sheet")]
    recovery_key: Option<File>,
    /// spare-witness.age, where no operator's console is left to co-sign
    #[arg(long)]
    witness_sheet: Option<File>,
    /// The anchor from the sheet, unless this console belongs to the organisation
    #[arg(long, requires = "server")]
    anchor: Option<Anchor>,
    /// Operator plane, host:port
    #[arg(long, requires = "anchor")]
    server: Option<String>,
}

/// A connection in the name of the recovery key.
struct Recovering {
    api: Api,
    org: OrgFile,
    view: ControlView,
    key: Signer,
}

impl Keys {
    fn open(&self, context: &Context) -> Result<Recovering> {
        let key = Signer::File(self.recovery_key()?);
        let org = self.organisation(context)?;
        let api = session::once(&org, &key)?;
        let view = current_view(&api, org.anchor)?;
        let known = |bundle: &Bundle| bundle.servers.iter().any(|server| server.spki == org.spki);
        if !known(&view.chain.current.bundle) {
            let next = "check the address; if it is right, somebody stands in between";
            return Err(refused("this server's key is not in the organisation's bundle", next));
        }
        Ok(Recovering { api, org, view, key })
    }

    fn recovery_key(&self) -> Result<FileKey> {
        match (&self.sheet, &self.recovery_key) {
            (_, Some(path)) => match load(path)? {
                Loaded::Software(key) => Ok(key),
                Loaded::SecurityKey(_) => {
                    let next = "give what `age -d recovery.age` printed";
                    Err(fail(Code::Error, "this is the handle of a security key", next))
                }
            },
            (Some(path), None) => unseal(path),
            (None, None) => Err(fail(Code::Usage, "no recovery key", "give --sheet recovery.age")),
        }
    }

    fn organisation(&self, context: &Context) -> Result<OrgFile> {
        let (Some(anchor), Some(server)) = (self.anchor, &self.server) else {
            return context.home.org();
        };
        let api = session::stranger(server, Pin::FirstContact)?;
        let spki = api.server_key()?;
        Ok(OrgFile { anchor, server: api.address().to_owned(), spki })
    }

    /// Co-signs the control log, all of which has just been verified from the anchor.
    fn cosign(&self, context: &Context, recovering: &Recovering) -> Result<bool> {
        let Some(sheet) = &self.witness_sheet else { return Ok(false) };
        cosign(context, recovering, &unseal(sheet)?)?;
        Ok(true)
    }
}

/// `bartizan recover …`
pub(crate) fn run(context: &Context, command: &RecoverCommand) -> Result<()> {
    match command {
        RecoverCommand::Propose(propose) => make(context, propose),
        RecoverCommand::Sign { file } => accept(context, file),
        RecoverCommand::Send { file, keys } => send(context, file, keys),
        RecoverCommand::Finish { keys } => finish(context, keys),
    }
}

fn make(context: &Context, propose: &Propose) -> Result<()> {
    if propose.out.exists() {
        let problem = format!("{} exists; others may have signed it", propose.out.display());
        return Err(fail(Code::Error, problem, "choose another --out, or move it away"));
    }
    let recovering = propose.keys.open(context)?;
    let mut people = Vec::new();
    for (number, path) in propose.cards.iter().enumerate() {
        let words = propose.words.get(number).map(String::as_str);
        people.push(operator::person(&Card::compared(path, words)?)?);
    }
    let chain = &recovering.view.chain;
    let ours = recovering.key.public().to_openssh();
    let last = chain.pending.last().map_or(&chain.current, |pending| &pending.trust);
    if !last.bundle.recovery.keys.contains(&ours) {
        return Err(refused(
            "the bundle names another recovery key",
            "look for the newest sheet; without it, `bartizan-guard reanchor` is what is left",
        ));
    }
    let bundle = change::follow(last, recovering.org.anchor.org(), |bundle| {
        bundle.operators.retain(|operator| propose.keep.contains(&operator.id));
        bundle.operators.extend(people.iter().cloned());
        bundle.operators.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(())
    })?;
    let mut envelope = Envelope::new(&bundle);
    context.terminal.show(&render::statement(&envelope)?)?;
    context.terminal.show(&fields::changes(chain, &envelope)?)?;
    context.terminal.confirm("Sign this bundle with the recovery key?")?;
    recovering.key.sign(&mut envelope, SignatureRole::Recover)?;
    write_private(&propose.out, &envelope.encode())?;
    let next = format!(
        "signed by the recovery key. {} of its people accept it, each with their own key: bartizan recover sign {}",
        bundle.root.threshold,
        propose.out.display()
    );
    let shown = json!({ "statement": envelope.id(), "words": render::words(&envelope), "file": propose.out });
    context.terminal.result(&shown, &next)
}

fn accept(context: &Context, path: &Path) -> Result<()> {
    let mut envelope = Envelope::decode(&read_bounded(path)?)
        .with_context(|| format!("read {}", path.display()))?;
    let bundle: Bundle = envelope.statement().context("the file holds no bundle")?;
    let signer = Signer::open(&context.home, context.key.as_deref())?;
    let own = signer.public().to_openssh();
    if !bundle.operators.iter().any(|o| o.keys.iter().any(|key| key.ssh == own)) {
        let next = "give --key, or have the bundle made with your card";
        return Err(fail(Code::Error, "the bundle names no person with your key", next));
    }
    context.terminal.show(&render::statement(&envelope)?)?;
    context.terminal.confirm("Do the others see the same words? Sign this bundle?")?;
    signer.sign(&mut envelope, SignatureRole::Root)?;
    mine::remember(&context.home, &envelope)?;
    write_private(path, &envelope.encode())?;
    let shown = json!({
        "statement": envelope.id(), "words": render::words(&envelope), "signatures": envelope.signature_count(),
    });
    let next = format!("signed; when enough have: bartizan recover send {}", path.display());
    context.terminal.result(&shown, &next)
}

fn send(context: &Context, path: &Path, keys: &Keys) -> Result<()> {
    let envelope = Envelope::decode(&read_bounded(path)?)
        .with_context(|| format!("read {}", path.display()))?;
    let recovering = keys.open(context)?;
    let stored: Stored = recovering.api.send("/v1/control", &session::body(&envelope))?;
    keys.cosign(context, &recovering)?;
    let view = current_view(&recovering.api, recovering.org.anchor)?;
    show(context, &view, stored.id)
}

fn finish(context: &Context, keys: &Keys) -> Result<()> {
    let recovering = keys.open(context)?;
    let cosigned = keys.cosign(context, &recovering)?;
    let chain = &recovering.view.chain;
    let newest = chain.pending.last().map_or(chain.current.id, |pending| pending.trust.id);
    if !cosigned {
        eprintln!(
            "nothing was co-signed here; where an operator's console is left, it does that by itself"
        );
    }
    show(context, &recovering.view, newest)
}

/// Where a bundle stands, as far as a server that may lie lets us know: endpoints go by witness time.
fn show(context: &Context, view: &ControlView, id: StatementId) -> Result<()> {
    let chain = &view.chain;
    if let Some(pending) = chain.pending.iter().find(|pending| pending.trust.id == id) {
        let shown = json!({ "statement": id, "in_force": false, "due": pending.due() });
        let text = format!(
            "{id} waits until {}; an operator of the bundle in force can veto it. Then: bartizan recover finish",
            render::date(pending.due())
        );
        return context.terminal.result(&shown, &text);
    }
    let bundle = &chain.current.bundle;
    let names: Vec<&str> = bundle.operators.iter().map(|operator| operator.id.name()).collect();
    let shown = json!({ "statement": chain.current.id, "in_force": true, "version": bundle.version, "operators": names });
    let text = format!(
        "version {} is in force; its people are {}. On their computers: bartizan join, then bartizan operator witness add",
        bundle.version,
        names.join(", ")
    );
    context.terminal.result(&shown, &text)
}

/// A paper remembers nothing, so this home does: what was co-signed once stays part of the log.
fn cosign(context: &Context, recovering: &Recovering, key: &FileKey) -> Result<()> {
    let bundle = &recovering.view.chain.current.bundle;
    let trust = LogTrust::parse(&bundle.log).context("read the log policy")?;
    let vkey = witness_vkey(&key.public)?;
    if !trust.policy.witnesses().any(|(_, known)| known.key_bytes() == vkey.key_bytes()) {
        let next = "look for the newest spare witness sheet";
        return Err(refused("the bundle in force does not name this spare witness", next));
    }
    let whole = whole_log(&recovering.api, Log::Control, &trust.control)?;
    let checkpoint = &whole.opened.checkpoint;
    let file = format!("spare-witness-{}.json", recovering.org.anchor);
    if let Some(seen) = context.home.load::<View>(&file)? {
        let mut frontier = bartizan_trust::merkle::Frontier::default();
        let size = usize::try_from(seen.size).context("count entries")?;
        for entry in whole.entries.iter().take(size) {
            frontier.push(bartizan_trust::merkle::leaf_hash(entry));
        }
        if frontier.size() != seen.size || frontier.root() != seen.root {
            let next = "do not go on; keep this output and tell the others";
            return Err(refused("the control log is not what was co-signed before", next));
        }
    }
    context.home.save(&file, &View { size: checkpoint.size, root: checkpoint.root })?;
    let at = now();
    let signature = key.sign(&cosignature_message(at, &whole.opened.note.text))?;
    let line = vkey.cosignature_line(at, &signature).trim_end_matches('\n').to_owned();
    let body = CosignatureBody { size: checkpoint.size, root: checkpoint.root, line };
    recovering.api.send::<()>("/v1/log/control/cosignature", &body).context("co-sign")
}
