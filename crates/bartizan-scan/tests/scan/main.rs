//! What the scanner promises.

mod packs;
