//! Results of checks: JSON lines, made by endpoints, hostile until parsed.

use bartizan_trust::id::StatementId;
use bartizan_trust::statement::is_plain_char;
use bartizan_trust::time::UnixSeconds;
use serde::{Deserialize, Serialize};

use super::CheckState;
use crate::limits::{CHECK_RESULT_BYTES_MAX, CHECK_RESULTS_MAX, CHECK_TEXT_BYTES_MAX};

/// How a check stands on an endpoint, by its own word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckResult {
    /// The policy that named it.
    pub policy: StatementId,
    /// Its id.
    pub check: String,
    /// Which of several: a mount point, an address; empty where there is one.
    pub instance: String,
    /// How it stands.
    pub state: CheckState,
    /// Since when.
    pub since: UnixSeconds,
    /// When it was looked at.
    pub at: UnixSeconds,
    /// What was measured, in whole units of the check.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<u64>,
    /// In words.
    pub text: String,
}

/// Why bytes are no results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ResultError {
    /// More lines, or a longer line, than there may be.
    #[error("too many results, or one too long")]
    TooLarge,
    /// Not JSON of a result.
    #[error("not a result")]
    Malformed,
    /// A name or text that is too long, or does not show as itself.
    #[error("field `{0}` is too long or not plain text")]
    Text(&'static str),
}

/// Writes results, one a line.
pub fn encode_results(results: &[CheckResult]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for result in results {
        bytes.extend(serde_json::to_vec(result).unwrap_or_default());
        bytes.push(b'\n');
    }
    bytes
}

/// Reads results. All of them or none.
pub fn parse_results(bytes: &[u8]) -> Result<Vec<CheckResult>, ResultError> {
    let text = bytes.strip_suffix(b"\n").ok_or(ResultError::Malformed)?;
    let mut results = Vec::new();
    for line in text.split(|byte| *byte == b'\n') {
        if line.len() > CHECK_RESULT_BYTES_MAX || results.len() >= CHECK_RESULTS_MAX {
            return Err(ResultError::TooLarge);
        }
        let result: CheckResult =
            serde_json::from_slice(line).map_err(|_| ResultError::Malformed)?;
        check(&result)?;
        results.push(result);
    }
    Ok(results)
}

fn check(result: &CheckResult) -> Result<(), ResultError> {
    let plain = |text: &str| text.len() <= CHECK_TEXT_BYTES_MAX && text.chars().all(is_plain_char);
    let fields = [
        ("check", &result.check, 32),
        ("instance", &result.instance, CHECK_TEXT_BYTES_MAX),
        ("text", &result.text, CHECK_TEXT_BYTES_MAX),
    ];
    for (name, text, most) in fields {
        if text.len() > most || !plain(text) {
            return Err(ResultError::Text(name));
        }
    }
    if result.check.is_empty() { Err(ResultError::Text("check")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use bartizan_trust::id::Sha256;

    use super::*;

    fn result() -> CheckResult {
        CheckResult {
            policy: StatementId::new(Sha256::of(b"policy")),
            check: "disk".to_owned(),
            instance: "/var".to_owned(),
            state: CheckState::Warn,
            since: UnixSeconds::new(1_800_000_000),
            at: UnixSeconds::new(1_800_000_060),
            value: Some(12),
            text: "12 % of room left".to_owned(),
        }
    }

    #[test]
    fn results_are_lines_of_json() {
        let two = [result(), CheckResult { value: None, state: CheckState::Gone, ..result() }];
        let bytes = encode_results(&two);
        assert_eq!(parse_results(&bytes).unwrap(), two);
        let first = bytes.split(|byte| *byte == b'\n').next().unwrap();
        let expected = format!(
            r#"{{"policy":"{}","check":"disk","instance":"/var","state":"warn","since":1800000000,"at":1800000060,"value":12,"text":"12 % of room left"}}"#,
            result().policy
        );
        assert_eq!(str::from_utf8(first).unwrap(), expected);
    }

    #[test]
    fn hostile_results_are_refused_as_a_whole() {
        let refused = |result: CheckResult| parse_results(&encode_results(&[result])).unwrap_err();
        let long = "a".repeat(CHECK_TEXT_BYTES_MAX + 1);
        assert_eq!(
            refused(CheckResult { text: long.clone(), ..result() }),
            ResultError::Text("text")
        );
        assert_eq!(
            refused(CheckResult { instance: long, ..result() }),
            ResultError::Text("instance")
        );
        let fits = CheckResult { text: "a".repeat(CHECK_TEXT_BYTES_MAX), ..result() };
        assert!(parse_results(&encode_results(&[fits])).is_ok());
        for text in ["\u{1b}[2J", "a\u{202e}b", "a\nb"] {
            let text = text.to_owned();
            assert_eq!(refused(CheckResult { text, ..result() }), ResultError::Text("text"));
        }
        let check = String::new();
        assert_eq!(refused(CheckResult { check, ..result() }), ResultError::Text("check"));
        let many = vec![result(); CHECK_RESULTS_MAX];
        assert!(parse_results(&encode_results(&many)).is_ok());
        let many = vec![result(); CHECK_RESULTS_MAX + 1];
        assert_eq!(parse_results(&encode_results(&many)), Err(ResultError::TooLarge));
        let line = encode_results(&[result()]);
        let changed = |from: &str, to: &str| {
            let text = str::from_utf8(&line).unwrap().replace(from, to);
            parse_results(text.as_bytes())
        };
        assert_eq!(changed("\n", ""), Err(ResultError::Malformed));
        assert_eq!(changed("12,", "12.5,"), Err(ResultError::Malformed));
        assert_eq!(changed("12,", "NaN,"), Err(ResultError::Malformed));
        assert_eq!(changed("\"warn\"", "\"fine\""), Err(ResultError::Malformed));
        assert_eq!(changed("{\"policy", "{\"more\":1,\"policy"), Err(ResultError::Malformed));
        assert_eq!(
            changed("\"text\":\"", &format!("\"text\":\"{}", "\\u0061".repeat(400))),
            Err(ResultError::TooLarge)
        );
    }
}
