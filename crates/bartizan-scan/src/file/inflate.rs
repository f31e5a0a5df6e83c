//! DEFLATE and gzip (RFC 1951, 1952) from memory to memory: what an archive holds lies there whole, so nothing is read in pieces.

use crc32fast::Hasher;
use flate2::{Decompress, FlushDecompress, Status};

/// Why bytes were not unpacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unpacking {
    /// There is more than there is room for.
    TooLarge,
    /// They are not what they say they are.
    Damaged,
}

/// DEFLATE makes at most so many bytes of one; what an archive says of its size is believed up to that.
const RATIO_MAX: usize = 1032;
const GZIP_HEAD_BYTES: usize = 10;
const GZIP_END_BYTES: usize = 8;

/// Unpacks one member after the other with the same memory.
pub(super) struct Inflater {
    state: Decompress,
}

impl Default for Inflater {
    fn default() -> Self {
        Self { state: Decompress::new(false) }
    }
}

impl Inflater {
    /// Unpacks a stream that may say how much it holds.
    pub(super) fn deflated(
        &mut self,
        packed: &[u8],
        size: usize,
        room: usize,
    ) -> Result<Vec<u8>, Unpacking> {
        let mut bytes = Vec::new();
        self.add(packed, size, room, &mut bytes).map(|_| bytes)
    }

    /// Unpacks all members of a gzip file. Zeros may stand behind the last, as tapes and some tools leave them.
    pub(super) fn gzip(&mut self, packed: &[u8], room: usize) -> Result<Vec<u8>, Unpacking> {
        let mut bytes = Vec::new();
        let mut rest = packed;
        loop {
            let body = gzip_body(rest).ok_or(Unpacking::Damaged)?;
            let start = bytes.len();
            // Right for the only member, which it nearly always is.
            let size = word(packed, packed.len().wrapping_sub(4)).unwrap_or_default();
            let used =
                self.add(body, usize::try_from(size).unwrap_or_default(), room, &mut bytes)?;
            let member = bytes.get(start..).unwrap_or_default();
            let mut hasher = Hasher::new();
            hasher.update(member);
            let (sum, length) = (word(body, used), word(body, used.saturating_add(4)));
            let wrapped = u32::try_from(member.len() & 0xffff_ffff).ok();
            if sum != Some(hasher.finalize()) || length != wrapped {
                return Err(Unpacking::Damaged);
            }
            rest = body.get(used.saturating_add(GZIP_END_BYTES)..).unwrap_or_default();
            if rest.iter().all(|byte| *byte == 0) {
                return Ok(bytes);
            }
        }
    }

    /// The first bytes of a gzip file, as far as its beginning tells them.
    pub(super) fn gzip_head(&mut self, packed: &[u8], length: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        // With no more room than that it ends early, and what came until then is what was asked for.
        if let Some(body) = gzip_body(packed) {
            let _ = self.add(body, length, length, &mut bytes);
        }
        bytes.truncate(length);
        bytes
    }

    /// Adds what a stream holds; how many of the packed bytes it took.
    fn add(
        &mut self,
        packed: &[u8],
        size: usize,
        room: usize,
        bytes: &mut Vec<u8>,
    ) -> Result<usize, Unpacking> {
        self.state.reset(false);
        // One more than there is room for, to tell a full room from one that is too small.
        let room = room.saturating_add(1);
        let likely = size.min(packed.len().saturating_mul(RATIO_MAX));
        bytes.reserve(likely.saturating_add(1).min(room.saturating_sub(bytes.len())));
        let mut used = 0;
        loop {
            if bytes.len() == bytes.capacity() {
                let more = room.saturating_sub(bytes.len()).min(bytes.len().max(4096));
                bytes.reserve_exact(more);
            }
            let (input, before) = (packed.get(used..).unwrap_or_default(), bytes.len());
            let taken = self.state.total_in();
            let status = self.state.decompress_vec(input, bytes, FlushDecompress::None);
            let taken = usize::try_from(self.state.total_in() - taken).unwrap_or_default();
            used = used.saturating_add(taken);
            if bytes.len() >= room {
                return Err(Unpacking::TooLarge);
            }
            match status {
                Ok(Status::StreamEnd) => return Ok(used),
                Ok(_) if taken > 0 || bytes.len() > before => {}
                Ok(_) if bytes.len() == bytes.capacity() => {}
                // It wants more than there is.
                Ok(_) | Err(_) => return Err(Unpacking::Damaged),
            }
        }
    }
}

/// What stands behind the head of a gzip member, if it has one.
fn gzip_body(bytes: &[u8]) -> Option<&[u8]> {
    const CHECKSUM: u8 = 2;
    const EXTRA: u8 = 4;
    const NAME: u8 = 8;
    const COMMENT: u8 = 16;
    let (head, mut rest) = bytes.split_at_checked(GZIP_HEAD_BYTES)?;
    let [0x1f, 0x8b, 8, flags, ..] = head else { return None };
    if flags & EXTRA != 0 {
        let (length, after) = rest.split_first_chunk()?;
        rest = after.get(usize::from(u16::from_le_bytes(*length))..)?;
    }
    for text in [NAME, COMMENT] {
        if flags & text != 0 {
            let end = rest.iter().position(|byte| *byte == 0)?;
            rest = rest.get(end + 1..)?;
        }
    }
    if flags & CHECKSUM != 0 {
        rest = rest.get(2..)?;
    }
    Some(rest)
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at.checked_add(4)?)?.try_into().ok().map(u32::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::GzBuilder;
    use flate2::write::{DeflateEncoder, GzEncoder};

    use super::*;

    const ROOM: usize = 1 << 20;

    fn gz(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn unpack(bytes: &[u8], room: usize) -> Result<Vec<u8>, Unpacking> {
        Inflater::default().gzip(bytes, room)
    }

    #[test]
    fn members_follow_each_other_and_zeros_the_last() {
        let text = b"text ".repeat(5000);
        assert_eq!(unpack(&gz(&text), ROOM), Ok(text.clone()));
        assert_eq!(unpack(&gz(b""), ROOM), Ok(Vec::new()));
        let two = [gz(b"one"), gz(&text)].concat();
        assert_eq!(unpack(&two, ROOM), Ok([b"one", text.as_slice()].concat()));
        assert_eq!(unpack(&[two, vec![0; 512]].concat(), ROOM).unwrap().len(), text.len() + 3);
        assert_eq!(unpack(&[gz(b"one"), b"more".to_vec()].concat(), ROOM), Err(Unpacking::Damaged));
    }

    #[test]
    fn every_part_of_a_head_is_passed_over() {
        let mut encoder = GzBuilder::new()
            .filename("name")
            .comment("comment")
            .extra("extra")
            .write(Vec::new(), Compression::fast());
        encoder.write_all(b"text").unwrap();
        let whole = encoder.finish().unwrap();
        assert_eq!(unpack(&whole, ROOM), Ok(b"text".to_vec()));
        for end in 0..whole.len() {
            assert_eq!(unpack(&whole[..end], ROOM), Err(Unpacking::Damaged), "{end}");
        }
    }

    #[test]
    fn what_does_not_fit_its_sum_or_the_room_is_not_handed_on() {
        let text = b"text ".repeat(5000);
        let packed = gz(&text);
        assert_eq!(unpack(&packed, text.len()).unwrap().len(), text.len());
        assert_eq!(unpack(&packed, text.len() - 1), Err(Unpacking::TooLarge));
        assert_eq!(unpack(&packed, 0), Err(Unpacking::TooLarge));
        for place in [packed.len() - 8, packed.len() - 1, 40] {
            let mut bad = packed.clone();
            bad[place] ^= 1;
            assert_eq!(unpack(&bad, ROOM), Err(Unpacking::Damaged), "{place}");
        }
    }

    #[test]
    fn a_size_that_is_said_wrongly_changes_nothing() {
        let text = b"text ".repeat(5000);
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(&text).unwrap();
        let packed = encoder.finish().unwrap();
        let mut inflater = Inflater::default();
        for size in [0, 1, text.len(), text.len() + 1, usize::MAX] {
            assert_eq!(inflater.deflated(&packed, size, ROOM).as_ref(), Ok(&text), "{size}");
        }
        assert_eq!(inflater.deflated(&packed[..20], 0, ROOM), Err(Unpacking::Damaged));
        assert_eq!(inflater.deflated(b"", 0, ROOM), Err(Unpacking::Damaged));
    }

    #[test]
    fn the_beginning_is_told_of_what_was_cut_off() {
        let text: Vec<u8> = (0..20_000_u32).flat_map(|n| format!("{n} ").into_bytes()).collect();
        let packed = gz(&text);
        let mut inflater = Inflater::default();
        assert_eq!(inflater.gzip_head(&packed[..4096], 1000), text[..1000]);
        let head = inflater.gzip_head(&packed[..200], 4096);
        assert!(head.len() > 50 && text.starts_with(&head));
        assert_eq!(inflater.gzip_head(b"text", 9), b"");
    }
}
