//! A bundle field by field: everything that is signed, and what differs from the bundle before. Made from the
//! exact payload, so that no field can be forgotten here when one is added.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use bartizan_trust::chain::Chain;
use bartizan_trust::envelope::Envelope;
use bartizan_trust::state::TrustState;
use bartizan_trust::statement::{Bundle, SignatureRole, encode_payload};
use bartizan_trust::tighten::only_tightens;
use serde_json::Value;

use crate::terminal::cell;

/// Elements of lists are named by one of these, so that a removed one does not rename the others.
const NAMES: [&str; 6] = ["id", "class", "ssh", "tenant", "spki", "name"];
/// Differ from one bundle to the next without meaning anything by themselves.
const CHAIN: [&str; 4] = ["version", "prev", "iat", "org"];

type Fields = BTreeMap<String, String>;

fn fields(payload: &[u8]) -> Result<Fields> {
    let value: Value = serde_json::from_slice(payload).context("read the bundle")?;
    let mut fields = Fields::new();
    walk("", &value, &mut fields);
    Ok(fields)
}

fn walk(path: &str, value: &Value, fields: &mut Fields) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let place = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                walk(&place, value, fields);
            }
        }
        Value::Array(elements) if elements.is_empty() => {
            fields.insert(path.to_owned(), "none".to_owned());
        }
        Value::Array(elements) => {
            for (number, element) in elements.iter().enumerate() {
                let name = NAMES.iter().find_map(|name| element.get(name)?.as_str());
                let name = match (name, element.as_str()) {
                    (Some(name), _) | (None, Some(name)) => cell(name),
                    (None, None) => number.to_string(),
                };
                walk(&format!("{path}[{name}]"), element, fields);
            }
        }
        Value::String(text) => {
            fields.insert(path.to_owned(), text.lines().map(cell).collect::<Vec<_>>().join(" ⏎ "));
        }
        other => {
            fields.insert(path.to_owned(), other.to_string());
        }
    }
}

/// Every field of a bundle, a line each.
pub(crate) fn all(envelope: &Envelope) -> Result<String> {
    let mut text = String::new();
    for (place, value) in fields(envelope.payload())? {
        text += &format!("  {place} = {value}\n");
    }
    Ok(text)
}

/// A field that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) name: String,
    /// Before; absent where it is new.
    pub(crate) was: Option<String>,
    /// Now; absent where it is gone.
    pub(crate) is: Option<String>,
}

/// Every field in which a bundle differs from the one before; of the first, every field.
pub(crate) fn differing(before: Option<&Bundle>, envelope: &Envelope) -> Result<Vec<Place>> {
    let mut old = match before {
        Some(bundle) => fields(&encode_payload(bundle))?,
        None => Fields::new(),
    };
    let mut places: BTreeMap<String, Place> = BTreeMap::new();
    for (name, is) in fields(envelope.payload())? {
        let was = old.remove(&name);
        if was.as_ref() != Some(&is) {
            places.insert(name.clone(), Place { name, was, is: Some(is) });
        }
    }
    for (name, was) in old {
        places.insert(name.clone(), Place { name, was: Some(was), is: None });
    }
    places.retain(|name, _| before.is_none() || !CHAIN.contains(&name.as_str()));
    Ok(places.into_values().collect())
}

/// What a bundle changes of the one it follows, and when that acts.
pub(crate) fn changes(chain: &Chain, envelope: &Envelope) -> Result<String> {
    let next: Bundle = envelope.statement().context("read the bundle")?;
    let last = chain.pending.last().map_or(&chain.current, |pending| &pending.trust);
    let Some(before) = [last, &chain.current].into_iter().find(|b| next.prev == Some(b.id)) else {
        return Ok(
            "this bundle does not follow the last one: endpoints will refuse it\n".to_owned()
        );
    };
    let mut text = String::from("changes\n");
    for Place { name, was, is } in differing(Some(&before.bundle), envelope)? {
        match (was, is) {
            (Some(was), Some(is)) => text += &format!("  {name}: {was} → {is}\n"),
            (Some(was), None) => text += &format!("- {name} = {was}\n"),
            (None, Some(is)) => text += &format!("+ {name} = {is}\n"),
            (None, None) => {}
        }
    }
    text += &when(chain, before, &next, envelope);
    if before.id != last.id {
        text += &format!("it drops {} that wait\n", chain.pending.len());
    }
    Ok(text)
}

/// When it acts, by the rules of `docs/spec/verification.md` B3 and B7.
fn when(chain: &Chain, before: &TrustState, next: &Bundle, envelope: &Envelope) -> String {
    let (verified, _) = envelope.verify_signatures();
    // As long as no root operator of the bundle before has signed, it can only be a recovery.
    let recovers = verified.iter().any(|signature| signature.role == SignatureRole::Recover);
    if recovers {
        return format!(
            "a recovery: it waits {}, every console sees it, and one operator of the bundle in force can veto it\n",
            length(before.bundle.recovery.delay_s)
        );
    }
    if only_tightens(&before.bundle, next) {
        return if before.id == chain.current.id {
            "it only takes away, and acts at once\n".to_owned()
        } else {
            "it only takes away, and acts when those before it do\n".to_owned()
        };
    }
    format!(
        "it allows something new: it waits {} where the organisation is older than a week\n",
        length(before.bundle.weaken_delay_s)
    )
}

fn length(seconds: u64) -> String {
    if seconds < 2 * 3600 { format!("{seconds} s") } else { format!("{} h", seconds / 3600) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_leaf_has_a_place_and_lists_are_named_by_what_they_hold() {
        let payload = r#"{"operators":[{"id":"op_a","keys":[{"ssh":"k1","uv":true}]},{"id":"op_b","keys":[]}],"log":{"policy":"a\nb\n"},"n":1}"#;
        let found = fields(payload.as_bytes()).expect("fields");
        let expected = [
            ("log.policy", "a ⏎ b"),
            ("n", "1"),
            ("operators[op_a].id", "op_a"),
            ("operators[op_a].keys[k1].ssh", "k1"),
            ("operators[op_a].keys[k1].uv", "true"),
            ("operators[op_b].id", "op_b"),
            ("operators[op_b].keys", "none"),
        ];
        let expected: Fields = expected
            .iter()
            .map(|(place, value)| ((*place).to_owned(), (*value).to_owned()))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn hostile_text_in_a_field_is_shown_and_not_obeyed() {
        let found = fields("{\"name\":\"a\u{1b}[2Jb\u{202e}c\"}".as_bytes());
        // JSON with a raw control character is refused; an escaped one is shown as a dot.
        assert!(found.is_err());
        let found = fields(br#"{"name":"a\u001b[2Jb\u202ec"}"#).expect("fields");
        assert!(!found["name"].contains('\u{1b}') && !found["name"].contains('\u{202e}'));
    }
}
