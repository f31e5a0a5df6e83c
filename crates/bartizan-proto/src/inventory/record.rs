//! The record of a report of kind 1: a part of a section's change, or of a whole section.

use bartizan_trust::id::Sha256;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Delta, Items, SectionError, check_item, check_key, check_name, section_hash};
use crate::limits::CHUNK_BYTES_MAX;

/// Most records of one change: what fits them is more than a section may have.
pub const PARTS_MAX: u16 = 64;
/// Room in a record for what is not items.
const HEAD_BYTES: usize = 512;

/// One record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Which section.
    pub section: String,
    /// Of the section after the whole change.
    pub hash: Sha256,
    /// Of the section before it; absent when the change is the whole section.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<Sha256>,
    /// Which part, from 0.
    pub part: u16,
    /// How many parts.
    pub parts: u16,
    /// Items that are new or different.
    #[serde(default, skip_serializing_if = "Items::is_empty")]
    pub set: Items,
    /// Items that are gone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gone: Vec<String>,
}

/// Why bytes are no record.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RecordError {
    /// It is no JSON of the right shape, or not in its one form.
    #[error("not a record of an inventory section")]
    Shape,
    /// Its numbers make no sense.
    #[error("a part that cannot be")]
    Part,
    /// A limit.
    #[error(transparent)]
    Section(#[from] SectionError),
}

impl Record {
    /// Writes it.
    pub fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads what an endpoint sent.
    pub fn decode(bytes: &[u8]) -> Result<Self, RecordError> {
        if bytes.len() > CHUNK_BYTES_MAX {
            return Err(RecordError::Shape);
        }
        let record: Self = serde_json::from_slice(bytes).map_err(|_| RecordError::Shape)?;
        // Fields that are there twice, blanks and other spellings end here.
        if record.encode() != bytes {
            return Err(RecordError::Shape);
        }
        if record.parts == 0 || record.parts > PARTS_MAX || record.part >= record.parts {
            return Err(RecordError::Part);
        }
        check_name(&record.section)?;
        for (key, item) in &record.set {
            check_key(key)?;
            check_item(item)?;
        }
        record.gone.iter().try_for_each(|key| check_key(key))?;
        Ok(record)
    }

    /// Its part of the change.
    pub fn into_delta(self) -> Delta {
        Delta { set: self.set, gone: self.gone }
    }
}

/// The records of a change to `items`: from a state that the server has, or of everything.
pub fn records(section: &str, items: &Items, base: Option<Sha256>, delta: Delta) -> Vec<Record> {
    let hash = section_hash(section, items);
    let empty = || Record {
        section: section.to_owned(),
        hash,
        base,
        part: 0,
        parts: 1,
        set: Items::new(),
        gone: Vec::new(),
    };
    let (mut all, mut record, mut bytes) = (Vec::new(), empty(), HEAD_BYTES);
    let mut make_room = |record: &mut Record, more: usize| {
        if bytes + more > CHUNK_BYTES_MAX {
            all.push(core::mem::replace(record, empty()));
            bytes = HEAD_BYTES;
        }
        bytes += more;
    };
    for key in delta.gone {
        make_room(&mut record, quoted(&key) + 1);
        record.gone.push(key);
    }
    for (key, item) in delta.set {
        make_room(&mut record, quoted(&key) + super::item_text(&item).len() + 2);
        record.set.insert(key, item);
    }
    all.push(record);
    let parts = u16::try_from(all.len()).unwrap_or(u16::MAX);
    for (part, record) in (0..).zip(&mut all) {
        (record.part, record.parts) = (part, parts);
    }
    all
}

fn quoted(text: &str) -> usize {
    serde_json::to_string(text).map_or(0, |quoted| quoted.len())
}

#[cfg(test)]
mod tests {
    use super::super::{Fact, Item, apply, difference};
    use super::*;

    fn packages(count: usize) -> Items {
        let item = |number: usize| {
            Item::from([
                ("name".to_owned(), Fact::Text(format!("package-\"{number}\""))),
                ("size".to_owned(), Fact::Number(i64::try_from(number).unwrap())),
            ])
        };
        (0..count).map(|number| (format!("p{number}"), item(number))).collect()
    }

    #[test]
    fn a_large_section_goes_in_parts_that_fit_and_come_together_again() {
        let items = packages(3000);
        let all = records("packages", &items, None, difference(&Items::new(), &items));
        assert!(all.len() > 3, "{}", all.len());
        let mut state = Items::new();
        for (number, record) in (0_u16..).zip(&all) {
            let bytes = record.encode();
            assert!(bytes.len() <= CHUNK_BYTES_MAX, "{}", bytes.len());
            let read = Record::decode(&bytes).unwrap();
            assert_eq!((read.part, usize::from(read.parts)), (number, all.len()));
            state = apply(state, &read.into_delta()).unwrap();
        }
        assert_eq!(section_hash("packages", &state), all[0].hash);
    }

    #[test]
    fn the_largest_item_fits_a_record() {
        let fact = |number: usize| {
            let name = format!("{number:0>width$}", width = super::super::NAME_BYTES_MAX);
            (name, Fact::Text("\"".repeat(super::super::TEXT_BYTES_MAX)))
        };
        let item: Item = (0..super::super::FIELDS_MAX).map(fact).collect();
        let items = Items::from([("\"".repeat(super::super::KEY_BYTES_MAX), item)]);
        let all = records("p", &items, Some(Sha256::of(b"")), difference(&Items::new(), &items));
        let last = all.last().unwrap();
        assert_eq!(Record::decode(&last.encode()).unwrap(), *last);
    }

    #[test]
    fn a_section_without_items_is_a_record_too() {
        let all = records("containers", &Items::new(), None, Delta::default());
        assert_eq!(all.len(), 1);
        assert_eq!(Record::decode(&all[0].encode()).unwrap(), all[0]);
    }

    #[test]
    fn hostile_records_are_refused() {
        let good = records("os", &packages(1), None, difference(&Items::new(), &packages(1)));
        let text = String::from_utf8(good[0].encode()).unwrap();
        assert!(Record::decode(text.as_bytes()).is_ok());
        for (from, to) in [
            ("\"os\"", "\"O S\""),
            ("\"part\":0", "\"part\":1"),
            ("\"parts\":1", "\"parts\":0"),
            ("\"parts\":1", "\"parts\":65"),
            ("\"size\":0", "\"size\":0.5"),
            ("\"size\":0", "\"size\":0,\"size\":0"),
            ("\"size\":0", "\"size\":null"),
            ("\"size\":0", "\"size\":[]"),
            ("\"size\"", "\"Size\""),
            ("package-", "\\u001b[2J"),
            ("package-", "\\u202e"),
            ("{\"p0\"", "{\"\""),
            ("{\"section\"", " {\"section\""),
            ("\"part\":0", "\"part\":0,\"more\":1"),
        ] {
            let hostile = text.replacen(from, to, 1);
            assert_ne!(hostile, text, "{from}");
            assert!(Record::decode(hostile.as_bytes()).is_err(), "{hostile}");
        }
        assert_eq!(Record::decode(&vec![b'['; CHUNK_BYTES_MAX]), Err(RecordError::Shape));
        assert_eq!(Record::decode(&vec![b' '; CHUNK_BYTES_MAX + 1]), Err(RecordError::Shape));
    }
}
