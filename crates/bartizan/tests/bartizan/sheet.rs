//! The sheet of paper, read by programs that are not ours: stock `age`, a QR decoder, `ssh-keygen`.

use std::process::Command;

use crate::stage::{Answer, Stage, on_terminal, run};

const PHRASE: &str = "five random words of ours";

fn sheets(stage: &Stage) -> Answer {
    stage.write("phrase", &format!("{PHRASE}\n"));
    let mut command = stage.command("alice", &["recovery", "new", "--dir", "paper"]);
    let made = run(command
        .args(["--yes", "--json"])
        .env("BARTIZAN_PASSPHRASE_FILE", stage.path("phrase")));
    made.ends_with(0)
}

/// A program of Debian, named when it is missing.
fn tool(name: &str, package: &str) -> Command {
    let found = Command::new("sh").args(["-c", &format!("command -v {name}")]).output().unwrap();
    assert!(found.status.success(), "`{name}` is missing; apt-get install {package}");
    Command::new(name)
}

/// What stock `age` makes of a file, asked on a terminal.
fn age(stage: &Stage, arguments: &[&str], dialogue: &[(&str, &str)]) -> Answer {
    let mut command = tool("age", "age");
    command.args(arguments).current_dir(stage.path(""));
    let quoted = arguments.join(" ");
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("cd {} && age {quoted}", stage.text(""))]);
    on_terminal(&shell, dialogue)
}

#[test]
fn stock_age_opens_the_sheet_and_gives_the_key_that_is_named() {
    let stage = Stage::new();
    let made = sheets(&stage).json();
    for name in ["recovery", "spare-witness"] {
        let out = stage.text(&format!("{name}.key"));
        let open = ["-d", "-o", &out, &format!("paper/{name}.age")].map(str::to_owned);
        let open: Vec<&str> = open.iter().map(String::as_str).collect();
        age(&stage, &open, &[("passphrase", "a guess")]).ends_with(1);
        age(&stage, &open, &[("passphrase", PHRASE)]).ends_with(0);
        run(Command::new("chmod").args(["600", &out])).ends_with(0);
    }
    let public = run(Command::new("ssh-keygen").args(["-y", "-f"]).arg(stage.path("recovery.key")));
    let public = public.ends_with(0).out;
    let named = made["public"].as_str().unwrap();
    assert!(public.starts_with(named), "{public} {named}");
    // No secret is left unencrypted.
    for entry in std::fs::read_dir(stage.path("paper")).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        assert!(!text.contains("OPENSSH PRIVATE KEY"), "{text}");
    }
}

#[test]
fn what_stock_age_encrypts_is_opened_here() {
    let mut stage = Stage::new();
    sheets(&stage);
    let out = stage.text("recovery.key");
    age(&stage, &["-d", "-o", &out, "paper/recovery.age"], &[("passphrase", PHRASE)]).ends_with(0);
    // The same key under another passphrase, by `age` itself.
    let phrase = [("passphrase", "another one"), ("passphrase", "another one")];
    age(&stage, &["-p", "-a", "-o", "again.age", "recovery.key"], &phrase).ends_with(0);

    stage.people(&["alice", "bob"]);
    stage.init_server();
    let make = ["init", "--id", "alice", "--name", "Alice", "--with", "bob.card"];
    let rest = ["--server", "identity.json", "--recovery", "paper/recovery.json"];
    stage.json("alice", &[make.as_slice(), &rest].concat()).ends_with(0);
    stage.json("bob", &["init", "--countersign", "genesis.json"]).ends_with(0);
    stage.start_server();
    let publish = ["init", "--publish", "genesis.json", "--server", &stage.plane];
    stage.json("alice", &publish).ends_with(0);
    stage.write("phrase", "another one\n");
    let mut finish =
        stage.command("alice", &["recover", "finish", "--sheet", "again.age", "--json"]);
    let opened = run(finish.env("BARTIZAN_PASSPHRASE_FILE", stage.path("phrase"))).json();
    assert_eq!(opened["version"], 1);
    // And the bare key, for those who keep it under another recipient.
    run(Command::new("chmod").args(["600", &out])).ends_with(0);
    stage.json("alice", &["recover", "finish", "--recovery-key", "recovery.key"]).ends_with(0);

    // The sheets name the organisation once there is one.
    let anchor = stage.json("alice", &["org"]).json();
    stage.tool("alice", &["recovery", "sheet", "--dir", "paper"]).ends_with(0);
    let text = String::from_utf8(stage.read("paper/recovery-sheet.txt")).unwrap();
    let page = String::from_utf8(stage.read("paper/recovery-sheet.html")).unwrap();
    for field in ["anchor", "words"] {
        let value = anchor[field].as_str().unwrap();
        assert!(text.contains(value) && page.contains(value), "{field}");
    }
}

#[test]
fn another_program_reads_the_same_key_from_the_printed_code() {
    let stage = Stage::new();
    sheets(&stage);
    for name in ["recovery", "spare-witness"] {
        let page = String::from_utf8(stage.read(&format!("paper/{name}-sheet.html"))).unwrap();
        let start = page.find("<svg").unwrap();
        let end = page.find("</svg>").unwrap() + "</svg>".len();
        let (svg, png) = (format!("{name}.svg"), stage.text(&format!("{name}.png")));
        let svg = stage.write(&svg, &page[start..end]);
        let mut draw = tool("rsvg-convert", "librsvg2-bin");
        run(draw.args(["--background-color", "white", "-w", "1200", "-o", &png, &svg]))
            .ends_with(0);
        let mut read = tool("zbarimg", "zbar-tools");
        let found = run(read.args(["--raw", "-q", &png])).ends_with(0).out;
        let armor = String::from_utf8(stage.read(&format!("paper/{name}.age"))).unwrap();
        assert_eq!(found.trim_end(), armor.trim_end());
        // The text sheet carries the same.
        let text = String::from_utf8(stage.read(&format!("paper/{name}-sheet.txt"))).unwrap();
        assert!(text.contains(armor.trim_end()));
    }
}

#[test]
fn a_passphrase_is_asked_for_twice_and_must_agree() {
    let stage = Stage::new();
    // What runs on a terminal runs where the test does.
    let paper = stage.text("paper");
    let command = stage.command("alice", &["recovery", "new", "--dir", &paper, "--no-witness"]);
    on_terminal(&command, &[("New passphrase", "one"), ("Once more", "two")]).ends_with(1);
    assert!(!stage.path("paper").exists(), "nothing is left behind");
    on_terminal(&command, &[("New passphrase", ""), ("Once more", "")]).ends_with(1);
    let made = on_terminal(&command, &[("New passphrase", "a b c"), ("Once more", "a b c")]);
    made.ends_with(0).says(&["recovery-sheet.html", "bartizan init"]);
    assert!(!stage.path("paper/spare-witness.age").exists());
}
