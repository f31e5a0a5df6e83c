//! Writes small event logs for tests: what Windows would have written, with nothing that is not needed.

/// One event of a test.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Written<'a> {
    pub(crate) record: u64,
    pub(crate) at: i64,
    pub(crate) channel: &'a str,
    pub(crate) provider: &'a str,
    pub(crate) event: u32,
    pub(crate) data: &'a [(&'a str, &'a str)],
}

const CHUNK_BYTES: usize = 65_536;
const CHUNK_HEAD_BYTES: usize = 512;

/// A whole log with all events in one chunk.
pub(crate) fn log(events: &[Written<'_>]) -> Vec<u8> {
    let mut file = vec![0_u8; 4096];
    let next = events.iter().map(|event| event.record + 1).max().unwrap_or(1);
    put(&mut file, 0, b"ElfFile\0");
    put(&mut file, 24, &next.to_le_bytes());
    put(&mut file, 32, &128_u32.to_le_bytes());
    put(&mut file, 36, &1_u16.to_le_bytes());
    put(&mut file, 38, &3_u16.to_le_bytes());
    put(&mut file, 40, &4096_u16.to_le_bytes());
    put(&mut file, 42, &1_u16.to_le_bytes());
    let sum = crc32(&file[..120]);
    put(&mut file, 124, &sum.to_le_bytes());
    file.extend(chunk(events));
    file
}

fn chunk(events: &[Written<'_>]) -> Vec<u8> {
    let mut chunk = vec![0_u8; CHUNK_HEAD_BYTES];
    let mut last_at = CHUNK_HEAD_BYTES;
    for event in events {
        last_at = chunk.len();
        record(&mut chunk, event);
    }
    let free = chunk.len();
    let (first, last) =
        (events.first().map_or(1, |e| e.record), events.last().map_or(1, |e| e.record));
    put(&mut chunk, 0, b"ElfChnk\0");
    for (place, value) in [(8, first), (16, last), (24, first), (32, last)] {
        put(&mut chunk, place, &value.to_le_bytes());
    }
    let events_sum = crc32(&chunk[CHUNK_HEAD_BYTES..free]);
    for (place, value) in [
        (40, 128),
        (44, u32::try_from(last_at).unwrap()),
        (48, u32::try_from(free).unwrap()),
        (52, events_sum),
    ] {
        put(&mut chunk, place, &u32::to_le_bytes(value));
    }
    let mut head = chunk[..120].to_vec();
    head.extend(&chunk[128..CHUNK_HEAD_BYTES]);
    let sum = crc32(&head);
    put(&mut chunk, 124, &sum.to_le_bytes());
    assert!(chunk.len() <= CHUNK_BYTES, "too many events for one chunk");
    chunk.resize(CHUNK_BYTES, 0);
    chunk
}

fn record(chunk: &mut Vec<u8>, event: &Written<'_>) {
    let start = chunk.len();
    chunk.extend(0x0000_2a2a_u32.to_le_bytes());
    chunk.extend([0; 4]);
    chunk.extend(event.record.to_le_bytes());
    let ticks = u64::try_from(event.at + 11_644_473_600).unwrap() * 10_000_000;
    chunk.extend(ticks.to_le_bytes());
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
    let size = u32::try_from(chunk.len() - start + 4).unwrap().to_le_bytes();
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
    let here = u32::try_from(chunk.len() + 4).unwrap();
    chunk.extend(here.to_le_bytes());
    chunk.extend([0; 4]);
    // The hash that Windows keeps names by.
    let hash =
        name.encode_utf16().fold(0_u32, |h, c| h.wrapping_mul(65_599).wrapping_add(c.into()));
    chunk.extend(u16::try_from(hash & 0xffff).unwrap().to_le_bytes());
    chunk.extend(u16::try_from(name.encode_utf16().count()).unwrap().to_le_bytes());
    chunk.extend(name.encode_utf16().flat_map(u16::to_le_bytes));
    chunk.extend([0; 2]);
}

fn value(chunk: &mut Vec<u8>, text: &str) {
    chunk.extend([0x05, 0x01]);
    chunk.extend(u16::try_from(text.encode_utf16().count()).unwrap().to_le_bytes());
    chunk.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
}

fn put(bytes: &mut [u8], place: usize, value: &[u8]) {
    bytes[place..place + value.len()].copy_from_slice(value);
}

fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}
