//! C2SP `tlog-tiles`: paths of tiles and the encoding of entry bundles.
#![expect(clippy::todo, reason = "skeleton")]

/// Path of a hash tile: `tile/<level>/<index>[.p/<width>]`; `width` 256 is a full tile.
pub fn tile_path(_level: u8, _index: u64, _width: u16) -> String { todo!() }
/// Path of an entry bundle: `tile/entries/<index>[.p/<width>]`.
pub fn entries_path(_index: u64, _width: u16) -> String { todo!() }
/// Entries, each after its length in two bytes.
pub fn encode_entries<T: AsRef<[u8]>>(_entries: &[T]) -> Vec<u8> { todo!() }
/// Reads an entry bundle.
pub fn decode_entries(_bytes: &[u8]) -> Option<Vec<Vec<u8>>> { todo!() }
