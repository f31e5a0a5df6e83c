//! STIX 2.1: what was seen, by which rule, where.

use data_encoding::HEXLOWER;
use ring::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY};
use serde_json::{Value, json};

use crate::model::{Finding, Report};
use crate::time::UnixSeconds;

/// In which names are unique: ours, drawn once.
const NAMESPACE: [u8; 16] = *b"\x8e\x21\xc7\x0b\x5d\x94\x4f\x36\xa1\x7e\x62\xd8\x03\xbb\x49\xf5";

pub(super) fn render(report: &Report) -> String {
    let who = id("identity", &report.tool);
    let mut objects = vec![json!({
        "type": "identity", "spec_version": "2.1", "id": who,
        "created": stamp(report.started), "modified": stamp(report.started),
        "name": report.tool, "identity_class": "system",
    })];
    let mut indicators = std::collections::BTreeSet::new();
    for (number, finding) in report.findings.iter().enumerate() {
        let indicator = id("indicator", &format!("{}/{}", finding.pack, finding.rule.id));
        if indicators.insert(indicator.clone()) {
            objects.push(indicator_of(report, finding, &indicator, &who));
        }
        let key = format!("{} {} {number}", report.scope, report.started);
        let observed = add_observed(&mut objects, report, finding, &key, &who);
        let first =
            finding.evidence.happened.or(finding.evidence.modified).unwrap_or(report.started);
        objects.push(json!({
            "type": "sighting", "spec_version": "2.1", "id": id("sighting", &key),
            "created": stamp(report.ended), "modified": stamp(report.ended), "created_by_ref": who,
            "sighting_of_ref": indicator, "observed_data_refs": [observed],
            "where_sighted_refs": [who], "count": 1,
            "first_seen": stamp(first), "last_seen": stamp(first.max(report.ended)),
            "description": format!("{} at {}", finding.rule.reason, finding.evidence.place),
        }));
    }
    super::line(
        &json!({ "type": "bundle", "id": id("bundle", &format!("{} {}", report.scope, report.started)), "objects": objects }),
    )
}

fn indicator_of(report: &Report, finding: &Finding, indicator: &str, who: &str) -> Value {
    let pattern = match &finding.evidence.sha256 {
        Some(digest) => format!("[file:hashes.'SHA-256' = '{digest}']"),
        None => format!(
            "[file:name = '{}']",
            finding.evidence.place.replace('\\', "\\\\").replace('\'', "\\'")
        ),
    };
    json!({
        "type": "indicator", "spec_version": "2.1", "id": indicator,
        "created": stamp(report.started), "modified": stamp(report.started), "created_by_ref": who,
        "name": format!("{}/{}", finding.pack, finding.rule.id),
        "description": finding.rule.reason, "indicator_types": ["compromised"],
        "pattern": pattern, "pattern_type": "stix", "valid_from": stamp(report.started),
        "confidence": match finding.rule.confidence {
            crate::model::Confidence::Low => 25,
            crate::model::Confidence::Medium => 60,
            crate::model::Confidence::High => 95,
        },
    })
}

fn add_observed(
    objects: &mut Vec<Value>,
    report: &Report,
    finding: &Finding,
    key: &str,
    who: &str,
) -> String {
    let evidence = &finding.evidence;
    let file = id("file", key);
    let mut object =
        json!({ "type": "file", "spec_version": "2.1", "id": file, "name": evidence.place });
    if let Some(fields) = object.as_object_mut() {
        if let Some(digest) = &evidence.sha256 {
            fields.insert("hashes".to_owned(), json!({ "SHA-256": digest }));
        }
        if let Some(size) = evidence.size {
            fields.insert("size".to_owned(), json!(size));
        }
        if let Some(modified) = evidence.modified {
            fields.insert("mtime".to_owned(), json!(stamp(modified)));
        }
    }
    objects.push(object);
    let observed = id("observed-data", key);
    objects.push(json!({
        "type": "observed-data", "spec_version": "2.1", "id": observed,
        "created": stamp(report.ended), "modified": stamp(report.ended), "created_by_ref": who,
        "first_observed": stamp(report.started), "last_observed": stamp(report.ended),
        "number_observed": 1, "object_refs": [file],
    }));
    observed
}

/// Ids are made from what they name, as UUIDs of version 5 are: the same scan has the same ids, and readers that know no newer
/// version accept them.
fn id(kind: &str, name: &str) -> String {
    let mut context = Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
    context.update(&NAMESPACE);
    context.update(format!("{kind} {name}").as_bytes());
    let digest = context.finish();
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().zip(digest.as_ref()) {
        *to = *from;
    }
    bytes[6] = bytes[6] & 0x0f | 0x50;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = HEXLOWER.encode(&bytes);
    let part = |range: core::ops::Range<usize>| hex.get(range).unwrap_or_default();
    format!(
        "{kind}--{}-{}-{}-{}-{}",
        part(0..8),
        part(8..12),
        part(12..16),
        part(16..20),
        part(20..32)
    )
}

fn stamp(time: UnixSeconds) -> String {
    time.to_string().replace('Z', ".000Z")
}

#[cfg(test)]
mod tests {
    use super::id;

    #[test]
    fn ids_are_uuids_that_every_reader_of_stix_knows() {
        let one = id("indicator", "a");
        let (kind, uuid) = one.split_once("--").unwrap();
        let parts: Vec<&str> = uuid.split('-').collect();
        assert_eq!(parts.iter().map(|part| part.len()).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
        assert!(kind == "indicator" && parts[2].starts_with('5'), "{one}");
        assert!(parts[3].starts_with(['8', '9', 'a', 'b']), "{one}");
        assert!(
            one == id("indicator", "a") && one != id("indicator", "b") && one != id("file", "a")
        );
    }
}
