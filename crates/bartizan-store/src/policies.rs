//! Monitoring policies, and how far each has come on the endpoints of its place.

use bartizan_trust::id::{EndpointId, StatementId};
use bartizan_trust::statement::PolicyPlace;

use crate::engine::{Row, Tx};
use crate::error::StoreError;

/// A policy's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyRecord {
    /// Its id.
    pub id: StatementId,
    /// Whose endpoints.
    pub place: PolicyPlace,
    /// Its name there.
    pub name: String,
    /// Its version.
    pub version: u64,
    /// `pending`, `active` or `replaced`.
    pub state: String,
    /// When it ends, in seconds.
    pub until: u64,
    /// When it came, in seconds.
    pub submitted: u64,
    /// The exact envelope.
    pub envelope: Vec<u8>,
    /// Place in the jobs log.
    pub log_index: u64,
}

/// A policy on one endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyTarget {
    /// Which.
    pub policy: StatementId,
    /// Where.
    pub endpoint: EndpointId,
    /// `queued`, `delivered`, `refused`, `running`, `done`.
    pub state: String,
    /// Of the last receipt.
    pub code: Option<String>,
}

/// What an endpoint said of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyAnswer {
    /// Which.
    pub policy: StatementId,
    /// By whom.
    pub endpoint: EndpointId,
    /// `refused`, `running` or `done`.
    pub state: &'static str,
    /// Stable code.
    pub code: String,
    /// Number of the receipt; 0 where there was none.
    pub seq: u64,
}

const COLUMNS: &str = "policy.id, policy.layer, policy.tenant, policy.site, policy.endpoint, policy.name, policy.version,
    policy.state, policy.until, policy.submitted, policy.envelope, policy.log_index";

/// Whether an endpoint stands at the place of a policy: by the server's own table, so as advice.
const AT_PLACE: &str = "(policy.layer = 'org'
    OR (policy.layer = 'tenant' AND policy.tenant = endpoint.tenant)
    OR (policy.layer = 'site' AND policy.tenant = endpoint.tenant AND policy.site = endpoint.site)
    OR (policy.layer = 'endpoint' AND policy.endpoint = endpoint.id))";

impl Tx<'_> {
    /// Keeps a policy, or its envelope with more signatures. One that is active takes the place of earlier versions.
    pub fn put_policy(&mut self, policy: &PolicyRecord) -> Result<(), StoreError> {
        let sql = "INSERT INTO policy (id, layer, tenant, site, endpoint, name, version, state, until, submitted, envelope, log_index)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
            ON CONFLICT (id) DO UPDATE SET state = excluded.state, envelope = excluded.envelope, log_index = excluded.log_index";
        let (tenant, site, endpoint) = columns(&policy.place);
        let layer = policy.place.layer().name();
        let parameters = [
            policy.id.to_string().into(),
            layer.into(),
            tenant.as_str().into(),
            site.as_str().into(),
            endpoint.as_str().into(),
            policy.name.as_str().into(),
            policy.version.into(),
            policy.state.as_str().into(),
            policy.until.into(),
            policy.submitted.into(),
            policy.envelope.as_slice().into(),
            policy.log_index.into(),
        ];
        self.execute(sql, &parameters)?;
        if policy.state == "active" {
            let sql = "UPDATE policy SET state = 'replaced' WHERE layer = $1 AND tenant = $2 AND site = $3 AND endpoint = $4
                AND name = $5 AND version < $6";
            let parameters = [
                layer.into(),
                tenant.into(),
                site.into(),
                endpoint.into(),
                policy.name.as_str().into(),
                policy.version.into(),
            ];
            self.execute(sql, &parameters)?;
        }
        Ok(())
    }

    /// One policy.
    pub fn policy(&mut self, id: StatementId) -> Result<Option<PolicyRecord>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM policy WHERE id = $1");
        self.query_one(&sql, &[id.to_string().into()])?.as_ref().map(read).transpose()
    }

    /// Policies, newest first.
    pub fn policies(&mut self, limit: u64) -> Result<Vec<PolicyRecord>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM policy ORDER BY submitted DESC, id LIMIT $1");
        self.query(&sql, &[limit.into()])?.iter().map(read).collect()
    }

    /// The highest version of a name at a place that was ever active.
    pub fn policy_version(&mut self, place: &PolicyPlace, name: &str) -> Result<u64, StoreError> {
        let sql = "SELECT COALESCE(MAX(version), 0) FROM policy WHERE layer = $1 AND tenant = $2 AND site = $3
            AND endpoint = $4 AND name = $5 AND state <> 'pending'";
        let (tenant, site, endpoint) = columns(place);
        let layer = place.layer().name();
        let parameters = [layer.into(), tenant.into(), site.into(), endpoint.into(), name.into()];
        let row = self.query_one(sql, &parameters)?.ok_or(StoreError::Column("version"))?;
        row.size(0, "policy.version")
    }

    /// Active policies of an endpoint's places, and how far each is there.
    pub fn policies_of(
        &mut self,
        endpoint: EndpointId,
        now: u64,
    ) -> Result<Vec<(PolicyRecord, PolicyTarget)>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS}, COALESCE(target.state, 'queued'), target.code
            FROM endpoint JOIN policy ON {AT_PLACE}
            LEFT JOIN policy_target target ON target.policy = policy.id AND target.endpoint = endpoint.id
            WHERE endpoint.id = $1 AND policy.state = 'active' AND policy.until > $2
            ORDER BY policy.submitted, policy.id LIMIT 256"
        );
        let rows = self.query(&sql, &[endpoint.to_string().into(), now.into()])?;
        let read = |row: &Row| {
            let record = read(row)?;
            let state = row.text(12, "policy_target.state")?;
            let code = row.opt_text(13, "policy_target.code")?;
            let target = PolicyTarget { policy: record.id, endpoint, state, code };
            Ok((record, target))
        };
        rows.iter().map(read).collect()
    }

    /// The endpoints of a policy's place.
    pub fn policy_endpoints(&mut self, id: StatementId) -> Result<Vec<EndpointId>, StoreError> {
        let sql = format!(
            "SELECT endpoint.id FROM policy JOIN endpoint ON {AT_PLACE} WHERE policy.id = $1"
        );
        let rows = self.query(&sql, &[id.to_string().into()])?;
        rows.iter().map(|row| row.id(0, "endpoint.id")).collect()
    }

    /// Endpoints that an active policy of their places has not reached, or that have not answered.
    pub fn due_policy_endpoints(&mut self, now: u64) -> Result<Vec<EndpointId>, StoreError> {
        let sql = format!(
            "SELECT DISTINCT endpoint.id FROM policy JOIN endpoint ON {AT_PLACE}
            LEFT JOIN policy_target target ON target.policy = policy.id AND target.endpoint = endpoint.id
            WHERE policy.state = 'active' AND policy.until > $1 AND endpoint.standing = 'admitted'
            AND (target.state IS NULL OR target.state = 'delivered')"
        );
        let rows = self.query(&sql, &[now.into()])?;
        rows.iter().map(|row| row.id(0, "endpoint.id")).collect()
    }

    /// Where a policy stands, on every endpoint of its place.
    pub fn policy_targets(&mut self, id: StatementId) -> Result<Vec<PolicyTarget>, StoreError> {
        let sql = format!(
            "SELECT endpoint.id, COALESCE(target.state, 'queued'), target.code
            FROM policy JOIN endpoint ON {AT_PLACE}
            LEFT JOIN policy_target target ON target.policy = policy.id AND target.endpoint = endpoint.id
            WHERE policy.id = $1 AND endpoint.standing = 'admitted' ORDER BY endpoint.id"
        );
        let rows = self.query(&sql, &[id.to_string().into()])?;
        let read = |row: &Row| {
            Ok(PolicyTarget {
                policy: id,
                endpoint: row.id(0, "endpoint.id")?,
                state: row.text(1, "policy_target.state")?,
                code: row.opt_text(2, "policy_target.code")?,
            })
        };
        rows.iter().map(read).collect()
    }

    /// Takes note of what an endpoint said of a policy; of anything else nothing. An older answer changes nothing.
    pub fn put_policy_answer(&mut self, answer: &PolicyAnswer) -> Result<bool, StoreError> {
        let sql = "INSERT INTO policy_target (policy, endpoint, state, code, receipt_seq)
            SELECT id, $2, $3, $4, CAST($5 AS BIGINT) FROM policy WHERE id = $1
            ON CONFLICT (policy, endpoint) DO UPDATE SET state = excluded.state, code = excluded.code,
            receipt_seq = excluded.receipt_seq WHERE policy_target.receipt_seq <= excluded.receipt_seq";
        let parameters = [
            answer.policy.to_string().into(),
            answer.endpoint.to_string().into(),
            answer.state.into(),
            answer.code.as_str().into(),
            answer.seq.into(),
        ];
        Ok(self.execute(sql, &parameters)? > 0)
    }

    /// A policy goes out to an endpoint, or stands there already: without a receipt, so it outweighs none.
    pub fn move_policy(
        &mut self,
        policy: StatementId,
        endpoint: EndpointId,
        state: &str,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO policy_target (policy, endpoint, state, receipt_seq) VALUES ($1, $2, $3, 0)
            ON CONFLICT (policy, endpoint) DO UPDATE SET state = excluded.state WHERE policy_target.state <> 'done'";
        let parameters = [policy.to_string().into(), endpoint.to_string().into(), state.into()];
        self.execute(sql, &parameters).map(drop)
    }

    /// An endpoint has lost its memory: every policy of its places has to come to it again.
    pub fn forget_policy_targets(&mut self, endpoint: EndpointId) -> Result<(), StoreError> {
        let sql = "DELETE FROM policy_target WHERE endpoint = $1";
        self.execute(sql, &[endpoint.to_string().into()]).map(drop)
    }
}

/// Empty where the place names none.
fn columns(place: &PolicyPlace) -> (String, String, String) {
    let tenant = place.tenant().map_or_else(String::new, ToString::to_string);
    match place {
        PolicyPlace::Org {} | PolicyPlace::Tenant { .. } => (tenant, String::new(), String::new()),
        PolicyPlace::Site { site, .. } => (tenant, site.to_string(), String::new()),
        PolicyPlace::Endpoint { endpoint, .. } => (tenant, String::new(), endpoint.to_string()),
    }
}

fn read(row: &Row) -> Result<PolicyRecord, StoreError> {
    Ok(PolicyRecord {
        id: row.id(0, "policy.id")?,
        place: place(row)?,
        name: row.text(5, "policy.name")?,
        version: row.size(6, "policy.version")?,
        state: row.text(7, "policy.state")?,
        until: row.size(8, "policy.until")?,
        submitted: row.size(9, "policy.submitted")?,
        envelope: row.bytes(10, "policy.envelope")?,
        log_index: row.size(11, "policy.log_index")?,
    })
}

fn place(row: &Row) -> Result<PolicyPlace, StoreError> {
    let layer = row.text(1, "policy.layer")?;
    if layer == "org" {
        return Ok(PolicyPlace::Org {});
    }
    let tenant = row.text(2, "policy.tenant")?;
    let tenant = tenant.parse().map_err(|_| StoreError::Column("policy.tenant"))?;
    match layer.as_str() {
        "tenant" => Ok(PolicyPlace::Tenant { tenant }),
        "site" => {
            let site = row.text(3, "policy.site")?;
            let site = site.parse().map_err(|_| StoreError::Column("policy.site"))?;
            Ok(PolicyPlace::Site { tenant, site })
        }
        "endpoint" => Ok(PolicyPlace::Endpoint { tenant, endpoint: row.id(4, "policy.endpoint")? }),
        _ => Err(StoreError::Column("policy.layer")),
    }
}
