//! `inventory …`: what endpoints report of themselves, what changed in it, and searches.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};
use bartizan_proto::inventory::Item;
use bartizan_proto::management::{
    Change, InventoryChanges, InventoryFound, InventorySection, InventorySections,
};
use bartizan_proto::operator::EndpointPage;
use bartizan_trust::id::EndpointId;
use clap::{Args, Subcommand};
use serde_json::json;

use super::{Context, endpoint_path, options, url_encoded};
use crate::api::Api;
use crate::exit::{Code, fail};
use crate::home::now;
use crate::sign::render::date;
use crate::terminal::{cell, table};

/// Endpoints shown of a search, unless more are asked for.
const FOUND_SHOWN: u64 = 100;

/// `bartizan inventory …`
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct InventoryOptions {
    /// An endpoint: its id or host name
    endpoint: Option<String>,
    /// One of its sections
    section: Option<String>,
    #[command(subcommand)]
    command: Option<InventoryCommand>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum InventoryCommand {
    /// Find endpoints: words, `package:openssl<3.0.14`, `port:3389`, `user:alice`, `tag:…`; a `-` in front means not
    Search {
        /// The query; several words are one query. Quote it, or write `--` before a first word with a `-`
        #[arg(required = true)]
        query: Vec<String>,
        /// Show at most so many endpoints
        #[arg(long, default_value_t = FOUND_SHOWN, value_parser = clap::value_parser!(u64).range(1..=500))]
        limit: u64,
    },
    /// What changed, newest first
    Changes {
        /// Only of this endpoint: its id or host name
        endpoint: Option<String>,
        /// Only in this section
        #[arg(long)]
        section: Option<String>,
        /// Only within this time, such as 7d
        #[arg(long, value_parser = options::seconds)]
        since: Option<u64>,
        /// Show at most so many
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=500))]
        limit: u64,
    },
}

pub(crate) fn run(context: &Context, options: &InventoryOptions) -> Result<()> {
    match (&options.command, &options.endpoint, &options.section) {
        (Some(InventoryCommand::Search { query, limit }), ..) => {
            search(context, &query.join(" "), *limit)
        }
        (Some(InventoryCommand::Changes { endpoint, section, since, limit }), ..) => {
            changes(context, endpoint.as_deref(), section.as_deref(), *since, *limit)
        }
        (None, Some(endpoint), None) => sections(context, endpoint),
        (None, Some(endpoint), Some(section)) => show(context, endpoint, section),
        (None, None, _) => Err(fail(
            Code::Usage,
            "of which endpoint?",
            "give its id or host name, or use `bartizan inventory search QUERY`",
        )),
    }
}

/// The endpoint of an id or of a host name that only one has.
pub(super) fn resolve(api: &Api, text: &str) -> Result<EndpointId> {
    if let Ok(id) = text.parse() {
        return Ok(id);
    }
    let page: EndpointPage =
        api.fetch(&format!("/v1/endpoints?limit=200&search={}", url_encoded(text)))?;
    let mut named = page.endpoints.iter().filter(|row| row.hostname == text);
    match (named.next(), named.next()) {
        (Some(row), None) => Ok(row.id),
        (Some(_), Some(_)) => Err(fail(
            Code::Error,
            format!("several endpoints call themselves `{}`", cell(text)),
            "give the id of one; see `bartizan endpoints`",
        )),
        (None, _) => Err(fail(
            Code::Error,
            format!("no endpoint has the id or host name `{}`", cell(text)),
            "see `bartizan endpoints`",
        )),
    }
}

fn sections(context: &Context, endpoint: &str) -> Result<()> {
    let console = context.connect()?;
    let id = resolve(&console.api, endpoint)?;
    let found: InventorySections =
        console.api.fetch(&format!("{}/inventory", endpoint_path(&id)))?;
    let rows: Vec<Vec<String>> = found
        .sections
        .iter()
        .map(|section| {
            vec![
                cell(&section.name),
                section.items.to_string(),
                date(section.at),
                date(section.own_at),
            ]
        })
        .collect();
    let mut text = if rows.is_empty() {
        format!("{id} has sent no inventory yet; `bartizan endpoint refresh {id}` asks for it.")
    } else {
        table(&["SECTION", "ITEMS", "CHANGED", "LOOKED AT"], &rows)
    };
    if !found.tags.is_empty() {
        text += &format!(
            "\ntags: {}",
            found.tags.iter().map(|tag| cell(tag)).collect::<Vec<_>>().join(", ")
        );
    }
    for field in &found.fields {
        text += &format!(
            "\n{}: {} (set for the {})",
            cell(&field.name),
            cell(&field.value),
            field.scope.name()
        );
    }
    context.terminal.result(&json!({ "endpoint": id, "inventory": found }), &text)
}

fn show(context: &Context, endpoint: &str, section: &str) -> Result<()> {
    let console = context.connect()?;
    let id = resolve(&console.api, endpoint)?;
    let path = format!("{}/inventory/{}", endpoint_path(&id), url_encoded(section));
    let found: InventorySection = console.api.fetch(&path)?;
    let (known, unknown): (Vec<_>, Vec<_>) =
        found.items.iter().partition(|(key, _)| !key.starts_with('?'));
    let mut text = text_of(&known);
    for (key, item) in unknown {
        text += &format!(
            "\nnot known: {}: {}",
            cell(key.trim_start_matches('?')),
            cell(&line(item, &["unknown"]))
        );
    }
    let shown = json!({ "endpoint": id, "section": found.section, "items": found.items });
    context.terminal.result(&shown, text.trim_start_matches('\n'))
}

/// A table with a column for each field, the first ones as they are named most.
fn text_of(items: &[(&String, &Item)]) -> String {
    if items.is_empty() {
        return "There is nothing in this section.".to_owned();
    }
    let names: BTreeSet<&String> = items.iter().flat_map(|(_, item)| item.keys()).collect();
    // The key says it already.
    let same = |name: &&&String| {
        items
            .iter()
            .all(|(key, item)| item.get(**name).is_none_or(|fact| fact.to_string() == **key))
    };
    let names: Vec<&String> = names.iter().filter(|name| !same(name)).copied().collect();
    let head: Vec<String> = core::iter::once("ITEM".to_owned())
        .chain(names.iter().map(|name| cell(name).to_uppercase()))
        .collect();
    let row = |(key, item): &(&String, &Item)| {
        let field = |name: &&String| {
            item.get(*name).map(|fact| cell(&fact.to_string())).unwrap_or_default()
        };
        core::iter::once(cell(key)).chain(names.iter().map(field)).collect()
    };
    let head: Vec<&str> = head.iter().map(String::as_str).collect();
    table(&head, &items.iter().map(row).collect::<Vec<Vec<String>>>())
}

fn line(item: &Item, bare: &[&str]) -> String {
    let word = |(name, fact): (&String, &bartizan_proto::inventory::Fact)| {
        if bare.contains(&name.as_str()) { fact.to_string() } else { format!("{name}={fact}") }
    };
    item.iter().map(word).collect::<Vec<_>>().join(" ")
}

fn search(context: &Context, query: &str, limit: u64) -> Result<()> {
    let console = context.connect()?;
    let path = format!("/v1/inventory/search?limit={limit}&query={}", url_encoded(query));
    let found: InventoryFound = console.api.fetch(&path)?;
    let rows: Vec<Vec<String>> = found
        .endpoints
        .iter()
        .map(|endpoint| {
            let hits = endpoint
                .hits
                .iter()
                .map(|hit| format!("{} {}", cell(&hit.section), cell(&hit.key)));
            vec![
                endpoint.id.to_string(),
                cell(&endpoint.hostname),
                endpoint
                    .tenant
                    .as_ref()
                    .map_or_else(String::new, |tenant| tenant.name().to_owned()),
                endpoint.site.as_ref().map_or_else(String::new, |site| site.name().to_owned()),
                hits.collect::<Vec<_>>().join(", "),
            ]
        })
        .collect();
    let mut text = if rows.is_empty() {
        "No endpoint fits.".to_owned()
    } else {
        table(&["ENDPOINT", "NAME", "TENANT", "SITE", "FOUND"], &rows)
    };
    let shown = u64::try_from(rows.len()).unwrap_or(u64::MAX);
    if found.total > shown {
        text += &format!("\n{} endpoints fit; {shown} are shown. --limit shows more.", found.total);
    }
    if found.not_judged > 0 {
        text += &format!("\nOf {} more endpoints too little is known to tell.", found.not_judged);
    }
    context.terminal.result(&serde_json::to_value(&found).context("write the answer")?, &text)
}

fn changes(
    context: &Context,
    endpoint: Option<&str>,
    section: Option<&str>,
    since: Option<u64>,
    limit: u64,
) -> Result<()> {
    let console = context.connect()?;
    let mut path = format!("/v1/inventory/changes?limit={limit}");
    if let Some(endpoint) = endpoint {
        path += &format!("&endpoint={}", resolve(&console.api, endpoint)?);
    }
    if let Some(section) = section {
        path += &format!("&section={}", url_encoded(section));
    }
    if let Some(since) = since {
        path += &format!("&since={}", now().get().saturating_sub(since));
    }
    let found: InventoryChanges = console.api.fetch(&path)?;
    let rows: Vec<Vec<String>> =
        found.changes.iter().map(|change| change_row(change, endpoint.is_none())).collect();
    let head: &[&str] = if endpoint.is_none() {
        &["WHEN", "SECTION", "ITEM", "CHANGE", "ENDPOINT"]
    } else {
        &["WHEN", "SECTION", "ITEM", "CHANGE"]
    };
    let text = if rows.is_empty() { "Nothing changed.".to_owned() } else { table(head, &rows) };
    context.terminal.result(&serde_json::to_value(&found).context("write the answer")?, &text)
}

fn change_row(change: &Change, whose: bool) -> Vec<String> {
    let what = match (&change.before, &change.after) {
        (None, Some(item)) => format!("new: {}", line(item, &[])),
        (Some(_), None) => "gone".to_owned(),
        (Some(before), Some(after)) => differences(before, after),
        (None, None) => String::new(),
    };
    let mut row = vec![date(change.at), cell(&change.section), cell(&change.key), cell(&what)];
    if whose {
        row.push(change.endpoint.to_string());
    }
    row
}

fn differences(before: &Item, after: &Item) -> String {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let text = |item: &Item, name: &str| {
        item.get(name).map_or_else(|| "none".to_owned(), ToString::to_string)
    };
    let changed = names.into_iter().filter(|name| before.get(*name) != after.get(*name));
    changed
        .map(|name| format!("{name} {} → {}", text(before, name), text(after, name)))
        .collect::<Vec<_>>()
        .join(", ")
}
