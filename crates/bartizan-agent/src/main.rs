//! bartizan-agent
fn main() {}
