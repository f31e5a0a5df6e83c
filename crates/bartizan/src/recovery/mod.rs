//! The recovery key and the spare witness: made once, encrypted, printed on paper, kept apart.

pub(crate) mod age;
pub(crate) mod sheet;
