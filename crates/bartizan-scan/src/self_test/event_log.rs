//! Writes a small event log, as Windows would, with nothing that is not needed: for the self-test, for tests and for measuring.

/// One event.
#[derive(Debug, Clone, Copy)]
pub struct Written<'a> {
    /// Its number.
    pub record: u64,
    /// When, in seconds since 1970.
    pub at: i64,
    /// The channel, as `Security`.
    pub channel: &'a str,
    /// The provider.
    pub provider: &'a str,
    /// What kind of event.
    pub event: u32,
    /// The fields.
    pub data: &'a [(&'a str, &'a str)],
}

const CHUNK_BYTES: usize = 65_536;
const CHUNK_HEAD_BYTES: usize = 512;
const FILE_HEAD_BYTES: usize = 4096;
/// Seconds between 1601 and 1970.
const FILETIME_OFFSET: i64 = 11_644_473_600;

/// A log with these events, in as many chunks as they need. An event that fits into no chunk is left out.
pub fn event_log(events: &[Written<'_>]) -> Vec<u8> {
    let mut chunks = Vec::new();
    let mut chunk = vec![0; CHUNK_HEAD_BYTES];
    let mut held: Vec<u64> = Vec::new();
    let mut last_at = CHUNK_HEAD_BYTES;
    for event in events {
        let mut at = chunk.len();
        record(&mut chunk, event);
        if chunk.len() > CHUNK_BYTES {
            chunk.truncate(at);
            if held.is_empty() {
                continue;
            }
            chunks.push(close(chunk, last_at, &held));
            (chunk, held, at) = (vec![0; CHUNK_HEAD_BYTES], Vec::new(), CHUNK_HEAD_BYTES);
            record(&mut chunk, event);
            if chunk.len() > CHUNK_BYTES {
                chunk.truncate(at);
                continue;
            }
        }
        held.push(event.record);
        last_at = at;
    }
    chunks.push(close(chunk, last_at, &held));
    let mut file = file_head(chunks.len(), events.iter().map(|event| event.record).max());
    file.extend(chunks.into_iter().flatten());
    file
}

fn file_head(chunks: usize, last: Option<u64>) -> Vec<u8> {
    let mut head = vec![0_u8; FILE_HEAD_BYTES];
    put(&mut head, 0, b"ElfFile\0");
    put(&mut head, 16, &u64::try_from(chunks).unwrap_or(1).saturating_sub(1).to_le_bytes());
    put(&mut head, 24, &last.unwrap_or_default().saturating_add(1).to_le_bytes());
    put(&mut head, 32, &128_u32.to_le_bytes());
    put(&mut head, 36, &1_u16.to_le_bytes());
    put(&mut head, 38, &3_u16.to_le_bytes());
    put(&mut head, 40, &4096_u16.to_le_bytes());
    put(&mut head, 42, &u16::try_from(chunks).unwrap_or(u16::MAX).to_le_bytes());
    let sum = crc32(&[head.get(..120).unwrap_or_default()]);
    put(&mut head, 124, &sum.to_le_bytes());
    head
}

/// Writes the head of a chunk, and fills it up.
fn close(mut chunk: Vec<u8>, last_at: usize, records: &[u64]) -> Vec<u8> {
    let free = chunk.len();
    let first = records.first().copied().unwrap_or(1);
    let last = records.last().copied().unwrap_or(1);
    put(&mut chunk, 0, b"ElfChnk\0");
    for (place, value) in [(8, first), (16, last), (24, first), (32, last)] {
        put(&mut chunk, place, &value.to_le_bytes());
    }
    let events_sum = crc32(&[chunk.get(CHUNK_HEAD_BYTES..).unwrap_or_default()]);
    for (place, value) in [(40, 128), (44, length(last_at)), (48, length(free)), (52, events_sum)] {
        put(&mut chunk, place, &u32::to_le_bytes(value));
    }
    let parts = [chunk.get(..120), chunk.get(128..CHUNK_HEAD_BYTES)];
    let sum = crc32(&parts.map(Option::unwrap_or_default));
    put(&mut chunk, 124, &sum.to_le_bytes());
    chunk.resize(CHUNK_BYTES, 0);
    chunk
}

fn record(chunk: &mut Vec<u8>, event: &Written<'_>) {
    let start = chunk.len();
    chunk.extend(0x0000_2a2a_u32.to_le_bytes());
    chunk.extend([0; 4]);
    chunk.extend(event.record.to_le_bytes());
    let seconds = u64::try_from(event.at.saturating_add(FILETIME_OFFSET)).unwrap_or_default();
    chunk.extend(seconds.saturating_mul(10_000_000).to_le_bytes());
    chunk.extend([0x0f, 1, 1, 0]);
    element(chunk, "Event", &[], |chunk| {
        element(chunk, "System", &[], |chunk| {
            element(chunk, "Provider", &[("Name", event.provider)], |_| {});
            element(chunk, "EventID", &[], |chunk| value(chunk, &event.event.to_string()));
            element(chunk, "Channel", &[], |chunk| value(chunk, event.channel));
            element(chunk, "Computer", &[], |chunk| value(chunk, "host.example"));
        });
        element(chunk, "EventData", &[], |chunk| {
            for (name, text) in event.data {
                element(chunk, "Data", &[("Name", name)], |chunk| value(chunk, text));
            }
        });
    });
    chunk.push(0);
    let size = length(chunk.len() - start + 4).to_le_bytes();
    chunk.extend(size);
    put(chunk, start + 4, &size);
}

fn element(
    chunk: &mut Vec<u8>,
    name: &str,
    attributes: &[(&str, &str)],
    content: impl FnOnce(&mut Vec<u8>),
) {
    chunk.push(if attributes.is_empty() { 0x01 } else { 0x41 });
    chunk.extend([0; 4]);
    named(chunk, name);
    if !attributes.is_empty() {
        chunk.extend([0; 4]);
        for (name, text) in attributes {
            chunk.push(0x06);
            named(chunk, name);
            value(chunk, text);
        }
    }
    chunk.push(0x02);
    content(chunk);
    chunk.push(0x04);
}

/// A name that stands just behind the reference to it.
fn named(chunk: &mut Vec<u8>, name: &str) {
    let here = length(chunk.len() + 4);
    chunk.extend(here.to_le_bytes());
    chunk.extend([0; 4]);
    // The hash that Windows keeps names by.
    let hash =
        name.encode_utf16().fold(0_u32, |h, c| h.wrapping_mul(65_599).wrapping_add(c.into()));
    let [low, high, ..] = hash.to_le_bytes();
    chunk.extend([low, high]);
    chunk.extend(units(name).to_le_bytes());
    chunk.extend(name.encode_utf16().flat_map(u16::to_le_bytes));
    chunk.extend([0; 2]);
}

fn value(chunk: &mut Vec<u8>, text: &str) {
    chunk.extend([0x05, 0x01]);
    let count = units(text);
    chunk.extend(count.to_le_bytes());
    chunk.extend(text.encode_utf16().take(usize::from(count)).flat_map(u16::to_le_bytes));
}

fn units(text: &str) -> u16 {
    u16::try_from(text.encode_utf16().count()).unwrap_or(u16::MAX)
}

fn put(bytes: &mut [u8], at: usize, what: &[u8]) {
    for (to, from) in bytes.iter_mut().skip(at).zip(what) {
        *to = *from;
    }
}

fn length(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn crc32(parts: &[&[u8]]) -> u32 {
    let mut crc = flate2::Crc::new();
    for part in parts {
        crc.update(part);
    }
    crc.sum()
}
