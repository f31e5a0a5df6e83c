//! Inventory: sections of items, their hash, and what changed between two of them. Specification: `docs/spec/inventory.md`.

mod query;
mod record;
mod version;

use core::fmt;
use std::collections::BTreeMap;

use bartizan_trust::id::Sha256;
use bartizan_trust::statement::is_plain_char;
use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use query::{Comparison, Matcher, QUERY_CHARS_MAX, Query, QueryError, TERMS_MAX, Term};
pub use record::{PARTS_MAX, Record, RecordError, records};
pub use version::{Scheme, compare};

/// Most sections of one endpoint: there are fifteen today, and newer agents may have more.
pub const SECTIONS_MAX: usize = 32;
/// Longest name of a section, and of a field, in bytes.
pub const NAME_BYTES_MAX: usize = 32;
/// Most items of one section: a desktop with everything installed has half as many packages.
pub const ITEMS_MAX: usize = 8_000;
/// Longest key of an item, in bytes.
pub const KEY_BYTES_MAX: usize = 256;
/// Most fields of one item.
pub const FIELDS_MAX: usize = 15;
/// Longest text in a field, in bytes: an item of the most fields still fits one record.
pub const TEXT_BYTES_MAX: usize = 1024;
/// Largest section, all items as they are hashed, in bytes.
pub const SECTION_BYTES_MAX: usize = 1024 * 1024;
/// What an item that could not be read says instead of its fields.
pub const UNKNOWN: &str = "unknown";

/// The value of a field. No fractions: what is hashed has one form.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Fact {
    /// Yes or no.
    Flag(bool),
    /// A whole number.
    Number(i64),
    /// Text without control characters.
    Text(String),
}

/// Named values of one thing: a package, a disk, a port.
pub type Item = BTreeMap<String, Fact>;
/// All things of a section by their keys.
pub type Items = BTreeMap<String, Item>;

/// What a section must not be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SectionError {
    /// A name is empty, long, or of other letters.
    #[error("a name that is not 1 to 32 of a-z, 0-9 and _")]
    Name,
    /// A key is empty, long or not plain.
    #[error("a key that is empty, long or not plain text")]
    Key,
    /// A text is long or not plain.
    #[error("a text that is long or not plain")]
    Text,
    /// Too many items, fields or bytes.
    #[error("more items, fields or bytes than a section may have")]
    Large,
    /// A removed item that is not there, or one that is added and removed.
    #[error("a change of an item that is not there")]
    Absent,
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(true) => f.write_str("yes"),
            Self::Flag(false) => f.write_str("no"),
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// What changed in a section.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Delta {
    /// New items, and old ones that are different now, whole.
    pub set: Items,
    /// Keys of items that are gone.
    pub gone: Vec<String>,
}

/// The hash that both sides compare: over the name and every item in order of its key.
pub fn section_hash(name: &str, items: &Items) -> Sha256 {
    let mut text = format!("bartizan inventory section\n{name}\n");
    for (key, item) in items {
        text.push_str(key);
        text.push('\t');
        text.push_str(&item_text(item));
        text.push('\n');
    }
    Sha256::of(text.as_bytes())
}

/// An item in its one form.
pub fn item_text(item: &Item) -> String {
    // Maps of text to plain values are written in order and cannot fail.
    serde_json::to_string(item).unwrap_or_default()
}

/// From one state to another.
pub fn difference(old: &Items, new: &Items) -> Delta {
    let set = new.iter().filter(|(key, item)| old.get(*key) != Some(*item));
    let gone = old.keys().filter(|key| !new.contains_key(*key));
    Delta {
        set: set.map(|(key, item)| (key.clone(), item.clone())).collect(),
        gone: gone.cloned().collect(),
    }
}

/// The state after a change.
pub fn apply(mut items: Items, delta: &Delta) -> Result<Items, SectionError> {
    for key in &delta.gone {
        if items.remove(key).is_none() || delta.set.contains_key(key) {
            return Err(SectionError::Absent);
        }
    }
    items.extend(delta.set.iter().map(|(key, item)| (key.clone(), item.clone())));
    let bytes: usize = items.iter().map(|(key, item)| key.len() + item_text(item).len()).sum();
    if items.len() > ITEMS_MAX || bytes > SECTION_BYTES_MAX {
        return Err(SectionError::Large);
    }
    Ok(items)
}

/// Names of sections and fields.
pub fn check_name(name: &str) -> Result<(), SectionError> {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let good = !name.is_empty() && name.len() <= NAME_BYTES_MAX && name.bytes().all(fits);
    if good { Ok(()) } else { Err(SectionError::Name) }
}

/// Keys of items.
pub fn check_key(key: &str) -> Result<(), SectionError> {
    let good = !key.is_empty() && key.len() <= KEY_BYTES_MAX && key.chars().all(is_plain_char);
    if good { Ok(()) } else { Err(SectionError::Key) }
}

/// One item.
pub fn check_item(item: &Item) -> Result<(), SectionError> {
    if item.len() > FIELDS_MAX {
        return Err(SectionError::Large);
    }
    for (name, fact) in item {
        check_name(name)?;
        if let Fact::Text(text) = fact
            && (text.len() > TEXT_BYTES_MAX || !text.chars().all(is_plain_char))
        {
            return Err(SectionError::Text);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(pairs: &[(&str, &str)]) -> Items {
        let item =
            |version: &str| Item::from([("version".to_owned(), Fact::Text(version.to_owned()))]);
        pairs.iter().map(|(key, version)| ((*key).to_owned(), item(version))).collect()
    }

    #[test]
    fn a_difference_leads_from_one_state_to_the_other() {
        let (old, new) = (
            items(&[("a", "1"), ("b", "1"), ("c", "1")]),
            items(&[("a", "1"), ("b", "2"), ("d", "1")]),
        );
        let delta = difference(&old, &new);
        assert_eq!(delta.set, items(&[("b", "2"), ("d", "1")]));
        assert_eq!(delta.gone, ["c"]);
        assert_eq!(apply(old.clone(), &delta).unwrap(), new);
        assert_eq!(difference(&new, &new), Delta::default());
        // Of another base it is none.
        assert_eq!(apply(items(&[("a", "1")]), &delta), Err(SectionError::Absent));
        let both = Delta { set: items(&[("a", "2")]), gone: vec!["a".to_owned()] };
        assert_eq!(apply(old, &both), Err(SectionError::Absent));
    }

    #[test]
    fn the_hash_is_of_name_keys_and_fields() {
        let one = section_hash("packages", &items(&[("a", "1")]));
        assert_eq!(one, section_hash("packages", &items(&[("a", "1")])));
        for other in [
            section_hash("services", &items(&[("a", "1")])),
            section_hash("packages", &items(&[("b", "1")])),
            section_hash("packages", &items(&[("a", "2")])),
            section_hash("packages", &items(&[])),
        ] {
            assert_ne!(one, other);
        }
    }

    #[test]
    fn sections_have_limits_on_both_sides() {
        let many = |count: usize| -> Items {
            (0..count).map(|number| (format!("{number:05}"), Item::new())).collect()
        };
        let whole = |items| Delta { set: items, gone: Vec::new() };
        assert!(apply(Items::new(), &whole(many(ITEMS_MAX))).is_ok());
        assert_eq!(apply(Items::new(), &whole(many(ITEMS_MAX + 1))), Err(SectionError::Large));
        let long = |count: usize| items(&[("a", &"x".repeat(count))]);
        assert!(long(TEXT_BYTES_MAX).values().all(|item| check_item(item).is_ok()));
        assert!(long(TEXT_BYTES_MAX + 1).values().all(|item| check_item(item).is_err()));
        assert_eq!(check_key(&"k".repeat(KEY_BYTES_MAX)), Ok(()));
        for bad in ["", "a\tb", "a\nb", "\u{202e}", &"k".repeat(KEY_BYTES_MAX + 1)] {
            assert_eq!(check_key(bad), Err(SectionError::Key), "{bad}");
        }
        assert_eq!(check_name("last_login"), Ok(()));
        for bad in ["", "A", "a b", "ä", &"n".repeat(NAME_BYTES_MAX + 1)] {
            assert_eq!(check_name(bad), Err(SectionError::Name), "{bad}");
        }
        let fields = |count: usize| -> Item {
            (0..count).map(|number| (format!("f{number}"), Fact::Number(1))).collect()
        };
        assert_eq!(check_item(&fields(FIELDS_MAX)), Ok(()));
        assert_eq!(check_item(&fields(FIELDS_MAX + 1)), Err(SectionError::Large));
    }
}
