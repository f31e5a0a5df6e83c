//! The operator's tool as a whole program.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod alarms;
mod alerts;
mod api_document;
mod audit;
mod auditing;
mod completions;
mod console;
mod drill;
mod files;
mod founding;
mod freezing;
mod guardian;
mod inventory;
mod keys;
mod logs;
mod metrics;
mod mine;
mod orders;
mod organisation;
mod page;
mod passkeys;
mod people;
mod policies;
mod preflight;
mod promotions;
mod recovery;
mod rescue;
mod rollouts;
mod saved;
mod scans;
mod scripts;
mod sheet;
mod signing;
mod stage;
mod statements;
mod story;
mod terminal;
mod update;
mod work;
