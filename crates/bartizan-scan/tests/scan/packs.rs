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
        let [load] = sigma.loads.as_slice() else { panic!("one pack") };
        assert_eq!(load.not_understood, [], "{}", pack.name);
        let in_force = loaded.rules + u64::try_from(web.rules()).unwrap() + load.loaded;
        assert_eq!(in_force, pack.expected(), "{}", pack.name);
    }
}

fn triggers(packs: &[Pack]) -> Vec<self_test::Trigger> {
    let (rules, _) = rules::compile(packs);
    self_test::run(&rules, packs, &mut Sigma::new(packs))
}

#[test]
fn the_self_test_finds_every_trigger_and_leaves_nothing_behind() {
    let packs = builtin::packs().unwrap();
    for trigger in triggers(&packs) {
        assert!(trigger.found, "{}", trigger.name);
    }
    let (rules, _) = rules::compile(&packs);
    let mut sigma = Sigma::new(&packs);
    self_test::run(&rules, &packs, &mut sigma);
    assert_eq!(sigma.finish(), (Vec::new(), 0));
}

#[test]
fn without_its_rules_the_self_test_fails_at_every_trigger() {
    for trigger in triggers(&[]) {
        assert!(!trigger.found, "{}", trigger.name);
    }
}

/// A pack whose rules of one kind were lost must be noticed, whichever kind it is.
#[test]
fn each_kind_of_rule_has_a_trigger() {
    let packs = builtin::packs().unwrap();
    let without: [fn(&mut Pack); 8] = [
        |pack| pack.files.clear(),
        |pack| pack.digests.clear(),
        |pack| pack.registry.clear(),
        |pack| pack.commands.clear(),
        |pack| pack.yara.clear(),
        |pack| pack.sequences.clear(),
        |pack| pack.sigma.clear(),
        |pack| pack.network.clear(),
    ];
    for lose in without {
        let mut packs = packs.clone();
        packs.iter_mut().for_each(lose);
        assert!(triggers(&packs).iter().any(|trigger| !trigger.found));
    }
}
