//! Jobs and their targets. States are words, so that a person can read (and a test can forge) them.

use bartizan_trust::id::{EndpointId, StatementId};

use crate::engine::{Row, Tx};
use crate::error::StoreError;

/// A job to keep.
#[derive(Debug, Clone)]
pub struct NewJob {
    /// Its id.
    pub id: StatementId,
    /// Class it claims.
    pub class: String,
    /// Its title.
    pub title: String,
    /// Its tenant.
    pub tenant: String,
    /// When it came, in seconds.
    pub submitted: u64,
    /// End of its window, in seconds.
    pub exp: u64,
    /// `pending` or `active`.
    pub state: &'static str,
    /// The exact envelope.
    pub envelope: Vec<u8>,
    /// What it carries.
    pub content: Vec<u8>,
    /// Place in the jobs log.
    pub log_index: u64,
    /// In the order of the target tree.
    pub targets: Vec<EndpointId>,
}

/// A job's row, without the content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobRecord {
    /// Its id.
    pub id: StatementId,
    /// `pending`, `active`, `finished`, `expired`.
    pub state: String,
    /// Class it claims.
    pub class: String,
    /// Its title.
    pub title: String,
    /// When it came, in seconds.
    pub submitted: u64,
    /// End of its window, in seconds.
    pub exp: u64,
    /// The exact envelope.
    pub envelope: Vec<u8>,
    /// Place in the jobs log.
    pub log_index: u64,
    /// How many targets the table lists.
    pub targets: u32,
}

/// A job on one endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetRecord {
    /// Where.
    pub endpoint: EndpointId,
    /// `queued`, `delivered`, `refused`, `running`, `done`, `failed`, `expired`.
    pub state: String,
    /// Of the last receipt.
    pub code: Option<String>,
    /// Of the last receipt.
    pub decision: Option<String>,
    /// Of the last receipt.
    pub exit: Option<i32>,
    /// The end of its output.
    pub output: Option<Vec<u8>>,
}

/// A job that waits for one endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueJob {
    /// Its id.
    pub job: StatementId,
    /// State of the target.
    pub state: String,
    /// Code of the last refusal.
    pub code: Option<String>,
}

const COLUMNS: &str = "id, state, class, title, submitted, exp, envelope, log_index,
    (SELECT COUNT(*) FROM job_target WHERE job_target.job = job.id)";

/// Without a number for what has none: databases differ in where they sort nothing.
const IN_TREE_ORDER: &str = "COALESCE(position, 9223372036854775807), endpoint";

/// As [`read_target`] reads them.
pub(crate) const TARGET_COLUMNS: &str = "endpoint, state, code, decision, exit, output";

impl Tx<'_> {
    /// Keeps a new job with its targets.
    pub fn put_job(&mut self, job: &NewJob) -> Result<(), StoreError> {
        let sql = "INSERT INTO job (id, state, class, title, tenant, submitted, exp, envelope, content, log_index)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
        let id = job.id.to_string();
        let parameters = [
            id.as_str().into(),
            job.state.into(),
            job.class.as_str().into(),
            job.title.as_str().into(),
            job.tenant.as_str().into(),
            job.submitted.into(),
            job.exp.into(),
            job.envelope.as_slice().into(),
            job.content.as_slice().into(),
            job.log_index.into(),
        ];
        self.execute(sql, &parameters)?;
        let sql =
            "INSERT INTO job_target (job, endpoint, position, state) VALUES ($1, $2, $3, 'queued')";
        for (position, endpoint) in (0_u64..).zip(&job.targets) {
            self.execute(sql, &[id.as_str().into(), endpoint.to_string().into(), position.into()])?;
        }
        Ok(())
    }

    /// Replaces a job's envelope by one with more signatures.
    pub fn sign_job(
        &mut self,
        id: StatementId,
        envelope: &[u8],
        log_index: u64,
        state: &str,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE job SET envelope = $2, log_index = $3,
            state = CASE WHEN state IN ('pending', 'active') THEN $4 ELSE state END WHERE id = $1";
        let parameters = [id.to_string().into(), envelope.into(), log_index.into(), state.into()];
        self.execute(sql, &parameters).map(|_| ())
    }

    /// One job.
    pub fn job(&mut self, id: StatementId) -> Result<Option<JobRecord>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM job WHERE id = $1");
        self.query_one(&sql, &[id.to_string().into()])?.as_ref().map(read_job).transpose()
    }

    /// What a job carries.
    pub fn job_content(&mut self, id: StatementId) -> Result<Option<Vec<u8>>, StoreError> {
        let row =
            self.query_one("SELECT content FROM job WHERE id = $1", &[id.to_string().into()])?;
        row.map(|row| row.bytes(0, "job.content")).transpose()
    }

    /// Jobs, newest first.
    pub fn jobs(&mut self, state: Option<&str>, limit: u64) -> Result<Vec<JobRecord>, StoreError> {
        self.jobs_from(state, 0, limit)
    }

    /// The same without the first ones.
    pub fn jobs_from(
        &mut self,
        state: Option<&str>,
        offset: u64,
        limit: u64,
    ) -> Result<Vec<JobRecord>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM job WHERE $1 = '' OR state = $1 ORDER BY submitted DESC, id LIMIT $2 OFFSET $3"
        );
        self.query(&sql, &[state.unwrap_or_default().into(), limit.into(), offset.into()])?
            .iter()
            .map(read_job)
            .collect()
    }

    /// How many targets of a job are in which state, with the code where that says more.
    pub fn target_counts(
        &mut self,
        id: StatementId,
    ) -> Result<Vec<(String, Option<String>, u64)>, StoreError> {
        let sql = "SELECT state, CASE WHEN state = 'refused' THEN code END AS why, COUNT(*) FROM job_target
            WHERE job = $1 GROUP BY state, CASE WHEN state = 'refused' THEN code END ORDER BY state, why";
        let rows = self.query(sql, &[id.to_string().into()])?;
        let read = |row: &Row| {
            Ok((
                row.text(0, "job_target.state")?,
                row.opt_text(1, "job_target.code")?,
                row.size(2, "count")?,
            ))
        };
        rows.iter().map(read).collect()
    }

    /// Jobs that name an endpoint, newest first, each with where it stands there; and how many there are.
    pub fn jobs_of_endpoint(
        &mut self,
        endpoint: EndpointId,
        offset: u64,
        limit: u64,
    ) -> Result<(u64, Vec<(JobRecord, TargetRecord)>), StoreError> {
        let id = endpoint.to_string();
        let total = self
            .query_one(
                "SELECT COUNT(*) FROM job_target WHERE endpoint = $1",
                &[id.as_str().into()],
            )?
            .ok_or(StoreError::Column("count"))?
            .size(0, "count")?;
        let sql = "SELECT job.id FROM job_target JOIN job ON job.id = job_target.job
            WHERE job_target.endpoint = $1 ORDER BY job.submitted DESC, job.id LIMIT $2 OFFSET $3";
        let rows = self.query(sql, &[id.as_str().into(), limit.into(), offset.into()])?;
        let mut found = Vec::new();
        for row in &rows {
            let job = job_id(row, 0)?;
            if let (Some(record), Some(target)) = (self.job(job)?, self.job_target(job, endpoint)?)
            {
                found.push((record, target));
            }
        }
        Ok((total, found))
    }

    /// A job's targets, in the order of the target tree; rows that somebody added have no place and come last.
    pub fn job_targets(&mut self, id: StatementId) -> Result<Vec<TargetRecord>, StoreError> {
        let sql = format!(
            "SELECT {TARGET_COLUMNS} FROM job_target WHERE job = $1 ORDER BY {IN_TREE_ORDER}"
        );
        self.query(&sql, &[id.to_string().into()])?.iter().map(read_target).collect()
    }

    /// The endpoints of a job, in the same order.
    pub fn job_endpoints(&mut self, id: StatementId) -> Result<Vec<EndpointId>, StoreError> {
        let sql =
            format!("SELECT endpoint FROM job_target WHERE job = $1 ORDER BY {IN_TREE_ORDER}");
        self.query(&sql, &[id.to_string().into()])?.iter().map(read_endpoint).collect()
    }

    /// One target.
    pub fn job_target(
        &mut self,
        id: StatementId,
        endpoint: EndpointId,
    ) -> Result<Option<TargetRecord>, StoreError> {
        let sql =
            format!("SELECT {TARGET_COLUMNS} FROM job_target WHERE job = $1 AND endpoint = $2");
        let row = self.query_one(&sql, &[id.to_string().into(), endpoint.to_string().into()])?;
        row.as_ref().map(read_target).transpose()
    }

    /// Active jobs that may still have to reach an endpoint, oldest first.
    pub fn due_jobs(&mut self, endpoint: EndpointId, now: u64) -> Result<Vec<DueJob>, StoreError> {
        let sql = "SELECT job_target.job, job_target.state, job_target.code FROM job_target
            JOIN job ON job.id = job_target.job
            WHERE job_target.endpoint = $1 AND job_target.state IN ('queued', 'delivered', 'refused')
            AND job.state = 'active' AND job.exp > $2 ORDER BY job.submitted, job.id LIMIT 64";
        let rows = self.query(sql, &[endpoint.to_string().into(), now.into()])?;
        let read = |row: &Row| {
            Ok(DueJob {
                job: job_id(row, 0)?,
                state: row.text(1, "job_target.state")?,
                code: row.opt_text(2, "job_target.code")?,
            })
        };
        rows.iter().map(read).collect()
    }

    /// Endpoints that an active job may still have to reach.
    pub fn due_endpoints(&mut self, now: u64) -> Result<Vec<EndpointId>, StoreError> {
        let sql = "SELECT DISTINCT job_target.endpoint FROM job_target JOIN job ON job.id = job_target.job
            WHERE job_target.state IN ('queued', 'delivered', 'refused') AND job.state = 'active' AND job.exp > $1";
        self.query(sql, &[now.into()])?.iter().map(read_endpoint).collect()
    }

    /// Moves a target that has not ended, and returns it; `None` when it has, or is none.
    pub fn move_target(
        &mut self,
        job: StatementId,
        endpoint: EndpointId,
        state: &str,
    ) -> Result<Option<TargetRecord>, StoreError> {
        let sql = format!(
            "UPDATE job_target SET state = $3 WHERE job = $1 AND endpoint = $2
            AND state IN ('queued', 'delivered', 'refused', 'running') AND state <> $3 RETURNING {TARGET_COLUMNS}"
        );
        let parameters = [job.to_string().into(), endpoint.to_string().into(), state.into()];
        self.query_one(&sql, &parameters)?.as_ref().map(read_target).transpose()
    }

    /// Whether any job's window is over and it has not been ended yet.
    pub fn due_to_expire(&mut self, now: u64) -> Result<bool, StoreError> {
        let sql = "SELECT id FROM job WHERE state IN ('pending', 'active') AND exp <= $1 LIMIT 1";
        Ok(self.query_one(sql, &[now.into()])?.is_some())
    }

    /// Ends jobs whose window is over, and returns which.
    pub fn expire_jobs(&mut self, now: u64) -> Result<Vec<StatementId>, StoreError> {
        let rows = self.query(
            "SELECT id FROM job WHERE state IN ('pending', 'active') AND exp <= $1 LIMIT 256",
            &[now.into()],
        )?;
        let ids = rows.iter().map(|row| job_id(row, 0)).collect::<Result<Vec<_>, _>>()?;
        for id in &ids {
            // Also those that answered that they wait: for their stage, a soak, a delay.
            let sql = "UPDATE job_target SET state = 'expired' WHERE job = $1 AND (state IN ('queued', 'delivered')
                OR (state = 'refused' AND code IN ('stage.not_promoted', 'stage.soaks', 'delay.runs')))";
            let missed = self.execute(sql, &[id.to_string().into()])?;
            let state = if missed > 0 { "expired" } else { "finished" };
            self.execute(
                "UPDATE job SET state = $2 WHERE id = $1",
                &[id.to_string().into(), state.into()],
            )?;
        }
        Ok(ids)
    }

    /// Ends an active job whose targets have all ended for good. `terminal` are the refusals that stay.
    pub fn finish_job(
        &mut self,
        id: StatementId,
        terminal: impl Fn(&str) -> bool,
    ) -> Result<bool, StoreError> {
        let job = id.to_string();
        let sql = "SELECT endpoint FROM job_target WHERE job = $1 AND state IN ('queued', 'delivered', 'running') LIMIT 1";
        if self.query_one(sql, &[job.as_str().into()])?.is_some() {
            return Ok(false);
        }
        let sql = "SELECT DISTINCT code FROM job_target WHERE job = $1 AND state = 'refused'";
        for row in self.query(sql, &[job.into()])? {
            if !row.opt_text(0, "job_target.code")?.as_deref().is_some_and(&terminal) {
                return Ok(false);
            }
        }
        let sql = "UPDATE job SET state = 'finished' WHERE id = $1 AND state = 'active'";
        Ok(self.execute(sql, &[id.to_string().into()])? == 1)
    }

    /// How many jobs are in which state.
    pub fn job_counts(&mut self) -> Result<Vec<(String, u64)>, StoreError> {
        let rows =
            self.query("SELECT state, COUNT(*) FROM job GROUP BY state ORDER BY state", &[])?;
        rows.iter().map(|row| Ok((row.text(0, "state")?, row.size(1, "count")?))).collect()
    }
}

pub(crate) fn job_id(row: &Row, index: usize) -> Result<StatementId, StoreError> {
    row.text(index, "job.id")?.parse().map_err(|_| StoreError::Column("job.id"))
}

fn read_endpoint(row: &Row) -> Result<EndpointId, StoreError> {
    row.text(0, "job_target.endpoint")?
        .parse()
        .map_err(|_| StoreError::Column("job_target.endpoint"))
}

fn read_job(row: &Row) -> Result<JobRecord, StoreError> {
    Ok(JobRecord {
        id: job_id(row, 0)?,
        state: row.text(1, "job.state")?,
        class: row.text(2, "job.class")?,
        title: row.text(3, "job.title")?,
        submitted: row.size(4, "job.submitted")?,
        exp: row.size(5, "job.exp")?,
        envelope: row.bytes(6, "job.envelope")?,
        log_index: row.size(7, "job.log_index")?,
        targets: u32::try_from(row.size(8, "job.targets")?).unwrap_or(u32::MAX),
    })
}

pub(crate) fn read_target(row: &Row) -> Result<TargetRecord, StoreError> {
    Ok(TargetRecord {
        endpoint: read_endpoint(row)?,
        state: row.text(1, "job_target.state")?,
        code: row.opt_text(2, "job_target.code")?,
        decision: row.opt_text(3, "job_target.decision")?,
        exit: row.opt_int(4, "job_target.exit")?.and_then(|exit| i32::try_from(exit).ok()),
        output: row.opt_bytes(5, "job_target.output")?,
    })
}
