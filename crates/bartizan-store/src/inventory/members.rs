//! Sets of endpoints by their numbers, in blocks: a list of two bytes each, or a bit each where that is shorter.

/// Endpoints in a block.
pub(super) const BLOCK: u64 = 8192;
/// Bytes of a block of bits.
const BITS_BYTES: usize = 1024;
/// Beyond these a list would be longer than bits.
const LIST_MAX: usize = BITS_BYTES / 2 - 1;

/// A set of endpoints.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Members(Vec<u64>);

impl Members {
    /// Adds one.
    pub fn insert(&mut self, number: u64) {
        let (word, bit) = place(number);
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        if let Some(word) = self.0.get_mut(word) {
            *word |= bit;
        }
    }

    /// Whether it has one.
    pub fn contains(&self, number: u64) -> bool {
        let (word, bit) = place(number);
        self.0.get(word).is_some_and(|word| word & bit != 0)
    }

    /// How many.
    pub fn count(&self) -> u64 {
        self.0.iter().map(|word| u64::from(word.count_ones())).sum()
    }

    /// Adds all of another.
    pub fn add(&mut self, other: &Self) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        for (mine, theirs) in self.0.iter_mut().zip(&other.0) {
            *mine |= theirs;
        }
    }

    /// Keeps what another has too.
    pub fn keep(&mut self, other: &Self) {
        self.0.truncate(other.0.len());
        for (mine, theirs) in self.0.iter_mut().zip(&other.0) {
            *mine &= theirs;
        }
    }

    /// Takes all of another away.
    pub fn take(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(&other.0) {
            *mine &= !theirs;
        }
    }

    /// Adds those of a block as it is stored.
    pub(super) fn add_block(&mut self, block: u64, bytes: &[u8]) {
        let base = block * BLOCK;
        if bytes.len() == BITS_BYTES {
            let start = usize::try_from(base / 64).unwrap_or(usize::MAX);
            let end = start.saturating_add(BITS_BYTES / 8);
            if self.0.len() < end {
                self.0.resize(end, 0);
            }
            for (word, bytes) in self.0.iter_mut().skip(start).zip(bytes.as_chunks::<8>().0) {
                *word |= u64::from_le_bytes(*bytes);
            }
            return;
        }
        for bytes in bytes.as_chunks::<2>().0 {
            self.insert(base + u64::from(u16::from_le_bytes(*bytes)));
        }
    }
}

/// Whether a stored block has a number.
pub(super) fn block_contains(bytes: &[u8], number: u64) -> bool {
    let within = u16::try_from(number % BLOCK).unwrap_or(0);
    if bytes.len() == BITS_BYTES {
        return bytes
            .get(usize::from(within / 8))
            .is_some_and(|byte| byte & (1 << (within % 8)) != 0);
    }
    bytes.as_chunks::<2>().0.iter().any(|bytes| u16::from_le_bytes(*bytes) == within)
}

/// A stored block with one more or one less; nothing when none is left.
pub(super) fn changed(bytes: &[u8], number: u64, present: bool) -> Option<Vec<u8>> {
    let within = u16::try_from(number % BLOCK).unwrap_or(0);
    if bytes.len() == BITS_BYTES {
        return Some(changed_bits(bytes, within, present));
    }
    let mut list: Vec<u16> =
        bytes.as_chunks::<2>().0.iter().map(|bytes| u16::from_le_bytes(*bytes)).collect();
    match (list.binary_search(&within), present) {
        (Err(at), true) => list.insert(at, within),
        (Ok(at), false) => drop(list.remove(at)),
        (Ok(_), true) | (Err(_), false) => {}
    }
    if list.len() > LIST_MAX {
        let mut bits = vec![0; BITS_BYTES];
        for within in list {
            set_bit(&mut bits, within, true);
        }
        return Some(bits);
    }
    (!list.is_empty()).then(|| list_bytes(list.into_iter()))
}

fn changed_bits(bytes: &[u8], within: u16, present: bool) -> Vec<u8> {
    let mut bits = bytes.to_vec();
    set_bit(&mut bits, within, present);
    let count: u32 = bits.iter().map(|byte| byte.count_ones()).sum();
    if usize::try_from(count).unwrap_or(usize::MAX) > LIST_MAX {
        return bits;
    }
    let block = u16::try_from(BLOCK).unwrap_or(u16::MAX);
    list_bytes((0..block).filter(|within| block_contains(&bits, u64::from(*within))))
}

fn set_bit(bits: &mut [u8], within: u16, present: bool) {
    if let Some(byte) = bits.get_mut(usize::from(within / 8)) {
        let bit = 1 << (within % 8);
        if present { *byte |= bit } else { *byte &= !bit }
    }
}

fn list_bytes(list: impl Iterator<Item = u16>) -> Vec<u8> {
    list.flat_map(u16::to_le_bytes).collect()
}

fn place(number: u64) -> (usize, u64) {
    (usize::try_from(number / 64).unwrap_or(usize::MAX), 1 << (number % 64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_a_list_until_bits_are_shorter() {
        let mut bytes = Vec::new();
        for number in 0..=LIST_MAX {
            assert_eq!(bytes.len(), number * 2);
            bytes = changed(&bytes, BLOCK + u64::try_from(number * 3).unwrap(), true).unwrap();
        }
        assert_eq!(bytes.len(), BITS_BYTES);
        let mut all = Members::default();
        all.add_block(1, &bytes);
        assert_eq!(all.count(), u64::try_from(LIST_MAX + 1).unwrap());
        assert!(all.contains(BLOCK + 3) && !all.contains(BLOCK + 4) && !all.contains(3));
        assert!(block_contains(&bytes, BLOCK + 3) && !block_contains(&bytes, BLOCK + 4));
        let fewer = changed(&bytes, BLOCK + 3, false).unwrap();
        assert_eq!(fewer.len(), LIST_MAX * 2);
        assert!(block_contains(&fewer, BLOCK + 6) && !block_contains(&fewer, BLOCK + 3));
        // Twice the same is once.
        assert_eq!(changed(&fewer, BLOCK + 6, true).unwrap(), fewer);
        assert_eq!(changed(&[5, 0], 5, false), None);
    }

    #[test]
    fn sets_are_joined_met_and_taken() {
        let set = |numbers: &[u64]| {
            let mut set = Members::default();
            for number in numbers {
                set.insert(*number);
            }
            set
        };
        let mut one = set(&[1, 70, 20_000]);
        one.add(&set(&[2]));
        assert_eq!(one, set(&[1, 2, 70, 20_000]));
        one.keep(&set(&[2, 70, 71]));
        assert!(one.contains(2) && one.contains(70) && one.count() == 2);
        one.take(&set(&[70, 99_999]));
        assert!(one.contains(2) && one.count() == 1);
    }
}
