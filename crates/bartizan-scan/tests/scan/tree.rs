//! Synthetic trees, and the program run on them. Nothing in them is or does harm.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use bartizan_scan::model::Report;
use tempfile::TempDir;

pub(crate) struct Tree {
    folder: TempDir,
}

impl Tree {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn add(&self, path: &str, bytes: impl AsRef<[u8]>) -> &Self {
        let file = self.root().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, bytes).unwrap();
        self
    }

    pub(crate) fn remove(&self, path: &str) -> &Self {
        let path = self.root().join(path);
        if path.is_dir() {
            fs::remove_dir_all(path).unwrap();
        } else {
            fs::remove_file(path).unwrap();
        }
        self
    }

    pub(crate) fn scan(&self, more: &[&str]) -> Report {
        let (report, _) = self.scan_with_code(more);
        report
    }

    pub(crate) fn scan_with_code(&self, more: &[&str]) -> (Report, i32) {
        let root = self.root().to_str().unwrap();
        let (out, err, code) = run(&[&["--root", root, "--json"], more].concat());
        let report =
            serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out} {err}"));
        (report, code)
    }
}

/// Runs the program.
pub(crate) fn run(arguments: &[&str]) -> (String, String, i32) {
    let output =
        Command::new(env!("CARGO_BIN_EXE_bartizan-scan")).args(arguments).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr), output.status.code().unwrap())
}

/// Ids of the findings that count for the verdict.
pub(crate) fn ids(report: &Report) -> Vec<String> {
    let counted =
        report.findings.iter().filter(|f| f.rule.level > bartizan_scan::model::Level::Note);
    let mut ids: Vec<String> = counted.map(|f| f.rule.id.clone()).collect();
    ids.sort();
    ids.dedup();
    ids
}

/// Every path with its size and the time it was last changed and read.
pub(crate) fn snapshot(
    root: &Path,
) -> Vec<(PathBuf, u64, std::time::SystemTime, std::time::SystemTime)> {
    let mut all = Vec::new();
    let mut pending = vec![root.to_owned()];
    while let Some(path) = pending.pop() {
        let facts = fs::symlink_metadata(&path).unwrap();
        if facts.is_dir() {
            pending.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
        // Listing a folder reads it, here and in the scanner.
        let read = if facts.is_dir() { facts.modified() } else { facts.accessed() };
        all.push((path, facts.len(), facts.modified().unwrap(), read.unwrap()));
    }
    all.sort();
    all
}

/// As compressed code is: every byte as often as every other, in no order.
pub(crate) fn packed() -> Vec<u8> {
    let bytes = (0..16_384_u32).map(|i| i.wrapping_mul(2_654_435_761) >> 11);
    bytes.map(|value| value.to_le_bytes()[0]).collect()
}

/// As a compiler's is: few bytes stand for most of it.
pub(crate) fn plain() -> Vec<u8> {
    b"\x55\x48\x89\xe5\x48\x83\xec\x10\xe8\x00\x00\x00\x00\xc9\xc3\x90".repeat(1024)
}

/// A program for Windows that only says what it is called: one section with a version resource.
pub(crate) fn pe(original_name: &str, overlay: &[u8]) -> Vec<u8> {
    let version = version_block(original_name);
    let section = resources(&version);
    let raw = section.len().next_multiple_of(512);
    let mut file = vec![0_u8; 512];
    let mut put = |at: usize, bytes: &[u8]| file[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, b"MZ");
    put(60, &64_u32.to_le_bytes());
    put(64, b"PE\0\0");
    put(68, &0x8664_u16.to_le_bytes());
    put(70, &1_u16.to_le_bytes());
    put(84, &240_u16.to_le_bytes());
    put(86, &0x22_u16.to_le_bytes());
    let optional = 88;
    put(optional, &0x20b_u16.to_le_bytes());
    put(optional + 32, &0x1000_u32.to_le_bytes());
    put(optional + 36, &512_u32.to_le_bytes());
    put(optional + 56, &0x3000_u32.to_le_bytes());
    put(optional + 60, &512_u32.to_le_bytes());
    put(optional + 108, &16_u32.to_le_bytes());
    put(optional + 112 + 16, &0x1000_u32.to_le_bytes());
    put(optional + 112 + 20, &u32::try_from(section.len()).unwrap().to_le_bytes());
    let header = optional + 240;
    put(header, b".rsrc");
    put(header + 8, &u32::try_from(section.len()).unwrap().to_le_bytes());
    put(header + 12, &0x1000_u32.to_le_bytes());
    put(header + 16, &u32::try_from(raw).unwrap().to_le_bytes());
    put(header + 20, &512_u32.to_le_bytes());
    file.extend_from_slice(&section);
    file.resize(512 + raw, 0);
    file.extend_from_slice(overlay);
    file
}

fn version_block(name: &str) -> Vec<u8> {
    let wide =
        |text: &str| text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect::<Vec<_>>();
    let mut block = wide("xxx");
    block.extend(wide("OriginalFilename"));
    block.extend([0, 0]);
    block.extend(wide(name));
    block
}

/// Type 16, one name, one language, one entry of data behind.
fn resources(version: &[u8]) -> Vec<u8> {
    let directory = |id: u32, offset: u32| {
        let mut bytes = vec![0_u8; 12];
        bytes.extend(0_u16.to_le_bytes());
        bytes.extend(1_u16.to_le_bytes());
        bytes.extend(id.to_le_bytes());
        bytes.extend(offset.to_le_bytes());
        bytes
    };
    let mut section = directory(16, 0x8000_0018);
    section.extend(directory(1, 0x8000_0030));
    section.extend(directory(1033, 72));
    section.extend((0x1000_u32 + 88).to_le_bytes());
    section.extend(u32::try_from(version.len()).unwrap().to_le_bytes());
    section.extend([0; 8]);
    section.extend_from_slice(version);
    section
}
