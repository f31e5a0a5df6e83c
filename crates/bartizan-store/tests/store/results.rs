//! Results of scans, alike on both engines.

use bartizan_store::Store;

use crate::{endpoint, on_both, statement, write};

const MAX: u64 = 10;

fn put(store: &Store, (job, by): (&'static str, &'static str), start: u64, bytes: &[u8]) {
    let bytes = bytes.to_vec();
    let of = (statement(job), endpoint(by));
    write(store, move |tx| tx.put_result(of, start, &bytes, MAX));
}

fn kept(store: &Store, job: &'static str, by: &'static str) -> Vec<u8> {
    write(store, move |tx| tx.result(statement(job), endpoint(by)))
}

#[test]
fn a_result_grows_piece_by_piece_and_only_at_its_end() {
    on_both(|open| {
        let store = open();
        let of = ("j", "a");
        assert_eq!(kept(&store, "j", "a"), b"", "nothing yet");
        put(&store, of, 3, b"too early");
        assert_eq!(kept(&store, "j", "a"), b"");
        // No text, and not what either engine would take for one.
        put(&store, of, 0, b"\0\xff'");
        put(&store, of, 3, b"def");
        assert_eq!(kept(&store, "j", "a"), b"\0\xff'def");
        for (start, bytes) in [(0, &b"other"[..]), (3, b"xyz"), (4, b"xyz"), (7, b"xyz"), (6, b"")]
        {
            put(&store, of, start, bytes);
            assert_eq!(kept(&store, "j", "a"), b"\0\xff'def", "{start}");
        }
        put(&store, of, 6, b"above");
        assert_eq!(kept(&store, "j", "a").len(), 6, "one byte more than may be kept");
        put(&store, of, 6, b"full");
        put(&store, of, 10, b"x");
        assert_eq!(kept(&store, "j", "a"), b"\0\xff'deffull");
        put(&store, of, u64::MAX, b"x");
        drop(store);
        assert_eq!(kept(&open(), "j", "a").len(), 10, "after a restart");
    });
}

#[test]
fn results_of_others_are_others() {
    on_both(|open| {
        let store = open();
        put(&store, ("j", "a"), 0, b"one");
        put(&store, ("j", "b"), 0, b"two");
        put(&store, ("k", "a"), 0, b"three");
        assert_eq!(
            [kept(&store, "j", "a"), kept(&store, "j", "b"), kept(&store, "k", "a")],
            [b"one".to_vec(), b"two".to_vec(), b"three".to_vec()]
        );
        assert_eq!(kept(&store, "k", "b"), b"");
    });
}
