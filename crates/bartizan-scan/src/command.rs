//! Command lines, wherever they stand.

use crate::evidence::Output;
use crate::limits;
use crate::model::{Evidence, cut};
use crate::pack::CommandRule;
use crate::path;
use crate::rules::Rules;

/// Looks at one command line found as `evidence` says.
pub fn examine(rules: &Rules, line: &str, evidence: &Evidence, output: &mut Output) {
    let text = normalise(&cut(line, limits::TEXT_LINE_BYTES_MAX));
    if text.is_empty() {
        return;
    }
    for (pack, rule) in &rules.commands {
        if matches(rule, &text) {
            let evidence = evidence.clone().with_excerpt(&path::shown(line.trim()));
            output.add(pack, &rule.rule, evidence);
        }
    }
}

/// Lower case, one space between words, and without the characters that `cmd` and shells ignore but searches trip over.
pub(crate) fn normalise(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    for char in line.chars() {
        match char {
            '"' | '\'' | '^' | '`' => {}
            char if char.is_whitespace() => {
                if !text.ends_with(' ') {
                    text.push(' ');
                }
            }
            char => text.extend(char.to_lowercase()),
        }
    }
    text.trim().to_owned()
}

fn matches(rule: &CommandRule, text: &str) -> bool {
    rule.all.iter().all(|word| text.contains(word.as_str()))
        && (rule.any.is_empty() || rule.any.iter().any(|word| text.contains(word.as_str())))
        && !rule.none.iter().any(|word| text.contains(word.as_str()))
        && rule.number.as_ref().is_none_or(|number| {
            numbers_after(text, &number.word.to_lowercase()).any(|value| value >= number.min)
        })
}

fn numbers_after<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = u64> + 'a {
    text.match_indices(word).filter_map(move |(at, _)| {
        let rest = text.get(at + word.len()..)?.trim_start_matches([' ', '=', ':']);
        let end = rest.find(|char: char| !char.is_ascii_digit()).unwrap_or(rest.len());
        rest.get(..end)?.parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_shell_ignores_is_ignored() {
        assert_eq!(normalise("  P^ing   \"127.0.0.1\" -N 5693"), "ping 127.0.0.1 -n 5693");
    }

    #[test]
    fn numbers_behind_a_word_are_read() {
        let numbers = |text| numbers_after(text, "-n ").collect::<Vec<_>>();
        assert_eq!(numbers("ping -n 5693 > nul"), [5693]);
        assert_eq!(numbers("ping -n  7 -n x"), [7]);
        assert!(numbers("ping").is_empty());
    }
}
