//! One file with what is found out about it, and whether a rule is about it.

use std::borrow::Cow;

use super::{base64, elf, kind, pe, structure};
use crate::evidence::FileEvidence;
use crate::model::Evidence;
use crate::pack::{FileKind, Structure};
use crate::path;
use crate::rules::CompiledFile;

/// The bits of a mode with which a program has the rights of its owner or group.
const SETUID_OR_SETGID: u32 = 0o6000;
/// Code that is looked at to tell whether it is packed.
const CODE_SAMPLE: usize = 256 * 1024;
/// Less code than this says nothing about its entropy.
const CODE_MIN: usize = 4096;
/// Code of processors has 5,500 to 6,700 thousandths of a bit per byte; compressed bytes have more than 7,500.
const PACKED_ENTROPY_MIN: u32 = 7_300;

/// A file with what is found out about it once for all rules.
pub(super) struct View<'a> {
    pub(super) file: &'a FileEvidence<'a>,
    pub(super) path: String,
    pub(super) kind: FileKind,
    pub(super) program: Option<Vec<u8>>,
    pe: Option<pe::PeFacts>,
    elf: Option<elf::ElfFacts>,
    /// What a program calls itself, in lower case.
    own_name: Option<String>,
}

impl<'a> View<'a> {
    pub(super) fn new(file: &'a FileEvidence<'a>) -> Self {
        let kind = kind::kind_of(file.head);
        let pe = (kind == FileKind::Pe).then(|| pe::facts(file.head, file.size)).flatten();
        let elf = (kind == FileKind::Elf).then(|| elf::facts(file.head, file.size)).flatten();
        let of_pe = pe.as_ref().and_then(|pe| pe.original_name.as_ref());
        let own_name = match (of_pe, &elf) {
            (Some(name), _) => Some(name.trim_end_matches(".mui").to_lowercase()),
            (None, Some(elf)) => elf.soname.as_ref().map(|name| name.to_lowercase()),
            (None, None) => None,
        };
        let program = (kind == FileKind::Text).then(|| base64::decode_program(file.head)).flatten();
        Self { file, path: path::normalise(file.path), kind, program, pe, elf, own_name }
    }

    /// Cheap conditions first; paths are dear because there are many, and the search through the bytes comes last.
    pub(super) fn matches(&self, rule: &CompiledFile) -> bool {
        let when = &rule.when;
        // The kind was asked about when the rules were sorted by it.
        (!when.setuid || self.is_setuid())
            && (!when.deleted || self.file.is_deleted)
            && self.matches_program(rule)
            && (rule.digest.is_empty() || rule.digest.iter().any(|digest| self.has_digest(digest)))
            && when.decodes_to.is_none_or(|kind| {
                self.program.as_ref().is_some_and(|program| kind::kind_of(program) == kind)
            })
            && rule.path.as_ref().is_none_or(|globs| globs.is_match(&self.path))
            && !rule.not_path.as_ref().is_some_and(|globs| globs.is_match(&self.path))
            && (!when.packed || self.is_packed())
            && when.structure.is_none_or(|structure| match structure {
                Structure::RevilFooter => structure::has_revil_footer(self.file.end()),
                // Told from many files together, at the end.
                Structure::EncryptedBatch => false,
            })
            && self.contains_all(&when.contains)
    }

    fn matches_program(&self, rule: &CompiledFile) -> bool {
        let when = &rule.when;
        let name = self.own_name.as_ref();
        (when.original_name.is_empty()
            || name.is_some_and(|name| when.original_name.contains(name)))
            && (!when.renamed || name.is_some_and(|name| self.is_renamed(name)))
            && when.overlay_min.is_none_or(|min| self.overlay().is_some_and(|bytes| bytes >= min))
            && when
                .has_signature
                .is_none_or(|has| self.pe.as_ref().is_some_and(|pe| pe.has_signature == has))
            && self.matches_elf(rule)
    }

    fn matches_elf(&self, rule: &CompiledFile) -> bool {
        let when = &rule.when;
        if when.stripped.is_none() && when.is_static.is_none() && rule.interpreter.is_none() {
            return true;
        }
        let Some(elf) = &self.elf else { return false };
        when.stripped.is_none_or(|stripped| elf.is_stripped == Some(stripped))
            && when.is_static.is_none_or(|is_static| elf.is_static == is_static)
            && rule.interpreter.as_ref().is_none_or(|globs| {
                let path = elf.interpreter.as_deref().map(path::normalise);
                path.is_some_and(|path| globs.is_match(&path))
            })
    }

    /// A library may carry more of its version in its file's name than in its own: `libz.so.1` in `libz.so.1.3`.
    fn is_renamed(&self, own: &str) -> bool {
        let file = path::file_name(&self.path);
        match self.elf {
            Some(_) => {
                let stem = own.split_once(".so").map_or(own, |(stem, _)| stem);
                !file.starts_with(stem)
            }
            None => own != file,
        }
    }

    fn overlay(&self) -> Option<u64> {
        self.pe.as_ref().map(|pe| pe.overlay).or_else(|| self.elf.as_ref()?.overlay)
    }

    fn is_setuid(&self) -> bool {
        self.file.mode.is_some_and(|mode| mode & SETUID_OR_SETGID != 0)
    }

    /// Code of a processor repeats itself; compressed or encrypted bytes do not.
    fn is_packed(&self) -> bool {
        let code = match (&self.pe, &self.elf) {
            (Some(pe), _) => pe.code.clone(),
            (_, Some(elf)) => elf.code.clone(),
            _ => None,
        };
        let Some(code) = code else { return false };
        let end = code.end.min(self.file.head.len()).min(code.start.saturating_add(CODE_SAMPLE));
        let bytes = self.file.head.get(code.start..end).unwrap_or_default();
        bytes.len() >= CODE_MIN && kind::entropy_of_all(bytes) >= PACKED_ENTROPY_MIN
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

    pub(super) fn evidence(&self, rule: &CompiledFile) -> Evidence {
        let evidence = self.file.evidence();
        let when = &rule.when;
        let mut said = Vec::new();
        if when.renamed || when.overlay_min.is_some() {
            let name = self.pe.as_ref().and_then(|pe| pe.original_name.clone());
            let name = name.or_else(|| self.elf.as_ref()?.soname.clone());
            said.push(format!("calls itself {}", name.as_deref().unwrap_or("nothing")));
            said.push(format!("{} bytes behind its end", self.overlay().unwrap_or_default()));
        }
        if let Some(mode) = self.file.mode.filter(|_| when.setuid) {
            said.push(format!("mode {:o}", mode & 0o7777));
        }
        if let Some(path) = self.elf.as_ref().and_then(|elf| elf.interpreter.as_ref())
            && rule.interpreter.is_some()
        {
            said.push(format!("loaded by {path}"));
        }
        if when.packed {
            said.push("its code is packed".to_owned());
        }
        if when.deleted {
            said.push("deleted while it runs".to_owned());
        }
        if said.is_empty() {
            evidence
        } else {
            evidence.with_excerpt(&path::shown(&said.join("; ")))
        }
    }
}

/// Whether lower-case ASCII `needle` stands in the bytes in any case.
fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    !needle.is_empty()
        && bytes.windows(needle.len()).any(|window| window.eq_ignore_ascii_case(needle))
}
