//! Endpoints: who they say they are, where they stand, what they reported.

use bartizan_trust::id::{EndpointId, SiteId, StatementId, TenantId};

use crate::engine::{Row, Tx, Value};
use crate::error::StoreError;

const COLUMNS: &str = "id, tenant, site, hostname, os, standing, last_seen, descriptor, enrolment,
    (SELECT envelope FROM receipt WHERE receipt.endpoint = endpoint.id AND EXISTS (SELECT 1 FROM job WHERE job.id = receipt.job)
    ORDER BY seq DESC LIMIT 1)";

/// An endpoint's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointRecord {
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
    /// Its descriptor envelope.
    pub descriptor: Vec<u8>,
    /// The enrolment envelope it came with.
    pub enrolment: Vec<u8>,
    /// Its newest receipt of a job.
    pub receipt: Option<Vec<u8>>,
}

/// What an endpoint's first frame said, checked against its TLS key.
#[derive(Debug, Clone)]
pub struct Introduction {
    /// Who.
    pub id: EndpointId,
    /// Its own word.
    pub hostname: String,
    /// Its own word.
    pub os: String,
    /// The envelope.
    pub descriptor: Vec<u8>,
    /// The envelope.
    pub enrolment: Vec<u8>,
    /// Control entries it has.
    pub control_size: u64,
    /// Jobs-log size it has seen.
    pub jobs_size: u64,
}

/// What a valid enrolment grants.
#[derive(Debug, Clone)]
pub struct Admission {
    /// Its id.
    pub enrolment: StatementId,
    /// Into which tenant.
    pub tenant: TenantId,
    /// Into which site.
    pub site: SiteId,
    /// For how many endpoints.
    pub uses_max: u64,
    /// Without a person's confirmation.
    pub auto: bool,
}

/// Where an endpoint belongs: its tenant and its site, by its enrolment.
pub type Place = (Option<TenantId>, Option<SiteId>);

/// Where an endpoint stands after it introduced itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Whether somebody or an enrolment let it in.
    pub admitted: bool,
    /// Where it belongs.
    pub place: Place,
}

/// Which endpoints to list.
#[derive(Debug, Clone, Default)]
pub struct EndpointFilter {
    /// Part of the host name or id.
    pub search: Option<String>,
    /// Of this tenant.
    pub tenant: Option<String>,
    /// Of this site.
    pub site: Option<String>,
    /// After this id.
    pub after: Option<String>,
    /// At most so many.
    pub limit: u64,
}

impl Tx<'_> {
    /// Takes note of an endpoint that connected, and says where it stands. A use of the enrolment is
    /// counted once per endpoint, here.
    pub fn introduce(
        &mut self,
        who: &Introduction,
        admission: Option<&Admission>,
        now: u64,
    ) -> Result<Standing, StoreError> {
        let known = self.query_one(
            "SELECT standing, counted, tenant, site FROM endpoint WHERE id = $1",
            &[who.id.to_string().into()],
        )?;
        let mut admitted = false;
        let mut counted = None;
        let mut place = (None, None);
        match &known {
            Some(row) => {
                admitted = row.text(0, "endpoint.standing")? == "admitted";
                counted = row.opt_text(1, "endpoint.counted")?;
                place = read_place(row, 2)?;
            }
            None => self.insert_endpoint(who)?,
        }
        if counted.is_none()
            && let Some(admission) = admission
            && self.count_use(admission)?
        {
            admitted |= admission.auto;
            let sql = "UPDATE endpoint SET tenant = $2, site = $3, counted = $4 WHERE id = $1";
            let (tenant, site) = (admission.tenant.to_string(), admission.site.to_string());
            let enrolment = admission.enrolment.to_string();
            self.execute(
                sql,
                &[who.id.to_string().into(), tenant.into(), site.into(), enrolment.into()],
            )?;
            place = (Some(admission.tenant.clone()), Some(admission.site.clone()));
        }
        let sql = "UPDATE endpoint SET hostname = $2, os = $3, descriptor = $4, enrolment = $5, standing = $6,
            last_seen = $7, control_size = $8, jobs_size = $9 WHERE id = $1";
        let standing = if admitted { "admitted" } else { "quarantined" };
        let parameters = [
            who.id.to_string().into(),
            who.hostname.as_str().into(),
            who.os.as_str().into(),
            who.descriptor.as_slice().into(),
            who.enrolment.as_slice().into(),
            standing.into(),
            now.into(),
            who.control_size.into(),
            who.jobs_size.into(),
        ];
        self.execute(sql, &parameters)?;
        if admitted {
            // Searches speak of everybody who is let in, also of those that never sent an inventory.
            self.inventory_number(who.id)?;
        }
        Ok(Standing { admitted, place })
    }

    fn insert_endpoint(&mut self, who: &Introduction) -> Result<(), StoreError> {
        let sql = "INSERT INTO endpoint (id, hostname, os, standing, descriptor, enrolment, control_size, jobs_size)
            VALUES ($1, '', '', 'quarantined', $2, $3, 0, 0)";
        let parameters = [
            who.id.to_string().into(),
            who.descriptor.as_slice().into(),
            who.enrolment.as_slice().into(),
        ];
        self.execute(sql, &parameters).map(|_| ())
    }

    /// Uses up one use of an enrolment this server was given; false when it was not or none are left.
    fn count_use(&mut self, admission: &Admission) -> Result<bool, StoreError> {
        let sql = "UPDATE enrolment SET uses = uses + 1 WHERE id = $1 AND uses < $2";
        let changed = self
            .execute(sql, &[admission.enrolment.to_string().into(), admission.uses_max.into()])?;
        Ok(changed == 1)
    }

    /// Lets an endpoint in; false when there is none of that id.
    pub fn admit(&mut self, id: EndpointId) -> Result<bool, StoreError> {
        let sql = "UPDATE endpoint SET standing = 'admitted' WHERE id = $1";
        Ok(self.execute(sql, &[id.to_string().into()])? == 1)
    }

    /// Takes note of when endpoints were last heard of.
    pub fn touch(&mut self, seen: &[(EndpointId, u64)]) -> Result<(), StoreError> {
        for (id, at) in seen {
            self.execute(
                "UPDATE endpoint SET last_seen = $2 WHERE id = $1",
                &[id.to_string().into(), (*at).into()],
            )?;
        }
        Ok(())
    }

    /// Keeps the newest inventory.
    pub fn put_inventory(
        &mut self,
        id: EndpointId,
        json: &[u8],
        at: u64,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO inventory (endpoint, json, at) VALUES ($1, $2, $3)
            ON CONFLICT (endpoint) DO UPDATE SET json = excluded.json, at = excluded.at";
        self.execute(sql, &[id.to_string().into(), json.into(), at.into()]).map(|_| ())
    }

    /// The newest inventory and when it came.
    pub fn inventory(&mut self, id: EndpointId) -> Result<Option<(Vec<u8>, u64)>, StoreError> {
        let row = self.query_one(
            "SELECT json, at FROM inventory WHERE endpoint = $1",
            &[id.to_string().into()],
        )?;
        row.map(|row| Ok((row.bytes(0, "inventory.json")?, row.size(1, "inventory.at")?)))
            .transpose()
    }

    /// One endpoint.
    pub fn endpoint(&mut self, id: EndpointId) -> Result<Option<EndpointRecord>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM endpoint WHERE id = $1");
        self.query_one(&sql, &[id.to_string().into()])?.as_ref().map(read).transpose()
    }

    /// Endpoints in order of their id's text.
    pub fn endpoints(
        &mut self,
        filter: &EndpointFilter,
    ) -> Result<Vec<EndpointRecord>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM endpoint WHERE id > $1
             AND ($2 = '' OR lower(hostname) LIKE $3 ESCAPE '!' OR id LIKE $3 ESCAPE '!')
             AND ($4 = '' OR tenant = $4) AND ($5 = '' OR site = $5) ORDER BY id LIMIT $6"
        );
        let text = |value: &Option<String>| Value::Text(value.clone().unwrap_or_default());
        let pattern = filter.search.as_deref().map(like_pattern).unwrap_or_default();
        let parameters = [
            text(&filter.after),
            text(&filter.search),
            pattern.into(),
            text(&filter.tenant),
            text(&filter.site),
            filter.limit.into(),
        ];
        self.query(&sql, &parameters)?.iter().map(read).collect()
    }

    /// How many endpoints stand where.
    pub fn endpoint_counts(&mut self) -> Result<Vec<(String, u64)>, StoreError> {
        let rows = self.query(
            "SELECT standing, COUNT(*) FROM endpoint GROUP BY standing ORDER BY standing",
            &[],
        )?;
        rows.iter().map(|row| Ok((row.text(0, "standing")?, row.size(1, "count")?))).collect()
    }
}

/// `%` and `_` in a search mean themselves.
pub(crate) fn like_pattern(search: &str) -> String {
    let mut out = String::from("%");
    for c in search.to_lowercase().chars() {
        if matches!(c, '%' | '_' | '!') {
            out.push('!');
        }
        out.push(c);
    }
    out.push('%');
    out
}

/// A label that was edited into nonsense counts as none; the endpoint holds the truth.
pub(crate) fn read_place(row: &Row, tenant: usize) -> Result<Place, StoreError> {
    Ok((
        row.opt_text(tenant, "endpoint.tenant")?.and_then(|text| text.parse().ok()),
        row.opt_text(tenant + 1, "endpoint.site")?.and_then(|text| text.parse().ok()),
    ))
}

fn read(row: &Row) -> Result<EndpointRecord, StoreError> {
    let id = row.text(0, "endpoint.id")?;
    Ok(EndpointRecord {
        id: id.parse().map_err(|_| StoreError::Column("endpoint.id"))?,
        // A label that was edited into nonsense counts as none; the endpoint holds the truth.
        tenant: row.opt_text(1, "endpoint.tenant")?.and_then(|text| text.parse().ok()),
        site: row.opt_text(2, "endpoint.site")?.and_then(|text| text.parse().ok()),
        hostname: row.text(3, "endpoint.hostname")?,
        os: row.text(4, "endpoint.os")?,
        admitted: row.text(5, "endpoint.standing")? == "admitted",
        last_seen: row.opt_int(6, "endpoint.last_seen")?.and_then(|at| u64::try_from(at).ok()),
        descriptor: row.bytes(7, "endpoint.descriptor")?,
        enrolment: row.bytes(8, "endpoint.enrolment")?,
        receipt: row.opt_bytes(9, "receipt.envelope")?,
    })
}
