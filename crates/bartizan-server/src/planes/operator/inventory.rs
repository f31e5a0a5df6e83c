//! Inventories: sections, what changed, and searches.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use bartizan_proto::inventory::{self, Item, QueryError};
use bartizan_proto::management::{
    Change, FieldOfEndpoint, FieldScope, FoundEndpoint, Hit, InventoryChanges, InventoryFound,
    InventorySection, InventorySections, SectionBrief,
};
use bartizan_store::{ChangeRecord, Numbered, SectionRecord, Tx};
use bartizan_trust::id::EndpointId;
use bartizan_trust::time::UnixSeconds;
use serde::Deserialize;

use super::endpoints::parse;
use super::failure::Failure;
use super::login::Session;
use crate::app::App;
use crate::fields::effective;
use crate::inventory::{Problem, items_of, search};

/// Endpoints, and changes, in one answer.
const ROWS_MAX: u64 = 500;

/// `GET /v1/endpoints/{id}/inventory`
pub(super) async fn sections(
    State(app): State<Arc<App>>,
    _session: Session,
    Path(id): Path<String>,
) -> Result<Json<InventorySections>, Failure> {
    let id = parse(&id)?;
    let read = app.db.read(move |tx| {
        let Some(endpoint) = tx.endpoint(id)? else { return Ok(None) };
        let sections = tx.sections(id)?;
        let tags = tx.tags(Some(id))?;
        let who = Numbered {
            number: 0,
            id,
            hostname: endpoint.hostname,
            tenant: endpoint.tenant,
            site: endpoint.site,
        };
        Ok(Some((sections, tags, fields(tx, &who)?)))
    });
    let (sections, tags, fields) = read.await?.ok_or_else(|| Failure::not_found("endpoint"))?;
    Ok(Json(InventorySections {
        sections: sections.iter().map(brief).collect(),
        tags: tags.into_iter().map(|(_, tag)| tag).collect(),
        fields,
    }))
}

fn fields(
    tx: &mut Tx<'_>,
    who: &Numbered,
) -> Result<Vec<FieldOfEndpoint>, bartizan_store::StoreError> {
    let values = tx.values(None)?;
    let mut by_field: BTreeMap<&str, BTreeMap<(&str, &str), &str>> = BTreeMap::new();
    for one in &values {
        by_field.entry(&one.field).or_default().insert((&one.scope, &one.target), &one.value);
    }
    let of = |(name, places): (&&str, &BTreeMap<(&str, &str), &str>)| {
        let (scope, value) = effective(places, who)?;
        Some(FieldOfEndpoint {
            name: (*name).to_owned(),
            value: value.to_owned(),
            scope: FieldScope::parse(scope)?,
        })
    };
    Ok(by_field.iter().filter_map(of).collect())
}

fn brief(section: &SectionRecord) -> SectionBrief {
    SectionBrief {
        name: section.name.clone(),
        hash: section.hash,
        items: section.items,
        at: UnixSeconds::new(section.at),
        own_at: UnixSeconds::new(section.own_at),
    }
}

/// `GET /v1/endpoints/{id}/inventory/{section}`
pub(super) async fn section(
    State(app): State<Arc<App>>,
    _session: Session,
    Path((id, name)): Path<(String, String)>,
) -> Result<Json<InventorySection>, Failure> {
    let id = parse(&id)?;
    let section = app.db.read(move |tx| tx.section(id, &name)).await?;
    let section = section.ok_or_else(|| Failure::not_found("section of this endpoint"))?;
    Ok(Json(InventorySection { section: brief(&section), items: items_of(&section) }))
}

#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    query: String,
    #[serde(default)]
    offset: u64,
    limit: Option<u64>,
}

/// `GET /v1/inventory/search`
pub(super) async fn find(
    State(app): State<Arc<App>>,
    _session: Session,
    Query(asked): Query<Asked>,
) -> Result<Json<InventoryFound>, Failure> {
    let query = inventory::Query::parse(&asked.query).map_err(|error| unreadable(&error))?;
    let limit = asked.limit.unwrap_or(100).clamp(1, ROWS_MAX);
    let (offset, limit) =
        (usize::try_from(asked.offset).unwrap_or(usize::MAX), usize::try_from(limit).unwrap_or(1));
    let found = app.db.read(move |tx| search(tx, &query, offset, limit)).await?.map_err(explain)?;
    let row = |(row, hits): (Numbered, Vec<(String, String)>)| FoundEndpoint {
        id: row.id,
        hostname: row.hostname,
        tenant: row.tenant,
        site: row.site,
        hits: hits.into_iter().map(|(section, key)| Hit { section, key }).collect(),
    };
    Ok(Json(InventoryFound {
        total: found.total,
        not_judged: found.not_judged,
        endpoints: found.rows.into_iter().map(row).collect(),
    }))
}

pub(super) fn unreadable(error: &QueryError) -> Failure {
    let next = "write words, `package:openssl<3.0.14`, `port:3389`, `user:alice`, `service:nginx`, `os:debian`, `tag:…`, `field.…:…`; see the guide on inventories";
    Failure::bad("query.malformed", error.to_string(), next)
}

pub(super) fn explain(problem: Problem) -> Failure {
    match problem {
        Problem::Query(error) => unreadable(&error),
        Problem::NoField(name) => Failure::bad(
            "query.no_field",
            format!("there is no custom field `{name}`"),
            "see `bartizan field list`",
        ),
        Problem::NoGroup(name) => Failure::bad(
            "query.no_group",
            format!("there is no saved group `{name}`"),
            "see `bartizan group list`",
        ),
        Problem::GroupInGroup(name) => Failure::bad(
            "query.group_in_group",
            format!("the saved group `{name}` stands in another saved group"),
            "write out what it asks",
        ),
        Problem::FieldValue { field, kind, value } => Failure::bad(
            "query.field_value",
            format!(
                "`{field}` holds values of the kind `{}`, which `{value}` cannot be compared with so",
                kind.name()
            ),
            "dates are written 2027-01-31; only numbers and dates are before or after others",
        ),
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct ChangesAsked {
    endpoint: Option<EndpointId>,
    section: Option<String>,
    #[serde(default)]
    since: u64,
    limit: Option<u64>,
}

/// `GET /v1/inventory/changes`
pub(super) async fn changes(
    State(app): State<Arc<App>>,
    _session: Session,
    Query(asked): Query<ChangesAsked>,
) -> Result<Json<InventoryChanges>, Failure> {
    let limit = asked.limit.unwrap_or(100).clamp(1, ROWS_MAX);
    let read = move |tx: &mut Tx<'_>| {
        tx.changes(asked.endpoint, asked.section.as_deref(), asked.since, limit)
    };
    let changes = app.db.read(read).await?;
    Ok(Json(InventoryChanges { changes: changes.into_iter().map(change).collect() }))
}

fn change(record: ChangeRecord) -> Change {
    let item =
        |text: Option<String>| text.and_then(|text| serde_json::from_str::<Item>(&text).ok());
    Change {
        endpoint: record.endpoint,
        section: record.section,
        key: record.key,
        at: UnixSeconds::new(record.at),
        own_at: UnixSeconds::new(record.own_at),
        before: item(record.before),
        after: item(record.after),
    }
}
