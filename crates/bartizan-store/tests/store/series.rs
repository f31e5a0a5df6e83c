//! Where samples are kept, alike on both engines.

use bartizan_store::{SERIES_PARTS_MAX, SeriesOwner, Store, WindowRows};

use crate::{admission, endpoint, introduction, on_both, statement, write};

fn owner(store: &Store, name: &'static str) -> SeriesOwner {
    write(store, move |tx| tx.series_owner(endpoint(name)))
}

fn put(store: &Store, owner: SeriesOwner, window: u64, bytes: &[u8]) -> bool {
    let bytes = bytes.to_vec();
    write(store, move |tx| tx.put_series_part(owner, window, &bytes))
}

#[test]
fn every_endpoint_has_a_number_and_keeps_it() {
    on_both(|open| {
        let store = open();
        let (a, b) = (owner(&store, "a"), owner(&store, "b"));
        assert_ne!(a, b);
        assert_eq!(owner(&store, "a"), a);
        assert_eq!(write(&store, |tx| tx.find_series_owner(endpoint("c"))), None);
        drop(store);
        assert_eq!(owner(&open(), "b"), b);
    });
}

#[test]
fn parts_become_chunks_and_a_late_part_opens_the_window_again() {
    on_both(|open| {
        let store = open();
        let (a, b) = (owner(&store, "a"), owner(&store, "b"));
        for (owner, window, bytes) in
            [(a, 5, "1"), (a, 5, "2"), (a, 6, "3"), (b, 5, "4"), (b, 9, "5")]
        {
            assert!(put(&store, owner, window, bytes.as_bytes()));
        }
        let open_from = |after| write(&store, move |tx| tx.open_windows(7, after, 10));
        assert_eq!(open_from(SeriesOwner(0)), [(a, 5), (a, 6), (b, 5)]);
        assert_eq!(open_from(a), [(b, 5)]);
        let rows = write(&store, move |tx| tx.series_window(a, 5));
        assert_eq!(
            rows,
            WindowRows { parts: vec![b"1".to_vec(), b"2".to_vec()], ..WindowRows::default() }
        );

        let chunks = [b"raw".to_vec(), b"five".to_vec(), b"hour".to_vec()];
        let close = |parts: usize| {
            let chunks = chunks.clone();
            write(&store, move |tx| tx.close_series_window((a, 5), parts, &chunks))
        };
        assert!(!close(1), "another one has come");
        assert!(close(2));
        assert!(!close(0), "it is closed");
        assert_eq!(open_from(SeriesOwner(0)), [(a, 6), (b, 5)]);
        let level = |level| write(&store, move |tx| tx.series_chunks(level, a, (0, 99)));
        assert_eq!(level(1), [(5, b"five".to_vec())]);
        put(&store, a, 5, b"late");
        let rows = write(&store, move |tx| tx.series_window(a, 5));
        assert_eq!(
            (rows.parts, rows.chunks[2].clone()),
            (vec![b"late".to_vec()], Some(b"hour".to_vec()))
        );
        assert_eq!(write(&store, move |tx| tx.series_parts(a, (6, 6))), [(6, b"3".to_vec())]);
    });
}

#[test]
fn a_window_takes_so_many_parts_and_no_more() {
    on_both(|open| {
        let store = open();
        let a = owner(&store, "a");
        for _ in 0..SERIES_PARTS_MAX {
            assert!(put(&store, a, 1, b"x"));
        }
        assert!(!put(&store, a, 1, b"x"));
        assert!(put(&store, a, 2, b"x"), "another window");
        let b = owner(&store, "b");
        assert!(put(&store, b, 1, b"x"), "another endpoint");
        assert_eq!(write(&store, move |tx| tx.series_parts(a, (1, 1))).len(), 512);
    });
}

#[test]
fn what_is_old_is_forgotten_by_level_and_owner() {
    on_both(|open| {
        let store = open();
        write(&store, |tx| tx.put_enrolment(statement("enrolment"), b"envelope"));
        write(&store, |tx| tx.introduce(&introduction("a"), Some(&admission(9, true)), 7));
        let (a, b) = (owner(&store, "a"), owner(&store, "b"));
        for owner in [a, b] {
            for window in 1..=3 {
                put(&store, owner, window, b"x");
                let chunks = [b"r".to_vec(), b"f".to_vec(), b"h".to_vec()];
                write(&store, move |tx| tx.close_series_window((owner, window), 1, &chunks));
            }
        }
        let owners = write(&store, |tx| tx.series_owners(SeriesOwner(0), 10));
        assert_eq!(owners, [(a, Some(admission(1, true).tenant)), (b, None)]);
        assert_eq!(write(&store, move |tx| tx.series_owners(a, 10)).len(), 1);
        assert_eq!(write(&store, move |tx| tx.forget_series(0, a, 3)), 2);
        let left =
            |level, owner| write(&store, move |tx| tx.series_chunks(level, owner, (0, 9))).len();
        assert_eq!((left(0, a), left(1, a), left(0, b)), (1, 3, 3));
    });
}
