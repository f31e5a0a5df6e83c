//! Inventories.

use std::collections::BTreeSet;

use anyhow::Result;
use bartizan_proto::inventory::{Fact, Item};
use bartizan_proto::management::{
    Change, InventoryChanges, InventoryFound, InventorySection, InventorySections, SectionBrief,
};

use super::bounded;
use super::fleet::endpoint;
use crate::commands::{Console, url_encoded};
use crate::console::shapes::{
    ChangesQuery, FindQuery, FoundHit, FoundRow, FoundWindow, InventoryChange, InventoryDifference,
    InventoryFact, InventoryField, InventoryHistory, InventoryItem, InventoryItems,
    InventorySectionRow, InventoryView,
};

/// Sections, tags and fields of an endpoint.
pub(crate) fn sections(console: &Console, id: &str) -> Result<InventoryView> {
    let id = endpoint(id)?;
    let found: InventorySections = console.api.fetch(&format!("/v1/endpoints/{id}/inventory"))?;
    let field = |field: bartizan_proto::management::FieldOfEndpoint| InventoryField {
        name: bounded(&field.name),
        value: bounded(&field.value),
        scope: field.scope.name().to_owned(),
    };
    Ok(InventoryView {
        sections: found.sections.iter().map(row).collect(),
        tags: found.tags.iter().map(|tag| bounded(tag)).collect(),
        fields: found.fields.into_iter().map(field).collect(),
    })
}

fn row(brief: &SectionBrief) -> InventorySectionRow {
    InventorySectionRow {
        name: bounded(&brief.name),
        items: brief.items,
        at: brief.at.get(),
        own_at: brief.own_at.get(),
    }
}

/// One section.
pub(crate) fn section(console: &Console, id: &str, name: &str) -> Result<InventoryItems> {
    let id = endpoint(id)?;
    let path = format!("/v1/endpoints/{id}/inventory/{}", url_encoded(name));
    let found: InventorySection = console.api.fetch(&path)?;
    let item = |(key, item): (&String, &Item)| {
        let unknown = key.starts_with('?').then(|| item.get("unknown").map(Fact::to_string));
        InventoryItem {
            key: bounded(key.trim_start_matches('?')),
            facts: if unknown.is_some() { Vec::new() } else { facts(item) },
            unknown: unknown.map(|why| bounded(&why.unwrap_or_default())),
        }
    };
    Ok(InventoryItems {
        section: row(&found.section),
        items: found.items.iter().map(item).collect(),
    })
}

fn facts(item: &Item) -> Vec<InventoryFact> {
    let fact = |(name, fact): (&String, &Fact)| InventoryFact {
        name: bounded(name),
        value: bounded(&fact.to_string()),
    };
    item.iter().map(fact).collect()
}

/// What changed on an endpoint.
pub(crate) fn changes(
    console: &Console,
    id: &str,
    query: &ChangesQuery,
) -> Result<InventoryHistory> {
    let id = endpoint(id)?;
    let mut path =
        format!("/v1/inventory/changes?endpoint={id}&limit={}", query.limit.clamp(1, 500));
    if let Some(section) = &query.section {
        path += &format!("&section={}", url_encoded(section));
    }
    let found: InventoryChanges = console.api.fetch(&path)?;
    Ok(InventoryHistory { changes: found.changes.iter().map(change).collect() })
}

fn change(change: &Change) -> InventoryChange {
    let empty = Item::new();
    let (before, after) = (change.before.as_ref(), change.after.as_ref());
    let kind = match (before, after) {
        (None, _) => "new",
        (Some(_), None) => "gone",
        (Some(_), Some(_)) => "changed",
    };
    let (before, after) = (before.unwrap_or(&empty), after.unwrap_or(&empty));
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let text = |item: &Item, name: &String| item.get(name).map(|fact| bounded(&fact.to_string()));
    let differs = names.into_iter().filter(|name| before.get(*name) != after.get(*name));
    let facts = differs.map(|name| InventoryDifference {
        name: bounded(name),
        before: text(before, name),
        after: text(after, name),
    });
    InventoryChange {
        section: bounded(&change.section),
        key: bounded(&change.key),
        at: change.at.get(),
        kind: kind.to_owned(),
        facts: facts.collect(),
    }
}

/// Endpoints that fit a query.
pub(crate) fn find(console: &Console, query: &FindQuery) -> Result<FoundWindow> {
    let path = format!(
        "/v1/inventory/search?offset={}&limit={}&query={}",
        query.offset,
        query.limit.clamp(1, 500),
        url_encoded(&query.query)
    );
    let found: InventoryFound = console.api.fetch(&path)?;
    let hit = |hit: &bartizan_proto::management::Hit| FoundHit {
        section: bounded(&hit.section),
        key: bounded(&hit.key),
    };
    let rows = found.endpoints.iter().map(|one| FoundRow {
        id: one.id.to_string(),
        hostname: bounded(&one.hostname),
        tenant: one.tenant.as_ref().map(|tenant| tenant.name().to_owned()),
        site: one.site.as_ref().map(|site| site.name().to_owned()),
        hits: one.hits.iter().map(hit).collect(),
    });
    Ok(FoundWindow {
        total: found.total,
        not_judged: found.not_judged,
        offset: query.offset,
        rows: rows.collect(),
    })
}
