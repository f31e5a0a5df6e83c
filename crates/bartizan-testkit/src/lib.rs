//! testkit

pub mod fuzz;
pub mod load;
