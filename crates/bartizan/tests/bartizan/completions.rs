//! Shell completions, and the help that names the exit codes.

use std::process::Command;

use crate::stage::{Stage, run};

/// Sources the script as a shell does and asks what `bartizan app<TAB>` would offer.
const COMPLETE: &str = r#"
source "$1"
COMP_WORDS=(bartizan "$2"); COMP_CWORD=1; COMPREPLY=()
_bartizan bartizan "$2" bartizan
printf '%s\n' "${COMPREPLY[@]}"
"#;

#[test]
fn every_shell_gets_completions_and_bash_completes_a_subcommand() {
    let stage = Stage::new();
    for shell in ["bash", "zsh", "fish", "elvish"] {
        let made = stage.tool("alice", &["completions", shell]).ends_with(0);
        for word in ["approve", "countersign", "no-wait"] {
            assert!(made.out.contains(word), "{shell} knows no `{word}`");
        }
        stage.write(shell, &made.out);
    }
    let script = stage.text("bash");
    run(Command::new("bash").args(["-n", &script])).ends_with(0);
    let complete = |word: &str| {
        run(Command::new("bash").args(["-c", COMPLETE, "bash", &script, word])).ends_with(0).out
    };
    assert_eq!(complete("app"), "approve\n");
    assert_eq!(complete("endpoint"), "endpoints\nendpoint\n");
    assert_eq!(complete("zzz"), "\n");
}

#[test]
fn an_unknown_shell_is_wrong_arguments() {
    let stage = Stage::new();
    stage.tool("alice", &["completions", "tcsh"]).ends_with(2).says(&["bash", "zsh", "fish"]);
}

#[test]
fn the_exit_codes_are_listed_and_so_is_the_help_of_each_command() {
    let stage = Stage::new();
    let help = stage.tool("alice", &["help", "exit-codes"]).ends_with(0);
    let (list, rest) = help.out.split_once("\n\n").expect("a list, then the exception");
    let codes: Vec<&str> = list.lines().filter_map(|line| line.split("  ").next()).collect();
    assert_eq!(codes, ["0", "1", "2", "3", "4", "5"]);
    assert!(rest.starts_with("`scan report`"), "{rest}");
    stage.tool("alice", &["help", "approve"]).ends_with(0).says(&["countersign", "--no-wait"]);
    stage.tool("alice", &["help"]).ends_with(0).says(&["enroll", "witness", "--json"]);
    stage.json("alice", &["help", "nonsense"]).error(2);
}

#[test]
fn wrong_arguments_end_with_2_in_text_and_in_json() {
    let stage = Stage::new();
    let cases: [&[&str]; 6] = [
        &["nonsense"],
        &["run", "script.sh"],
        &["join", "--anchor", "bz1-nope", "--server", "127.0.0.1:1"],
        &["watch", "st_x", "--timeout", "soon"],
        &["init", "--countersign", "a", "--publish", "b"],
        &["init"],
    ];
    for arguments in cases {
        let text = stage.tool("alice", arguments).ends_with(2);
        assert!(text.err.starts_with("error: ") && text.out.is_empty(), "{text:?}");
        assert_eq!(stage.json("alice", arguments).error(2)["code"], "usage");
    }
}
