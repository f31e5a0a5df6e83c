//! Reading a machine's files below a folder, usually `/`: bounded, never waiting for a pipe, and each failure with its reason.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::time::UNIX_EPOCH;

use crate::limits::{FACT_BYTES_MAX, FOLDER_ENTRIES_MAX};

/// Where a machine's files are.
#[derive(Debug, Clone)]
pub struct Root(PathBuf);

/// Why something was not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unread {
    /// It is not there.
    Absent,
    /// It is there and cannot be read.
    Failed(String),
}

impl Unread {
    /// The reason, if it is one; what is not there is none.
    pub fn failure(&self) -> Option<&str> {
        match self {
            Self::Absent => None,
            Self::Failed(why) => Some(why),
        }
    }
}

type Reading<T> = Result<T, Unread>;

impl Root {
    /// The machine whose files are below this folder.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// This machine.
    pub fn machine() -> Self {
        Self::new("/")
    }

    /// A path of the machine.
    pub fn path(&self, path: &str) -> PathBuf {
        self.0.join(path.trim_start_matches('/'))
    }

    /// The text of a small file.
    pub fn text(&self, path: &str) -> Reading<String> {
        self.large_text(path, FACT_BYTES_MAX)
    }

    /// The first line of a small file; nothing when there is none.
    pub fn line(&self, path: &str) -> Option<String> {
        let text = self.text(path).ok()?;
        let line = text.lines().next()?.trim();
        (!line.is_empty()).then(|| line.to_owned())
    }

    /// The text of a file of at most so many bytes; a larger one is refused, not cut: half a list looks like a whole one.
    pub fn large_text(&self, path: &str, bytes_max: u64) -> Reading<String> {
        self.bytes(path, bytes_max).map(|bytes| match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        })
    }

    /// The bytes of a file of at most so many.
    pub fn bytes(&self, path: &str, bytes_max: u64) -> Reading<Vec<u8>> {
        let file = self.open(path)?;
        let mut bytes = Vec::new();
        file.take(bytes_max + 1).read_to_end(&mut bytes).map_err(|error| failed(path, &error))?;
        if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > bytes_max {
            return Err(Unread::Failed(format!("{path} is larger than {} KiB", bytes_max / 1024)));
        }
        Ok(bytes)
    }

    /// Opens a regular file without waiting, should it be a named pipe.
    pub fn open(&self, path: &str) -> Reading<File> {
        let opened =
            File::options().read(true).custom_flags(libc::O_NONBLOCK).open(self.path(path));
        let file = opened.map_err(|error| failed(path, &error))?;
        match file.metadata() {
            Ok(about) if about.is_file() => Ok(file),
            Ok(_) => Err(Unread::Failed(format!("{path} is no file"))),
            Err(error) => Err(failed(path, &error)),
        }
    }

    /// Names in a folder, sorted; of a very large one the first that come.
    pub fn names(&self, path: &str) -> Reading<Vec<String>> {
        let entries = fs::read_dir(self.path(path)).map_err(|error| failed(path, &error))?;
        let mut names: Vec<String> = entries
            .take(FOLDER_ENTRIES_MAX)
            .flatten()
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect();
        names.sort_unstable();
        Ok(names)
    }

    /// Where a link points, as text.
    pub fn link(&self, path: &str) -> Option<String> {
        fs::read_link(self.path(path)).ok()?.into_os_string().into_string().ok()
    }

    /// Whether anything is there; a link counts, wherever it points.
    pub fn exists(&self, path: &str) -> bool {
        fs::symlink_metadata(self.path(path)).is_ok()
    }

    /// When a file was last written, in Unix seconds.
    pub fn written(&self, path: &str) -> Option<u64> {
        let at = fs::metadata(self.path(path)).ok()?.modified().ok()?;
        Some(at.duration_since(UNIX_EPOCH).ok()?.as_secs())
    }
}

fn failed(path: &str, error: &io::Error) -> Unread {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Unread::Absent,
        io::ErrorKind::PermissionDenied => {
            Unread::Failed(format!("{path}: not allowed to read it"))
        }
        _ => Unread::Failed(format!("{path}: {error}")),
    }
}

/// The value of a line `name: value` or `name=value`.
pub(super) fn value_of<'t>(text: &'t str, name: &str, sign: char) -> Option<&'t str> {
    text.lines().find_map(|line| {
        let value = line.strip_prefix(name)?.trim_start().strip_prefix(sign)?.trim();
        Some(value.trim_matches(['"', '\'']))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_small_file_is_refused_with_its_reason() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::new(folder.path());
        assert_eq!(root.text("/none"), Err(Unread::Absent));
        fs::create_dir(root.path("/folder")).unwrap();
        assert_eq!(root.text("/folder"), Err(Unread::Failed("/folder is no file".to_owned())));
        fs::write(root.path("/large"), vec![b'x'; 2048]).unwrap();
        assert!(root.bytes("/large", 2048).is_ok());
        let failure = Unread::Failed("/large is larger than 1 KiB".to_owned());
        assert_eq!(root.bytes("/large", 1024 + 1023), Err(failure));
        std::os::unix::fs::symlink("loop", root.path("/loop")).unwrap();
        assert!(root.text("/loop").unwrap_err().failure().is_some());
        // A pipe that nobody writes to would hold a reader for ever.
        rustix::fs::mkfifoat(rustix::fs::CWD, root.path("/pipe"), 0o600.into()).unwrap();
        assert_eq!(root.text("/pipe"), Err(Unread::Failed("/pipe is no file".to_owned())));
        fs::write(root.path("/junk"), b"a\xff\xfeb").unwrap();
        assert_eq!(root.text("/junk").unwrap(), "a\u{fffd}\u{fffd}b");
    }

    #[test]
    fn values_are_found_by_their_names() {
        let text = "NAME=\"Debian\"\nID = debian\nNAMES=no\n";
        assert_eq!(value_of(text, "NAME", '='), Some("Debian"));
        assert_eq!(value_of(text, "ID", '='), Some("debian"));
        assert_eq!(value_of(text, "VERSION", '='), None);
    }
}
