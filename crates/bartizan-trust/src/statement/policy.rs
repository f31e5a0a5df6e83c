//! The monitoring policy: what endpoints of a place look at. Specification: `docs/spec/policy.md`.

use serde::{Deserialize, Serialize};

use super::check::{Check, is_check_name};
use super::{Class, Display, TenantScope, V1, check_crit, check_display};
use crate::id::{EndpointId, OrgId, SiteId, TenantId};
use crate::json::Validate;
use crate::limits;
use crate::state::Membership;
use crate::time::UnixSeconds;

/// A signed list of checks for the endpoints of a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MonitoringPolicy {
    /// Format version.
    pub v: V1,
    /// The organisation.
    pub org: OrgId,
    /// When it was made.
    pub iat: UnixSeconds,
    /// What a reader must understand.
    pub crit: Vec<String>,
    /// 32 hexadecimal digits, random.
    pub nonce: String,
    /// Endpoints with an older bundle wait.
    pub bundle_min: u64,
    /// Always `observe`: it reads, and starts nothing.
    pub class: Class,
    /// Whose endpoints.
    pub place: PolicyPlace,
    /// Its name at its place.
    pub name: String,
    /// Counts up for each name at a place: a higher one takes the place of those below, for good.
    pub version: u64,
    /// It ends; not at or after.
    pub until: UnixSeconds,
    /// Whether policies of wider places still apply beside it.
    pub inherit: bool,
    /// Checks of wider places that do not apply where this policy does.
    pub exclude: Vec<String>,
    /// What is looked at.
    pub checks: Vec<Check>,
    /// For people.
    pub display: Display,
}

/// Whose endpoints a policy is for. What counts is the enrolment that the endpoint joined with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum PolicyPlace {
    /// Every endpoint.
    Org {},
    /// Those of a tenant.
    Tenant {
        /// Which.
        tenant: TenantId,
    },
    /// Those of a site.
    Site {
        /// Of which tenant.
        tenant: TenantId,
        /// Which.
        site: SiteId,
    },
    /// One.
    Endpoint {
        /// Its tenant.
        tenant: TenantId,
        /// Which.
        endpoint: EndpointId,
    },
}

/// How wide a place is, the widest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// The organisation.
    Org,
    /// A tenant.
    Tenant,
    /// A site.
    Site,
    /// One endpoint.
    Endpoint,
}

impl Layer {
    /// In one word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Org => "org",
            Self::Tenant => "tenant",
            Self::Site => "site",
            Self::Endpoint => "endpoint",
        }
    }
}

impl PolicyPlace {
    /// How wide it is.
    pub const fn layer(&self) -> Layer {
        match self {
            Self::Org {} => Layer::Org,
            Self::Tenant { .. } => Layer::Tenant,
            Self::Site { .. } => Layer::Site,
            Self::Endpoint { .. } => Layer::Endpoint,
        }
    }

    /// Its tenant; none where it is every tenant's.
    pub const fn tenant(&self) -> Option<&TenantId> {
        match self {
            Self::Org {} => None,
            Self::Tenant { tenant } | Self::Site { tenant, .. } | Self::Endpoint { tenant, .. } => {
                Some(tenant)
            }
        }
    }

    /// Whether whoever may act for these tenants may act for all of this place.
    pub fn is_within(&self, scope: &TenantScope) -> bool {
        self.tenant().map_or(*scope == TenantScope::All, |tenant| scope.contains(tenant))
    }

    /// Whether an endpoint stands there.
    pub fn contains(&self, membership: &Membership, endpoint: EndpointId) -> bool {
        self.tenant().is_none_or(|tenant| *tenant == membership.tenant)
            && match self {
                Self::Org {} | Self::Tenant { .. } => true,
                Self::Site { site, .. } => *site == membership.site,
                Self::Endpoint { endpoint: named, .. } => *named == endpoint,
            }
    }
}

impl crate::statement::Statement for MonitoringPolicy {
    const TYPE: super::StatementType = super::StatementType::Policy;
    fn org(&self) -> Option<OrgId> {
        Some(self.org)
    }
    fn iat(&self) -> UnixSeconds {
        self.iat
    }
    fn crit(&self) -> &[String] {
        &self.crit
    }
}

impl Validate for MonitoringPolicy {
    fn validate(&self) -> Result<(), &'static str> {
        check_crit(&self.crit)?;
        let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if self.nonce.len() != 32 || !self.nonce.bytes().all(hex) {
            return Err("nonce: 32 lower-case hexadecimal digits");
        }
        let counts = |number: u64| (1..=limits::INTEGER_MAX).contains(&number);
        if !counts(self.bundle_min) || !counts(self.version) {
            return Err("bundle_min, version: count from 1");
        }
        if self.class != Class::Observe {
            return Err("class: observe");
        }
        if !is_check_name(&self.name) {
            return Err("name: a short lower-case name");
        }
        if self.until <= self.iat || self.until.since(self.iat) > limits::ORDER_S_MAX {
            return Err("until: after iat, by at most 366 days");
        }
        if self.exclude.len() > limits::POLICY_EXCLUDES_MAX
            || !self.exclude.iter().all(|id| is_check_name(id))
            || !self.exclude.is_sorted_by(|a, b| a < b)
        {
            return Err("exclude: at most 64 names of checks, sorted, each once");
        }
        if self.checks.len() > limits::POLICY_CHECKS_MAX
            || !self.checks.is_sorted_by(|a, b| a.id < b.id)
        {
            return Err("checks: at most 128, sorted by id, each once");
        }
        let network = self.checks.iter().filter(|check| check.subject.uses_network());
        if network.count() > limits::NETWORK_CHECKS_MAX {
            return Err("checks: at most 64 that use the network");
        }
        self.checks.iter().try_for_each(Check::check)?;
        check_display(&self.display)
    }
}
