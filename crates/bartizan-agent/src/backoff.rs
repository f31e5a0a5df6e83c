//! How long to wait before the next attempt: doubling with full jitter, so that ten thousand endpoints
//! do not come back at the same second.

use std::time::Duration;

/// Largest first pause.
const FIRST: Duration = Duration::from_secs(1);
/// Largest pause.
const LONGEST: Duration = Duration::from_mins(5);

/// Counts failed attempts.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The pause after one more failure; `random` is uniform over all of `u32`.
    pub(crate) fn fail(&mut self, random: u32) -> Duration {
        let ceiling = FIRST.saturating_mul(1 << self.failures.min(16)).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        ceiling.mul_f64(f64::from(random) / f64::from(u32::MAX))
    }

    /// A connection worked.
    pub(crate) const fn succeed(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_five_minutes_and_begin_again_after_success() {
        let mut backoff = Backoff::default();
        let pauses: Vec<u64> = (0..12).map(|_| backoff.fail(u32::MAX).as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
        backoff.succeed();
        assert_eq!(backoff.fail(u32::MAX), FIRST);
    }

    #[test]
    fn pauses_are_spread_from_nothing_to_the_ceiling() {
        assert_eq!(Backoff::default().fail(0), Duration::ZERO);
        let half = Backoff::default().fail(u32::MAX / 2);
        assert!(half > Duration::from_millis(499) && half < Duration::from_millis(501));
    }
}
