//! Signatures of packs: the one place where the scanner knows of statements.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use bartizan_scan::pack::{PackFile, body_digest};
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::Sha256;
use bartizan_trust::keys::PublicKey;
use bartizan_trust::statement::{Pack, SignatureRole, V1};
use bartizan_trust::time::UnixSeconds;

/// Reads the keys that may sign packs.
pub(crate) fn read_keys(file: &Path) -> Result<Vec<PublicKey>> {
    let text =
        fs::read_to_string(file).with_context(|| format!("read the keys in {}", file.display()))?;
    let mut keys = Vec::new();
    for line in text.lines().map(str::trim) {
        if !line.is_empty() && !line.starts_with('#') {
            // The words behind the key are a comment.
            let key: Vec<&str> = line.split_ascii_whitespace().take(2).collect();
            let key = PublicKey::parse_openssh(&key.join(" "))
                .with_context(|| format!("read a key in {}", file.display()))?;
            keys.push(key);
        }
    }
    if keys.is_empty() {
        bail!("{} names no key", file.display());
    }
    Ok(keys)
}

/// A statement about a pack that people can sign.
pub(crate) fn unsigned(
    pack: &bartizan_scan::pack::Pack,
    body: &[u8],
    org: &str,
) -> Result<Vec<u8>> {
    let statement = Pack {
        v: V1,
        org: org.parse().context("--org: an id as `bartizan org` shows it")?,
        iat: UnixSeconds::new(u64::try_from(pack.made.0).unwrap_or_default()),
        crit: Vec::new(),
        name: pack.name.clone(),
        version: pack.version.clone(),
        body: Sha256::of(body),
    };
    let encoded = Envelope::new(&statement).encode();
    // What is written must be readable: names that are no plain text are found out here.
    Envelope::decode(&encoded)
        .and_then(|envelope| envelope.statement::<Pack>())
        .context("name and version of the pack: one line of plain text")?;
    Ok(encoded)
}

/// Whose signature makes a pack believable, or why none does.
pub(crate) fn signer(pack: &PackFile<'_>, keys: &[PublicKey]) -> Result<String> {
    if pack.envelope.is_empty() {
        bail!("nobody signed it");
    }
    let envelope = Envelope::decode(pack.envelope).context("read its signature")?;
    let statement: Pack = envelope.statement().context("read its signature")?;
    if statement.body.to_string() != body_digest(pack.body) {
        bail!("its signature is about another pack");
    }
    let (verified, _) = envelope.verify_signatures();
    let signature = verified
        .iter()
        .find(|signature| signature.role == SignatureRole::Pack && keys.contains(&signature.key));
    match signature {
        Some(signature) => Ok(signature.key.fingerprint()),
        None => bail!("none of the keys that may sign packs signed it"),
    }
}
