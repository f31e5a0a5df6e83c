//! `field …`, `tag …` and `group …`: what people write down about endpoints. It decides nothing on them.

use anyhow::{Context as _, Result};
use bartizan_proto::management::{
    FieldDefinition, FieldKind, FieldList, FieldScope, FieldValue, GroupList, MarkList, Named,
    SavedGroup, TagList, Tagged,
};
use bartizan_trust::id::{SiteId, TenantId};
use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;
use serde_json::{Value, json};

use super::{Context, inventory, options};
use crate::api::Api;
use crate::exit::{Code, fail};
use crate::sign::render::date;
use crate::terminal::{cell, table};

/// `bartizan field …`
#[derive(Debug, Subcommand)]
pub(crate) enum FieldCommand {
    /// Custom fields and where they are set
    List,
    /// Make one
    Define {
        /// Its name: a-z, 0-9, - and _
        name: String,
        /// What its values are
        #[arg(long, value_enum, default_value = "text")]
        kind: Kind,
        /// What can be chosen, for the kind `choice`; give it once for each
        #[arg(long)]
        choice: Vec<String>,
    },
    /// Remove one, and all its values
    Remove {
        /// Its name
        name: String,
    },
    /// Set a value for a tenant, a site or one endpoint; the nearest to the endpoint holds
    Set {
        /// The field
        name: String,
        /// The value
        #[arg(allow_hyphen_values = true)]
        value: String,
        #[command(flatten)]
        place: Place,
    },
    /// Take a value away
    Unset {
        /// The field
        name: String,
        #[command(flatten)]
        place: Place,
    },
    /// Who changed fields, tags and groups, newest first
    History,
}

/// What values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    Text,
    Number,
    Date,
    Choice,
    YesNo,
}

/// Where a value is set.
#[derive(Debug, Args)]
pub(crate) struct Place {
    /// For every endpoint of a tenant
    #[arg(long, value_parser = options::slug::<TenantId>)]
    tenant: Option<TenantId>,
    /// For every endpoint of a site; needs its tenant too
    #[arg(long, value_parser = options::slug::<SiteId>, requires = "tenant")]
    site: Option<SiteId>,
    /// For one endpoint: its id or host name
    #[arg(long, conflicts_with = "tenant")]
    endpoint: Option<String>,
}

/// `bartizan tag …`
#[derive(Debug, Subcommand)]
pub(crate) enum TagCommand {
    /// Every tag and who bears it
    List,
    /// Give an endpoint a tag
    Add {
        /// Its id or host name
        endpoint: String,
        /// The tag: a-z, 0-9, - and _
        tag: String,
    },
    /// Take a tag from an endpoint
    Remove {
        /// Its id or host name
        endpoint: String,
        /// The tag
        tag: String,
    },
}

/// `bartizan group …`
#[derive(Debug, Subcommand)]
pub(crate) enum GroupCommand {
    /// Saved queries
    List,
    /// Save a query under a name; `group:NAME` then stands for it
    Save {
        /// The name: a-z, 0-9, - and _
        name: String,
        /// The query, as `bartizan inventory search` takes it
        #[arg(required = true)]
        query: Vec<String>,
    },
    /// Forget a saved query
    Remove {
        /// The name
        name: String,
    },
}

impl Kind {
    const fn plane(self) -> FieldKind {
        match self {
            Self::Text => FieldKind::Text,
            Self::Number => FieldKind::Number,
            Self::Date => FieldKind::Date,
            Self::Choice => FieldKind::Choice,
            Self::YesNo => FieldKind::YesNo,
        }
    }
}

impl Place {
    fn target(&self, api: &Api) -> Result<(FieldScope, String)> {
        match (&self.tenant, &self.site, &self.endpoint) {
            (_, _, Some(endpoint)) => {
                Ok((FieldScope::Endpoint, inventory::resolve(api, endpoint)?.to_string()))
            }
            (Some(tenant), Some(site), None) => Ok((FieldScope::Site, format!("{tenant}/{site}"))),
            (Some(tenant), None, None) => Ok((FieldScope::Tenant, tenant.to_string())),
            (None, _, None) => Err(fail(
                Code::Usage,
                "for whom?",
                "give --tenant, --tenant with --site, or --endpoint",
            )),
        }
    }
}

pub(crate) fn field(context: &Context, command: &FieldCommand) -> Result<()> {
    let console = context.connect()?;
    let api = &console.api;
    match command {
        FieldCommand::List => list_fields(context, api),
        FieldCommand::History => history(context, api),
        FieldCommand::Define { name, kind, choice } => {
            let kind = kind.plane();
            let body = FieldDefinition { name: name.clone(), kind, choices: choice.clone() };
            say(
                context,
                api,
                "/v1/fields",
                &body,
                &format!("field `{}` holds a value of the kind {}", cell(name), kind.name()),
            )
        }
        FieldCommand::Remove { name } => {
            context
                .terminal
                .confirm(&format!("Remove the field `{}` and all its values?", cell(name)))?;
            say(
                context,
                api,
                "/v1/fields/drop",
                &Named { name: name.clone() },
                &format!("field `{}` is removed", cell(name)),
            )
        }
        FieldCommand::Set { name, value, place } => {
            let (scope, target) = place.target(api)?;
            let text =
                format!("{} is `{}` for the {} {target}", cell(name), cell(value), scope.name());
            let body =
                FieldValue { field: name.clone(), scope, target, value: Some(value.clone()) };
            say(context, api, "/v1/fields/value", &body, &text)
        }
        FieldCommand::Unset { name, place } => {
            let (scope, target) = place.target(api)?;
            let text = format!("{} is not set for the {} {target}", cell(name), scope.name());
            let body = FieldValue { field: name.clone(), scope, target, value: None };
            say(context, api, "/v1/fields/value", &body, &text)
        }
    }
}

fn say(context: &Context, api: &Api, path: &str, body: &impl Serialize, text: &str) -> Result<()> {
    api.send::<()>(path, body)?;
    context.terminal.result(&serde_json::to_value(body).context("write the answer")?, text)
}

fn list_fields(context: &Context, api: &Api) -> Result<()> {
    let found: FieldList = api.fetch("/v1/fields")?;
    let rows: Vec<Vec<String>> = found
        .fields
        .iter()
        .map(|field| {
            let set = found.values.iter().filter(|value| value.field == field.name).count();
            vec![
                cell(&field.name),
                field.kind.name().to_owned(),
                cell(&field.choices.join(", ")),
                set.to_string(),
            ]
        })
        .collect();
    let mut text = if rows.is_empty() {
        "No custom fields yet. `bartizan field define NAME` makes one.".to_owned()
    } else {
        table(&["FIELD", "KIND", "CHOICES", "SET"], &rows)
    };
    for value in &found.values {
        let shown = value.value.as_deref().unwrap_or_default();
        text += &format!(
            "\n{} = {} for the {} {}",
            cell(&value.field),
            cell(shown),
            value.scope.name(),
            cell(&value.target)
        );
    }
    context.terminal.result(&serde_json::to_value(&found).context("write the answer")?, &text)
}

fn history(context: &Context, api: &Api) -> Result<()> {
    let found: MarkList = api.fetch("/v1/marks")?;
    let rows: Vec<Vec<String>> = found
        .marks
        .iter()
        .map(|mark| {
            let side =
                |side: &Option<String>| side.as_deref().map_or_else(|| "none".to_owned(), cell);
            let change = format!("{} → {}", side(&mark.before), side(&mark.after));
            vec![
                date(mark.at),
                cell(&mark.by),
                cell(&mark.kind),
                cell(&mark.name),
                cell(&mark.target),
                change,
            ]
        })
        .collect();
    let text = if rows.is_empty() {
        "Nothing was written down yet.".to_owned()
    } else {
        table(&["WHEN", "OPERATOR", "WHAT", "NAME", "WHERE", "CHANGE"], &rows)
    };
    context.terminal.result(&serde_json::to_value(&found).context("write the answer")?, &text)
}

pub(crate) fn tag(context: &Context, command: &TagCommand) -> Result<()> {
    let console = context.connect()?;
    let api = &console.api;
    let set = |endpoint: &str, tag: &str, present: bool| -> Result<()> {
        let endpoint = inventory::resolve(api, endpoint)?;
        let body = Tagged { endpoint, tag: tag.to_owned(), present };
        let text =
            format!("{endpoint} is {}tagged `{}`", if present { "" } else { "not " }, cell(tag));
        say(context, api, "/v1/tags", &body, &text)
    };
    match command {
        TagCommand::Add { endpoint, tag } => set(endpoint, tag, true),
        TagCommand::Remove { endpoint, tag } => set(endpoint, tag, false),
        TagCommand::List => {
            let found: TagList = api.fetch("/v1/tags")?;
            let rows: Vec<Vec<String>> = found
                .tags
                .iter()
                .map(|tagged| vec![cell(&tagged.tag), tagged.endpoint.to_string()])
                .collect();
            let text = if rows.is_empty() {
                "No endpoint has a tag. `bartizan tag add ENDPOINT TAG` gives it one.".to_owned()
            } else {
                table(&["TAG", "ENDPOINT"], &rows)
            };
            context
                .terminal
                .result(&serde_json::to_value(&found).context("write the answer")?, &text)
        }
    }
}

pub(crate) fn group(context: &Context, command: &GroupCommand) -> Result<()> {
    let console = context.connect()?;
    let api = &console.api;
    match command {
        GroupCommand::Save { name, query } => {
            let body = SavedGroup { name: name.clone(), query: query.join(" ") };
            let text = format!("`group:{}` stands for: {}", cell(name), cell(&body.query));
            say(context, api, "/v1/groups", &body, &text)
        }
        GroupCommand::Remove { name } => {
            api.send::<()>("/v1/groups/drop", &Named { name: name.clone() })?;
            let shown: Value = json!({ "name": name, "removed": true });
            context
                .terminal
                .result(&shown, &format!("the saved group `{}` is forgotten", cell(name)))
        }
        GroupCommand::List => {
            let found: GroupList = api.fetch("/v1/groups")?;
            let rows: Vec<Vec<String>> = found
                .groups
                .iter()
                .map(|group| vec![cell(&group.name), cell(&group.query)])
                .collect();
            let text = if rows.is_empty() {
                "No saved groups yet. `bartizan group save NAME QUERY` makes one.".to_owned()
            } else {
                table(&["GROUP", "QUERY"], &rows)
            };
            context
                .terminal
                .result(&serde_json::to_value(&found).context("write the answer")?, &text)
        }
    }
}
