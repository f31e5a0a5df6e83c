//! Endpoints, one by one and as a fleet.

use bartizan_trust::id::{EndpointId, SiteId, TenantId};
use bartizan_trust::time::UnixSeconds;
use serde::{Deserialize, Serialize};

use super::{JobRow, TargetRow};

/// One row of `GET /v1/endpoints?search=&tenant=&site=&after=&limit=`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointRow {
    /// Who.
    pub id: EndpointId,
    /// The server's belief; the endpoint holds the truth.
    pub tenant: Option<TenantId>,
    /// The server's belief.
    pub site: Option<SiteId>,
    /// As reported; hostile text.
    pub hostname: String,
    /// As reported; hostile text.
    pub os: String,
    /// Admitted or in quarantine.
    pub standing: Standing,
    /// Whether a connection is open now.
    pub connected: bool,
    /// Last frame from it.
    pub last_seen: Option<UnixSeconds>,
    /// Base64 of its descriptor envelope.
    pub descriptor: String,
    /// Base64 of the enrolment envelope it came with.
    pub enrolment: String,
    /// Base64 of its newest receipt envelope that is about a job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<String>,
}

/// Whether an endpoint is let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// May report; nothing reaches it.
    Quarantined,
    /// Part of the fleet.
    Admitted,
}

/// `GET /v1/endpoints`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointPage {
    /// Rows in order of id.
    pub endpoints: Vec<EndpointRow>,
    /// Ask again with `after` this id.
    pub next: Option<EndpointId>,
}

/// `GET /v1/endpoints/{id}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EndpointDetail {
    /// The row.
    pub row: EndpointRow,
    /// The last inventory, as the endpoint sent it; hostile.
    pub inventory: Option<serde_json::Value>,
    /// When it came.
    pub inventory_at: Option<UnixSeconds>,
}

/// An order of `GET /v1/endpoints/window`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndpointSort {
    /// By host name.
    #[default]
    Hostname,
    /// By tenant, then site, then host name.
    Tenant,
    /// By system.
    Os,
    /// By when it was last heard of.
    LastSeen,
}

/// Which endpoints of `GET /v1/endpoints/window`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndpointLink {
    /// Admitted, and a connection is open.
    Connected,
    /// Admitted, and none is.
    Away,
    /// Not admitted.
    Quarantined,
}

/// `GET /v1/endpoints/window?offset=&limit=&search=&tenant=&site=&state=&sort=&descending=`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointWindow {
    /// How many fit.
    pub total: u64,
    /// Rows from `offset` on.
    pub endpoints: Vec<EndpointBrief>,
}

/// An endpoint without its envelopes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointBrief {
    /// Who.
    pub id: EndpointId,
    /// The server's belief.
    pub tenant: Option<TenantId>,
    /// The server's belief.
    pub site: Option<SiteId>,
    /// As reported; hostile text.
    pub hostname: String,
    /// As reported; hostile text.
    pub os: String,
    /// Where it stands.
    pub link: EndpointLink,
    /// Last frame from it.
    pub last_seen: Option<UnixSeconds>,
}

/// `GET /v1/endpoints/tree`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointTree {
    /// In order of tenant and site.
    pub branches: Vec<EndpointBranch>,
}

/// The endpoints of a site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointBranch {
    /// Absent for those that no enrolment counts.
    pub tenant: Option<TenantId>,
    /// The site.
    pub site: Option<SiteId>,
    /// Admitted, and a connection is open.
    pub connected: u64,
    /// Admitted, and none is.
    pub away: u64,
    /// Not admitted.
    pub quarantined: u64,
}

/// `POST /v1/endpoints/names`: of at most 500 endpoints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointIds {
    /// Of which.
    pub ids: Vec<EndpointId>,
}

/// Answer to `POST /v1/endpoints/names`; who is not known is left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointNames {
    /// Id and host name as reported; hostile text.
    pub names: Vec<(EndpointId, String)>,
}

/// `GET /v1/endpoints/{id}/jobs?offset=&limit=`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointJobs {
    /// How many there are.
    pub total: u64,
    /// Newest first.
    pub jobs: Vec<EndpointJob>,
}

/// A job and where it stands on one endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointJob {
    /// The job.
    pub job: JobRow,
    /// Where it stands here.
    pub target: TargetRow,
}

/// `GET /v1/endpoints/{id}/receipts?offset=&limit=`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointReceipts {
    /// How many there are.
    pub total: u64,
    /// Base64 of each receipt envelope, newest first.
    pub receipts: Vec<String>,
}
