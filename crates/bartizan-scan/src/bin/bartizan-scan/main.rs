//! The scanner.

fn main() {}
