//! The fleet as people look at it: windows, counts, names. Envelopes stay where they are.

use bartizan_trust::id::{EndpointId, SiteId, TenantId};

use crate::endpoints::{Place, like_pattern, read_place};
use crate::engine::{Row, Tx, Value};
use crate::error::StoreError;

const COLUMNS: &str = "id, tenant, site, hostname, os, standing, last_seen";

/// An endpoint without its envelopes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BriefRecord {
    /// Who.
    pub id: EndpointId,
    /// By its enrolment.
    pub tenant: Option<TenantId>,
    /// By its enrolment.
    pub site: Option<SiteId>,
    /// Hostile text.
    pub hostname: String,
    /// Hostile text.
    pub os: String,
    /// Whether somebody or an enrolment let it in.
    pub admitted: bool,
    /// Last frame, in seconds.
    pub last_seen: Option<u64>,
}

/// An order of endpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FleetOrder {
    /// By host name.
    #[default]
    Hostname,
    /// By tenant, site and host name.
    Tenant,
    /// By system.
    Os,
    /// By when it was last heard of.
    LastSeen,
}

/// Which endpoints, in which order.
#[derive(Debug, Clone, Default)]
pub struct FleetFilter {
    /// Part of the host name or id.
    pub search: Option<String>,
    /// Of this tenant; the empty text means of none.
    pub tenant: Option<String>,
    /// Of this site.
    pub site: Option<String>,
    /// Only those let in, or only those that are not.
    pub admitted: Option<bool>,
    /// The order.
    pub order: FleetOrder,
    /// The other way round.
    pub descending: bool,
}

/// How many endpoints of a site stand so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceCount {
    /// By their enrolment.
    pub place: Place,
    /// Whether they are let in.
    pub admitted: bool,
    /// How many.
    pub count: u64,
}

impl Tx<'_> {
    /// Some endpoints of many, and how many fit.
    pub fn fleet_window(
        &mut self,
        filter: &FleetFilter,
        offset: u64,
        limit: u64,
    ) -> Result<(u64, Vec<BriefRecord>), StoreError> {
        let (conditions, parameters) = conditions(filter);
        let mut window = parameters.clone();
        window.extend([limit.into(), offset.into()]);
        let count = window.len();
        let sql = format!(
            "SELECT {COLUMNS} FROM endpoint{conditions} ORDER BY {} LIMIT ${} OFFSET ${count}",
            order(filter),
            count - 1
        );
        let rows = self.query(&sql, &window)?;
        let rows: Vec<BriefRecord> = rows.iter().map(read).collect::<Result<_, _>>()?;
        let found = u64::try_from(rows.len()).unwrap_or(u64::MAX);
        if offset == 0 && found < limit {
            // All of them: a search that finds little need not look twice.
            return Ok((found, rows));
        }
        Ok((self.count(&conditions, &parameters)?, rows))
    }

    /// How many fit.
    pub fn fleet_total(&mut self, filter: &FleetFilter) -> Result<u64, StoreError> {
        let (conditions, parameters) = conditions(filter);
        self.count(&conditions, &parameters)
    }

    fn count(&mut self, conditions: &str, parameters: &[Value]) -> Result<u64, StoreError> {
        let sql = format!("SELECT COUNT(*) FROM endpoint{conditions}");
        self.query_one(&sql, parameters)?.ok_or(StoreError::Column("count"))?.size(0, "count")
    }

    /// The ids of some that fit, in order.
    pub fn fleet_ids(
        &mut self,
        filter: &FleetFilter,
        offset: u64,
        limit: u64,
    ) -> Result<Vec<EndpointId>, StoreError> {
        let (conditions, mut parameters) = conditions(filter);
        parameters.extend([limit.into(), offset.into()]);
        let count = parameters.len();
        let sql = format!(
            "SELECT id FROM endpoint{conditions} ORDER BY {} LIMIT ${} OFFSET ${count}",
            order(filter),
            count - 1
        );
        self.query(&sql, &parameters)?.iter().map(|row| read_id(row, 0)).collect()
    }

    /// These endpoints, in this order; who is not known is left out.
    pub fn fleet_rows(&mut self, ids: &[EndpointId]) -> Result<Vec<BriefRecord>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM endpoint WHERE id = $1");
        let mut found = Vec::new();
        for id in ids {
            if let Some(row) = self.query_one(&sql, &[id.to_string().into()])? {
                found.push(read(&row)?);
            }
        }
        Ok(found)
    }

    /// Those let in whose ids follow another's, by id: a way through all of them that does not get slower on the way.
    pub fn admitted_after(
        &mut self,
        after: Option<EndpointId>,
        limit: u64,
    ) -> Result<Vec<BriefRecord>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM endpoint WHERE standing = 'admitted' AND id > $1 ORDER BY id LIMIT $2"
        );
        let after = after.map(|id| id.to_string()).unwrap_or_default();
        self.query(&sql, &[after.into(), limit.into()])?.iter().map(read).collect()
    }

    /// How many endpoints each site has.
    pub fn fleet_counts(&mut self) -> Result<Vec<PlaceCount>, StoreError> {
        let sql = "SELECT tenant, site, standing, COUNT(*) FROM endpoint
            GROUP BY tenant, site, standing ORDER BY tenant, site, standing";
        let read = |row: &Row| {
            Ok(PlaceCount {
                place: read_place(row, 0)?,
                admitted: row.text(2, "endpoint.standing")? == "admitted",
                count: row.size(3, "count")?,
            })
        };
        self.query(sql, &[])?.iter().map(read).collect()
    }
}

/// Only what was asked for, so that the database can use an index. Values are always parameters.
fn conditions(filter: &FleetFilter) -> (String, Vec<Value>) {
    let mut parts: Vec<String> = Vec::new();
    let mut parameters: Vec<Value> = Vec::new();
    if let Some(search) = filter.search.as_deref().filter(|search| !search.is_empty()) {
        parameters.push(like_pattern(search).into());
        let at = parameters.len();
        parts.push(format!("(lower(hostname) LIKE ${at} ESCAPE '!' OR id LIKE ${at} ESCAPE '!')"));
    }
    match filter.tenant.as_deref() {
        Some("") => parts.push("tenant IS NULL".to_owned()),
        Some(tenant) => {
            parameters.push(tenant.into());
            parts.push(format!("tenant = ${}", parameters.len()));
        }
        None => {}
    }
    if let Some(site) = filter.site.as_deref() {
        parameters.push(site.into());
        parts.push(format!("site = ${}", parameters.len()));
    }
    if let Some(admitted) = filter.admitted {
        parameters.push(if admitted { "admitted" } else { "quarantined" }.into());
        parts.push(format!("standing = ${}", parameters.len()));
    }
    let text =
        if parts.is_empty() { String::new() } else { format!(" WHERE {}", parts.join(" AND ")) };
    (text, parameters)
}

/// Databases differ in where they sort nothing, so that is said.
fn order(filter: &FleetFilter) -> String {
    let way = if filter.descending { "DESC NULLS LAST" } else { "ASC NULLS FIRST" };
    let columns: &[&str] = match filter.order {
        FleetOrder::Hostname => &["hostname", "id"],
        FleetOrder::Tenant => &["tenant", "site", "hostname", "id"],
        FleetOrder::Os => &["os", "hostname", "id"],
        FleetOrder::LastSeen => &["last_seen", "id"],
    };
    columns.iter().map(|column| format!("{column} {way}")).collect::<Vec<_>>().join(", ")
}

fn read_id(row: &Row, index: usize) -> Result<EndpointId, StoreError> {
    row.text(index, "endpoint.id")?.parse().map_err(|_| StoreError::Column("endpoint.id"))
}

fn read(row: &Row) -> Result<BriefRecord, StoreError> {
    Ok(BriefRecord {
        id: read_id(row, 0)?,
        // A label that was edited into nonsense counts as none; the endpoint holds the truth.
        tenant: row.opt_text(1, "endpoint.tenant")?.and_then(|text| text.parse().ok()),
        site: row.opt_text(2, "endpoint.site")?.and_then(|text| text.parse().ok()),
        hostname: row.text(3, "endpoint.hostname")?,
        os: row.text(4, "endpoint.os")?,
        admitted: row.text(5, "endpoint.standing")? == "admitted",
        last_seen: row.opt_int(6, "endpoint.last_seen")?.and_then(|at| u64::try_from(at).ok()),
    })
}
