//! Receipts, and what they do to the job they answer.

use bartizan_trust::id::{EndpointId, StatementId};

use crate::engine::{Tx, Value};
use crate::error::StoreError;
use crate::jobs::{TARGET_COLUMNS, TargetRecord, read_target};

/// A verified receipt.
#[derive(Debug, Clone)]
pub struct ReceiptRecord {
    /// By whom.
    pub endpoint: EndpointId,
    /// Its id.
    pub id: StatementId,
    /// Its number.
    pub seq: u64,
    /// The job it answers.
    pub job: StatementId,
    /// The exact envelope.
    pub envelope: Vec<u8>,
    /// When it came, in seconds.
    pub at: u64,
}

/// A stored receipt, and where it stands in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedReceipt {
    /// By whom.
    pub endpoint: String,
    /// Its number.
    pub seq: u64,
    /// The exact envelope.
    pub envelope: Vec<u8>,
}

/// What a receipt says of its target.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Under which job the server keeps the target; differs from the receipt's when a row was changed by hand.
    pub job: StatementId,
    /// New state: `refused`, `done` or `failed`.
    pub state: &'static str,
    /// Stable code.
    pub code: String,
    /// The decision's name.
    pub decision: &'static str,
    /// Exit status.
    pub exit: Option<i32>,
    /// The end of the output, if any was relayed.
    pub output: Option<Vec<u8>>,
}

impl Tx<'_> {
    /// Keeps a receipt and moves its target, which is returned. `None` when the receipt was known or the target had ended well or badly
    /// before: a late refusal never hides that a job ran.
    pub fn put_receipt(
        &mut self,
        receipt: &ReceiptRecord,
        answer: &Answer,
    ) -> Result<Option<TargetRecord>, StoreError> {
        let sql = "INSERT INTO receipt (endpoint, id, seq, job, envelope, at) VALUES ($1, $2, $3, $4, $5, $6)
            ON CONFLICT (endpoint, id) DO NOTHING";
        let endpoint = receipt.endpoint.to_string();
        let parameters = [
            endpoint.as_str().into(),
            receipt.id.to_string().into(),
            receipt.seq.into(),
            answer.job.to_string().into(),
            receipt.envelope.as_slice().into(),
            receipt.at.into(),
        ];
        if self.execute(sql, &parameters)? == 0 {
            return Ok(None);
        }
        let sql = format!(
            "UPDATE job_target SET state = $3, code = $4, decision = $5, exit = $6, receipt_seq = $7,
            output = COALESCE($8, output) WHERE job = $1 AND endpoint = $2
            AND state NOT IN ('done', 'failed') AND COALESCE(receipt_seq, 0) < $7 RETURNING {TARGET_COLUMNS}"
        );
        let parameters = [
            answer.job.to_string().into(),
            endpoint.into(),
            answer.state.into(),
            answer.code.as_str().into(),
            answer.decision.into(),
            Value::from(answer.exit.map(i64::from)),
            receipt.seq.into(),
            answer.output.as_deref().into(),
        ];
        self.query_one(&sql, &parameters)?.as_ref().map(read_target).transpose()
    }

    /// Receipts of a job by endpoint and number, after one of them.
    pub fn receipts(
        &mut self,
        job: StatementId,
        (endpoint, seq): (&str, u64),
        limit: u64,
    ) -> Result<Vec<ListedReceipt>, StoreError> {
        let sql = "SELECT endpoint, seq, envelope FROM receipt WHERE job = $1
            AND (endpoint > $2 OR (endpoint = $2 AND seq > $3)) ORDER BY endpoint, seq LIMIT $4";
        let parameters = [job.to_string().into(), endpoint.into(), seq.into(), limit.into()];
        self.query(sql, &parameters)?.iter().map(read_listed).collect()
    }

    /// The newest receipt of each endpoint of a job, by endpoint, after one of them: of a standing order, its last run.
    pub fn newest_receipts(
        &mut self,
        job: StatementId,
        after: &str,
        limit: u64,
    ) -> Result<Vec<ListedReceipt>, StoreError> {
        let sql = "SELECT receipt.endpoint, receipt.seq, receipt.envelope FROM job_target
            JOIN receipt ON receipt.endpoint = job_target.endpoint AND receipt.seq = job_target.receipt_seq
            WHERE job_target.job = $1 AND receipt.job = $1 AND job_target.endpoint > $2
            ORDER BY job_target.endpoint LIMIT $3";
        let rows = self.query(sql, &[job.to_string().into(), after.into(), limit.into()])?;
        rows.iter().map(read_listed).collect()
    }

    /// Which endpoints have answered a statement that is no job: a freeze they confirm.
    pub fn confirmed_by(&mut self, id: StatementId) -> Result<Vec<EndpointId>, StoreError> {
        let sql = "SELECT DISTINCT endpoint FROM receipt WHERE job = $1";
        let rows = self.query(sql, &[id.to_string().into()])?;
        let read = |row: &crate::engine::Row| {
            row.text(0, "receipt.endpoint")?
                .parse()
                .map_err(|_| StoreError::Column("receipt.endpoint"))
        };
        rows.iter().map(read).collect()
    }

    /// What endpoints said of a statement, in order of endpoint, a page of them from after one on.
    pub fn receipts_after(
        &mut self,
        id: StatementId,
        after: &str,
        limit: u64,
    ) -> Result<Vec<(EndpointId, Vec<u8>)>, StoreError> {
        // One of each, so that no endpoint fills a page: the first it sent.
        let sql = "SELECT endpoint, envelope FROM receipt AS own WHERE job = $1 AND endpoint > $2
            AND seq = (SELECT MIN(seq) FROM receipt WHERE job = $1 AND endpoint = own.endpoint)
            ORDER BY endpoint LIMIT $3";
        let rows = self.query(sql, &[id.to_string().into(), after.into(), limit.into()])?;
        let read = |row: &crate::engine::Row| {
            let endpoint = row.text(0, "receipt.endpoint")?;
            let endpoint = endpoint.parse().map_err(|_| StoreError::Column("receipt.endpoint"))?;
            Ok((endpoint, row.bytes(1, "receipt.envelope")?))
        };
        rows.iter().map(read).collect()
    }

    /// How many endpoints have answered a statement that is no job.
    pub fn confirmed_count(&mut self, id: StatementId) -> Result<u64, StoreError> {
        let sql = "SELECT COUNT(DISTINCT endpoint) FROM receipt WHERE job = $1";
        self.query_one(sql, &[id.to_string().into()])?
            .ok_or(StoreError::Column("count"))?
            .size(0, "count")
    }

    /// Receipts of an endpoint, newest first, and how many there are.
    pub fn receipts_of_endpoint(
        &mut self,
        endpoint: EndpointId,
        offset: u64,
        limit: u64,
    ) -> Result<(u64, Vec<Vec<u8>>), StoreError> {
        let id = endpoint.to_string();
        let total = self
            .query_one("SELECT COUNT(*) FROM receipt WHERE endpoint = $1", &[id.as_str().into()])?
            .ok_or(StoreError::Column("count"))?
            .size(0, "count")?;
        let sql = "SELECT envelope FROM receipt WHERE endpoint = $1 ORDER BY seq DESC, id LIMIT $2 OFFSET $3";
        let rows = self.query(sql, &[id.as_str().into(), limit.into(), offset.into()])?;
        let envelopes = rows.iter().map(|row| row.bytes(0, "receipt.envelope"));
        Ok((total, envelopes.collect::<Result<_, _>>()?))
    }

    /// How many receipts are stored.
    pub fn receipt_count(&mut self) -> Result<u64, StoreError> {
        self.query_one("SELECT COUNT(*) FROM receipt", &[])?
            .ok_or(StoreError::Column("count"))?
            .size(0, "count")
    }
}

fn read_listed(row: &crate::engine::Row) -> Result<ListedReceipt, StoreError> {
    Ok(ListedReceipt {
        endpoint: row.text(0, "receipt.endpoint")?,
        seq: row.size(1, "receipt.seq")?,
        envelope: row.bytes(2, "receipt.envelope")?,
    })
}
