//! Transaction logs of a hive: Windows writes changes there first, and into the hive up to an hour later. Who copies a hive from
//! a running machine has the newest of them only here.
//!
//! A log begins as a hive does. Behind the first 512 bytes stand, since Windows 8.1, entries (`HvLE`): a head of 40 bytes with a
//! number and two hashes, the places of pages, the pages. Before, there was one bitmap (`DIRT`) with a bit for each 512 bytes of
//! the hive, and the pieces whose bit is set.

use crate::limits;

const BASE: usize = 4096;
const HEAD: usize = 512;
const ENTRY_HEAD: usize = 40;
/// Pieces of the older form.
const PIECE: usize = 512;
/// Windows hashes entries under this key, the same everywhere: it finds torn writes, not forgeries.
const HASH_KEY: u64 = 0x82ef_4d88_7a4e_55c5;

/// Kinds of files that begin with `regf`; a hive has the kind 0.
const KIND_ENTRIES: u32 = 6;
const KINDS_BITMAP: [u32; 2] = [1, 2];

/// Why logs were not applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// None lies beside the hive.
    #[error("there are none")]
    Missing,
    /// Nothing in them is newer than the hive and whole.
    #[error("they hold no whole change that is newer")]
    NothingNewer,
    /// The hive would become larger than the limit.
    #[error("the hive would be above the size limit")]
    TooLarge,
}

/// Whether bytes that begin as a hive are a log of one.
pub fn is_log(bytes: &[u8]) -> bool {
    let kind = u32_at(bytes, 28);
    bytes.starts_with(b"regf")
        && kind.is_some_and(|kind| kind == KIND_ENTRIES || KINDS_BITMAP.contains(&kind))
}

/// Whether a hive was not closed, so that its logs may hold more.
pub fn is_open(bytes: &[u8]) -> bool {
    bytes.starts_with(b"regf") && !is_log(bytes) && u32_at(bytes, 4) != u32_at(bytes, 8)
}

/// The hive as it is with its logs.
pub fn apply(hive: &[u8], logs: &[Vec<u8>]) -> Result<Vec<u8>, LogError> {
    if logs.iter().all(Vec::is_empty) {
        return Err(LogError::Missing);
    }
    let from = u32_at(hive, 8).ok_or(LogError::NothingNewer)?;
    let mut entries: Vec<Entry<'_>> = logs.iter().flat_map(|log| entries_of(log)).collect();
    entries.retain(|entry| entry.number >= from);
    entries.sort_by_key(|entry| entry.number);
    let mut applied: Option<u32> = None;
    let mut result = hive.to_vec();
    for entry in entries {
        // Behind a hole nothing fits any more.
        if applied.is_some_and(|last| entry.number > last.saturating_add(1)) {
            break;
        }
        entry.write_to(&mut result)?;
        applied = Some(entry.number);
    }
    let last = applied.ok_or(LogError::NothingNewer)?;
    let closed = last.saturating_add(1).to_le_bytes();
    put(&mut result, 4, &closed);
    put(&mut result, 8, &closed);
    Ok(result)
}

/// Changes that belong together.
struct Entry<'a> {
    number: u32,
    /// Bytes behind the base block of the hive, after this.
    size: usize,
    pages: Vec<(usize, &'a [u8])>,
}

impl Entry<'_> {
    fn write_to(&self, hive: &mut Vec<u8>) -> Result<(), LogError> {
        let end = BASE.saturating_add(self.size);
        if end > limits::HIVE_BYTES_MAX {
            return Err(LogError::TooLarge);
        }
        if hive.len() < end {
            hive.resize(end, 0);
        }
        for (at, page) in &self.pages {
            put(hive, BASE.saturating_add(*at), page);
        }
        put(hive, 40, &u32::try_from(self.size).unwrap_or(u32::MAX).to_le_bytes());
        Ok(())
    }
}

fn entries_of(log: &[u8]) -> Vec<Entry<'_>> {
    match u32_at(log, 28) {
        Some(KIND_ENTRIES) if log.starts_with(b"regf") => {
            let mut entries = Vec::new();
            let mut at = HEAD;
            while let Some((entry, length)) = log.get(at..).and_then(read_entry) {
                entries.push(entry);
                at += length;
            }
            entries
        }
        Some(kind) if KINDS_BITMAP.contains(&kind) && log.starts_with(b"regf") => {
            read_bitmap(log).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

/// One entry and its length; `None` at the first that is not whole, as what stands behind it is of an earlier round.
fn read_entry(bytes: &[u8]) -> Option<(Entry<'_>, usize)> {
    let length = usize::try_from(u32_at(bytes, 4)?).ok()?;
    let bytes = bytes.get(..length)?;
    if !bytes.starts_with(b"HvLE") || length < HEAD || !length.is_multiple_of(HEAD) {
        return None;
    }
    let hashes = [bytes.get(ENTRY_HEAD..)?, bytes.get(..32)?].map(|part| marvin32(HASH_KEY, part));
    if hashes != [u64_at(bytes, 24)?, u64_at(bytes, 32)?] {
        return None;
    }
    let size = usize::try_from(u32_at(bytes, 16)?).ok()?;
    let count = usize::try_from(u32_at(bytes, 20)?).ok()?;
    let mut data = ENTRY_HEAD.checked_add(count.checked_mul(8)?)?;
    // The places of all pages must be there before room is made for them.
    bytes.get(..data)?;
    let mut pages = Vec::new();
    for index in 0..count {
        let place = ENTRY_HEAD + index * 8;
        let at = usize::try_from(u32_at(bytes, place)?).ok()?;
        let length = usize::try_from(u32_at(bytes, place + 4)?).ok()?;
        let page = bytes.get(data..data.checked_add(length)?)?;
        if at.checked_add(length)? > size {
            return None;
        }
        data += length;
        pages.push((at, page));
    }
    Some((Entry { number: u32_at(bytes, 12)?, size, pages }, length))
}

/// The older form holds one state of changes; it is whole if the sums of its head fit.
fn read_bitmap(log: &[u8]) -> Option<Entry<'_>> {
    let number = u32_at(log, 4)?;
    if number != u32_at(log, 8)? || u32_at(log, 508)? != head_sum(log)? {
        return None;
    }
    let size = usize::try_from(u32_at(log, 40)?).ok()?;
    let bitmap_bytes = size / (PIECE * 8);
    let bitmap = log.get(HEAD..)?.strip_prefix(b"DIRT")?.get(..bitmap_bytes)?;
    let mut data = HEAD.checked_add(4 + bitmap_bytes)?.next_multiple_of(PIECE);
    let mut pages = Vec::new();
    for index in 0..bitmap_bytes * 8 {
        let is_set = bitmap.get(index / 8).is_some_and(|byte| byte >> (index % 8) & 1 == 1);
        if is_set {
            pages.push((index * PIECE, log.get(data..data.checked_add(PIECE)?)?));
            data += PIECE;
        }
    }
    Some(Entry { number, size, pages })
}

/// The sum at the end of a head: all words before it, combined by exclusive or; two values have another meaning.
fn head_sum(bytes: &[u8]) -> Option<u32> {
    let words = bytes.get(..508)?.chunks_exact(4);
    let words = words.filter_map(|word| word.try_into().ok().map(u32::from_le_bytes));
    Some(match words.fold(0, |sum, word| sum ^ word) {
        0 => 1,
        u32::MAX => u32::MAX - 1,
        sum => sum,
    })
}

/// Marvin32 over whole words; everything that is hashed here has a length divisible by four.
fn marvin32(key: u64, bytes: &[u8]) -> u64 {
    let [low, high] = [key & u64::from(u32::MAX), key >> 32];
    let mut state = [low, high].map(|half| u32::try_from(half).unwrap_or_default());
    let words = bytes.chunks_exact(4);
    let words = words.filter_map(|word| word.try_into().ok().map(u32::from_le_bytes));
    for word in words.chain([0x80, 0]) {
        let [low, high] = state;
        let (low, high) = (low.wrapping_add(word), high ^ low.wrapping_add(word));
        let low = low.rotate_left(20).wrapping_add(high);
        let high = high.rotate_left(9) ^ low;
        let low = low.rotate_left(27).wrapping_add(high);
        state = [low, high.rotate_left(19)];
    }
    let [low, high] = state;
    u64::from(high) << 32 | u64::from(low)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at.checked_add(4)?)?.try_into().ok().map(u32::from_le_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..at.checked_add(8)?)?.try_into().ok().map(u64::from_le_bytes)
}

fn put(bytes: &mut [u8], at: usize, what: &[u8]) {
    for (to, from) in bytes.iter_mut().skip(at).zip(what) {
        *to = *from;
    }
}

/// Writes logs for tests: what leads from one hive to another.
#[cfg(test)]
pub(crate) mod writer {
    use super::*;

    /// The places and contents of the pieces in which two hives differ.
    fn changes(old: &[u8], new: &[u8], piece: usize) -> Vec<(usize, Vec<u8>)> {
        let padded = |at: usize| {
            let mut bytes = new.get(BASE + at..).unwrap_or_default().to_vec();
            bytes.resize(piece, 0);
            bytes
        };
        let places = (0..new.len() - BASE).step_by(piece);
        let differs = |at: &usize| {
            let range = BASE + at..(BASE + at + piece).min(new.len());
            old.get(range.clone()) != new.get(range)
        };
        places.filter(differs).map(|at| (at, padded(at))).collect()
    }

    fn head(kind: u32, number: u32, size: usize) -> Vec<u8> {
        let mut head = vec![0; HEAD];
        put(&mut head, 0, b"regf");
        put(&mut head, 4, &number.to_le_bytes());
        put(&mut head, 8, &number.to_le_bytes());
        put(&mut head, 28, &kind.to_le_bytes());
        put(&mut head, 40, &u32::try_from(size).unwrap().to_le_bytes());
        let sum = head_sum(&head).unwrap();
        put(&mut head, 508, &sum.to_le_bytes());
        head
    }

    /// A log of the newer form with the steps between these hives.
    pub(crate) fn entries(first: u32, hives: &[&[u8]]) -> Vec<u8> {
        let mut log = head(KIND_ENTRIES, first, 0);
        for (number, pair) in (first..).zip(hives.windows(2)) {
            let size = (pair[1].len() - BASE).next_multiple_of(4096);
            let pages = changes(pair[0], pair[1], 4096);
            let mut entry = vec![0; ENTRY_HEAD];
            for (at, page) in &pages {
                entry.extend(u32::try_from(*at).unwrap().to_le_bytes());
                entry.extend(u32::try_from(page.len()).unwrap().to_le_bytes());
            }
            entry.extend(pages.iter().flat_map(|(_, page)| page.clone()));
            entry.resize(entry.len().next_multiple_of(HEAD), 0);
            put(&mut entry, 0, b"HvLE");
            let words = [entry.len(), 0, usize::try_from(number).unwrap(), size, pages.len()];
            for (index, word) in words.into_iter().enumerate() {
                put(&mut entry, 4 + index * 4, &u32::try_from(word).unwrap().to_le_bytes());
            }
            let body = marvin32(HASH_KEY, &entry[ENTRY_HEAD..]).to_le_bytes();
            put(&mut entry, 24, &body);
            let start = marvin32(HASH_KEY, &entry[..32]).to_le_bytes();
            put(&mut entry, 32, &start);
            log.extend(entry);
        }
        log
    }

    /// A log of the older form with the step between two hives.
    pub(crate) fn bitmap(number: u32, old: &[u8], new: &[u8]) -> Vec<u8> {
        let size = (new.len() - BASE).next_multiple_of(4096);
        let pieces = changes(old, new, PIECE);
        let mut log = head(1, number, size);
        let mut bits = vec![0_u8; size / (PIECE * 8)];
        for (at, _) in &pieces {
            bits[at / PIECE / 8] |= 1 << (at / PIECE % 8);
        }
        log.extend(b"DIRT");
        log.extend(bits);
        log.resize(log.len().next_multiple_of(PIECE), 0);
        log.extend(pieces.into_iter().flat_map(|(_, piece)| piece));
        log
    }

    /// The same hive, not closed, at a number.
    pub(crate) fn open(hive: &[u8], number: u32) -> Vec<u8> {
        let mut hive = hive.to_vec();
        put(&mut hive, 4, &(number + 1).to_le_bytes());
        put(&mut hive, 8, &number.to_le_bytes());
        hive
    }
}

#[cfg(test)]
mod tests {
    use super::writer::{bitmap, entries, open};
    use super::*;
    use crate::registry::{Hive, Value};
    use crate::self_test::hive;

    fn run_key(value: &str) -> Vec<u8> {
        let values = [("Start", value)];
        hive(&[("Microsoft\\Windows\\CurrentVersion\\Run", &values)])
    }

    fn values(bytes: &[u8]) -> Vec<String> {
        let mut values = Vec::new();
        let hive = Hive::open(bytes).unwrap();
        assert!(!hive.is_dirty);
        let (_, damaged) = hive.visit(|key| values.extend(key.values.iter().map(Value::text)));
        assert!(!damaged);
        values
    }

    #[test]
    fn the_hash_is_the_published_one() {
        // From the tests of .NET, which has the same function.
        let key = 0x004f_b61a_001b_dbcc;
        assert_eq!(marvin32(key, b""), 0x30ed_35c1_00cd_3c7d);
        assert_eq!(marvin32(key, &[0x86, 0x42, 0xdc, 0x59]), 0x7008_f2e8_7e9c_f556);
        assert_eq!(
            marvin32(0x804f_b61a_001b_dbcc, &[0x86, 0x42, 0xdc, 0x59]),
            0x3628_9d96_54fb_49f6
        );
    }

    #[test]
    fn changes_in_logs_are_applied_in_their_order_and_from_both_logs() {
        let [a, b, c] = ["first_.exe", "second.exe", "third_.exe"].map(run_key);
        let hive = open(&a, 7);
        let first = entries(7, &[&a, &b]);
        let second = entries(8, &[&b, &c]);
        assert_eq!(
            values(&apply(&hive, &[second.clone(), first.clone()]).unwrap()),
            ["third_.exe"]
        );
        assert_eq!(values(&apply(&hive, std::slice::from_ref(&first)).unwrap()), ["second.exe"]);
        // Behind a hole nothing is applied, and nothing that the hive has already.
        let late = entries(9, &[&b, &c]);
        assert_eq!(values(&apply(&hive, &[first.clone(), late]).unwrap()), ["second.exe"]);
        assert_eq!(apply(&open(&a, 8), &[first]), Err(LogError::NothingNewer));
        assert_eq!(apply(&hive, &[Vec::new()]), Err(LogError::Missing));
    }

    #[test]
    fn the_older_form_is_applied() {
        let [a, b] = ["first_.exe", "second.exe"].map(run_key);
        let log = bitmap(7, &a, &b);
        assert_eq!(values(&apply(&open(&a, 7), &[log]).unwrap()), ["second.exe"]);
    }

    #[test]
    fn a_torn_entry_ends_its_log() {
        let [a, b, c] = ["first_.exe", "second.exe", "third_.exe"].map(run_key);
        let log = entries(7, &[&a, &b, &c]);
        let hive = open(&a, 7);
        let mut torn = log.clone();
        let last = torn.len() - 600;
        torn[last] ^= 1;
        assert_eq!(values(&apply(&hive, &[torn]).unwrap()), ["second.exe"]);
        assert_eq!(
            values(&apply(&hive, &[log[..log.len() - 1].to_vec()]).unwrap()),
            ["second.exe"]
        );
        // Whatever is changed, nothing panics.
        for at in (0..log.len()).step_by(7) {
            let mut damaged = log.clone();
            damaged[at] ^= 0x5a;
            let _ = apply(&hive, &[damaged]);
        }
    }

    #[test]
    fn a_log_is_no_hive_and_a_closed_hive_needs_none() {
        let a = run_key("first_.exe");
        assert!(is_log(&entries(7, &[&a, &a])) && !is_log(&a));
        assert!(is_open(&open(&a, 7)) && !is_open(&a));
    }
}
