//! Pages that name tests name tests that exist.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Names of every test in the tree: a function on the lines after `#[test]`, also within `proptest!`.
fn tests() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut folders = vec![root().join("crates")];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(path).unwrap();
                found.extend(text.split("#[test]").skip(1).filter_map(first_function));
            }
        }
    }
    found
}

fn first_function(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("fn ")?;
    let (name, _) = rest.split_once('(')?;
    Some(name.to_owned())
}

/// Words in backticks that are written as functions are: two underscores or more, and nothing else.
fn named(page: &str) -> Vec<String> {
    let is_name = |word: &&str| {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        word.chars().all(plain) && word.matches('_').count() > 1
    };
    page.split('`').skip(1).step_by(2).filter(is_name).map(str::to_owned).collect()
}

#[test]
fn every_test_that_a_page_names_exists() {
    let tests = tests();
    for (page, least) in [("docs/lessons.md", 25), ("docs/dev/adversaries.md", 40)] {
        let names = named(&fs::read_to_string(root().join(page)).unwrap());
        assert!(names.len() >= least, "{page} names {} tests", names.len());
        let missing: Vec<_> = names.iter().filter(|name| !tests.contains(*name)).collect();
        assert!(missing.is_empty(), "{page} names tests that do not exist: {missing:?}");
    }
}

#[test]
fn every_lesson_says_what_what_stops_it_what_shows_it_and_what_gets_through() {
    let page = fs::read_to_string(root().join("docs/lessons.md")).unwrap();
    let lessons: Vec<&str> = page.split("\n## ").skip(1).collect();
    assert_eq!(lessons.len(), 7);
    for lesson in lessons {
        for part in
            ["What happened.", "What stops it.", "Shown by.", "What would still get through."]
        {
            assert!(lesson.contains(&format!("**{part}**")), "{part} {lesson}");
        }
    }
}
