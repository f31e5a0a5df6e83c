//! Files: what they are, what stands in them, and which rules that answers.

mod archive;
mod base64;
pub mod kind;
pub mod pe;
pub(crate) mod structure;

use std::borrow::Cow;

use boreal::Scanner;

use crate::batch;
use crate::evidence::{FileEvidence, Output};
use crate::limits;
use crate::model::{Area, Evidence, Rule};
use crate::pack::{FileKind, Structure};
use crate::path;
use crate::places;
use crate::rules::{CompiledFile, Rules};
use archive::{Budget, Member};

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
    for rule in &rules.files {
        if view.matches(rule) {
            output.add(&rule.pack, &rule.rule, view.evidence(rule));
        }
    }
    match_digest(rules, &view, output);
    match_yara(rules, &view, output);
    output.batch.extend(batch::trace(file, view.kind));
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
        head: bytes,
        tail: &[],
        digests: Some(crate::digest::Digests::of(bytes, rules.wanted())),
    };
    examine_at(rules, &member, depth + 1, budget, output);
}

/// A file with what is found out about it once for all rules.
struct View<'a> {
    file: &'a FileEvidence<'a>,
    path: String,
    kind: FileKind,
    pe: Option<pe::PeFacts>,
    program: Option<Vec<u8>>,
}

impl<'a> View<'a> {
    fn new(file: &'a FileEvidence<'a>) -> Self {
        let kind = kind::kind_of(file.head);
        let pe = (kind == FileKind::Pe).then(|| pe::facts(file.head, file.size)).flatten();
        let program = (kind == FileKind::Text).then(|| base64::decode_program(file.head)).flatten();
        Self { file, path: path::normalise(file.path), kind, pe, program }
    }

    /// Cheap conditions first; the search through the bytes last.
    fn matches(&self, rule: &CompiledFile) -> bool {
        let when = &rule.when;
        rule.path.as_ref().is_none_or(|globs| globs.is_match(&self.path))
            && !rule.not_path.as_ref().is_some_and(|globs| globs.is_match(&self.path))
            && (when.kind.is_empty() || when.kind.contains(&self.kind))
            && !when.not_kind.contains(&self.kind)
            && self.matches_pe(rule)
            && (rule.digest.is_empty() || rule.digest.iter().any(|digest| self.has_digest(digest)))
            && when.decodes_to.is_none_or(|kind| {
                self.program.as_ref().is_some_and(|program| kind::kind_of(program) == kind)
            })
            && when.structure.is_none_or(|structure| match structure {
                Structure::RevilFooter => structure::has_revil_footer(self.file.end()),
                // Told from many files together, at the end.
                Structure::EncryptedBatch => false,
            })
            && self.contains_all(&when.contains)
    }

    fn matches_pe(&self, rule: &CompiledFile) -> bool {
        let when = &rule.when;
        let asks = !when.original_name.is_empty()
            || when.renamed
            || when.overlay_min.is_some()
            || when.has_signature.is_some();
        if !asks {
            return true;
        }
        let Some(pe) = &self.pe else { return false };
        let original =
            pe.original_name.as_ref().map(|name| name.trim_end_matches(".mui").to_lowercase());
        let name_fits = when.original_name.is_empty()
            || original.as_ref().is_some_and(|name| when.original_name.contains(name));
        let renamed = !when.renamed
            || original.as_ref().is_some_and(|name| name != path::file_name(&self.path));
        name_fits
            && renamed
            && when.overlay_min.is_none_or(|min| pe.overlay >= min)
            && when.has_signature.is_none_or(|has| pe.has_signature == has)
    }

    fn has_digest(&self, wanted: &[u8]) -> bool {
        let Some(digests) = &self.file.digests else { return false };
        match wanted.len() {
            16 => digests.md5.is_some_and(|digest| digest == wanted),
            20 => digests.sha1.is_some_and(|digest| digest == wanted),
            _ => digests.sha256 == wanted,
        }
    }

    fn contains_all(&self, texts: &[String]) -> bool {
        if texts.is_empty() {
            return true;
        }
        let head = self.file.head;
        let bytes: Cow<'_, [u8]> = if kind::is_wide(head) {
            Cow::Owned(kind::to_text(head).into_bytes())
        } else {
            Cow::Borrowed(head)
        };
        texts.iter().all(|text| contains(&bytes, text.as_bytes()))
    }

    fn evidence(&self, rule: &CompiledFile) -> Evidence {
        let mut evidence = self.file.evidence();
        if let (Some(pe), true) = (&self.pe, rule.when.renamed || rule.when.overlay_min.is_some()) {
            let name = pe.original_name.as_deref().unwrap_or("nothing");
            let text = format!("calls itself {name}; {} bytes behind its end", pe.overlay);
            evidence = evidence.with_excerpt(&path::shown(&text));
        }
        evidence
    }
}

/// Whether lower-case ASCII `needle` stands in the bytes in any case.
fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    !needle.is_empty()
        && bytes.windows(needle.len()).any(|window| window.eq_ignore_ascii_case(needle))
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
    let mut scanner = scanner.clone();
    let name = path::file_name(view.file.path).to_owned();
    let extension = path::extension(&name).map(|text| format!(".{text}")).unwrap_or_default();
    // Unknown symbols cannot be: the compiler defined these.
    let _ = scanner.define_symbol("filepath", view.file.path.to_owned());
    let _ = scanner.define_symbol("extension", extension);
    let _ = scanner.define_symbol("filename", name);
    let head = view.file.head;
    // Hives are longer, and have rules of their own.
    let head = head.get(..limits::FILE_BYTES_MAX).unwrap_or(head);
    scan_bytes(rules, &scanner, head, &view.file.evidence(), output);
    scan_bytes(rules, &scanner, view.file.tail, &view.file.evidence(), output);
}

/// Looks at a piece of a process's memory.
pub(crate) fn match_memory(rules: &Rules, bytes: &[u8], evidence: &Evidence, output: &mut Output) {
    if let Some(scanner) = &rules.yara {
        scan_bytes(rules, scanner, bytes, evidence, output);
    }
}

fn scan_bytes(
    rules: &Rules,
    scanner: &Scanner,
    bytes: &[u8],
    evidence: &Evidence,
    output: &mut Output,
) {
    if bytes.is_empty() {
        return;
    }
    let result = match scanner.scan_mem(bytes) {
        Ok(result) => result,
        Err((error, result)) => {
            output.coverage.add_not_understood(format!("files in the YARA engine: {error}"));
            result
        }
    };
    for hit in &result.rules {
        add_yara(rules, hit, evidence.clone(), output);
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
