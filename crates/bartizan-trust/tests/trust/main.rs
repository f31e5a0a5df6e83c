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

mod advice;
mod agreement;
mod attacks;
mod before_delivery;
mod chain;
mod control_vectors;
mod freezing;
mod hostile_server;
mod log;
mod monitoring;
mod policy;
mod recovering;
mod remembering;
mod sig;
mod standing;
mod statements;
mod tightening;
mod weakening;

/// That many generated cases, or as many as `PROPTEST_CASES` asks for: `make test-long` asks for thousands.
fn cases(few: u32) -> proptest::test_runner::Config {
    let asked = std::env::var_os("PROPTEST_CASES").is_some();
    let default = proptest::test_runner::Config { failure_persistence: None, ..Default::default() };
    if asked { default } else { proptest::test_runner::Config { cases: few, ..default } }
}
