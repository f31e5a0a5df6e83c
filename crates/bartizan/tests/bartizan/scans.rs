//! A scan of a fleet with real processes: three endpoints, one of which looks like 2021. Nothing here is or does harm.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use bartizan_trust::id::Sha256;
use data_encoding::HEXLOWER;
use serde_json::{Value, json};

use crate::stage::{Answer, Stage, program, run};

/// Each endpoint's scanner works three folders below the endpoint's own: one path, and everybody sees another tree.
const TREE: &str = "/proc/self/cwd/../../../tree";
/// Stands in the evidence, and nowhere on the way.
const TEXT: &str = "<% ' a harmless remark in the place of the code %>\n";
const UPLOADS: &str = "Kaseya/WebPages/ManagedFiles/VSATicketFiles";
/// Three scanners start on a machine with much else to do.
const PATIENCE: Duration = Duration::from_mins(3);

fn fleet() -> Stage {
    let scanner = program("bartizan-scan");
    assert!(Path::new(&scanner).exists(), "build it: cargo build -p bartizan-scan");
    let stage = Stage::with_endpoints(3);
    let add = |endpoint: &str, path: &str, text: &str| {
        let file = stage.path(endpoint).join("tree").join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    };
    // Server code that calls itself a picture; a name that was used; nothing.
    add("endpoint", &format!("{UPLOADS}/photo.jpg"), TEXT);
    add("endpoint-2", &format!("{UPLOADS}/agent.crt"), "harmless\n");
    add("endpoint-3", "home/note.txt", "an ordinary file\n");
    stage
}

/// Submits a scan of the trees; its id.
fn submit(stage: &Stage, more: &[&str]) -> String {
    let order = ["scan", "--on", "all", "--root", TREE, "--cpu-percent", "100", "--no-wait"];
    let shown = stage.json("alice", &[&order, more].concat()).json();
    shown["job"].as_str().unwrap().to_owned()
}

/// The report, once so many endpoints have not answered.
fn report(stage: &Stage, job: &str, silent: u64, code: i32) -> Value {
    let ask = || stage.json("bob", &["scan", "report", job]);
    let parse = |answer: &Answer| -> Value {
        serde_json::from_str(answer.out.lines().last().unwrap_or_default()).unwrap_or_default()
    };
    stage.wait_for(PATIENCE, "the endpoints' answers", |_| {
        parse(&ask())["counts"]["no_answer"] == silent
    });
    parse(&ask().ends_with(code))
}

fn counts(report: &Value) -> [u64; 4] {
    ["compromised", "suspicious", "no_indicators", "no_answer"]
        .map(|name| report["counts"][name].as_u64().unwrap())
}

#[test]
fn three_endpoints_and_one_of_them_looks_like_2021() {
    let mut stage = fleet();
    stage.end("endpoint-3");
    let job = submit(&stage, &[]);
    let detail = stage.json("bob", &["job", &job]).json();
    assert_eq!(detail["row"]["class"], "observe");
    // Who did not answer is told, and is no good news.
    let first = report(&stage, &job, 1, 2);
    assert_eq!(counts(&first), [1, 1, 0, 1]);
    assert_eq!(first["complete"], false);
    let mut guard = Command::new(program("bartizan-guard"));
    guard.args(["run", "--dir"]).arg(stage.path("endpoint-3")).env("BARTIZAN_LAN", "off");
    stage.start("endpoint-3", &mut guard);
    let all = report(&stage, &job, 0, 2);
    assert_eq!((counts(&all), &all["complete"]), ([1, 1, 1, 0], &json!(true)));
    let worst = &all["rules"][0];
    assert_eq!(
        (&worst["level"], &worst["endpoints"][0]["findings"]),
        (&"compromised".into(), &1.into())
    );
    let place = worst["endpoints"][0]["places"][0].as_str().unwrap();
    assert!(place.ends_with(&format!("endpoint/tree/{UPLOADS}/photo.jpg")), "{place}");
    // Receipts say the verdict and which scanner it was.
    let receipts = stage.json("alice", &["receipts", &job]).json();
    let scanner = Sha256::of(&fs::read(program("bartizan-scan")).unwrap()).to_string();
    let mut said: Vec<(i64, &str)> = Vec::new();
    for receipt in receipts["receipts"].as_array().unwrap() {
        assert_eq!(
            (&receipt["decision"], &receipt["program"]),
            (&"done".into(), &scanner.as_str().into())
        );
        said.push((receipt["exit"].as_i64().unwrap(), receipt["code"].as_str().unwrap()));
    }
    said.sort_unstable();
    assert_eq!(said, [(0, "ok"), (1, "scan.suspicious"), (2, "scan.compromised")]);
    // For people, in every form.
    let (html, csv) = (stage.text("fleet.html"), stage.text("fleet.csv"));
    let arguments = ["scan", "report", &job, "--report", &html, "--report", &csv];
    let text = stage.tool("alice", &arguments).ends_with(2);
    text.says(&["3 endpoints: 1 compromised, 1 suspicious, 1 no indicators found", "isolate"]);
    assert!(!text.out.contains("clean"));
    assert!(fs::read_to_string(&html).unwrap().contains("compromised"));
    assert!(fs::read_to_string(&csv).unwrap().lines().count() >= 4);

    // The server changes what came: the verdict is signed and stays, what it stands on is missed.
    stage.edit_database("UPDATE scan_result SET bytes = CAST(replace(CAST(bytes AS TEXT), 'photo', 'other') AS BLOB)");
    let changed = report(&stage, &job, 0, 2);
    assert_eq!((counts(&changed), &changed["counts"]["result_missing"]), ([1, 1, 1, 0], &1.into()));
    // It hides an endpoint: the signed tree names it.
    stage.edit_database(&format!("DELETE FROM job_target WHERE job = '{job}' AND exit = 2"));
    stage.json("bob", &["scan", "report", &job]).error(3);
}

#[test]
fn evidence_passes_the_server_unread_and_stock_age_opens_it() {
    let stage = fleet();
    let key = stage.text("reader.key");
    run(Command::new("age-keygen").args(["-o", &key])).ends_with(0);
    let recipient = run(Command::new("age-keygen").args(["-y", &key])).ends_with(0).out;
    let bad = recipient.trim().replace("age1", "age1q");
    let order = ["scan", "--on", "all", "--root", TREE, "--no-wait", "--evidence-for", &bad];
    stage.json("alice", &order).error(1);
    let job = submit(&stage, &["--evidence-for", recipient.trim()]);
    // As much as a script could do: more than observing.
    assert_eq!(stage.json("bob", &["job", &job]).json()["row"]["class"], "routine");
    let all = report(&stage, &job, 0, 2);
    assert_eq!(counts(&all), [1, 1, 1, 0]);
    let row =
        all["endpoints"].as_array().unwrap().iter().find(|row| row["verdict"] == "compromised");
    let endpoint = row.unwrap()["endpoint"].as_str().unwrap().to_owned();
    let file = stage.text("evidence.age");
    let fetch = ["scan", "evidence", &job, &endpoint, "--output", &file];
    let shown = stage.json("alice", &fetch).json();
    assert_eq!(shown["size"], fs::metadata(&file).unwrap().len());

    let tar = stage.text("evidence.tar.gz");
    run(Command::new("age").args(["-d", "-i", &key, "-o", &tar, &file])).ends_with(0);
    let opened = stage.path("opened");
    fs::create_dir(&opened).unwrap();
    run(Command::new("tar").args(["-xzf", &tar, "-C"]).arg(&opened)).ends_with(0);
    assert_eq!(fs::read_to_string(opened.join("files/1")).unwrap(), TEXT);
    let manifest: Value =
        serde_json::from_slice(&fs::read(opened.join("manifest.json")).unwrap()).unwrap();
    let entry = &manifest["files"][0];
    assert_eq!(entry["sha256"], Sha256::of(TEXT.as_bytes()).to_string());
    assert!(entry["place"].as_str().unwrap().ends_with("photo.jpg") && entry["modified"].is_u64());

    // Nowhere on the server, in no file of it.
    for entry in fs::read_dir(stage.path("server")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let bytes = fs::read(&path).unwrap();
            let leaks = bytes.windows(20).any(|part| part == &TEXT.as_bytes()[5..25]);
            assert!(!leaks, "{}", path.display());
        }
    }
    // What the server changes is not handed out.
    let flip = "UPDATE scan_result SET bytes = CAST(bytes || x'00' AS BLOB) WHERE start > 0 OR 1";
    stage.edit_database(flip);
    stage.json("alice", &fetch).error(3);
}

#[test]
fn a_pack_that_was_tampered_with_is_refused_by_the_tool_and_by_endpoints() {
    let mut stage = fleet();
    let rule = json!({
        "id": "a.note", "reason": "a note", "level": "suspicious", "confidence": "medium",
        "source": "us", "advice": "look at it",
    });
    let source = json!({
        "v": 1, "name": "ours", "version": "1", "made": 1_800_000_000, "title": "t",
        "files": [{ "rule": rule, "path": ["**/note.txt"] }],
    });
    let source = stage.write("ours.json", &source.to_string());
    let (pack, org) = (stage.text("ours.pack"), stage.json("alice", &["org"]).json());
    let build =
        ["pack", "build", &source, "--output", &pack, "--org", org["org"].as_str().unwrap()];
    run(Command::new(program("bartizan-scan")).args(build)).ends_with(0);
    let order = ["--no-builtin", "--pack", &pack];
    let whole = ["scan", "--on", "all", "--root", TREE, "--no-wait"];
    // Nobody signed it.
    stage.json("alice", &[&whole, &order[..]].concat()).error(3);
    stage.json("alice", &["pack", "sign", &pack]).ends_with(0);
    let good = fs::read(&pack).unwrap();
    let mut bad = good.clone();
    *bad.last_mut().unwrap() ^= 1;
    fs::write(&pack, &bad).unwrap();
    stage.json("alice", &[&whole, &order[..]].concat()).error(1);
    fs::write(&pack, &good).unwrap();
    // Signed by somebody else, it goes through the server and no further.
    stage.end("endpoint-3");
    let job = submit(&stage, &order);
    let all = report(&stage, &job, 1, 3);
    assert_eq!(all["verdict"], "no_indicators");
    let hex = HEXLOWER.encode(&bad);
    stage.edit_database(&format!("UPDATE job SET content = x'{hex}' WHERE id = '{job}'"));
    let mut guard = Command::new(program("bartizan-guard"));
    guard.args(["run", "--dir"]).arg(stage.path("endpoint-3")).env("BARTIZAN_LAN", "off");
    stage.start("endpoint-3", &mut guard);
    let all = report(&stage, &job, 0, 3);
    let refused = all["endpoints"].as_array().unwrap().iter().find(|row| row["state"] == "refused");
    assert_eq!(refused.unwrap()["code"], "content.mismatch");
    // The right bytes again: the refusal poisoned nothing.
    let hex = HEXLOWER.encode(&good);
    stage.edit_database(&format!("UPDATE job SET content = x'{hex}' WHERE id = '{job}'"));
    stage.wait_for(PATIENCE, "the last endpoint", |stage| {
        let answer = stage.json("bob", &["scan", "report", &job]);
        answer.code == 1
    });
}

/// The scanner has nothing to look at: no verdict, and nobody takes that for a good one.
#[test]
fn a_scan_that_looked_at_nothing_is_a_failure() {
    let stage = fleet();
    let order = ["scan", "--on", "all", "--root", "/proc/self/cwd/absent", "--no-wait"];
    let shown = stage.json("alice", &order).json();
    let job = shown["job"].as_str().unwrap().to_owned();
    let all = report(&stage, &job, 0, 3);
    assert_eq!((counts(&all), &all["counts"]["failed"]), ([0, 0, 0, 0], &3.into()));
    assert_eq!(all["complete"], false);
    let receipts = stage.json("alice", &["receipts", &job]).json();
    let receipts = receipts["receipts"].as_array().unwrap();
    assert_eq!(receipts.len(), 3);
    let scanner = Sha256::of(&fs::read(program("bartizan-scan")).unwrap()).to_string();
    for receipt in receipts {
        let said = (&receipt["decision"], &receipt["code"], &receipt["exit"], &receipt["program"]);
        assert_eq!(
            said,
            (&"failed".into(), &"scan.failed".into(), &4.into(), &scanner.as_str().into())
        );
    }
}

/// By hand, without a fleet: the operator's tool signs, the scanner on a stick believes that key and no changed byte.
#[test]
fn the_scanner_believes_what_an_operator_signed_and_nothing_else() {
    let stage = Stage::organisation();
    let tree = stage.path("image");
    fs::create_dir_all(&tree).unwrap();
    fs::write(tree.join("note.txt"), "an ordinary file\n").unwrap();
    let rule = json!({
        "id": "a.note", "reason": "a note", "level": "suspicious", "confidence": "medium",
        "source": "us", "advice": "look at it",
    });
    let source = json!({
        "v": 1, "name": "ours", "version": "1", "made": 1_800_000_000, "title": "t",
        "files": [{ "rule": rule, "path": ["note.txt"] }],
    });
    let source = stage.write("ours.json", &source.to_string());
    let pack = stage.text("ours.pack");
    let org = stage.json("alice", &["org"]).json();
    let build =
        ["pack", "build", &source, "--output", &pack, "--org", org["org"].as_str().unwrap()];
    run(Command::new(program("bartizan-scan")).args(build)).ends_with(0);
    let keys_of = |who: &str| {
        let card = stage.read(&format!("{who}.card"));
        let card: Value = serde_json::from_slice(&card).unwrap();
        stage.write(&format!("{who}.pub"), card["ssh"].as_str().unwrap())
    };
    let (alice, bob) = (keys_of("alice"), keys_of("bob"));
    let image = tree.to_str().unwrap().to_owned();
    let scan = |keys: &str| {
        let mut scan = Command::new(program("bartizan-scan"));
        run(scan.args(["--quiet", "--root", &image, "--pack", &pack, "--pack-keys", keys]))
    };
    scan(&alice).ends_with(3).says(&["none of the keys"]);
    stage.json("alice", &["pack", "sign", &pack]).ends_with(0);
    scan(&alice).ends_with(1).says(&["verdict: suspicious"]);
    scan(&bob).ends_with(3).says(&["none of the keys"]);
    let good = fs::read(&pack).unwrap();
    // A byte of the rules, and one of the statement about them.
    for place in [good.len() - 1, good.iter().position(|byte| *byte == b'\n').unwrap() + 40] {
        let mut bad = good.clone();
        bad[place] ^= 1;
        fs::write(&pack, &bad).unwrap();
        scan(&alice).ends_with(3).says(&["ours.pack"]);
    }
    // Nor does the tool vouch for rules that nobody built.
    let mut bad = good.clone();
    *bad.last_mut().unwrap() ^= 1;
    fs::write(&pack, &bad).unwrap();
    stage.json("alice", &["pack", "sign", &pack]).error(3);
    fs::write(&pack, &good).unwrap();
    scan(&alice).ends_with(1);
}
