use std::fs::Permissions;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;

use super::super::Judged;
use super::*;

const ONE: Levels = Levels { warn: Some(1), error: None };

/// A folder that everybody may reach; `tempfile` makes private ones.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    folder
}

fn write(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, Permissions::from_mode(0o644)).unwrap();
}

fn append(path: &Path, text: &str) {
    File::options().append(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
}

#[track_caller]
fn sees(path: &Path, left: &mut Left, expected: impl Into<Option<u64>>) {
    let seen = log(path, "ERROR", ONE, left);
    assert_eq!(seen.first().and_then(|seen| seen.value), expected.into(), "{seen:?}");
}

#[test]
fn a_file_matches_or_not_and_its_text_stays_here() {
    let folder = folder();
    let path = folder.path().join("conf");
    let judged = |pattern, wanted| file(&path, pattern, wanted, Severity::Error);
    assert_eq!(judged("x", false).judged, Judged::Bad(Severity::Error), "there is no such file");
    write(&path, "PermitRootLogin no\nPassword hunter2\n");
    assert_eq!(judged("^PermitRootLogin no$", true).judged, Judged::Fine);
    assert_eq!(judged("^PermitRootLogin yes$", true).judged, Judged::Bad(Severity::Error));
    let found = judged("Password .*", false);
    assert_eq!(found.judged, Judged::Bad(Severity::Error));
    assert!(!found.text.contains("hunter2"));
    write(&path, &"x".repeat(1024 * 1024 + 1));
    assert_eq!(judged("x", true).judged, Judged::Unknown);
    write(&path, &"x".repeat(1024 * 1024));
    assert_eq!(judged("x", true).judged, Judged::Fine);
}

#[test]
fn a_policy_that_names_a_secret_file_learns_nothing_of_its_content() {
    let folder = folder();
    let path = folder.path().join("shadow");
    write(&path, "root:secret\n");
    let asked = |path: &Path| file(path, "secret", true, Severity::Error);
    assert_eq!(asked(&path).judged, Judged::Fine);
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    for mode in [0o600, 0o640, 0o660] {
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        assert_eq!(asked(&path).judged, Judged::Unknown, "{mode:o}");
        assert_eq!(asked(&link).judged, Judged::Unknown, "by a link");
        let seen = log(&path, "secret", ONE, &mut Left::Nothing);
        assert_eq!(seen[0].judged, Judged::Unknown, "as a log");
    }
    // A file that everybody may read, in a folder that nobody else may enter.
    fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o700)).unwrap();
    assert_eq!(asked(&path).judged, Judged::Unknown);
    for path in ["/etc/shadow", "/proc/self", "/dev/zero"] {
        assert_ne!(asked(Path::new(path)).judged, Judged::Fine, "{path}");
    }
}

fn is_a_pattern(text: &str) -> bool {
    compile(text).is_some()
}

#[test]
fn patterns_that_are_bombs_are_no_patterns_or_give_up() {
    for bomb in ["(a{1,1000}){1,1000}", "((((((((((a{100}){100}){100}){100}))))))", "(", "a{99999}"]
    {
        assert!(!is_a_pattern(bomb), "{bomb}");
    }
    assert!(!is_a_pattern(&("(".repeat(100) + "a" + &")".repeat(100))));
    assert!(is_a_pattern(r"^\d{1,3}(\.\d{1,3}){3} .*(error|fatal|panic)"));
    // Linear: what makes a backtracking engine take for ever is quick here.
    let bytes = ("a".repeat(4000) + "\n").repeat(4).into_bytes();
    assert_eq!(matches(&compile("(a+)+$b|(a*)*c").unwrap(), &bytes), Some(0));
}

#[test]
fn a_log_is_read_from_its_end_and_then_on() {
    let folder = folder();
    let path = folder.path().join("log");
    let mut left = Left::Nothing;
    write(&path, "ERROR of yesterday\n");
    sees(&path, &mut left, None);
    sees(&path, &mut left, 0);
    append(&path, "ERROR one\nfine\nERROR two\nERROR of which only ha");
    sees(&path, &mut left, 2);
    sees(&path, &mut left, 0);
    append(&path, "lf was written\n");
    sees(&path, &mut left, 1);
    // What the guard has kept is all it needs after a start.
    let kept = serde_json::to_string(&left).unwrap();
    let mut left = serde_json::from_str(&kept).unwrap();
    append(&path, "ERROR later\n");
    sees(&path, &mut left, 1);
}

#[test]
fn a_log_that_is_rotated_or_emptied_loses_no_line() {
    let folder = folder();
    let (path, old) = (folder.path().join("log"), folder.path().join("log.1"));
    let mut left = Left::Nothing;
    write(&path, "begin\n");
    sees(&path, &mut left, None);
    append(&path, "ERROR before the rotation\n");
    fs::rename(&path, &old).unwrap();
    write(&path, "ERROR after it\n");
    sees(&path, &mut left, 2);
    sees(&path, &mut left, 0);
    // Emptied in place.
    File::create(&path).unwrap();
    sees(&path, &mut left, 0);
    append(&path, "ERROR\n");
    sees(&path, &mut left, 1);
}

#[test]
fn a_log_that_comes_later_is_new_from_its_first_line() {
    let folder = folder();
    let path = folder.path().join("log");
    let mut left = Left::Nothing;
    let seen = log(&path, "ERROR", ONE, &mut left);
    assert_eq!(seen[0].judged, Judged::Unknown);
    write(&path, "ERROR at once\n");
    sees(&path, &mut left, 1);
}

#[test]
fn a_log_of_one_endless_line_is_passed_over() {
    let folder = folder();
    let path = folder.path().join("log");
    let mut left = Left::Nothing;
    write(&path, "");
    sees(&path, &mut left, None);
    append(&path, &"x".repeat(1024 * 1024 + 10));
    sees(&path, &mut left, 0);
    append(&path, "\nERROR\n");
    sees(&path, &mut left, 1);
}
