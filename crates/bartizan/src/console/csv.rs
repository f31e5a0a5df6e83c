//! CSV as RFC 4180 has it, for programs that draw tables: no cell is a formula, none has more than one line, and no character acts
//! instead of being seen.

use anyhow::{Context as _, Result};
use bartizan_trust::statement::is_plain_char;
use csv::{Terminator, WriterBuilder};

/// What some table program takes for the beginning of a formula, in wide letters too.
const FORMULA: [char; 10] = ['=', '+', '-', '@', '|', '%', '＝', '＋', '－', '＠'];

/// One line.
pub(super) fn line<T: AsRef<str>>(cells: impl IntoIterator<Item = T>) -> Result<Vec<u8>> {
    let mut writer = WriterBuilder::new()
        .has_headers(false)
        .terminator(Terminator::CRLF)
        .from_writer(Vec::new());
    let cells: Vec<String> = cells.into_iter().map(|cell| harmless(cell.as_ref())).collect();
    writer.write_record(&cells).context("write a line of CSV")?;
    writer.into_inner().context("write a line of CSV")
}

/// The text as a cell that is text and nothing else.
fn harmless(text: &str) -> String {
    let mut cell = String::with_capacity(text.len() + 1);
    if text.trim_start().starts_with(FORMULA) || text.starts_with(['\t', '\r', '\n']) {
        cell.push('\'');
    }
    for c in text.chars() {
        if is_plain_char(c) {
            cell.push(c);
        } else {
            cell.extend(c.escape_unicode());
        }
    }
    cell
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(cells: &[&str]) -> String {
        String::from_utf8(line(cells).expect("line")).expect("text")
    }

    #[test]
    fn cells_are_quoted_where_they_must_be_and_lines_end_as_the_standard_says() {
        assert_eq!(text(&["a", "", "b c"]), "a,,b c\r\n");
        assert_eq!(text(&["a,b", "say \"x\""]), "\"a,b\",\"say \"\"x\"\"\"\r\n");
    }

    #[test]
    fn a_hostile_cell_is_neither_a_formula_nor_a_line_nor_a_command_to_a_terminal() {
        for first in FORMULA {
            assert_eq!(text(&[&format!("{first}x"), "y"]), format!("'{first}x,y\r\n"));
            assert_eq!(text(&[&format!(" {first}x"), "y"]), format!("' {first}x,y\r\n"));
        }
        assert_eq!(text(&["\t=1", "a\r\nb"]), "'\\u{9}=1,a\\u{d}\\u{a}b\r\n");
        assert_eq!(text(&["\u{1b}[2J\u{202e}"]), "\\u{1b}[2J\\u{202e}\r\n");
        assert_eq!(text(&["a=b", "1-2", "é"]), "a=b,1-2,é\r\n");
    }
}
