//! The index: every different item of the fleet once, and who has it.

use std::collections::{BTreeMap, HashMap};

use super::members::{BLOCK, Members, block_contains, changed};
use crate::endpoints::like_pattern;
use crate::engine::{Engine, Row, Tx, Value};
use crate::error::StoreError;
use bartizan_trust::id::Sha256;

/// Items that share one question to the database.
const BATCH: usize = 64;
/// Items of which the endpoints are fetched at once. The first are those that most endpoints have.
const POSTINGS: usize = 256;
/// Most items one condition looks at; more have nothing in common that anybody could mean.
const ITEMS_MAX: i64 = 500_000;

/// An item as it is found again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexItem {
    /// Of everything in it.
    pub hash: Sha256,
    /// Its name, lower case.
    pub name: String,
    /// Its key.
    pub key: String,
    /// Every text of it, lower case.
    pub text: String,
    /// Its version, if it has one.
    pub version: Option<String>,
    /// Whose rules its version follows.
    pub manager: Option<String>,
}

/// An item that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundItem {
    /// Its number.
    pub id: i64,
    /// How many endpoints have it.
    pub uses: u64,
    /// Its version.
    pub version: Option<String>,
    /// Whose rules it follows.
    pub manager: Option<String>,
}

/// Which items are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ItemFilter {
    /// A lower-case text in any item.
    Text(String),
    /// The same, in one section.
    TextIn(String, String),
    /// A section and a lower-case name.
    Name(String, String),
    /// A section and the beginning of a lower-case name.
    NamePrefix(String, String),
}

impl Tx<'_> {
    pub(super) fn index(
        &mut self,
        number: u64,
        section: &str,
        items: &[IndexItem],
    ) -> Result<(), StoreError> {
        for batch in items.chunks(BATCH) {
            let mut known = self.known(section, batch)?;
            let mut next = self.next_item()?;
            let mut fresh = Vec::new();
            for item in batch {
                if !known.contains_key(item.hash.as_bytes().as_slice()) {
                    fresh.push((next, item));
                    known.insert(item.hash.as_bytes().to_vec(), next);
                    next += 1;
                }
            }
            self.insert_items(section, &fresh)?;
            let ids: Vec<i64> = known.into_values().collect();
            self.post(number, &ids, true)?;
        }
        Ok(())
    }

    pub(super) fn unindex(
        &mut self,
        number: u64,
        section: &str,
        items: &[IndexItem],
    ) -> Result<(), StoreError> {
        for batch in items.chunks(BATCH) {
            let ids: Vec<i64> = self.known(section, batch)?.into_values().collect();
            self.post(number, &ids, false)?;
            self.drop_unused(&ids)?;
        }
        Ok(())
    }

    fn next_item(&mut self) -> Result<i64, StoreError> {
        let row = self.query_one("SELECT COALESCE(MAX(id) + 1, 1) FROM inventory_item", &[])?;
        row.ok_or(StoreError::Column("id"))?.int(0, "inventory_item.id")
    }

    /// Which of some items there are, by their hashes.
    fn known(
        &mut self,
        section: &str,
        items: &[IndexItem],
    ) -> Result<BTreeMap<Vec<u8>, i64>, StoreError> {
        let sql = format!(
            "SELECT hash, id FROM inventory_item WHERE section = $1 AND hash IN ({})",
            list(2, items.len())
        );
        let hashes = items.iter().map(|item| Value::from(item.hash.as_bytes().as_slice()));
        let parameters: Vec<Value> = core::iter::once(section.into()).chain(hashes).collect();
        let read = |row: &Row| {
            Ok((row.bytes(0, "inventory_item.hash")?, row.int(1, "inventory_item.id")?))
        };
        self.query(&sql, &parameters)?.iter().map(read).collect()
    }

    fn insert_items(
        &mut self,
        section: &str,
        items: &[(i64, &IndexItem)],
    ) -> Result<(), StoreError> {
        if items.is_empty() {
            return Ok(());
        }
        let sql = format!(
            "INSERT INTO inventory_item (id, section, hash, name, item, text, version, manager, uses) VALUES {}",
            rows(9, items.len())
        );
        let parameters: Vec<Value> = items
            .iter()
            .flat_map(|(id, item)| {
                [
                    (*id).into(),
                    section.into(),
                    item.hash.as_bytes().as_slice().into(),
                    item.name.as_str().into(),
                    item.key.as_str().into(),
                    item.text.as_str().into(),
                    item.version.as_deref().into(),
                    item.manager.as_deref().into(),
                    0_i64.into(),
                ]
            })
            .collect();
        self.execute(&sql, &parameters)?;
        if let Engine::Sqlite(_) = self.engine {
            for (id, item) in items {
                let sql = "INSERT INTO inventory_text (rowid, text) VALUES ($1, $2)";
                self.execute(sql, &[(*id).into(), item.text.as_str().into()])?;
            }
        }
        Ok(())
    }

    /// Notes of some items that an endpoint has them, or not any more.
    fn post(&mut self, number: u64, ids: &[i64], present: bool) -> Result<(), StoreError> {
        if ids.is_empty() {
            return Ok(());
        }
        let block = number / BLOCK;
        let sql = format!(
            "SELECT item, bits FROM inventory_posting WHERE block = $1 AND item IN ({})",
            list(2, ids.len())
        );
        let parameters: Vec<Value> =
            core::iter::once(block.into()).chain(ids.iter().map(|id| Value::from(*id))).collect();
        let read = |row: &Row| {
            Ok((row.int(0, "inventory_posting.item")?, row.bytes(1, "inventory_posting.bits")?))
        };
        let known: HashMap<i64, Vec<u8>> =
            self.query(&sql, &parameters)?.iter().map(read).collect::<Result<_, StoreError>>()?;
        let (mut counted, mut written, mut empty) = (Vec::new(), Vec::new(), Vec::new());
        for id in ids {
            let old = known.get(id).map(Vec::as_slice).unwrap_or_default();
            if block_contains(old, number) == present {
                continue;
            }
            counted.push(*id);
            match changed(old, number, present) {
                Some(bits) => {
                    written.extend([Value::from(*id), block.into(), bits.as_slice().into()]);
                }
                None => empty.push(Value::from(*id)),
            }
        }
        if !written.is_empty() {
            let sql = format!(
                "INSERT INTO inventory_posting (item, block, bits) VALUES {}
                 ON CONFLICT (item, block) DO UPDATE SET bits = excluded.bits",
                rows(3, written.len() / 3)
            );
            self.execute(&sql, &written)?;
        }
        if !empty.is_empty() {
            let sql = format!(
                "DELETE FROM inventory_posting WHERE block = $1 AND item IN ({})",
                list(2, empty.len())
            );
            let parameters: Vec<Value> = core::iter::once(block.into()).chain(empty).collect();
            self.execute(&sql, &parameters)?;
        }
        self.count_holders(&counted, present)
    }

    fn count_holders(&mut self, ids: &[i64], present: bool) -> Result<(), StoreError> {
        if ids.is_empty() {
            return Ok(());
        }
        let sign = if present { '+' } else { '-' };
        let sql = format!(
            "UPDATE inventory_item SET uses = uses {sign} 1 WHERE id IN ({})",
            list(1, ids.len())
        );
        let ids: Vec<Value> = ids.iter().map(|id| Value::from(*id)).collect();
        self.execute(&sql, &ids).map(|_| ())
    }

    fn drop_unused(&mut self, ids: &[i64]) -> Result<(), StoreError> {
        if ids.is_empty() {
            return Ok(());
        }
        let sql = format!(
            "SELECT id FROM inventory_item WHERE uses = 0 AND id IN ({})",
            list(1, ids.len())
        );
        let ids: Vec<Value> = ids.iter().map(|id| Value::from(*id)).collect();
        for row in self.query(&sql, &ids)? {
            let id = row.int(0, "inventory_item.id")?;
            self.execute("DELETE FROM inventory_item WHERE id = $1", &[id.into()])?;
            if let Engine::Sqlite(_) = self.engine {
                self.execute("DELETE FROM inventory_text WHERE rowid = $1", &[id.into()])?;
            }
        }
        Ok(())
    }

    /// The items that are meant, those that most endpoints have first.
    pub fn find_items(&mut self, filter: &ItemFilter) -> Result<Vec<FoundItem>, StoreError> {
        let (condition, mut parameters) = self.condition(filter);
        let place = parameters.len() + 1;
        parameters.push(ITEMS_MAX.into());
        let sql = format!(
            "SELECT id, uses, version, manager FROM inventory_item WHERE {condition} ORDER BY uses DESC, id LIMIT ${place}"
        );
        let read = |row: &Row| {
            Ok(FoundItem {
                id: row.int(0, "inventory_item.id")?,
                uses: row.size(1, "inventory_item.uses")?,
                version: row.opt_text(2, "inventory_item.version")?,
                manager: row.opt_text(3, "inventory_item.manager")?,
            })
        };
        self.query(&sql, &parameters)?.iter().map(read).collect()
    }

    fn condition(&self, filter: &ItemFilter) -> (String, Vec<Value>) {
        match filter {
            ItemFilter::Text(text) => self.has_text(text, 1),
            ItemFilter::TextIn(section, text) => {
                let (condition, mut parameters) = self.has_text(text, 1);
                parameters.push(section.as_str().into());
                (format!("{condition} AND section = $2"), parameters)
            }
            ItemFilter::Name(section, name) => (
                "section = $1 AND name = $2".to_owned(),
                vec![section.as_str().into(), name.as_str().into()],
            ),
            ItemFilter::NamePrefix(section, name) => {
                let pattern = like_pattern(name);
                let pattern = pattern.strip_prefix('%').unwrap_or(&pattern);
                let condition = "section = $1 AND name LIKE $2 ESCAPE '!'".to_owned();
                (condition, vec![section.as_str().into(), pattern.into()])
            }
        }
    }

    /// The text as it stands, anywhere: the same on both engines, each with its own index of three letters.
    fn has_text(&self, text: &str, place: usize) -> (String, Vec<Value>) {
        let text = text.to_lowercase();
        match self.engine {
            Engine::Sqlite(_) if text.chars().count() >= 3 => {
                let phrase = format!("\"{}\"", text.replace('"', "\"\""));
                let condition =
                    format!("id IN (SELECT rowid FROM inventory_text WHERE text MATCH ${place})");
                (condition, vec![phrase.into()])
            }
            Engine::Sqlite(_) => (format!("instr(text, ${place}) > 0"), vec![text.into()]),
            Engine::Postgres(_) => {
                (format!("text LIKE ${place} ESCAPE '!'"), vec![like_pattern(&text).into()])
            }
        }
    }

    /// Endpoints that have any of some items. Ends as soon as all of `everybody` do.
    pub fn holders(&mut self, ids: &[i64], everybody: &Members) -> Result<Members, StoreError> {
        let mut found = Members::default();
        for part in ids.chunks(POSTINGS) {
            for (_, block, bits) in self.postings(part)? {
                found.add_block(block, &bits);
            }
            let mut left = everybody.clone();
            left.take(&found);
            if left.count() == 0 {
                break;
            }
        }
        Ok(found)
    }

    fn postings(&mut self, ids: &[i64]) -> Result<Vec<(i64, u64, Vec<u8>)>, StoreError> {
        let sql = format!(
            "SELECT item, block, bits FROM inventory_posting WHERE item IN ({})",
            list(1, ids.len())
        );
        let parameters: Vec<Value> = ids.iter().map(|id| Value::from(*id)).collect();
        let read = |row: &Row| {
            let (item, block) =
                (row.int(0, "inventory_posting.item")?, row.size(1, "inventory_posting.block")?);
            Ok((item, block, row.bytes(2, "inventory_posting.bits")?))
        };
        self.query(&sql, &parameters)?.iter().map(read).collect()
    }

    /// Of some endpoints the first few of some items that each has: section and key.
    pub fn hits(
        &mut self,
        numbers: &[u64],
        ids: &[i64],
        each_max: usize,
    ) -> Result<BTreeMap<u64, Vec<(String, String)>>, StoreError> {
        let mut found: BTreeMap<u64, Vec<i64>> = BTreeMap::new();
        for part in ids.chunks(POSTINGS) {
            for (item, block, bits) in self.postings(part)? {
                for number in numbers.iter().filter(|number| **number / BLOCK == block) {
                    let items = found.entry(*number).or_default();
                    if items.len() < each_max && block_contains(&bits, *number) {
                        items.push(item);
                    }
                }
            }
            if found.len() == numbers.len() && found.values().all(|items| !items.is_empty()) {
                break;
            }
        }
        let mut wanted: Vec<i64> = found.values().flatten().copied().collect();
        wanted.sort_unstable();
        wanted.dedup();
        let names = self.names_of(&wanted)?;
        let of = |ids: Vec<i64>| ids.iter().filter_map(|id| names.get(id).cloned()).collect();
        Ok(found.into_iter().map(|(number, ids)| (number, of(ids))).collect())
    }

    fn names_of(&mut self, ids: &[i64]) -> Result<HashMap<i64, (String, String)>, StoreError> {
        let mut names = HashMap::new();
        for part in ids.chunks(POSTINGS) {
            let sql = format!(
                "SELECT id, section, item FROM inventory_item WHERE id IN ({})",
                list(1, part.len())
            );
            let parameters: Vec<Value> = part.iter().map(|id| Value::from(*id)).collect();
            for row in self.query(&sql, &parameters)? {
                let name =
                    (row.text(1, "inventory_item.section")?, row.text(2, "inventory_item.item")?);
                names.insert(row.int(0, "inventory_item.id")?, name);
            }
        }
        Ok(names)
    }
}

/// `$2, $3, …`
fn list(first: usize, count: usize) -> String {
    let all: Vec<String> = (first..first + count).map(|number| format!("${number}")).collect();
    all.join(", ")
}

/// `($1, $2), ($3, $4), …`
fn rows(width: usize, count: usize) -> String {
    let all: Vec<String> =
        (0..count).map(|row| format!("({})", list(row * width + 1, width))).collect();
    all.join(", ")
}
