//! The log policy of a bundle: what is read, what is refused, and what co-signatures satisfy.

use bartizan_testkit::world::{BEGINNING, Log, Witness};
use bartizan_trust::note::Note;
use bartizan_trust::policy::{LogTrust, Policy};
use bartizan_trust::statement::LogRule;

fn vkey(name: &str) -> String {
    Witness::named(name).unwrap().vkey.to_string()
}

/// Two witnesses, and what else the lines say.
fn with(lines: &str) -> Result<Policy, String> {
    let (one, two) = (vkey("one"), vkey("two"));
    let text = format!("witness one {one}\nwitness two {two}\n{lines}");
    Policy::parse(&text).map_err(|error| error.to_string())
}

#[track_caller]
fn refused(lines: &str, because: &str) {
    let error = with(lines).unwrap_err();
    assert!(error.contains(because), "{error}");
}

#[test]
fn comments_and_lines_for_other_tools_are_read_over() {
    let log = Log::named("control").unwrap().vkey;
    let lines = format!(
        "# a comment\n\nlog {log}\nlog {log} https://log.test\nquorum one\n# the last word\n\n"
    );
    let policy = with(&lines).unwrap();
    assert_eq!(policy.quorum(), "one");
    let names: Vec<&str> = policy.witnesses().map(|(name, _)| name).collect();
    assert_eq!(names, ["one", "two"]);
    refused("log nonsense\nquorum one", "not a log key");
    refused("log\nquorum one", "not a `log`");
}

#[test]
fn a_quorum_is_known_and_the_last_line() {
    refused("quorum nobody", "neither a witness");
    refused("quorum one two", "not a `log`");
    refused("quorum one\nquorum two", "the last line");
    refused("quorum one\ngroup both all one two", "the last line");
    refused("", "no `quorum` line");
    assert!(with("quorum none").is_ok());
}

#[test]
fn members_of_a_group_are_known_and_each_once() {
    let because = "members are witnesses";
    refused("group g any\nquorum g", because);
    refused("group g any one nobody\nquorum g", because);
    refused("group g any one none\nquorum g", because);
    refused("group g any one one\nquorum g", because);
    refused("group g any one two one\nquorum g", because);
    refused("group g any g\nquorum g", because);
    assert!(with("group g any one two\ngroup h all g one\nquorum h").is_ok());
}

#[test]
fn a_threshold_is_at_least_one_and_at_most_all() {
    refused("group g 0 one two\nquorum g", "at least 1");
    refused("group g 3 one two\nquorum g", "at least 1");
    refused("group g most one two\nquorum g", "`any`, `all` or a number");
    for good in ["1", "2", "any", "all"] {
        assert!(with(&format!("group g {good} one two\nquorum g")).is_ok(), "{good}");
    }
}

#[test]
fn a_name_stands_for_one_thing() {
    let because = "stands twice";
    refused("group one any two\nquorum one", because);
    refused("group none any two\nquorum two", because);
    refused("group g any one\ngroup g any two\nquorum g", because);
    let three = vkey("three");
    refused(&format!("witness one {three}\nquorum one"), because);
    refused(&format!("witness none {three}\nquorum one"), because);
    assert!(with(&format!("witness three {three}\nquorum three")).is_ok());
}

#[test]
fn a_policy_of_exactly_the_longest_size_is_read_and_no_longer_one() {
    let sized = |bytes: usize| format!("#{}\nquorum none", "c".repeat(bytes - 13));
    assert_eq!(sized(8 * 1024).len(), 8 * 1024);
    assert!(Policy::parse(&sized(8 * 1024)).is_ok());
    assert!(Policy::parse(&sized(8 * 1024 + 1)).is_err());
}

#[test]
fn a_group_is_satisfied_by_its_own_members_only() {
    let policy =
        with("group first any one\ngroup second any two\ngroup both all one two\nquorum both")
            .unwrap();
    let mut log = Log::named("control").unwrap();
    log.append(b"entry".to_vec());
    let (one, two) = (Witness::named("one").unwrap(), Witness::named("two").unwrap());
    let later = BEGINNING.plus(60);
    let by =
        |witnesses: &[(&Witness, _)]| Note::decode(&log.note_at(1, witnesses).unwrap()).unwrap();
    let alone = by(&[(&one, BEGINNING)]);
    let at = |group: &str, note: &Note| policy.satisfied_at(group, note);
    assert_eq!(at("first", &alone), Some(BEGINNING));
    assert_eq!((at("second", &alone), at("both", &alone)), (None, None));
    let together = by(&[(&one, BEGINNING), (&two, later)]);
    assert_eq!((at("second", &together), at("both", &together)), (Some(later), Some(BEGINNING)));
}

#[test]
fn a_log_signs_with_a_log_key() {
    let log = |name: &str| Log::named(name).unwrap().vkey.to_string();
    let rule = |control: String, jobs: String| {
        LogTrust::parse(&LogRule { control, jobs, policy: "quorum none".to_owned() })
    };
    assert!(rule(log("control"), log("jobs")).is_ok());
    assert!(rule(vkey("one"), log("jobs")).is_err(), "the key of a witness");
    assert!(rule(log("control"), vkey("one")).is_err(), "the key of a witness");
    assert!(rule(log("control"), log("control")).is_err(), "one log twice");
}
