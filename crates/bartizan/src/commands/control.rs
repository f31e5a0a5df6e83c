//! `freeze`, `frozen`, `thaw`, `bundle`: statements of the control log, which stop things or move trust.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use bartizan_proto::operator::{ControlDrafts, FreezeRow, FreezeView, Stored};
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::{OperatorId, StatementId, TenantId};
use bartizan_trust::statement::{
    Bundle, Class, Freeze, FreezeScope, SignatureRole, Statement, StatementType, Thaw, V1, Veto,
};
use clap::{Args, Subcommand};
use data_encoding::BASE64;
use serde_json::json;

use super::endpoints::fetch_all;
use super::{Console, Context, File, Filter, options};
use crate::api::session;
use crate::exit::{Code, fail, refused};
use crate::home::{now, read_bounded, write_private};
use crate::keys::Signer;
use crate::mine;
use crate::sign::{fields, render};
use crate::terminal::{cell, table};
use crate::witness;

/// How long `freeze` waits for endpoints that are connected.
const CONFIRM_FOR: Duration = Duration::from_secs(20);
const LOOK_EVERY: Duration = Duration::from_millis(300);

/// `bartizan freeze`
#[derive(Debug, Args)]
pub(crate) struct FreezeOptions {
    /// What: `org`, `tenant:NAME`, `class:NAME`, `job:ID`, `operator:NAME` or `sessions`
    #[arg(value_parser = scope, required_unless_present = "send")]
    scope: Option<FreezeScope>,
    /// Send a freeze that was written with `--out` before
    #[arg(long, conflicts_with_all = ["scope", "out"])]
    send: Option<File>,
    /// For how long; alone at most 4h, longer when enough others sign with `approve`
    #[arg(long = "for", default_value = "4h", value_parser = options::seconds)]
    seconds: u64,
    /// Why, for the others
    #[arg(long, default_value = "")]
    reason: String,
    /// Write it to a file instead of sending it: for endpoints whose server withholds it
    #[arg(long)]
    out: Option<File>,
    /// Return before endpoints have confirmed
    #[arg(long)]
    no_wait: bool,
}

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
    /// Stop a bundle that waits for its delay
    Veto {
        /// Its id
        id: StatementId,
        /// Why, for the others
        #[arg(long, default_value = "")]
        reason: String,
    },
}

/// Reads a scope as people write it.
fn scope(text: &str) -> Result<FreezeScope, String> {
    let (kind, name) = text.split_once(':').unwrap_or((text, ""));
    let class = || Class::ALL.iter().copied().find(|class| class.name() == name);
    match (kind, name) {
        ("org", "") => Ok(FreezeScope::Org),
        ("sessions", "") => Ok(FreezeScope::Sessions),
        ("tenant", name) => options::slug::<TenantId>(name).map(FreezeScope::Tenant),
        ("operator", name) => options::slug::<OperatorId>(name).map(FreezeScope::Operator),
        ("class", _) => class().map(FreezeScope::Class).ok_or_else(|| "no such class".to_owned()),
        ("job", id) => id.parse().map(FreezeScope::Job).map_err(|_| "the whole id".to_owned()),
        _ => Err("org, tenant:NAME, class:NAME, job:ID, operator:NAME or sessions".to_owned()),
    }
}

/// `bartizan freeze`: at once, no question asked twice.
pub(crate) fn freeze(context: &Context, options: &FreezeOptions) -> Result<()> {
    if let Some(file) = &options.send {
        let envelope = Envelope::decode(&read_bounded(file)?)
            .with_context(|| format!("read {}", file.display()))?;
        let _: Freeze = envelope.statement().context("the file holds no freeze")?;
        let stored = send(context, &context.connect()?, &envelope)?;
        return done_or_waiting(context, &stored, "stands");
    }
    let scope = options.scope.clone().context("no scope")?;
    let iat = now();
    let statement = Freeze {
        v: V1,
        org: context.home.org()?.anchor.org(),
        iat,
        crit: Vec::new(),
        scope,
        exp: iat.plus(options.seconds),
        reason: options.reason.clone(),
    };
    if let Some(file) = &options.out {
        let envelope = sign(context, &statement, SignatureRole::Freeze)?;
        write_private(file, &envelope.encode())?;
        let text = format!(
            "written to {}. On each endpoint, as root: bartizan-guard freeze --file FILE",
            file.display()
        );
        let shown = json!({ "freeze": envelope.id(), "file": file });
        return context.terminal.result(&shown, &text);
    }
    let console = context.connect()?;
    let stored = sign_and_send(context, &console, &statement, SignatureRole::Freeze)?;
    if stored.log_index.is_none() {
        return waits_for_others(context, stored.id);
    }
    if options.no_wait {
        let shown = json!({ "freeze": stored.id, "standing": true });
        return context.terminal.result(&shown, &format!("{} stands", stored.id));
    }
    let until = Instant::now() + CONFIRM_FOR;
    loop {
        let (row, connected, missing) = confirmations(&console, stored.id)?;
        if missing.is_empty() || Instant::now() >= until {
            let all = missing.is_empty();
            let text = format!(
                "{} stands; {} endpoints confirmed, {connected} are connected{}",
                stored.id,
                row.confirmed.len(),
                if all { "" } else { "; the others will when the control log reaches them" }
            );
            let shown = json!({
                "freeze": stored.id, "standing": true, "confirmed": row.confirmed, "missing": missing,
            });
            return context.terminal.result(&shown, &text);
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

/// The server's row of a freeze, how many endpoints are connected, and which of those it covers have not confirmed.
fn confirmations(console: &Console, id: StatementId) -> Result<(FreezeRow, usize, Vec<String>)> {
    let view: FreezeView = console.api.fetch("/v1/freezes")?;
    let row = view.freezes.into_iter().find(|row| row.id == id);
    let row = row.context("the server does not show the freeze it has just stored")?;
    let rows = fetch_all(&console.api, &Filter::default())?;
    let connected: Vec<_> = rows.iter().filter(|endpoint| endpoint.connected).collect();
    let missing = connected.iter().filter(|endpoint| !row.confirmed.contains(&endpoint.id));
    let missing = missing.map(|endpoint| endpoint.id.to_string()).collect();
    Ok((row, connected.len(), missing))
}

/// `bartizan frozen`
pub(crate) fn frozen(context: &Context) -> Result<()> {
    let console = context.connect()?;
    let view: FreezeView = console.api.fetch("/v1/freezes")?;
    let standing: Vec<_> = console.view.freezes.standing(now()).collect();
    let rows: Vec<Vec<String>> = standing
        .iter()
        .map(|(id, freeze)| {
            let confirmed = view.freezes.iter().find(|row| row.id == **id);
            let by: Vec<&str> = freeze.by.iter().map(OperatorId::name).collect();
            vec![
                id.to_string(),
                scope_text(&freeze.scope),
                render::date(freeze.exp),
                by.join(", "),
                confirmed.map_or(0, |row| row.confirmed.len()).to_string(),
            ]
        })
        .collect();
    let mut text = if rows.is_empty() {
        "nothing is frozen\n".to_owned()
    } else {
        table(&["FREEZE", "SCOPE", "UNTIL", "BY", "CONFIRMED"], &rows)
    };
    for pending in &console.view.chain.pending {
        text += &format!(
            "\nbundle {} (version {}) waits until {}; stop it with: bartizan bundle veto {}",
            pending.trust.id,
            pending.trust.bundle.version,
            render::date(pending.due()),
            pending.trust.id
        );
    }
    let freezes: Vec<_> = standing
        .iter()
        .map(|(id, freeze)| json!({ "id": id, "scope": freeze.scope, "exp": freeze.exp, "by": freeze.by }))
        .collect();
    let shown = json!({ "freezes": freezes, "server": view });
    context.terminal.result(&shown, &text)
}

/// `bartizan thaw`
pub(crate) fn thaw(context: &Context, id: StatementId, reason: &str) -> Result<()> {
    let console = context.connect()?;
    if !console.view.freezes.standing(now()).any(|(known, _)| *known == id) {
        return Err(fail(Code::Error, "no such freeze stands", "see `bartizan frozen`"));
    }
    let statement = Thaw {
        v: V1,
        org: console.org.anchor.org(),
        iat: now(),
        crit: Vec::new(),
        freeze: id,
        reason: reason.to_owned(),
    };
    let stored = sign_and_send(context, &console, &statement, SignatureRole::Freeze)?;
    done_or_waiting(context, &stored, "thawed")
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
        BundleCommand::Veto { id, reason } => {
            let statement = Veto {
                v: V1,
                org: console.org.anchor.org(),
                iat: now(),
                crit: Vec::new(),
                bundle: *id,
                reason: reason.clone(),
            };
            let stored = sign_and_send(context, &console, &statement, SignatureRole::Root)?;
            done_or_waiting(context, &stored, "vetoed")
        }
    }
}

/// `bartizan approve` of something that is no job: true when `text` names a draft.
pub(crate) fn approve(context: &Context, console: &Console, text: &str) -> Result<bool> {
    let fits = |envelope: &Envelope| text.len() > 5 && envelope.id().to_string().starts_with(text);
    let Some(mut envelope) = drafts(console)?.into_iter().find(fits) else { return Ok(false) };
    let role = match envelope.kind() {
        Some(StatementType::Bundle) => SignatureRole::Root,
        Some(StatementType::Freeze | StatementType::Thaw) => SignatureRole::Freeze,
        _ => {
            let next = "do not sign; tell the other operators";
            return Err(refused(
                "the server shows a draft of a kind that needs no second person",
                next,
            ));
        }
    };
    show(context, console, &envelope)?;
    context.terminal.confirm("Compare the words with the others. Sign?")?;
    Signer::open(&context.home, context.key.as_deref())?.sign(&mut envelope, role)?;
    mine::remember(&context.home, &envelope)?;
    let stored = send(context, console, &envelope)?;
    done_or_waiting(context, &stored, "signed by enough")?;
    Ok(true)
}

/// Control statements that lack signatures, as far as they can be read.
pub(crate) fn drafts(console: &Console) -> Result<Vec<Envelope>> {
    let page: ControlDrafts = console.api.fetch("/v1/control/drafts")?;
    let decode = |text: &String| Envelope::decode(&BASE64.decode(text.as_bytes()).ok()?).ok();
    Ok(page.drafts.iter().filter_map(decode).collect())
}

/// A statement from its exact bytes; of a bundle, first what it changes.
fn show(context: &Context, console: &Console, envelope: &Envelope) -> Result<()> {
    let mut text = render::statement(envelope)?;
    if envelope.kind() == Some(StatementType::Bundle) {
        text += &fields::changes(&console.view.chain, envelope)?;
    }
    context.terminal.show(&text)
}

fn sign_and_send<S: Statement>(
    context: &Context,
    console: &Console,
    statement: &S,
    role: SignatureRole,
) -> Result<Stored> {
    send(context, console, &sign(context, statement, role)?)
}

/// Shows a statement from its exact bytes, and signs it.
fn sign<S: Statement>(context: &Context, statement: &S, role: SignatureRole) -> Result<Envelope> {
    let mut envelope = Envelope::new(statement);
    context.terminal.show(&render::statement(&envelope)?)?;
    context.terminal.confirm("Sign it?")?;
    Signer::open(&context.home, context.key.as_deref())?.sign(&mut envelope, role)?;
    mine::remember(&context.home, &envelope)?;
    Ok(envelope)
}

fn send(context: &Context, console: &Console, envelope: &Envelope) -> Result<Stored> {
    let stored: Stored = console.api.send("/v1/control", &session::body(envelope))?;
    witness::cosign_both(&context.home, &console.api, &console.trust.bundle)?;
    Ok(stored)
}

fn done_or_waiting(context: &Context, stored: &Stored, done: &str) -> Result<()> {
    if stored.log_index.is_none() {
        return waits_for_others(context, stored.id);
    }
    let shown = json!({ "statement": stored.id, "done": true });
    context.terminal.result(&shown, &format!("{} {done}", stored.id))
}

fn waits_for_others(context: &Context, id: StatementId) -> Result<()> {
    let text = format!("{id} waits for other operators: bartizan approve {id}");
    context.terminal.result(&json!({ "statement": id, "done": false }), &text)
}

/// A scope as people write it.
pub(crate) fn scope_text(scope: &FreezeScope) -> String {
    match scope {
        FreezeScope::Org => "org".to_owned(),
        FreezeScope::Sessions => "sessions".to_owned(),
        FreezeScope::Tenant(tenant) => format!("tenant:{}", tenant.name()),
        FreezeScope::Class(class) => format!("class:{class}"),
        FreezeScope::Job(job) => format!("job:{job}"),
        FreezeScope::Operator(operator) => format!("operator:{}", cell(operator.name())),
    }
}
