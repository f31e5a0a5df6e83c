//! The packs that are part of the tool.

use std::path::PathBuf;

use bartizan_scan::logs::WebLogs;
use bartizan_scan::pack::{Pack, decode_body, encode_body, join_pack, split_pack};
use bartizan_scan::sigma::Sigma;
use bartizan_scan::{builtin, rules, self_test};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("packs")
}

/// `BARTIZAN_WRITE_PACKS=1` writes the encoded files anew from their sources.
#[test]
fn the_encoded_packs_are_those_of_their_sources() {
    for name in ["kaseya-2021", "rmm-abuse", "self-test"] {
        let source = std::fs::read(folder().join(format!("{name}.json"))).unwrap();
        let pack = Pack::parse(&source).unwrap();
        let file = folder().join(format!("{name}.pack"));
        if std::env::var_os("BARTIZAN_WRITE_PACKS").is_some() {
            std::fs::write(&file, join_pack(b"", &encode_body(&pack).unwrap())).unwrap();
        }
        let encoded = std::fs::read(&file).unwrap();
        let decoded = decode_body(split_pack(&encoded).unwrap().body).unwrap();
        assert!(decoded == pack, "{name}: run this test with BARTIZAN_WRITE_PACKS=1");
    }
}

#[test]
fn every_built_in_rule_is_in_force() {
    let packs = builtin::packs().unwrap();
    let (_, loaded) = rules::compile(&packs);
    for (pack, loaded) in packs.iter().zip(loaded) {
        assert_eq!(loaded.problems, Vec::<String>::new(), "{}", pack.name);
        let (web, unusable) = WebLogs::new(&[pack], None);
        assert_eq!(unusable, Vec::<String>::new(), "{}", pack.name);
        let sigma = Sigma::new([pack]);
        assert_eq!(sigma.load.not_understood, [], "{}", pack.name);
        let in_force = loaded.rules + u64::try_from(web.rules()).unwrap() + sigma.load.loaded;
        assert_eq!(in_force, pack.expected(), "{}", pack.name);
    }
}

#[test]
fn the_self_test_finds_every_trigger() {
    let (rules, _) = rules::compile(&builtin::packs().unwrap());
    for trigger in self_test::run(&rules) {
        assert!(trigger.found, "{}", trigger.name);
    }
}

#[test]
fn without_its_rules_the_self_test_fails_at_every_trigger() {
    let (rules, _) = rules::compile(&[]);
    for trigger in self_test::run(&rules) {
        assert!(!trigger.found, "{}", trigger.name);
    }
}
