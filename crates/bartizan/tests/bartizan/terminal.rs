//! Hostile text from endpoints and from the server is shown, never obeyed.

use crate::stage::{Answer, Stage};

/// Clears the screen, sets a title, moves backwards, reverses the line, ends it; by ESC, by C1 and by Unicode.
const HOSTILE: &str = "\u{1b}[2J\u{1b}]0;owned\u{7}\r\u{8}\u{9b}31m\u{202e}\u{2066}\u{200b}x";

#[track_caller]
fn harmless(answer: &Answer) {
    for c in answer.out.chars().chain(answer.err.chars()) {
        let obeyed = c.is_control() && c != '\n' && c != '\t';
        let hidden = matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        assert!(!obeyed && !hidden, "{c:?} reached the terminal: {answer:?}");
    }
}

#[test]
fn what_an_endpoint_writes_is_shown_harmlessly_and_kept_in_json() {
    let stage = Stage::with_endpoint();
    let octal: Vec<String> = HOSTILE.bytes().map(|byte| format!("\\{byte:03o}")).collect();
    let octal = octal.concat();
    let job = stage.submit("routine", &format!("printf '{octal}\\n'\nprintf '{octal}\\n' >&2\n"));
    let shown = stage.tool("alice", &["watch", &job, "--timeout", "20s"]).ends_with(0);
    harmless(&shown);
    shown.says(&["\\u{1b}[2J", "\\u{202e}"]);
    let json = stage.json("alice", &["watch", &job, "--timeout", "20s"]).ends_with(0);
    harmless(&json);
    let said: String = json
        .out
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .filter(|line| line["stream"] == 1)
        .map(|line| line["text"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(said, format!("{HOSTILE}\n"), "JSON loses nothing");
    // A script is shown for signing with the same care.
    let shown = stage.tool("bob", &["job", &job]).ends_with(0);
    harmless(&shown);
}

#[test]
fn hostile_scripts_and_arguments_are_shown_harmlessly_before_they_are_signed() {
    let stage = Stage::with_endpoint();
    stage.write("script.sh", &format!("echo fine #{HOSTILE}\n"));
    let run =
        ["run", "--on", "all", "--class", "change", "--no-wait", "--arg", HOSTILE, "script.sh"];
    let shown = stage.tool("alice", &run).ends_with(0);
    harmless(&shown);
    let job = stage.json("bob", &["pending"]).json();
    let job = job["jobs"][0]["id"].as_str().unwrap();
    let shown = stage.tool("bob", &["approve", job, "--no-wait"]).ends_with(0);
    harmless(&shown);
    shown.says(&["│ echo fine #\\u{1b}[2J", "arg     \\u{1b}[2J"]);
}

#[test]
fn what_a_hostile_server_claims_of_an_endpoint_is_shown_harmlessly() {
    let stage = Stage::with_endpoint();
    let list = stage.json("alice", &["endpoints"]).json();
    let id = list["endpoints"][0]["id"].as_str().unwrap();
    let hex = data_encoding::HEXLOWER.encode(HOSTILE.as_bytes());
    stage.edit_database(&format!(
        "UPDATE endpoint SET hostname = CAST(x'{hex}' AS TEXT), os = CAST(x'{hex}' AS TEXT)"
    ));
    let commands: [&[&str]; 3] =
        [&["endpoints"], &["endpoint", "show", id], &["endpoints", "--search", HOSTILE]];
    for command in commands {
        harmless(&stage.tool("alice", command));
        harmless(&stage.json("alice", command));
    }
    let shown = stage.json("alice", &["endpoints"]).json();
    assert_eq!(shown["endpoints"][0]["hostname"], HOSTILE, "the hostile name did arrive");
    let refused = stage.tool("alice", &["run", "--on", "other", "absent\u{1b}[2J.sh"]).ends_with(1);
    harmless(&refused);
}
