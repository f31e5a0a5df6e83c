//! What is written out to others: an entry for each part of a series that came, in order, and how far each destination has them.
//! An entry says which samples, not what they are: those are read from the series when they are sent.

use bartizan_trust::id::{EndpointId, SiteId, TenantId};

use crate::engine::{Row, Tx};
use crate::error::StoreError;
use crate::series::SeriesOwner;

/// Entries that are too old, forgotten in one go: more than come in between.
const FORGOTTEN_AT_ONCE: u64 = 10_000;

/// Samples of one endpoint that came together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutgoingRecord {
    /// Its place in the order.
    pub id: u64,
    /// Whose samples.
    pub owner: SeriesOwner,
    /// From this time on.
    pub first: u64,
    /// To this time, included.
    pub last: u64,
    /// Who that is.
    pub endpoint: EndpointId,
    /// As it calls itself.
    pub hostname: String,
    /// Whose it is.
    pub tenant: Option<TenantId>,
    /// Where it is.
    pub site: Option<SiteId>,
}

/// What a destination does not have yet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OutgoingWaiting {
    /// Entries.
    pub entries: u64,
    /// When the first of them came.
    pub since: Option<u64>,
}

impl Tx<'_> {
    /// Notes that samples came.
    pub fn put_outgoing(
        &mut self,
        owner: SeriesOwner,
        (first, last): (u64, u64),
        at: u64,
    ) -> Result<(), StoreError> {
        // Numbers are never given twice: the newest entry is never forgotten.
        let sql = "INSERT INTO outgoing (id, n, first, last, at)
            SELECT COALESCE(MAX(id), 0) + 1, CAST($1 AS BIGINT), CAST($2 AS BIGINT), CAST($3 AS BIGINT), CAST($4 AS BIGINT) FROM outgoing";
        self.execute(sql, &[owner.0.into(), first.into(), last.into(), at.into()]).map(drop)
    }

    /// Makes a destination known. A new one begins with what comes next.
    pub fn begin_outgoing(&mut self, destination: &str) -> Result<(), StoreError> {
        let sql = "INSERT INTO outgoing_place (destination, id)
            SELECT CAST($1 AS TEXT), COALESCE(MAX(id), 0) FROM outgoing WHERE true ON CONFLICT (destination) DO NOTHING";
        self.execute(sql, &[destination.into()]).map(drop)
    }

    /// How far a known destination has them.
    pub fn outgoing_place(&mut self, destination: &str) -> Result<u64, StoreError> {
        let sql = "SELECT id FROM outgoing_place WHERE destination = $1";
        let row = self.query_one(sql, &[destination.into()])?;
        row.ok_or(StoreError::Column("outgoing_place.id"))?.size(0, "outgoing_place.id")
    }

    /// Entries after a place, in order.
    pub fn outgoing_after(
        &mut self,
        place: u64,
        limit: u64,
    ) -> Result<Vec<OutgoingRecord>, StoreError> {
        let sql = "SELECT w.id, w.n, w.first, w.last, o.endpoint, e.hostname, e.tenant, e.site
            FROM outgoing w JOIN series_owner o ON o.n = w.n LEFT JOIN endpoint e ON e.id = o.endpoint
            WHERE w.id > $1 ORDER BY w.id LIMIT $2";
        self.query(sql, &[place.into(), limit.into()])?.iter().map(record).collect()
    }

    /// A destination has everything up to an entry.
    pub fn advance_outgoing(&mut self, destination: &str, id: u64) -> Result<(), StoreError> {
        let sql = "UPDATE outgoing_place SET id = $2 WHERE destination = $1 AND id < $2";
        self.execute(sql, &[destination.into(), id.into()]).map(drop)
    }

    /// What a destination waits for.
    pub fn outgoing_waiting(&mut self, destination: &str) -> Result<OutgoingWaiting, StoreError> {
        let place = self.outgoing_place(destination)?;
        let newest = self.query_one("SELECT COALESCE(MAX(id), 0) FROM outgoing", &[])?;
        let newest = newest.map(|row| row.size(0, "outgoing.id")).transpose()?.unwrap_or(0);
        let sql = "SELECT id, at FROM outgoing WHERE id > $1 ORDER BY id LIMIT 1";
        let Some(first) = self.query_one(sql, &[place.into()])? else {
            return Ok(OutgoingWaiting::default());
        };
        // What was forgotten meanwhile is not waited for.
        let entries = (newest + 1).saturating_sub(first.size(0, "outgoing.id")?);
        Ok(OutgoingWaiting { entries, since: Some(first.size(1, "outgoing.at")?) })
    }

    /// Forgets what every one of these destinations has, and what came before a time; never the newest entry.
    pub fn forget_outgoing(
        &mut self,
        destinations: &[String],
        before: u64,
    ) -> Result<u64, StoreError> {
        let mut done = u64::MAX;
        for destination in destinations {
            done = done.min(self.outgoing_place(destination)?);
        }
        let sql = "DELETE FROM outgoing WHERE id <= $1 AND id < (SELECT MAX(id) FROM outgoing)";
        let had = self.execute(sql, &[done.min(i64::MAX.unsigned_abs()).into()])?;
        let sql = "DELETE FROM outgoing WHERE id IN (SELECT id FROM outgoing ORDER BY id LIMIT $2)
            AND at < $1 AND id < (SELECT MAX(id) FROM outgoing)";
        Ok(had + self.execute(sql, &[before.into(), FORGOTTEN_AT_ONCE.into()])?)
    }
}

fn record(row: &Row) -> Result<OutgoingRecord, StoreError> {
    let endpoint = row.text(4, "series_owner.endpoint")?;
    let tenant = row.opt_text(6, "endpoint.tenant")?;
    let site = row.opt_text(7, "endpoint.site")?;
    Ok(OutgoingRecord {
        id: row.size(0, "outgoing.id")?,
        owner: SeriesOwner(row.size(1, "outgoing.n")?),
        first: row.size(2, "outgoing.first")?,
        last: row.size(3, "outgoing.last")?,
        endpoint: endpoint.parse().map_err(|_| StoreError::Column("series_owner.endpoint"))?,
        hostname: row.opt_text(5, "endpoint.hostname")?.unwrap_or_default(),
        tenant: tenant.and_then(|tenant| tenant.parse().ok()),
        site: site.and_then(|site| site.parse().ok()),
    })
}
