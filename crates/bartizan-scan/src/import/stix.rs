//! STIX 2.1 bundles: indicators whose patterns compare an object's property with a constant, joined by `OR`. Patterns
//! that demand several things at once mean less than each of them alone, so they are counted and left out.

use serde::Deserialize;

use super::{Context, Imported, NotTheFormat};
use crate::time::UnixSeconds;

#[derive(Deserialize)]
struct Bundle {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    objects: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct Indicator {
    id: String,
    pattern: String,
    #[serde(default)]
    pattern_type: Option<String>,
    #[serde(default)]
    name: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    revoked: bool,
    #[serde(default)]
    valid_from: Option<String>,
    #[serde(default)]
    valid_until: Option<String>,
}

/// Reads a bundle.
pub fn stix(name: &str, text: &[u8]) -> Result<Imported, NotTheFormat> {
    let wrong =
        |why: String| NotTheFormat { name: name.to_owned(), format: "a STIX 2.1 bundle", why };
    let bundle: Bundle = serde_json::from_slice(text).map_err(|error| wrong(error.to_string()))?;
    if bundle.kind != "bundle" {
        return Err(wrong(format!("its type is `{}`", bundle.kind)));
    }
    let mut imported = Imported::default();
    for object in bundle.objects {
        let kind = object.get("type").and_then(|kind| kind.as_str()).unwrap_or_default().to_owned();
        if kind != "indicator" {
            imported.skip(format!("STIX objects of type {kind}"));
            continue;
        }
        match serde_json::from_value::<Indicator>(object) {
            Ok(indicator) => take(&mut imported, name, &indicator),
            Err(error) => imported.reject(name, error.to_string()),
        }
    }
    Ok(imported)
}

fn take(imported: &mut Imported, name: &str, indicator: &Indicator) {
    if indicator.revoked {
        return imported.skip("revoked STIX indicators");
    }
    if let Some(other) = indicator.pattern_type.as_deref().filter(|kind| *kind != "stix") {
        return imported.skip(format!("STIX indicators with patterns of type {other}"));
    }
    let Some(comparisons) = parse(&indicator.pattern) else {
        return imported.skip("STIX patterns beyond comparisons joined by OR");
    };
    let date = |text: &Option<String>| text.as_deref().and_then(UnixSeconds::parse);
    let source = format!("{name} {}", indicator.id);
    let context = Context {
        place: &indicator.id,
        what: if indicator.description.is_empty() {
            &indicator.name
        } else {
            &indicator.description
        },
        source: &source,
        from: date(&indicator.valid_from),
        until: date(&indicator.valid_until),
    };
    for (path, value) in comparisons {
        match path.as_str() {
            path if path.starts_with("file:hashes") => imported.digest(&value, &context),
            "file:name" | "file:parent_directory_ref.path" | "directory:path" => {
                imported.path(&value, &context);
            }
            "ipv4-addr:value" | "ipv6-addr:value" | "domain-name:value" => {
                imported.network(&value, &context);
            }
            "url:value" => imported.url(&value, &context),
            "windows-registry-key:key" => imported.registry(&value, None, &context),
            other => imported.skip(format!("STIX comparisons of {other}")),
        }
    }
}

/// The comparisons of a pattern, as path and constant; `None` for anything else than `[a = 'b' OR c = 'd'] OR [e = 'f']`.
fn parse(pattern: &str) -> Option<Vec<(String, String)>> {
    let mut rest = pattern.trim();
    let mut comparisons = Vec::new();
    loop {
        rest = rest.strip_prefix('[')?.trim_start();
        loop {
            let equals = rest.find('=')?;
            let path = rest.get(..equals)?.trim();
            if path.is_empty() || path.contains([' ', '[', ']', '<', '>', '!']) {
                return None;
            }
            let (value, after) = constant(rest.get(equals + 1..)?.trim_start())?;
            comparisons.push((path.replace('\'', ""), value));
            rest = after.trim_start();
            match rest.strip_prefix("OR ") {
                Some(next) => rest = next.trim_start(),
                None => break,
            }
        }
        rest = rest.strip_prefix(']')?.trim_start();
        if rest.is_empty() {
            return Some(comparisons);
        }
        rest = rest.strip_prefix("OR ")?.trim_start();
    }
}

/// A text in single quotes, where `\'` and `\\` stand for themselves.
fn constant(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.strip_prefix('\'')?.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '\'' => return Some((value, text.get(at + 2..)?)),
            '\\' => value.push(characters.next()?.1),
            other => value.push(other),
        }
    }
    None
}
