//! Dates as whole seconds.

use serde::{Deserialize, Deserializer, Serialize};

use crate::limits;

/// Seconds since 1970-01-01 UTC, at most 2^53 − 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize)]
#[serde(transparent)]
pub struct UnixSeconds(u64);

impl UnixSeconds {
    /// The beginning of time.
    pub const ZERO: Self = Self(0);

    /// A date, clamped to the largest integer signed data may hold.
    pub const fn new(seconds: u64) -> Self {
        if seconds > limits::INTEGER_MAX { Self(limits::INTEGER_MAX) } else { Self(seconds) }
    }

    /// The seconds.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// This date and `seconds` more, clamped.
    #[must_use]
    pub const fn plus(self, seconds: u64) -> Self {
        Self::new(self.0.saturating_add(seconds))
    }

    /// Seconds from `earlier` to this date; zero when it is later.
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl<'de> Deserialize<'de> for UnixSeconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let seconds = u64::deserialize(deserializer)?;
        if seconds > limits::INTEGER_MAX {
            return Err(serde::de::Error::custom("a time above 2^53 - 1"));
        }
        Ok(Self(seconds))
    }
}
