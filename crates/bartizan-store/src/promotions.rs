//! Promotions: which stages of a job may begin.

use bartizan_trust::id::StatementId;

use crate::engine::{Row, Tx};
use crate::error::StoreError;

/// The promotion of a job to one of its stages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromotionRecord {
    /// The stage.
    pub stage: u32,
    /// Its digest.
    pub id: StatementId,
    /// The exact envelope.
    pub envelope: Vec<u8>,
    /// Place in the jobs log.
    pub log_index: u64,
}

impl Tx<'_> {
    /// Keeps a promotion. Where it replaces another one, those to later stages go: they follow the other.
    pub fn put_promotion(
        &mut self,
        job: StatementId,
        promotion: &PromotionRecord,
    ) -> Result<(), StoreError> {
        let (job, id) = (job.to_string(), promotion.id.to_string());
        let stage = u64::from(promotion.stage);
        let sql = "DELETE FROM promotion WHERE job = $1 AND stage > $2
            AND NOT EXISTS (SELECT 1 FROM promotion same WHERE same.job = $1 AND same.stage = $2 AND same.id = $3)";
        self.execute(sql, &[job.as_str().into(), stage.into(), id.as_str().into()])?;
        let sql = "INSERT INTO promotion (job, stage, id, envelope, log_index) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (job, stage) DO UPDATE SET id = excluded.id, envelope = excluded.envelope, log_index = excluded.log_index";
        let parameters = [
            job.as_str().into(),
            stage.into(),
            id.as_str().into(),
            promotion.envelope.as_slice().into(),
            promotion.log_index.into(),
        ];
        self.execute(sql, &parameters).map(|_| ())
    }

    /// The promotions of a job, in the order of their stages.
    pub fn promotions(&mut self, job: StatementId) -> Result<Vec<PromotionRecord>, StoreError> {
        let sql = "SELECT stage, id, envelope, log_index FROM promotion WHERE job = $1 ORDER BY stage LIMIT 16";
        self.query(sql, &[job.to_string().into()])?.iter().map(read).collect()
    }
}

fn read(row: &Row) -> Result<PromotionRecord, StoreError> {
    Ok(PromotionRecord {
        stage: u32::try_from(row.size(0, "promotion.stage")?)
            .map_err(|_| StoreError::Column("promotion.stage"))?,
        id: row.text(1, "promotion.id")?.parse().map_err(|_| StoreError::Column("promotion.id"))?,
        envelope: row.bytes(2, "promotion.envelope")?,
        log_index: row.size(3, "promotion.log_index")?,
    })
}
