//! How a pack lies on disk: compressed and encoded, so that neither other scanners nor this one find themselves in it.
//!
//! ```text
//! bartizan-pack 1 <sha256 of the body in hexadecimal> <bytes of the envelope>\n
//! <envelope: DSSE, or nothing>
//! <body: JSON, deflated, then every byte mixed with a keystream that anybody can make>
//! ```
//!
//! The encoding hides nothing from a person; it only keeps known texts from standing in the file.

use std::io::{Read, Write};

use data_encoding::HEXLOWER;
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;

use super::{Pack, PackError};
use crate::limits;

const MAGIC: &str = "bartizan-pack";
/// Longest first line.
const HEAD_BYTES_MAX: usize = 128;
/// Largest envelope: that of the trust core.
const ENVELOPE_BYTES_MAX: usize = 60 * 1024;

/// A pack file taken apart; the body is neither verified nor decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PackFile<'a> {
    /// The envelope; empty: nobody signed it.
    pub envelope: &'a [u8],
    /// The encoded body.
    pub body: &'a [u8],
}

/// Takes a pack file apart. The digest in its head must fit: a damaged stick is noticed before anything is decoded.
pub fn split_pack(bytes: &[u8]) -> Result<PackFile<'_>, PackError> {
    if bytes.len() > limits::PACK_BYTES_MAX {
        return Err(PackError::TooLarge("bytes"));
    }
    let malformed = |what: &str| PackError::Malformed(what.to_owned());
    let line_end = bytes
        .iter()
        .take(HEAD_BYTES_MAX)
        .position(|byte| *byte == b'\n')
        .ok_or_else(|| malformed("no first line"))?;
    let (head, rest) = bytes.split_at(line_end);
    let head = std::str::from_utf8(head).map_err(|_| malformed("first line"))?;
    let mut words = head.split(' ');
    if words.next() != Some(MAGIC) {
        return Err(malformed("another kind of file"));
    }
    let version: u32 =
        words.next().and_then(|word| word.parse().ok()).ok_or_else(|| malformed("version"))?;
    if version != super::FORMAT {
        return Err(PackError::Version(version));
    }
    let digest = words.next().ok_or_else(|| malformed("digest"))?;
    let length: usize =
        words.next().and_then(|word| word.parse().ok()).ok_or_else(|| malformed("length"))?;
    if words.next().is_some() {
        return Err(malformed("first line"));
    }
    if length > ENVELOPE_BYTES_MAX {
        return Err(PackError::TooLarge("envelope"));
    }
    let rest = rest.get(1..).unwrap_or_default();
    let (envelope, body) = rest.split_at_checked(length).ok_or_else(|| malformed("cut off"))?;
    if body_digest(body) != digest {
        return Err(PackError::Digest);
    }
    Ok(PackFile { envelope, body })
}

/// Puts a pack file together.
pub fn join_pack(envelope: &[u8], body: &[u8]) -> Vec<u8> {
    let head = format!("{MAGIC} {} {} {}\n", super::FORMAT, body_digest(body), envelope.len());
    [head.as_bytes(), envelope, body].concat()
}

/// SHA-256 of an encoded body, in hexadecimal: what a signature is about.
pub fn body_digest(body: &[u8]) -> String {
    HEXLOWER.encode(ring::digest::digest(&ring::digest::SHA256, body).as_ref())
}

/// Encodes a pack.
pub fn encode_body(pack: &Pack) -> Result<Vec<u8>, PackError> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    let written = encoder.write_all(&pack.to_json()).and_then(|()| encoder.finish());
    let mut body = written.map_err(|error| PackError::Malformed(error.to_string()))?;
    mix(&mut body);
    Ok(body)
}

/// Decodes a body.
pub fn decode_body(body: &[u8]) -> Result<Pack, PackError> {
    let mut mixed = body.to_vec();
    mix(&mut mixed);
    let mut text = Vec::new();
    let limit = u64::try_from(limits::PACK_TEXT_BYTES_MAX).unwrap_or(u64::MAX);
    DeflateDecoder::new(mixed.as_slice())
        .take(limit.saturating_add(1))
        .read_to_end(&mut text)
        .map_err(|error| PackError::Malformed(error.to_string()))?;
    Pack::parse(&text)
}

/// Mixes every byte with a keystream (xorshift64*): twice is never.
fn mix(bytes: &mut [u8]) {
    let mut state: u64 = 0x6261_7274_697a_616e;
    for chunk in bytes.chunks_mut(8) {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        let stream = state.wrapping_mul(0x2545_f491_4f6c_dd1d).to_le_bytes();
        for (byte, key) in chunk.iter_mut().zip(stream) {
            *byte ^= key;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pack() -> Pack {
        Pack {
            v: 1,
            name: "x".to_owned(),
            title: "unmistakable text ".repeat(9),
            ..Pack::default()
        }
    }

    #[test]
    fn a_pack_survives_and_its_text_does_not_stand_in_the_file() {
        let body = encode_body(&pack()).unwrap();
        let file = join_pack(b"{}", &body);
        let parts = split_pack(&file).unwrap();
        assert_eq!(parts.envelope, b"{}");
        assert_eq!(decode_body(parts.body).unwrap(), pack());
        assert!(!file.windows(12).any(|window| window == b"unmistakable"));
        // Nor after the decompression that other scanners try.
        let mut unpacked = Vec::new();
        let _ = DeflateDecoder::new(body.as_slice()).read_to_end(&mut unpacked);
        assert!(!unpacked.windows(12).any(|window| window == b"unmistakable"));
    }

    #[test]
    fn damaged_and_foreign_files_are_refused() {
        let body = encode_body(&pack()).unwrap();
        let good = join_pack(b"", &body);
        assert!(split_pack(&good).is_ok());
        let mut flipped = good.clone();
        *flipped.last_mut().unwrap() ^= 1;
        assert!(matches!(split_pack(&flipped), Err(PackError::Digest)));
        for bad in [&b""[..], b"\n", b"bartizan-pack 1\n", b"bartizan-pack 1 00 99999999\n", b"MZ"]
        {
            assert!(
                matches!(split_pack(bad), Err(PackError::Malformed(_) | PackError::TooLarge(_))),
                "{bad:?}"
            );
        }
        assert!(matches!(split_pack(b"bartizan-pack 2 00 0\n"), Err(PackError::Version(2))));
        assert!(decode_body(b"garbage").is_err());
    }
}
