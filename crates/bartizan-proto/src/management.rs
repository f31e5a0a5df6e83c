//! The operator plane's JSON of inventories, and of what people write down about endpoints.
//!
//! Everything an endpoint reported is its claim; the server only bounds it.

use bartizan_trust::id::{EndpointId, Sha256, SiteId, TenantId};
use bartizan_trust::time::UnixSeconds;
use serde::{Deserialize, Serialize};

use crate::inventory::{Item, Items};

/// A section without its items.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SectionBrief {
    /// Its name.
    pub name: String,
    /// Of its items, as the endpoint computed it.
    pub hash: Sha256,
    /// How many items.
    pub items: u64,
    /// When it became so, by the server's clock.
    pub at: UnixSeconds,
    /// When the endpoint looked last, by its own clock.
    pub own_at: UnixSeconds,
}

/// `GET /v1/endpoints/{id}/inventory`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InventorySections {
    /// By name.
    pub sections: Vec<SectionBrief>,
    /// What it is tagged with.
    pub tags: Vec<String>,
    /// The custom fields that hold for it.
    pub fields: Vec<FieldOfEndpoint>,
}

/// A custom field as it holds for an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldOfEndpoint {
    /// Which.
    pub name: String,
    /// Its value.
    pub value: String,
    /// Where it was set: `endpoint`, `site` or `tenant`.
    pub scope: FieldScope,
}

/// `GET /v1/endpoints/{id}/inventory/{section}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InventorySection {
    /// About it.
    pub section: SectionBrief,
    /// Its items by key. A key that begins with `?` says what is not known, and why.
    pub items: Items,
}

/// `GET /v1/inventory/search?query=&offset=&limit=`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InventoryFound {
    /// Endpoints that fit.
    pub total: u64,
    /// Endpoints that might fit: too little is known of them.
    pub not_judged: u64,
    /// A part of them, by host name.
    pub endpoints: Vec<FoundEndpoint>,
}

/// An endpoint that fits a query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundEndpoint {
    /// Which.
    pub id: EndpointId,
    /// As it calls itself.
    pub hostname: String,
    /// Whose, by the server's word.
    pub tenant: Option<TenantId>,
    /// Where, by the server's word.
    pub site: Option<SiteId>,
    /// A few of the items that fit.
    pub hits: Vec<Hit>,
}

/// An item that fits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hit {
    /// In which section.
    pub section: String,
    /// Its key.
    pub key: String,
}

/// `GET /v1/inventory/changes?endpoint=&section=&since=&limit=`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InventoryChanges {
    /// Newest first.
    pub changes: Vec<Change>,
}

/// One item that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Whose.
    pub endpoint: EndpointId,
    /// In which section.
    pub section: String,
    /// Which.
    pub key: String,
    /// When the server learnt of it.
    pub at: UnixSeconds,
    /// When the endpoint saw it, by its own clock.
    pub own_at: UnixSeconds,
    /// As it was; absent when it is new.
    pub before: Option<Item>,
    /// As it is; absent when it is gone.
    pub after: Option<Item>,
}

/// What the values of a custom field are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldKind {
    /// Plain text.
    Text,
    /// A whole number.
    Number,
    /// A day, `2027-01-31`.
    Date,
    /// One of a few words.
    Choice,
    /// Yes or no.
    YesNo,
}

impl FieldKind {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "number",
            Self::Date => "date",
            Self::Choice => "choice",
            Self::YesNo => "yes_no",
        }
    }

    /// By its name.
    pub fn parse(name: &str) -> Option<Self> {
        let all = [Self::Text, Self::Number, Self::Date, Self::Choice, Self::YesNo];
        all.into_iter().find(|kind| kind.name() == name)
    }
}

/// Where a value is set; the nearest to the endpoint holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldScope {
    /// For every endpoint of a tenant.
    Tenant,
    /// For every endpoint of a site.
    Site,
    /// For one endpoint.
    Endpoint,
}

impl FieldScope {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tenant => "tenant",
            Self::Site => "site",
            Self::Endpoint => "endpoint",
        }
    }

    /// By its name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Tenant, Self::Site, Self::Endpoint].into_iter().find(|scope| scope.name() == name)
    }
}

/// A custom field; also the body of `POST /v1/fields`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldDefinition {
    /// `[a-z][a-z0-9_-]*`
    pub name: String,
    /// What its values are.
    pub kind: FieldKind,
    /// What can be chosen, for a choice.
    #[serde(default)]
    pub choices: Vec<String>,
}

/// `GET /v1/fields`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldList {
    /// By name.
    pub fields: Vec<FieldDefinition>,
    /// Every value that is set.
    pub values: Vec<FieldValue>,
}

/// A value at a place; also the body of `POST /v1/fields/value`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldValue {
    /// Which field.
    pub field: String,
    /// What kind of place.
    pub scope: FieldScope,
    /// A tenant's id, a tenant's and a site's id with `/` between them, or an endpoint's id.
    pub target: String,
    /// The value; absent removes it.
    pub value: Option<String>,
}

/// Body of `POST /v1/fields/drop` and the like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Named {
    /// Which.
    pub name: String,
}

/// A tag on an endpoint; also the body of `POST /v1/tags`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tagged {
    /// Which endpoint.
    pub endpoint: EndpointId,
    /// Which tag.
    pub tag: String,
    /// Whether it has it.
    #[serde(default = "yes")]
    pub present: bool,
}

const fn yes() -> bool {
    true
}

/// `GET /v1/tags`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TagList {
    /// Every tag of every endpoint.
    pub tags: Vec<Tagged>,
}

/// A saved query; also the body of `POST /v1/groups`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedGroup {
    /// Its name.
    pub name: String,
    /// What it asks.
    pub query: String,
}

/// `GET /v1/groups`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupList {
    /// By name.
    pub groups: Vec<SavedGroup>,
}

/// One change of a field, value, tag or group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// When.
    pub at: UnixSeconds,
    /// Which operator, by the session it came over. Not signed: the server's word.
    pub by: String,
    /// `field`, `value`, `tag` or `group`.
    pub kind: String,
    /// Which one.
    pub name: String,
    /// Where.
    pub target: String,
    /// As it was.
    pub before: Option<String>,
    /// As it is.
    pub after: Option<String>,
}

/// `GET /v1/marks`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarkList {
    /// Newest first.
    pub marks: Vec<Mark>,
}
