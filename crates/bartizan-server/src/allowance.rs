//! How much an endpoint may report: so many bytes at once, and so many a second. What is above is not read until there is room
//! again; the endpoint's own buffers fill, and nobody else notices.

use std::time::{Duration, Instant};

/// At once: what an endpoint kept during days without a server.
const BURST_BYTES: u64 = 1024 * 1024;
/// Sustained: hundreds of times what default metrics need.
const BYTES_PER_S: u64 = 64 * 1024;

/// What one endpoint has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Allowance {
    /// When it is full again. Nothing was spent if that is past.
    full_at: Instant,
}

impl Allowance {
    /// Nothing is spent.
    pub(crate) const fn new(now: Instant) -> Self {
        Self { full_at: now }
    }

    /// So many bytes came.
    pub(crate) fn spend(&mut self, bytes: usize, now: Instant) {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let micros = bytes.saturating_mul(1_000_000) / BYTES_PER_S;
        self.full_at = self.full_at.max(now) + Duration::from_micros(micros);
    }

    /// Until when nothing more is read; `None` when there is room.
    pub(crate) fn wait_until(&self, now: Instant) -> Option<Instant> {
        let until = self.full_at.checked_sub(Duration::from_secs(BURST_BYTES / BYTES_PER_S))?;
        (until > now).then_some(until)
    }

    /// Whether everything is there again.
    pub(crate) fn is_full(&self, now: Instant) -> bool {
        self.full_at <= now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_read_and_what_is_above_waits() {
        let now = Instant::now() + Duration::from_hours(1);
        let mut allowance = Allowance::new(now);
        allowance.spend(1024 * 1024, now);
        assert_eq!(allowance.wait_until(now), None, "the whole burst");
        allowance.spend(64 * 1024, now);
        let until = allowance.wait_until(now).unwrap();
        assert_eq!(until - now, Duration::from_secs(1));
        assert_eq!(allowance.wait_until(until), None);
        assert!(!allowance.is_full(until) && allowance.is_full(now + Duration::from_secs(17)));
    }

    #[test]
    fn time_without_reports_gives_no_more_than_a_burst() {
        let now = Instant::now() + Duration::from_hours(1);
        let mut allowance = Allowance::new(now);
        let later = now + Duration::from_secs(1_000_000);
        allowance.spend(1024 * 1024 + 1, later);
        assert!(allowance.wait_until(later).is_some());
    }

    #[test]
    fn default_metrics_never_wait() {
        let mut now = Instant::now() + Duration::from_hours(1);
        let mut allowance = Allowance::new(now);
        for _ in 0..10_000 {
            allowance.spend(4 * 1024, now);
            assert_eq!(allowance.wait_until(now), None);
            now += Duration::from_mins(1);
        }
    }
}
