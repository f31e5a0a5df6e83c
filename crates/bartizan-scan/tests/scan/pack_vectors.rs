//! Replays `vectors/pack`: what a pack is, and which files its conditions hold for. SPEC: pack.md
//! With `BARTIZAN_WRITE_VECTORS=1` it writes them first.

use std::path::PathBuf;
use std::{env, fs};

use bartizan_scan::digest::Digests;
use bartizan_scan::evidence::{FileEvidence, Output};
use bartizan_scan::pack::{Pack, body_digest, decode_body, encode_body, join_pack, split_pack};
use bartizan_scan::self_test::{Elf, elf};
use bartizan_scan::{file, rules};
use data_encoding::BASE64;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::programs;
use crate::tree::{packed, pe, plain};

/// A pack that must be read. Bytes are base64.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Accept {
    why: String,
    /// The encoded file of the pack, without a statement.
    file: String,
    /// The digest of its body.
    body: String,
    /// Rules and digests that it says it has, and those of them that can be used.
    expected: u64,
    in_force: u64,
    files: Vec<Looked>,
}

/// A file, and the rules that are about it.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Looked {
    path: String,
    bytes: String,
    mode: Option<u32>,
    deleted: bool,
    found: Vec<String>,
}

/// A file or a body that must be refused.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reject {
    why: String,
    /// The file of the pack; base64.
    file: Option<String>,
    /// Or what its body decodes to.
    json: Option<String>,
}

fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../vectors/pack").join(name)
}

fn bytes(text: &str) -> Vec<u8> {
    BASE64.decode(text.as_bytes()).unwrap()
}

/// A pack with one rule about files for each of these conditions; the rule's id is its number.
fn with_files(conditions: &[Value]) -> Value {
    let rule = |(number, condition): (usize, &Value)| {
        let mut rule = condition.clone();
        rule["rule"] = head(&number.to_string());
        rule
    };
    let files: Vec<Value> = conditions.iter().enumerate().map(rule).collect();
    with(&json!({ "files": files }))
}

fn head(id: &str) -> Value {
    json!({ "id": id, "reason": "r", "level": "suspicious", "confidence": "medium", "source": "s", "advice": "a" })
}

fn with(lists: &Value) -> Value {
    let mut pack =
        json!({ "v": 1, "name": "vector", "version": "1", "made": 1_800_000_000, "title": "t" });
    for (name, list) in lists.as_object().unwrap() {
        pack[name] = list.clone();
    }
    pack
}

fn looked(path: &str, content: &[u8], found: &[&str]) -> Looked {
    let found = found.iter().map(|id| (*id).to_owned()).collect();
    Looked {
        path: path.to_owned(),
        bytes: BASE64.encode(content),
        mode: None,
        deleted: false,
        found,
    }
}

fn look(pack: &Pack, looked: &Looked) -> Vec<String> {
    let (rules, _) = rules::compile(std::slice::from_ref(pack));
    let content = bytes(&looked.bytes);
    let evidence = FileEvidence {
        place: &looked.path,
        path: &looked.path,
        size: u64::try_from(content.len()).unwrap(),
        modified: None,
        created: None,
        mode: looked.mode,
        is_deleted: looked.deleted,
        head: &content,
        tail: &[],
        logs: &[],
        digests: Some(Digests::of(&content, rules.wanted())),
    };
    let mut output = Output::default();
    file::examine(&rules, &evidence, &mut output);
    let mut found: Vec<String> = output.findings.into_iter().map(|f| f.rule.id).collect();
    found.sort();
    found
}

fn accepted() -> Vec<(&'static str, &'static str, Value, Vec<Looked>)> {
    let with_mode =
        |mode, found: &[&str]| Looked { mode: Some(mode), ..looked("a", b"text", found) };
    let (packed, plain) = (packed(), plain());
    let program = |code, interpreter| elf(&Elf { code, interpreter, ..Elf::default() });
    let library = |soname| elf(&Elf { soname: Some(soname), ..Elf::default() });
    let loader = Some("/tmp/.x/ld.so");
    vec![
        (
            "packed",
            "code of a program is compressed or encrypted; its data may be",
            with_files(&[json!({ "packed": true })]),
            vec![
                looked("a", &program(&packed, None), &["0"]),
                looked("a", &program(&plain, None), &[]),
                looked("a.exe", &programs::sections(&[(&packed, programs::MAY_RUN)]), &["0"]),
                looked("a.exe", &programs::sections(&[(&plain, programs::MAY_RUN)]), &[]),
                looked("a.exe", &programs::sections(&[(&packed, programs::DATA)]), &[]),
                looked("a", &packed, &[]),
            ],
        ),
        (
            "stripped_static_interpreter",
            "facts of Linux programs; of anything else neither they nor their opposites hold",
            with_files(&[
                json!({ "stripped": true }),
                json!({ "stripped": false }),
                json!({ "static": true }),
                json!({ "static": false }),
                json!({ "interpreter": ["tmp/**"] }),
            ]),
            vec![
                looked("a", &program(b"code", loader), &["0", "3", "4"]),
                looked("a", &program(b"code", Some("/lib64/ld.so")), &["0", "3"]),
                looked("a", &program(b"code", None), &["0", "2"]),
                looked(
                    "a",
                    &elf(&Elf { has_symbols: true, code: b"code", ..Elf::default() }),
                    &["1", "2"],
                ),
                looked("a", &pe("a.exe", b""), &[]),
                looked("a", b"text", &[]),
            ],
        ),
        (
            "own_name",
            "what a program calls itself; a library's file may carry more of its version",
            with_files(&[
                json!({ "original_name": ["certutil.exe", "libx.so.1"] }),
                json!({ "renamed": true }),
                json!({ "overlay_min": 8 }),
            ]),
            vec![
                looked("certutil.exe", &pe("CertUtil.exe", b""), &["0"]),
                looked("cert.exe", &pe("CertUtil.exe", b"appended"), &["0", "1", "2"]),
                looked("libx.so.1.3", &library("libx.so.1"), &["0"]),
                looked("liby.so", &library("libx.so.1"), &["0", "1"]),
                looked("a", &elf(&Elf { overlay: b"appended", ..Elf::default() }), &["2"]),
                looked("a", &elf(&Elf { overlay: b"less", ..Elf::default() }), &[]),
                looked("certutil.exe", b"text", &[]),
            ],
        ),
        (
            "setuid",
            "a file's mode; where there is none the condition does not hold",
            with_files(&[json!({ "setuid": true })]),
            vec![
                with_mode(0o104_755, &["0"]),
                with_mode(0o102_755, &["0"]),
                with_mode(0o101_755, &[]),
                with_mode(0o100_755, &[]),
                looked("a", b"text", &[]),
            ],
        ),
        (
            "deleted",
            "a program that still runs and has no name any more",
            with_files(&[json!({ "deleted": true })]),
            vec![
                Looked { deleted: true, ..looked("a", b"text", &["0"]) },
                looked("a", b"text", &[]),
            ],
        ),
        (
            "paths",
            "paths are compared in lower case, without a drive; one star stays within a folder",
            with_files(&[
                json!({ "path": ["windows/*.exe"] }),
                json!({ "path": ["**/*.exe"], "not_path": ["windows/**"] }),
            ]),
            vec![
                looked("C:\\Windows\\A.EXE", b"text", &["0"]),
                looked("/Windows/x/a.exe", b"text", &[]),
                looked("home/a.exe", b"text", &["1"]),
            ],
        ),
        (
            "yara_variables",
            "what YARA sources may ask besides the bytes",
            {
                let source = r#"
rule Name { condition: filename == "B.Txt" and extension == ".Txt" and filepath == "a/B.Txt" }
rule Text { condition: filetype == "TEXT" }
rule Program { condition: filetype == "EXE" or filetype == "ELF" }
rule Packed { condition: filetype == "GZIP" or filetype == "ZIP" or filetype == "TAR" }
rule Owner { condition: owner != "" }"#;
                with(&json!({ "yara": [{ "rule": head("y"), "source": source, "rules": 5 }] }))
            },
            vec![
                looked("a/B.Txt", b"text", &["y.Name", "y.Text"]),
                looked("a/b.txt", b"text", &["y.Text"]),
                looked("a", &pe("a.exe", b""), &["y.Program"]),
                looked("a", &program(b"code", None), &["y.Program"]),
                looked("a", b"\x1f\x8b\x08\0", &["y.Packed"]),
                looked("a", b"\0\0", &[]),
            ],
        ),
        (
            "not_in_force",
            "what cannot be used is counted: no condition, a digest cut short, a source that does not compile",
            with(&json!({
                "files": [{ "rule": head("0") }, { "rule": head("1"), "digest": ["900150983cd24fb0d6963f7d28e17f7"] },
                    { "rule": head("2"), "digest": ["900150983cd24fb0d6963f7d28e17f72"] }],
                "yara": [{ "rule": head("y"), "source": "rule A { condition: nothing }", "rules": 1 }],
            })),
            vec![looked("a", b"abc", &["2"]), looked("a", b"abd", &[])],
        ),
    ]
}

fn rejected() -> Vec<(&'static str, Reject)> {
    let good =
        Pack::parse(with_files(&[json!({ "packed": true })]).to_string().as_bytes()).unwrap();
    let good = join_pack(b"", &encode_body(&good).unwrap());
    let of_file = |why: &str, file: &[u8]| Reject {
        why: why.to_owned(),
        file: Some(BASE64.encode(file)),
        json: None,
    };
    let of_json = |why: &str, json: &Value| Reject {
        why: why.to_owned(),
        file: None,
        json: Some(json.to_string()),
    };
    let mut damaged = good.clone();
    *damaged.last_mut().unwrap() ^= 1;
    let later = [b"bartizan-pack 2", good.strip_prefix(b"bartizan-pack 1").unwrap()].concat();
    let mut unknown_head = with_files(&[json!({ "packed": true })]);
    unknown_head["files"][0]["rule"]["colour"] = json!("red");
    let mut no_advice = with_files(&[json!({ "packed": true })]);
    no_advice["files"][0]["rule"].as_object_mut().unwrap().remove("advice");
    vec![
        ("damaged", of_file("one bit of the body is another", &damaged)),
        ("cut_off", of_file("the end is missing", &good[..good.len() - 1])),
        ("later_format", of_file("a format of the future", &later)),
        ("other_file", of_file("no pack", b"MZ\x90\0\n")),
        ("no_pack", of_json("the format is missing", &json!({ "name": "x" }))),
        (
            "later_version",
            of_json(
                "a version of the future",
                &json!({ "v": 2, "name": "x", "version": "1", "made": 0, "title": "t" }),
            ),
        ),
        ("unknown_list", of_json("a list nobody knows", &with(&json!({ "colours": [] })))),
        ("unknown_head", of_json("a field of a rule's head nobody knows", &unknown_head)),
        (
            "unknown_condition",
            of_json(
                "a condition nobody knows would be one that holds for everything",
                &with_files(&[json!({ "packd": true })]),
            ),
        ),
        (
            "unknown_kind",
            of_json("a kind nobody knows", &with_files(&[json!({ "kind": ["tape"] })])),
        ),
        ("no_advice", of_json("a rule that does not say what to do", &no_advice)),
    ]
}

fn write() {
    for kind in ["accept", "reject"] {
        fs::create_dir_all(folder(kind)).unwrap();
    }
    for (name, why, source, files) in accepted() {
        let pack = Pack::parse(source.to_string().as_bytes()).unwrap();
        let body = encode_body(&pack).unwrap();
        let (_, loaded) = rules::compile(std::slice::from_ref(&pack));
        let vector = Accept {
            why: why.to_owned(),
            file: BASE64.encode(&join_pack(b"", &body)),
            body: body_digest(&body),
            expected: pack.expected(),
            in_force: loaded[0].rules,
            files,
        };
        save("accept", name, &vector);
    }
    for (name, vector) in rejected() {
        save("reject", name, &vector);
    }
}

fn save(kind: &str, name: &str, vector: &impl Serialize) {
    let text = serde_json::to_string_pretty(vector).unwrap();
    fs::write(folder(kind).join(format!("{name}.json")), format!("{text}\n")).unwrap();
}

fn read<V: for<'v> Deserialize<'v>>(kind: &str) -> Vec<(String, V)> {
    let files = fs::read_dir(folder(kind)).unwrap();
    let mut paths: Vec<PathBuf> = files.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let name = |path: &PathBuf| path.file_stem().unwrap().to_str().unwrap().to_owned();
    let vector = |path: &PathBuf| serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    paths.iter().map(|path| (name(path), vector(path))).collect()
}

#[test]
fn packs_mean_what_the_vectors_say() {
    if env::var_os("BARTIZAN_WRITE_VECTORS").is_some() {
        write();
    }
    let vectors: Vec<(String, Accept)> = read("accept");
    for (name, vector) in &vectors {
        let file = bytes(&vector.file);
        let parts = split_pack(&file).unwrap();
        assert_eq!(body_digest(parts.body), vector.body, "{name}");
        let pack = decode_body(parts.body).unwrap();
        let (_, loaded) = rules::compile(std::slice::from_ref(&pack));
        assert_eq!(
            (pack.expected(), loaded[0].rules),
            (vector.expected, vector.in_force),
            "{name}"
        );
        for (number, file) in vector.files.iter().enumerate() {
            assert_eq!(look(&pack, file), file.found, "{name}: file {number}");
        }
    }
    let names: Vec<&str> = vectors.iter().map(|(name, _)| name.as_str()).collect();
    let mut written: Vec<&str> = accepted().iter().map(|(name, ..)| *name).collect();
    written.sort_unstable();
    assert_eq!(names, written, "run with BARTIZAN_WRITE_VECTORS=1");
}

#[test]
fn what_is_no_pack_is_refused() {
    let vectors: Vec<(String, Reject)> = read("reject");
    assert_eq!(vectors.len(), rejected().len(), "run with BARTIZAN_WRITE_VECTORS=1");
    for (name, vector) in vectors {
        let refused = match (&vector.file, &vector.json) {
            (Some(file), None) => split_pack(&bytes(file)).is_err(),
            (None, Some(json)) => Pack::parse(json.as_bytes()).is_err(),
            _ => panic!("{name}: a file or a body"),
        };
        assert!(refused, "{name}: {}", vector.why);
    }
}
