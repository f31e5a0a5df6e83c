//! What a scan says: findings, coverage, and the verdict that follows from both.

mod coverage;
mod finding;
mod report;
mod verdict;

pub use coverage::*;
pub use finding::*;
pub use report::*;
pub use verdict::*;
