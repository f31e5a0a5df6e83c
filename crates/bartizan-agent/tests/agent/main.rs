//! The network half as a whole program, with the test as its guard and as the server it talks to.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod hostile;
mod link;
mod sandbox;
mod sides;
mod ways;
