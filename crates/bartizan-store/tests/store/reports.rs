//! The floor below which reports are known, alike on both engines.

use bartizan_store::{Access, ReportPlace, Store, StoreError, Taken, Tx};

use crate::{endpoint, on_both, write};

fn take(store: &Store, by: &'static str, epoch: u64, seq: u64) -> Taken {
    let place = ReportPlace { epoch, seq, dropped: 1 };
    write(store, move |tx| tx.take_report(endpoint(by), place))
}

#[test]
fn a_report_is_new_once_also_after_a_restart() {
    on_both(|open| {
        let store = open();
        assert_eq!(take(&store, "a", 7, 1), Taken::New);
        assert_eq!(take(&store, "a", 7, 1), Taken::Known(1));
        assert_eq!(take(&store, "a", 7, 5), Taken::New, "gaps are no mistake");
        drop(store);
        let store = open();
        assert_eq!(take(&store, "a", 7, 3), Taken::Known(5));
        assert_eq!(take(&store, "a", 7, 6), Taken::New);
        assert_eq!(take(&store, "b", 7, 1), Taken::New, "another endpoint");
        assert_eq!(take(&store, "a", u64::MAX, 1), Taken::New, "another spool");
        assert_eq!(take(&store, "a", u64::MAX, 1), Taken::Known(1));
        let floor = write(&store, |tx| tx.report_floor(endpoint("a"))).expect("floor");
        assert_eq!((floor.epoch, floor.seq, floor.dropped), (u64::MAX, 1, 4));
        assert_eq!(write(&store, |tx| tx.report_floor(endpoint("c"))), None);
    });
}

#[test]
fn an_operation_that_fails_moves_no_floor() {
    on_both(|open| {
        let store = open();
        let place = ReportPlace { epoch: 1, seq: 1, dropped: 0 };
        let failed = store.call(Access::Write, move |tx: &mut Tx<'_>| {
            tx.take_report(endpoint("a"), place)?;
            Err::<(), _>(StoreError::Column("wanted"))
        });
        assert!(failed.is_err());
        assert_eq!(take(&store, "a", 1, 1), Taken::New);
    });
}

#[test]
fn what_was_refused_is_counted_where_it_came_from_and_claims_do_not_wrap() {
    on_both(|open| {
        let store = open();
        for seq in 1..=3 {
            let place = ReportPlace { epoch: 1, seq, dropped: u64::MAX };
            write(&store, move |tx| tx.take_report(endpoint("a"), place));
        }
        take(&store, "b", 1, 1);
        write(&store, |tx| tx.refuse_report(endpoint("a"), "samples.name"));
        write(&store, |tx| tx.refuse_report(endpoint("a"), "samples.time"));
        let [a, b] = ["a", "b"]
            .map(|by| write(&store, move |tx| tx.report_floor(endpoint(by))).expect("floor"));
        assert_eq!(
            (a.refused, a.refusal.as_deref(), a.dropped),
            (2, Some("samples.time"), 3 << 40)
        );
        assert_eq!((b.refused, b.refusal, b.dropped), (0, None, 1));
    });
}
