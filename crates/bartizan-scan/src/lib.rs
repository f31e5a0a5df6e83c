//! Finds: evidence in, findings out.
//!
//! Nothing here does IO, reads a clock, rolls dice or awaits anything. The program that reads disks is
//! `src/bin/bartizan-scan`; it hands bytes over and prints what comes back.

pub mod absence;
pub mod batch;
pub mod builtin;
pub mod command;
pub mod digest;
pub mod events;
pub mod evidence;
pub mod file;
pub mod fuzz;
pub mod import;
pub mod integrity;
pub mod limits;
pub mod lint;
pub mod logs;
pub mod model;
mod needles;
pub mod network;
pub mod pack;
pub mod path;
mod places;
pub mod process;
pub mod registry;
pub mod report;
pub mod rollup;
pub mod rules;
pub mod self_test;
pub mod sigma;
pub mod time;
