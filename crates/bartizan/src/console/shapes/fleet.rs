//! Endpoints.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{EndpointText, Verification, hundred};

/// Which endpoints, in which order.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct FleetQuery {
    /// Rows to pass over.
    #[serde(default)]
    pub(crate) offset: u64,
    /// Rows wanted; at most 500.
    #[serde(default = "hundred")]
    #[param(default = 100, maximum = 500)]
    pub(crate) limit: u64,
    /// Part of a host name or id.
    pub(crate) search: Option<String>,
    /// `tn_…` or its bare name; `none` for those that belong to nobody yet.
    pub(crate) tenant: Option<String>,
    /// `si_…` or its bare name.
    pub(crate) site: Option<String>,
    /// Only these.
    #[param(inline)]
    pub(crate) state: Option<EndpointState>,
    /// By what; host name unless said.
    #[param(inline)]
    pub(crate) sort: Option<FleetSort>,
    /// The other way round.
    #[serde(default)]
    pub(crate) descending: bool,
}

/// An order of endpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FleetSort {
    /// By host name.
    Hostname,
    /// By tenant, then site, then host name.
    Tenant,
    /// By system.
    Os,
    /// By when it was last heard of.
    LastSeen,
}

/// Whether something reaches an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EndpointState {
    /// A connection is open.
    Connected,
    /// None is.
    Away,
    /// May report; nothing reaches it until somebody lets it in.
    Quarantined,
}

/// A part of the fleet. By the server's word; what is signed for is verified when it is signed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FleetWindow {
    /// How many fit.
    pub(crate) total: u64,
    /// Of the first row.
    pub(crate) offset: u64,
    /// The rows.
    pub(crate) rows: Vec<EndpointRow>,
}

/// An endpoint, by the server's word.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct EndpointRow {
    /// `ep_…`
    pub(crate) id: EndpointText,
    /// As it reported it: hostile text.
    pub(crate) hostname: String,
    /// As it reported it: hostile text.
    pub(crate) os: String,
    /// Bare name.
    pub(crate) tenant: Option<String>,
    /// Bare name.
    pub(crate) site: Option<String>,
    /// Whether something reaches it.
    pub(crate) state: EndpointState,
    /// Last frame.
    pub(crate) last_seen: Option<u64>,
}

/// How many.
#[derive(Debug, Clone, Copy, Default, Serialize, ToSchema)]
pub(crate) struct FleetCounts {
    /// All.
    pub(crate) total: u64,
    /// Let in, and a connection is open.
    pub(crate) connected: u64,
    /// Let in, and none is.
    pub(crate) away: u64,
    /// Not let in.
    pub(crate) quarantined: u64,
}

/// The fleet by tenant and site.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FleetTree {
    /// All.
    pub(crate) counts: FleetCounts,
    /// In order of name.
    pub(crate) tenants: Vec<TenantBranch>,
}

/// A tenant's endpoints.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TenantBranch {
    /// Bare name; absent for endpoints that belong to nobody yet.
    pub(crate) tenant: Option<String>,
    /// Of all its sites.
    pub(crate) counts: FleetCounts,
    /// In order of name.
    pub(crate) sites: Vec<SiteBranch>,
}

/// A site's endpoints.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SiteBranch {
    /// Bare name.
    pub(crate) site: Option<String>,
    /// How many.
    pub(crate) counts: FleetCounts,
}

/// One endpoint.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EndpointView {
    /// By the server's word.
    pub(crate) row: EndpointRow,
    /// Whether its descriptor and enrolment prove who it is and whose.
    pub(crate) verification: Verification,
    /// Whose, by the enrolment that was verified here.
    pub(crate) tenant: Option<String>,
    /// Of its device key.
    pub(crate) fingerprint: Option<String>,
    /// As it reported it, any JSON: hostile.
    pub(crate) inventory: Option<serde_json::Value>,
    /// When that came.
    pub(crate) inventory_at: Option<u64>,
}

/// What an endpoint was asked to do, newest first. By the server's word; receipts are verified.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EndpointJobs {
    /// How many.
    pub(crate) total: u64,
    /// Of the first row.
    pub(crate) offset: u64,
    /// The rows.
    pub(crate) rows: Vec<EndpointJob>,
}

/// One job on one endpoint.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EndpointJob {
    /// The job.
    pub(crate) job: super::JobRow,
    /// Where it stands here.
    pub(crate) target: super::TargetRow,
}
