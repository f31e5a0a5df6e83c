//! Lines that a pattern matches: of files that every account may read, and of logs. No text leaves this module.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Instant;

use bartizan_trust::limits::{PATTERN_COMPILED_BYTES_MAX, PATTERN_NEST_MAX};
use bartizan_trust::statement::{Levels, Severity};
use regex_lite::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};

use super::{Left, Seen, why};
use crate::limits::{LOOK_CONTENT_BYTES_MAX, LOOK_LINE_BYTES_MAX, LOOK_PATTERN_TIME};

/// How far a log was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogPlace {
    device: u64,
    inode: u64,
    offset: u64,
}

/// Matching takes time in proportion to the text and the size of the compiled pattern, whatever they say; both are bounded.
fn compile(pattern: &str) -> Option<Regex> {
    let mut builder = RegexBuilder::new(pattern);
    builder.size_limit(PATTERN_COMPILED_BYTES_MAX).nest_limit(PATTERN_NEST_MAX);
    builder.build().ok()
}

const NO_PATTERN: &str = "the pattern is none, or too large";
const TOO_SLOW: &str = "the pattern takes too long on this text";

pub(super) fn file(path: &Path, pattern: &str, wanted: bool, severity: Severity) -> Seen {
    let Some(pattern) = compile(pattern) else { return Seen::unknown(NO_PATTERN) };
    let opened = match open(path) {
        Ok(opened) => opened,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Seen::new(Some(severity), None, "there is no such file");
        }
        Err(error) => return Seen::unknown(&why(path, &error)),
    };
    let mut bytes = Vec::new();
    if let Err(error) = opened.file.take(LOOK_CONTENT_BYTES_MAX + 1).read_to_end(&mut bytes) {
        return Seen::unknown(&why(path, &error));
    }
    if u64::try_from(bytes.len()).is_ok_and(|size| size > LOOK_CONTENT_BYTES_MAX) {
        return Seen::unknown("the file is larger than 1 MiB");
    }
    let Some(count) = matches(&pattern, &bytes) else { return Seen::unknown(TOO_SLOW) };
    let found = count > 0;
    let text = if found { "a line matches" } else { "no line matches" };
    Seen::new((found != wanted).then_some(severity), u64::from(found), text)
}

pub(super) fn log(path: &Path, pattern: &str, above: Levels, left: &mut Left) -> Vec<Seen> {
    let Some(pattern) = compile(pattern) else { return vec![Seen::unknown(NO_PATTERN)] };
    match new_lines(path, left) {
        Ok(Some(bytes)) => vec![matches(&pattern, &bytes).map_or_else(
            || Seen::unknown(TOO_SLOW),
            |count| Seen::above(above, count, &format!("{count} new lines match")),
        )],
        Ok(None) => Vec::new(),
        Err(error) => vec![Seen::unknown(&why(path, &error))],
    }
}

/// How many lines match; nothing when the time for it is over.
fn matches(pattern: &Regex, bytes: &[u8]) -> Option<u64> {
    let begun = Instant::now();
    let mut count = 0;
    for line in bytes.split(|byte| *byte == b'\n') {
        if begun.elapsed() > LOOK_PATTERN_TIME {
            return None;
        }
        let start = line.get(..LOOK_LINE_BYTES_MAX).unwrap_or(line);
        if !line.is_empty() && pattern.is_match(&String::from_utf8_lossy(start)) {
            count += 1;
        }
    }
    Some(count)
}

/// Whole lines that came since the look before; nothing at the first look, which goes to the end.
fn new_lines(path: &Path, left: &mut Left) -> io::Result<Option<Vec<u8>>> {
    let opened = match open(path) {
        Ok(opened) => opened,
        Err(error) => {
            if error.kind() == io::ErrorKind::NotFound && !matches!(left, Left::Log(_)) {
                // What comes later is new from its first line on.
                *left = Left::Log(LogPlace { device: 0, inode: 0, offset: 0 });
            }
            return Err(error);
        }
    };
    let size = opened.size;
    let here = |offset| LogPlace { device: opened.device, inode: opened.inode, offset };
    let Left::Log(before) = *left else {
        *left = Left::Log(here(size));
        return Ok(None);
    };
    let same = (before.device, before.inode) == (opened.device, opened.inode);
    let mut bytes = Vec::new();
    let offset = if same && before.offset <= size {
        before.offset
    } else {
        if !same {
            bytes = rest_of_rotated(path, before).unwrap_or_default();
        }
        0
    };
    let taken = whole_lines(opened.file, offset, LOOK_CONTENT_BYTES_MAX, &mut bytes)?;
    *left = Left::Log(here(offset.saturating_add(taken)));
    Ok(Some(bytes))
}

/// What was not read of the file that is now called `.1`.
fn rest_of_rotated(path: &Path, before: LogPlace) -> Option<Vec<u8>> {
    let mut name = path.as_os_str().to_owned();
    name.push(".1");
    let opened = open(&PathBuf::from(name)).ok()?;
    if (opened.device, opened.inode) != (before.device, before.inode) {
        return None;
    }
    let mut bytes = Vec::new();
    whole_lines(opened.file, before.offset, LOOK_CONTENT_BYTES_MAX / 2, &mut bytes).ok()?;
    Some(bytes)
}

/// Adds whole lines and returns how many bytes of the file they are. What is longer than any line is passed over.
fn whole_lines(mut file: File, offset: u64, most: u64, bytes: &mut Vec<u8>) -> io::Result<u64> {
    file.seek(SeekFrom::Start(offset))?;
    let before = bytes.len();
    file.take(most).read_to_end(bytes)?;
    let read = bytes.len() - before;
    let end = bytes.iter().skip(before).rposition(|byte| *byte == b'\n').map(|at| at + 1);
    let endless = u64::try_from(read).is_ok_and(|read| read >= most);
    let taken = end.unwrap_or(if endless { read } else { 0 });
    bytes.truncate(before + taken);
    Ok(u64::try_from(taken).unwrap_or(u64::MAX))
}

struct Opened {
    file: File,
    device: u64,
    inode: u64,
    size: u64,
}

/// Opens what may be looked into: a file that every account of this machine may read, or one below `/var/log`. Otherwise a policy
/// could ask what is in secrets, a yes or no at a time.
fn open(path: &Path) -> io::Result<Opened> {
    // Without waiting, should it be a named pipe.
    let file = File::options().read(true).custom_flags(libc::O_NONBLOCK).open(path)?;
    let about = file.metadata()?;
    if !about.is_file() {
        return Err(io::Error::from(io::ErrorKind::InvalidInput));
    }
    let real = fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd()))?;
    let open_to_all = may_all(about.mode(), 0o004) && may_all_reach(&real);
    if !real.starts_with("/var/log") && !open_to_all {
        return Err(io::Error::from(io::ErrorKind::PermissionDenied));
    }
    Ok(Opened { device: about.dev(), inode: about.ino(), size: about.len(), file })
}

fn may_all_reach(file: &Path) -> bool {
    let open = |folder: &Path| {
        folder.metadata().is_ok_and(|about| about.is_dir() && may_all(about.mode(), 0o001))
    };
    file.ancestors().skip(1).all(open)
}

const fn may_all(mode: u32, bit: u32) -> bool {
    mode & bit == bit
}

#[cfg(test)]
mod tests;
