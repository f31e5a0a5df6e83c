//! What a quarantine does to work that waits.

use bartizan_trust::id::StatementId;

use crate::engine::Tx;
use crate::error::StoreError;

impl Tx<'_> {
    /// Ends every job that is not done; where it runs already, it goes on. Returns how many.
    pub fn cancel_jobs(&mut self) -> Result<u64, StoreError> {
        self.execute(
            "UPDATE job_target SET state = 'cancelled' WHERE state IN ('queued', 'delivered', 'refused')
             AND job IN (SELECT id FROM job WHERE state IN ('pending', 'active'))",
            &[],
        )?;
        let sql = "UPDATE job SET state = 'cancelled' WHERE state IN ('pending', 'active')";
        self.execute(sql, &[])
    }

    /// Jobs that were ended like that and whose window is open, newest first.
    pub fn cancelled_jobs(&mut self, now: u64, limit: u64) -> Result<Vec<StatementId>, StoreError> {
        let sql = "SELECT id FROM job WHERE state = 'cancelled' AND exp > $1
            ORDER BY submitted DESC, id LIMIT $2";
        let rows = self.query(sql, &[now.into(), limit.into()])?;
        rows.iter().map(|row| crate::jobs::job_id(row, 0)).collect()
    }

    /// Forgets a named value of the whole store.
    pub fn drop_meta(&mut self, key: &str) -> Result<(), StoreError> {
        self.execute("DELETE FROM meta WHERE key = $1", &[key.into()]).map(|_| ())
    }
}
