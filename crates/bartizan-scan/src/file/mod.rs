//! Files: what they are, what stands in them, and which rules that answers.

mod archive;
mod base64;
pub mod elf;
mod inflate;
pub mod kind;
pub mod pe;
pub(crate) mod structure;
mod view;

use boreal::Scanner;

use crate::batch;
use crate::evidence::{FileEvidence, Output};
use crate::limits;
use crate::model::{Area, Evidence, Rule};
use crate::pack::FileKind;
use crate::path;
use crate::places;
use crate::rules::Rules;
use archive::{Budget, Member};
use view::View;

/// Looks at a file and at everything in it.
pub fn examine(rules: &Rules, file: &FileEvidence<'_>, output: &mut Output) {
    let mut budget = Budget::default();
    examine_at(rules, file, 0, &mut budget, output);
}

fn examine_at(
    rules: &Rules,
    file: &FileEvidence<'_>,
    depth: usize,
    budget: &mut Budget,
    output: &mut Output,
) {
    let view = View::new(file);
    for rule in rules.about(view.kind) {
        if view.matches(rule) {
            output.add(&rule.pack, &rule.rule, view.evidence(rule));
        }
    }
    match_digest(rules, &view, output);
    match_yara(rules, &view, output);
    output.batch.extend(batch::trace(file, &view.path, view.kind));
    places::examine(rules, file, &view.path, view.kind, output);
    if depth >= limits::ARCHIVE_DEPTH_MAX {
        return;
    }
    if view.kind == FileKind::Archive {
        examine_archive(rules, file, depth, budget, output);
    } else if let Some(program) = view.program.as_deref() {
        let name = format!("{}!decoded", file.path);
        let place = format!("{}!decoded", file.place);
        examine_member(rules, (&place, &name, program, file), depth, budget, output);
    }
}

fn examine_archive(
    rules: &Rules,
    file: &FileEvidence<'_>,
    depth: usize,
    budget: &mut Budget,
    output: &mut Output,
) {
    if !file.is_whole() {
        output.coverage.add_existing(Area::Archives);
        output.coverage.add_not_understood("archives above the size limit: not opened");
        return;
    }
    let mut members = 0;
    let mut budget_here = *budget;
    archive::unpack(file.path, file.head, &mut budget_here, &mut |member, budget| match member {
        Member::File { name, bytes } => {
            members += 1;
            let place = format!("{}!{name}", file.place);
            let path = format!("{}!/{name}", file.path);
            examine_member(rules, (&place, &path, &bytes, file), depth, budget, output);
        }
        Member::Unread { name, why } => {
            let _ = name;
            output.coverage.add_not_understood(format!("members of archives: {why}"));
        }
    });
    *budget = budget_here;
    output.coverage.files.members += members;
    output.coverage.add_read(Area::Archives, members);
}

/// A member is a file whose times are those of what it stands in.
fn examine_member(
    rules: &Rules,
    (place, name, bytes, outer): (&str, &str, &[u8], &FileEvidence<'_>),
    depth: usize,
    budget: &mut Budget,
    output: &mut Output,
) {
    let member = FileEvidence {
        place,
        path: name,
        size: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
        modified: outer.modified,
        created: outer.created,
        mode: None,
        is_deleted: outer.is_deleted,
        head: bytes,
        tail: &[],
        logs: &[],
        digests: Some(crate::digest::Digests::of(bytes, rules.wanted())),
    };
    examine_at(rules, &member, depth + 1, budget, output);
}

fn match_digest(rules: &Rules, view: &View<'_>, output: &mut Output) {
    if rules.digests.is_empty() {
        return;
    }
    let Some(digests) = &view.file.digests else { return };
    let candidates = [
        Some(digests.sha256.as_slice()),
        digests.sha1.as_ref().map(<[u8; 20]>::as_slice),
        digests.md5.as_ref().map(<[u8; 16]>::as_slice),
    ];
    for digest in candidates.into_iter().flatten() {
        let Some(target) = rules.digests.get(digest) else { continue };
        let Some(list) = rules.digest_lists.get(target.list) else { continue };
        if list.path.as_ref().is_none_or(|globs| globs.is_match(&view.path)) {
            let evidence = view.file.evidence().with_excerpt(&target.what);
            output.add(&list.pack, &list.rule, evidence);
            return;
        }
    }
}

fn match_yara(rules: &Rules, view: &View<'_>, output: &mut Output) {
    let Some(scanner) = &rules.yara else { return };
    let head = view.file.head;
    // Hives are longer, and have rules of their own.
    let head = head.get(..limits::FILE_BYTES_MAX).unwrap_or(head);
    let pieces = [head, view.file.tail].map(|bytes| rules.may_match_yara(bytes).then_some(bytes));
    if pieces == [None, None] {
        return;
    }
    let mut scanner = scanner.clone();
    let name = path::file_name(view.file.path).to_owned();
    let extension = path::extension(&name).map(|text| format!(".{text}")).unwrap_or_default();
    // Unknown symbols cannot be: the compiler defined these.
    let _ = scanner.define_symbol("filepath", view.file.path.to_owned());
    let _ = scanner.define_symbol("extension", extension);
    let _ = scanner.define_symbol("filename", name);
    let _ = scanner.define_symbol("filetype", yara_type(view.kind, view.file.head));
    for bytes in pieces.into_iter().flatten() {
        scan_bytes(rules, &scanner, bytes, &|| view.file.evidence(), output);
    }
}

/// The kind of a file in the words that public rules use. A rule that asks for it first spares most files the search.
fn yara_type(kind: FileKind, head: &[u8]) -> &'static str {
    match (kind, head) {
        (FileKind::Pe, _) => "EXE",
        (FileKind::Elf, _) => "ELF",
        (FileKind::MachO, _) => "MACHO",
        (FileKind::Script | FileKind::Text, _) => "TEXT",
        (FileKind::Image, [0xff, ..]) => "JPEG",
        (FileKind::Image, [0x89, ..]) => "PNG",
        (FileKind::Image, [b'G', ..]) => "GIF",
        (FileKind::Image, _) => "BMP",
        (FileKind::Archive, [b'P', ..]) => "ZIP",
        (FileKind::Archive, [0x1f, ..]) => "GZIP",
        (FileKind::Archive, _) => "TAR",
        (FileKind::Hive, _) => "REGF",
        (FileKind::EventLog, _) => "EVTX",
        (FileKind::Other, _) => "UNKNOWN",
    }
}

/// Visits everything that stands in an archive, at every depth that is looked at: what scanning cannot do without, for measuring.
pub fn unpack(name: &str, bytes: &[u8], visit: &mut dyn FnMut(&[u8])) {
    unpack_at(name, bytes, 0, &mut Budget::default(), visit);
}

fn unpack_at(
    name: &str,
    bytes: &[u8],
    depth: usize,
    budget: &mut Budget,
    visit: &mut dyn FnMut(&[u8]),
) {
    if depth >= limits::ARCHIVE_DEPTH_MAX || kind::kind_of(bytes) != FileKind::Archive {
        return;
    }
    archive::unpack(name, bytes, budget, &mut |member, budget| {
        if let Member::File { name, bytes } = member {
            visit(&bytes);
            unpack_at(&name, &bytes, depth + 1, budget, visit);
        }
    });
}

/// The first bytes of what a gzip file holds, by the first bytes of the file.
pub fn gzip_head(packed: &[u8], length: usize) -> Vec<u8> {
    inflate::Inflater::default().gzip_head(packed, length)
}

/// Looks at a piece of a process's memory.
pub(crate) fn match_memory(rules: &Rules, bytes: &[u8], evidence: &Evidence, output: &mut Output) {
    if let Some(scanner) = rules.yara.as_ref().filter(|_| rules.may_match_yara(bytes)) {
        scan_bytes(rules, scanner, bytes, &|| evidence.clone(), output);
    }
}

fn scan_bytes(
    rules: &Rules,
    scanner: &Scanner,
    bytes: &[u8],
    evidence: &dyn Fn() -> Evidence,
    output: &mut Output,
) {
    let result = match scanner.scan_mem(bytes) {
        Ok(result) => result,
        Err((error, result)) => {
            // Whoever makes a file on which the rules run out of time does not thereby make it unsuspicious.
            output.coverage.add_unreadable(evidence().place, format!("YARA rules: {error}"));
            result
        }
    };
    for hit in &result.rules {
        add_yara(rules, hit, evidence(), output);
    }
}

/// A finding of a YARA rule, with what the rule says of itself.
fn add_yara(
    rules: &Rules,
    hit: &boreal::scanner::EvaluatedRule<'_>,
    evidence: Evidence,
    output: &mut Output,
) {
    let Some((pack, head)) = rules.yara_heads.get(hit.namespace) else { return };
    let meta = |name: &str| {
        hit.metadatas.iter().find_map(|meta| {
            let boreal::MetadataValue::Bytes(value) = meta.value else { return None };
            let scanner = rules.yara.as_ref()?;
            (scanner.get_string_symbol(meta.name) == name)
                .then(|| String::from_utf8_lossy(scanner.get_bytes_symbol(value)).into_owned())
        })
    };
    let rule = Rule {
        id: format!("{}.{}", head.id, hit.name),
        reason: meta("description").map_or_else(|| head.reason.clone(), |text| path::shown(&text)),
        source: meta("reference").map_or_else(|| head.source.clone(), |text| path::shown(&text)),
        ..head.clone()
    };
    let names: Vec<&str> =
        hit.matches.iter().filter(|m| !m.matches.is_empty()).map(|m| m.name).collect();
    let evidence = if names.is_empty() {
        evidence
    } else {
        evidence.with_excerpt(&format!("strings ${}", names.join(", $")))
    };
    output.add(pack, &rule, evidence);
}
