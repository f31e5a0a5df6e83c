//! The packs that are part of the tool. Their sources lie beside the encoded files, in `packs/`.

use crate::pack::{Pack, PackError, decode_body, split_pack};

const FILES: [&[u8]; 3] = [
    include_bytes!("../packs/kaseya-2021.pack"),
    include_bytes!("../packs/rmm-abuse.pack"),
    include_bytes!("../packs/self-test.pack"),
];

/// The name of the pack whose rules match nothing but the self-test's own triggers.
pub const SELF_TEST: &str = "self-test";

/// Their files, as they are encoded.
pub fn files() -> impl Iterator<Item = &'static [u8]> {
    FILES.into_iter()
}

/// All of them.
pub fn packs() -> Result<Vec<Pack>, PackError> {
    FILES.iter().map(|bytes| decode_body(split_pack(bytes)?.body)).collect()
}
