//! What is written out to others, alike on both engines.

use bartizan_store::{OutgoingWaiting, SeriesOwner, Store};

use crate::{endpoint, on_both, write};

fn owner(store: &Store, name: &'static str) -> SeriesOwner {
    write(store, move |tx| tx.series_owner(endpoint(name)))
}

fn begin(store: &Store, destination: &'static str) {
    write(store, move |tx| tx.begin_outgoing(destination));
}

fn put(store: &Store, owner: SeriesOwner, first: u64) {
    write(store, move |tx| tx.put_outgoing(owner, (first, first + 60), first));
}

fn after(store: &Store, destination: &'static str) -> Vec<(SeriesOwner, u64)> {
    let found = write(store, move |tx| {
        let place = tx.outgoing_place(destination)?;
        tx.outgoing_after(place, 10)
    });
    found.iter().map(|record| (record.owner, record.first)).collect()
}

fn advance(store: &Store, destination: &'static str, many: usize) {
    write(store, move |tx| {
        let place = tx.outgoing_place(destination)?;
        let found = tx.outgoing_after(place, 10)?;
        let Some(last) = found.iter().take(many).next_back() else { return Ok(()) };
        tx.advance_outgoing(destination, last.id)
    });
}

fn forget(store: &Store, before: u64) -> u64 {
    let names = ["one", "two"].map(str::to_owned);
    write(store, move |tx| tx.forget_outgoing(&names, before))
}

#[test]
fn each_destination_gets_everything_once_and_in_order_from_its_beginning_on() {
    on_both(|open| {
        let store = open();
        let (a, b) = (owner(&store, "a"), owner(&store, "b"));
        put(&store, a, 100);
        begin(&store, "one");
        assert_eq!(after(&store, "one"), [], "what came before it was there is not its affair");
        put(&store, b, 200);
        put(&store, a, 300);
        begin(&store, "two");
        assert_eq!(after(&store, "two"), []);
        put(&store, a, 400);
        assert_eq!(after(&store, "one"), [(b, 200), (a, 300), (a, 400)]);
        assert_eq!(after(&store, "two"), [(a, 400)]);
        advance(&store, "one", 2);
        drop(store);
        let store = open();
        begin(&store, "one");
        assert_eq!(after(&store, "one"), [(a, 400)], "also after a restart");
        let waiting = write(&store, |tx| tx.outgoing_waiting("one"));
        assert_eq!(waiting, OutgoingWaiting { entries: 1, since: Some(400) });
        advance(&store, "one", 1);
        let waiting = write(&store, |tx| tx.outgoing_waiting("one"));
        assert_eq!(waiting, OutgoingWaiting::default());
        // A place never goes back.
        write(&store, |tx| tx.advance_outgoing("one", 1));
        assert_eq!(after(&store, "one"), []);
    });
}

#[test]
fn what_everybody_has_or_is_too_old_is_forgotten_and_no_number_comes_twice() {
    on_both(|open| {
        let store = open();
        let a = owner(&store, "a");
        begin(&store, "one");
        begin(&store, "two");
        for first in [100, 200, 300, 400] {
            put(&store, a, first);
        }
        advance(&store, "one", 4);
        assert_eq!(forget(&store, 0), 0, "the other has none of them");
        advance(&store, "two", 1);
        assert_eq!(forget(&store, 0), 1);
        assert_eq!(forget(&store, 300), 1, "too old, whoever waits for it");
        let waiting = write(&store, |tx| tx.outgoing_waiting("two"));
        assert_eq!(waiting, OutgoingWaiting { entries: 2, since: Some(300) });
        advance(&store, "two", 2);
        assert_eq!(forget(&store, 0), 1, "all but the newest, whose number is the next one's base");
        put(&store, a, 500);
        assert_eq!(after(&store, "one"), [(a, 500)]);
        assert_eq!(after(&store, "two"), [(a, 500)]);
    });
}
