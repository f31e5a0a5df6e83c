//! Event logs that Windows wrote, see `tests/scan/real/README.md`. Numbers and times are what an independent reader, python-evtx,
//! says of them.

use std::io::{Cursor, Read as _};

use bartizan_scan::events::EventLogs;
use bartizan_scan::fuzz;
use bartizan_scan::model::{Coverage, Finding};
use bartizan_scan::sigma::Sigma;
use flate2::read::GzDecoder;

const SHORT: &[u8] = include_bytes!("real/Security_short_selected.evtx.gz");
const NEW_USER: &[u8] = include_bytes!("real/new-user-security.evtx.gz");

fn unpacked(packed: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    GzDecoder::new(packed).read_to_end(&mut bytes).unwrap();
    bytes
}

fn read(packed: &[u8]) -> (Vec<(u64, u32)>, Vec<Finding>, Coverage) {
    let mut logs = EventLogs::default();
    let mut events = Vec::new();
    let mut coverage = Coverage::default();
    let each = |event: &bartizan_scan::events::Event| events.push((event.record, event.event));
    logs.read("log", Cursor::new(unpacked(packed)), &mut Sigma::new([]), each).unwrap();
    let findings = logs.finish(&mut coverage);
    (events, findings, coverage)
}

#[test]
fn every_event_that_windows_wrote_is_read() {
    let (events, findings, coverage) = read(SHORT);
    let expected = [(1, 5152), (2, 4611), (3, 4776), (4, 4625), (5, 5152), (6, 5157), (7, 4673)];
    assert_eq!(events, expected);
    assert_eq!((findings.len(), coverage.not_understood.len()), (0, 0));
    let [period] = coverage.periods.as_slice() else { panic!("one log") };
    assert_eq!(period.from.to_string(), "2016-06-29T15:24:34Z");
    assert_eq!(period.until.to_string(), "2016-06-29T15:25:08Z");
}

/// What stands in free space may be overwritten in part: its time is not believed.
#[test]
fn deleted_records_are_read_and_do_not_say_how_far_a_log_goes_back() {
    let (events, _, coverage) = read(NEW_USER);
    assert!(!events.is_empty());
    let [period] = coverage.periods.as_slice() else { panic!("one log") };
    assert!(period.from.to_string().starts_with("2013-10-"), "{period:?}");
}

/// Whoever overwrites a log and leaves its head must not have it counted as a log without events.
#[test]
fn a_log_of_which_only_the_head_is_left_is_not_an_empty_one() {
    let mut bytes = unpacked(SHORT);
    let whole = bytes.len();
    bytes.truncate(4096);
    bytes.resize(whole, 0xff);
    let mut logs = EventLogs::default();
    let result = logs.read("log", Cursor::new(bytes), &mut Sigma::new([]), |_| {});
    assert!(result.unwrap_err().to_string().contains("overwritten"));
}

#[test]
fn logs_of_windows_end_no_scan_when_they_are_damaged() {
    for packed in [SHORT, NEW_USER] {
        let whole = unpacked(packed);
        for number in 0..64_usize {
            let mut bytes = whole.clone();
            // Places in the first chunk, where there is something to damage.
            let place = 4096 + (number.wrapping_mul(2_654_435_761_usize) >> 7) % 16_384;
            bytes[place] ^= u8::try_from(number).unwrap() | 1;
            fuzz::event_log(&bytes);
            fuzz::event_log(&bytes[..place]);
        }
    }
}
