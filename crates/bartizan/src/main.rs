//! bartizan
fn main() {}
