//! Results of checks: the newest of each, and a bounded history of changes.

use bartizan_trust::id::{EndpointId, StatementId};

use crate::engine::{Row, Tx, Value};
use crate::error::StoreError;

/// How a check stands on an endpoint, by that endpoint's word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckRecord {
    /// Where.
    pub endpoint: EndpointId,
    /// The check's id.
    pub check: String,
    /// Which of several.
    pub instance: String,
    /// The policy that named it.
    pub policy: StatementId,
    /// `ok`, `warn`, `error`, `unknown`; in the history `gone`, too.
    pub state: String,
    /// Since when, by the endpoint's clock, in seconds.
    pub since: u64,
    /// When it was looked at, by the endpoint's clock, in seconds.
    pub at: u64,
    /// When it came, in seconds.
    pub received: u64,
    /// What was measured.
    pub value: Option<u64>,
    /// In words.
    pub text: String,
}

/// Whether results could be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Room {
    /// They are, and the check stands as before.
    Kept,
    /// They are, and the check stands otherwise than before, or is new.
    Changed,
    /// The endpoint has as many checks as one can have.
    Full,
}

/// Most checks and instances of one endpoint: 256 checks, some of which have many instances.
pub const CHECKS_OF_ENDPOINT_MAX: u64 = 1024;
/// Most changes that are remembered of one endpoint.
pub const CHANGES_OF_ENDPOINT_MAX: u64 = 1000;

const COLUMNS: &str =
    "endpoint, check_id, instance, policy, state, since, at, received, value, text";

impl Tx<'_> {
    /// Keeps the newest result of a check, and a change of its state. What came last is the newest, whatever the endpoint's clock
    /// says: reports come in order, and a clock that was set back must not silence a check.
    pub fn put_check(&mut self, check: &CheckRecord) -> Result<Room, StoreError> {
        let key = [
            Value::from(check.endpoint.to_string()),
            check.check.as_str().into(),
            check.instance.as_str().into(),
        ];
        let sql = "SELECT state FROM check_result WHERE endpoint = $1 AND check_id = $2 AND instance = $3";
        let known = self.query_one(sql, &key)?;
        let known = known.map(|row| row.text(0, "check_result.state")).transpose()?;
        if known.is_none() && self.checks_of(check.endpoint)? >= CHECKS_OF_ENDPOINT_MAX {
            return Ok(Room::Full);
        }
        let room = if known.is_some_and(|state| state == check.state) {
            Room::Kept
        } else {
            self.put_change(check)?;
            Room::Changed
        };
        if check.state == "gone" {
            let sql =
                "DELETE FROM check_result WHERE endpoint = $1 AND check_id = $2 AND instance = $3";
            self.execute(sql, &key)?;
            return Ok(room);
        }
        let sql = format!(
            "INSERT INTO check_result ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
            ON CONFLICT (endpoint, check_id, instance) DO UPDATE SET policy = excluded.policy, state = excluded.state,
            since = excluded.since, at = excluded.at, received = excluded.received, value = excluded.value, text = excluded.text"
        );
        self.execute(&sql, &values(check))?;
        Ok(room)
    }

    fn checks_of(&mut self, endpoint: EndpointId) -> Result<u64, StoreError> {
        let sql = "SELECT COUNT(*) FROM check_result WHERE endpoint = $1";
        let row = self.query_one(sql, &[endpoint.to_string().into()])?;
        row.ok_or(StoreError::Column("count"))?.size(0, "count")
    }

    fn put_change(&mut self, check: &CheckRecord) -> Result<(), StoreError> {
        let sql = "SELECT COALESCE(MAX(number), 0) FROM check_change WHERE endpoint = $1";
        let endpoint = check.endpoint.to_string();
        let newest = self
            .query_one(sql, &[endpoint.as_str().into()])?
            .ok_or(StoreError::Column("number"))?
            .size(0, "check_change.number")?;
        let number = newest.saturating_add(1);
        let sql = format!(
            "INSERT INTO check_change ({COLUMNS}, number) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
        );
        let mut parameters = values(check).to_vec();
        parameters.push(number.into());
        self.execute(&sql, &parameters)?;
        let sql = "DELETE FROM check_change WHERE endpoint = $1 AND number <= $2";
        let oldest = number.saturating_sub(CHANGES_OF_ENDPOINT_MAX);
        self.execute(sql, &[endpoint.into(), oldest.into()]).map(drop)
    }

    /// Newest results after one of them, of one endpoint or of all, in one state or in any.
    pub fn checks(
        &mut self,
        endpoint: Option<EndpointId>,
        state: Option<&str>,
        (after, check, instance): (&str, &str, &str),
        limit: u64,
    ) -> Result<Vec<CheckRecord>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM check_result WHERE ($1 = '' OR endpoint = $1) AND ($2 = '' OR state = $2)
            AND (endpoint > $3 OR (endpoint = $3 AND (check_id > $4 OR (check_id = $4 AND instance > $5))))
            ORDER BY endpoint, check_id, instance LIMIT $6"
        );
        let endpoint = endpoint.map_or_else(String::new, |endpoint| endpoint.to_string());
        let parameters = [
            endpoint.into(),
            state.unwrap_or_default().into(),
            after.into(),
            check.into(),
            instance.into(),
            limit.into(),
        ];
        self.query(&sql, &parameters)?.iter().map(read).collect()
    }

    /// Changes on an endpoint, newest first.
    pub fn check_changes(
        &mut self,
        endpoint: EndpointId,
        limit: u64,
    ) -> Result<Vec<CheckRecord>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM check_change WHERE endpoint = $1 ORDER BY number DESC LIMIT $2"
        );
        let parameters = [endpoint.to_string().into(), limit.into()];
        self.query(&sql, &parameters)?.iter().map(read).collect()
    }
}

fn values(check: &CheckRecord) -> [Value; 10] {
    [
        check.endpoint.to_string().into(),
        check.check.as_str().into(),
        check.instance.as_str().into(),
        check.policy.to_string().into(),
        check.state.as_str().into(),
        check.since.into(),
        check.at.into(),
        check.received.into(),
        check.value.into(),
        check.text.as_str().into(),
    ]
}

fn read(row: &Row) -> Result<CheckRecord, StoreError> {
    let value = row.opt_int(8, "check_result.value")?;
    Ok(CheckRecord {
        endpoint: row.id(0, "check_result.endpoint")?,
        check: row.text(1, "check_result.check_id")?,
        instance: row.text(2, "check_result.instance")?,
        policy: row.id(3, "check_result.policy")?,
        state: row.text(4, "check_result.state")?,
        since: row.size(5, "check_result.since")?,
        at: row.size(6, "check_result.at")?,
        received: row.size(7, "check_result.received")?,
        value: value.and_then(|value| u64::try_from(value).ok()),
        text: row.text(9, "check_result.text")?,
    })
}
