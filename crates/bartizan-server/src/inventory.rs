//! Inventories on the server: what endpoints report, and what people look for in it.

mod search;
mod taking;
#[cfg(test)]
mod tests;

pub(crate) use search::{Problem, search};
pub(crate) use taking::keep;

use bartizan_proto::inventory::{Fact, Item, Items, item_text};
use bartizan_store::{IndexItem, SectionRecord};
use bartizan_trust::id::Sha256;

/// The name under which the index keeps that an endpoint has a section at all.
const PRESENT: &str = "!";
/// The name under which it keeps what a section does not know.
const UNKNOWN: &str = "?";

/// The items of a stored section.
pub(crate) fn items_of(section: &SectionRecord) -> Items {
    // Written by this server; what somebody edited into nonsense counts as empty and is asked for again by its hash.
    serde_json::from_slice(&section.body).unwrap_or_default()
}

/// An item as the index keeps it.
fn index_item(section: &str, key: &str, item: &Item) -> IndexItem {
    let word = |name: &str| item.get(name).map(ToString::to_string);
    let name = if key.starts_with('?') {
        UNKNOWN.to_owned()
    } else {
        word("name").or_else(|| word("port")).unwrap_or_else(|| key.to_owned()).to_lowercase()
    };
    let mut text = key.to_owned();
    for (field, fact) in item {
        match fact {
            Fact::Flag(false) => {}
            Fact::Flag(true) => push(&mut text, field),
            Fact::Number(_) | Fact::Text(_) => push(&mut text, &fact.to_string()),
        }
    }
    IndexItem {
        hash: Sha256::of(format!("{section}\n{key}\t{}", item_text(item)).as_bytes()),
        name,
        key: key.to_owned(),
        text: text.to_lowercase(),
        version: word("version"),
        manager: word("manager"),
    }
}

/// A line each: words of two fields are not beside each other.
fn push(text: &mut String, more: &str) {
    text.push('\n');
    text.push_str(more);
}

/// That the section is there.
fn presence(section: &str) -> IndexItem {
    IndexItem {
        hash: Sha256::of(format!("{section}\n").as_bytes()),
        name: PRESENT.to_owned(),
        key: PRESENT.to_owned(),
        text: String::new(),
        version: None,
        manager: None,
    }
}
