//! Lists of endpoints that somebody wants to see again. They are kept here, by the operator's own program: a server can neither
//! read nor change them.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{EndpointState, FleetQuery, FleetSort};

/// A list of endpoints under a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SavedView {
    /// At most 60 characters, each visible.
    pub(crate) name: String,
    /// Part of a host name or id.
    pub(crate) search: Option<String>,
    /// Bare name; `none` for those that belong to nobody yet.
    pub(crate) tenant: Option<String>,
    /// Bare name.
    pub(crate) site: Option<String>,
    /// Only these.
    pub(crate) state: Option<EndpointState>,
    /// By what; host name unless said.
    pub(crate) sort: Option<FleetSort>,
    /// The other way round.
    #[serde(default)]
    pub(crate) descending: bool,
    /// Which columns, in which order; the usual ones unless said.
    pub(crate) columns: Option<Vec<FleetColumn>>,
}

/// A column of the list of endpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FleetColumn {
    /// Host name.
    Name,
    /// Whether something reaches it.
    State,
    /// Bare name.
    Tenant,
    /// Bare name.
    Site,
    /// Operating system.
    System,
    /// Last frame.
    LastHeard,
    /// `ep_…`
    Id,
}

/// All of them, in order of name.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SavedViews {
    /// At most 50.
    pub(crate) views: Vec<SavedView>,
}

/// Which one.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Named {
    /// Its name.
    pub(crate) name: String,
}

/// Which endpoints go into a file, in which order, with which columns.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct FleetExport {
    /// Part of a host name or id.
    search: Option<String>,
    /// `tn_…` or its bare name; `none` for those that belong to nobody yet.
    tenant: Option<String>,
    /// `si_…` or its bare name.
    site: Option<String>,
    /// Only these.
    #[param(inline)]
    state: Option<EndpointState>,
    /// By what; host name unless said.
    #[param(inline)]
    sort: Option<FleetSort>,
    /// The other way round.
    #[serde(default)]
    descending: bool,
    /// Names of `FleetColumn` with commas between them; all of them unless said.
    pub(crate) columns: Option<String>,
}

impl FleetExport {
    /// A window of the same list.
    pub(crate) fn window(&self, offset: u64, limit: u64) -> FleetQuery {
        FleetQuery {
            offset,
            limit,
            search: self.search.clone(),
            tenant: self.tenant.clone(),
            site: self.site.clone(),
            state: self.state,
            sort: self.sort,
            descending: self.descending,
        }
    }
}
