//! Structures in bytes that no pattern describes.

use super::kind::entropy_millibits;

/// 88 + 88 bytes of encrypted keys, 32 of the file's public key, 8 of nonce, then four words.
const FOOTER_BYTES: usize = 232;
const KEY: core::ops::Range<usize> = 176..208;
const CRC: core::ops::Range<usize> = 216..220;
const KIND: core::ops::Range<usize> = 220..224;
/// Full, fast and partial encryption; a later one with room.
const KIND_MAX: u32 = 7;
/// A curve point is random; zeros and text are not.
const KEY_ENTROPY_MIN: u32 = 3_800;

/// Whether a file ends as REvil leaves it: a key, and behind it the checksum by which the program knows its own work.
pub(super) fn has_revil_footer(end: &[u8]) -> bool {
    let Some(footer) = end.len().checked_sub(FOOTER_BYTES).and_then(|start| end.get(start..))
    else {
        return false;
    };
    let word = |range| {
        footer.get(range).and_then(|bytes: &[u8]| bytes.try_into().ok()).map(u32::from_le_bytes)
    };
    let (Some(key), Some(crc), Some(kind)) = (footer.get(KEY), word(CRC), word(KIND)) else {
        return false;
    };
    if kind > KIND_MAX || entropy_millibits(key) < KEY_ENTROPY_MIN {
        return false;
    }
    // Descriptions differ in how the register begins and ends, so all three are tried; chance is one in a milliard.
    let register = crc32_register(key, u32::MAX);
    [register ^ u32::MAX, register, crc32_register(key, 0)].contains(&crc)
}

/// A footer around a key of 32 bytes: for the self-test and the tests.
pub(crate) fn footer(key: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x5a; KEY.start];
    bytes.extend_from_slice(key);
    bytes.extend_from_slice(&[9; 8]);
    let crc = crc32_register(key, u32::MAX) ^ u32::MAX;
    for word in [crc, 1, 0, 0] {
        bytes.extend_from_slice(&word.to_le_bytes());
    }
    bytes
}

/// The CRC-32 register of ISO 3309 after these bytes.
fn crc32_register(bytes: &[u8], start: u32) -> u32 {
    bytes.iter().fold(start, |register, byte| {
        (0..8).fold(register ^ u32::from(*byte), |register, _| {
            if register & 1 == 1 { (register >> 1) ^ 0xedb8_8320 } else { register >> 1 }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_usual_one() {
        assert_eq!(crc32_register(b"123456789", u32::MAX) ^ u32::MAX, 0xcbf4_3926);
    }

    #[test]
    fn a_footer_is_recognised_and_its_near_misses_are_not() {
        let key: Vec<u8> = (0..32_u8).map(|i| i.wrapping_mul(77).wrapping_add(13)).collect();
        let whole = [vec![1; 1000], footer(&key)].concat();
        assert!(has_revil_footer(&whole));
        let mut cut = whole.clone();
        cut.pop();
        assert!(!has_revil_footer(&cut));
        let mut other = whole;
        let crc = other.len() - FOOTER_BYTES + CRC.start;
        other[crc] ^= 1;
        assert!(!has_revil_footer(&other));
        assert!(!has_revil_footer(&[0; 4096]), "zeros have a checksum of zero");
        assert!(!has_revil_footer(b"short"));
    }
}
