//! Reads one file: whole, or beginning and end with the digest of everything between.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::time::UNIX_EPOCH;

use bartizan_scan::digest::{Digester, Digests, Wanted};
use bartizan_scan::limits;
use bartizan_scan::registry;
use bartizan_scan::time::UnixSeconds;

use crate::pace::Pace;
use crate::walk::Found;

/// Bytes read at once.
const PIECE_BYTES: usize = 256 * 1024;

/// What was read. A worker keeps one of these: fetching memory from the system for each file costs more than hashing it.
#[derive(Debug, Default)]
pub(crate) struct Content {
    /// Filled up to `filled`; what stands behind that is of earlier files.
    bytes: Vec<u8>,
    filled: usize,
    pub(crate) tail: Vec<u8>,
    pub(crate) size: u64,
    pub(crate) digests: Option<Digests>,
    pub(crate) changed: bool,
    pub(crate) bytes_read: u64,
}

impl Content {
    /// All of the file, or its beginning.
    pub(crate) fn head(&self) -> &[u8] {
        self.bytes.get(..self.filled).unwrap_or_default()
    }

    /// Forgets the file and keeps the memory, but not that of a large hive.
    fn begin(&mut self, size: u64) {
        if self.bytes.len() > limits::FILE_BYTES_MAX {
            self.bytes = Vec::new();
        }
        *self = Self { bytes: std::mem::take(&mut self.bytes), size, ..Self::default() };
    }

    /// Room for more of the head, up to `max`; none once that is reached.
    fn room(&mut self, max: usize) -> &mut [u8] {
        let end = self.filled.saturating_add(PIECE_BYTES).min(max);
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        self.bytes.get_mut(self.filled..end).unwrap_or_default()
    }
}

/// Reads a file that was found.
pub(crate) fn read(
    found: &Found,
    wanted: Wanted,
    pace: &Pace,
    content: &mut Content,
) -> io::Result<()> {
    let mut file = open(&found.place)?;
    let before = file.metadata()?;
    if !before.is_file() {
        return Err(io::Error::other("no longer a file"));
    }
    content.begin(before.len());
    let mut digester = Digester::new(wanted);
    let mut head_max = limits::FILE_BYTES_MAX;
    if usize::try_from(before.len()).map_or(true, |size| size > head_max) {
        head_max = limits::FILE_HEAD_BYTES;
    }
    let mut beyond = Vec::new();
    loop {
        let start = content.filled;
        let room = match content.room(head_max) {
            [] => {
                beyond.resize(PIECE_BYTES, 0);
                beyond.as_mut_slice()
            }
            room => room,
        };
        let read = file.read(room)?;
        let Some(bytes) = room.get(..read).filter(|bytes| !bytes.is_empty()) else { break };
        if start == 0 && bytes.starts_with(b"regf") && before.len() <= hive_max() {
            // A hive is understood whole or not at all.
            head_max = limits::HIVE_BYTES_MAX;
        }
        digester.update(bytes);
        pace.read(read);
        content.filled = start.saturating_add(read).min(head_max.max(start));
        content.bytes_read += u64::try_from(read).unwrap_or_default();
        // Its facts are asked again below: whether more came meanwhile needs no read of its own.
        if content.bytes_read == before.len() {
            break;
        }
        let grows = content.bytes_read > before.len().saturating_add(GROWTH_BYTES_MAX);
        let no_digest = before.len() > limits::FILE_DIGEST_BYTES_MAX;
        if grows || (no_digest && content.filled >= head_max) {
            break;
        }
    }
    let whole = content.bytes_read == before.len();
    content.digests = whole.then(|| digester.finish());
    if u64::try_from(content.filled).unwrap_or_default() < before.len() {
        read_tail(&mut file, content)?;
    }
    content.changed = !same(&before, &file.metadata()?)
        || (before.len() <= limits::FILE_DIGEST_BYTES_MAX && !whole);
    if content.changed {
        content.size = content.bytes_read;
    }
    Ok(())
}

/// A file that grows while it is read is not followed for ever.
const GROWTH_BYTES_MAX: u64 = 1024 * 1024;

fn hive_max() -> u64 {
    u64::try_from(limits::HIVE_BYTES_MAX).unwrap_or(u64::MAX)
}

/// The logs of a registry hive that was not closed: `SOFTWARE.LOG1` and `SOFTWARE.LOG2` beside it. What cannot be read is as if it
/// were not there, and the engine says what it misses.
pub(crate) fn hive_logs(found: &Found, head: &[u8], pace: &Pace) -> Vec<Vec<u8>> {
    if !registry::is_open(head) {
        return Vec::new();
    }
    let mut logs = Vec::new();
    for number in ["1", "2"] {
        let beside = ["LOG", "log"].into_iter().find_map(|word| {
            let mut name = found.place.file_name()?.to_owned();
            name.push(format!(".{word}{number}"));
            open(&found.place.with_file_name(name)).ok()
        });
        let Some(file) = beside.filter(|file| file.metadata().is_ok_and(|facts| facts.is_file()))
        else {
            continue;
        };
        let mut log = Vec::new();
        if file.take(limits::HIVE_LOG_BYTES_MAX).read_to_end(&mut log).is_ok() {
            pace.read(log.len());
            logs.push(log);
        }
    }
    logs
}

fn read_tail(file: &mut File, content: &mut Content) -> io::Result<()> {
    let wanted = i64::try_from(limits::FILE_TAIL_BYTES).unwrap_or(i64::MAX);
    file.seek(SeekFrom::End(-wanted))?;
    let limit = u64::try_from(limits::FILE_TAIL_BYTES).unwrap_or(u64::MAX);
    file.take(limit).read_to_end(&mut content.tail)?;
    Ok(())
}

fn same(before: &Metadata, after: &Metadata) -> bool {
    before.len() == after.len() && before.modified().ok() == after.modified().ok()
}

/// Opens without following a link, without waiting on a pipe that took the file's place, and, where the system lets us,
/// without changing when the file was last read.
#[cfg(target_os = "linux")]
pub(crate) fn open(place: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;

    use rustix::fs::OFlags;

    let flags = |flags: OFlags| i32::try_from(flags.bits()).unwrap_or_default();
    let careful = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    let quiet = flags(careful | OFlags::NOATIME);
    OpenOptions::new().read(true).custom_flags(quiet).open(place).or_else(|error| {
        // Only the owner and root may leave no trace of reading.
        if error.kind() == io::ErrorKind::PermissionDenied {
            return OpenOptions::new().read(true).custom_flags(flags(careful)).open(place);
        }
        Err(error)
    })
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn open(place: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).open(place)
}

/// The mode of a file, where the system has such a thing.
#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "elsewhere there is none")]
pub(crate) fn mode(facts: &Metadata) -> Option<u32> {
    Some(std::os::unix::fs::MetadataExt::mode(facts))
}

#[cfg(not(unix))]
pub(crate) fn mode(_facts: &Metadata) -> Option<u32> {
    None
}

/// A time of the file system.
pub(crate) fn seconds(time: io::Result<std::time::SystemTime>) -> Option<UnixSeconds> {
    let time = time.ok()?;
    let seconds = match time.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_secs()).ok()?,
        Err(before) => i64::try_from(before.duration().as_secs()).ok()?.checked_neg()?,
    };
    Some(UnixSeconds(seconds))
}
