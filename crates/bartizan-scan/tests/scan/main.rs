//! What the scanner promises.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod corpora;
mod goodware;
mod hive_logs;
mod hostile_bytes;
mod kaseya;
mod linux;
#[cfg(unix)]
mod orders;
mod pack_program;
mod pack_vectors;
mod packs;
#[cfg(target_os = "linux")]
mod processes;
mod programs;
mod promises;
mod real_logs;
mod signatures;
mod tree;
