//! `freeze` and `frozen`: stopping things by every way there is, and who stands still.

use std::net::SocketAddr;

use anyhow::{Context as _, Result};
use bartizan_proto::operator::FreezeView;
use bartizan_trust::control::ControlView;
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::{OperatorId, OrgId, StatementId, TenantId};
use bartizan_trust::limits;
use bartizan_trust::policy::LogTrust;
use bartizan_trust::statement::{Class, Freeze, FreezeScope, SignatureRole, V1};
use clap::Args;
use serde_json::{Value, json};

use super::confirm;
use super::control::{send, sign, waits_for_others};
use super::{Context, File, options};
use crate::exit::{Code, fail};
use crate::home::{now, read_bounded, write_private};
use crate::sign::render;
use crate::terminal::{cell, table};
use crate::trust::whole_log;
use crate::witness::Log;
use crate::{lan, withhold};

/// `bartizan freeze`
#[derive(Debug, Args)]
pub(crate) struct FreezeOptions {
    /// What: `org`, `tenant:NAME`, `class:NAME`, `job:ID`, `operator:NAME` or `sessions`
    #[arg(value_parser = scope, required_unless_present_any = ["send", "export"])]
    scope: Option<FreezeScope>,
    /// Send a freeze that was written with `--out` before
    #[arg(long, conflicts_with_all = ["scope", "out", "export"])]
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
    /// Write every freeze that stands, for a mirror: the file to serve as URL/freeze
    #[arg(long, conflicts_with_all = ["scope", "out"])]
    export: Option<File>,
    /// Send it to the local networks too, before the server is asked
    #[arg(long)]
    lan: bool,
    /// The same, to this address (and port) instead; may be given more than once
    #[arg(long, value_name = "ADDRESS", value_parser = lan::place)]
    lan_to: Vec<SocketAddr>,
    /// Return before endpoints have confirmed
    #[arg(long)]
    no_wait: bool,
}

/// Reads a scope as people write it.
pub(crate) fn scope(text: &str) -> Result<FreezeScope, String> {
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
    if let Some(file) = &options.export {
        return export(context, file);
    }
    let envelope = match &options.send {
        Some(file) => read(file)?,
        None => make(context, options)?,
    };
    let id = envelope.id();
    let mut places = options.lan_to.clone();
    if options.lan {
        places.extend(lan::networks());
    }
    let sent_to =
        if places.is_empty() { Vec::new() } else { lan::send(&envelope.encode(), &places)? };
    if let Some(file) = &options.out {
        return write(context, file, &envelope, &sent_to);
    }
    let console = context.connect().inspect_err(|_| {
        if !sent_to.is_empty() {
            eprintln!("{id} went to the local network; only the server is missing");
        }
    })?;
    if stands_alone(&console.view, &console.org.anchor, &envelope) {
        withhold::expect(&context.home, &envelope)?;
    }
    let stored = send(context, &console, &envelope)?;
    if stored.log_index.is_none() {
        return waits_for_others(context, stored.id);
    }
    if options.no_wait {
        let shown = json!({ "freeze": id, "standing": true, "lan": sent_to });
        return context.terminal.result(&shown, &format!("{id} stands"));
    }
    confirm::wait(context, &console, id, &sent_to)
}

fn read(file: &File) -> Result<Envelope> {
    let envelope = Envelope::decode(&read_bounded(file)?)
        .with_context(|| format!("read {}", file.display()))?;
    let _: Freeze = envelope.statement().context("the file holds no freeze")?;
    Ok(envelope)
}

fn make(context: &Context, options: &FreezeOptions) -> Result<Envelope> {
    let scope = options.scope.clone().context("no scope")?;
    let org = context.home.org()?.anchor.org();
    let statement = freeze_of(org, scope, options.seconds, &options.reason);
    sign(context, &statement, SignatureRole::Freeze)
}

/// A freeze from now on.
pub(crate) fn freeze_of(org: OrgId, scope: FreezeScope, seconds: u64, reason: &str) -> Freeze {
    let iat = now();
    Freeze {
        v: V1,
        org,
        iat,
        crit: Vec::new(),
        scope,
        exp: iat.plus(seconds),
        reason: reason.to_owned(),
    }
}

/// Whether endpoints would act on it as it is; a longer one waits for others.
pub(crate) fn stands_alone(
    view: &ControlView,
    anchor: &bartizan_trust::id::Anchor,
    envelope: &Envelope,
) -> bool {
    view.clone().advise(anchor.org(), now(), Some(now()), &envelope.encode()).is_ok()
}

/// To a file. The witness of this console keeps still until the control log has it, however it gets there.
fn write(context: &Context, file: &File, envelope: &Envelope, lan: &[SocketAddr]) -> Result<()> {
    write_private(file, &envelope.encode())?;
    let freeze: Freeze = envelope.statement().context("read the freeze")?;
    let alone = freeze.exp.since(freeze.iat) <= limits::FREEZE_ALONE_S_MAX;
    if alone {
        withhold::expect(&context.home, envelope)?;
    }
    let text = format!(
        "written to {file}. On each endpoint, as root: bartizan-guard freeze --file FILE; for a mirror: serve it as URL/freeze\n         {}once the server is yours again: bartizan freeze --send {file}",
        if alone { "this console co-signs nothing until the control log has it; " } else { "" },
        file = file.display()
    );
    let shown = json!({ "freeze": envelope.id(), "file": file, "withheld": alone, "lan": lan });
    context.terminal.result(&shown, &text)
}

/// All that stand by the control log, one envelope a line.
fn export(context: &Context, file: &File) -> Result<()> {
    let console = context.connect()?;
    let standing: Vec<StatementId> =
        console.view.freezes.standing(now()).map(|(id, _)| *id).collect();
    let trust = LogTrust::parse(&console.trust.bundle.log).context("read the log policy")?;
    let whole = whole_log(&console.api, Log::Control, &trust.control)?;
    let mut lines = Vec::new();
    let mut written = Vec::new();
    for entry in &whole.entries {
        let Ok(envelope) = Envelope::decode(entry) else { continue };
        if standing.contains(&envelope.id()) {
            lines.extend_from_slice(entry);
            lines.push(b'\n');
            written.push(envelope.id());
        }
    }
    write_private(file, &lines)?;
    let text = format!(
        "{} freezes written to {}; serve it as URL/freeze of a mirror that the bundle names",
        written.len(),
        file.display()
    );
    context.terminal.result(&json!({ "freezes": written, "file": file }), &text)
}

/// `bartizan frozen`
pub(crate) fn frozen(context: &Context, id: Option<StatementId>) -> Result<()> {
    let console = context.connect()?;
    if let Some(id) = id {
        if !console.view.freezes.iter().any(|(known, _)| *known == id) {
            return Err(fail(Code::Error, "no such freeze is known", "see `bartizan frozen`"));
        }
        return confirm::show(context, &console, id);
    }
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
            + "who, by which way: bartizan frozen FREEZE\n"
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
    let freezes: Vec<Value> = standing
        .iter()
        .map(|(id, freeze)| json!({ "id": id, "scope": freeze.scope, "exp": freeze.exp, "by": freeze.by }))
        .collect();
    let shown = json!({ "freezes": freezes, "server": view });
    context.terminal.result(&shown, &text)
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
