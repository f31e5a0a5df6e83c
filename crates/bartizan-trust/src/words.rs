//! Eight words to read a digest aloud. Specification: `docs/spec/envelope.md`, "Words".
//!
//! Each word looks like the name of a village: one of 64 beginnings and one of 32 endings, so eleven bits a
//! word. Two short tables can be checked by eye and read over a bad telephone line.

use crate::id::Sha256;

const BEGINNINGS: [&str; 64] = [
    "amber", "apple", "ash", "barn", "bear", "bell", "birch", "black", "blue", "bridge", "broad",
    "castle", "cedar", "chalk", "clay", "cloud", "copper", "corn", "crow", "deer", "eagle", "east",
    "elm", "falcon", "fern", "fox", "frost", "glass", "gold", "goose", "grand", "green", "hazel",
    "heather", "honey", "iron", "ivy", "king", "lake", "lamb", "linen", "long", "maple", "marble",
    "mill", "moon", "moss", "north", "oak", "otter", "pine", "plum", "queen", "raven", "red",
    "river", "rose", "salt", "silver", "snow", "stone", "swan", "thistle", "winter",
];

const ENDINGS: [&str; 32] = [
    "bank", "bay", "brook", "bury", "cliff", "court", "cross", "dale", "den", "fall", "field",
    "ford", "gate", "grove", "ham", "haven", "hill", "hurst", "land", "leigh", "market", "mouth",
    "point", "ridge", "shore", "stead", "ton", "vale", "view", "wall", "well", "wood",
];

/// Eight words of the first 88 bits, separated by spaces.
pub fn eight_words(digest: &Sha256) -> String {
    let bits =
        digest.as_bytes().iter().take(11).fold(0_u128, |bits, byte| bits << 8 | u128::from(*byte));
    let words: Vec<String> = (0..8).rev().map(|place| word(bits >> (place * 11))).collect();
    words.join(" ")
}

fn word(bits: u128) -> String {
    let of = |table: &'static [&'static str], index: u128| {
        usize::try_from(index).ok().and_then(|index| table.get(index)).copied().unwrap_or_default()
    };
    format!("{}{}", of(&BEGINNINGS, bits >> 5 & 63), of(&ENDINGS, bits & 31))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_two_numbers_share_a_word() {
        let words: BTreeSet<String> = (0..2048).map(word).collect();
        assert_eq!(words.len(), 2048);
        assert!(words.iter().all(|word| word.bytes().all(|b| b.is_ascii_lowercase())));
    }

    #[test]
    fn every_one_of_the_first_88_bits_changes_the_words() {
        let zero = eight_words(&Sha256::from_bytes([0; 32]));
        assert_eq!(zero, ["amberbank"; 8].join(" "));
        for bit in 0..256 {
            let mut bytes = [0; 32];
            bytes[bit / 8] = 0x80 >> (bit % 8);
            assert_eq!(eight_words(&Sha256::from_bytes(bytes)) != zero, bit < 88, "bit {bit}");
        }
    }
}
