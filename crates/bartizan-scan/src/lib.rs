//! Finds: evidence in, findings out.
//!
//! Nothing here does IO, reads a clock, rolls dice or awaits anything. The program that reads disks is
//! `src/bin/bartizan-scan`; it hands bytes over and prints what comes back.

pub mod limits;
pub mod model;
pub mod pack;
pub mod time;
