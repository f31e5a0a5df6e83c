//! Series of samples: parts as they came, and chunks in which six hours of an endpoint are kept together. What is in them is
//! for others to know; here they are bytes with a place.

use bartizan_trust::id::{EndpointId, TenantId};

use crate::engine::{Row, Tx};
use crate::error::StoreError;

/// Parts of one window of one endpoint before they are made a chunk: seven times what comes at the usual pace.
pub const SERIES_PARTS_MAX: u64 = 512;
/// Resolutions in which a window is kept.
pub const SERIES_LEVELS: usize = 3;

/// An endpoint's number among series: short, since every row has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SeriesOwner(pub u64);

/// All rows of one window of one endpoint.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WindowRows {
    /// As they came.
    pub parts: Vec<Vec<u8>>,
    /// By level, as far as there are any.
    pub chunks: [Option<Vec<u8>>; SERIES_LEVELS],
}

impl Tx<'_> {
    /// The number of an endpoint, if it has samples.
    pub fn find_series_owner(&mut self, id: EndpointId) -> Result<Option<SeriesOwner>, StoreError> {
        let sql = "SELECT n FROM series_owner WHERE endpoint = $1";
        let row = self.query_one(sql, &[id.to_string().into()])?;
        row.map(|row| row.size(0, "series_owner.n").map(SeriesOwner)).transpose()
    }

    /// The number of an endpoint, given to it now if it has none.
    pub fn series_owner(&mut self, id: EndpointId) -> Result<SeriesOwner, StoreError> {
        if let Some(known) = self.find_series_owner(id)? {
            return Ok(known);
        }
        let sql = "INSERT INTO series_owner (endpoint, n)
            SELECT CAST($1 AS TEXT), COALESCE(MAX(n), 0) + 1 FROM series_owner";
        self.execute(sql, &[id.to_string().into()])?;
        self.find_series_owner(id)?.ok_or(StoreError::Column("series_owner.n"))
    }

    /// Adds a part to a window; false when it has as many as it may have.
    pub fn put_series_part(
        &mut self,
        owner: SeriesOwner,
        window: u64,
        bytes: &[u8],
    ) -> Result<bool, StoreError> {
        let sql = "INSERT INTO series_open (n, win, parts) VALUES ($1, $2, 1)
            ON CONFLICT (n, win) DO UPDATE SET parts = series_open.parts + 1 WHERE series_open.parts < $3";
        let place = [owner.0.into(), window.into(), SERIES_PARTS_MAX.into()];
        if self.execute(sql, &place)? == 0 {
            return Ok(false);
        }
        let sql = "INSERT INTO series_part (n, win, bytes) VALUES ($1, $2, $3)";
        self.execute(sql, &[owner.0.into(), window.into(), bytes.into()])?;
        Ok(true)
    }

    /// Windows before `before` that have parts, from the endpoint after `after` on.
    pub fn open_windows(
        &mut self,
        before: u64,
        after: SeriesOwner,
        limit: u64,
    ) -> Result<Vec<(SeriesOwner, u64)>, StoreError> {
        let sql =
            "SELECT n, win FROM series_open WHERE n > $1 AND win < $2 ORDER BY n, win LIMIT $3";
        let rows = self.query(sql, &[after.0.into(), before.into(), limit.into()])?;
        let read = |row: &Row| {
            Ok((SeriesOwner(row.size(0, "series_open.n")?), row.size(1, "series_open.win")?))
        };
        rows.iter().map(read).collect()
    }

    /// Everything there is of a window.
    pub fn series_window(
        &mut self,
        owner: SeriesOwner,
        window: u64,
    ) -> Result<WindowRows, StoreError> {
        let parts = self.series_parts(owner, (window, window))?;
        let mut rows = WindowRows {
            parts: parts.into_iter().map(|(_, bytes)| bytes).collect(),
            ..WindowRows::default()
        };
        for (level, chunk) in (0_u64..).zip(&mut rows.chunks) {
            let found = self.series_chunks(level, owner, (window, window))?;
            *chunk = found.into_iter().next().map(|(_, bytes)| bytes);
        }
        Ok(rows)
    }

    /// Replaces a window's parts, of which there were so many, and its chunks by new ones; false when a part has come meanwhile.
    pub fn close_series_window(
        &mut self,
        (owner, window): (SeriesOwner, u64),
        parts: usize,
        chunks: &[Vec<u8>; SERIES_LEVELS],
    ) -> Result<bool, StoreError> {
        let place = [owner.0.into(), window.into()];
        let sql = "SELECT parts FROM series_open WHERE n = $1 AND win = $2";
        let row = self.query_one(sql, &place)?;
        let now = row.map(|row| row.size(0, "series_open.parts")).transpose()?;
        if now != u64::try_from(parts).ok() {
            return Ok(false);
        }
        self.execute("DELETE FROM series_open WHERE n = $1 AND win = $2", &place)?;
        self.execute("DELETE FROM series_part WHERE n = $1 AND win = $2", &place)?;
        let sql = "INSERT INTO series_chunk (level, n, win, bytes) VALUES ($1, $2, $3, $4)
            ON CONFLICT (level, n, win) DO UPDATE SET bytes = excluded.bytes";
        for (level, chunk) in (0_u64..).zip(chunks) {
            let values = [level.into(), owner.0.into(), window.into(), chunk.as_slice().into()];
            self.execute(sql, &values)?;
        }
        Ok(true)
    }

    /// Chunks of a level, from one window to another, in order.
    pub fn series_chunks(
        &mut self,
        level: u64,
        owner: SeriesOwner,
        (first, last): (u64, u64),
    ) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        let sql = "SELECT win, bytes FROM series_chunk WHERE level = $1 AND n = $2 AND win >= $3 AND win <= $4 ORDER BY win";
        let values = [level.into(), owner.0.into(), first.into(), last.into()];
        self.query(sql, &values)?.iter().map(window_and_bytes).collect()
    }

    /// Parts, from one window to another, in order of windows.
    pub fn series_parts(
        &mut self,
        owner: SeriesOwner,
        (first, last): (u64, u64),
    ) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        let sql = "SELECT win, bytes FROM series_part WHERE n = $1 AND win >= $2 AND win <= $3 ORDER BY win";
        let values = [owner.0.into(), first.into(), last.into()];
        self.query(sql, &values)?.iter().map(window_and_bytes).collect()
    }

    /// Endpoints that have samples, in order, and whose they are.
    pub fn series_owners(
        &mut self,
        after: SeriesOwner,
        limit: u64,
    ) -> Result<Vec<(SeriesOwner, Option<TenantId>)>, StoreError> {
        let sql =
            "SELECT o.n, e.tenant FROM series_owner o LEFT JOIN endpoint e ON e.id = o.endpoint
            WHERE o.n > $1 ORDER BY o.n LIMIT $2";
        let rows = self.query(sql, &[after.0.into(), limit.into()])?;
        let read = |row: &Row| {
            let tenant = row.opt_text(1, "endpoint.tenant")?;
            let owner = SeriesOwner(row.size(0, "series_owner.n")?);
            Ok((owner, tenant.and_then(|tenant| tenant.parse().ok())))
        };
        rows.iter().map(read).collect()
    }

    /// Forgets an endpoint's chunks of a level before a window. Returns how many there were.
    pub fn forget_series(
        &mut self,
        level: u64,
        owner: SeriesOwner,
        before: u64,
    ) -> Result<u64, StoreError> {
        let sql = "DELETE FROM series_chunk WHERE level = $1 AND n = $2 AND win < $3";
        self.execute(sql, &[level.into(), owner.0.into(), before.into()])
    }
}

fn window_and_bytes(row: &Row) -> Result<(u64, Vec<u8>), StoreError> {
    Ok((row.size(0, "win")?, row.bytes(1, "bytes")?))
}
