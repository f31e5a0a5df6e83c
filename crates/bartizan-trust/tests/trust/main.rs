//! What the trust core promises, by feature and by attack.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "tests"
)]

mod agreement;
mod attacks;
mod chain;
mod sig;
mod statements;
