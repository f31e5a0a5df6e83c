//! Alerts as the server's machine makes them, their histories, and the rules they follow. What an alert holds is the server's
//! business; the columns are what people filter by.

use bartizan_trust::id::{AlertId, EndpointId, OperatorId, SiteId, TenantId};

use crate::endpoints::like_pattern;
use crate::engine::{Row, Tx, Value};
use crate::error::StoreError;

/// Lines of one history in an answer; the server writes no more.
const ENTRIES_MAX: u64 = 1000;

/// An alert as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertRecord {
    /// Which.
    pub id: AlertId,
    /// Of which endpoint.
    pub endpoint: Option<EndpointId>,
    /// Of which tenant.
    pub tenant: Option<TenantId>,
    /// At which site.
    pub site: Option<SiteId>,
    /// Which check; hostile text.
    pub check: String,
    /// `waiting`, `open`, `acknowledged` or `resolved`.
    pub phase: String,
    /// `warning`, `error` or `critical`.
    pub severity: String,
    /// Behind which other alert.
    pub hidden_by: Option<AlertId>,
    /// When something last happened to it.
    pub changed: u64,
    /// What people search: check, instance and text, each hostile.
    pub words: String,
    /// All of it, as the server wrote it.
    pub body: Vec<u8>,
}

/// Which alerts.
#[derive(Debug, Clone, Default)]
pub struct AlertFilter {
    /// In one of these phases; none: in any but waiting.
    pub phases: Vec<String>,
    /// Of this severity.
    pub severity: Option<String>,
    /// Of this tenant.
    pub tenant: Option<String>,
    /// At this site.
    pub site: Option<String>,
    /// Of this endpoint.
    pub endpoint: Option<String>,
    /// Of this check.
    pub check: Option<String>,
    /// Behind this alert.
    pub behind: Option<String>,
    /// Also those that are hidden behind another alert.
    pub hidden: bool,
    /// With this text in check, instance, text or the endpoint's name, whatever the case.
    pub search: Option<String>,
}

/// How many alerts need somebody, and when something last happened to any.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AlertStanding {
    /// Nobody looks after them.
    pub open: u64,
    /// Somebody does.
    pub acknowledged: u64,
    /// Of all, those that are over too.
    pub changed: u64,
}

/// Rules that were in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RulesRecord {
    /// From 1.
    pub version: u64,
    /// Since when.
    pub at: u64,
    /// Who put them in force.
    pub operator: OperatorId,
    /// The document.
    pub body: Vec<u8>,
}

/// Alerts as the server wrote them, each with how many are hidden behind it.
pub type AlertRows = Vec<(u64, Vec<u8>)>;

impl Tx<'_> {
    /// Keeps an alert as it is now.
    pub fn put_alert(&mut self, alert: &AlertRecord) -> Result<(), StoreError> {
        let sql = "INSERT INTO alert (id, endpoint, tenant, site, name, phase, severity, hidden_by, changed, words, body)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
            ON CONFLICT (id) DO UPDATE SET tenant = excluded.tenant, site = excluded.site, phase = excluded.phase,
            severity = excluded.severity, hidden_by = excluded.hidden_by, changed = excluded.changed,
            words = excluded.words, body = excluded.body";
        let text = |value: Option<String>| Value::from(value);
        let parameters = [
            alert.id.to_string().into(),
            text(alert.endpoint.map(|id| id.to_string())),
            text(alert.tenant.as_ref().map(ToString::to_string)),
            text(alert.site.as_ref().map(ToString::to_string)),
            alert.check.as_str().into(),
            alert.phase.as_str().into(),
            alert.severity.as_str().into(),
            text(alert.hidden_by.map(|id| id.to_string())),
            alert.changed.into(),
            alert.words.to_lowercase().into(),
            alert.body.as_slice().into(),
        ];
        self.execute(sql, &parameters).map(drop)
    }

    /// Forgets an alert that came to nothing, and its history.
    pub fn drop_alert(&mut self, id: AlertId) -> Result<(), StoreError> {
        let id = Value::from(id.to_string());
        self.execute("DELETE FROM alert_entry WHERE alert = $1", core::slice::from_ref(&id))?;
        self.execute("DELETE FROM alert WHERE id = $1", &[id]).map(drop)
    }

    /// Forgets alerts that were over before, and what was sent of them: at most `limit` at once.
    pub fn drop_alerts_before(&mut self, before: u64, limit: u64) -> Result<u64, StoreError> {
        let sql = "SELECT id FROM alert WHERE phase = 'resolved' AND changed < $1 ORDER BY changed LIMIT $2";
        let rows = self.query(sql, &[before.into(), limit.into()])?;
        for row in &rows {
            let id = alert_id(row, 0)?;
            self.execute("DELETE FROM alert_outbox WHERE alert = $1", &[id.to_string().into()])?;
            self.drop_alert(id)?;
        }
        Ok(u64::try_from(rows.len()).unwrap_or(u64::MAX))
    }

    /// Adds a line to the history of an alert.
    pub fn put_alert_entry(&mut self, id: AlertId, at: u64, body: &[u8]) -> Result<(), StoreError> {
        let sql = "INSERT INTO alert_entry (alert, seq, at, body)
            VALUES ($1, (SELECT COALESCE(MAX(seq), 0) + 1 FROM alert_entry WHERE alert = $1), $2, $3)";
        self.execute(sql, &[id.to_string().into(), at.into(), body.into()]).map(drop)
    }

    /// The history of an alert, in order.
    pub fn alert_entries(&mut self, id: AlertId) -> Result<Vec<Vec<u8>>, StoreError> {
        let sql = "SELECT body FROM alert_entry WHERE alert = $1 ORDER BY seq LIMIT $2";
        let rows = self.query(sql, &[id.to_string().into(), ENTRIES_MAX.into()])?;
        rows.iter().map(|row| row.bytes(0, "alert_entry.body")).collect()
    }

    /// One alert.
    pub fn alert(&mut self, id: AlertId) -> Result<Option<Vec<u8>>, StoreError> {
        let row =
            self.query_one("SELECT body FROM alert WHERE id = $1", &[id.to_string().into()])?;
        row.map(|row| row.bytes(0, "alert.body")).transpose()
    }

    /// Alerts that are not over, or were not at that time.
    pub fn live_alerts(&mut self, since: u64) -> Result<Vec<Vec<u8>>, StoreError> {
        let sql = "SELECT body FROM alert WHERE phase <> 'resolved' OR changed >= $1";
        let rows = self.query(sql, &[since.into()])?;
        rows.iter().map(|row| row.bytes(0, "alert.body")).collect()
    }

    /// Some alerts of many, newest change first, how many fit, and how many are hidden behind each.
    pub fn alert_window(
        &mut self,
        filter: &AlertFilter,
        offset: u64,
        limit: u64,
    ) -> Result<(u64, AlertRows), StoreError> {
        let (conditions, parameters) = conditions(filter);
        let total = self
            .query_one(&format!("SELECT COUNT(*) FROM alert WHERE {conditions}"), &parameters)?
            .ok_or(StoreError::Column("count"))?
            .size(0, "count")?;
        let mut window = parameters;
        window.extend([limit.into(), offset.into()]);
        let count = window.len();
        let sql = format!(
            "SELECT body, (SELECT COUNT(*) FROM alert child WHERE child.hidden_by = alert.id AND child.phase <> 'resolved')
             FROM alert WHERE {conditions} ORDER BY changed DESC, id LIMIT ${} OFFSET ${count}",
            count - 1
        );
        let rows = self.query(&sql, &window)?;
        let read = |row: &Row| Ok((row.size(1, "count")?, row.bytes(0, "alert.body")?));
        Ok((total, rows.iter().map(read).collect::<Result<_, _>>()?))
    }

    /// How many alerts there are in each phase.
    pub fn alert_counts(&mut self) -> Result<Vec<(String, u64)>, StoreError> {
        let rows =
            self.query("SELECT phase, COUNT(*) FROM alert GROUP BY phase ORDER BY phase", &[])?;
        rows.iter().map(|row| Ok((row.text(0, "alert.phase")?, row.size(1, "count")?))).collect()
    }

    /// What of them needs somebody; those that are hidden behind another one do not.
    pub fn alert_standing(&mut self) -> Result<AlertStanding, StoreError> {
        let sql = "SELECT (SELECT COUNT(*) FROM alert WHERE phase = 'open' AND hidden_by IS NULL),
            (SELECT COUNT(*) FROM alert WHERE phase = 'acknowledged' AND hidden_by IS NULL),
            (SELECT COALESCE(MAX(changed), 0) FROM alert)";
        let row = self.query_one(sql, &[])?.ok_or(StoreError::Column("count"))?;
        Ok(AlertStanding {
            open: row.size(0, "count")?,
            acknowledged: row.size(1, "count")?,
            changed: row.size(2, "alert.changed")?,
        })
    }

    /// Puts rules in force, if the newest are still those of `base`. The version they have now.
    pub fn put_alert_rules(
        &mut self,
        base: u64,
        at: u64,
        operator: &OperatorId,
        body: &[u8],
    ) -> Result<Option<u64>, StoreError> {
        if self.alert_rules()?.map_or(0, |rules| rules.version) != base {
            return Ok(None);
        }
        let version = base.saturating_add(1);
        let sql = "INSERT INTO alert_rules (version, at, operator, body) VALUES ($1, $2, $3, $4)";
        self.execute(sql, &[version.into(), at.into(), operator.to_string().into(), body.into()])?;
        Ok(Some(version))
    }

    /// The rules in force.
    pub fn alert_rules(&mut self) -> Result<Option<RulesRecord>, StoreError> {
        Ok(self.alert_rules_history(1)?.pop())
    }

    /// Rules that were in force, newest first.
    pub fn alert_rules_history(&mut self, limit: u64) -> Result<Vec<RulesRecord>, StoreError> {
        let sql =
            "SELECT version, at, operator, body FROM alert_rules ORDER BY version DESC LIMIT $1";
        let read = |row: &Row| {
            Ok(RulesRecord {
                version: row.size(0, "alert_rules.version")?,
                at: row.size(1, "alert_rules.at")?,
                operator: row
                    .text(2, "alert_rules.operator")?
                    .parse()
                    .map_err(|_| StoreError::Column("alert_rules.operator"))?,
                body: row.bytes(3, "alert_rules.body")?,
            })
        };
        self.query(sql, &[limit.into()])?.iter().map(read).collect()
    }
}

pub(crate) fn alert_id(row: &Row, index: usize) -> Result<AlertId, StoreError> {
    row.text(index, "alert.id")?.parse().map_err(|_| StoreError::Column("alert.id"))
}

fn conditions(filter: &AlertFilter) -> (String, Vec<Value>) {
    let mut parts = Vec::new();
    let mut parameters: Vec<Value> = Vec::new();
    if filter.phases.is_empty() {
        parts.push("phase <> 'waiting'".to_owned());
    } else {
        let first = parameters.len() + 1;
        parameters.extend(filter.phases.iter().map(|phase| Value::from(phase.as_str())));
        let marks: Vec<String> =
            (first..=parameters.len()).map(|number| format!("${number}")).collect();
        parts.push(format!("phase IN ({})", marks.join(", ")));
    }
    let wanted = [
        ("severity", &filter.severity),
        ("tenant", &filter.tenant),
        ("site", &filter.site),
        ("endpoint", &filter.endpoint),
        ("name", &filter.check),
        ("hidden_by", &filter.behind),
    ];
    for (column, value) in wanted {
        if let Some(value) = value {
            parameters.push(value.as_str().into());
            parts.push(format!("{column} = ${}", parameters.len()));
        }
    }
    if let Some(search) = filter.search.as_deref().filter(|search| !search.is_empty()) {
        parameters.push(like_pattern(search).into());
        let at = parameters.len();
        parts.push(format!(
            "(words LIKE ${at} ESCAPE '!' OR endpoint IN (SELECT id FROM endpoint WHERE lower(hostname) LIKE ${at} ESCAPE '!'))"
        ));
    }
    if !filter.hidden && filter.behind.is_none() {
        parts.push("hidden_by IS NULL".to_owned());
    }
    (parts.join(" AND "), parameters)
}
