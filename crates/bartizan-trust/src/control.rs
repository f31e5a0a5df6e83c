//! Replaying the control log: the only way trust moves.
#![expect(clippy::todo, reason = "skeleton")]

use crate::refusal::Refusal;
use crate::state::{LocalFacts, State};

/// Control entries and a checkpoint that covers them.
#[derive(Debug, Clone, Copy)]
pub struct ControlUpdate<'a> {
    /// Index of the first entry.
    pub start: u64,
    /// Exact envelopes.
    pub entries: &'a [Vec<u8>],
    /// Signed note with co-signatures.
    pub checkpoint: &'a [u8],
}

/// An entry that was skipped, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedEntry {
    /// Its place in the control log.
    pub index: u64,
    /// Why it has no effect.
    pub refusal: Refusal,
}

/// Replays entries. On success the new state; a refusal leaves the old one in force.
pub fn replay(_state: &State, _facts: &LocalFacts<'_>, _update: &ControlUpdate<'_>) -> Result<(State, Vec<SkippedEntry>), Refusal> {
    todo!()
}

/// Verifies the enrolment this endpoint was installed with, once a bundle is known, and records
/// tenant and site for ever.
pub fn enrol(_state: &State, _facts: &LocalFacts<'_>, _enrolment: &[u8]) -> Result<State, Refusal> {
    todo!()
}
