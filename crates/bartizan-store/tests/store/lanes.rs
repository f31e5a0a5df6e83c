//! Two lanes lead to the database: nobody waits behind a flood of reports, and reports are never left out.

use std::sync::mpsc::{channel, sync_channel};

use bartizan_store::{Access, Store, StoreError};

use crate::on_both;

/// What was done, in order, while the database was held by an operation until everything had been queued.
fn order_of(store: &Store, queued: &[(Access, u32)]) -> Vec<u32> {
    let (release, held) = sync_channel::<()>(0);
    let (entered, inside) = sync_channel::<()>(0);
    let (tell, told) = channel();
    let hold = move |_: &mut bartizan_store::Tx<'_>| {
        entered.send(()).map_err(|_| StoreError::Closed)?;
        held.recv().map_err(|_| StoreError::Closed)
    };
    store.submit(Access::Read, hold, drop).expect("hold the database");
    inside.recv().expect("it is held");
    for (access, number) in queued.iter().copied() {
        let tell = tell.clone();
        let done =
            move |_: &mut bartizan_store::Tx<'_>| tell.send(number).map_err(|_| StoreError::Closed);
        store.submit(access, done, drop).expect("queued");
    }
    drop(tell);
    release.send(()).expect("let it go");
    told.iter().collect()
}

#[test]
fn what_people_wait_for_overtakes_reports() {
    on_both(|open| {
        let store = open();
        let reports = (0..300).map(|number| (Access::Report, number));
        let mut queued: Vec<_> = reports.collect();
        queued.extend([(Access::Write, 1000), (Access::Read, 1001)]);
        let order = order_of(&store, &queued);
        assert_eq!(order.get(..2), Some([1000, 1001].as_slice()), "first, in their order");
        let rest: Vec<u32> = (0..300).collect();
        assert_eq!(order.get(2..), Some(rest.as_slice()), "then all reports, in theirs");
    });
}

#[test]
fn reports_go_on_while_others_keep_coming() {
    on_both(|open| {
        let store = open();
        let mut queued = vec![(Access::Report, 1000)];
        queued.extend((0..600).map(|number| (Access::Write, number)));
        let order = order_of(&store, &queued);
        let place = order.iter().position(|number| *number == 1000).expect("done");
        assert!(place <= 128, "in the first group, after {place} others");
    });
}

#[test]
fn a_full_lane_leaves_the_other_open() {
    on_both(|open| {
        let store = open();
        let (release, held) = sync_channel::<()>(0);
        let (entered, inside) = sync_channel::<()>(0);
        let hold = move |_: &mut bartizan_store::Tx<'_>| {
            entered.send(()).map_err(|_| StoreError::Closed)?;
            held.recv().map_err(|_| StoreError::Closed)
        };
        store.submit(Access::Read, hold, drop).expect("hold the database");
        inside.recv().expect("it is held");
        let queue = |access| store.submit(access, |_| Ok(()), drop);
        for _ in 0..bartizan_store::QUEUE_MAX {
            queue(Access::Report).expect("room");
        }
        assert!(matches!(queue(Access::Report), Err(StoreError::Busy)));
        queue(Access::Write).expect("the other lane has room");
        release.send(()).expect("let it go");
    });
}
