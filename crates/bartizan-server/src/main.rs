//! bartizan-server
fn main() {}
