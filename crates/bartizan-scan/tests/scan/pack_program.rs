//! The program's side of packs: rules of others come in, are looked at, tried, and built. What it prints and how it ends.

use std::fs;

use bartizan_scan::pack::{Pack, decode_body, split_pack};
use serde_json::{Value, json};

use crate::tree::{Tree, ids, run};

const DIGEST: &str = "33bc14d231a4afaa18f06513766d5f69d8b88f1e697cd127d24fb4b72ad44c7a";
const SIGMA: &str = "title: Wevtutil clears\nlogsource:\n    product: windows\n    category: process_creation\ndetection:\n    s:\n        CommandLine|contains: 'wevtutil cl'\n    condition: s\nlevel: high\n";
const YARA: &str = "rule Marker { strings: $a = \"a harmless marker 9b1e\" condition: $a }\n";
const STIX: &str = r#"{"type":"bundle","objects":[{"type":"indicator","id":"indicator--1","name":"x","pattern_type":"stix","pattern":"[ipv4-addr:value = '192.0.2.7']","valid_from":"2021-07-02T00:00:00Z","valid_until":"2021-08-02T00:00:00Z"}]}"#;
const MISP: &str = r#"{"Event":{"info":"x","Attribute":[{"type":"domain","value":"bad.example","first_seen":"2021-07-02T00:00:00Z","last_seen":"2021-08-02T00:00:00Z"},{"type":"colour","value":"red"}]}}"#;
const OPENIOC: &str = r#"<ioc id="x"><short_description>x</short_description><definition><Indicator operator="OR"><IndicatorItem condition="is"><Context document="FileItem" search="FileItem/Md5sum"/><Content type="md5">900150983cd24fb0d6963f7d28e17f72</Content></IndicatorItem></Indicator></definition></ioc>"#;

fn at(tree: &Tree, name: &str) -> String {
    tree.root().join(name).to_str().unwrap().to_owned()
}

/// A folder as somebody publishes it, with some of everything.
fn rules_of_others() -> Tree {
    let tree = Tree::new();
    let broken = "title: no detection\nlogsource:\n    product: windows\n";
    tree.add("theirs/sigma/clear.yml", SIGMA)
        .add("theirs/sigma/broken.yml", broken)
        .add("theirs/yara/marker.yar", YARA)
        .add("theirs/yara/module.yar", "import \"nothing\"\nrule A { condition: true }\n")
        .add("theirs/list.csv", format!("sha256,name\n{DIGEST},x\n{},cut short\n", &DIGEST[1..]))
        .add("theirs/bundle.stix", STIX)
        .add("theirs/event.json", MISP)
        .add("theirs/old.ioc", OPENIOC)
        .add("theirs/README.md", "about these rules\n")
        .add("theirs/.git/config", "not looked at\n");
    tree
}

fn import(tree: &Tree, more: &[&str]) -> (String, String, i32) {
    let (from, to) = (at(tree, "theirs"), at(tree, "theirs.json"));
    let arguments =
        ["pack", "import", &from, "--name", "theirs", "--version", "3", "--output", &to];
    run(&[&arguments, more].concat())
}

#[test]
fn rules_of_others_become_a_source_and_what_was_not_understood_is_named() {
    let tree = rules_of_others();
    let (out, error, code) = import(&tree, &[]);
    assert_eq!((code, error.as_str()), (0, ""));
    assert!(out.starts_with("4 rules and 2 digests in "), "{out}");
    for said in [
        "next: bartizan-scan pack lint",
        "rejected: ",
        "broken.yml: ",
        "module.yar: ",
        "list.csv:3: ",
        "not understood: 1 × ",
        "rejected altogether: 3",
        "files of other kinds, passed over: 1",
    ] {
        assert!(out.contains(said), "{said}: {out}");
    }
    let pack = Pack::parse(&fs::read(at(&tree, "theirs.json")).unwrap()).unwrap();
    assert_eq!((pack.name.as_str(), pack.version.as_str(), pack.made.0 > 0), ("theirs", "3", true));
    let counts = (pack.sigma.len(), pack.yara.len(), pack.network.len(), pack.digest_count());
    assert_eq!(counts, (1, 1, 2, 2));

    let (out, _, code) = import(&tree, &["--json"]);
    let shown: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(code, 0);
    assert_eq!(
        (&shown["rules"], &shown["digests"], &shown["rejected_count"], &shown["other_files"]),
        (&json!(4), &json!(2), &json!(3), &json!(1))
    );
    assert_eq!(shown["rejected"].as_array().unwrap().len(), 3);
    assert_eq!(shown["not_understood"].as_object().unwrap().len(), 1);
}

#[test]
fn a_document_that_is_not_of_its_kind_ends_an_import() {
    for (name, text) in [
        ("event.json", &b"{\"neither\": 1}"[..]),
        ("event.json", b"not json"),
        ("bundle.stix", b"not json"),
        ("old.ioc", b"<ioc><unfinished"),
        ("rule.yml", b"\xff\xfe not UTF-8"),
    ] {
        let tree = Tree::new();
        tree.add(&format!("theirs/{name}"), text);
        let (out, error, code) = import(&tree, &[]);
        assert!(
            code == 3 && error.starts_with("error: ") && error.contains(name),
            "{name}: {out} {error}"
        );
        assert!(!tree.root().join("theirs.json").exists(), "{name}");
    }
    let (_, error, code) =
        run(&["pack", "import", "absent", "--name", "a", "--version", "1", "-o", "x"]);
    assert!(code == 3 && error.contains("read absent"), "{error}");
}

#[test]
fn lint_names_each_problem_and_ends_with_one() {
    let tree = rules_of_others();
    import(&tree, &[]);
    let source = at(&tree, "theirs.json");
    let (out, error, code) = run(&["pack", "lint", &source]);
    assert_eq!((out.as_str(), code), ("0 problems in 6 rules and digests\n", 0), "{error}");
    let mut pack = Pack::parse(&fs::read(&source).unwrap()).unwrap();
    pack.digests[0].entries[0].digest.pop();
    pack.network[0].until = None;
    "rule Marker { condition: nothing }".clone_into(&mut pack.yara[0].source);
    fs::write(&source, pack.to_json()).unwrap();
    let (out, _, code) = run(&["pack", "lint", &source]);
    assert_eq!(code, 1);
    for named in ["digest.broken ", "network.undated ", "rule.unusable "] {
        assert!(out.contains(named), "{named}: {out}");
    }
    let last = out.lines().last().unwrap();
    let count: usize =
        last.strip_suffix(" problems in 6 rules and digests").unwrap().parse().unwrap();
    assert_eq!(count, out.lines().count() - 1);
    let (out, _, code) = run(&["pack", "lint", &source, "--json"]);
    assert_eq!((out.lines().count(), code), (count, 1));
    for line in out.lines() {
        let problem: Value = serde_json::from_str(line).unwrap();
        assert!(problem["code"].is_string() && problem["why"].is_string(), "{line}");
    }
    let text = tree.add("text", "no pack").root().join("text");
    let (_, error, code) = run(&["pack", "lint", text.to_str().unwrap()]);
    assert!(code == 3 && error.contains("not a rule pack"), "{error}");
}

#[test]
fn rules_that_fire_on_ordinary_software_are_named() {
    let tree = rules_of_others();
    import(&tree, &[]);
    let source = at(&tree, "theirs.json");
    let test = |goodware: &str, more: &[&str]| {
        run(&[&["pack", "test", &source, "--goodware", goodware], more].concat())
    };
    let goodware = Tree::new();
    goodware.add("a/tool.txt", "ordinary").add("b/other.txt", "ordinary");
    let folder = at(&goodware, "");
    assert_eq!(test(&folder, &[]), ("0 rules fired on 2 files\n".to_owned(), String::new(), 0));
    goodware.add("a/notes.txt", "this has a harmless marker 9b1e in it");
    goodware.add("b/notes.txt", "and this a harmless marker 9b1e as well");
    let (out, _, code) = test(&folder, &[]);
    assert_eq!(code, 1);
    assert!(
        out.contains("fires on ordinary software: 2 times, first at ")
            && out.contains("a/notes.txt"),
        "{out}"
    );
    assert!(out.ends_with("1 rules fired on 4 files\n"), "{out}");
    let (out, _, code) = test(&folder, &["--json"]);
    let fired: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &fired["count"]), (1, &json!(2)));
    let empty = Tree::new();
    let (_, error, code) = test(&at(&empty, ""), &[]);
    assert!(code == 3 && error.contains("give a folder of ordinary software"), "{error}");
    let (_, _, code) = test("absent", &[]);
    assert_eq!(code, 3);
}

#[test]
fn what_was_imported_is_built_and_finds() {
    let tree = rules_of_others();
    import(&tree, &[]);
    let (source, built) = (at(&tree, "theirs.json"), at(&tree, "theirs.pack"));
    let (out, error, code) = run(&["pack", "build", &source, "--output", &built]);
    assert_eq!(code, 0, "{error}");
    assert!(
        out.starts_with("theirs: 6 rules and digests, body ") && out.contains("--org"),
        "{out}"
    );
    let bytes = fs::read(&built).unwrap();
    let pack = decode_body(split_pack(&bytes).unwrap().body).unwrap();
    assert_eq!(pack.to_json(), Pack::parse(&fs::read(&source).unwrap()).unwrap().to_json());
    // The texts of the rules do not stand in it, neither for this nor for other scanners.
    assert!(!bytes.windows(15).any(|part| part == b"harmless marker"));
    let scanned = Tree::new();
    scanned.add("a.txt", "a harmless marker 9b1e");
    let report = scanned.scan(&["--pack", &built, "--danger-unsigned"]);
    assert!(ids(&report)[0].ends_with(".Marker"), "{:?}", ids(&report));
}

#[test]
fn what_cannot_be_used_is_not_built() {
    let tree = Tree::new();
    let head = json!({
        "id": "a", "reason": "r", "level": "note", "confidence": "low", "source": "s", "advice": "a",
    });
    let pack = |files: Value| {
        json!({ "v": 1, "name": "n", "version": "1", "made": 0, "title": "t", "files": files })
            .to_string()
    };
    let output = at(&tree, "out.pack");
    let refused = |text: &str, more: &[&str], why: &str| {
        tree.add("source.json", text);
        let source = at(&tree, "source.json");
        let (out, error, code) =
            run(&[&["pack", "build", &source, "--output", &output], more].concat());
        assert!(code == 3 && out.is_empty() && error.contains(why), "{why}: {error}");
        assert!(!tree.root().join("out.pack").exists(), "{why}");
    };
    refused("no json", &[], "not a rule pack");
    refused(&pack(json!([{ "rule": head }])), &[], "rules that cannot be used: a: no condition");
    refused(
        &pack(json!([{ "rule": head, "digest": ["abc"] }])),
        &[],
        "correct them and build again",
    );
    refused(&pack(json!([{ "rule": head, "packd": true }])), &[], "not a rule pack");
    refused(&pack(json!([])).replace("\"v\":1", "\"v\":2"), &[], "format 2");
    refused(&pack(json!([])), &["--org", "not an id"], "an id as `bartizan org` shows it");
    let (_, _, code) = run(&["pack", "build", "absent", "--output", &output]);
    assert_eq!(code, 3);
}
