//! One file of the spool: a head, then records one after the other. A file is only ever appended to by the process that made
//! it, so whatever stands behind the last whole record is a torn tail, and everything from there on is left out.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use bartizan_os::files;
use bartizan_proto::limits::REPORT_BYTES_MAX;
use bartizan_trust::id::Sha256;
use bartizan_trust::wire::{Reader, Writer};

/// Says what the file is, and in which form.
const MAGIC: &[u8; 8] = b"bzrprt1\n";
/// Of the hash of a record: enough to tell a torn one.
const CHECK_BYTES: usize = 8;
/// Length and check in front of a record.
const HEAD_BYTES: usize = 4 + CHECK_BYTES;
/// The fields of a record without its report's bytes.
const FIELDS_BYTES: usize = 8 + 8 + 8 + 1 + 8 + 4;

/// What the spool keeps of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) seq: u64,
    pub(super) at: u64,
    pub(super) dropped: u64,
    pub(super) kind: u8,
    /// Samples, results or events in it.
    pub(super) items: u64,
    pub(super) bytes: Vec<u8>,
}

/// Where a record is in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) offset: u64,
    pub(super) length: u32,
}

/// A file that this process appends to.
#[derive(Debug)]
pub(super) struct Appender {
    file: File,
    size: u64,
}

impl Appender {
    /// A new file with nothing in it but its head.
    pub(super) fn create(path: &Path, epoch: u64) -> io::Result<Self> {
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        let head = head(epoch);
        (&file).write_all(&head)?;
        Ok(Self { file, size: size(&head) })
    }

    /// Appends a record. After an error nothing more may be appended: the tail is torn.
    pub(super) fn append(&mut self, record: &Record) -> io::Result<Place> {
        let body = encode(record);
        let check = Sha256::of(&body);
        let length = u32::try_from(body.len()).map_err(io::Error::other)?;
        let check = check.as_bytes().get(..CHECK_BYTES).unwrap_or_default();
        let whole = [&length.to_be_bytes(), check, &body].concat();
        (&self.file).write_all(&whole)?;
        let place = Place { offset: self.size, length };
        self.size += size(&whole);
        Ok(place)
    }

    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    pub(super) const fn size(&self) -> u64 {
        self.size
    }
}

/// Every whole record of a file and where it is; nothing of a file of another spool.
pub(super) fn load(path: &Path, epoch: u64) -> Vec<(Record, Place)> {
    let bytes = files::read_own(path).unwrap_or_default();
    let head = head(epoch);
    let Some(mut rest) = bytes.strip_prefix(head.as_slice()) else { return Vec::new() };
    let mut all = Vec::new();
    let mut offset = size(&head);
    while let Some((record, length)) = first_record(rest) {
        let whole = HEAD_BYTES + length;
        all.push((record, Place { offset, length: u32::try_from(length).unwrap_or(u32::MAX) }));
        rest = rest.get(whole..).unwrap_or_default();
        offset += u64::try_from(whole).unwrap_or_default();
    }
    all
}

/// Reads one record again.
pub(super) fn read(path: &Path, place: Place) -> Option<Record> {
    let length = usize::try_from(place.length).ok()?;
    let mut whole = vec![0; HEAD_BYTES + length];
    File::open(path).ok()?.read_exact_at(&mut whole, place.offset).ok()?;
    first_record(&whole).map(|(record, _)| record)
}

fn head(epoch: u64) -> Vec<u8> {
    [MAGIC.as_slice(), &epoch.to_be_bytes()].concat()
}

fn first_record(bytes: &[u8]) -> Option<(Record, usize)> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (check, rest) = rest.split_first_chunk::<CHECK_BYTES>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let body = rest.get(..length).filter(|_| length <= FIELDS_BYTES + REPORT_BYTES_MAX)?;
    Sha256::of(body).as_bytes().starts_with(check).then_some(())?;
    Some((decode(body)?, length))
}

fn encode(record: &Record) -> Vec<u8> {
    let w = Writer::new().u64(record.seq).u64(record.at).u64(record.dropped).u8(record.kind);
    w.u64(record.items).bytes(&record.bytes).into_bytes()
}

fn decode(body: &[u8]) -> Option<Record> {
    let mut r = Reader::new(body);
    let record = Record {
        seq: r.u64().ok()?,
        at: r.u64().ok()?,
        dropped: r.u64().ok()?,
        kind: r.u8().ok()?,
        items: r.u64().ok()?,
        bytes: r.bytes().ok()?.to_vec(),
    };
    r.finish().ok()?;
    Some(record)
}

fn size(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
