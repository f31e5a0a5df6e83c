//! Numbers that look random and are the same on every machine, so that a failure is its seed.

/// SplitMix64.
#[derive(Debug, Clone)]
pub struct Numbers(u64);

impl Numbers {
    /// From a seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub const fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// One of the numbers below `end`; 0 where there are none.
    pub fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end.max(1)).unwrap_or(u64::MAX);
        usize::try_from(self.draw() % end).unwrap_or(0)
    }

    /// One of several.
    pub fn pick<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        all.get(self.below(all.len()))
    }

    /// True once in so many times.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One to four small damages: a bit, a cut, a doubled or removed piece, an extreme byte.
    pub fn damage(&mut self, bytes: &[u8]) -> Vec<u8> {
        const EXTREMES: [u8; 6] = [0, 0x7f, 0x80, 0xff, b'"', b'\n'];
        let mut out = bytes.to_vec();
        for _ in 0..=self.below(3) {
            let at = self.below(out.len());
            let end = (at + 1 + self.below(8)).min(out.len());
            let damage = self.below(6);
            match (damage, out.get_mut(at)) {
                (0, Some(byte)) => *byte ^= 1 << self.below(8),
                (1, _) => out.truncate(at),
                (2, Some(_)) => drop(out.drain(at..end)),
                (3, Some(_)) => {
                    let piece = out.get(at..end).unwrap_or_default().to_vec();
                    out.splice(at..at, piece);
                }
                (4, Some(byte)) => *byte = self.pick(&EXTREMES).copied().unwrap_or_default(),
                _ => out.insert(at, u8::try_from(self.below(256)).unwrap_or_default()),
            }
        }
        out
    }
}
