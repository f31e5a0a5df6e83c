//! Inventories. All of it is what endpoints say of themselves: hostile text, bounded.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::hundred;

/// What an endpoint reported, and what people wrote down about it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct InventoryView {
    /// By name.
    pub(crate) sections: Vec<InventorySectionRow>,
    /// What it is tagged with.
    pub(crate) tags: Vec<String>,
    /// The custom fields that hold for it.
    pub(crate) fields: Vec<InventoryField>,
}

/// A section without its items.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct InventorySectionRow {
    /// Its name.
    pub(crate) name: String,
    /// How many items.
    pub(crate) items: u64,
    /// Since when it is so.
    pub(crate) at: u64,
    /// When the endpoint looked last, by its own clock.
    pub(crate) own_at: u64,
}

/// A custom field as it holds for an endpoint.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct InventoryField {
    /// Which.
    pub(crate) name: String,
    /// Its value.
    pub(crate) value: String,
    /// Where it was set: `endpoint`, `site` or `tenant`.
    pub(crate) scope: String,
}

/// A section.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct InventoryItems {
    /// About it.
    pub(crate) section: InventorySectionRow,
    /// By key.
    pub(crate) items: Vec<InventoryItem>,
}

/// An item.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct InventoryItem {
    /// What it is known by.
    pub(crate) key: String,
    /// It could not be read: why.
    pub(crate) unknown: Option<String>,
    /// By name.
    pub(crate) facts: Vec<InventoryFact>,
}

/// One field of an item.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct InventoryFact {
    /// Which.
    pub(crate) name: String,
    /// As text.
    pub(crate) value: String,
}

/// What changed on an endpoint, newest first.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct InventoryHistory {
    /// At most as many as were asked for.
    pub(crate) changes: Vec<InventoryChange>,
}

/// One item that changed.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct InventoryChange {
    /// In which section.
    pub(crate) section: String,
    /// Which item.
    pub(crate) key: String,
    /// When the server learnt of it.
    pub(crate) at: u64,
    /// `new`, `gone` or `changed`.
    pub(crate) kind: String,
    /// The fields that differ.
    pub(crate) facts: Vec<InventoryDifference>,
}

/// A field that differs.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct InventoryDifference {
    /// Which.
    pub(crate) name: String,
    /// As it was.
    pub(crate) before: Option<String>,
    /// As it is.
    pub(crate) after: Option<String>,
}

/// What changed, how much of it.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ChangesQuery {
    /// Only in this section.
    pub(crate) section: Option<String>,
    /// Changes wanted; at most 500.
    #[serde(default = "hundred")]
    #[param(default = 100, maximum = 500)]
    pub(crate) limit: u64,
}

/// A search over every field of the fleet.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct FindQuery {
    /// Words, `package:openssl<3.0.14`, `port:3389`, `tag:…`; a `-` in front means not.
    pub(crate) query: String,
    /// Rows to pass over.
    #[serde(default)]
    pub(crate) offset: u64,
    /// Rows wanted; at most 500.
    #[serde(default = "hundred")]
    #[param(default = 100, maximum = 500)]
    pub(crate) limit: u64,
}

/// What a search found.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct FoundWindow {
    /// Endpoints that fit.
    pub(crate) total: u64,
    /// Endpoints of which too little is known to tell.
    pub(crate) not_judged: u64,
    /// Of the first row.
    pub(crate) offset: u64,
    /// By host name.
    pub(crate) rows: Vec<FoundRow>,
}

/// An endpoint that fits.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct FoundRow {
    /// Its id.
    pub(crate) id: String,
    /// As it calls itself.
    pub(crate) hostname: String,
    /// Bare name, by the server's word.
    pub(crate) tenant: Option<String>,
    /// Bare name, by the server's word.
    pub(crate) site: Option<String>,
    /// A few items that fit.
    pub(crate) hits: Vec<FoundHit>,
}

/// An item that fits.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct FoundHit {
    /// In which section.
    pub(crate) section: String,
    /// Its key.
    pub(crate) key: String,
}
