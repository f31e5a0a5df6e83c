//! The guard as a whole program, with the test in the place of its network half: it speaks through the pipe, and kills
//! whatever it likes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod evil_half;
mod folder;
mod hostile;
mod limits;
mod orders;
mod pipe;
mod reanchor;
mod rollback;
mod separation;
mod sigkill;
mod updates;
