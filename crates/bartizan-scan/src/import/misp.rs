//! MISP events as JSON: attributes, alone and in objects.

use serde::Deserialize;

use super::{Context, Imported, NotTheFormat};
use crate::time::UnixSeconds;

#[derive(Deserialize)]
#[serde(untagged)]
enum Document {
    One {
        #[serde(rename = "Event")]
        event: Event,
    },
    Many {
        response: Vec<Wrapped>,
    },
    Bare(Event),
}

#[derive(Deserialize)]
struct Wrapped {
    #[serde(rename = "Event")]
    event: Event,
}

#[derive(Deserialize)]
struct Event {
    #[serde(default)]
    info: String,
    #[serde(default)]
    uuid: String,
    #[serde(rename = "Attribute", default)]
    attributes: Vec<Attribute>,
    #[serde(rename = "Object", default)]
    objects: Vec<Object>,
}

#[derive(Deserialize)]
struct Object {
    #[serde(rename = "Attribute", default)]
    attributes: Vec<Attribute>,
}

#[derive(Deserialize)]
struct Attribute {
    #[serde(rename = "type")]
    kind: String,
    value: String,
    #[serde(default)]
    comment: String,
    #[serde(default)]
    uuid: String,
    #[serde(default = "yes")]
    to_ids: bool,
    #[serde(default)]
    first_seen: Option<String>,
    #[serde(default)]
    last_seen: Option<String>,
}

const fn yes() -> bool {
    true
}

/// Reads an event, or several.
pub fn misp(name: &str, text: &[u8]) -> Result<Imported, NotTheFormat> {
    let document: Document = serde_json::from_slice(text).map_err(|error| NotTheFormat {
        name: name.to_owned(),
        format: "a MISP event",
        why: error.to_string(),
    })?;
    let events = match document {
        // Any object can be read as an event of which nothing is told.
        Document::Bare(Event { info, attributes, objects, .. })
            if info.is_empty() && attributes.is_empty() && objects.is_empty() =>
        {
            return Err(NotTheFormat {
                name: name.to_owned(),
                format: "a MISP event",
                why: "neither `Event` nor `response` nor `Attribute` stands in it".to_owned(),
            });
        }
        Document::One { event } | Document::Bare(event) => vec![event],
        Document::Many { response } => response.into_iter().map(|wrapped| wrapped.event).collect(),
    };
    let mut imported = Imported::default();
    for event in &events {
        let source = format!("MISP {} {}", event.uuid, event.info);
        let of_objects = event.objects.iter().flat_map(|object| &object.attributes);
        for attribute in event.attributes.iter().chain(of_objects) {
            take(&mut imported, attribute, source.trim(), &event.info);
        }
    }
    Ok(imported)
}

fn take(imported: &mut Imported, attribute: &Attribute, source: &str, info: &str) {
    // Its maker says that it is context, and no sign of anything.
    if !attribute.to_ids {
        return imported.skip("attributes that are not meant for detection");
    }
    let date = |text: &Option<String>| text.as_deref().and_then(UnixSeconds::parse);
    let context = Context {
        place: &attribute.uuid,
        what: if attribute.comment.is_empty() { info } else { &attribute.comment },
        source,
        from: date(&attribute.first_seen),
        until: date(&attribute.last_seen).map(|last| UnixSeconds(last.0 + 1)),
    };
    // `filename|sha256` holds two values.
    let kinds: Vec<&str> = attribute.kind.split('|').collect();
    let values: Vec<&str> = match kinds.as_slice() {
        [_] => vec![attribute.value.as_str()],
        _ => attribute.value.splitn(kinds.len(), '|').collect(),
    };
    if kinds.len() != values.len() {
        return imported.reject(&attribute.uuid, "fewer values than its type says");
    }
    let with_digest = kinds.iter().any(|kind| is_digest(kind));
    for (kind, value) in kinds.iter().zip(values) {
        match *kind {
            kind if is_digest(kind) => imported.digest(value, &context),
            // The digest says it better than the name.
            "filename" if with_digest => {}
            "filename" => imported.path(value, &context),
            "ip-src" | "ip-dst" | "domain" | "hostname" => imported.network(value, &context),
            "url" | "uri" => imported.url(value, &context),
            "regkey" => imported.registry(value, None, &context),
            // The port of an address, the value of a key: they follow what was taken.
            "port" | "value" if kinds.len() > 1 => {}
            other => imported.skip(format!("MISP attributes of type {other}")),
        }
    }
}

fn is_digest(kind: &str) -> bool {
    matches!(kind, "md5" | "sha1" | "sha256")
}
