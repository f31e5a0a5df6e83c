//! What the program promises, whatever it finds.

use std::fs;
use std::io::Write as _;

use bartizan_scan::limits;
use bartizan_scan::model::{Ending, Report, Verdict};
use bartizan_scan::pack::{Pack, encode_body, join_pack};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::tree::{Tree, ids, pe, run, snapshot};

#[test]
fn nothing_is_written_to_what_is_scanned() {
    let tree = Tree::new();
    tree.add("a/b.txt", "text").add("Windows/cert.exe", pe("CertUtil.exe", b"x"));
    let before = snapshot(tree.root());
    assert_eq!(tree.scan(&[]).verdict, Verdict::Compromised);
    assert_eq!(snapshot(tree.root()), before);
    // Nor may anybody ask for it.
    let inside = tree.root().join("report.html");
    let root = tree.root().to_str().unwrap();
    let (_, error, code) = run(&["--root", root, "--report", inside.to_str().unwrap()]);
    assert_eq!(code, 3);
    assert!(error.contains("give another place"), "{error}");
    assert_eq!(snapshot(tree.root()), before);
}

#[test]
fn exit_codes_are_the_verdict() {
    let tree = Tree::new();
    tree.add("a.txt", "nothing");
    assert_eq!(tree.scan_with_code(&[]).1, 0);
    tree.add("Users/Public/x.exe", pe("CertUtil.exe", b""));
    assert_eq!(tree.scan_with_code(&[]).1, 1);
    tree.add("kworking/agent.exe", pe("agent.exe", b""));
    assert_eq!(tree.scan_with_code(&[]).1, 2);
    assert_eq!(run(&["--root", "does-not-exist"]).2, 3);
    assert_eq!(run(&["--no-such-option"]).2, 3);
}

#[test]
fn a_scan_that_ends_early_says_so_and_goes_on_where_it_stopped() {
    let tree = Tree::new();
    for number in 0..40 {
        tree.add(&format!("d{}/f{number:02}.txt", number % 7), vec![b'a'; 200_000]);
    }
    tree.add("z/Windows/cert.exe", pe("CertUtil.exe", b"x"));
    let elsewhere = tempfile::tempdir().unwrap();
    let state = elsewhere.path().join("state");
    let state = state.to_str().unwrap();
    let (first, code) =
        tree.scan_with_code(&["--resume", state, "--time-budget", "1s", "--io-mb-per-s", "2"]);
    assert_eq!(first.coverage.ending, Ending::OutOfTime);
    assert_eq!((first.verdict, code), (Verdict::NoIndicators, 3));
    let (second, code) = tree.scan_with_code(&["--resume", state]);
    assert_eq!((second.coverage.ending, code), (Ending::Complete, 2));
    let whole = tree.scan(&[]);
    assert_eq!(second.findings, whole.findings);
    assert_eq!(second.coverage.files, whole.coverage.files);
    assert!(!std::path::Path::new(state).exists());
}

#[test]
fn a_hostile_image_ends_in_an_orderly_report() {
    let tree = Tree::new();
    let mut bomb = GzEncoder::new(Vec::new(), Compression::fast());
    bomb.write_all(&vec![0; limits::ARCHIVE_MEMBER_BYTES_MAX + 1]).unwrap();
    // What is packed may be many packed pieces, one behind the other.
    let packed = |bytes: &[u8]| {
        let mut piece = GzEncoder::new(Vec::new(), Compression::best());
        piece.write_all(bytes).unwrap();
        piece.finish().unwrap()
    };
    let mut log = packed(
        b"192.0.2.7 - - [02/Jul/2021:16:30:00 +0000] \"GET / HTTP/1.1\" 200 1 \"-\" \"x\"\n",
    );
    let line = [vec![b'A'; 65_535], vec![b'\n']].concat().repeat(16);
    log.extend(packed(&line).repeat(24));
    tree.add("bomb.gz", bomb.finish().unwrap())
        .add("access.log.1.gz", log)
        .add("name\nwith\u{1b}[31m\u{202e}codes.txt", "text")
        .add("truncated.zip", b"PK\x03\x04garbage")
        .add("Windows/System32/config/SOFTWARE", [b"regf".as_slice(), &[0xff; 8000]].concat())
        .add("broken.evtx", b"ElfFile\0garbage")
        .add("broken.exe", [b"MZ".as_slice(), &[0xff; 500]].concat())
        .add("var/www/html/page.php", "<?php system($_GET['x']); ?>");
    fs::File::create(tree.root().join("giant")).unwrap().set_len(3 << 30).unwrap();
    #[cfg(unix)]
    {
        let link =
            |to: &str, name: &str| std::os::unix::fs::symlink(to, tree.root().join(name)).unwrap();
        link("..", "loop");
        link("/etc/passwd", "outside");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            tree.root().join("pipe"),
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR,
            0,
        )
        .unwrap();
    }
    let (report, code) = tree.scan_with_code(&[]);
    assert_eq!(report.verdict, Verdict::Compromised, "{:?}", ids(&report));
    assert_eq!(code, 2);
    assert!(!report.is_complete());
    let understood =
        |text: &str| report.coverage.not_understood.keys().any(|why| why.contains(text));
    assert!(understood("unpacks to more than the limit"), "{:?}", report.coverage.not_understood);
    assert!(understood("registry hive"), "{:?}", report.coverage.not_understood);
    assert!(report.coverage.unreadable.iter().any(|u| u.place.ends_with("broken.evtx")));
    assert!(
        report.coverage.unreadable.iter().any(|u| u.place.ends_with("access.log.1.gz")
            && u.why.contains("unpacks to more than a log does")),
        "{:?}",
        report.coverage.unreadable
    );
    assert_eq!(report.coverage.files.partly, 1);
    if cfg!(unix) {
        assert_eq!(report.coverage.files.special, 3);
    }
    let root = tree.root().to_str().unwrap();
    let (text, _, _) = run(&["--root", root]);
    assert!(text.chars().all(|char| char == '\n' || !char.is_control()), "{text}");
    let last = text.lines().last().unwrap();
    assert!(last.starts_with("verdict: compromised (coverage incomplete"), "{last}");
}

#[test]
fn the_scanner_does_not_find_itself() {
    let tree = Tree::new();
    tree.add("usb/bartizan-scan.exe", fs::read(env!("CARGO_BIN_EXE_bartizan-scan")).unwrap());
    for name in ["kaseya-2021", "rmm-abuse", "self-test"] {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("packs");
        tree.add(
            &format!("usb/{name}.pack"),
            fs::read(folder.join(format!("{name}.pack"))).unwrap(),
        );
    }
    let report = tree.scan(&[]);
    assert_eq!(ids(&report), Vec::<String>::new());
}

#[test]
fn reports_are_written_in_every_form() {
    let tree = Tree::new();
    tree.add("Windows/cert.exe", pe("CertUtil.exe", b"x"))
        .add("<img src=x>/kworking/agent.exe", pe("a", b""));
    let elsewhere = tempfile::tempdir().unwrap();
    let names = ["r.json", "r.jsonl", "r.html", "r.csv", "r.stix.json", "r.sarif", "r.txt"];
    let files: Vec<String> =
        names.iter().map(|name| elsewhere.path().join(name).to_str().unwrap().to_owned()).collect();
    let options: Vec<&str> = files.iter().flat_map(|file| ["--report", file]).collect();
    let report = tree.scan(&options);
    let read = |index: usize| fs::read_to_string(&files[index]).unwrap();
    let again: Report = serde_json::from_str(&read(0)).unwrap();
    assert_eq!(again.findings, report.findings);
    assert_eq!(read(1).lines().count(), report.findings.len() + 1);
    assert!(!read(2).contains("<img src=x>") && read(2).contains("&lt;img src=x&gt;"));
    assert_eq!(read(3).lines().count(), report.findings.len() + 1);
    let stix: serde_json::Value = serde_json::from_str(&read(4)).unwrap();
    let objects = stix["objects"].as_array().unwrap();
    let sightings = objects.iter().filter(|object| object["type"] == "sighting").count();
    assert_eq!(sightings, report.findings.len());
    let sarif: serde_json::Value = serde_json::from_str(&read(5)).unwrap();
    assert_eq!(sarif["runs"][0]["results"].as_array().unwrap().len(), report.findings.len());
    assert!(read(6).lines().last().unwrap().starts_with("verdict: compromised"));
}

#[test]
fn an_unsigned_or_foreign_pack_is_not_used_unless_somebody_insists() {
    let tree = Tree::new();
    tree.add("a.txt", "nothing");
    let elsewhere = tempfile::tempdir().unwrap();
    let source = r#"{"v":1,"name":"ours","version":"1","made":1800000000,"title":"t","files":[{"rule":{"id":"a",
        "reason":"r","level":"suspicious","confidence":"high","source":"s","advice":"d"},"path":["a.txt"]}]}"#;
    let pack = Pack::parse(source.as_bytes()).unwrap();
    let file = elsewhere.path().join("ours.pack");
    let body = encode_body(&pack).unwrap();
    fs::write(&file, join_pack(b"", &body)).unwrap();
    let name = file.to_str().unwrap();
    let root = tree.root().to_str().unwrap();
    let (_, error, code) = run(&["--root", root, "--pack", name]);
    assert_eq!(code, 3);
    assert!(error.contains("nobody signed it") && error.contains("--danger-unsigned"), "{error}");
    let report = tree.scan(&["--pack", name, "--danger-unsigned"]);
    assert_eq!(ids(&report), ["a"]);
    assert!(report.coverage.packs.iter().any(|pack| pack.trust == "unsigned"));
    // Damage is found before anything else.
    let mut bytes = fs::read(&file).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&file, bytes).unwrap();
    let (_, error, code) = run(&["--root", root, "--pack", name, "--danger-unsigned"]);
    assert_eq!(code, 3);
    assert!(error.contains("digest"), "{error}");
}

#[test]
fn an_expected_tool_is_a_note_and_an_unexpected_one_is_not() {
    let tree = Tree::new();
    tree.add("Users/bob/Downloads/AnyDesk.exe", pe("anydesk.exe", b""));
    assert_eq!(ids(&tree.scan(&[])), ["tool.anydesk.portable"]);
    let report = tree.scan(&["--expect-tool", "anydesk"]);
    assert_eq!(report.verdict, Verdict::NoIndicators);
    assert_eq!(report.findings.len(), 1);
}

#[test]
fn a_canary_that_was_touched_is_found() {
    let tree = Tree::new();
    tree.add("docs/canary.docx", "canary");
    let digest = "25f2984eab1325c2d26d99dae5b5df8e2bae4b29b9e89c2b6d7a7c4c5bdcf4d5";
    let elsewhere = tempfile::tempdir().unwrap();
    let list = elsewhere.path().join("canaries");
    let real =
        bartizan_scan::digest::Digests::of(b"canary", bartizan_scan::digest::Wanted::default());
    let check = |digest: &str, path: &str| {
        fs::write(&list, format!("{digest}  {path}\n")).unwrap();
        ids(&tree.scan(&["--canaries", list.to_str().unwrap()]))
    };
    assert_eq!(check(&real.sha256_hex(), "/docs/canary.docx"), Vec::<String>::new());
    assert_eq!(check(digest, "/docs/canary.docx"), ["canary.touched"]);
    assert_eq!(check(&real.sha256_hex(), "/docs/gone.docx"), ["canary.touched"]);
}
