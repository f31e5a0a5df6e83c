//! The fleet as people look at it, alike on both engines.

use bartizan_store::{Access, FleetFilter, FleetOrder, NewJob, PlaceCount, Store, Tx};

use crate::{admission, endpoint, introduction, job, on_both, receipt, statement, write};

/// Five endpoints: three of one site, one that an enrolment let in by hand, one that nobody knows.
fn fill(store: &Store) {
    for (name, admitted, now) in
        [("b-web", true, 30), ("a-db", true, 10), ("c%mail", true, 20), ("d-new", false, 40)]
    {
        write(store, move |tx| {
            tx.put_enrolment(statement("enrolment"), b"enrolment")?;
            tx.introduce(&introduction(name), Some(&admission(9, admitted)), now)
        });
    }
    write(store, |tx| tx.introduce(&introduction("e-odd"), None, 50));
}

fn names(store: &Store, filter: FleetFilter, offset: u64, limit: u64) -> (u64, Vec<String>) {
    let read = store.call(Access::Read, move |tx| tx.fleet_window(&filter, offset, limit));
    let (total, rows) = read.expect("window");
    (total, rows.into_iter().map(|row| row.hostname.replace(".example", "")).collect())
}

#[test]
fn windows_are_filtered_sorted_and_counted_by_the_database() {
    on_both(|open| {
        let store = open();
        fill(&store);
        let check = |filter: FleetFilter, (offset, limit), total, expected: &[&str]| {
            let found = names(&store, filter.clone(), offset, limit);
            let expected = expected.iter().map(|name| (*name).to_owned()).collect();
            assert_eq!(found, (total, expected), "{filter:?}");
        };
        let all = FleetFilter::default;
        let text = |text: &str| Some(text.to_owned());
        check(all(), (0, 9), 5, &["a-db", "b-web", "c%mail", "d-new", "e-odd"]);
        check(all(), (1, 2), 5, &["b-web", "c%mail"]);
        check(all(), (9, 2), 5, &[]);
        check(FleetFilter { descending: true, ..all() }, (0, 2), 5, &["e-odd", "d-new"]);
        let seen = FleetFilter { order: FleetOrder::LastSeen, descending: true, ..all() };
        check(seen, (0, 2), 5, &["e-odd", "d-new"]);
        // Those that belong to nobody come first, on both engines.
        check(FleetFilter { order: FleetOrder::Tenant, ..all() }, (0, 2), 5, &["e-odd", "a-db"]);
        check(FleetFilter { order: FleetOrder::Os, ..all() }, (0, 1), 5, &["a-db"]);
        check(FleetFilter { search: text("%"), ..all() }, (0, 9), 1, &["c%mail"]);
        check(FleetFilter { search: text("WEB"), ..all() }, (0, 9), 1, &["b-web"]);
        check(FleetFilter { search: text("' OR 1=1"), ..all() }, (0, 9), 0, &[]);
        let id = endpoint("a-db").to_string();
        check(FleetFilter { search: Some(id), ..all() }, (0, 9), 1, &["a-db"]);
        check(FleetFilter { tenant: text(""), ..all() }, (0, 9), 1, &["e-odd"]);
        check(FleetFilter { tenant: text("tn_other"), ..all() }, (0, 9), 0, &[]);
        let here = FleetFilter { tenant: text("tn_acme"), site: text("si_hq"), ..all() };
        check(here.clone(), (0, 9), 4, &["a-db", "b-web", "c%mail", "d-new"]);
        check(FleetFilter { admitted: Some(false), ..here }, (0, 9), 1, &["d-new"]);
    });
}

#[test]
fn all_that_are_let_in_are_walked_through_by_their_ids() {
    on_both(|open| {
        let store = open();
        fill(&store);
        let (mut found, mut last) = (Vec::new(), None);
        loop {
            let page = store.call(Access::Read, move |tx| tx.admitted_after(last, 2));
            let page = page.expect("page");
            let Some(row) = page.last() else { break };
            last = Some(row.id);
            assert!(page.len() <= 2);
            found.extend(page.into_iter().map(|row| row.id));
        }
        let mut expected = ["a-db", "b-web", "c%mail"].map(endpoint);
        expected.sort();
        assert_eq!(found, expected, "each once, by id, and nobody else");
    });
}

#[test]
fn sites_are_counted_and_endpoints_named() {
    on_both(|open| {
        let store = open();
        fill(&store);
        let mut counts =
            store.call(Access::Read, |tx: &mut Tx<'_>| tx.fleet_counts()).expect("counts");
        counts.sort_by_key(|count| (count.place.0.is_some(), count.admitted));
        let shown: Vec<(bool, bool, u64)> = counts
            .iter()
            .map(|PlaceCount { place, admitted, count }| (place.0.is_some(), *admitted, *count))
            .collect();
        assert_eq!(shown, [(false, false, 1), (true, false, 1), (true, true, 3)]);
        let inside = FleetFilter { admitted: Some(true), ..FleetFilter::default() };
        let total = store.call(Access::Read, move |tx: &mut Tx<'_>| tx.fleet_total(&inside));
        assert_eq!(total.expect("total"), 3, "only those that are let in");
        let ids = [endpoint("c%mail"), endpoint("unknown"), endpoint("a-db")];
        let rows = store.call(Access::Read, move |tx| tx.fleet_rows(&ids)).expect("rows");
        let names: Vec<&str> = rows.iter().map(|row| row.hostname.as_str()).collect();
        assert_eq!(names, ["c%mail.example", "a-db.example"]);
        let ids = store.call(Access::Read, |tx| tx.fleet_ids(&FleetFilter::default(), 0, 2));
        assert_eq!(ids.expect("ids"), [endpoint("a-db"), endpoint("b-web")]);
        let ids = store.call(Access::Read, |tx| tx.fleet_ids(&FleetFilter::default(), 4, 2));
        assert_eq!(ids.expect("ids"), [endpoint("e-odd")]);
    });
}

#[test]
fn an_endpoint_knows_its_jobs_and_a_job_its_counts() {
    on_both(|open| {
        let store = open();
        fill(&store);
        for (name, targets) in [("one", &["a-db", "b-web"][..]), ("two", &["a-db"])] {
            let job = job(name, targets);
            write(&store, move |tx| tx.put_job(&job));
        }
        write(&store, |tx| tx.move_target(statement("one"), endpoint("b-web"), "running"));
        let of = |name: &'static str| {
            let read = move |tx: &mut Tx<'_>| tx.jobs_of_endpoint(endpoint(name), 0, 1);
            let (total, jobs) = store.call(Access::Read, read).expect("jobs");
            (total, jobs.len())
        };
        assert_eq!((of("a-db"), of("b-web"), of("e-odd")), ((2, 1), (1, 1), (0, 0)));
        let counts = store.call(Access::Read, |tx| tx.target_counts(statement("one")));
        let expected = [("queued".to_owned(), None, 1), ("running".to_owned(), None, 1)];
        assert_eq!(counts.expect("counts"), expected);
        let page = store.call(Access::Read, |tx| tx.jobs_from(Some("active"), 1, 9));
        assert_eq!(page.expect("jobs").len(), 1);
    });
}

#[test]
fn five_hundred_jobs_that_wait_are_found_window_by_window_behind_newer_ones() {
    on_both(|open| {
        let store = open();
        write(&store, |tx| {
            for number in 0..700_u64 {
                let state = if number < 500 { "pending" } else { "active" };
                let submitted = 100 + number;
                tx.put_job(&NewJob { submitted, state, ..job(&format!("job {number}"), &["a"]) })?;
            }
            Ok(())
        });
        let mut found = Vec::new();
        for offset in [0, 200, 400, 600] {
            let read = move |tx: &mut Tx<'_>| tx.jobs_from(Some("pending"), offset, 200);
            found.extend(store.call(Access::Read, read).expect("jobs"));
        }
        assert_eq!(found.len(), 500);
        let oldest = found.last().map(|job| job.id);
        assert_eq!(oldest, Some(statement("job 0")), "however old");
    });
}

#[test]
fn the_newest_receipt_of_each_endpoint_of_a_standing_order() {
    on_both(|open| {
        let store = open();
        write(&store, |tx| tx.put_job(&job("order", &["a", "b", "c"])));
        for (seq, by) in [(1, "a"), (3, "a"), (2, "b")] {
            let (record, answer) = receipt(seq, by, "order", "running", "ok");
            write(&store, move |tx| tx.put_receipt(&record, &answer));
        }
        let newest = |after: String, limit| {
            let read = move |tx: &mut Tx<'_>| tx.newest_receipts(statement("order"), &after, limit);
            let rows = store.call(Access::Read, read).expect("receipts");
            rows.into_iter().map(|row| (row.endpoint, row.seq)).collect::<Vec<_>>()
        };
        let mut expected = vec![(endpoint("a").to_string(), 3), (endpoint("b").to_string(), 2)];
        expected.sort();
        assert_eq!(newest(String::new(), 9), expected);
        let first = newest(String::new(), 1);
        assert_eq!(first, expected[..1]);
        assert_eq!(newest(first[0].0.clone(), 9), expected[1..]);
    });
}
