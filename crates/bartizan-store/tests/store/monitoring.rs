//! Policies and results of checks, alike on both engines.

use bartizan_store::{
    CHANGES_OF_ENDPOINT_MAX, CHECKS_OF_ENDPOINT_MAX, CheckRecord, PolicyAnswer, PolicyRecord, Room,
    Store,
};
use bartizan_trust::id::{SiteId, TenantId};
use bartizan_trust::statement::PolicyPlace;

use crate::{endpoint, introduced, on_both, statement, write};

fn tenant(name: &str) -> TenantId {
    TenantId::from_name(name).expect("as it was made")
}

fn policy(id: &str, place: PolicyPlace, version: u64) -> PolicyRecord {
    PolicyRecord {
        id: statement(id),
        place,
        name: "base".to_owned(),
        version,
        state: "active".to_owned(),
        until: 1000,
        submitted: version,
        envelope: id.as_bytes().to_vec(),
        log_index: 7,
    }
}

fn put(store: &Store, policy: &PolicyRecord) {
    let policy = policy.clone();
    write(store, move |tx| tx.put_policy(&policy));
}

/// Ids and states of the policies of an endpoint's places.
fn of(store: &Store, name: &'static str) -> Vec<(String, String)> {
    let found = write(store, move |tx| tx.policies_of(endpoint(name), 10));
    let shown = |(policy, target): (PolicyRecord, bartizan_store::PolicyTarget)| {
        (String::from_utf8(policy.envelope).expect("as it was made"), target.state)
    };
    found.into_iter().map(shown).collect()
}

fn row(id: &str, state: &str) -> (String, String) {
    (id.to_owned(), state.to_owned())
}

#[test]
fn policies_go_to_the_endpoints_of_their_place_in_their_newest_version() {
    on_both(|open| {
        let store = open();
        introduced(&store, "a", "acme", "hq");
        introduced(&store, "b", "acme", "branch");
        introduced(&store, "c", "globex", "hq");
        let hq = PolicyPlace::Site {
            tenant: tenant("acme"),
            site: SiteId::from_name("hq").expect("as it was made"),
        };
        let only = PolicyPlace::Endpoint { tenant: tenant("acme"), endpoint: endpoint("b") };
        put(&store, &policy("org", PolicyPlace::Org {}, 1));
        put(&store, &policy("tenant", PolicyPlace::Tenant { tenant: tenant("acme") }, 2));
        put(&store, &policy("site", hq.clone(), 3));
        put(&store, &policy("only", only, 4));
        let queued = |ids: &[&str]| ids.iter().map(|id| row(id, "queued")).collect::<Vec<_>>();
        assert_eq!(of(&store, "a"), queued(&["org", "tenant", "site"]));
        assert_eq!(of(&store, "b"), queued(&["org", "tenant", "only"]));
        assert_eq!(of(&store, "c"), queued(&["org"]));
        assert_eq!(write(&store, move |tx| tx.policy_version(&hq, "base")), 3);
        let pending =
            PolicyRecord { state: "pending".to_owned(), ..policy("next", PolicyPlace::Org {}, 9) };
        put(&store, &pending);
        assert_eq!(write(&store, |tx| tx.policy_version(&PolicyPlace::Org {}, "base")), 1);
        assert_eq!(of(&store, "c"), queued(&["org"]), "what waits goes nowhere");
        put(&store, &PolicyRecord { state: "active".to_owned(), ..pending });
        assert_eq!(of(&store, "c"), queued(&["next"]));
        let old = write(&store, |tx| tx.policy(statement("org"))).expect("as it was made");
        assert_eq!((old.state.as_str(), old.place), ("replaced", PolicyPlace::Org {}));
        let over = PolicyRecord { until: 10, ..policy("next", PolicyPlace::Org {}, 10) };
        put(&store, &PolicyRecord { id: statement("over"), ..over });
        assert_eq!(of(&store, "c"), [], "over");
    });
}

#[test]
fn what_endpoints_say_of_policies_is_kept_in_order() {
    on_both(|open| {
        let store = open();
        introduced(&store, "a", "acme", "hq");
        put(&store, &policy("p", PolicyPlace::Org {}, 1));
        let answer = |policy: &str, state: &'static str, seq| PolicyAnswer {
            policy: statement(policy),
            endpoint: endpoint("a"),
            state,
            code: format!("code.{seq}"),
            seq,
        };
        let say = |answer: PolicyAnswer| write(&store, move |tx| tx.put_policy_answer(&answer));
        write(&store, |tx| tx.move_policy(statement("p"), endpoint("a"), "delivered"));
        assert_eq!(of(&store, "a"), [row("p", "delivered")]);
        let due = || write(&store, |tx| tx.due_policy_endpoints(10));
        assert_eq!(due(), [endpoint("a")]);
        assert!(say(answer("p", "running", 5)));
        assert!(!say(answer("p", "refused", 4)), "an older receipt");
        assert!(!say(answer("job", "done", 6)), "no policy");
        assert_eq!(of(&store, "a"), [row("p", "running")]);
        assert_eq!(due(), []);
        assert!(say(answer("p", "done", 7)));
        write(&store, |tx| tx.move_policy(statement("p"), endpoint("a"), "delivered"));
        assert_eq!(of(&store, "a"), [row("p", "done")], "what is over stays over");
        let targets = write(&store, |tx| tx.policy_targets(statement("p")));
        assert_eq!(targets[0].code.as_deref(), Some("code.7"));
        write(&store, |tx| tx.forget_policy_targets(endpoint("a")));
        assert_eq!(of(&store, "a"), [row("p", "queued")], "an endpoint without memory");
    });
}

fn check(name: &str, state: &str, at: u64) -> CheckRecord {
    CheckRecord {
        endpoint: endpoint("a"),
        check: name.to_owned(),
        instance: "/".to_owned(),
        policy: statement("p"),
        state: state.to_owned(),
        since: at,
        at,
        received: at + 1,
        value: Some(at),
        text: "text'\u{e4}".to_owned(),
    }
}

fn keep(store: &Store, check: CheckRecord) -> Room {
    write(store, move |tx| tx.put_check(&check))
}

#[test]
fn the_newest_result_and_every_change_are_kept() {
    on_both(|open| {
        let store = open();
        keep(&store, check("disk", "ok", 1));
        keep(&store, check("disk", "ok", 2));
        keep(&store, check("disk", "error", 3));
        keep(&store, CheckRecord { value: None, ..check("cpu", "unknown", 4) });
        let all = |state: Option<&'static str>| {
            write(&store, move |tx| tx.checks(Some(endpoint("a")), state, ("", "", ""), 10))
        };
        let newest =
            [CheckRecord { value: None, ..check("cpu", "unknown", 4) }, check("disk", "error", 3)];
        assert_eq!(all(None), newest);
        assert_eq!(all(Some("error")), newest[1..]);
        let a = endpoint("a").to_string();
        let after = write(&store, move |tx| tx.checks(None, None, (&a, "cpu", "/"), 10));
        assert_eq!(after, newest[1..]);
        let changes = write(&store, |tx| tx.check_changes(endpoint("a"), 10));
        let states: Vec<_> = changes.iter().map(|c| (c.check.as_str(), c.state.as_str())).collect();
        assert_eq!(states, [("cpu", "unknown"), ("disk", "error"), ("disk", "ok")]);
        keep(&store, check("disk", "gone", 5));
        assert_eq!(all(None), newest[..1]);
        assert_eq!(write(&store, |tx| tx.checks(Some(endpoint("b")), None, ("", "", ""), 10)), []);
    });
}

#[test]
fn a_flood_of_checks_and_changes_is_bounded() {
    on_both(|open| {
        let store = open();
        write(&store, |tx| {
            for number in 0..CHECKS_OF_ENDPOINT_MAX {
                assert_eq!(tx.put_check(&check(&number.to_string(), "ok", 1))?, Room::Changed);
            }
            assert_eq!(tx.put_check(&check("more", "ok", 1))?, Room::Full);
            assert_eq!(tx.put_check(&check("0", "error", 2))?, Room::Changed);
            assert_eq!(tx.put_check(&check("0", "error", 3))?, Room::Kept);
            Ok(())
        });
        let changes =
            write(&store, |tx| tx.check_changes(endpoint("a"), 2 * CHANGES_OF_ENDPOINT_MAX));
        assert_eq!(u64::try_from(changes.len()).expect("as it was made"), CHANGES_OF_ENDPOINT_MAX);
        assert_eq!((changes[0].check.as_str(), changes[0].state.as_str()), ("0", "error"));
    });
}
