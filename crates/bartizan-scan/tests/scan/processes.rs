//! Memory of processes that run: the program itself, on processes that this test starts.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};

use bartizan_scan::model::{Area, Report, Verdict};
use bartizan_scan::pack::{Pack, encode_body, join_pack};

use crate::tree::{ids, run};

/// Harmless, and in no file: the process is told it through a pipe.
const MARKER: &str = "bartizan harmless marker in memory 51c8";

/// A shell that keeps a line in its memory until its input ends.
struct Holder {
    child: Child,
}

impl Holder {
    fn of(line: &str) -> Self {
        let script = "read -r kept; echo ready; read -r end";
        let mut child = Command::new("sh")
            .args(["-c", script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        writeln!(child.stdin.as_mut().unwrap(), "{line}").unwrap();
        let mut ready = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut ready).unwrap();
        assert_eq!(ready, "ready\n");
        Self { child }
    }

    fn pid(&self) -> String {
        self.child.id().to_string()
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// The rule is the only place on this machine, besides the process, where the marker stands: encoded.
fn pack(folder: &std::path::Path) -> String {
    let rule = serde_json::json!({
        "id": "memory", "reason": "a marker", "level": "suspicious", "confidence": "high",
        "source": "test", "advice": "none",
    });
    let source = format!("rule Marker {{ strings: $m = \"{MARKER}\" condition: $m }}");
    let pack = serde_json::json!({
        "v": 1, "name": "marker", "version": "1", "made": 1_800_000_000, "title": "t",
        "yara": [{ "rule": rule, "source": source, "rules": 1 }],
    });
    let pack = Pack::parse(pack.to_string().as_bytes()).unwrap();
    let file = folder.join("marker.pack");
    std::fs::write(&file, join_pack(b"", &encode_body(&pack).unwrap())).unwrap();
    file.to_str().unwrap().to_owned()
}

fn look(pids: &[&str]) -> (Report, i32) {
    let folder = tempfile::tempdir().unwrap();
    let pack = pack(folder.path());
    let mut arguments = vec!["--json", "--pack", &pack, "--danger-unsigned"];
    for pid in pids {
        arguments.extend(["--process", pid]);
    }
    let (out, error, code) = run(&arguments);
    (serde_json::from_str(&out).unwrap_or_else(|why| panic!("{why}: {out} {error}")), code)
}

#[test]
fn a_marker_in_the_memory_of_a_process_is_found_by_its_number() {
    let (marked, other) = (Holder::of(MARKER), Holder::of("an ordinary line"));
    let (report, code) = look(&[&marked.pid()]);
    assert_eq!((ids(&report), code), (vec!["memory.Marker".to_owned()], 1));
    let place = &report.findings[0].evidence.place;
    assert!(place.starts_with(&format!("process {} (", marked.pid())), "{place}");
    assert!(report.scope.starts_with(&format!("processes {} of this machine", marked.pid())));
    // No file was looked at, and the coverage says what was.
    assert_eq!(report.coverage.files.found, 0);
    assert_eq!(report.coverage.areas[&Area::Processes].read, 1);
    let (report, code) = look(&[&other.pid()]);
    assert_eq!((report.verdict, code), (Verdict::NoIndicators, 0));
    let (report, _) = look(&[&other.pid(), &marked.pid()]);
    assert_eq!(report.coverage.areas[&Area::Processes].read, 2);
    assert_eq!(ids(&report), ["memory.Marker"]);
}

#[test]
fn a_process_that_is_not_there_is_no_good_news() {
    // Above what Linux gives to any process.
    let (report, code) = look(&["4194305"]);
    assert_eq!((report.verdict, code), (Verdict::NoIndicators, 3));
    assert_eq!(report.coverage.unreadable[0].place, "process 4194305");
    for other in [["--root", "/"], ["--logs", "/"], ["--resume", "/tmp/x"]] {
        let (_, error, code) = run(&[&["--process", "1"], &other[..]].concat());
        assert!(code == 3 && error.contains("cannot be used with"), "{error}");
    }
}
