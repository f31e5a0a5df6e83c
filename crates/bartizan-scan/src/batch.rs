//! Many files encrypted at once: no single file shows it, a folder does.

use std::collections::{BTreeMap, BTreeSet};

use crate::evidence::{FileEvidence, Output};
use crate::file::kind::entropy_millibits;
use crate::model::Evidence;
use crate::pack::{FileKind, Structure};
use crate::path;
use crate::rules::Rules;

/// Files with one unknown ending that make a batch.
const FILES_MIN: u32 = 5;
/// Endings that are counted; beyond it no new one is.
const ENDINGS_MAX: usize = 4096;
/// Encrypted bytes have nearly eight bits of entropy per byte.
const ENTROPY_MIN: u32 = 7_600;
const SAMPLE_MIN: usize = 1024;
/// Endings of compressed and encrypted files that are nothing special.
const USUAL: [&str; 24] = [
    "7z", "aes", "apk", "bin", "br", "bz2", "dat", "db", "enc", "flac", "gpg", "jar", "kdbx",
    "lz4", "lzma", "m4a", "mp3", "mp4", "pack", "pgp", "webm", "webp", "xz", "zst",
];

/// What one file adds to the picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trace {
    /// Random bytes under an ending nobody knows.
    Encrypted {
        /// The ending.
        ending: String,
        /// The file.
        place: String,
    },
    /// A text whose name or words are those of a ransom note.
    Note {
        /// The file.
        place: String,
    },
}

/// Traces of a whole scan.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub struct Batch {
    endings: BTreeMap<String, (u32, String)>,
    notes: BTreeSet<String>,
}

/// What a file adds, if anything. `path` is that of the file in its normal form.
pub(crate) fn trace(file: &FileEvidence<'_>, path: &str, kind: FileKind) -> Option<Trace> {
    let name = path::file_name(path);
    if kind == FileKind::Text && name.ends_with("-readme.txt") {
        return Some(Trace::Note { place: name.to_owned() });
    }
    if kind != FileKind::Other || file.head.len() < SAMPLE_MIN {
        return None;
    }
    let ending = path::extension(name)?;
    let random_name = (5..=10).contains(&ending.len())
        && ending.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    // The name before it is kept: `invoice.xlsx.csruj`.
    let had_another = name
        .strip_suffix(ending)
        .and_then(|stem| path::extension(stem.trim_end_matches('.')))
        .is_some();
    let encrypted = random_name
        && had_another
        && !USUAL.contains(&ending)
        && entropy_millibits(file.head) >= ENTROPY_MIN;
    encrypted
        .then(|| Trace::Encrypted { ending: ending.to_owned(), place: path::shown(file.place) })
}

impl Batch {
    /// Adds a trace.
    pub fn add(&mut self, trace: Trace) {
        match trace {
            Trace::Encrypted { ending, place } => {
                if self.endings.len() < ENDINGS_MAX || self.endings.contains_key(&ending) {
                    self.endings.entry(ending).or_insert((0, place)).0 += 1;
                }
            }
            Trace::Note { place } => {
                if self.notes.len() < ENDINGS_MAX {
                    self.notes.insert(place);
                }
            }
        }
    }

    /// Says what the traces mean together: many files with one ending, and a note whose name begins with it.
    pub fn finish(&self, rules: &Rules, output: &mut Output) {
        for (ending, (count, place)) in &self.endings {
            let note = format!("{ending}-readme.txt");
            if *count < FILES_MIN || !self.notes.contains(&note) {
                continue;
            }
            for rule in &rules.files {
                if rule.when.structure == Some(Structure::EncryptedBatch) {
                    let text = format!(
                        "{count} files end in .{ending}, and a note {note} lies beside them"
                    );
                    let evidence = Evidence::at(place.clone()).with_excerpt(&path::shown(&text));
                    output.add(&rule.pack, &rule.rule, evidence);
                }
            }
        }
    }
}
