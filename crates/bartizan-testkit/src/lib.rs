//! testkit

pub mod load;
