//! `alerts`: what needs somebody. All of it is the server's word; nothing here is signed.

use std::path::Path;

use anyhow::{Context as _, Result};
use bartizan_proto::alerts::{
    AlertDetail, AlertPage, AlertRow, ChannelBody, NoteBody, RulesAnswer, RulesBody, RulesStored,
};
use bartizan_trust::id::{AlertId, EndpointId, SiteId, TenantId};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;

use super::{Console, Context, File, options, url_encoded};
use crate::exit::{Code, fail};
use crate::home::read_bounded;
use crate::sign::render::date;
use crate::terminal::{cell, table};

/// `bartizan alerts …`
#[derive(Debug, Args)]
pub(crate) struct AlertsOptions {
    #[command(subcommand)]
    command: Option<AlertsCommand>,
    #[command(flatten)]
    filter: AlertsFilter,
}

/// Which alerts a list shows.
#[derive(Debug, Args)]
pub(crate) struct AlertsFilter {
    /// Only these; without it, those that are open or acknowledged
    #[arg(long, value_enum)]
    phase: Option<PhaseName>,
    /// Only of this severity: warning, error, critical
    #[arg(long)]
    severity: Option<String>,
    /// Of this tenant
    #[arg(long, value_parser = options::slug::<TenantId>)]
    tenant: Option<TenantId>,
    /// At this site
    #[arg(long, value_parser = options::slug::<SiteId>)]
    site: Option<SiteId>,
    /// Of this endpoint
    #[arg(long)]
    endpoint: Option<EndpointId>,
    /// Of this check
    #[arg(long)]
    check: Option<String>,
    /// Also those that are hidden behind another one
    #[arg(long)]
    hidden: bool,
    /// Most rows
    #[arg(long, default_value_t = 100)]
    limit: u64,
}

/// A phase, as it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PhaseName {
    Active,
    Open,
    Acknowledged,
    Resolved,
    Waiting,
}

/// What is done with alerts.
#[derive(Debug, Subcommand)]
pub(crate) enum AlertsCommand {
    /// "I look after it": nothing more is sent unless it gets worse
    Ack {
        /// Its id, or enough of its beginning
        id: String,
        /// For the others
        #[arg(long, default_value = "")]
        note: String,
    },
    /// "It is over"; it opens again if the endpoint says so again
    Resolve {
        /// Its id, or enough of its beginning
        id: String,
        /// For the others
        #[arg(long, default_value = "")]
        note: String,
    },
    /// Write a note into its history
    Note {
        /// Its id, or enough of its beginning
        id: String,
        /// The words
        note: String,
    },
    /// Why it is told, or is not: rule, window, dependency, route; and its history
    Why {
        /// Its id, or enough of its beginning
        id: String,
    },
    /// Who is told what, when
    #[command(subcommand)]
    Rules(RulesCommand),
    /// Send a message over a channel of server.toml, now
    Test {
        /// Its name
        channel: String,
    },
    /// Be told once when an endpoint is back
    TellMe {
        /// Its id
        endpoint: EndpointId,
        /// Over which channel; may be left out when there is only one
        #[arg(long)]
        channel: Option<String>,
    },
}

/// `bartizan alerts rules …`
#[derive(Debug, Subcommand)]
pub(crate) enum RulesCommand {
    /// Show the rules in force as TOML, and who changed them
    Show,
    /// Put the rules of a TOML file in force
    Set {
        /// The file
        file: File,
    },
}

pub(crate) fn run(context: &Context, options: &AlertsOptions) -> Result<()> {
    let console = context.connect()?;
    match &options.command {
        None => list(context, &console, &options.filter),
        Some(AlertsCommand::Ack { id, note }) => act(context, &console, (id, "acknowledge"), note),
        Some(AlertsCommand::Resolve { id, note }) => act(context, &console, (id, "resolve"), note),
        Some(AlertsCommand::Note { id, note }) => act(context, &console, (id, "note"), note),
        Some(AlertsCommand::Why { id }) => why(context, &console, id),
        Some(AlertsCommand::Rules(RulesCommand::Show)) => show_rules(context, &console),
        Some(AlertsCommand::Rules(RulesCommand::Set { file })) => {
            set_rules(context, &console, file)
        }
        Some(AlertsCommand::Test { channel }) => {
            let body = ChannelBody { channel: channel.clone() };
            console.api.send::<()>("/v1/alerts/test", &body)?;
            context.terminal.result(&json!({ "sent": channel }), "the receiver took it")
        }
        Some(AlertsCommand::TellMe { endpoint, channel }) => {
            tell_me(context, &console, *endpoint, channel.as_deref())
        }
    }
}

fn list(context: &Context, console: &Console, filter: &AlertsFilter) -> Result<()> {
    let phase = match filter.phase {
        None | Some(PhaseName::Active) => "active",
        Some(PhaseName::Open) => "open",
        Some(PhaseName::Acknowledged) => "acknowledged",
        Some(PhaseName::Resolved) => "resolved",
        Some(PhaseName::Waiting) => "waiting",
    };
    let mut path =
        format!("/v1/alerts?phase={phase}&limit={}&hidden={}", filter.limit, filter.hidden);
    for (name, value) in [
        ("severity", filter.severity.clone()),
        ("tenant", filter.tenant.as_ref().map(ToString::to_string)),
        ("site", filter.site.as_ref().map(ToString::to_string)),
        ("endpoint", filter.endpoint.as_ref().map(ToString::to_string)),
        ("check", filter.check.clone()),
    ] {
        if let Some(value) = value {
            path += &format!("&{name}={}", url_encoded(&value));
        }
    }
    let page: AlertPage = console.api.fetch(&path)?;
    let rows: Vec<Vec<String>> = page.alerts.iter().map(line).collect();
    let shown = u64::try_from(rows.len()).unwrap_or(u64::MAX);
    let mut text = if rows.is_empty() {
        "no alerts".to_owned()
    } else {
        table(&["ALERT", "SEVERITY", "STATE", "WHERE", "CHECK", "TEXT", "CHANGED"], &rows)
    };
    if shown < page.total {
        text += &format!("{shown} of {}; --limit shows more\n", page.total);
    }
    context.terminal.result(&json!({ "total": page.total, "alerts": page.alerts }), &text)
}

fn place(row: &AlertRow) -> String {
    let tenant = row.tenant.as_ref().map_or("", |tenant| tenant.name());
    let site = row.site.as_ref().map_or("", |site| site.name());
    let parts = [tenant, site, row.hostname.as_deref().unwrap_or_default()];
    let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    if parts.is_empty() { "this server".to_owned() } else { cell(&parts.join("/")) }
}

fn line(row: &AlertRow) -> Vec<String> {
    let mut state = row.phase.name().to_owned();
    if let Some(who) = &row.acknowledged {
        state += &format!(" by {}", who.operator.name());
    }
    if row.flapping {
        state += ", flapping";
    }
    if row.hidden > 0 {
        state += &format!(", {} behind it", row.hidden);
    }
    vec![
        row.id.to_string().chars().take(15).collect(),
        row.severity.name().to_owned(),
        state,
        place(row),
        cell(format!("{} {}", row.check, row.instance).trim_end()),
        cell(&row.text),
        date(row.changed),
    ]
}

/// An alert by its id or the beginning of it.
fn find(console: &Console, id: &str) -> Result<AlertId> {
    if let Ok(id) = id.parse() {
        return Ok(id);
    }
    let page: AlertPage = console.api.fetch("/v1/alerts?limit=500&hidden=true")?;
    let mut found =
        page.alerts.iter().map(|row| row.id).filter(|known| known.to_string().starts_with(id));
    match (found.next(), found.next()) {
        (Some(one), None) if id.starts_with("al_") && id.len() > 5 => Ok(one),
        (None, _) => {
            let next = "see `bartizan alerts`; of those that are over, give the whole id";
            Err(fail(Code::Error, format!("no alert `{}`", cell(id)), next))
        }
        _ => {
            let next = "give more of the id";
            Err(fail(Code::Error, format!("`{}` begins more than one id", cell(id)), next))
        }
    }
}

fn act(context: &Context, console: &Console, (id, deed): (&str, &str), note: &str) -> Result<()> {
    let id = find(console, id)?;
    console
        .api
        .send::<()>(&format!("/v1/alerts/{id}/{deed}"), &NoteBody { note: note.to_owned() })?;
    context.terminal.result(&json!({ "alert": id, "done": deed }), "done")
}

fn why(context: &Context, console: &Console, id: &str) -> Result<()> {
    let id = find(console, id)?;
    let detail: AlertDetail = console.api.fetch(&format!("/v1/alerts/{id}"))?;
    let row = &detail.row;
    let mut text = format!(
        "{id}\n{} {} {}: {}\n\n",
        row.severity.name(),
        place(row),
        cell(format!("{} {}", row.check, row.instance).trim_end()),
        cell(&row.text)
    );
    for why in &detail.why {
        text += &format!("{:<12} {}\n", cell(&why.about), cell(&why.says));
    }
    text += "\nHistory\n";
    for entry in &detail.history {
        let who =
            entry.operator.as_ref().map_or_else(String::new, |who| format!(" by {}", who.name()));
        let what = format!("{:?}", entry.what).to_lowercase();
        text += &format!("  {} {what}{who} {}\n", date(entry.at), cell(&entry.text));
    }
    if !detail.notifications.is_empty() {
        text += "\nMessages\n";
    }
    for sent in &detail.notifications {
        let problem =
            sent.problem.as_ref().map_or_else(String::new, |text| format!(": {}", cell(text)));
        text += &format!(
            "  {} {} to {} ({} tries){problem}\n",
            date(sent.created),
            cell(&sent.state),
            cell(&sent.channel),
            sent.tries
        );
    }
    context.terminal.result(&serde_json::to_value(&detail).context("write the answer")?, &text)
}

fn show_rules(context: &Context, console: &Console) -> Result<()> {
    let answer: RulesAnswer = console.api.fetch("/v1/alerts/rules")?;
    let mut text = String::new();
    for channel in &answer.channels {
        text += &format!("# channel {} ({})\n", cell(&channel.name), cell(&channel.kind));
    }
    for version in &answer.history {
        text += &format!(
            "# version {} by {}, {}\n",
            version.version,
            version.operator,
            date(version.at)
        );
    }
    text += &match &answer.document {
        Some(document) => toml::to_string_pretty(document).context("write the rules")?,
        None => "# no rules: every alert goes to every channel at once\n".to_owned(),
    };
    context.terminal.result(&serde_json::to_value(&answer).context("write the answer")?, &text)
}

fn set_rules(context: &Context, console: &Console, file: &Path) -> Result<()> {
    let text = String::from_utf8(read_bounded(file)?).context("the rules are not UTF-8")?;
    let document: serde_json::Value = toml::from_str(&text).map_err(|error| {
        let problem = format!("{}: {}", file.display(), error.to_string().trim_end());
        fail(Code::Error, problem, "correct it; docs/guide/alerts.md shows a whole one")
    })?;
    let known: RulesAnswer = console.api.fetch("/v1/alerts/rules")?;
    let body = RulesBody { base: known.version, document };
    let stored: RulesStored = console.api.put("/v1/alerts/rules", &body)?;
    let text = format!("version {} is in force", stored.version);
    context.terminal.result(&json!({ "version": stored.version }), &text)
}

fn tell_me(
    context: &Context,
    console: &Console,
    endpoint: EndpointId,
    channel: Option<&str>,
) -> Result<()> {
    let channel = match channel {
        Some(name) => name.to_owned(),
        None => only_channel(console)?,
    };
    let path = format!("/v1/endpoints/{endpoint}/tell-me");
    console.api.send::<()>(&path, &ChannelBody { channel: channel.clone() })?;
    let text = format!("you are told over {} when it is back", cell(&channel));
    context.terminal.result(&json!({ "endpoint": endpoint, "channel": channel }), &text)
}

fn only_channel(console: &Console) -> Result<String> {
    let known: RulesAnswer = console.api.fetch("/v1/alerts/rules")?;
    let [one] = known.channels.as_slice() else {
        let next = "name one with --channel; `bartizan alerts rules show` lists them";
        return Err(fail(Code::Usage, "there is not exactly one channel", next));
    };
    Ok(one.name.clone())
}
