//! Decides: statements, keys, log proofs and the endpoint's `authorize`.
//!
//! Nothing here does IO, reads a clock, rolls dice or awaits anything.

pub mod authorize;
mod base64;
pub mod calendar;
pub mod chain;
pub mod checkpoint;
pub mod class;
pub mod control;
pub mod envelope;
pub mod freezes;
pub mod id;
pub mod json;
pub mod keys;
pub mod limits;
pub mod merkle;
pub mod monitoring;
pub mod note;
pub mod people;
pub mod policy;
pub mod proof;
pub mod refusal;
pub mod signers;
pub mod sshsig;
pub mod stages;
pub mod standing;
pub mod state;
pub mod statement;
pub mod targets;
pub mod tighten;
pub mod tiles;
pub mod time;
pub mod update;
pub mod version;
pub mod visitor;
pub mod wire;
pub mod withdrawals;
pub mod witness;
pub mod words;
