//! Inventories: sections as endpoints have them, what changed in them, and an index of every item in the fleet.
//!
//! Ten thousand endpoints have fifteen million packages and a hundred thousand different ones. So each different item is kept
//! and searched once, and beside it stands which endpoints have it, a bit or two bytes each.

mod index;
mod marks;
mod members;

use std::io::{Read as _, Write as _};

use bartizan_trust::id::{EndpointId, Sha256};
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;

use crate::engine::{Engine, Row, Tx, Value};
use crate::error::StoreError;

pub use index::{FoundItem, IndexItem, ItemFilter};
pub use marks::{FieldRecord, GroupRecord, MarkRecord, Numbered, ValueRecord};
pub use members::Members;

/// Changes kept of one endpoint: months of a server that is looked after, weeks of a busy desktop.
pub const CHANGES_MAX: u64 = 2_000;
/// Largest section, unpacked: what the wire takes, with room for its form here.
const BODY_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// A section of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SectionRecord {
    /// Which.
    pub name: String,
    /// Of its items.
    pub hash: Sha256,
    /// Its items, as the caller wrote them.
    pub body: Vec<u8>,
    /// How many items.
    pub items: u64,
    /// When it last changed, by the server's clock.
    pub at: u64,
    /// When it was collected, by the endpoint's.
    pub own_at: u64,
    /// Whether its items are in the index: those of endpoints in quarantine are not.
    pub indexed: bool,
}

/// One item that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeRecord {
    /// Whose.
    pub endpoint: EndpointId,
    /// In which section.
    pub section: String,
    /// Which item.
    pub key: String,
    /// By the server's clock.
    pub at: u64,
    /// By the endpoint's.
    pub own_at: u64,
    /// As it was; absent when it is new.
    pub before: Option<String>,
    /// As it is; absent when it is gone.
    pub after: Option<String>,
}

/// A part of a change that is not whole yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartRecord {
    /// Of the section after the change.
    pub hash: Sha256,
    /// Which part.
    pub part: u64,
    /// The record as it came.
    pub bytes: Vec<u8>,
}

/// A section that is written.
#[derive(Debug)]
pub struct SectionWrite<'w> {
    /// The section.
    pub section: &'w SectionRecord,
    /// Items the endpoint has now and had not before.
    pub added: &'w [IndexItem],
    /// Items it had.
    pub removed: &'w [IndexItem],
    /// What to remember of it; empty the first time.
    pub changes: &'w [ChangeRecord],
}

/// What the two engines do not have in common: how text is found quickly. Made anew wherever it is missing.
pub(crate) fn prepare(engine: &mut Engine) -> Result<(), StoreError> {
    match engine {
        Engine::Sqlite(_) => engine.batch(
            "CREATE VIRTUAL TABLE IF NOT EXISTS inventory_text USING fts5(text, content='', contentless_delete=1, detail=full,
             tokenize='trigram case_sensitive 1')",
        ),
        // The extension comes with PostgreSQL but may be missing or not allowed: without it every text is looked at, and found.
        Engine::Postgres(_) => {
            if engine.batch("CREATE EXTENSION IF NOT EXISTS pg_trgm").is_ok() {
                engine.batch(
                    "CREATE INDEX IF NOT EXISTS inventory_item_by_text ON inventory_item USING gin (text gin_trgm_ops)",
                )?;
            }
            Ok(())
        }
    }
}

impl Tx<'_> {
    /// The number of an endpoint in the index; given once.
    pub fn inventory_number(&mut self, id: EndpointId) -> Result<u64, StoreError> {
        let of = [Value::from(id.to_string())];
        let known =
            self.query_one("SELECT number FROM inventory_number WHERE endpoint = $1", &of)?;
        if let Some(row) = known {
            return row.size(0, "inventory_number.number");
        }
        let next =
            self.query_one("SELECT COALESCE(MAX(number) + 1, 0) FROM inventory_number", &[])?;
        let next = next.ok_or(StoreError::Column("number"))?.size(0, "inventory_number.number")?;
        let [id] = of;
        self.execute(
            "INSERT INTO inventory_number (endpoint, number) VALUES ($1, $2)",
            &[id, next.into()],
        )?;
        Ok(next)
    }

    /// A section of an endpoint.
    pub fn section(
        &mut self,
        id: EndpointId,
        name: &str,
    ) -> Result<Option<SectionRecord>, StoreError> {
        let sql = "SELECT name, hash, body, items, at, own_at, indexed FROM inventory_section WHERE endpoint = $1 AND name = $2";
        self.query_one(sql, &[id.to_string().into(), name.into()])?
            .as_ref()
            .map(read_section)
            .transpose()
    }

    /// All sections of an endpoint, by name.
    pub fn sections(&mut self, id: EndpointId) -> Result<Vec<SectionRecord>, StoreError> {
        let sql = "SELECT name, hash, body, items, at, own_at, indexed FROM inventory_section WHERE endpoint = $1 ORDER BY name";
        self.query(sql, &[id.to_string().into()])?.iter().map(read_section).collect()
    }

    /// How many sections an endpoint has, and how many of them are in the index.
    pub fn section_counts(&mut self, id: EndpointId) -> Result<(u64, u64), StoreError> {
        let sql = "SELECT COUNT(*), CAST(COALESCE(SUM(indexed), 0) AS BIGINT) FROM inventory_section WHERE endpoint = $1";
        let row =
            self.query_one(sql, &[id.to_string().into()])?.ok_or(StoreError::Column("count"))?;
        Ok((row.size(0, "count")?, row.size(1, "indexed")?))
    }

    /// Writes a section, its part of the index and its history, as one.
    pub fn put_section(
        &mut self,
        id: EndpointId,
        write: &SectionWrite<'_>,
    ) -> Result<(), StoreError> {
        let section = write.section;
        let sql = "INSERT INTO inventory_section (endpoint, name, hash, body, items, at, own_at, indexed) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
            ON CONFLICT (endpoint, name) DO UPDATE SET hash = excluded.hash, body = excluded.body, items = excluded.items,
            at = excluded.at, own_at = excluded.own_at, indexed = excluded.indexed";
        let parameters = [
            id.to_string().into(),
            section.name.as_str().into(),
            section.hash.as_bytes().as_slice().into(),
            pack(&section.body)?.as_slice().into(),
            section.items.into(),
            section.at.into(),
            section.own_at.into(),
            i64::from(section.indexed).into(),
        ];
        self.execute(sql, &parameters)?;
        if section.indexed {
            let number = self.inventory_number(id)?;
            self.unindex(number, &section.name, write.removed)?;
            self.index(number, &section.name, write.added)?;
        }
        self.remember_changes(id, write.changes)
    }

    /// Notes that a section is still as it was, by the endpoint's clock.
    pub fn confirm_section(
        &mut self,
        id: EndpointId,
        name: &str,
        own_at: u64,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE inventory_section SET own_at = $3 WHERE endpoint = $1 AND name = $2";
        self.execute(sql, &[id.to_string().into(), name.into(), own_at.into()]).map(|_| ())
    }

    /// Takes a part of a change, in place of one of another change. All parts that are there, in order.
    pub fn put_part(
        &mut self,
        id: EndpointId,
        section: &str,
        part: &PartRecord,
    ) -> Result<Vec<PartRecord>, StoreError> {
        let (of, hash) = (id.to_string(), part.hash.as_bytes().as_slice());
        let sql = "DELETE FROM inventory_part WHERE endpoint = $1 AND section = $2 AND (hash <> $3 OR part >= $4)";
        self.execute(sql, &[of.as_str().into(), section.into(), hash.into(), part.part.into()])?;
        let sql = "INSERT INTO inventory_part (endpoint, section, part, hash, bytes) VALUES ($1, $2, $3, $4, $5)";
        let bytes = part.bytes.as_slice().into();
        self.execute(
            sql,
            &[of.as_str().into(), section.into(), part.part.into(), hash.into(), bytes],
        )?;
        let sql = "SELECT hash, part, bytes FROM inventory_part WHERE endpoint = $1 AND section = $2 ORDER BY part";
        let read = |row: &Row| {
            let (part, bytes) =
                (row.size(1, "inventory_part.part")?, row.bytes(2, "inventory_part.bytes")?);
            Ok(PartRecord { hash: hash_of(row, 0)?, part, bytes })
        };
        self.query(sql, &[of.into(), section.into()])?.iter().map(read).collect()
    }

    /// Drops the parts of a change: it is whole, or will never be.
    pub fn drop_parts(&mut self, id: EndpointId, section: &str) -> Result<(), StoreError> {
        let sql = "DELETE FROM inventory_part WHERE endpoint = $1 AND section = $2";
        self.execute(sql, &[id.to_string().into(), section.into()]).map(|_| ())
    }

    fn remember_changes(
        &mut self,
        id: EndpointId,
        changes: &[ChangeRecord],
    ) -> Result<(), StoreError> {
        if changes.is_empty() {
            return Ok(());
        }
        let next = self.query_one("SELECT COALESCE(MAX(id) + 1, 0) FROM inventory_change", &[])?;
        let next = next.ok_or(StoreError::Column("id"))?.size(0, "inventory_change.id")?;
        let sql = "INSERT INTO inventory_change (id, endpoint, section, item, at, own_at, old, new)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        for (number, change) in (next..).zip(changes) {
            let parameters = [
                number.into(),
                id.to_string().into(),
                change.section.as_str().into(),
                change.key.as_str().into(),
                change.at.into(),
                change.own_at.into(),
                change.before.as_deref().into(),
                change.after.as_deref().into(),
            ];
            self.execute(sql, &parameters)?;
        }
        let sql = "DELETE FROM inventory_change WHERE endpoint = $1 AND id <= COALESCE((SELECT id FROM inventory_change
            WHERE endpoint = $1 ORDER BY id DESC LIMIT 1 OFFSET $2), -1)";
        self.execute(sql, &[id.to_string().into(), CHANGES_MAX.into()]).map(|_| ())
    }

    /// What changed, newest first: of one endpoint or of all, since a time of the server's clock.
    pub fn changes(
        &mut self,
        of: Option<EndpointId>,
        section: Option<&str>,
        since: u64,
        limit: u64,
    ) -> Result<Vec<ChangeRecord>, StoreError> {
        let columns = "SELECT endpoint, section, item, at, own_at, old, new FROM inventory_change";
        let tail = "at >= $2 AND ($3 = '' OR section = $3) ORDER BY at DESC, id DESC LIMIT $4";
        let sql = match of {
            Some(_) => format!("{columns} WHERE endpoint = $1 AND {tail}"),
            None => format!("{columns} WHERE ($1 = '' OR endpoint = $1) AND {tail}"),
        };
        let id = of.map(|id| id.to_string()).unwrap_or_default();
        let parameters =
            [id.into(), since.into(), section.unwrap_or_default().into(), limit.into()];
        self.query(&sql, &parameters)?.iter().map(read_change).collect()
    }
}

fn read_section(row: &Row) -> Result<SectionRecord, StoreError> {
    Ok(SectionRecord {
        name: row.text(0, "inventory_section.name")?,
        hash: hash_of(row, 1)?,
        body: unpack(&row.bytes(2, "inventory_section.body")?)?,
        items: row.size(3, "inventory_section.items")?,
        at: row.size(4, "inventory_section.at")?,
        own_at: row.size(5, "inventory_section.own_at")?,
        indexed: row.int(6, "inventory_section.indexed")? != 0,
    })
}

fn read_change(row: &Row) -> Result<ChangeRecord, StoreError> {
    let endpoint = row.text(0, "inventory_change.endpoint")?;
    Ok(ChangeRecord {
        endpoint: endpoint.parse().map_err(|_| StoreError::Column("inventory_change.endpoint"))?,
        section: row.text(1, "inventory_change.section")?,
        key: row.text(2, "inventory_change.item")?,
        at: row.size(3, "inventory_change.at")?,
        own_at: row.size(4, "inventory_change.own_at")?,
        before: row.opt_text(5, "inventory_change.old")?,
        after: row.opt_text(6, "inventory_change.new")?,
    })
}

fn hash_of(row: &Row, index: usize) -> Result<Sha256, StoreError> {
    let bytes: [u8; 32] =
        row.bytes(index, "hash")?.try_into().map_err(|_| StoreError::Column("hash"))?;
    Ok(Sha256::from_bytes(bytes))
}

fn pack(bytes: &[u8]) -> Result<Vec<u8>, StoreError> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    let packed = encoder.write_all(bytes).and_then(|()| encoder.finish());
    packed.map_err(|_| StoreError::Column("inventory_section.body"))
}

fn unpack(bytes: &[u8]) -> Result<Vec<u8>, StoreError> {
    let mut out = Vec::new();
    let read = DeflateDecoder::new(bytes).take(BODY_BYTES_MAX).read_to_end(&mut out);
    read.map_err(|_| StoreError::Column("inventory_section.body"))?;
    Ok(out)
}
