//! Touches: the only crate that starts processes, reads the machine's facts and writes files durably.
//!
//! [`exec::run`] is the one door: it takes an [`bartizan_trust::authorize::Authorized`] by value, which only
//! `authorize` can make.

pub mod account;
pub mod archive;
pub mod cgroup;
pub mod companion;
pub mod confine;
pub mod exec;
pub mod files;
pub mod inventory;
pub mod limits;
pub mod looks;
pub mod metrics;
mod output;
mod sealed;
pub mod sense;
pub mod signals;
mod tree;
pub mod versions;
pub mod zone;
