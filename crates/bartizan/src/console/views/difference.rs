//! Differences between texts that were rendered here.

use bartizan_trust::time::UnixSeconds;
use similar::{ChangeTag, TextDiff};

use crate::console::shapes::{Change, Difference, DifferenceLine};
use crate::sign::fields::Place;

/// Longest texts that are compared line by line.
const LINES_MAX: usize = 20_000;
/// Steps before it is given up to find the shortest difference.
const PATIENCE: core::time::Duration = core::time::Duration::from_secs(1);

/// What became of each line.
pub(super) fn lines(from: String, at: UnixSeconds, old: &str, new: &str) -> Difference {
    let mut found = Vec::new();
    if old.lines().count().max(new.lines().count()) > LINES_MAX {
        let text = "The texts are too long to be compared here; read the whole of it.".to_owned();
        found.push(DifferenceLine { change: Change::Added, text });
    } else {
        let difference = TextDiff::configure().timeout(PATIENCE).diff_lines(old, new);
        for change in difference.iter_all_changes() {
            let became = match change.tag() {
                ChangeTag::Equal => Change::Same,
                ChangeTag::Delete => Change::Removed,
                ChangeTag::Insert => Change::Added,
            };
            let text = change.value().trim_end_matches('\n').to_owned();
            found.push(DifferenceLine { change: became, text });
        }
    }
    let same = found.iter().all(|line| line.change == Change::Same);
    Difference { from, at: at.get(), same, lines: found }
}

/// Fields of a bundle that differ, as lines.
pub(super) fn places(places: Vec<Place>) -> Vec<DifferenceLine> {
    let mut lines = Vec::new();
    for Place { name, was, is } in places {
        let line = |change, value| DifferenceLine { change, text: format!("{name} = {value}") };
        lines.extend(was.map(|was| line(Change::Removed, was)));
        lines.extend(is.map(|is| line(Change::Added, is)));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_says_what_became_of_it() {
        let found = lines("st".to_owned(), UnixSeconds::new(1), "a\nb\nc\n", "a\nx\nc\n");
        let shown: Vec<_> =
            found.lines.iter().map(|line| (line.change, line.text.as_str())).collect();
        assert_eq!(
            shown,
            [
                (Change::Same, "a"),
                (Change::Removed, "b"),
                (Change::Added, "x"),
                (Change::Same, "c")
            ]
        );
        assert!(!found.same);
        assert!(lines("st".to_owned(), UnixSeconds::new(1), "a\n", "a\n").same);
    }

    #[test]
    fn what_is_too_long_to_compare_never_counts_as_the_same() {
        let long = "x\n".repeat(LINES_MAX + 1);
        assert!(!lines("st".to_owned(), UnixSeconds::new(1), &long, &long).same);
    }
}
