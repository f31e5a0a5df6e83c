//! A vendor with keys of its own, and a TUF repository that it signs truly.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, anyhow};
use bartizan_trust::id::Sha256;
use data_encoding::HEXLOWER;
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};

use super::report::day;
use crate::home::now;

/// How long the metadata is good.
const GOOD_S: u64 = 30 * 86_400;

/// One key in all four roles.
pub(super) struct Vendor {
    key: Ed25519KeyPair,
    expires: String,
}

/// A file of metadata: its name and its bytes.
pub(super) type File = (&'static str, Vec<u8>);

impl Vendor {
    pub(super) fn new() -> Result<Self> {
        let bytes = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new())
            .map_err(|_| anyhow!("no randomness for the vendor's key"))?;
        let key = Ed25519KeyPair::from_pkcs8(bytes.as_ref())
            .map_err(|_| anyhow!("the vendor's key is not one"))?;
        Ok(Self { key, expires: format!("{}T00:00:00Z", day(now().plus(GOOD_S))) })
    }

    /// What a package pins.
    pub(super) fn root(&self) -> Result<Vec<u8>> {
        let id = self.key_id();
        let role = json!({ "keyids": [id], "threshold": 1 });
        self.signed(
            "root",
            &[
                ("consistent_snapshot", json!(false)),
                ("keys", json!({ id: self.public() })),
                (
                    "roles",
                    json!({ "root": role, "targets": role, "snapshot": role, "timestamp": role }),
                ),
            ],
        )
    }

    /// A repository with one program in it.
    pub(super) fn repository(
        &self,
        target: &str,
        version: &str,
        program: &[u8],
    ) -> Result<Vec<File>> {
        let listed = json!({ target: { "custom": { "version": version }, "hashes": hash(program), "length": program.len() } });
        let targets = self.signed("targets", &[("targets", listed)])?;
        let snapshot = self.signed("snapshot", &[("meta", meta("targets.json", &targets))])?;
        let timestamp = self.signed("timestamp", &[("meta", meta("snapshot.json", &snapshot))])?;
        Ok(vec![
            ("1.root.json", self.root()?),
            ("targets.json", targets),
            ("snapshot.json", snapshot),
            ("timestamp.json", timestamp),
        ])
    }

    fn signed(&self, kind: &str, fields: &[(&str, Value)]) -> Result<Vec<u8>> {
        let mut document = json!({ "_type": kind, "expires": self.expires, "spec_version": "1.0.0", "version": 1 });
        let object = document.as_object_mut().context("a document has fields")?;
        object.extend(fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        let signature = self.key.sign(canonical(&document).as_bytes());
        let signature =
            json!({ "keyid": self.key_id(), "sig": HEXLOWER.encode(signature.as_ref()) });
        serde_json::to_vec(&json!({ "signatures": [signature], "signed": document }))
            .context("write metadata")
    }

    fn public(&self) -> Value {
        let public = HEXLOWER.encode(self.key.public_key().as_ref());
        json!({ "keytype": "ed25519", "keyval": { "public": public }, "scheme": "ed25519" })
    }

    fn key_id(&self) -> String {
        Sha256::of(canonical(&self.public()).as_bytes()).to_string()
    }
}

/// Canonical JSON, as TUF signs it: sorted fields and no blanks; the texts here are plain ASCII. The order of a `Value` is no
/// promise: other crates of a build may choose another.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let fields: BTreeMap<&String, &Value> = fields.iter().collect();
            let field = |(name, value): (&String, &Value)| {
                format!("{}:{}", Value::from(name.as_str()), canonical(value))
            };
            format!("{{{}}}", fields.into_iter().map(field).collect::<Vec<_>>().join(","))
        }
        Value::Array(items) => {
            format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(","))
        }
        plain => plain.to_string(),
    }
}

fn hash(bytes: &[u8]) -> Value {
    json!({ "sha256": Sha256::of(bytes).to_string() })
}

fn meta(name: &str, bytes: &[u8]) -> Value {
    json!({ name: { "hashes": hash(bytes), "length": bytes.len(), "version": 1 } })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn canonical_json_has_sorted_fields_and_no_blanks() {
        let value = json!({ "b": [1, { "d": true, "c": "x" }], "a": null });
        assert_eq!(super::canonical(&value), r#"{"a":null,"b":[1,{"c":"x","d":true}]}"#);
    }
}
