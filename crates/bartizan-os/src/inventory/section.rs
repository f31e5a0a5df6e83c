//! A section under construction: plain text only, bounded, and what is not known says so.

use std::collections::BTreeMap;

use bartizan_trust::statement::is_plain_char;

use crate::limits::{
    SECTION_BYTES_MAX, SECTION_ITEMS_MAX, SECTION_KEY_BYTES_MAX, SECTION_TEXT_BYTES_MAX,
};

/// The value of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// Yes or no.
    Flag(bool),
    /// A whole number.
    Number(i64),
    /// Plain text.
    Text(String),
}

/// Named values of one thing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Item(pub BTreeMap<&'static str, Fact>);

/// A section: its name and its items by key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Which.
    pub name: &'static str,
    /// What there is.
    pub items: BTreeMap<String, Item>,
    bytes: usize,
    left_out: u64,
}

impl Item {
    /// Adds text; nothing where there is none.
    #[must_use]
    pub fn text(mut self, name: &'static str, text: &str) -> Self {
        let text = plain(text.trim(), SECTION_TEXT_BYTES_MAX);
        if !text.is_empty() {
            self.0.insert(name, Fact::Text(text));
        }
        self
    }

    /// Adds text if there is any.
    #[must_use]
    pub fn maybe(self, name: &'static str, text: Option<&str>) -> Self {
        match text {
            Some(text) => self.text(name, text),
            None => self,
        }
    }

    /// Adds a number; one that does not fit is as large as can be.
    #[must_use]
    pub fn number(mut self, name: &'static str, number: u64) -> Self {
        self.0.insert(name, Fact::Number(i64::try_from(number).unwrap_or(i64::MAX)));
        self
    }

    /// Adds yes or no.
    #[must_use]
    pub fn flag(mut self, name: &'static str, flag: bool) -> Self {
        self.0.insert(name, Fact::Flag(flag));
        self
    }

    /// The text of a field.
    pub fn as_text(&self, name: &str) -> Option<&str> {
        match self.0.get(name) {
            Some(Fact::Text(text)) => Some(text),
            Some(Fact::Flag(_) | Fact::Number(_)) | None => None,
        }
    }
}

impl Section {
    /// An empty one.
    pub const fn new(name: &'static str) -> Self {
        Self { name, items: BTreeMap::new(), bytes: 0, left_out: 0 }
    }

    /// Adds an item. What is beyond the limits is counted.
    pub fn add(&mut self, key: &str, item: Item) {
        let key = plain(key.trim(), SECTION_KEY_BYTES_MAX);
        let bytes = key.len() * 2 + size(&item);
        let full = self.items.len() >= SECTION_ITEMS_MAX || self.bytes + bytes > SECTION_BYTES_MAX;
        if key.is_empty() || (full && !self.items.contains_key(&key)) {
            self.left_out += 1;
            return;
        }
        self.bytes += bytes;
        self.items.insert(key, item);
    }

    /// Adds one value under its name.
    pub fn value(&mut self, key: &str, value: &str) {
        if !value.trim().is_empty() {
            self.add(key, Item::default().text("value", value));
        }
    }

    /// Says that something could not be read, and why.
    pub fn unknown(&mut self, what: &str, why: &str) {
        let key = plain(&format!("?{what}"), SECTION_KEY_BYTES_MAX);
        self.items.insert(key, Item::default().text("unknown", why));
    }

    /// Closes it: what was left out is said.
    #[must_use]
    pub fn finish(mut self) -> Self {
        if self.left_out > 0 {
            let why = format!(
                "{} more are left out: a section has at most {SECTION_ITEMS_MAX} items and 768 KiB",
                self.left_out
            );
            self.unknown("more", &why);
        }
        self
    }
}

fn size(item: &Item) -> usize {
    let fact = |fact: &Fact| match fact {
        Fact::Flag(_) | Fact::Number(_) => 20,
        // Quotation marks and such are written with a stroke before them.
        Fact::Text(text) => text.len() + text.matches(['"', '\\']).count(),
    };
    item.0.iter().map(|(name, value)| name.len() + fact(value) + 8).sum()
}

/// Text that shows as itself wherever it is shown. What is too long ends in a mark that says so.
fn plain(text: &str, bytes_max: usize) -> String {
    const CUT: char = '…';
    let mut out = String::new();
    for c in text.chars().filter(|c| is_plain_char(*c)) {
        if out.len() + c.len_utf8() > bytes_max {
            while out.len() + CUT.len_utf8() > bytes_max {
                out.pop();
            }
            out.push(CUT);
            break;
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_keeps_within_its_limits_and_says_what_it_left_out() {
        let mut section = Section::new("packages");
        for number in 0..SECTION_ITEMS_MAX + 5 {
            section.add(&format!("p{number:05}"), Item::default().number("n", 1));
        }
        let section = section.finish();
        assert_eq!(section.items.len(), SECTION_ITEMS_MAX + 1);
        assert!(section.items["?more"].as_text("unknown").unwrap().starts_with("5 more"));
        let mut section = Section::new("packages");
        for number in 0..SECTION_ITEMS_MAX {
            section.add(
                &format!("p{number:05}"),
                Item::default().text("t", &"x".repeat(SECTION_TEXT_BYTES_MAX)),
            );
        }
        assert!(section.finish().items.len() < SECTION_ITEMS_MAX / 2);
    }

    #[test]
    fn text_is_plain_and_short() {
        let mut section = Section::new("os");
        section.value("na\u{1b}me\n", "a\u{202e}b\u{7}\n");
        section.value("empty", " \n");
        section.add(" ", Item::default());
        assert_eq!(section.items.keys().collect::<Vec<_>>(), ["name"]);
        assert_eq!(section.items["name"].as_text("value"), Some("ab"));
        assert_eq!(plain(&"ä".repeat(128), 256).len(), 256);
        let cut = plain(&"ä".repeat(129), 256);
        assert!(cut.len() <= 256 && cut.ends_with('…'), "{cut}");
    }
}
