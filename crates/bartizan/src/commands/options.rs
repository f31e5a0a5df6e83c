//! Reading options.

use core::str::FromStr;

/// `90`, `90s`, `5m`, `24h`, `7d`.
pub(crate) fn seconds(text: &str) -> Result<u64, String> {
    let (digits, unit) = match text.char_indices().find(|(_, c)| !c.is_ascii_digit()) {
        Some((at, _)) => text.split_at(at),
        None => (text, "s"),
    };
    let factor = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err("write a number and s, m, h or d, like 24h".to_owned()),
    };
    let number: u64 =
        digits.parse().map_err(|_| "write a number and s, m, h or d, like 24h".to_owned())?;
    number
        .checked_mul(factor)
        .filter(|seconds| *seconds > 0)
        .ok_or_else(|| "out of range".to_owned())
}

/// A tenant, site or operator by its bare name or its id.
pub(crate) fn slug<T: FromStr + bartizan_slug::Named>(text: &str) -> Result<T, String> {
    text.parse()
        .or_else(|_| T::from_bare(text))
        .map_err(|_| "lower-case letters, digits and `-`, at most 32".to_owned())
}

/// What has a bare name.
pub(crate) mod bartizan_slug {
    use bartizan_trust::id::{IdError, Kind, Slug};

    /// Made from a bare name.
    pub(crate) trait Named: Sized {
        /// Without the prefix.
        fn from_bare(text: &str) -> Result<Self, IdError>;
    }

    impl<K: Kind> Named for Slug<K> {
        fn from_bare(text: &str) -> Result<Self, IdError> {
            Self::from_name(text)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_read() {
        for (text, expected) in [("90", 90), ("5m", 300), ("24h", 86_400), ("7d", 604_800)] {
            assert_eq!(seconds(text), Ok(expected));
        }
        for bad in ["", "0", "5x", "m", "-1", "99999999999999999999d"] {
            assert!(seconds(bad).is_err(), "{bad}");
        }
    }
}
