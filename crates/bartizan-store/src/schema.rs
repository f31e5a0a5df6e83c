//! The tables, and how older ones become newer ones.

use crate::engine::{Engine, Tx};
use crate::error::StoreError;

/// Each step in order; never changed once released, only added to.
const MIGRATIONS: &[&str] = &["
CREATE TABLE statement (id TEXT NOT NULL PRIMARY KEY, kind TEXT NOT NULL, envelope BYTEA NOT NULL);
CREATE TABLE log_entry (log TEXT NOT NULL, idx BIGINT NOT NULL, entry BYTEA NOT NULL, leaf BYTEA NOT NULL, PRIMARY KEY (log, idx));
CREATE TABLE cosignature (log TEXT NOT NULL, size BIGINT NOT NULL, witness TEXT NOT NULL, root BYTEA NOT NULL,
    line TEXT NOT NULL, at BIGINT NOT NULL, PRIMARY KEY (log, size, witness));
CREATE TABLE logged (idx BIGINT NOT NULL PRIMARY KEY, at BIGINT NOT NULL);
CREATE TABLE enrolment (id TEXT NOT NULL PRIMARY KEY, envelope BYTEA NOT NULL, uses BIGINT NOT NULL);
CREATE TABLE endpoint (id TEXT NOT NULL PRIMARY KEY, tenant TEXT, site TEXT, hostname TEXT NOT NULL, os TEXT NOT NULL,
    standing TEXT NOT NULL, last_seen BIGINT, descriptor BYTEA NOT NULL, enrolment BYTEA NOT NULL, counted TEXT,
    control_size BIGINT NOT NULL, jobs_size BIGINT NOT NULL);
CREATE TABLE inventory (endpoint TEXT NOT NULL PRIMARY KEY, json BYTEA NOT NULL, at BIGINT NOT NULL);
CREATE TABLE job (id TEXT NOT NULL PRIMARY KEY, state TEXT NOT NULL, class TEXT NOT NULL, title TEXT NOT NULL, tenant TEXT NOT NULL,
    submitted BIGINT NOT NULL, exp BIGINT NOT NULL, envelope BYTEA NOT NULL, content BYTEA NOT NULL, log_index BIGINT NOT NULL);
CREATE INDEX job_by_state ON job (state, submitted);
CREATE TABLE job_target (job TEXT NOT NULL REFERENCES job (id), endpoint TEXT NOT NULL, position BIGINT,
    state TEXT NOT NULL DEFAULT 'queued', code TEXT, decision TEXT, exit BIGINT, receipt_seq BIGINT, output BYTEA,
    PRIMARY KEY (job, endpoint));
CREATE INDEX job_target_by_endpoint ON job_target (endpoint, state);
CREATE TABLE receipt (endpoint TEXT NOT NULL, id TEXT NOT NULL, seq BIGINT NOT NULL, job TEXT NOT NULL, envelope BYTEA NOT NULL,
    at BIGINT NOT NULL, PRIMARY KEY (endpoint, id));
CREATE INDEX receipt_by_job ON receipt (job, at);
CREATE TABLE promotion (job TEXT NOT NULL, stage BIGINT NOT NULL, id TEXT NOT NULL, envelope BYTEA NOT NULL, log_index BIGINT NOT NULL,
    PRIMARY KEY (job, stage));
CREATE TABLE session (console TEXT NOT NULL PRIMARY KEY, ssh TEXT NOT NULL, exp BIGINT NOT NULL);
CREATE INDEX job_target_by_state ON job_target (job, state);
", "
CREATE INDEX endpoint_by_name ON endpoint (hostname, id, tenant, site, standing);
CREATE INDEX endpoint_by_place ON endpoint (tenant, site, standing, hostname, id);
CREATE INDEX endpoint_by_os ON endpoint (os, hostname, id, tenant, site, standing);
CREATE INDEX endpoint_by_standing ON endpoint (standing, id);
CREATE INDEX job_by_time ON job (submitted, id);
CREATE INDEX job_target_by_job_of_endpoint ON job_target (endpoint, job);
", "
CREATE TABLE scan_result (job TEXT NOT NULL, endpoint TEXT NOT NULL, start BIGINT NOT NULL, bytes BYTEA NOT NULL,
    PRIMARY KEY (job, endpoint, start));
", "
CREATE INDEX receipt_by_endpoint ON receipt (endpoint, seq);
", "
CREATE TABLE report_floor (endpoint TEXT NOT NULL PRIMARY KEY, epoch BIGINT NOT NULL, seq BIGINT NOT NULL, dropped BIGINT NOT NULL,
    refused BIGINT NOT NULL, refusal TEXT);
", "
CREATE TABLE policy (id TEXT NOT NULL PRIMARY KEY, layer TEXT NOT NULL, tenant TEXT NOT NULL, site TEXT NOT NULL, endpoint TEXT NOT NULL,
    name TEXT NOT NULL, version BIGINT NOT NULL, state TEXT NOT NULL, until BIGINT NOT NULL, submitted BIGINT NOT NULL,
    envelope BYTEA NOT NULL, log_index BIGINT NOT NULL);
CREATE INDEX policy_by_place ON policy (layer, tenant, site, endpoint, name, version);
CREATE TABLE policy_target (policy TEXT NOT NULL, endpoint TEXT NOT NULL, state TEXT NOT NULL, code TEXT, receipt_seq BIGINT NOT NULL,
    PRIMARY KEY (policy, endpoint));
CREATE INDEX policy_target_by_endpoint ON policy_target (endpoint);
CREATE TABLE check_result (endpoint TEXT NOT NULL, check_id TEXT NOT NULL, instance TEXT NOT NULL, policy TEXT NOT NULL, state TEXT NOT NULL,
    since BIGINT NOT NULL, at BIGINT NOT NULL, received BIGINT NOT NULL, value BIGINT, text TEXT NOT NULL,
    PRIMARY KEY (endpoint, check_id, instance));
CREATE INDEX check_result_by_state ON check_result (state, endpoint);
CREATE TABLE check_change (endpoint TEXT NOT NULL, number BIGINT NOT NULL, check_id TEXT NOT NULL, instance TEXT NOT NULL, policy TEXT NOT NULL,
    state TEXT NOT NULL, since BIGINT NOT NULL, at BIGINT NOT NULL, received BIGINT NOT NULL, value BIGINT, text TEXT NOT NULL,
    PRIMARY KEY (endpoint, number));
", "
CREATE TABLE series_owner (endpoint TEXT NOT NULL PRIMARY KEY, n BIGINT NOT NULL UNIQUE);
CREATE TABLE series_open (n BIGINT NOT NULL, win BIGINT NOT NULL, parts BIGINT NOT NULL, PRIMARY KEY (n, win));
CREATE TABLE series_part (n BIGINT NOT NULL, win BIGINT NOT NULL, bytes BYTEA NOT NULL);
CREATE INDEX series_part_by_window ON series_part (n, win);
CREATE TABLE series_chunk (level BIGINT NOT NULL, n BIGINT NOT NULL, win BIGINT NOT NULL, bytes BYTEA NOT NULL,
    PRIMARY KEY (level, n, win));
", "
CREATE TABLE alert (id TEXT NOT NULL PRIMARY KEY, endpoint TEXT, tenant TEXT, site TEXT, name TEXT NOT NULL, phase TEXT NOT NULL,
    severity TEXT NOT NULL, hidden_by TEXT, changed BIGINT NOT NULL, body BYTEA NOT NULL);
CREATE INDEX alert_by_phase ON alert (phase, changed);
CREATE INDEX alert_by_change ON alert (changed, id);
CREATE INDEX alert_by_endpoint ON alert (endpoint, changed);
CREATE INDEX alert_by_cause ON alert (hidden_by);
CREATE TABLE alert_entry (alert TEXT NOT NULL, seq BIGINT NOT NULL, at BIGINT NOT NULL, body BYTEA NOT NULL, PRIMARY KEY (alert, seq));
CREATE TABLE alert_outbox (id TEXT NOT NULL PRIMARY KEY, alert TEXT, channel TEXT NOT NULL, state TEXT NOT NULL, created BIGINT NOT NULL,
    due BIGINT NOT NULL, tries BIGINT NOT NULL, problem TEXT, body BYTEA NOT NULL);
CREATE INDEX alert_outbox_by_due ON alert_outbox (state, channel, due);
CREATE INDEX alert_outbox_by_alert ON alert_outbox (alert, created);
CREATE TABLE alert_wish (endpoint TEXT NOT NULL, operator TEXT NOT NULL, channel TEXT NOT NULL, at BIGINT NOT NULL,
    PRIMARY KEY (endpoint, operator, channel));
CREATE TABLE alert_input (seq BIGINT NOT NULL, endpoint TEXT NOT NULL, check_id TEXT NOT NULL, instance TEXT NOT NULL, body BYTEA NOT NULL,
    PRIMARY KEY (endpoint, check_id, instance));
CREATE INDEX alert_input_by_seq ON alert_input (seq);
CREATE TABLE alert_rules (version BIGINT NOT NULL PRIMARY KEY, at BIGINT NOT NULL, operator TEXT NOT NULL, body BYTEA NOT NULL);
", "
CREATE INDEX endpoint_by_seen ON endpoint (standing, last_seen, id);
", "
CREATE TABLE inventory_number (endpoint TEXT NOT NULL PRIMARY KEY, number BIGINT NOT NULL);
CREATE UNIQUE INDEX inventory_number_by_number ON inventory_number (number);
CREATE TABLE inventory_section (endpoint TEXT NOT NULL, name TEXT NOT NULL, hash BYTEA NOT NULL, body BYTEA NOT NULL, items BIGINT NOT NULL,
    at BIGINT NOT NULL, own_at BIGINT NOT NULL, indexed BIGINT NOT NULL, PRIMARY KEY (endpoint, name));
CREATE TABLE inventory_part (endpoint TEXT NOT NULL, section TEXT NOT NULL, part BIGINT NOT NULL, hash BYTEA NOT NULL, bytes BYTEA NOT NULL,
    PRIMARY KEY (endpoint, section, part));
CREATE TABLE inventory_item (id BIGINT NOT NULL PRIMARY KEY, section TEXT NOT NULL, hash BYTEA NOT NULL, name TEXT NOT NULL, item TEXT NOT NULL,
    text TEXT NOT NULL, version TEXT, manager TEXT, uses BIGINT NOT NULL);
CREATE UNIQUE INDEX inventory_item_by_hash ON inventory_item (section, hash);
CREATE INDEX inventory_item_by_name ON inventory_item (section, name);
CREATE TABLE inventory_posting (item BIGINT NOT NULL, block BIGINT NOT NULL, bits BYTEA NOT NULL, PRIMARY KEY (item, block));
CREATE TABLE inventory_change (id BIGINT NOT NULL PRIMARY KEY, endpoint TEXT NOT NULL, section TEXT NOT NULL, item TEXT NOT NULL,
    at BIGINT NOT NULL, own_at BIGINT NOT NULL, old TEXT, new TEXT);
CREATE INDEX inventory_change_by_endpoint ON inventory_change (endpoint, id);
CREATE INDEX inventory_change_by_time ON inventory_change (at, id);
CREATE TABLE custom_field (name TEXT NOT NULL PRIMARY KEY, kind TEXT NOT NULL, choices TEXT NOT NULL, operator TEXT NOT NULL, at BIGINT NOT NULL);
CREATE TABLE custom_value (field TEXT NOT NULL, scope TEXT NOT NULL, target TEXT NOT NULL, value TEXT NOT NULL, operator TEXT NOT NULL,
    at BIGINT NOT NULL, PRIMARY KEY (field, scope, target));
CREATE TABLE endpoint_tag (endpoint TEXT NOT NULL, tag TEXT NOT NULL, operator TEXT NOT NULL, at BIGINT NOT NULL, PRIMARY KEY (endpoint, tag));
CREATE INDEX endpoint_tag_by_tag ON endpoint_tag (tag, endpoint);
CREATE TABLE saved_group (name TEXT NOT NULL PRIMARY KEY, query TEXT NOT NULL, operator TEXT NOT NULL, at BIGINT NOT NULL);
CREATE TABLE mark_log (id BIGINT NOT NULL PRIMARY KEY, at BIGINT NOT NULL, operator TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL,
    target TEXT NOT NULL, old TEXT, new TEXT);
", "
CREATE TABLE outgoing (id BIGINT NOT NULL PRIMARY KEY, n BIGINT NOT NULL, first BIGINT NOT NULL, last BIGINT NOT NULL, at BIGINT NOT NULL);
CREATE TABLE outgoing_place (destination TEXT NOT NULL PRIMARY KEY, id BIGINT NOT NULL);
", "
CREATE TABLE read_token (name TEXT NOT NULL PRIMARY KEY, hash TEXT NOT NULL UNIQUE, tenant TEXT, operator TEXT NOT NULL, at BIGINT NOT NULL,
    exp BIGINT NOT NULL);
", "
ALTER TABLE alert ADD COLUMN words TEXT NOT NULL DEFAULT '';
"];

/// The newest schema this program knows.
pub(crate) fn known() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

/// Brings the schema up to date, or refuses one from the future.
pub(crate) fn migrate(engine: &mut Engine) -> Result<(), StoreError> {
    engine.batch(
        "CREATE TABLE IF NOT EXISTS meta (key TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL)",
    )?;
    engine.batch("CREATE TABLE IF NOT EXISTS migration (version BIGINT NOT NULL PRIMARY KEY)")?;
    let found = Tx { engine }
        .query_one("SELECT COALESCE(MAX(version), 0) FROM migration", &[])?
        .ok_or(StoreError::Column("version"))?
        .int(0, "version")?;
    if found > known() {
        return Err(StoreError::Newer { found, known: known() });
    }
    for (version, sql) in (1_i64..).zip(MIGRATIONS).skip_while(|(version, _)| *version <= found) {
        engine.begin(true)?;
        engine.batch(sql)?;
        Tx { engine }.execute("INSERT INTO migration (version) VALUES ($1)", &[version.into()])?;
        engine.batch("COMMIT")?;
    }
    crate::inventory::prepare(engine)
}

impl Tx<'_> {
    /// A named value of the whole store.
    pub fn meta(&mut self, key: &str) -> Result<Option<String>, StoreError> {
        let row = self.query_one("SELECT value FROM meta WHERE key = $1", &[key.into()])?;
        row.map(|row| row.text(0, "meta.value")).transpose()
    }

    /// Sets a named value of the whole store.
    pub fn set_meta(&mut self, key: &str, value: &str) -> Result<(), StoreError> {
        let sql = "INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
        self.execute(sql, &[key.into(), value.into()]).map(|_| ())
    }
}
