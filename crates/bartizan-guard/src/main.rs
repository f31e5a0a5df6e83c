//! bartizan-guard
fn main() {}
