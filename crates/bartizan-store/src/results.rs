//! What scans found, piece by piece as endpoints send it. Nobody but the reader of a receipt's hash knows whether it is right.

use bartizan_trust::id::{EndpointId, StatementId};

use crate::engine::Tx;
use crate::error::StoreError;

impl Tx<'_> {
    /// Keeps a piece of a result if it is the next one and the whole stays within `bytes_max`. What came before is kept as it
    /// came; a result that is sent again changes nothing.
    pub fn put_result(
        &mut self,
        (job, endpoint): (StatementId, EndpointId),
        start: u64,
        bytes: &[u8],
        bytes_max: u64,
    ) -> Result<(), StoreError> {
        let (job, endpoint) = (job.to_string(), endpoint.to_string());
        let sql = "SELECT COALESCE(MAX(start + LENGTH(bytes)), 0) FROM scan_result
            WHERE job = $1 AND endpoint = $2";
        let known = self
            .query_one(sql, &[job.as_str().into(), endpoint.as_str().into()])?
            .ok_or(StoreError::Column("start"))?
            .size(0, "start")?;
        let end = start.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        if start != known || end > bytes_max || bytes.is_empty() {
            return Ok(());
        }
        let sql = "INSERT INTO scan_result (job, endpoint, start, bytes) VALUES ($1, $2, $3, $4)";
        self.execute(sql, &[job.into(), endpoint.into(), start.into(), bytes.into()]).map(drop)
    }

    /// A result as far as it came.
    pub fn result(
        &mut self,
        job: StatementId,
        endpoint: EndpointId,
    ) -> Result<Vec<u8>, StoreError> {
        let sql = "SELECT bytes FROM scan_result WHERE job = $1 AND endpoint = $2 ORDER BY start";
        let rows = self.query(sql, &[job.to_string().into(), endpoint.to_string().into()])?;
        let mut all = Vec::new();
        for row in &rows {
            all.extend(row.bytes(0, "scan_result.bytes")?);
        }
        Ok(all)
    }
}
