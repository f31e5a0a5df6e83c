//! Go's `golang.org/x/mod`: the implementation behind the checksum database of Go modules.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use bartizan_testkit::world::{Log, Witness};
use bartizan_trust::id::Sha256;
use bartizan_trust::merkle::Tree;
use bartizan_trust::tiles::tile_path;
use bartizan_trust::time::UnixSeconds;
use data_encoding::BASE64;
use serde_json::{Value, json};

use super::{entry, tree};

const SIZE: u64 = 70;

/// One run of `tests/peers/go`, without modules or network.
fn ask(request: &Value) -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/peers/go");
    let cache = tempfile::tempdir().unwrap();
    let mut child = Command::new("go")
        .args(["run", "main.go"])
        .current_dir(folder)
        .env("GO111MODULE", "off")
        .env("GOPATH", "/usr/share/gocode")
        .env("GOFLAGS", "")
        .env("GOTOOLCHAIN", "local")
        .env("GOCACHE", cache.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the packages golang-go and golang-golang-x-mod-dev are needed for this test");
    child.stdin.take().unwrap().write_all(request.to_string().as_bytes()).unwrap();
    let out = child.wait_with_output().unwrap();
    assert!(
        out.status.success(),
        "go (packages golang-go, golang-golang-x-mod-dev): {}",
        String::from_utf8_lossy(&out.stderr)
    );
    serde_json::from_slice(&out.stdout).unwrap()
}

fn base64(hash: &Sha256) -> String {
    BASE64.encode(hash.as_bytes())
}

fn all(path: &[Sha256]) -> Vec<String> {
    path.iter().map(base64).collect()
}

/// A list in Go's JSON: an empty one is `null`.
fn made(value: &Value) -> Vec<String> {
    let list = value.as_array().cloned().unwrap_or_default();
    list.iter().map(|hash| hash.as_str().unwrap().to_owned()).collect()
}

struct Case {
    request: Value,
    good: bool,
    path: Vec<String>,
    root: String,
}

fn records(tree: &Tree) -> Vec<Case> {
    let mut cases = Vec::new();
    for (size, index) in [(1, 0), (2, 1), (7, 3), (8, 7), (33, 32), (64, 0), (SIZE, 69), (SIZE, 5)]
    {
        let path = tree.inclusion_path(index, size).unwrap();
        let root = tree.root_at(size).unwrap();
        let case = |path: &[Sha256], root: &Sha256, entry: Vec<u8>, good| Case {
            request: json!({
                "Size": size, "Index": index, "Path": all(path), "Root": base64(root), "Entry": BASE64.encode(&entry),
            }),
            good,
            path: all(&tree.inclusion_path(index, size).unwrap()),
            root: base64(&tree.root_at(size).unwrap()),
        };
        cases.push(case(&path, &root, entry(index), true));
        cases.push(case(&path, &Sha256::of(b"other"), entry(index), false));
        cases.push(case(&path, &root, b"another".to_vec(), false));
        let longer: Vec<Sha256> = path.iter().copied().chain([root]).collect();
        cases.push(case(&longer, &root, entry(index), false));
    }
    cases
}

fn trees(tree: &Tree) -> Vec<Case> {
    let mut cases = Vec::new();
    for (old, new) in [(1, 2), (3, 7), (4, 8), (6, 6), (32, 33), (33, 64), (64, SIZE), (69, SIZE)] {
        let path = tree.consistency_path(old, new).unwrap();
        let (old_root, new_root) = (tree.root_at(old).unwrap(), tree.root_at(new).unwrap());
        let case = |path: &[Sha256], old_root: &Sha256, good| Case {
            request: json!({
                "Old": old, "New": new, "Path": all(path), "OldRoot": base64(old_root), "NewRoot": base64(&new_root),
            }),
            good,
            path: all(&tree.consistency_path(old, new).unwrap()),
            root: base64(&tree.root_at(old).unwrap()),
        };
        cases.push(case(&path, &old_root, true));
        cases.push(case(&path, &Sha256::of(b"another history"), false));
        let longer: Vec<Sha256> = path.iter().copied().chain([old_root]).collect();
        cases.push(case(&longer, &old_root, false));
    }
    cases
}

fn requests(cases: &[Case]) -> Vec<&Value> {
    cases.iter().map(|case| &case.request).collect()
}

#[test]
fn go_makes_the_same_trees_and_proofs_and_judges_ours_the_same() {
    let tree = tree(SIZE);
    let (records, trees) = (records(&tree), trees(&tree));
    let entries: Vec<String> = (0..SIZE).map(|n| BASE64.encode(&entry(n))).collect();
    let tiles =
        [(0, 0, 256), (0, 999, 256), (1, 1000, 7), (2, 1_234_067, 1), (5, 12_345_678_901, 255)];
    let asked: Vec<Value> = tiles
        .iter()
        .map(|(level, index, width)| json!({ "Level": level, "Index": index, "Width": width }))
        .collect();
    let answer = ask(&json!({
        "Entries": entries, "Records": requests(&records), "Trees": requests(&trees), "Tiles": asked,
    }));
    for (kind, cases) in [("Records", &records), ("Trees", &trees)] {
        let judged = answer[kind].as_array().unwrap();
        assert_eq!(judged.len(), cases.len());
        for (found, case) in judged.iter().zip(cases) {
            assert_eq!(found["Good"], case.good, "{kind} {}", case.request);
            assert_eq!(made(&found["Made"]), case.path, "{kind} {}", case.request);
            assert_eq!(found["Root"], case.root.as_str(), "{kind} {}", case.request);
        }
    }
    for (found, (level, index, width)) in answer["Tiles"].as_array().unwrap().iter().zip(tiles) {
        let theirs = found.as_str().unwrap().replacen("tile/8/", "tile/", 1);
        assert_eq!(theirs, tile_path(level, index, width));
    }
}

#[test]
fn go_opens_our_checkpoints_and_refuses_what_we_refuse() {
    let mut log = Log::named("go").unwrap();
    for n in 0..5 {
        log.append(entry(n));
    }
    let witness = Witness::named("one").unwrap();
    let note = log.note(5, &[&witness], UnixSeconds::new(1_800_000_000)).unwrap();
    let text = String::from_utf8(note).unwrap();
    let stranger = Log::named("stranger").unwrap();
    let cases = [
        (&log.vkey, text.clone(), "good: "),
        (&log.vkey, text.replace("\n5\n", "\n6\n"), "refused: "),
        (&log.vkey, text.replace("\n\n", "\n"), "refused: "),
        (&log.vkey, text.trim_end().to_owned(), "refused: "),
        (&stranger.vkey, text.clone(), "refused: "),
    ];
    let notes: Vec<Value> = cases
        .iter()
        .map(|(key, text, _)| json!({ "Key": key.to_string(), "Note": BASE64.encode(text.as_bytes()) }))
        .collect();
    let answer = ask(&json!({ "Notes": notes }));
    for (found, (key, text, expected)) in answer["Notes"].as_array().unwrap().iter().zip(cases) {
        let found = found.as_str().unwrap();
        assert!(found.starts_with(expected), "{found}: {text:?}");
        let ours = bartizan_trust::checkpoint::open(text.as_bytes(), key);
        assert_eq!(ours.is_ok(), expected == "good: ", "{text:?}");
    }
}
