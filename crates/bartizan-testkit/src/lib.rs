//! Pretends: a simulated world, hostile inputs and load. For tests and benchmarks only; nothing shipped depends on it.

pub mod evil_half;
pub mod fuzz;
pub mod load;
pub mod numbers;
pub mod peers;
pub mod postgres;
pub mod world;
