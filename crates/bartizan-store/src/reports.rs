//! How far each endpoint's reports are stored: the floor below which a report is known.

use bartizan_trust::id::EndpointId;

use crate::engine::{Tx, Value};
use crate::error::StoreError;

/// Where a report stands in its endpoint's spool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReportPlace {
    /// Names the spool.
    pub epoch: u64,
    /// Number within it.
    pub seq: u64,
    /// What the endpoint threw away before it.
    pub dropped: u64,
}

/// Whether a report is new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It is, and the floor stands at it now: what it holds has to be stored in the same transaction.
    New,
    /// It was stored before; everything up to this number was.
    Known(u64),
}

/// What is known of an endpoint's reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportFloor {
    /// The spool.
    pub epoch: u64,
    /// Everything up to here is stored.
    pub seq: u64,
    /// Samples, results and events that the endpoint says it threw away, in all.
    pub dropped: u64,
    /// Reports that were not what they should be, in all.
    pub refused: u64,
    /// Why, of the last of those.
    pub refusal: Option<String>,
}

impl Tx<'_> {
    /// Moves the floor of an endpoint to a report, if that lies above it. Another spool's floor replaces the one before.
    pub fn take_report(
        &mut self,
        endpoint: EndpointId,
        place: ReportPlace,
    ) -> Result<Taken, StoreError> {
        let sql = "INSERT INTO report_floor (endpoint, epoch, seq, dropped, refused) VALUES ($1, $2, $3, $4, 0)
            ON CONFLICT (endpoint) DO UPDATE SET epoch = excluded.epoch, seq = excluded.seq,
            dropped = CASE WHEN report_floor.dropped > 9000000000000000000 - excluded.dropped
                THEN 9000000000000000000 ELSE report_floor.dropped + excluded.dropped END
            WHERE report_floor.epoch <> excluded.epoch OR report_floor.seq < excluded.seq";
        let parameters = [
            endpoint.to_string().into(),
            // Any number: only compared for equality.
            Value::Int(place.epoch.cast_signed()),
            Value::from(place.seq),
            // A claim: no endpoint ever loses as many.
            place.dropped.min(DROPPED_MAX).into(),
        ];
        if self.execute(sql, &parameters)? > 0 {
            return Ok(Taken::New);
        }
        let floor = self.report_floor(endpoint)?;
        Ok(Taken::Known(floor.map_or(0, |floor| floor.seq)))
    }

    /// Notes that a report was not what it should be.
    pub fn refuse_report(&mut self, endpoint: EndpointId, why: &str) -> Result<(), StoreError> {
        let sql = "UPDATE report_floor SET refused = refused + 1, refusal = $2 WHERE endpoint = $1";
        self.execute(sql, &[endpoint.to_string().into(), why.into()]).map(drop)
    }

    /// How far an endpoint's reports are stored.
    pub fn report_floor(&mut self, id: EndpointId) -> Result<Option<ReportFloor>, StoreError> {
        let sql =
            "SELECT epoch, seq, dropped, refused, refusal FROM report_floor WHERE endpoint = $1";
        let row = self.query_one(sql, &[id.to_string().into()])?;
        row.map(|row| {
            Ok(ReportFloor {
                epoch: row.int(0, "report_floor.epoch")?.cast_unsigned(),
                seq: row.size(1, "report_floor.seq")?,
                dropped: row.size(2, "report_floor.dropped")?,
                refused: row.size(3, "report_floor.refused")?,
                refusal: row.opt_text(4, "report_floor.refusal")?,
            })
        })
        .transpose()
    }
}

/// The most that one report is believed to account for.
const DROPPED_MAX: u64 = 1 << 40;
