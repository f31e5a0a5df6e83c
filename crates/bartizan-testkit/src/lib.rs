//! Pretends: a simulated world, hostile inputs and load. For tests and benchmarks only; nothing shipped depends on it.

pub mod fuzz;
pub mod load;
pub mod world;
