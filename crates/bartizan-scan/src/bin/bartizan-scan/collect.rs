//! Evidence: what findings are about, in one encrypted archive within its limit.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result};
use bartizan_scan::model::{Archive, Finding, Level, Report, cut};
use bartizan_scan::report::{Form, render};
use data_encoding::HEXLOWER;
use flate2::Compression;
use flate2::write::GzEncoder;
use ring::digest::{SHA256, digest};
use serde::Serialize;

use crate::age::{self, Recipient};
use crate::read;
use crate::scope::Scope;

/// Largest file that is collected, in bytes. Web shells, scripts and logs of a day are smaller.
const FILE_BYTES_MAX: u64 = 1024 * 1024;
/// What is kept free for the manifest: this part of the archive, at most so many bytes.
const MANIFEST_PART: usize = 8;
const MANIFEST_BYTES_MAX: usize = 64 * 1024;
/// What an entry of the manifest takes when it is compressed, with room.
const ENTRY_BYTES: usize = 200;
/// Longest place in the manifest; the report has all of it.
const PLACE_BYTES_MAX: usize = 400;

/// What is in the archive. SPEC: scan.md "The archive"
#[derive(Debug, Default, Serialize)]
struct Manifest {
    tool: String,
    scope: String,
    started: i64,
    ended: i64,
    files: Vec<Entry>,
    left_out: Vec<LeftOut>,
    /// All of them, also those not named.
    left_out_count: u64,
}

#[derive(Debug, Serialize)]
struct Entry {
    name: String,
    place: String,
    size: u64,
    sha256: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    modified: Option<i64>,
    /// Another one than when it was found.
    changed: bool,
    rules: Vec<String>,
}

#[derive(Debug, Serialize)]
struct LeftOut {
    place: String,
    why: &'static str,
}

/// A file, and why it is wanted.
#[derive(Default)]
struct Wanted {
    sha256: Option<String>,
    rules: Vec<String>,
}

/// Collects and encrypts; the archive, and what the report says of it.
pub(crate) fn collect(
    report: &Report,
    scope: &Scope,
    recipients: &[Recipient],
    bytes_max: usize,
) -> Result<(Archive, Vec<u8>)> {
    // What encryption adds grows with what is encrypted: reckoned for more than there will be.
    let overhead = age::encrypted_max(bytes_max, recipients.len()).saturating_sub(bytes_max);
    let mut room = bytes_max.saturating_sub(overhead);
    let kept_free = (bytes_max / MANIFEST_PART).min(MANIFEST_BYTES_MAX);
    room = room.saturating_sub(kept_free);
    let mut packed = pack_report(report, room / 2)?;
    let mut manifest = Manifest {
        tool: report.tool.clone(),
        scope: report.scope.clone(),
        started: report.started.0,
        ended: report.ended.0,
        ..Manifest::default()
    };
    let mut omitted = 0;
    for (place, wanted) in wanted(report) {
        let full = manifest.files.len() >= kept_free / ENTRY_BYTES;
        let taken = if full { Err("the archive is full") } else { take(&place, scope, &wanted) };
        let name = format!("files/{}", manifest.files.len() + 1);
        let added = taken.and_then(|(entry, bytes)| {
            let member = member(&name, &bytes).map_err(|_| "it could not be packed")?;
            if packed.len() + member.len() > room {
                return Err("the archive is full");
            }
            packed.extend(member);
            Ok(Entry { name, ..entry })
        });
        match added {
            Ok(entry) => manifest.files.push(entry),
            Err(why) => {
                omitted += 1;
                manifest.left_out.push(LeftOut { place: cut(&place, PLACE_BYTES_MAX), why });
            }
        }
    }
    manifest.left_out_count = omitted;
    let files = u64::try_from(manifest.files.len()).unwrap_or_default();
    packed.extend(pack_manifest(manifest, kept_free)?);
    let archive = age::encrypt(&packed, recipients)?;
    anyhow::ensure!(archive.len() <= bytes_max, "the evidence does not fit: allow more for it");
    let facts = Archive {
        files,
        omitted,
        sha256: hash(&archive),
        size: u64::try_from(archive.len()).unwrap_or_default(),
    };
    Ok((facts, archive))
}

/// The report with everything, or with as many of its findings as fit.
fn pack_report(report: &Report, room: usize) -> Result<Vec<u8>> {
    let mut report = report.clone();
    loop {
        let member = member("report.json", render(&report, Form::Json).as_bytes())?;
        if member.len() <= room || report.findings.is_empty() {
            return Ok(member);
        }
        let keep = report.findings.len() / 2;
        report.leave_findings_out(keep);
    }
}

fn pack_manifest(mut manifest: Manifest, room: usize) -> Result<Vec<u8>> {
    loop {
        let text = serde_json::to_vec_pretty(&manifest).context("write the manifest")?;
        let last = member("manifest.json", &text)?;
        let end = gzip(&[0; 1024])?;
        if last.len() + end.len() <= room || manifest.left_out.is_empty() {
            return Ok([last, end].concat());
        }
        manifest.left_out.truncate(manifest.left_out.len() / 2);
    }
}

/// Places of findings that count, the worst first.
fn wanted(report: &Report) -> Vec<(String, Wanted)> {
    let mut order = Vec::new();
    let mut all: BTreeMap<&str, Wanted> = BTreeMap::new();
    for finding in report.findings.iter().filter(|finding| finding.rule.level > Level::Note) {
        let place = finding.evidence.place.as_str();
        let wanted = all.entry(place).or_insert_with(|| {
            order.push(place);
            Wanted::default()
        });
        note(wanted, finding);
    }
    order
        .into_iter()
        .map(|place| (place.to_owned(), all.remove(place).unwrap_or_default()))
        .collect()
}

fn note(wanted: &mut Wanted, finding: &Finding) {
    let rule = format!("{}/{}", finding.pack, finding.rule.id);
    if !wanted.rules.contains(&rule) {
        wanted.rules.push(rule);
    }
    if let Some(digest) = &finding.evidence.sha256 {
        wanted.sha256 = Some(digest.clone());
    }
}

/// The bytes of the file that a place is in.
fn take(place: &str, scope: &Scope, wanted: &Wanted) -> Result<(Entry, Vec<u8>), &'static str> {
    let path = file_of(place, scope).ok_or("it is no file, or its name cannot be told")?;
    let file = read::open(&path).map_err(|_| "it cannot be opened")?;
    let facts = file.metadata().map_err(|_| "it cannot be opened")?;
    if !facts.is_file() {
        return Err("it is no plain file any more");
    }
    if facts.len() > FILE_BYTES_MAX {
        return Err("it is larger than 1 MiB");
    }
    let mut bytes = Vec::new();
    let whole = file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes);
    whole.map_err(|_| "it cannot be read")?;
    if u64::try_from(bytes.len()).map_or(true, |size| size > FILE_BYTES_MAX) {
        return Err("it is larger than 1 MiB");
    }
    let sha256 = hash(&bytes);
    // The digest of a member of an archive is not that of the file.
    let comparable = Path::new(place) == path;
    let entry = Entry {
        name: String::new(),
        place: cut(place, PLACE_BYTES_MAX),
        size: u64::try_from(bytes.len()).unwrap_or_default(),
        changed: comparable && wanted.sha256.as_ref().is_some_and(|found| *found != sha256),
        sha256,
        modified: read::seconds(facts.modified()).map(|time| time.0),
        rules: wanted.rules.clone(),
    };
    Ok((entry, bytes))
}

/// A place names a file, and perhaps what is in it: a member, a key, a line. Only files below what was scanned count.
fn file_of(place: &str, scope: &Scope) -> Option<PathBuf> {
    let ends = place.char_indices().filter(|(_, char)| matches!(char, '!' | '#' | ':'));
    let mut ends: Vec<usize> = ends.map(|(at, _)| at).collect();
    ends.push(place.len());
    ends.iter().rev().filter_map(|end| place.get(..*end)).map(PathBuf::from).find(|path| {
        let plain = path.components().all(|part| part != Component::ParentDir);
        let below = scope.roots.iter().any(|root| path.starts_with(root));
        plain && below && fs::symlink_metadata(path).is_ok_and(|facts| facts.is_file())
    })
}

/// A file of a POSIX archive as a gzip member of its own: one behind the other they are one archive.
fn member(name: &str, bytes: &[u8]) -> Result<Vec<u8>> {
    let mut entry = header(name, bytes.len());
    entry.extend_from_slice(bytes);
    entry.resize(entry.len().next_multiple_of(512), 0);
    gzip(&entry)
}

fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).context("compress the evidence")
}

fn header(name: &str, size: usize) -> Vec<u8> {
    let mut header = Vec::with_capacity(512);
    let mut field = |text: &str, length: usize| {
        header.extend(text.bytes().chain(core::iter::repeat(0)).take(length));
    };
    field(name, 100);
    field("0000600", 8);
    field("0000000", 8);
    field("0000000", 8);
    field(&format!("{size:011o}"), 12);
    field("00000000000", 12);
    // Eight blanks stand for the sum while it is counted.
    field("        ", 8);
    field("0", 1);
    field("", 100);
    field("ustar", 6);
    field("00", 2);
    field("", 247);
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    if let Some(place) = header.get_mut(148..156) {
        place.copy_from_slice(format!("{:06o}\0 ", sum & 0o777_777).as_bytes());
    }
    header
}

fn hash(bytes: &[u8]) -> String {
    HEXLOWER.encode(digest(&SHA256, bytes).as_ref())
}
