use super::folder::{Imported, Loose, import, read, write};
use super::*;

fn home() -> (tempfile::TempDir, Home) {
    let folder = tempfile::tempdir().expect("folder");
    let home = Home::open(Some(folder.path().join("home"))).expect("home");
    (folder, home)
}

fn about(title: &str) -> About {
    About {
        title: title.to_owned(),
        description: "Deletes what\nnobody needs.".to_owned(),
        interpreter: Interpreter::Bash,
        timeout_s: 60,
        destructive: true,
        run_as: Some("www-data".to_owned()),
        parameters: vec![Parameter {
            name: "DAYS".to_owned(),
            about: "How old".to_owned(),
            value: "30".to_owned(),
        }],
    }
}

const fn at(seconds: u64) -> UnixSeconds {
    UnixSeconds::new(seconds)
}

#[test]
fn each_text_is_a_version_and_what_is_said_about_it_is_none() {
    let (_folder, home) = home();
    let library = Library::new(&home);
    assert_eq!(library.list().expect("list"), []);
    let keep = |title: &str, text: &str, seconds| {
        library.keep("clear-cache", about(title), text, at(seconds)).expect(text)
    };
    assert_eq!(keep("Clear", "one\n", 1), Became::New);
    assert_eq!(keep("Clear", "one\n", 2), Became::Same);
    assert_eq!(keep("Clear", "two\n", 3), Became::NewVersion);
    assert_eq!(keep("Clear the cache", "two\n", 4), Became::Described);
    // An older text is the newest again, and is there once.
    assert_eq!(keep("Clear the cache", "one\n", 5), Became::NewVersion);
    let kept = library.find("clear-cache").expect("find").expect("there");
    let [one, two] = ["one\n", "two\n"].map(|text| Sha256::of(text.as_bytes()));
    let shown: Vec<_> = kept.versions.iter().map(|known| (known.sha256, known.at.get())).collect();
    assert_eq!(shown, [(one, 5), (two, 3)]);
    assert_eq!(kept.about.title, "Clear the cache");
    assert_eq!(library.text("clear-cache", &two).expect("text"), "two\n");
    library.forget("clear-cache").expect("forget");
    assert!(library.forget("clear-cache").is_err());
    assert_eq!(library.list().expect("list"), []);
}

#[test]
fn a_version_that_was_changed_on_the_disk_is_not_shown() {
    let (_folder, home) = home();
    let library = Library::new(&home);
    library.keep("x", about("X"), "echo good\n", at(1)).expect("keep");
    let sha256 = Sha256::of(b"echo good\n");
    fs::write(home.path("scripts/x").join(sha256.to_string()), "echo evil\n").expect("write");
    let error = library.text("x", &sha256).expect_err("changed");
    assert!(error.to_string().contains("damaged"), "{error}");
}

#[test]
fn a_name_never_leads_out_of_the_folder() {
    let (_folder, home) = home();
    let library = Library::new(&home);
    let longest = "x".repeat(NAME_CHARS_MAX);
    library.keep(&longest, about("X"), "x", at(1)).expect("longest");
    for bad in ["", "..", "a/b", "../x", "-x", "A", "a b", "a.b", "é", &format!("{longest}x")] {
        assert!(library.keep(bad, about("X"), "x", at(1)).is_err(), "{bad}");
        assert!(library.find(bad).expect("find").is_none(), "{bad}");
        assert!(library.text(bad, &Sha256::of(b"x")).is_err(), "{bad}");
        assert!(library.forget(bad).is_err(), "{bad}");
    }
}

#[test]
fn what_no_job_could_say_is_not_kept() {
    let (_folder, home) = home();
    let library = Library::new(&home);
    let keep = |about: About, text: &str| library.keep("x", about, text, at(1));
    let largest = "x".repeat(CONTENT_BYTES_MAX);
    keep(about(&"t".repeat(TITLE_CHARS_MAX)), &largest).expect("as large as it may be");
    assert!(keep(about("X"), &format!("{largest}x")).is_err());
    assert!(keep(about("X"), "").is_err());
    for title in ["", "a\nb", "a\u{202e}b", &"t".repeat(TITLE_CHARS_MAX + 1)] {
        assert!(keep(about(title), "x").is_err(), "{title}");
    }
    let long = |count| About { description: "d".repeat(count), ..about("X") };
    keep(long(DESCRIPTION_CHARS_MAX), "x").expect("a page");
    assert!(keep(long(DESCRIPTION_CHARS_MAX + 1), "x").is_err());
    for timeout_s in [0, TIMEOUT_S_MAX + 1] {
        assert!(keep(About { timeout_s, ..about("X") }, "x").is_err(), "{timeout_s}");
    }
    let named = |name: &str| Parameter {
        name: name.to_owned(),
        about: String::new(),
        value: String::new(),
    };
    for names in [&["1A"][..], &["A B"], &[""], &["A", "A"], &["A="]] {
        let parameters = names.iter().map(|name| named(name)).collect();
        assert!(keep(About { parameters, ..about("X") }, "x").is_err(), "{names:?}");
    }
}

#[test]
fn the_oldest_version_makes_room() {
    let (_folder, home) = home();
    let library = Library::new(&home);
    for count in 0..=VERSIONS_MAX {
        library.keep("x", about("X"), &format!("{count}\n"), at(1)).expect("keep");
    }
    let kept = library.find("x").expect("find").expect("there");
    assert_eq!(kept.versions.len(), VERSIONS_MAX);
    assert!(library.text("x", &Sha256::of(b"0\n")).is_err());
    assert!(library.text("x", &Sha256::of(b"1\n")).is_ok());
}

#[test]
fn a_library_goes_through_a_folder_and_is_the_same() {
    let (outside, home) = home();
    let library = Library::new(&home);
    library.keep("clear-cache", about("Clear"), "one\n", at(1)).expect("keep");
    library.keep("clear-cache", about("Clear"), "two\n", at(2)).expect("keep");
    let folder = outside.path().join("git");
    assert_eq!(write(&library, &folder).expect("write"), 1);
    assert_eq!(fs::read_to_string(folder.join("clear-cache.bash")).expect("script"), "two\n");
    // Other things lie there as well; what a link leads to is not taken.
    fs::write(folder.join("README.md"), "# Scripts").expect("write");
    fs::write(folder.join("hello.py"), "print(1)\n").expect("write");
    fs::write(folder.join("Odd Name.sh"), "x").expect("write");
    std::os::unix::fs::symlink("/etc/passwd", folder.join("link.sh")).expect("link");
    let other = Home::open(Some(outside.path().join("other"))).expect("home");
    let theirs = Library::new(&other);
    let done = import(&theirs, &read(&folder).expect("read"), at(3));
    let new = vec!["clear-cache".to_owned(), "hello".to_owned()];
    assert_eq!(done, Imported { new, ..Imported::default() });
    let kept = theirs.find("clear-cache").expect("find").expect("there");
    assert_eq!(kept.about, about("Clear"));
    assert_eq!(theirs.find("hello").expect("find").expect("there").about.title, "hello");
    let again = import(&theirs, &read(&folder).expect("read"), at(4));
    assert_eq!(again, Imported { same: 2, ..Imported::default() });
}

#[test]
fn one_bad_file_does_not_keep_the_others_out() {
    let (_folder, home) = home();
    let library = Library::new(&home);
    let file = |name: &str, text: &str| Loose { name: name.to_owned(), text: text.to_owned() };
    let files = [
        file("a.sh", "echo a\n"),
        file("b.sh", "echo b\n"),
        file("b.json", "{ \"title\": \"B\", \"evil\": 1 }"),
        file("../c.sh", "echo c\n"),
        file("d.exe", "MZ"),
    ];
    let done = import(&library, &files, at(1));
    assert_eq!((done.new, done.same), (vec!["a".to_owned()], 0));
    let refused: Vec<_> = done.refused.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(refused, ["b.sh", "../c.sh"]);
}
