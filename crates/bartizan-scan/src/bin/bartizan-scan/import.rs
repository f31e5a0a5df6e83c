//! `pack import`, `lint`, `test`: rules of others, and whether they are fit to be used.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::SystemTime;

use anyhow::{Context, Result, bail};
use bartizan_scan::import::{self, Imported};
use bartizan_scan::lint;
use bartizan_scan::model::Level;
use bartizan_scan::pack::{FORMAT, Pack, decode_body, split_pack};
use bartizan_scan::rules;
use bartizan_scan::{limits, path};
use serde_json::json;

use crate::arguments::ImportArguments;
use crate::output;
use crate::pace::Pace;
use crate::walk::Plan;
use crate::work;

/// Files below a folder of rules.
const FILES_MAX: usize = 200_000;

/// `pack import`
pub(crate) fn import(arguments: &ImportArguments) -> Result<u8> {
    let mut files = Vec::new();
    for source in &arguments.sources {
        collect(source, &mut files)?;
    }
    let mut all = Imported::default();
    let mut other = 0_u64;
    let (mut sigma, mut yara) = (Vec::new(), Vec::new());
    for file in files {
        let name = file.display().to_string();
        let bytes = read(&file)?;
        match path::extension(&name).unwrap_or_default().to_lowercase().as_str() {
            "yml" | "yaml" => sigma.push((name, text(bytes, &file)?)),
            "yar" | "yara" | "rule" | "rules" => yara.push((name, text(bytes, &file)?)),
            "csv" => all.merge(import::csv(&name, &bytes)?),
            "ioc" | "xml" => all.merge(import::openioc(&name, &bytes)?),
            "stix" => all.merge(import::stix(&name, &bytes)?),
            "json" if is_stix(&bytes) => all.merge(import::stix(&name, &bytes)?),
            "json" => all.merge(import::misp(&name, &bytes)?),
            _ => other += 1,
        }
    }
    all.merge(import::sigma(sigma.iter().map(|(name, text)| (name.as_str(), text.as_str()))));
    all.merge(import::yara(yara.iter().map(|(name, text)| (name.as_str(), text.as_str()))));
    all.pack = Pack {
        v: FORMAT,
        name: arguments.name.clone(),
        version: arguments.version.clone(),
        title: arguments.title.clone().unwrap_or_else(|| arguments.name.clone()),
        made: crate::read::seconds(Ok(SystemTime::now())).unwrap_or_default(),
        ..all.pack
    };
    let source = serde_json::to_vec_pretty(&all.pack).context("write the pack")?;
    output::save_bytes(&source, &arguments.output)?;
    report_import(arguments, &all, other)
}

fn report_import(arguments: &ImportArguments, all: &Imported, other: u64) -> Result<u8> {
    if arguments.json {
        let rejected: Vec<_> =
            all.rejected.iter().map(|r| json!({ "place": r.place, "why": r.why })).collect();
        let shown = json!({
            "rules": all.pack.rule_count(), "digests": all.pack.digest_count(),
            "not_understood": all.not_understood, "rejected": rejected,
            "rejected_count": all.rejected_count, "other_files": other,
        });
        output::line(&shown.to_string())?;
        return Ok(0);
    }
    output::line(&format!(
        "{} rules and {} digests in {}; next: bartizan-scan pack lint {}, then pack build",
        all.pack.rule_count(),
        all.pack.digest_count(),
        arguments.output.display(),
        arguments.output.display()
    ))?;
    for (kind, count) in &all.not_understood {
        output::line(&format!("not understood: {count} × {}", path::shown(kind)))?;
    }
    for rejected in &all.rejected {
        output::line(&path::shown(&format!("rejected: {}: {}", rejected.place, rejected.why)))?;
    }
    if all.rejected_count > 0 {
        output::line(&format!("rejected altogether: {}", all.rejected_count))?;
    }
    if other > 0 {
        output::line(&format!("files of other kinds, passed over: {other}"))?;
    }
    Ok(0)
}

fn is_stix(bytes: &[u8]) -> bool {
    let value: Option<serde_json::Value> = serde_json::from_slice(bytes).ok();
    value.is_some_and(|value| value.get("type").and_then(|kind| kind.as_str()) == Some("bundle"))
}

fn text(bytes: Vec<u8>, file: &Path) -> Result<String> {
    String::from_utf8(bytes).with_context(|| format!("{} is no UTF-8 text", file.display()))
}

fn read(file: &Path) -> Result<Vec<u8>> {
    let size = fs::metadata(file).with_context(|| format!("read {}", file.display()))?.len();
    if usize::try_from(size).map_or(true, |size| size > limits::PACK_TEXT_BYTES_MAX) {
        bail!("{} is above the size limit of rules", file.display());
    }
    fs::read(file).with_context(|| format!("read {}", file.display()))
}

/// Files in a folder, in the order of their names; links are not followed.
pub(crate) fn collect(source: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let facts = fs::metadata(source).with_context(|| format!("read {}", source.display()))?;
    if facts.is_file() {
        files.push(source.to_owned());
        return Ok(());
    }
    let mut pending = vec![source.to_owned()];
    while let Some(folder) = pending.pop() {
        let listing =
            fs::read_dir(&folder).with_context(|| format!("read {}", folder.display()))?;
        for entry in listing {
            let entry = entry.with_context(|| format!("read {}", folder.display()))?;
            let kind = entry.file_type().with_context(|| format!("read {}", folder.display()))?;
            if kind.is_dir() && entry.file_name() != ".git" {
                pending.push(entry.path());
            } else if kind.is_file() {
                files.push(entry.path());
            }
        }
        if files.len() > FILES_MAX {
            bail!(
                "more than {FILES_MAX} files below {}: give the folder of the rules only",
                source.display()
            );
        }
    }
    files.sort();
    Ok(())
}

/// A pack, encoded or as its source.
fn load(file: &Path) -> Result<Pack> {
    let bytes = read(file)?;
    let name = || format!("read the pack {}", file.display());
    if bytes.starts_with(b"bartizan-pack ") {
        let parts = split_pack(&bytes).with_context(name)?;
        return decode_body(parts.body).with_context(name);
    }
    Pack::parse(&bytes).with_context(name)
}

/// `pack lint`: 0 nothing to correct, 1 something.
pub(crate) fn lint(file: &Path, json: bool) -> Result<u8> {
    let pack = load(file)?;
    let mut problems: Vec<(String, String, String)> = lint::lint(&pack)
        .into_iter()
        .map(|problem| (problem.code.to_owned(), problem.rule, problem.why))
        .collect();
    for why in crate::packs::unusable(&pack) {
        problems.push(("rule.unusable".to_owned(), String::new(), why));
    }
    for (code, rule, why) in &problems {
        let line = if json {
            json!({ "code": code, "rule": rule, "why": why }).to_string()
        } else {
            path::shown(&format!("{code} {rule}: {why}"))
        };
        output::line(&line)?;
    }
    if !json {
        output::line(&format!(
            "{} problems in {} rules and digests",
            problems.len(),
            pack.expected()
        ))?;
    }
    Ok(u8::from(!problems.is_empty()))
}

/// `pack test`: which rules fire on ordinary software. 0 none, 1 some.
pub(crate) fn test(file: &Path, goodware: &Path, json: bool) -> Result<u8> {
    let pack = load(file)?;
    let (rules, _) = rules::compile(std::slice::from_ref(&pack));
    let plan = Plan {
        roots: vec![
            goodware.canonicalize().with_context(|| format!("read {}", goodware.display()))?,
        ],
        skipped: Vec::new(),
        excluded: globset::GlobSet::empty(),
        after: None,
    };
    let pace = Pace::new(100, None, None, Arc::new(AtomicBool::new(false)));
    let mut fired: BTreeMap<String, (u64, String)> = BTreeMap::new();
    let mut files = 0_u64;
    work::run(&plan, &rules, &pace, 2, &mut |done| {
        files += u64::from(done.path.is_some());
        for finding in done.output.findings.into_iter().filter(|f| f.rule.level > Level::Note) {
            let entry = fired.entry(finding.rule.id).or_insert((0, finding.evidence.place));
            entry.0 += 1;
        }
    });
    if files == 0 {
        bail!("{} holds no files: give a folder of ordinary software", goodware.display());
    }
    for (rule, (count, place)) in &fired {
        let line = if json {
            json!({ "rule": rule, "count": count, "first": place }).to_string()
        } else {
            format!("{rule} fires on ordinary software: {count} times, first at {place}")
        };
        output::line(&line)?;
    }
    if !json {
        output::line(&format!("{} rules fired on {files} files", fired.len()))?;
    }
    Ok(u8::from(!fired.is_empty()))
}
