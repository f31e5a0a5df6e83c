//! A tar archive of plain files, as stock `tar` writes it, read strictly: no links, folders, devices or extensions, no
//! name twice.

use std::io::{self, Read, Seek, SeekFrom};

/// Headers and padding come in blocks.
const BLOCK: u64 = 512;
/// Most files of an archive: a repository's metadata and a handful of programs.
const FILES_MAX: usize = 128;

/// A file in an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name, perhaps below a folder.
    pub name: String,
    /// Where its bytes begin.
    pub offset: u64,
    /// How many.
    pub size: u64,
}

/// The files of an archive. Anything else than plain files is an error.
pub fn entries(archive: &mut (impl Read + Seek)) -> io::Result<Vec<Entry>> {
    let end = archive.seek(SeekFrom::End(0))?;
    let mut entries: Vec<Entry> = Vec::new();
    let mut at = 0;
    while at + BLOCK <= end {
        let mut header = [0; 512];
        archive.seek(SeekFrom::Start(at))?;
        archive.read_exact(&mut header)?;
        if header.iter().all(|byte| *byte == 0) {
            break;
        }
        let (name, size) = parse(&header).ok_or_else(|| wrong("not a plain file"))?;
        let offset = at + BLOCK;
        if offset + size > end || entries.len() >= FILES_MAX {
            return Err(wrong("cut off, or too many files"));
        }
        if entries.iter().any(|entry| entry.name == name) {
            return Err(wrong("a name stands twice"));
        }
        entries.push(Entry { name, offset, size });
        at = offset + size.next_multiple_of(BLOCK);
    }
    Ok(entries)
}

/// The bytes of an entry, as a reader that ends with them.
pub fn open<'a, R: Read + Seek>(
    archive: &'a mut R,
    entry: &Entry,
) -> io::Result<io::Take<&'a mut R>> {
    archive.seek(SeekFrom::Start(entry.offset))?;
    Ok(archive.take(entry.size))
}

fn parse(header: &[u8; 512]) -> Option<(String, u64)> {
    let sum: u64 = header
        .iter()
        .enumerate()
        .map(|(at, byte)| u64::from(if (148..156).contains(&at) { b' ' } else { *byte }))
        .sum();
    let plain = matches!(header.get(156), Some(b'0' | 0));
    let whole_name = header.get(345..500)?.iter().all(|byte| *byte == 0);
    if number(header.get(148..156)?)? != sum || !plain || !whole_name {
        return None;
    }
    let name = header.get(..100)?.split(|byte| *byte == 0).next()?;
    let name = core::str::from_utf8(name).ok().filter(|name| is_name(name))?;
    Some((name.to_owned(), number(header.get(124..136)?)?))
}

/// Octal digits, then blanks or zeros.
fn number(field: &[u8]) -> Option<u64> {
    let text = core::str::from_utf8(field).ok()?.trim_matches([' ', '\0']);
    text.bytes().all(|byte| (b'0'..=b'7').contains(&byte)).then_some(())?;
    u64::from_str_radix(text, 8).ok()
}

fn is_name(name: &str) -> bool {
    let part = |part: &str| {
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
        !part.is_empty() && part.bytes().all(letter) && !part.starts_with('.')
    };
    name.split('/').all(part)
}

fn wrong(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;
    use std::process::Command;

    fn tar(folder: &std::path::Path, arguments: &[&str]) -> Vec<u8> {
        let made = Command::new("tar")
            .args(["--format=ustar", "-cf", "-", "-C"])
            .arg(folder)
            .args(arguments)
            .output()
            .expect("tar is missing");
        assert!(made.status.success());
        made.stdout
    }

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("metadata")).unwrap();
        std::fs::write(folder.path().join("metadata/1.root.json"), b"{}").unwrap();
        std::fs::write(folder.path().join("program"), vec![7; 1000]).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", folder.path().join("link")).unwrap();
        folder
    }

    #[test]
    fn what_stock_tar_writes_is_read() {
        let folder = folder();
        let mut archive = Cursor::new(tar(folder.path(), &["metadata/1.root.json", "program"]));
        let entries = entries(&mut archive).unwrap();
        let found: Vec<_> = entries.iter().map(|e| (e.name.as_str(), e.size)).collect();
        assert_eq!(found, [("metadata/1.root.json", 2), ("program", 1000)]);
        let mut bytes = Vec::new();
        open(&mut archive, &entries[1]).unwrap().read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes, vec![7; 1000]);
    }

    #[test]
    fn links_folders_doubles_and_paths_upwards_are_refused() {
        let folder = folder();
        let refused = |bytes: Vec<u8>| entries(&mut Cursor::new(bytes)).is_err();
        assert!(refused(tar(folder.path(), &["link"])));
        assert!(refused(tar(folder.path(), &["metadata"])));
        assert!(refused(tar(folder.path(), &["program", "program", "--hard-dereference"])));
        assert!(refused(tar(folder.path(), &["--transform=s,^,../,", "program"])));
        let mut cut = tar(folder.path(), &["program"]);
        cut.truncate(600);
        assert!(refused(cut));
    }

    #[test]
    fn a_flipped_bit_in_a_header_is_no_other_file() {
        let folder = folder();
        let good = tar(folder.path(), &["program"]);
        for at in 0..512 {
            let mut bad = good.clone();
            bad[at] ^= 1;
            let read = entries(&mut Cursor::new(bad));
            assert!(read.is_err() || read.unwrap().is_empty(), "byte {at}");
        }
    }
}
