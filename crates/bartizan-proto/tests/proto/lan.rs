//! Freezes in datagrams: put together whatever the order, bounded whatever comes.

use std::time::Duration;

use bartizan_proto::lan::{Collector, DATAGRAM_BYTES_MAX, datagrams};
use bartizan_proto::limits;
use proptest::prelude::*;

const NOW: Duration = Duration::from_secs(100);

fn envelope(size: usize, salt: u8) -> Vec<u8> {
    (0..size).map(|n| u8::try_from(n % 251).unwrap() ^ salt).collect()
}

fn collect(collector: &mut Collector, pieces: &[Vec<u8>], now: Duration) -> Vec<Vec<u8>> {
    pieces.iter().filter_map(|piece| collector.take(piece, now)).collect()
}

#[test]
fn an_envelope_at_the_limit_passes_and_one_above_has_no_datagrams() {
    for size in [1, limits::LAN_PIECE_BYTES_MAX, limits::LAN_ENVELOPE_BYTES_MAX] {
        let whole = envelope(size, 0);
        let pieces = datagrams(&whole);
        assert!(pieces.iter().all(|piece| piece.len() <= DATAGRAM_BYTES_MAX));
        assert_eq!(collect(&mut Collector::default(), &pieces, NOW), [whole]);
    }
    assert!(datagrams(&envelope(limits::LAN_ENVELOPE_BYTES_MAX + 1, 0)).is_empty());
    assert!(datagrams(b"").is_empty());
}

#[test]
fn order_and_repetition_do_not_matter_and_one_is_handed_on_once_in_a_while() {
    let whole = envelope(3000, 1);
    let mut pieces = datagrams(&whole);
    pieces.reverse();
    let twice = [pieces.clone(), pieces.clone()].concat();
    let mut collector = Collector::default();
    assert_eq!(collect(&mut collector, &twice, NOW), [whole.as_slice()]);
    let later = NOW + Duration::from_secs(10);
    assert_eq!(collect(&mut collector, &pieces, later), [whole]);
}

#[test]
fn a_datagram_that_does_not_fit_is_dropped() {
    let pieces = datagrams(&envelope(3000, 2));
    let changed = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut piece = pieces[0].clone();
        change(&mut piece);
        piece
    };
    for piece in [
        vec![],
        pieces[0][..41].to_vec(),
        pieces[0][..42].to_vec(),
        changed(&|piece| piece[0] = 0),
        changed(&|piece| piece[40] = 3),
        changed(&|piece| piece[41] = 17),
        changed(&|piece| piece[41] = 0),
        changed(&|piece| piece.push(0)),
        changed(&|piece| piece.truncate(piece.len() - 1)),
    ] {
        let mut all = pieces.clone();
        all[0] = piece;
        assert!(collect(&mut Collector::default(), &all, NOW).is_empty());
    }
}

#[test]
fn pieces_of_a_forged_whole_are_not_handed_on_and_the_true_one_still_is() {
    let whole = envelope(2000, 3);
    let pieces = datagrams(&whole);
    let mut forged = pieces.clone();
    *forged[1].last_mut().unwrap() ^= 1;
    let mut collector = Collector::default();
    assert!(collect(&mut collector, &forged, NOW).is_empty());
    // Repeated by its sender, as it is.
    assert_eq!(collect(&mut collector, &pieces, NOW), [whole]);
}

#[test]
fn a_flood_is_dropped_and_a_second_later_a_freeze_passes() {
    let mut collector = Collector::default();
    let handed_on = (0..=u8::MAX)
        .flat_map(|salt| datagrams(&envelope(40, salt)))
        .filter_map(|piece| collector.take(&piece, NOW))
        .count();
    assert_eq!(handed_on, usize::try_from(limits::LAN_FREEZES_PER_S).unwrap());
    let honest = envelope(900, 7);
    assert!(collect(&mut collector, &datagrams(&honest), NOW).is_empty());
    let later = NOW + Duration::from_secs(1);
    assert_eq!(collect(&mut collector, &datagrams(&honest), later), [honest]);
}

#[test]
fn beginnings_that_nobody_ends_make_room() {
    let mut collector = Collector::default();
    for salt in 0..100 {
        assert_eq!(collector.take(&datagrams(&envelope(2000, salt))[0], NOW), None);
    }
    let honest = envelope(2000, 200);
    assert_eq!(collect(&mut collector, &datagrams(&honest), NOW), [honest]);
}

proptest! {
    #[test]
    fn no_bytes_are_too_strange(junk in proptest::collection::vec(any::<Vec<u8>>(), 0..64)) {
        let mut collector = Collector::default();
        for piece in junk {
            let piece = [b"bzfreez1".as_slice(), &piece].concat();
            prop_assert_eq!(collector.take(&piece, NOW), None);
        }
    }
}
