//! The two logs, statements, and co-signatures.

use bartizan_trust::id::{Sha256, StatementId};

use crate::engine::{Row, Tx};
use crate::error::StoreError;

/// Which log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LogName {
    /// Bundles and what else moves trust.
    Control,
    /// Jobs.
    Jobs,
}

impl LogName {
    /// Its name in paths and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Control => "control",
            Self::Jobs => "jobs",
        }
    }
}

/// A witness's signature over one of our checkpoints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CosignatureRecord {
    /// Size of the checkpoint.
    pub size: u64,
    /// Name of the witness.
    pub witness: String,
    /// Root of the checkpoint.
    pub root: Sha256,
    /// The note signature line.
    pub line: String,
    /// When the witness signed, by its clock.
    pub at: u64,
}

impl Tx<'_> {
    /// Adds an entry at the end of a log and returns its index.
    pub fn append(&mut self, log: LogName, entry: &[u8], leaf: &Sha256) -> Result<u64, StoreError> {
        let index = self.log_size(log)?;
        let sql = "INSERT INTO log_entry (log, idx, entry, leaf) VALUES ($1, $2, $3, $4)";
        let leaf: &[u8] = leaf.as_bytes();
        self.execute(sql, &[log.name().into(), index.into(), entry.into(), leaf.into()])?;
        Ok(index)
    }

    /// Notes when an entry of the control log came, in seconds: delays are counted from then.
    pub fn note_logged(&mut self, index: u64, at: u64) -> Result<(), StoreError> {
        let sql = "INSERT INTO logged (idx, at) VALUES ($1, $2) ON CONFLICT (idx) DO NOTHING";
        self.execute(sql, &[index.into(), at.into()]).map(|_| ())
    }

    /// When each entry of the control log from `start` on came, as far as it was noted.
    pub fn logged(&mut self, start: u64) -> Result<Vec<(u64, u64)>, StoreError> {
        let sql = "SELECT idx, at FROM logged WHERE idx >= $1 ORDER BY idx";
        let rows = self.query(sql, &[start.into()])?;
        rows.iter().map(|row| Ok((row.size(0, "logged.idx")?, row.size(1, "logged.at")?))).collect()
    }

    /// How many entries a log has.
    pub fn log_size(&mut self, log: LogName) -> Result<u64, StoreError> {
        let sql = "SELECT COALESCE(MAX(idx) + 1, 0) FROM log_entry WHERE log = $1";
        self.query_one(sql, &[log.name().into()])?.ok_or(StoreError::Column("idx"))?.size(0, "idx")
    }

    /// Leaf hashes from `start` on, at most `limit`.
    pub fn log_leaves(
        &mut self,
        log: LogName,
        start: u64,
        limit: u64,
    ) -> Result<Vec<Sha256>, StoreError> {
        let sql = "SELECT leaf FROM log_entry WHERE log = $1 AND idx >= $2 ORDER BY idx LIMIT $3";
        let rows = self.query(sql, &[log.name().into(), start.into(), limit.into()])?;
        rows.iter().map(|row| hash(row, 0, "log_entry.leaf")).collect()
    }

    /// Entries from `start` up to `end`.
    pub fn log_entries(
        &mut self,
        log: LogName,
        start: u64,
        end: u64,
    ) -> Result<Vec<Vec<u8>>, StoreError> {
        let sql =
            "SELECT entry FROM log_entry WHERE log = $1 AND idx >= $2 AND idx < $3 ORDER BY idx";
        let rows = self.query(sql, &[log.name().into(), start.into(), end.into()])?;
        rows.iter().map(|row| row.bytes(0, "log_entry.entry")).collect()
    }

    /// Keeps a co-signature; of one witness for one size the newest counts.
    pub fn put_cosignature(
        &mut self,
        log: LogName,
        cosignature: &CosignatureRecord,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO cosignature (log, size, witness, root, line, at) VALUES ($1, $2, $3, $4, $5, $6)
            ON CONFLICT (log, size, witness) DO UPDATE SET root = excluded.root, line = excluded.line, at = excluded.at
            WHERE excluded.at > cosignature.at";
        let root: &[u8] = cosignature.root.as_bytes();
        let parameters = [
            log.name().into(),
            cosignature.size.into(),
            cosignature.witness.as_str().into(),
            root.into(),
            cosignature.line.as_str().into(),
            cosignature.at.into(),
        ];
        self.execute(sql, &parameters).map(|_| ())
    }

    /// Co-signatures of checkpoints of at least `size_min` entries.
    pub fn cosignatures(
        &mut self,
        log: LogName,
        size_min: u64,
    ) -> Result<Vec<CosignatureRecord>, StoreError> {
        let sql = "SELECT size, witness, root, line, at FROM cosignature WHERE log = $1 AND size >= $2 ORDER BY size, witness";
        let rows = self.query(sql, &[log.name().into(), size_min.into()])?;
        rows.iter().map(read_cosignature).collect()
    }

    /// Forgets co-signatures of checkpoints of fewer than `size_min` entries.
    pub fn drop_cosignatures(&mut self, log: LogName, size_min: u64) -> Result<(), StoreError> {
        let sql = "DELETE FROM cosignature WHERE log = $1 AND size < $2";
        self.execute(sql, &[log.name().into(), size_min.into()]).map(|_| ())
    }

    /// Keeps a statement under its id.
    pub fn put_statement(
        &mut self,
        id: StatementId,
        kind: &str,
        envelope: &[u8],
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO statement (id, kind, envelope) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING";
        self.execute(sql, &[id.to_string().into(), kind.into(), envelope.into()]).map(|_| ())
    }

    /// A control statement that waits for signatures.
    pub fn draft(&mut self, id: StatementId) -> Result<Option<Vec<u8>>, StoreError> {
        let sql = "SELECT envelope FROM statement WHERE id = $1 AND kind = 'draft'";
        let row = self.query_one(sql, &[id.to_string().into()])?;
        row.map(|row| row.bytes(0, "statement.envelope")).transpose()
    }

    /// Keeps it, in the place of the same one with fewer signatures.
    pub fn put_draft(&mut self, id: StatementId, envelope: &[u8]) -> Result<(), StoreError> {
        self.drop_draft(id)?;
        self.put_statement(id, "draft", envelope)
    }

    /// It has all its signatures, or nobody wants it any more.
    pub fn drop_draft(&mut self, id: StatementId) -> Result<(), StoreError> {
        let sql = "DELETE FROM statement WHERE id = $1 AND kind = 'draft'";
        self.execute(sql, &[id.to_string().into()]).map(|_| ())
    }

    /// Every control statement that waits.
    pub fn drafts(&mut self, limit: u64) -> Result<Vec<Vec<u8>>, StoreError> {
        let sql = "SELECT envelope FROM statement WHERE kind = 'draft' ORDER BY id LIMIT $1";
        let rows = self.query(sql, &[limit.into()])?;
        rows.iter().map(|row| row.bytes(0, "statement.envelope")).collect()
    }

    /// How many wait.
    pub fn draft_count(&mut self) -> Result<u64, StoreError> {
        self.query_one("SELECT COUNT(*) FROM statement WHERE kind = 'draft'", &[])?
            .ok_or(StoreError::Column("count"))?
            .size(0, "count")
    }

    /// The envelope of a statement.
    pub fn statement(&mut self, id: StatementId) -> Result<Option<Vec<u8>>, StoreError> {
        let row = self
            .query_one("SELECT envelope FROM statement WHERE id = $1", &[id.to_string().into()])?;
        row.map(|row| row.bytes(0, "statement.envelope")).transpose()
    }
}

fn hash(row: &Row, index: usize, column: &'static str) -> Result<Sha256, StoreError> {
    let bytes = row.bytes(index, column)?;
    bytes.try_into().map(Sha256::from_bytes).map_err(|_| StoreError::Column(column))
}

fn read_cosignature(row: &Row) -> Result<CosignatureRecord, StoreError> {
    Ok(CosignatureRecord {
        size: row.size(0, "cosignature.size")?,
        witness: row.text(1, "cosignature.witness")?,
        root: hash(row, 2, "cosignature.root")?,
        line: row.text(3, "cosignature.line")?,
        at: row.size(4, "cosignature.at")?,
    })
}
