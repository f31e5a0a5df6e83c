//! Strict JSON: what decodes must encode to the same bytes.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::limits;

/// Why bytes are not the canonical JSON of a type.
#[derive(Debug, thiserror::Error)]
pub enum JsonError {
    /// More bytes than the caller allows.
    #[error("{found} bytes where at most {max} are allowed")]
    TooLarge {
        /// How many there are.
        found: usize,
        /// How many may be.
        max: usize,
    },
    /// Nested deeper than [`limits::JSON_DEPTH_MAX`].
    #[error("nested deeper than {} levels", limits::JSON_DEPTH_MAX)]
    TooDeep,
    /// Not JSON of this type.
    #[error("not the expected JSON")]
    Syntax(#[source] serde_json::Error),
    /// The same value has another, canonical form.
    #[error("not in canonical form (compact, fields in order, nothing omitted or added)")]
    NotCanonical,
    /// The value breaks a limit of its type.
    #[error("invalid value: {0}")]
    Invalid(&'static str),
}

/// A type whose values have limits beyond their syntax.
pub trait Validate {
    /// Says which limit a value breaks.
    fn validate(&self) -> Result<(), &'static str>;
}

/// Reads the canonical JSON of a `T`: size, depth, syntax, limits, then byte-exact re-encoding.
pub fn decode<T: DeserializeOwned + Serialize + Validate>(
    bytes: &[u8],
    bytes_max: usize,
) -> Result<T, JsonError> {
    if bytes.len() > bytes_max {
        return Err(JsonError::TooLarge { found: bytes.len(), max: bytes_max });
    }
    if depth(bytes) > limits::JSON_DEPTH_MAX {
        return Err(JsonError::TooDeep);
    }
    let value: T = serde_json::from_slice(bytes).map_err(JsonError::Syntax)?;
    value.validate().map_err(JsonError::Invalid)?;
    if encode(&value) != bytes {
        return Err(JsonError::NotCanonical);
    }
    Ok(value)
}

/// Writes the canonical JSON of a value.
///
/// # Panics
/// Never for the types of this crate: their keys are text and no serializer of theirs fails.
pub fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    #[expect(clippy::expect_used, reason = "our types have string keys and no failing serializer")]
    serde_json::to_vec(value).expect("statement types always serialize")
}

/// Deepest nesting of brackets outside strings. Counts; does not judge syntax.
fn depth(bytes: &[u8]) -> usize {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0_usize, 0, false, false);
    for byte in bytes {
        match (in_string, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (_, b'"') => in_string = !in_string,
            (false, b'{' | b'[') => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            (false, b'}' | b']') => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize, serde::Deserialize, Debug)]
    #[serde(deny_unknown_fields)]
    struct Pair {
        a: u64,
        b: String,
    }

    impl Validate for Pair {
        fn validate(&self) -> Result<(), &'static str> {
            if self.a > limits::INTEGER_MAX { Err("a") } else { Ok(()) }
        }
    }

    fn refused(text: &str) -> JsonError {
        decode::<Pair>(text.as_bytes(), 100).expect_err(text)
    }

    #[test]
    fn only_the_canonical_form_decodes() {
        assert!(decode::<Pair>(br#"{"a":1,"b":"x"}"#, 100).is_ok());
        for text in [
            r#"{"b":"x","a":1}"#,
            r#"{"a":1, "b":"x"}"#,
            "{\"a\":1,\"b\":\"x\"}\n",
            r#"{"a":1,"b":"\u0078"}"#,
        ] {
            assert!(!matches!(refused(text), JsonError::TooLarge { .. }), "{text}");
        }
    }

    #[test]
    fn duplicates_unknown_fields_floats_and_trailing_bytes_are_refused() {
        for text in [
            r#"{"a":1,"a":1,"b":"x"}"#,
            r#"{"a":1,"b":"x","c":2}"#,
            r#"{"a":1.0,"b":"x"}"#,
            r#"{"a":1e0,"b":"x"}"#,
            r#"{"a":-1,"b":"x"}"#,
            r#"{"a":1,"b":"x"}{}"#,
            r#"{"a":1}"#,
        ] {
            assert!(matches!(refused(text), JsonError::Syntax(_)), "{text}");
        }
        assert!(matches!(refused(r#"{"a":9007199254740992,"b":"x"}"#), JsonError::Invalid("a")));
    }

    #[test]
    fn depth_and_size_are_checked_before_parsing() {
        let nested = |n: usize| "[".repeat(n) + &"]".repeat(n);
        assert!(matches!(refused(&nested(limits::JSON_DEPTH_MAX)), JsonError::Syntax(_)));
        assert!(matches!(refused(&nested(limits::JSON_DEPTH_MAX + 1)), JsonError::TooDeep));
        assert!(matches!(refused(&" ".repeat(101)), JsonError::TooLarge { found: 101, max: 100 }));
        assert_eq!(depth(br#""[[[\"[[""#), 0);
    }
}
