//! What the scanner promises.

mod hostile_bytes;
mod kaseya;
mod packs;
mod promises;
mod signatures;
mod tree;
