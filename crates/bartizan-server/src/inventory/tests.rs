//! Records taken and queries answered, on both engines alike.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

use bartizan_proto::inventory::{
    Delta, Fact, Item, Items, Query, Record, difference, records, section_hash,
};
use bartizan_store::{
    Access, Admission, FieldRecord, GroupRecord, Introduction, Location, Store, StoreError, Tx,
    ValueRecord,
};
use bartizan_testkit::postgres::Postgres;
use bartizan_trust::id::{EndpointId, Sha256, SiteId, StatementId, TenantId};

use super::search::{Found, Problem, search};
use super::taking::{Origin, Taken, take};

fn on_both(test: impl Fn(&Store)) {
    let dir = tempfile::tempdir().unwrap();
    test(&Store::open(&Location::Sqlite(dir.path().join("server.db"))).unwrap());
    let server = Postgres::start().expect("PostgreSQL");
    test(&Store::open(&Location::Postgres(server.address())).unwrap());
}

fn write<T: Send + 'static>(
    store: &Store,
    operation: impl FnOnce(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
) -> T {
    store.call(Access::Write, operation).unwrap()
}

fn endpoint(name: &str) -> EndpointId {
    EndpointId::new(Sha256::of(name.as_bytes()))
}

/// Lets an endpoint in, of a tenant with one site.
fn admit(store: &Store, name: &'static str, tenant: &'static str) {
    let who = Introduction {
        id: endpoint(name),
        hostname: name.to_owned(),
        os: "Debian".to_owned(),
        descriptor: Vec::new(),
        enrolment: Vec::new(),
        control_size: 0,
        jobs_size: 0,
    };
    let admission = Admission {
        enrolment: StatementId::new(Sha256::of(tenant.as_bytes())),
        tenant: TenantId::from_name(tenant).unwrap(),
        site: SiteId::from_name("hq").unwrap(),
        uses_max: 100,
        auto: true,
    };
    write(store, move |tx| {
        tx.put_enrolment(admission.enrolment, b"enrolment")?;
        assert!(tx.introduce(&who, Some(&admission), 1)?.admitted);
        Ok(())
    });
}

fn origin(name: &str, at: u64) -> Origin {
    Origin { endpoint: endpoint(name), admitted: true, at, own_at: at - 1 }
}

fn item(pairs: &[(&str, &str)]) -> Item {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), Fact::Text((*value).to_owned())))
        .collect()
}

fn packages(pairs: &[(&str, &str)]) -> Items {
    let one = |(name, version): &(&str, &str)| {
        (
            format!("{name}:amd64"),
            item(&[("name", name), ("version", version), ("manager", "dpkg")]),
        )
    };
    pairs.iter().map(one).collect()
}

fn say(store: &Store, origin: Origin, record: &Record) -> Taken {
    let bytes = record.encode();
    write(store, move |tx| take(tx, origin, &bytes))
}

/// Takes a change, or the whole.
fn report(store: &Store, origin: Origin, section: &str, old: Option<&Items>, new: &Items) -> Taken {
    let delta = difference(old.unwrap_or(&Items::new()), new);
    let base = old.map(|items| section_hash(section, items));
    let mut last = Taken::Refused;
    for record in records(section, new, base, delta) {
        last = say(store, origin, &record);
    }
    last
}

fn ask(store: &Store, text: &str) -> Result<Found, Problem> {
    let query = Query::parse(text).unwrap();
    write(store, move |tx| search(tx, &query, 0, 100))
}

fn who(store: &Store, text: &str) -> (Vec<String>, u64) {
    let found = ask(store, text).unwrap();
    assert_eq!(usize::try_from(found.total).unwrap(), found.rows.len());
    (found.rows.into_iter().map(|(row, _)| row.hostname).collect(), found.not_judged)
}

#[test]
fn changes_start_from_what_the_server_has_or_everything_is_asked_for() {
    on_both(|store| {
        admit(store, "web-1", "acme");
        let old = packages(&[("openssl", "3.0.11-1"), ("nginx", "1.22")]);
        let new = packages(&[("openssl", "3.0.14-1"), ("curl", "8.1")]);
        assert_eq!(report(store, origin("web-1", 10), "packages", Some(&old), &new), Taken::Unfit);
        assert_eq!(report(store, origin("web-1", 10), "packages", None, &old), Taken::Stored);
        // The first time is no change.
        assert_eq!(write(store, |tx| tx.changes(None, None, 0, 10)), []);
        assert_eq!(report(store, origin("web-1", 20), "packages", Some(&old), &new), Taken::Stored);
        let changes = write(store, |tx| tx.changes(Some(endpoint("web-1")), None, 0, 10));
        let shown: Vec<_> = changes
            .iter()
            .map(|change| {
                (
                    change.key.as_str(),
                    change.before.is_some(),
                    change.after.is_some(),
                    change.at,
                    change.own_at,
                )
            })
            .collect();
        assert_eq!(shown.len(), 3);
        assert!(shown.contains(&("openssl:amd64", true, true, 20, 19)));
        assert!(shown.contains(&("nginx:amd64", true, false, 20, 19)));
        assert!(shown.contains(&("curl:amd64", false, true, 20, 19)));
        assert_eq!(
            who(store, "nginx"),
            (vec![], 1),
            "os is not there, so it may be in what is not known"
        );
        assert_eq!(who(store, "package:nginx"), (vec![], 0));
        // Said to be as it was: nothing is written but when.
        assert_eq!(report(store, origin("web-1", 30), "packages", Some(&new), &new), Taken::Stored);
        let section = write(store, |tx| tx.section(endpoint("web-1"), "packages")).unwrap();
        assert_eq!((section.at, section.own_at, section.items), (20, 29, 2));
        assert_eq!(write(store, |tx| tx.changes(None, None, 0, 10)).len(), 3);
        // And as it was not.
        assert_eq!(report(store, origin("web-1", 40), "packages", Some(&old), &old), Taken::Unfit);
        // The whole again changes nothing.
        assert_eq!(report(store, origin("web-1", 50), "packages", None, &new), Taken::Stored);
        assert_eq!(write(store, |tx| tx.changes(None, None, 0, 10)).len(), 3);
        assert_eq!(who(store, "package:curl").0, ["web-1"]);
    });
}

#[test]
fn a_section_in_parts_is_whole_or_not_there() {
    on_both(|store| {
        admit(store, "web-1", "acme");
        let many: Vec<(String, String)> =
            (0..1500).map(|number| (format!("package{number}"), format!("1.{number}"))).collect();
        let pairs: Vec<(&str, &str)> =
            many.iter().map(|(name, version)| (name.as_str(), version.as_str())).collect();
        let items = packages(&pairs);
        let all = records("packages", &items, None, difference(&Items::new(), &items));
        assert!(all.len() > 2);
        let (last, first) = all.split_last().unwrap();
        for record in first {
            assert_eq!(say(store, origin("web-1", 10), record), Taken::Waiting);
        }
        assert_eq!(write(store, |tx| tx.section(endpoint("web-1"), "packages")), None);
        assert_eq!(say(store, origin("web-1", 10), last), Taken::Stored);
        assert_eq!(who(store, "package:package1499").0, ["web-1"]);
        // Half of a change, and then another one.
        assert_eq!(say(store, origin("web-1", 20), first.first().unwrap()), Taken::Waiting);
        let fewer = packages(pairs.get(..3).unwrap());
        assert_eq!(
            report(store, origin("web-1", 30), "packages", Some(&items), &fewer),
            Taken::Stored
        );
        assert_eq!(who(store, "package:package1499").0, Vec::<String>::new());
        // One that lies about its hash.
        let mut liar = records("os", &fewer, None, difference(&Items::new(), &fewer)).remove(0);
        liar.hash = Sha256::of(b"another");
        assert_eq!(say(store, origin("web-1", 40), &liar), Taken::Unfit);
        let junk = b"{\"section\":\"os\"}".to_vec();
        assert_eq!(write(store, move |tx| take(tx, origin("web-1", 40), &junk)), Taken::Refused);
    });
}

#[test]
fn hostile_endpoints_have_so_many_sections_and_in_quarantine_hardly_any() {
    on_both(|store| {
        admit(store, "web-1", "acme");
        let items = packages(&[("a", "1")]);
        for number in 0..bartizan_proto::inventory::SECTIONS_MAX {
            let name = format!("made_up_{number}");
            assert_eq!(report(store, origin("web-1", 10), &name, None, &items), Taken::Stored);
        }
        assert_eq!(report(store, origin("web-1", 10), "one_more", None, &items), Taken::Refused);
        assert_eq!(
            report(store, origin("web-1", 10), "made_up_0", None, &packages(&[("b", "1")])),
            Taken::Stored
        );

        let stranger = Origin { admitted: false, ..origin("stranger", 10) };
        assert_eq!(report(store, stranger, "packages", None, &items), Taken::Refused);
        let about = Items::from([("id".to_owned(), item(&[("value", "strangeos")]))]);
        assert_eq!(report(store, stranger, "os", None, &about), Taken::Stored);
        assert_eq!(write(store, |tx| tx.section_counts(endpoint("stranger"))), (1, 0));
        assert_eq!(who(store, "strangeos").0, Vec::<String>::new());
        // Let in, it says everything again, and is found.
        admit(store, "stranger", "acme");
        assert_eq!(report(store, origin("stranger", 20), "os", None, &about), Taken::Stored);
        assert_eq!(who(store, "os:strangeos").0, ["stranger"]);
        assert_eq!(write(store, |tx| tx.section_counts(endpoint("stranger"))), (1, 1));
        let empty = Record {
            section: "ports".to_owned(),
            hash: section_hash("ports", &Items::new()),
            base: None,
            part: 0,
            parts: 1,
            set: Delta::default().set,
            gone: vec!["nothing".to_owned()],
        };
        assert_eq!(say(store, origin("stranger", 30), &empty), Taken::Unfit);
    });
}

/// Three endpoints of two tenants, one of which says little, and one that says nothing.
fn fleet(store: &Store) {
    for (name, tenant) in
        [("db-1", "acme"), ("silent", "globex"), ("web-1", "acme"), ("web-2", "globex")]
    {
        admit(store, name, tenant);
    }
    let os = |name: &str| Items::from([("name".to_owned(), item(&[("value", name)]))]);
    for (name, system) in
        [("db-1", "Alpine Linux"), ("web-1", "Debian GNU/Linux 12"), ("web-2", "Ubuntu 24.04")]
    {
        report(store, origin(name, 10), "os", None, &os(system));
    }
    let unknown = |why: &str| ("?rpm".to_owned(), item(&[("unknown", why)]));
    report(
        store,
        origin("web-1", 10),
        "packages",
        None,
        &packages(&[("openssl", "3.0.11-1~deb12u2"), ("nginx", "1.22")]),
    );
    report(
        store,
        origin("web-2", 10),
        "packages",
        None,
        &packages(&[("openssl", "3.0.13-0ubuntu3"), ("Nginx-Extras", "1.24")]),
    );
    let mut apk = Items::from([(
        "openssl:x".to_owned(),
        item(&[("name", "openssl"), ("version", "3.1-r0"), ("manager", "apk")]),
    )]);
    apk.extend([unknown("only rpm can")]);
    report(store, origin("db-1", 10), "packages", None, &apk);
    let port = |number: i64| Item::from([("port".to_owned(), Fact::Number(number))]);
    report(
        store,
        origin("web-1", 10),
        "ports",
        None,
        &Items::from([("tcp 0.0.0.0:443".to_owned(), port(443))]),
    );
    report(
        store,
        origin("db-1", 10),
        "ports",
        None,
        &Items::from([("tcp 0.0.0.0:5432".to_owned(), port(5432))]),
    );
    report(
        store,
        origin("web-2", 10),
        "users",
        None,
        &Items::from([("alice".to_owned(), item(&[("name", "alice")]))]),
    );
}

#[test]
fn queries_say_yes_no_and_not_known() {
    on_both(|store| {
        fleet(store);
        for (query, expected, not_judged) in [
            ("debian", &["web-1"][..], 1),
            ("DEBIAN \"gnu/linux 12\"", &["web-1"], 1),
            ("os:linux", &["db-1", "web-1"], 1),
            ("os:linux -os:alpine", &["web-1"], 1),
            ("package:openssl", &["db-1", "web-1", "web-2"], 1),
            ("package:nginx", &["web-1"], 2),
            ("package:nginx*", &["web-1", "web-2"], 2),
            // Older by dpkg's rules; of apk's nobody here can tell.
            ("package:openssl<3.0.13", &["web-1"], 2),
            ("package:openssl>=3.0.13", &["web-2"], 2),
            ("package:openssl=3.0.11-1~deb12u2", &["web-1"], 2),
            ("-package:nginx", &["web-2"], 2),
            ("-package:openssl<3.0.13", &["web-2"], 2),
            ("port:443", &["web-1"], 2),
            ("-port:443", &["db-1"], 2),
            ("user:alice", &["web-2"], 3),
            ("tenant:globex", &["silent", "web-2"], 0),
            ("tenant:globex os:ubuntu", &["web-2"], 1),
            ("tenant:acme -os:ubuntu", &["db-1", "web-1"], 0),
            ("site:hq port:5432", &["db-1"], 2),
            ("nothing-like-it", &[], 1),
        ] {
            let (found, open) = who(store, query);
            assert_eq!(
                (found.as_slice(), open),
                (
                    &expected.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()[..],
                    not_judged
                ),
                "{query}"
            );
        }
        let found = ask(store, "package:nginx port:443").unwrap();
        let hits = &found.rows.first().unwrap().1;
        let hit = |section: &str, key: &str| (section.to_owned(), key.to_owned());
        assert_eq!(*hits, [hit("packages", "nginx:amd64"), hit("ports", "tcp 0.0.0.0:443")]);
        let query = Query::parse("site:hq").unwrap();
        let part = write(store, move |tx| search(tx, &query, 1, 2)).unwrap();
        assert_eq!(part.total, 4);
        assert_eq!(
            part.rows.iter().map(|(row, _)| row.hostname.as_str()).collect::<Vec<_>>(),
            ["silent", "web-1"]
        );
    });
}

#[test]
fn fields_are_inherited_tags_are_found_and_groups_stand_for_their_query() {
    on_both(|store| {
        fleet(store);
        let field = |name: &str, kind: &str| FieldRecord {
            name: name.to_owned(),
            kind: kind.to_owned(),
            choices: "gold\nsilver".to_owned(),
            by: "op_alice".to_owned(),
            at: 1,
        };
        let fields =
            [field("level", "choice"), field("warranty", "date"), field("racks", "number")];
        let value = |field: &str, scope: &str, target: String, value: &str| ValueRecord {
            field: field.to_owned(),
            scope: scope.to_owned(),
            target,
            value: value.to_owned(),
            by: "op_alice".to_owned(),
            at: 1,
        };
        let values = [
            value("level", "tenant", "tn_acme".to_owned(), "silver"),
            value("level", "endpoint", endpoint("web-1").to_string(), "gold"),
            value("warranty", "site", "tn_acme/si_hq".to_owned(), "2027-01-31"),
            value("warranty", "endpoint", endpoint("web-2").to_string(), "2026-12-01"),
            value("racks", "endpoint", endpoint("db-1").to_string(), "10"),
        ];
        write(store, move |tx| {
            fields.iter().try_for_each(|field| tx.put_field(field))?;
            values.iter().try_for_each(|value| tx.set_value(value, true).map(drop))?;
            tx.set_tag(endpoint("web-1"), "vip", "op_alice", Some(1))?;
            let group = |name: &str, query: &str| GroupRecord {
                name: name.to_owned(),
                query: query.to_owned(),
                by: "op_alice".to_owned(),
                at: 1,
            };
            tx.put_group(&group("web", "package:nginx*"))?;
            tx.put_group(&group("nested", "group:web"))
        });
        for (query, expected, not_judged) in [
            ("field.level:gold", &["web-1"][..], 0),
            ("field.level=Silver", &["db-1"], 0),
            ("-field.level:silver", &["silent", "web-1", "web-2"], 0),
            ("field.warranty<2027-01-01", &["web-2"], 0),
            ("field.warranty>=2027-01-31", &["db-1", "web-1"], 0),
            ("field.racks>9", &["db-1"], 0),
            ("tag:vip", &["web-1"], 0),
            ("tag:VIP os:debian", &["web-1"], 0),
            ("group:web", &["web-1", "web-2"], 2),
            ("group:web tag:vip", &["web-1"], 0),
            ("-group:web", &[], 2),
        ] {
            let (found, open) = who(store, query);
            assert_eq!(
                (found, open),
                (expected.iter().map(|name| (*name).to_owned()).collect(), not_judged),
                "{query}"
            );
        }
        assert_eq!(
            ask(store, "group:nested").unwrap_err(),
            Problem::GroupInGroup("web".to_owned())
        );
        assert_eq!(ask(store, "group:none").unwrap_err(), Problem::NoGroup("none".to_owned()));
        assert_eq!(ask(store, "field.none:1").unwrap_err(), Problem::NoField("none".to_owned()));
        for query in
            ["field.level<gold", "field.level:lead", "field.warranty:soon", "field.racks>many"]
        {
            assert!(matches!(ask(store, query), Err(Problem::FieldValue { .. })), "{query}");
        }
    });
}
