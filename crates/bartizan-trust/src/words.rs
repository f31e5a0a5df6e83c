//! Eight words to read a digest aloud.
#![expect(clippy::todo, reason = "skeleton")]
use crate::id::Sha256;
/// Eight words of the first 88 bits, separated by spaces.
pub fn eight_words(_digest: &Sha256) -> String { todo!() }
