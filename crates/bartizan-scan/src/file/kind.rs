//! What a file is, by its bytes and not by its name.

use std::borrow::Cow;

use crate::pack::FileKind;

/// Bytes looked at to tell text from anything else.
const SAMPLE_BYTES: usize = 4096;

/// The kind of content.
pub fn kind_of(bytes: &[u8]) -> FileKind {
    match bytes {
        [b'M', b'Z', ..] => FileKind::Pe,
        [0x7f, b'E', b'L', b'F', ..] => FileKind::Elf,
        [0xcf | 0xce, 0xfa, 0xed, 0xfe, ..] | [0xfe, 0xed, 0xfa, 0xce | 0xcf, ..] => {
            FileKind::MachO
        }
        [b'#', b'!', ..] => FileKind::Script,
        [b'r', b'e', b'g', b'f', ..] => FileKind::Hive,
        [b'E', b'l', b'f', b'F', b'i', b'l', b'e', 0, ..] => FileKind::EventLog,
        [0xff, 0xd8, 0xff, ..]
        | [0x89, b'P', b'N', b'G', ..]
        | [b'G', b'I', b'F', b'8', ..]
        | [b'B', b'M', _, _, _, _, 0, 0, 0, 0, ..] => FileKind::Image,
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] | [0x1f, 0x8b, 8, ..] => FileKind::Archive,
        _ if bytes.get(257..262) == Some(b"ustar") => FileKind::Archive,
        _ if is_text(bytes) => FileKind::Text,
        _ => FileKind::Other,
    }
}

/// Readable: no bytes that texts do not have, or UTF-16 with its mark.
pub fn is_text(bytes: &[u8]) -> bool {
    let sample = bytes.get(..SAMPLE_BYTES).unwrap_or(bytes);
    if sample.is_empty() {
        return false;
    }
    if is_wide(sample) {
        return true;
    }
    // In pieces without an early end, so that the compiler looks at many bytes at once.
    let odd = |byte: &u8| !matches!(byte, 9 | 10 | 12 | 13 | 27 | 32..=126 | 128..);
    sample.chunks(256).all(|piece| !piece.iter().fold(false, |any, byte| any | odd(byte)))
}

/// UTF-16, with or without its mark.
pub fn is_wide(bytes: &[u8]) -> bool {
    has_utf16_mark(bytes) || is_unmarked_utf16(bytes)
}

fn has_utf16_mark(bytes: &[u8]) -> bool {
    matches!(bytes, [0xff, 0xfe, ..] | [0xfe, 0xff, ..])
}

/// Windows programs also write UTF-16 without a mark: every second byte of Latin text is zero.
fn is_unmarked_utf16(sample: &[u8]) -> bool {
    let printable = |byte: u8| matches!(byte, 9 | 10 | 13 | 32..=126);
    sample.len() >= 16
        && sample.get(..64).unwrap_or(sample).chunks_exact(2).all(|pair| match pair {
            [low, high] => *high == 0 && printable(*low),
            _ => false,
        })
}

/// Bytes as UTF-8, with what is none replaced. Nearly all texts need no replacing, and finding that out is cheap.
pub(crate) fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    core::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

/// Bytes as text: UTF-16 with its mark, or UTF-8 with what is not UTF-8 replaced.
pub fn to_text(bytes: &[u8]) -> String {
    let wide = |bytes: &[u8], from: fn([u8; 2]) -> u16| -> String {
        let units = bytes.chunks_exact(2);
        let units = units.filter_map(|pair| pair.try_into().ok().map(from));
        char::decode_utf16(units).map(|char| char.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
        _ if is_unmarked_utf16(bytes) => wide(bytes, u16::from_le_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => lossy(rest).into_owned(),
        _ => lossy(bytes).into_owned(),
    }
}

/// Shannon entropy of a sample in thousandths of a bit per byte; random bytes have nearly 8,000.
pub fn entropy_millibits(bytes: &[u8]) -> u32 {
    entropy_of_all(bytes.get(..SAMPLE_BYTES).unwrap_or(bytes))
}

/// The same of all bytes.
pub(super) fn entropy_of_all(sample: &[u8]) -> u32 {
    let mut counts = [0_u32; 256];
    for byte in sample {
        if let Some(count) = counts.get_mut(usize::from(*byte)) {
            *count += 1;
        }
    }
    let Ok(total) = u32::try_from(sample.len()) else { return 0 };
    if total == 0 {
        return 0;
    }
    let total = f64::from(total);
    let bits: f64 = counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| {
            let share = f64::from(*count) / total;
            -share * share.log2()
        })
        .sum();
    thousandths(bits)
}

#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to 0..=8000 on the same line"
)]
fn thousandths(bits: f64) -> u32 {
    (bits * 1000.0).clamp(0.0, 8000.0) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_by_bytes() {
        for (bytes, kind) in [
            (&b"MZ\x90"[..], FileKind::Pe),
            (b"\x7fELF\x02", FileKind::Elf),
            (b"#!/bin/sh\n", FileKind::Script),
            (b"PK\x03\x04", FileKind::Archive),
            (b"\x1f\x8b\x08\x00", FileKind::Archive),
            (b"plain text\r\n", FileKind::Text),
            (b"\xff\xfet\0e\0", FileKind::Text),
            (b"\xff\xd8\xff\xe0", FileKind::Image),
            (b"-\0-\0-\0=\0=\0=\0 \0W\0e\0", FileKind::Text),
            (b"<%\nDim x\n%>", FileKind::Text),
            (b"\0\x01\x02", FileKind::Other),
            (b"", FileKind::Other),
        ] {
            assert_eq!(kind_of(bytes), kind, "{bytes:?}");
        }
        assert_eq!(to_text(b"\xff\xfet\0e\0"), "te");
    }

    #[test]
    fn entropy_tells_random_bytes_from_text() {
        let random: Vec<u8> =
            (0..4096_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13).to_le_bytes()[0]).collect();
        assert!(entropy_millibits(&random) > 7_500);
        assert!(entropy_millibits(&b"hello hello hello".repeat(100)) < 3_000);
        assert_eq!(entropy_millibits(b""), 0);
    }
}
