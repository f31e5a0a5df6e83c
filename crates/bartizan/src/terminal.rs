//! What people see: hostile text is shown, never obeyed.

use std::io::{IsTerminal as _, Write as _};

use anyhow::{Context, Result};
use bartizan_trust::statement::is_plain_char;
use serde_json::Value;

use crate::exit::{Code, fail};

/// How to talk to whoever started us.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terminal {
    /// JSON on standard output.
    pub(crate) json: bool,
    /// No questions.
    pub(crate) yes: bool,
}

impl Terminal {
    /// Whether somebody sits there who can be asked in between.
    pub(crate) fn can_ask(self) -> bool {
        !self.json && !self.yes && std::io::stdin().is_terminal()
    }

    /// The result: as JSON, or as text for people.
    pub(crate) fn result(self, value: &Value, text: &str) -> Result<()> {
        let mut out = std::io::stdout().lock();
        if self.json {
            writeln!(out, "{}", json_text(value)).context("write the result")?;
        } else {
            writeln!(out, "{}", text.trim_end()).context("write the result")?;
        }
        out.flush().context("write the result")
    }

    /// Something people should see before they are asked; on standard error when JSON goes to standard output.
    /// What cannot be shown must not be signed.
    pub(crate) fn show(self, text: &str) -> Result<()> {
        let text = text.trim_end();
        let shown = match (self.json, self.yes) {
            (true, true) => Ok(()),
            (true, false) => writeln!(std::io::stderr(), "{text}"),
            (false, _) => writeln!(std::io::stdout(), "{text}"),
        };
        shown.context("show what would be signed")
    }

    /// Asks; no is an error.
    pub(crate) fn confirm(self, question: &str) -> Result<()> {
        if self.yes {
            return Ok(());
        }
        if !std::io::stdin().is_terminal() {
            let next = "run it on a terminal, or give --yes when you know what it does";
            return Err(fail(Code::Error, "a question, but no terminal to ask on", next));
        }
        if agrees(question)? {
            return Ok(());
        }
        Err(fail(Code::Error, "not confirmed", "nothing was signed; run it again to sign"))
    }
}

/// Asks on a terminal; whatever is no yes is a no.
pub(crate) fn agrees(question: &str) -> Result<bool> {
    eprint!("{question} [y/N] ");
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).context("read the answer")?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// Asks for a line of text, whatever `--yes` says; `option` gives it without a terminal.
pub(crate) fn ask(question: &str, option: &str) -> Result<String> {
    if !std::io::stdin().is_terminal() {
        let next = format!("run it on a terminal, or give {option}");
        return Err(fail(Code::Error, "a question, but no terminal to ask on", next));
    }
    eprint!("{question}");
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).context("read the answer")?;
    Ok(answer)
}

/// One line of the news that precede a result.
pub(crate) fn line(text: &str) -> Result<()> {
    writeln!(std::io::stdout(), "{text}").context("write the news")
}

/// One line of foreign text: whatever does not show as itself becomes a dot.
pub(crate) fn cell(text: &str) -> String {
    text.chars().map(|c| if is_plain_char(c) { c } else { '·' }).take(120).collect()
}

/// Foreign text of several lines: whatever does not show as itself is escaped.
pub(crate) fn plain_text(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c == '\n' || c == '\t' || is_plain_char(c) {
            shown.push(c);
        } else {
            shown.extend(c.escape_unicode());
        }
    }
    shown
}

/// JSON on one line. What does not show as itself is written as an escape, so that a terminal does not
/// obey it; readers get the same text.
pub(crate) fn json_text(value: &Value) -> String {
    let mut shown = String::new();
    for c in value.to_string().chars() {
        if is_plain_char(c) {
            shown.push(c);
        } else {
            // serde_json has escaped all of ASCII that needs it; the rest occurs in strings only.
            for unit in c.encode_utf16(&mut [0; 2]) {
                shown += &format!("\\u{unit:04x}");
            }
        }
    }
    shown
}

/// Rows in columns of equal width.
pub(crate) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let width = |at: usize| {
        let cells = rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.chars().count());
        cells.chain(head.get(at).map(|cell| cell.len())).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let cells = cells.zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    let mut text = line(&mut head.iter().copied());
    for row in rows {
        text += &line(&mut row.iter().map(String::as_str));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_keeps_hostile_text_and_shows_none_of_it() {
        let value = serde_json::json!({ "a": "x\u{9b}2J\u{202e}\u{e0041}\u{7f}é\u{1b}" });
        let shown = json_text(&value);
        assert!(shown.chars().all(is_plain_char), "{shown:?}");
        assert!(shown.contains('é'));
        assert_eq!(serde_json::from_str::<Value>(&shown).expect("JSON"), value);
    }
}
