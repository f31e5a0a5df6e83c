//! The door for scans: which program runs, what it is given, and what it is kept from. Scripts stand in for the scanner.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use bartizan_os::exec::{Ending, Report, Scanner, scan};
use bartizan_testkit::world::{World, signed};
use bartizan_trust::authorize::{Authorized, Verdict, authorize};
use bartizan_trust::id::Sha256;
use bartizan_trust::limits::SCAN_RESULT_BYTES_MIN;
use bartizan_trust::statement::{Action, Content, Look, Scan, ScanPack, SignatureRole};

const RULES: &[u8] = b"rules that came with the job";

fn order() -> Scan {
    let size = u32::try_from(RULES.len()).unwrap();
    Scan {
        packs: vec![ScanPack { name: "ours".to_owned(), body: Sha256::of(b"body"), size }],
        content: Content { sha256: Sha256::of(RULES), size },
        look: Look::Machine {},
        processes: false,
        exclude: Vec::new(),
        expect_tools: Vec::new(),
        cpu_percent: 50,
        io_mb_per_s: None,
        time_budget_s: 60,
        result_max: SCAN_RESULT_BYTES_MIN,
        evidence: None,
    }
}

fn prove() -> Box<Authorized<Scan>> {
    let mut world = World::new().unwrap();
    let state = world.endpoint(0).unwrap();
    let mut job = world.job().unwrap();
    job.action = Action::Scan(Box::new(order()));
    let signers = [("alice", SignatureRole::Author), ("bob", SignatureRole::Approve)];
    let mut delivery = world.deliver(&signed(&job, &signers).unwrap(), &state).unwrap();
    delivery.content = Some(RULES.to_vec());
    match authorize(&state, &world.facts(), &delivery.as_ref()).verdict {
        Verdict::Scan(proof) => proof,
        other => panic!("{other:?}"),
    }
}

fn program(folder: &Path, text: &str) -> PathBuf {
    let path = folder.join("bartizan-scan");
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

fn run(folder: &Path, program: &Path) -> (Report, Vec<u8>) {
    let keys = vec!["ssh-ed25519 AAAA".to_owned(), "ssh-ed25519 BBBB".to_owned()];
    let scanner = Scanner { program: program.to_owned(), pack_keys: keys };
    let mut output = Vec::new();
    let jobs = folder.join("jobs");
    let sink = |chunk: bartizan_os::exec::Chunk<'_>| output.extend_from_slice(chunk.bytes);
    let report = scan(prove(), &scanner, &jobs, None, || false, sink);
    assert_eq!(fs::read_dir(&jobs).map_or(0, Iterator::count), 0, "nothing of the job stays");
    (report, output)
}

#[test]
fn the_scanner_gets_what_was_signed_and_nothing_of_the_guards() {
    let folder = tempfile::tempdir().unwrap();
    let text = "#!/bin/sh\necho \"$#\" \"$1\" \"$2\"\ncat ../order.json; echo\ncat ../content; echo\ncat ../keys; echo\nls ..\nenv | sort\nstat -c %a ..\nexit 2\n";
    let program = program(folder.path(), text);
    let (report, output) = run(folder.path(), &program);
    let output = String::from_utf8(output).unwrap();
    assert_eq!(report.ending, Ending::Exited(2), "{output}");
    assert_eq!(report.program, Some(Sha256::of(text.as_bytes())));
    assert_eq!(report.output.sha256, Sha256::of(output.as_bytes()));
    let lines: Vec<&str> = output.lines().collect();
    assert_eq!(lines[0], "2 order ..");
    assert_eq!(serde_json::from_str::<Scan>(lines[1]).unwrap(), order());
    assert_eq!(lines[2].as_bytes(), RULES);
    assert_eq!(
        &lines[3..9],
        &["ssh-ed25519 AAAA", "ssh-ed25519 BBBB", "content", "keys", "order.json", "work"]
    );
    let rest = lines[9..].join("\n");
    assert!(rest.contains("LANG=C.UTF-8") && rest.ends_with("700"), "{rest}");
    assert!(!rest.contains("CARGO") && !rest.contains("HOME="), "{rest}");
}

#[test]
fn output_beyond_what_was_signed_is_counted_and_not_handed_on() {
    let folder = tempfile::tempdir().unwrap();
    let program = program(folder.path(), "#!/bin/sh\nhead -c 200000 /dev/zero\n");
    let (report, output) = run(folder.path(), &program);
    assert_eq!(u32::try_from(output.len()).unwrap(), SCAN_RESULT_BYTES_MIN);
    assert_eq!(report.output.size, 200_000);
}

#[test]
fn a_program_that_others_can_change_is_not_started() {
    let folder = tempfile::tempdir().unwrap();
    let mark = folder.path().join("ran");
    let path = program(folder.path(), &format!("#!/bin/sh\ntouch {}\n", mark.display()));
    let refused = |path: &Path| {
        let (report, _) = run(folder.path(), path);
        assert_eq!((report.ending, report.program), (Ending::NotStarted("scan.program"), None));
        assert!(!mark.exists());
    };
    for mode in [0o775, 0o757, 0o777] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        refused(&path);
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    symlink(&path, folder.path().join("link")).unwrap();
    refused(&folder.path().join("link"));
    refused(&folder.path().join("absent"));
    refused(folder.path());
    let (report, _) = run(folder.path(), &path);
    assert_eq!(report.ending, Ending::Exited(0));
    assert!(mark.exists());
}
