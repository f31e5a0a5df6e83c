//! What touches the machine, on a real machine: interpreters, processes, files, facts.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod collect;
mod confine;
mod ending;
mod exec;
mod files;
mod inventory;
mod runs;
mod scans;
