//! Registry hives of machines that were not shut down: the newest changes stand beside them.

use bartizan_scan::self_test::hive;

use crate::tree::{Tree, ids};

const HIVE: &str = "Windows/System32/config/SOFTWARE";
const PIECE: usize = 512;

fn software(defender_off: &str) -> Vec<u8> {
    let values = [("DisableAntiSpyware", defender_off)];
    hive(&[("Policies\\Microsoft\\Windows Defender", &values)])
}

fn put(bytes: &mut [u8], at: usize, value: u32) {
    bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
}

/// A log of the older form, with every piece of the new hive.
pub(crate) fn log(number: u32, new: &[u8]) -> Vec<u8> {
    let mut pieces = new[4096..].to_vec();
    pieces.resize(pieces.len().next_multiple_of(4096), 0);
    let mut log = vec![0; PIECE];
    log[..4].copy_from_slice(b"regf");
    put(&mut log, 4, number);
    put(&mut log, 8, number);
    put(&mut log, 28, 1);
    put(&mut log, 40, u32::try_from(pieces.len()).unwrap());
    let sum = log[..508]
        .chunks(4)
        .fold(0, |sum, word| sum ^ u32::from_le_bytes(word.try_into().unwrap()));
    put(&mut log, 508, sum);
    log.extend(b"DIRT");
    log.extend(vec![0xff; pieces.len() / PIECE / 8]);
    log.resize(log.len().next_multiple_of(PIECE), 0);
    log.extend(pieces);
    log
}

/// What stands in a hive that says it is at change seven and was not closed.
pub(crate) fn open(mut hive: Vec<u8>) -> Vec<u8> {
    put(&mut hive, 4, 8);
    put(&mut hive, 8, 7);
    hive
}

fn not_understood(tree: &Tree) -> Vec<String> {
    tree.scan(&[]).coverage.not_understood.into_keys().collect()
}

#[test]
fn what_stands_only_in_the_log_of_a_hive_is_found() {
    let tree = Tree::new();
    tree.add(HIVE, open(software("0"))).add("Windows/System32/winevt/Logs/x.txt", "x");
    assert!(!ids(&tree.scan(&[])).contains(&"defence.policy".to_owned()));
    assert!(not_understood(&tree)[0].ends_with("there are none"));
    tree.add(&format!("{HIVE}.LOG1"), Vec::new())
        .add(&format!("{HIVE}.LOG2"), log(7, &software("1")));
    assert!(ids(&tree.scan(&[])).contains(&"defence.policy".to_owned()));
    assert_eq!(not_understood(&tree), Vec::<String>::new());
    // And the other way round: what was taken back is not.
    tree.add(HIVE, open(software("1"))).add(&format!("{HIVE}.LOG2"), log(7, &software("0")));
    assert!(!ids(&tree.scan(&[])).contains(&"defence.policy".to_owned()));
}

#[test]
fn a_log_that_is_older_or_damaged_is_not_applied_and_that_is_said() {
    let tree = Tree::new();
    let mut damaged = log(7, &software("1"));
    damaged[44] ^= 1;
    for log in [log(6, &software("1")), damaged] {
        tree.add(HIVE, open(software("0"))).add(&format!("{HIVE}.LOG1"), log);
        assert!(!ids(&tree.scan(&[])).contains(&"defence.policy".to_owned()));
        assert!(not_understood(&tree)[0].contains("no whole change that is newer"));
    }
    // Nor does a hive hide by saying that it is a log.
    let mut hidden = software("1");
    put(&mut hidden, 28, 6);
    tree.add(HIVE, hidden);
    assert!(ids(&tree.scan(&[])).contains(&"defence.policy".to_owned()));
    // A closed hive needs none.
    tree.add(HIVE, software("0"));
    assert_eq!(not_understood(&tree), Vec::<String>::new());
}
