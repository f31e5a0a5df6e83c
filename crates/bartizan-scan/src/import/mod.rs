//! Rules of others become packs. What is not understood is counted and named, never dropped in silence.

mod csv;
mod misp;
mod openioc;
mod rules;
mod stix;
#[cfg(test)]
mod tests;

pub use csv::csv;
pub use misp::misp;
pub use openioc::openioc;
pub use rules::{sigma, yara};
pub use stix::stix;

use std::collections::BTreeMap;

use crate::limits;
use crate::model::{Confidence, Level, Rule, cut};
use crate::network::Named;
use crate::pack::{DigestEntry, DigestList, FileCondition, FileRule, NetworkRule, Pack};
use crate::pack::{RegistryRule, SigmaRule, YaraRule};
use crate::time::UnixSeconds;

/// What came of an import.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Imported {
    /// The rules; name, version and dates are the caller's.
    pub pack: Pack,
    /// What was not understood, by kind.
    pub not_understood: BTreeMap<String, u64>,
    /// What was understood and is not usable, up to [`limits::IMPORT_REJECTS_NAMED_MAX`] by name.
    pub rejected: Vec<Rejected>,
    /// All of them, also those not named.
    pub rejected_count: u64,
}

/// Something that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// Where: file and line, or the id of the object.
    pub place: String,
    /// Why.
    pub why: String,
}

/// The document is not of its format at all.
#[derive(Debug, thiserror::Error)]
#[error("{name} is not {format}: {why}")]
pub struct NotTheFormat {
    /// Which document.
    pub name: String,
    /// What it should be.
    pub format: &'static str,
    /// What is wrong with it.
    pub why: String,
}

/// What is said of an indicator besides its value.
#[derive(Debug, Clone, Copy, Default)]
struct Context<'a> {
    /// Where it stands.
    place: &'a str,
    /// What it is.
    what: &'a str,
    /// Who says so.
    source: &'a str,
    from: Option<UnixSeconds>,
    until: Option<UnixSeconds>,
}

impl Imported {
    /// Adds what another document gave.
    pub fn merge(&mut self, other: Self) {
        let pack = other.pack;
        self.pack.files.extend(pack.files);
        self.pack.registry.extend(pack.registry);
        self.pack.yara.extend(pack.yara);
        self.pack.sigma.extend(pack.sigma);
        self.pack.network.extend(pack.network);
        for list in pack.digests {
            match self.pack.digests.iter_mut().find(|known| known.rule == list.rule) {
                Some(known) => known.entries.extend(list.entries),
                None => self.pack.digests.push(list),
            }
        }
        for (kind, count) in other.not_understood {
            *self.not_understood.entry(kind).or_default() += count;
        }
        let room = limits::IMPORT_REJECTS_NAMED_MAX.saturating_sub(self.rejected.len());
        self.rejected.extend(other.rejected.into_iter().take(room));
        self.rejected_count += other.rejected_count;
    }

    fn skip(&mut self, kind: impl Into<String>) {
        let kind = cut(&kind.into(), limits::RULE_TEXT_BYTES_MAX);
        *self.not_understood.entry(kind).or_default() += 1;
    }

    fn reject(&mut self, place: &str, why: impl Into<String>) {
        self.rejected_count += 1;
        if self.rejected.len() < limits::IMPORT_REJECTS_NAMED_MAX {
            self.rejected.push(Rejected { place: place.to_owned(), why: why.into() });
        }
    }

    fn digest(&mut self, text: &str, context: &Context<'_>) {
        let digest = text.trim().to_ascii_lowercase();
        if let Err(why) = check_digest(&digest) {
            return self.reject(context.place, why);
        }
        let rule = head("digest", Level::Suspicious, Confidence::High, context);
        let entry = DigestEntry { digest, also: Vec::new(), what: context.what.to_owned() };
        match self.pack.digests.iter_mut().find(|list| list.rule == rule) {
            Some(list) => list.entries.push(entry),
            None => {
                self.pack.digests.push(DigestList { rule, path: Vec::new(), entries: vec![entry] });
            }
        }
    }

    /// A file name, or a path with or without a drive and wildcards.
    fn path(&mut self, text: &str, context: &Context<'_>) {
        let text = text.trim();
        if text.is_empty() || text.len() > limits::RULE_TEXT_BYTES_MAX {
            return self.reject(context.place, "an empty or overlong path");
        }
        let mut glob = text.replace('\\', "/").to_lowercase();
        // Variables stand for folders that differ from machine to machine, and so do drives.
        while let Some((before, rest)) = glob.split_once('%') {
            let Some((_, after)) = rest.split_once('%') else { break };
            glob = format!("{before}**{after}");
        }
        if let Some((drive, rest)) = glob.split_once(":/")
            && drive.len() <= 1
        {
            glob = format!("/{rest}");
        }
        let glob = match glob.strip_prefix('/') {
            Some(rest) => format!("**/{rest}"),
            None if glob.starts_with("**") => glob,
            None => format!("**/{glob}"),
        };
        if globset::Glob::new(&glob).is_err() {
            return self.reject(context.place, "not a usable path pattern");
        }
        let id = format!("file.{}", slug(text));
        self.pack.files.push(FileRule {
            rule: head(&id, Level::Suspicious, Confidence::Low, context),
            when: FileCondition { path: vec![glob], ..FileCondition::default() },
        });
    }

    fn network(&mut self, text: &str, context: &Context<'_>) {
        if Named::parse(text).is_none() {
            return self.reject(context.place, "neither an address, a network nor a domain");
        }
        if matches!((context.from, context.until), (Some(from), Some(until)) if until <= from) {
            return self.reject(context.place, "its dates are in the wrong order");
        }
        let id = format!("network.{}", slug(text));
        self.pack.network.push(NetworkRule {
            rule: head(&id, Level::Suspicious, Confidence::Low, context),
            indicator: text.trim().replace("[.]", "."),
            from: context.from,
            until: context.until,
        });
    }

    /// A host of a URL: the address of a page says nothing a log of requests could be asked about, its host does.
    fn url(&mut self, text: &str, context: &Context<'_>) {
        let text = text.replace("[.]", ".").replace("hxxp", "http");
        let host = text.split_once("://").map_or(text.as_str(), |(_, rest)| rest);
        let host = host.split(['/', '?', '#']).next().unwrap_or_default();
        let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
        let host = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
            _ => host,
        };
        self.network(host.trim_matches(['[', ']']), context);
    }

    fn registry(&mut self, key: &str, value: Option<&str>, context: &Context<'_>) {
        let key = key.trim().trim_start_matches('\\').to_lowercase();
        let hives = [
            ("hkey_local_machine\\", ""),
            ("hklm\\", ""),
            ("hkey_current_user\\", ""),
            ("hkcu\\", ""),
            ("hkey_users\\", ""),
        ];
        let key = hives
            .iter()
            .find_map(|(hive, _)| key.strip_prefix(hive))
            .map_or(key.clone(), str::to_owned);
        if key.is_empty() || key.len() > limits::RULE_TEXT_BYTES_MAX {
            return self.reject(context.place, "an empty or overlong registry key");
        }
        let id = format!("registry.{}", slug(&key));
        self.pack.registry.push(RegistryRule {
            rule: head(&id, Level::Suspicious, Confidence::Medium, context),
            key,
            value: value.filter(|v| !v.is_empty()).map(str::to_lowercase),
            data: Vec::new(),
        });
    }
}

/// Whether a text is a whole MD5, SHA-1 or SHA-256 of something.
pub(crate) fn check_digest(text: &str) -> Result<(), String> {
    const OF_NOTHING: [&str; 3] = [
        "d41d8cd98f00b204e9800998ecf8427e",
        "da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    ];
    if !matches!(text.len(), 32 | 40 | 64) {
        return Err(format!("a digest of {} characters: truncated, or none we know", text.len()));
    }
    if !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err("a digest with other characters than hexadecimal digits".to_owned());
    }
    if OF_NOTHING.contains(&text.to_ascii_lowercase().as_str()) {
        return Err("the digest of an empty file: it would match on every machine".to_owned());
    }
    Ok(())
}

fn head(id: &str, level: Level, confidence: Confidence, context: &Context<'_>) -> Rule {
    let reason = if context.what.is_empty() || id == "digest" {
        format!("an imported indicator: {}", id.split('.').next().unwrap_or(id))
    } else {
        cut(context.what, limits::EXCERPT_BYTES_MAX)
    };
    Rule {
        id: id.to_owned(),
        reason,
        level,
        confidence,
        stage: None,
        source: cut(context.source, limits::EXCERPT_BYTES_MAX),
        advice: "compare with what its source says before you act on it".to_owned(),
    }
}

/// A stable part of a rule's name, made of an indicator.
fn slug(text: &str) -> String {
    let mut slug = String::new();
    for byte in text.bytes().take(80) {
        if byte.is_ascii_alphanumeric() {
            slug.push(char::from(byte.to_ascii_lowercase()));
        } else if !slug.ends_with('-') && !slug.is_empty() {
            slug.push('-');
        }
    }
    slug.trim_end_matches('-').to_owned()
}
