//! A witness: what it is asked, what it answers, and that it never vouches for two histories.

use bartizan_testkit::world::Log;
use bartizan_trust::id::Sha256;
use bartizan_trust::limits;
use bartizan_trust::note::VerifierKey;
use bartizan_trust::time::UnixSeconds;
use bartizan_trust::witness::{AddCheckpoint, View, WitnessRefusal};
use proptest::prelude::*;

fn log(size: u64) -> Log {
    let mut log = Log::named("watched").unwrap();
    for n in 0..size {
        log.append(super::entry(n));
    }
    log
}

fn request(log: &Log, old: u64, size: u64) -> AddCheckpoint {
    let note = log.note(size, &[], UnixSeconds::ZERO).unwrap();
    let path = if old > size { Vec::new() } else { log.consistency(old, size).unwrap() };
    AddCheckpoint { old, path, note }
}

fn judge(view: Option<View>, request: &AddCheckpoint, key: &VerifierKey) -> Result<View, u16> {
    request.judge(view, key).map(|(view, _)| view).map_err(WitnessRefusal::status)
}

#[test]
fn every_answer_has_the_status_of_c2sp() {
    let log = log(12);
    let key = log.vkey.clone();
    let at = |size| judge(None, &request(&log, 0, size), &key).unwrap();
    assert_eq!(judge(Some(at(5)), &request(&log, 5, 9), &key).unwrap().size, 9);
    assert_eq!(judge(Some(at(5)), &request(&log, 5, 5), &key).unwrap(), at(5), "a refresh");
    assert_eq!(judge(None, &request(&log, 0, 0), &key).unwrap(), View::nothing());

    let refused = |view, request: &AddCheckpoint| request.judge(view, &key).unwrap_err();
    assert_eq!(refused(Some(at(5)), &request(&log, 0, 9)), WitnessRefusal::Stale(5));
    assert_eq!(refused(Some(at(9)), &request(&log, 5, 5)), WitnessRefusal::Stale(9), "shrunk");
    assert_eq!(refused(None, &request(&log, 5, 9)), WitnessRefusal::Stale(0));
    assert_eq!(refused(Some(at(5)), &request(&log, 9, 5)), WitnessRefusal::OldSize);

    let fork = log.fork(6).unwrap();
    assert_eq!(refused(Some(at(9)), &request(&fork, 9, 9)), WitnessRefusal::Forked(9));
    assert_eq!(refused(Some(at(9)), &request(&fork, 5, 9)), WitnessRefusal::Forked(9));
    assert_eq!(refused(Some(at(9)), &request(&fork, 9, 12)), WitnessRefusal::Inconsistent);
    let mut spoilt = request(&log, 5, 9);
    spoilt.path.push(Sha256::of(b"one more"));
    assert_eq!(refused(Some(at(5)), &spoilt), WitnessRefusal::Inconsistent);

    let other = Log::named("another").unwrap();
    assert_eq!(judge(None, &request(&other, 0, 0), &key), Err(404));
    let mut unsigned = request(&log, 0, 9);
    let end = unsigned.note.len() - 10;
    unsigned.note[end] ^= 1;
    assert_eq!(judge(None, &unsigned, &key), Err(403));
}

#[test]
fn bodies_read_back_and_malformed_ones_do_not() {
    let log = log(200);
    for (old, size) in [(0, 0), (0, 7), (7, 200), (200, 200)] {
        let request = request(&log, old, size);
        assert_eq!(AddCheckpoint::decode(&request.encode()), Ok(request));
    }
    let good = String::from_utf8(request(&log, 7, 200).encode()).unwrap();
    for (from, to) in [
        ("old 7\n", "old 07\n"),
        ("old 7\n", "old -7\n"),
        ("old 7\n", "old  7\n"),
        ("old 7\n", "old 7\r\n"),
        ("old 7\n", "OLD 7\n"),
        ("old 7\n", ""),
        ("=\n", "\n"),
        ("\n\n", "\n"),
    ] {
        let bad = good.replacen(from, to, 1);
        assert_eq!(
            AddCheckpoint::decode(bad.as_bytes()).map_err(WitnessRefusal::status),
            Err(400),
            "{bad}"
        );
    }
    assert!(AddCheckpoint::decode(b"old 0\n\nno note").unwrap().origin().is_err());
}

#[test]
fn the_limits_of_a_body_hold() {
    let note = b"x\n".to_vec();
    let with =
        |hashes| AddCheckpoint { old: 1, path: vec![Sha256::of(b"x"); hashes], note: note.clone() };
    let most = limits::ADD_CHECKPOINT_PROOF_MAX;
    assert!(AddCheckpoint::decode(&with(most).encode()).is_ok());
    assert!(AddCheckpoint::decode(&with(most + 1).encode()).is_err());
    let head = AddCheckpoint { old: 1, path: Vec::new(), note: Vec::new() }.encode().len();
    let long = |bytes| AddCheckpoint { old: 1, path: Vec::new(), note: vec![b'x'; bytes] }.encode();
    let most = limits::ADD_CHECKPOINT_BYTES_MAX - head;
    assert!(AddCheckpoint::decode(&long(most)).is_ok());
    assert!(AddCheckpoint::decode(&long(most + 1)).is_err());
}

/// Where a witness is when its power goes.
#[derive(Debug, Clone, Copy)]
enum Killed {
    BeforeTheDisk,
    BeforeTheAnswer,
    Never,
}

/// One request of somebody who holds the log's key and tries everything.
#[derive(Debug, Clone)]
struct Try {
    history: usize,
    old: u64,
    size: u64,
    /// Whether `old` is what the witness said it has.
    informed: bool,
    killed: Killed,
}

fn tries() -> impl Strategy<Value = Vec<Try>> {
    let killed = prop_oneof![
        1 => Just(Killed::BeforeTheDisk),
        1 => Just(Killed::BeforeTheAnswer),
        3 => Just(Killed::Never)
    ];
    let one = (0..4_usize, 0..24_u64, 0..24_u64, any::<bool>(), killed).prop_map(
        |(history, old, size, informed, killed)| Try { history, old, size, informed, killed },
    );
    prop::collection::vec(one, 1..60)
}

proptest! {
    #![proptest_config(crate::cases(200))]

    /// Forks at several depths, stale and replayed requests, kills between any two steps.
    #[test]
    fn a_witness_never_cosigns_two_histories(tries in tries()) {
        let whole = log(24);
        let histories = [
            log(24), whole.fork(1).unwrap(), whole.fork(9).unwrap(), whole.fork(24).unwrap(),
        ];
        let key = &whole.vkey;
        let mut disk: Option<View> = None;
        let mut given: Vec<(usize, View)> = Vec::new();
        for one in tries {
            let log = &histories[one.history];
            let known = disk.map_or(0, |view| view.size);
            let old = if one.informed { known } else { one.old };
            let body = request(log, old, one.size).encode();
            let asked = AddCheckpoint::decode(&body).unwrap();
            let Ok((view, _)) = asked.judge(disk, key) else { continue };
            if matches!(one.killed, Killed::BeforeTheDisk) { continue }
            disk = Some(view);
            if matches!(one.killed, Killed::BeforeTheAnswer) { continue }
            given.push((one.history, view));
        }
        for (at, (history, later)) in given.iter().enumerate() {
            for (_, earlier) in &given[..at] {
                prop_assert!(earlier.size <= later.size, "it went back");
                let log = &histories[*history];
                let root = checkpoint_root(log, earlier.size);
                prop_assert_eq!(root, earlier.root, "two histories");
            }
        }
    }
}

fn checkpoint_root(log: &Log, size: u64) -> Sha256 {
    let note = log.note(size, &[], UnixSeconds::ZERO).unwrap();
    bartizan_trust::checkpoint::open(&note, &log.vkey).unwrap().checkpoint.root
}
