//! `metrics token …`: tokens with which Grafana and others read series from the server.

use anyhow::Result;
use bartizan_proto::series::{NewReadToken, ReadToken, ReadTokenMade, ReadTokens, RevokeReadToken};
use bartizan_trust::id::TenantId;
use clap::Subcommand;
use serde_json::{Value, json};

use crate::commands::{Context, options};
use crate::sign::render::date;
use crate::terminal::{cell, table};

/// Where they are on the operator plane.
const PATH: &str = "/v1/metrics/tokens";
const DAY_S: u64 = 86_400;

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Make one and print it, this once
    New {
        /// What you call it
        name: String,
        /// Only what this tenant's endpoints measure
        #[arg(long, value_parser = options::slug::<TenantId>)]
        tenant: Option<TenantId>,
        /// How long it counts, at most 730d
        #[arg(long = "for", default_value = "365d", value_parser = options::seconds)]
        life: u64,
    },
    /// List them
    List,
    /// End one at once
    Revoke {
        /// Its name
        name: String,
    },
}

pub(super) fn run(context: &Context, command: &TokenCommand) -> Result<()> {
    match command {
        TokenCommand::New { name, tenant, life } => make(context, name, tenant.clone(), *life),
        TokenCommand::List => list(context),
        TokenCommand::Revoke { name } => {
            let console = context.connect()?;
            let body = RevokeReadToken { name: name.clone() };
            let _: Value = console.api.send(&format!("{PATH}/revoke"), &body)?;
            context
                .terminal
                .result(&json!({ "revoked": name }), &format!("{} reads no more.", cell(name)))
        }
    }
}

fn make(context: &Context, name: &str, tenant: Option<TenantId>, life: u64) -> Result<()> {
    let console = context.connect()?;
    let days = u32::try_from(life / DAY_S).unwrap_or(u32::MAX);
    let wish = NewReadToken { name: name.to_owned(), tenant, days };
    let made: ReadTokenMade = console.api.send(PATH, &wish)?;
    let token = cell(&made.token);
    let text = format!(
        "{token}\n\nIt is shown this once. It counts until {} and reads what endpoints measure, nothing else.\n\
         In Grafana: a Prometheus data source with the address of the operator plane, https://{}, and the header `Authorization: Bearer {token}`;\n\
         or basic authentication with any user and the token as the password.",
        date(made.exp),
        console.org.server,
    );
    context.terminal.result(&json!({ "token": made.token, "exp": made.exp }), &text)
}

fn list(context: &Context) -> Result<()> {
    let console = context.connect()?;
    let found: ReadTokens = console.api.fetch(PATH)?;
    let row = |token: &ReadToken| {
        let reads = token.tenant.as_ref().map_or("everything", |tenant| tenant.name());
        let by = token.operator.name().to_owned();
        vec![cell(&token.name), reads.to_owned(), by, date(token.at), date(token.exp)]
    };
    let rows: Vec<Vec<String>> = found.tokens.iter().map(row).collect();
    let text = if rows.is_empty() {
        "No token reads series. `bartizan metrics token new NAME` makes one.".to_owned()
    } else {
        table(&["TOKEN", "READS", "BY", "MADE", "ENDS"], &rows)
    };
    context.terminal.result(&json!(found), &text)
}
