//! C2SP `tlog-tiles`: paths of tiles and the encoding of entry bundles. Specification: `docs/spec/logs.md`.

use crate::wire::Reader;

/// Hashes in a full tile, entries in a full bundle.
pub const TILE_WIDTH: u16 = 256;

/// Path of a hash tile: `tile/<level>/<index>[.p/<width>]`; `width` 256 is a full tile.
pub fn tile_path(level: u8, index: u64, width: u16) -> String {
    format!("tile/{level}/{}", index_path(index, width))
}

/// Path of an entry bundle: `tile/entries/<index>[.p/<width>]`.
pub fn entries_path(index: u64, width: u16) -> String {
    format!("tile/entries/{}", index_path(index, width))
}

/// Groups of three digits, all but the last with an `x` before: 1234067 is `x001/x234/067`.
fn index_path(index: u64, width: u16) -> String {
    let mut groups = vec![format!("{:03}", index % 1000)];
    let mut rest = index / 1000;
    while rest > 0 {
        groups.push(format!("x{:03}", rest % 1000));
        rest /= 1000;
    }
    groups.reverse();
    let path = groups.join("/");
    if width == TILE_WIDTH { path } else { format!("{path}.p/{width}") }
}

/// Entries, each after its length in two bytes. Envelopes are always short enough.
pub fn encode_entries<T: AsRef<[u8]>>(entries: &[T]) -> Vec<u8> {
    let mut out = Vec::new();
    for entry in entries {
        let entry = entry.as_ref();
        out.extend_from_slice(&u16::try_from(entry.len()).unwrap_or(u16::MAX).to_be_bytes());
        out.extend_from_slice(entry);
    }
    out
}

/// Reads an entry bundle of at most 256 entries.
pub fn decode_entries(bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut r = Reader::new(bytes);
    let mut entries = Vec::new();
    while !r.rest().is_empty() {
        let length = u16::from_be_bytes(r.array().ok()?);
        entries.push(r.take(usize::from(length)).ok()?.to_vec());
        if entries.len() > usize::from(TILE_WIDTH) {
            return None;
        }
    }
    Some(entries)
}

#[cfg(test)]
#[allow(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "small numbers in tests"
)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_grouped_and_partial_ones_say_their_width() {
        assert_eq!(tile_path(0, 0, 256), "tile/0/000");
        assert_eq!(tile_path(1, 1_234_067, 256), "tile/1/x001/x234/067");
        assert_eq!(tile_path(0, 1, 7), "tile/0/001.p/7");
        assert_eq!(entries_path(1000, 3), "tile/entries/x001/000.p/3");
    }

    #[test]
    fn bundles_read_back_and_cut_ones_do_not() {
        let entries = [b"one".to_vec(), Vec::new(), vec![7; 60_000]];
        let bytes = encode_entries(&entries);
        assert_eq!(decode_entries(&bytes), Some(entries.to_vec()));
        assert_eq!(decode_entries(&bytes[..bytes.len() - 1]), None);
        assert_eq!(decode_entries(&[0]), None);
        assert!(decode_entries(&encode_entries(&[[]; 256])).is_some());
        assert_eq!(decode_entries(&encode_entries(&[[]; 257])), None);
    }
}
