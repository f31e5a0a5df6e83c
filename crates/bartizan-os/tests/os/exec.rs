//! Exactly what was signed runs, with exactly the arguments and the environment that were signed.

use std::collections::BTreeMap;
use std::fs;

use bartizan_os::account;
use bartizan_os::exec::Ending;
use bartizan_trust::id::Sha256;
use bartizan_trust::statement::{EnvVar, Interpreter};

use crate::runs::{Place, prove};

fn env(pairs: &[(&str, &str)]) -> Vec<EnvVar> {
    let pair = |(name, value): &(&str, &str)| EnvVar {
        name: (*name).to_owned(),
        value: (*value).to_owned(),
    };
    pairs.iter().map(pair).collect()
}

#[test]
fn each_interpreter_reads_its_own_language() {
    let place = Place::new();
    for (interpreter, text, expected) in [
        (Interpreter::Bash, "a=(x y); [[ ${#a[@]} == 2 ]] && echo \"bash ${a[1]}\"", "bash y\n"),
        (Interpreter::Sh, "set -- one two; echo \"sh $# $2\"", "sh 2 two\n"),
        (Interpreter::Python3, "print('python', sum([1, 2]))", "python 3\n"),
    ] {
        let ran = place.run(text, |script| script.interpreter = interpreter).exited(0);
        assert_eq!(ran.text(), expected);
    }
}

/// Texts that some layer would like to split, expand or drop.
const AWKWARD: [&str; 10] = [
    "",
    " ",
    "two words",
    "line\nbreak\r\n",
    "it's \"quoted\" `and` $HOME $(id) \\",
    "--help",
    "*",
    "ü € 漢字 \u{1f3f0}",
    "\u{1b}[31m\u{202e}",
    "; echo injected #",
];

#[test]
fn arguments_arrive_as_they_were_signed() {
    let show = "import sys, json; print(json.dumps(sys.argv[1:]))";
    let ran = Place::new().run(show, |script| {
        script.interpreter = Interpreter::Python3;
        script.args = AWKWARD.map(str::to_owned).to_vec();
    });
    assert_eq!(serde_json::from_str::<Vec<String>>(ran.exited(0).text()).unwrap(), AWKWARD);
    for interpreter in [Interpreter::Bash, Interpreter::Sh] {
        let ran = Place::new().run("printf '%s\\0' \"$@\"", |script| {
            script.interpreter = interpreter;
            script.args = AWKWARD.map(str::to_owned).to_vec();
        });
        let expected: String = AWKWARD.iter().flat_map(|text| [*text, "\0"]).collect();
        assert_eq!(ran.exited(0).text(), expected, "{interpreter:?}");
    }
}

#[test]
fn the_environment_is_what_was_signed_and_three_fixed_variables() {
    assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some(), "the test has variables to leak");
    let awkward: Vec<String> = (0..AWKWARD.len()).map(|n| format!("V{n}")).collect();
    let pairs: Vec<(&str, &str)> = awkward.iter().map(String::as_str).zip(AWKWARD).collect();
    let show = "import os, json; print(json.dumps(dict(os.environ)))";
    let ran = Place::new().run(show, |script| {
        script.interpreter = Interpreter::Python3;
        script.env = env(&pairs);
    });
    let mut found: BTreeMap<String, String> = serde_json::from_str(ran.exited(0).text()).unwrap();
    for (name, value) in pairs {
        assert_eq!(found.remove(name).as_deref(), Some(value), "{name}");
    }
    let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    assert_eq!(found.remove("PATH").as_deref(), Some(path));
    assert_eq!(found.remove("LANG").as_deref(), Some("C.UTF-8"));
    assert!(found.remove("HOME").is_some());
    assert_eq!(found, BTreeMap::new(), "nothing else");
}

#[test]
fn a_nul_in_an_argument_or_a_variable_is_refused_before_anything_runs() {
    for refused in [
        prove(b"true", |script| script.args = vec!["a\0b".to_owned()]),
        prove(b"true", |script| script.env = env(&[("A", "a\0b")])),
        prove(b"true", |script| script.env = env(&[("A=B", "c")])),
    ] {
        assert_eq!(refused.unwrap_err().code(), "input.malformed");
    }
    assert!(prove(b"true", |script| script.args = vec!["a b".to_owned()]).is_ok());
}

#[test]
fn the_exit_status_is_the_scripts() {
    let place = Place::new();
    for code in [0, 1, 2, 127, 255] {
        place.run(&format!("exit {code}"), |_| {}).exited(code);
    }
    let python = |script: &mut bartizan_trust::statement::Script| {
        script.interpreter = Interpreter::Python3;
    };
    place.run("import sys; sys.exit(7)", python).exited(7);
    place.run("raise ValueError('no')", python).exited(1);
}

#[test]
fn death_by_a_signal_counts_as_in_a_shell() {
    for (signal, number) in [("KILL", 9), ("TERM", 15), ("SEGV", 11)] {
        Place::new().run(&format!("kill -{signal} $$\nsleep 60"), |_| {}).exited(128 + number);
    }
}

#[test]
fn a_script_cannot_read_what_nobody_gave_it() {
    Place::new().run("cat; read line && exit 9; exit 0", |_| {}).exited(0);
    let read = "import sys; sys.exit(len(sys.stdin.read()))";
    Place::new().run(read, |script| script.interpreter = Interpreter::Python3).exited(0);
}

#[test]
fn output_that_is_no_text_arrives_byte_by_byte() {
    let ran =
        Place::new().run("printf '\\377\\376\\000\\200'; printf '\\303' >&2", |_| {}).exited(0);
    assert_eq!(
        (ran.stdout.as_slice(), ran.stderr.as_slice()),
        (&[255, 254, 0, 128][..], &[195][..])
    );
    assert_eq!(ran.report.output.size, 5);
}

#[test]
fn output_arrives_while_the_script_runs() {
    let place = Place::new();
    let gate = place.path("gate");
    let made = std::process::Command::new("mkfifo").arg(&gate).status().expect("mkfifo is missing");
    assert!(made.success());
    // The script cannot go on before its first line was seen.
    let text = format!("echo first\ncat '{}'\necho last", gate.display());
    let mut offsets = Vec::new();
    let seen = |chunk: &bartizan_os::exec::Chunk<'_>| {
        offsets.push(chunk.offset);
        if chunk.bytes == b"first\n" {
            fs::write(&gate, "opened\n").unwrap();
        }
    };
    let ran = place.run_while(&text, |_| {}, || false, seen).exited(0);
    assert_eq!(ran.text(), "first\nopened\nlast\n");
    assert_eq!(offsets[0], 0);
    assert!(offsets.is_sorted() && offsets.len() > 1, "{offsets:?}");
}

#[test]
fn a_flood_of_output_is_counted_and_not_kept() {
    const FLOOD: usize = 64 * 1024 * 1024;
    let before = memory_peak_kib();
    let ran = Place::new()
        .run(&format!("head -c {FLOOD} /dev/zero"), |script| script.output_max = 1000)
        .exited(0);
    assert_eq!(ran.stdout, vec![0; 1000]);
    assert_eq!(ran.report.output.size, u64::try_from(FLOOD).unwrap());
    assert!(memory_peak_kib() - before < 16 * 1024, "memory does not grow with the output");
    assert_eq!(ran.report.output.sha256, Sha256::of(&vec![0; FLOOD]));
}

#[test]
fn the_cap_holds_one_below_at_and_one_above() {
    for (size, kept) in [(999, 999), (1000, 1000), (1001, 1000)] {
        let text = format!("head -c {size} /dev/zero");
        let ran = Place::new().run(&text, |script| script.output_max = 1000).exited(0);
        assert_eq!((ran.stdout.len(), ran.report.output.size), (kept, size));
    }
}

fn memory_peak_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn what_was_hashed_cannot_be_swapped_while_it_runs() {
    // An interpreter reads line by line: lines changed in time would run.
    let text = "{ echo 'echo swapped' >> \"$0\"; } 2> /dev/null && echo written\n\
        { true > \"$0\"; } 2> /dev/null && echo emptied\n\
        find .. -type f\n\
        echo signed\n";
    for interpreter in [Interpreter::Sh, Interpreter::Bash] {
        let ran = Place::new().run(text, |script| script.interpreter = interpreter);
        assert_eq!(ran.exited(0).text(), "signed\n", "{interpreter:?}");
    }
}

#[test]
fn a_job_cannot_see_the_script_of_another() {
    let list = "import os\nfor fd in sorted(os.listdir('/proc/self/fd')):\n    \
        try: print(os.readlink('/proc/self/fd/' + fd))\n    except OSError: pass";
    let place = Place::new();
    let ran = place.run_while(
        "echo go\nexec cat > /dev/null",
        |_| {},
        || false,
        |_| {
            let ran = Place::new().run(list, |script| script.interpreter = Interpreter::Python3);
            let scripts = ran.text().lines().filter(|line| line.contains("memfd")).count();
            assert_eq!(scripts, 1, "its own only: {}", ran.text());
        },
    );
    ran.exited(0);
}

#[test]
fn a_leftover_of_an_earlier_run_is_not_reused() {
    let place = Place::new();
    let proof = prove(b"ls; echo now", |_| {}).unwrap();
    let work = place.jobs().join(proof.job().to_string()).join("work");
    fs::create_dir_all(&work).unwrap();
    fs::write(work.join("leftover"), "x").unwrap();
    assert_eq!(place.run("ls; echo now", |_| {}).exited(0).text(), "now\n");
}

#[test]
fn another_account_runs_with_its_rights_only() {
    let other = if account::is_root() { "nobody" } else { "root" };
    let ran = Place::new().run("id -u; id -g; id -G; touch mine && ls", |script| {
        script.run_as = Some(other.to_owned());
    });
    if !account::is_root() {
        assert_eq!(ran.report.ending, Ending::NotStarted("exec.not_permitted"));
        return;
    }
    let nobody = account::by_name("nobody").expect("the account nobody is missing");
    let (uid, gid) = (nobody.uid, nobody.gid);
    let ran = ran.exited(0);
    let lines: Vec<&str> = ran.text().lines().collect();
    assert_eq!(lines[..3], [uid.to_string(), gid.to_string(), gid.to_string()]);
    assert_eq!(lines[3], "mine");
}

#[test]
fn an_account_that_is_not_there_is_named() {
    let ran = Place::new().run("true", |script| script.run_as = Some("no-such-user".to_owned()));
    assert_eq!(ran.report.ending, Ending::NotStarted("exec.account_unknown"));
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let place = Place::new();
    fs::write(place.jobs(), "a file in the way").unwrap();
    let proof = prove(b"true", |_| {}).unwrap();
    let report = bartizan_os::exec::run(proof, &place.jobs(), None, || false, |_| {});
    assert_eq!(report.ending, Ending::NotStarted("exec.folder"));
}
