//! Custom fields: what their values may be, and whose value holds for an endpoint.

use core::cmp::Ordering;
use std::collections::BTreeMap;

use bartizan_proto::inventory::Comparison;
use bartizan_proto::management::FieldKind;
use bartizan_store::{FieldRecord, Numbered};
use bartizan_trust::statement::is_plain_char;

pub(crate) type Kind = FieldKind;

/// Longest value, in characters.
pub(crate) const VALUE_CHARS_MAX: usize = 256;

/// A field and what can be chosen.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) kind: Kind,
    pub(crate) choices: Vec<String>,
}

impl Field {
    /// As it is stored; nothing if somebody edited its kind into nonsense.
    pub(crate) fn of(record: &FieldRecord) -> Option<Self> {
        let kind = Kind::parse(&record.kind)?;
        Some(Self { kind, choices: record.choices.lines().map(str::to_owned).collect() })
    }

    /// A value in its one form; nothing if it is none of this field.
    pub(crate) fn parse(&self, text: &str) -> Option<String> {
        let text = text.trim();
        let plain = !text.is_empty()
            && text.chars().count() <= VALUE_CHARS_MAX
            && text.chars().all(is_plain_char);
        match self.kind {
            _ if !plain => None,
            Kind::Text => Some(text.to_owned()),
            Kind::Number => text.parse::<i64>().ok().map(|number| number.to_string()),
            Kind::Date => is_date(text).then(|| text.to_owned()),
            Kind::Choice => {
                self.choices.iter().find(|choice| choice.eq_ignore_ascii_case(text)).cloned()
            }
            Kind::YesNo => match text.to_lowercase().as_str() {
                "yes" | "true" => Some("yes".to_owned()),
                "no" | "false" => Some("no".to_owned()),
                _ => None,
            },
        }
    }

    /// What a query compares with; nothing if this field does not compare so.
    pub(crate) fn wanted(&self, comparison: Comparison, text: &str) -> Option<String> {
        let ordered = matches!(self.kind, Kind::Number | Kind::Date);
        let only_same = matches!(comparison, Comparison::Equal | Comparison::Other);
        if ordered || only_same { self.parse(text) } else { None }
    }

    /// How a stored value stands to what is wanted.
    pub(crate) fn order(&self, has: &str, wanted: &str) -> Ordering {
        match self.kind {
            Kind::Number => {
                has.parse::<i64>().unwrap_or(i64::MIN).cmp(&wanted.parse().unwrap_or(i64::MIN))
            }
            // Written with the year first they are in order as text.
            Kind::Date => has.cmp(wanted),
            Kind::Text | Kind::Choice | Kind::YesNo => {
                has.to_lowercase().cmp(&wanted.to_lowercase())
            }
        }
    }
}

/// `2027-01-31`, a day that there is.
fn is_date(text: &str) -> bool {
    let digits = |range: core::ops::Range<usize>| {
        let part = text.get(range)?;
        part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse::<u32>().ok())?
    };
    let shape = text.len() == 10 && text.get(4..5) == Some("-") && text.get(7..8) == Some("-");
    let (Some(year), Some(month), Some(day), true) =
        (digits(0..4), digits(5..7), digits(8..10), shape)
    else {
        return false;
    };
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 0,
    };
    (1..=days).contains(&day)
}

/// The value that holds for an endpoint and where it comes from: its own before its site's before its tenant's.
pub(crate) fn effective<'v>(
    places: &BTreeMap<(&str, &str), &'v str>,
    endpoint: &Numbered,
) -> Option<(&'static str, &'v str)> {
    let tenant = endpoint.tenant.as_ref().map(ToString::to_string);
    let site = tenant
        .as_ref()
        .zip(endpoint.site.as_ref())
        .map(|(tenant, site)| format!("{tenant}/{site}"));
    let own = endpoint.id.to_string();
    for (scope, target) in [("endpoint", Some(own)), ("site", site), ("tenant", tenant)] {
        if let Some(value) =
            target.and_then(|target| places.get(&(scope, target.as_str())).copied())
        {
            return Some((scope, value));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(kind: Kind) -> Field {
        Field { kind, choices: vec!["Gold".to_owned(), "Silver".to_owned()] }
    }

    #[test]
    fn values_are_of_their_kind() {
        for (kind, text, expected) in [
            (Kind::Text, " Alice ", Some("Alice")),
            (Kind::Text, "", None),
            (Kind::Text, "a\u{202e}b", None),
            (Kind::Number, "007", Some("7")),
            (Kind::Number, "-5", Some("-5")),
            (Kind::Number, "1.5", None),
            (Kind::Date, "2028-02-29", Some("2028-02-29")),
            (Kind::Date, "2027-02-29", None),
            (Kind::Date, "2027-13-01", None),
            (Kind::Date, "2027-1-1", None),
            (Kind::Date, "2027-04-31", None),
            (Kind::Date, "+027-04-30", None),
            (Kind::Choice, "gold", Some("Gold")),
            (Kind::Choice, "lead", None),
            (Kind::YesNo, "Yes", Some("yes")),
            (Kind::YesNo, "false", Some("no")),
            (Kind::YesNo, "1", None),
        ] {
            assert_eq!(field(kind).parse(text).as_deref(), expected, "{kind:?} {text}");
        }
        assert!(field(Kind::Text).parse(&"x".repeat(VALUE_CHARS_MAX)).is_some());
        assert!(field(Kind::Text).parse(&"x".repeat(VALUE_CHARS_MAX + 1)).is_none());
    }

    #[test]
    fn numbers_and_dates_have_an_order_and_names_have_none() {
        assert!(field(Kind::Number).wanted(Comparison::Below, "10").is_some());
        assert!(field(Kind::Number).order("9", "10").is_lt());
        assert!(field(Kind::Date).order("2027-09-01", "2027-10-01").is_lt());
        assert!(field(Kind::Text).wanted(Comparison::Below, "alice").is_none());
        assert!(field(Kind::Text).wanted(Comparison::Other, "alice").is_some());
        assert!(field(Kind::Text).order("Alice", "alice").is_eq());
    }
}
