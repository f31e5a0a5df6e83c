//! `checks`: how everything stands that endpoints look at. All of it is the endpoints' and the server's word.

use anyhow::Result;
use bartizan_proto::monitoring::{CheckPage, CheckRow};
use bartizan_trust::id::EndpointId;
use bartizan_trust::time::UnixSeconds;
use clap::Args;
use serde_json::json;

use super::{Context, endpoint_path, url_encoded};
use crate::sign::render;
use crate::terminal::{cell, table};

/// `bartizan checks`
#[derive(Debug, Args)]
pub(crate) struct ChecksOptions {
    /// Of this endpoint only
    endpoint: Option<EndpointId>,
    /// Only in this state: ok, warn, error or unknown
    #[arg(long, value_parser = ["ok", "warn", "error", "unknown"])]
    state: Option<String>,
    /// The changes of an endpoint instead, newest first
    #[arg(long, requires = "endpoint", conflicts_with = "state")]
    changes: bool,
}

pub(crate) fn run(context: &Context, options: &ChecksOptions) -> Result<()> {
    let console = context.connect()?;
    let mut checks: Vec<CheckRow> = Vec::new();
    let mut after = String::new();
    loop {
        let path = match options.endpoint {
            Some(endpoint) if options.changes => {
                format!("{}/checks/changes", endpoint_path(&endpoint))
            }
            endpoint => {
                let of = endpoint.map_or_else(String::new, |endpoint| endpoint.to_string());
                let state = options.state.as_deref().unwrap_or_default();
                format!("/v1/checks?endpoint={of}&state={state}&after={}", url_encoded(&after))
            }
        };
        let page: CheckPage = console.api.fetch(&path)?;
        checks.extend(page.checks);
        match page.next {
            Some(next) if next != after => after = next,
            Some(_) | None => break,
        }
    }
    let rows: Vec<Vec<String>> = checks.iter().map(row).collect();
    let text = if rows.is_empty() {
        "nothing is looked at yet; see `bartizan policy list`".to_owned()
    } else {
        table(&["ENDPOINT", "CHECK", "OF", "STATE", "SINCE", "WHAT IS SEEN"], &rows)
    };
    context.terminal.result(&json!({ "checks": checks }), &text)
}

fn row(check: &CheckRow) -> Vec<String> {
    vec![
        check.endpoint.to_string().chars().take(15).collect(),
        cell(&check.check),
        cell(&check.instance),
        cell(&check.state),
        render::date(UnixSeconds::new(check.since)),
        cell(&check.text),
    ]
}
