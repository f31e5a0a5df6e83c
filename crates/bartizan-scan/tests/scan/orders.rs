//! `order`: a scan as a guard starts it, from what was signed; and evidence that stock `age` opens.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use bartizan_scan::builtin;
use bartizan_scan::model::{Ending, Report, Verdict};
use bartizan_scan::pack::{body_digest, split_pack};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::signatures::signed_pack;
use crate::tree::Tree;

const RESULT_BYTES: usize = 256 * 1024;
/// The dropper's name in the place it had, with harmless text in it.
const DROPPER: &str = "WebPages/ManagedFiles/VSATicketFiles/agent.crt";
const TEXT: &str = "harmless text in the place of the dropper\n";

/// The folder that a guard makes.
struct Order {
    folder: TempDir,
    order: Value,
}

/// What came back.
struct Result {
    code: i32,
    report: Report,
    archive: Vec<u8>,
}

impl Order {
    fn on(tree: &Tree) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let order = json!({
            "packs": [built_in("kaseya-2021"), built_in("rmm-abuse")],
            "content": { "sha256": "0".repeat(64), "size": 0 },
            "look": { "kind": "root", "path": tree.root() },
            "processes": false, "exclude": [], "expect_tools": [], "cpu_percent": 100,
            "time_budget_s": 600, "result_max": RESULT_BYTES,
        });
        Self { folder, order }
    }

    fn with(mut self, field: &str, value: Value) -> Self {
        self.order[field] = value;
        self
    }

    fn start(&self, content: &[u8], keys: &str) -> Output {
        let place = |name: &str| self.folder.path().join(name);
        fs::write(place("order.json"), self.order.to_string()).unwrap();
        fs::write(place("content"), content).unwrap();
        fs::write(place("keys"), keys).unwrap();
        let scanner = Command::new(env!("CARGO_BIN_EXE_bartizan-scan"))
            .arg("order")
            .arg(self.folder.path())
            .env_clear()
            .output();
        scanner.unwrap()
    }

    #[track_caller]
    fn run(&self) -> Result {
        self.run_with(b"", "")
    }

    #[track_caller]
    fn run_with(&self, content: &[u8], keys: &str) -> Result {
        let output = self.start(content, keys);
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        let end = output.stdout.iter().position(|byte| *byte == b'\n');
        let (line, archive) = output.stdout.split_at(end.unwrap_or_else(|| panic!("{errors}")));
        assert!(line.len() < RESULT_BYTES, "{}", line.len());
        let report = serde_json::from_slice(line).unwrap();
        Result { code: output.status.code().unwrap(), report, archive: archive[1..].to_vec() }
    }

    /// It looks at nothing and says why.
    #[track_caller]
    fn fails(&self, content: &[u8], keys: &str, why: &str) {
        let output = self.start(content, keys);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(4), 0), "{errors}");
        assert!(errors.contains(why), "`{why}` in {errors}");
    }
}

fn built_in(name: &str) -> Value {
    let file = builtin::packs().unwrap().iter().position(|pack| pack.name == name).unwrap();
    let parts = split_pack(builtin::files().nth(file).unwrap()).unwrap();
    json!({ "name": name, "body": body_digest(parts.body), "size": 0 })
}

fn infected() -> Tree {
    let tree = Tree::new();
    tree.add(DROPPER, TEXT);
    tree.add("home/note.txt", "an ordinary file\n");
    tree
}

#[test]
fn the_verdict_is_the_exit_status_and_excerpts_stay_on_the_endpoint() {
    let tree = infected();
    let result = Order::on(&tree).run();
    let verdict = result.report.verdict;
    assert_eq!(i32::from(result.report.exit_code()), result.code);
    assert_ne!(verdict, Verdict::NoIndicators, "{:?}", result.report);
    assert!(!result.report.findings.is_empty() && result.archive.is_empty());
    assert!(result.report.findings.iter().all(|finding| finding.evidence.excerpt.is_empty()));
    // The same by hand: same verdict, same findings.
    let by_hand = tree.scan(&[]);
    assert_eq!((by_hand.verdict, by_hand.findings.len()), (verdict, result.report.findings.len()));

    let clean = Tree::new();
    clean.add("home/note.txt", "an ordinary file\n");
    let result = Order::on(&clean).run();
    assert_eq!((result.code, result.report.verdict), (0, Verdict::NoIndicators));
    let names: Vec<_> = result.report.coverage.packs.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(names, ["kaseya-2021", "rmm-abuse", "self-test"]);
}

#[test]
fn only_the_packs_of_the_order_are_used() {
    let tree = infected();
    let order = Order::on(&tree).with("packs", json!([built_in("rmm-abuse")]));
    let report = order.run().report;
    assert!(report.findings.iter().all(|finding| finding.pack != "kaseya-2021"));
}

#[test]
fn a_pack_that_is_another_one_than_was_signed_is_refused() {
    let tree = infected();
    let mut other = built_in("kaseya-2021");
    other["body"] = "1".repeat(64).into();
    let order = Order::on(&tree).with("packs", json!([other]));
    order.fails(b"", "", "another one");
    let mut unknown = built_in("kaseya-2021");
    unknown["name"] = "kaseya-2022".into();
    Order::on(&tree).with("packs", json!([unknown])).fails(b"", "", "no pack");

    let (file, key) = signed_pack("ours", "**/home/note.txt");
    let parts = split_pack(&file).unwrap();
    let ours = json!({ "name": "ours", "body": body_digest(parts.body), "size": file.len() });
    let order = Order::on(&tree).with("packs", json!([ours]));
    let report = order.run_with(&file, &key).report;
    assert!(report.findings.iter().any(|finding| finding.pack == "ours"), "{report:?}");
    // Signed by somebody whom the guard does not name, changed on the way, cut short, lengthened, under another name.
    let (_, other_key) = signed_pack("theirs", "**/x");
    order.fails(&file, &other_key, "none of the keys");
    order.fails(&file, "", "none of the keys");
    for at in [file.len() - 1, file.len() - 20, 20] {
        let mut changed = file.clone();
        changed[at] ^= 1;
        order.fails(&changed, &key, "pack");
    }
    order.fails(&file[..file.len() - 1], &key, "cut short");
    order.fails(&[file.as_slice(), b"x"].concat(), &key, "longer");
    let renamed = json!({ "name": "theirs", "body": body_digest(parts.body), "size": file.len() });
    let order = Order::on(&tree).with("packs", json!([renamed]));
    order.fails(&file, &key, "calls itself");
}

#[test]
fn a_result_is_never_larger_than_the_order_says_and_the_verdict_stays() {
    let tree = infected();
    for number in 0..400 {
        let folder = format!("{}/{number}", "d".repeat(200));
        tree.add(&format!("{folder}/{DROPPER}"), "harmless\n");
    }
    let whole = Order::on(&tree).run().report;
    let order = Order::on(&tree).with("result_max", json!(64 * 1024));
    let output = order.start(b"", "");
    assert!(output.stdout.len() <= 64 * 1024, "{}", output.stdout.len());
    let report: Report = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report.verdict, whole.verdict);
    let all =
        |report: &Report| u64::try_from(report.findings.len()).unwrap() + report.findings_omitted;
    assert_eq!(all(&report), all(&whole));
    assert!(report.findings_omitted > whole.findings_omitted);
    assert_eq!(i32::from(report.exit_code()), output.status.code().unwrap());
}

#[test]
fn a_budget_that_is_used_up_is_incomplete_and_says_so() {
    let tree = infected();
    for number in 0..64 {
        tree.add(&format!("files/{number}"), vec![b'x'; 1_000_000]);
    }
    let order = Order::on(&tree).with("time_budget_s", json!(1)).with("io_mb_per_s", json!(1));
    let report = order.run().report;
    assert_eq!(report.coverage.ending, Ending::OutOfTime);
    assert!(!report.is_complete());
}

#[test]
fn what_cannot_be_scanned_fails_and_is_no_verdict() {
    let tree = infected();
    let gone = json!({ "kind": "root", "path": "/nonexistent/image" });
    Order::on(&tree).with("look", gone).fails(b"", "", "give a folder that exists");
    Order::on(&tree).with("unknown", json!(1)).fails(b"", "", "unknown");
    let order = Order::on(&tree).with("packs", json!([]));
    assert_ne!(order.start(b"x", "").status.code(), Some(0));
}

fn age_key(folder: &Path) -> (PathBuf, String) {
    let file = folder.join("age.key");
    let made = Command::new("age-keygen").arg("-o").arg(&file).output();
    assert!(made.expect("stock age is needed: scripts/setup test").status.success());
    let shown = Command::new("age-keygen").arg("-y").arg(&file).output().unwrap();
    (file, String::from_utf8(shown.stdout).unwrap().trim().to_owned())
}

fn ssh_key(folder: &Path) -> (PathBuf, String) {
    let file = folder.join("id_ed25519");
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(&file)
        .status();
    assert!(made.unwrap().success());
    let text = fs::read_to_string(file.with_extension("pub")).unwrap();
    let words: Vec<&str> = text.split_whitespace().take(2).collect();
    (file, words.join(" "))
}

/// Opens an archive with stock programs; its files by name.
#[track_caller]
fn open(archive: &Path, key: &Path) -> std::collections::BTreeMap<String, Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let plain = folder.path().join("evidence.tar.gz");
    let opened = Command::new("age")
        .arg("-d")
        .arg("-i")
        .arg(key)
        .arg("-o")
        .arg(&plain)
        .arg(archive)
        .output();
    let opened = opened.unwrap();
    assert!(opened.status.success(), "{}", String::from_utf8_lossy(&opened.stderr));
    let unpacked =
        Command::new("tar").arg("-xzf").arg(&plain).arg("-C").arg(folder.path()).output().unwrap();
    assert!(unpacked.status.success(), "{}", String::from_utf8_lossy(&unpacked.stderr));
    let mut all = std::collections::BTreeMap::new();
    for name in ["report.json", "manifest.json"] {
        all.insert(name.to_owned(), fs::read(folder.path().join(name)).unwrap());
    }
    if let Ok(files) = fs::read_dir(folder.path().join("files")) {
        for file in files {
            let file = file.unwrap();
            let name = format!("files/{}", file.file_name().to_str().unwrap());
            all.insert(name, fs::read(file.path()).unwrap());
        }
    }
    all
}

#[test]
fn stock_age_opens_the_evidence_with_either_kind_of_key_and_nobody_else_does() {
    let tree = infected();
    let folder = tempfile::tempdir().unwrap();
    let (age_file, age) = age_key(folder.path());
    let (ssh_file, ssh) = ssh_key(folder.path());
    let evidence = json!({ "recipients": [age, ssh], "bytes_max": 1024 * 1024 });
    let result = Order::on(&tree).with("evidence", evidence).run();
    let facts = result.report.archive.clone().unwrap();
    let size = u64::try_from(result.archive.len()).unwrap();
    assert_eq!((facts.size, facts.files), (size, 1));
    // Nothing of it is readable on the way.
    let holds = |text: &str| result.archive.windows(text.len()).any(|part| part == text.as_bytes());
    assert!(!holds("harmless text") && !holds("agent.crt"));

    let archive = folder.path().join("evidence.age");
    fs::write(&archive, &result.archive).unwrap();
    for key in [&age_file, &ssh_file] {
        fs::set_permissions(key, fs::Permissions::from_mode(0o600)).unwrap();
        let files = open(&archive, key);
        let manifest: Value = serde_json::from_slice(&files["manifest.json"]).unwrap();
        let entry = &manifest["files"][0];
        assert_eq!(files["files/1"], TEXT.as_bytes());
        let place = tree.root().join(DROPPER);
        assert_eq!(entry["place"], place.to_str().unwrap());
        assert_eq!((&entry["changed"], &entry["size"]), (&json!(false), &json!(TEXT.len())));
        assert!(entry["modified"].is_u64() && entry["sha256"].as_str().unwrap().len() == 64);
        let full: Report = serde_json::from_slice(&files["report.json"]).unwrap();
        assert_eq!(full.findings.len(), result.report.findings.len());
    }
    let other = tempfile::tempdir().unwrap();
    let (stranger, _) = age_key(other.path());
    let opened = Command::new("age").arg("-d").arg("-i").arg(stranger).arg(&archive).output();
    assert!(!opened.unwrap().status.success());
    // A changed byte anywhere is noticed.
    for at in [30, result.archive.len() / 2, result.archive.len() - 1] {
        let mut changed = result.archive.clone();
        changed[at] ^= 1;
        fs::write(&archive, &changed).unwrap();
        let opened = Command::new("age").arg("-d").arg("-i").arg(&age_file).arg(&archive).output();
        assert!(!opened.unwrap().status.success(), "byte {at}");
    }
}

#[test]
fn evidence_keeps_to_its_limit_and_names_what_it_left_out() {
    let tree = Tree::new();
    let mut noise = 1_u64;
    for number in 0..12 {
        // Bytes that no compression makes smaller.
        let bytes: Vec<u8> = (0..20_000)
            .map(|_| {
                noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                noise.to_be_bytes()[0]
            })
            .collect();
        tree.add(&format!("kworking/{number}/agent.crt"), bytes);
    }
    tree.add("kworking/large/agent.crt", vec![b'x'; 1024 * 1024 + 1]);
    let folder = tempfile::tempdir().unwrap();
    let (key, recipient) = age_key(folder.path());
    let evidence = json!({ "recipients": [recipient], "bytes_max": 64 * 1024 });
    let (file, pack_key) = signed_pack("ours", "**/agent.crt");
    let parts = split_pack(&file).unwrap();
    let ours = json!({ "name": "ours", "body": body_digest(parts.body), "size": file.len() });
    let order = Order::on(&tree).with("packs", json!([ours])).with("evidence", evidence);
    let result = order.run_with(&file, &pack_key);
    assert!(result.archive.len() <= 64 * 1024, "{}", result.archive.len());
    let facts = result.report.archive.unwrap();
    assert_eq!(facts.files + facts.omitted, 13);
    assert!(facts.files >= 1 && facts.omitted >= 10, "{facts:?}");
    let archive = folder.path().join("evidence.age");
    fs::write(&archive, &result.archive).unwrap();
    let files = open(&archive, &key);
    let manifest: Value = serde_json::from_slice(&files["manifest.json"]).unwrap();
    assert_eq!(manifest["left_out_count"], facts.omitted);
    let reasons = manifest["left_out"].to_string();
    assert!(reasons.contains("larger than 1 MiB") && reasons.contains("the archive is full"));
}

#[test]
fn a_recipient_with_a_slip_of_the_pen_stops_the_scan_before_it_begins() {
    let tree = infected();
    let bad = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8q";
    let evidence = json!({ "recipients": [bad], "bytes_max": 65536 });
    Order::on(&tree).with("evidence", evidence).fails(b"", "", "copy it again");
}
