//! Alerts, their messages and their rules, alike on both engines.
#![expect(
    clippy::redundant_closure_for_method_calls,
    reason = "a method of `Tx` with one lifetime is not general enough"
)]

use bartizan_store::{AlertFilter, AlertRecord, Attempt, Store, WishRecord};
use bartizan_trust::id::{AlertId, NotificationId, OperatorId, Sha256};

use crate::{endpoint, on_both, write};

fn id(name: &str) -> AlertId {
    AlertId::new(Sha256::of(name.as_bytes()))
}

fn message(name: &str) -> NotificationId {
    NotificationId::new(Sha256::of(name.as_bytes()))
}

fn operator(name: &str) -> OperatorId {
    OperatorId::from_name(name).expect("operator")
}

fn alert(name: &str, phase: &str, changed: u64) -> AlertRecord {
    AlertRecord {
        id: id(name),
        endpoint: Some(endpoint("a")),
        tenant: Some("tn_acme".parse().expect("tenant")),
        site: None,
        check: "disk';--".to_owned(),
        phase: phase.to_owned(),
        severity: "error".to_owned(),
        hidden_by: None,
        changed,
        words: format!("disk';-- /srv/100%_Full {name}"),
        body: name.as_bytes().to_vec(),
    }
}

fn put(store: &Store, alert: AlertRecord) {
    write(store, move |tx| tx.put_alert(&alert));
}

fn found(store: &Store, filter: AlertFilter) -> Vec<(u64, String)> {
    let (total, rows) = write(store, move |tx| tx.alert_window(&filter, 0, 100));
    assert_eq!(total, u64::try_from(rows.len()).expect("count"));
    let text = |(hidden, body)| (hidden, String::from_utf8(body).expect("UTF-8"));
    rows.into_iter().map(text).collect()
}

fn names(store: &Store, filter: AlertFilter) -> Vec<String> {
    found(store, filter).into_iter().map(|(_, name)| name).collect()
}

#[test]
fn alerts_are_found_by_what_people_ask() {
    on_both(|open| {
        let store = open();
        put(&store, alert("waits", "waiting", 1));
        put(&store, alert("open", "open", 3));
        put(&store, alert("over", "resolved", 2));
        put(&store, AlertRecord { hidden_by: Some(id("open")), ..alert("hidden", "open", 5) });
        let other = AlertRecord {
            endpoint: None,
            tenant: None,
            check: "site.link".to_owned(),
            ..alert("site", "acknowledged", 4)
        };
        put(&store, other);
        assert_eq!(names(&store, AlertFilter::default()), ["site", "open", "over"]);
        let some = |text: &str| Some(text.to_owned());
        let filter = AlertFilter::default;
        let phases = vec!["open".to_owned(), "acknowledged".to_owned()];
        assert_eq!(names(&store, AlertFilter { phases, ..filter() }), ["site", "open"]);
        assert_eq!(names(&store, AlertFilter { hidden: true, ..filter() })[0], "hidden");
        assert_eq!(
            names(&store, AlertFilter { behind: Some(id("open").to_string()), ..filter() }),
            ["hidden"]
        );
        assert_eq!(
            names(&store, AlertFilter { check: some("disk';--"), ..filter() }),
            ["open", "over"]
        );
        assert_eq!(names(&store, AlertFilter { tenant: some("tn_other"), ..filter() }), [""; 0]);
        assert_eq!(
            names(
                &store,
                AlertFilter {
                    endpoint: Some(endpoint("a").to_string()),
                    severity: some("error"),
                    ..filter()
                }
            ),
            ["open", "over"]
        );
        let searched = |text: &str| names(&store, AlertFilter { search: some(text), ..filter() });
        assert_eq!(searched("SRV/100%_f"), ["site", "open", "over"], "whatever the case");
        assert_eq!(searched("OVER"), ["over"]);
        assert_eq!(searched("srv/100x"), [""; 0], "signs of patterns are signs");
        let standing = write(&store, |tx| tx.alert_standing());
        assert_eq!((standing.open, standing.acknowledged, standing.changed), (1, 1, 5));
        assert_eq!(found(&store, filter())[1], (1, "open".to_owned()), "one is hidden behind it");
        let page = write(&store, |tx| tx.alert_window(&AlertFilter::default(), 1, 1));
        assert_eq!(page, (3, vec![(1, b"open".to_vec())]));
        let counts = write(&store, |tx| tx.alert_counts());
        assert_eq!(counts[1], ("open".to_owned(), 2));

        assert_eq!(write(&store, |tx| tx.live_alerts(3)).len(), 4, "not what was over before");
        put(&store, AlertRecord { body: b"changed".to_vec(), ..alert("open", "resolved", 9) });
        assert_eq!(write(&store, move |tx| tx.alert(id("open"))), Some(b"changed".to_vec()));
    });
}

#[test]
fn a_history_stays_in_order_and_goes_with_its_alert() {
    on_both(|open| {
        let store = open();
        put(&store, alert("a", "resolved", 10));
        put(&store, alert("b", "resolved", 20));
        for text in ["one", "two", "three"] {
            write(&store, move |tx| tx.put_alert_entry(id("a"), 1, text.as_bytes()));
        }
        write(&store, |tx| tx.put_alert_entry(id("b"), 1, b"other"));
        write(&store, |tx| tx.put_notification((message("m"), Some(id("a"))), "mail", 1, b"m"));
        let history = |name: &'static str| write(&store, move |tx| tx.alert_entries(id(name)));
        assert_eq!(history("a"), [b"one".to_vec(), b"two".to_vec(), b"three".to_vec()]);
        assert_eq!(write(&store, |tx| tx.drop_alerts_before(20, 100)), 1);
        assert_eq!((history("a").len(), history("b").len()), (0, 1));
        assert_eq!(write(&store, |tx| tx.alert(id("a"))), None);
        assert_eq!(write(&store, |tx| tx.notification(message("m"))), None);
    });
}

#[test]
fn a_message_waits_until_it_is_sent_or_given_up() {
    on_both(|open| {
        let store = open();
        for (name, channel, at) in [("one", "mail", 5), ("two", "mail", 4), ("three", "hook", 5)] {
            write(&store, move |tx| {
                tx.put_notification((message(name), Some(id("a"))), channel, at, name.as_bytes())
            });
        }
        // Again, by a server that was killed before it knew.
        write(&store, |tx| tx.put_notification((message("one"), None), "other", 9, b"changed"));
        let due = |now: u64| write(&store, move |tx| tx.due_notifications("mail", now, 10));
        let bodies = |now: u64| due(now).into_iter().map(|record| record.body).collect::<Vec<_>>();
        assert_eq!(bodies(3), [b""; 0]);
        assert_eq!(bodies(5), [b"two".to_vec(), b"one".to_vec()]);
        let again = Attempt::Again { due: 100, problem: "x".repeat(1000) };
        write(&store, move |tx| tx.settle_notification(message("one"), 6, &again));
        write(&store, |tx| tx.settle_notification(message("two"), 6, &Attempt::Sent));
        drop(store);
        let store = open();
        let due = |now: u64| write(&store, move |tx| tx.due_notifications("mail", now, 10));
        assert!(due(99).is_empty());
        let one = due(100).pop().expect("one");
        assert_eq!((one.tries, one.problem.map(|text| text.len())), (1, Some(256)));
        assert_eq!(
            write(&store, |tx| tx.waiting_notifications()),
            [("hook".to_owned(), 1), ("mail".to_owned(), 1)]
        );
        let failed = Attempt::Failed { problem: "gone".to_owned() };
        write(&store, move |tx| tx.settle_notification(message("one"), 200, &failed));
        assert!(due(1000).is_empty());
        let mut states: Vec<String> = write(&store, |tx| tx.notifications_of(id("a"), 10))
            .into_iter()
            .map(|record| record.state)
            .collect();
        states.sort();
        assert_eq!(states, ["failed", "sent", "waiting"]);
        write(&store, |tx| tx.drop_notifications_before(100));
        assert_eq!(
            write(&store, |tx| tx.notifications_of(id("a"), 10)).len(),
            2,
            "what waits or is newer stays"
        );
    });
}

#[test]
fn wishes_and_observations_wait_in_order() {
    on_both(|open| {
        let store = open();
        let wish = |name: &str, at| WishRecord {
            endpoint: endpoint(name),
            operator: operator("alice"),
            channel: "mail".to_owned(),
            at,
        };
        for one in [wish("b", 2), wish("a", 1), wish("b", 3)] {
            write(&store, move |tx| tx.put_wish(&one));
        }
        assert_eq!(write(&store, |tx| tx.wishes()), [wish("a", 1), wish("b", 2)]);
        let granted = wish("a", 0);
        write(&store, move |tx| tx.drop_wish(&granted));
        assert_eq!(write(&store, |tx| tx.wishes()), [wish("b", 2)]);

        let queue = |check: &'static str, body: &'static [u8]| {
            write(&store, move |tx| tx.queue_observation((endpoint("a"), check, "/"), body));
        };
        queue("disk", b"one");
        queue("cpu", b"two");
        queue("disk", b"three");
        let queued = write(&store, |tx| tx.queued_observations(1));
        assert_eq!(queued, [(2, b"two".to_vec())]);
        queue("cpu", b"four");
        write(&store, |tx| tx.drop_observations(2));
        let rest = [(3, b"three".to_vec()), (4, b"four".to_vec())];
        assert_eq!(write(&store, |tx| tx.queued_observations(9)), rest, "of each the newest");
    });
}

#[test]
fn of_two_people_who_change_the_rules_at_once_one_is_told() {
    on_both(|open| {
        let store = open();
        assert_eq!(write(&store, |tx| tx.alert_rules()), None);
        let set = |base: u64, who: &'static str| {
            write(&store, move |tx| tx.put_alert_rules(base, 7, &operator(who), who.as_bytes()))
        };
        assert_eq!(set(0, "alice"), Some(1));
        assert_eq!(set(0, "bob"), None);
        assert_eq!(set(1, "bob"), Some(2));
        let history = write(&store, |tx| tx.alert_rules_history(10));
        let who: Vec<(u64, String)> =
            history.iter().map(|rules| (rules.version, rules.operator.to_string())).collect();
        assert_eq!(who, [(2, "op_bob".to_owned()), (1, "op_alice".to_owned())]);
        assert_eq!(history[1].body, b"alice", "what was in force is kept");
    });
}
