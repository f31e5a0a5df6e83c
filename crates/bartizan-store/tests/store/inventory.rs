//! Inventories: the same answers on both engines.

use bartizan_store::{
    CHANGES_MAX, ChangeRecord, FieldRecord, GroupRecord, IndexItem, ItemFilter, MarkRecord,
    Members, PartRecord, SectionRecord, SectionWrite, Store, ValueRecord,
};
use bartizan_trust::id::{EndpointId, Sha256};

use super::{endpoint, on_both, write};

fn item(name: &str, version: &str) -> IndexItem {
    IndexItem {
        hash: Sha256::of(format!("{name} {version}").as_bytes()),
        name: name.to_owned(),
        key: format!("{name}:amd64"),
        text: format!("{name}:amd64\n{name}\n{version}"),
        version: Some(version.to_owned()),
        manager: Some("dpkg".to_owned()),
    }
}

fn section(name: &str, body: &[u8]) -> SectionRecord {
    SectionRecord {
        name: name.to_owned(),
        hash: Sha256::of(body),
        body: body.to_vec(),
        items: 1,
        at: 10,
        own_at: 9,
        indexed: true,
    }
}

fn put(
    store: &Store,
    who: &str,
    name: &'static str,
    added: Vec<IndexItem>,
    removed: Vec<IndexItem>,
) {
    let id = endpoint(who);
    write(store, move |tx| {
        let section = section(name, format!("{added:?}").as_bytes());
        tx.put_section(
            id,
            &SectionWrite { section: &section, added: &added, removed: &removed, changes: &[] },
        )
    });
}

/// Which of the endpoints have any item that fits.
fn who(store: &Store, filter: ItemFilter) -> Vec<String> {
    let names = ["web-1", "web-2", "db-1"];
    let held = write(store, move |tx| {
        let ids: Vec<i64> = tx.find_items(&filter)?.iter().map(|item| item.id).collect();
        let mut everybody = Members::default();
        let mut numbers = Vec::new();
        for name in names {
            let number = tx.inventory_number(endpoint(name))?;
            everybody.insert(number);
            numbers.push(number);
        }
        let held = tx.holders(&ids, &everybody)?;
        let hits = tx.hits(&numbers, &ids, 2)?;
        // What is held is shown, and nothing else is.
        for number in &numbers {
            let shown = hits.get(number).is_some_and(|hits| !hits.is_empty());
            assert_eq!(held.contains(*number), shown);
        }
        Ok(numbers.into_iter().map(|number| held.contains(number)).collect::<Vec<_>>())
    });
    names.iter().zip(held).filter(|(_, held)| *held).map(|(name, _)| (*name).to_owned()).collect()
}

#[test]
fn items_are_found_by_any_text_and_by_name_alike_on_both_engines() {
    on_both(|open| {
        let store = open();
        put(
            &store,
            "web-1",
            "packages",
            vec![item("openssl", "3.0.11-1"), item("nginx", "1.22")],
            vec![],
        );
        put(
            &store,
            "web-2",
            "packages",
            vec![item("openssl", "3.0.14-1"), item("nginx", "1.22")],
            vec![],
        );
        put(
            &store,
            "db-1",
            "packages",
            vec![item("openssl", "3.0.11-1"), item("100%_sure!\"", "straße")],
            vec![],
        );
        put(&store, "db-1", "services", vec![item("nginx", "none")], vec![]);
        let text = |text: &str| ItemFilter::Text(text.to_owned());
        let all = ["web-1", "web-2", "db-1"];
        for (filter, expected) in [
            (text("openssl"), &all[..]),
            (text("enss"), &all[..]),
            (text("3.0.11"), &["web-1", "db-1"][..]),
            (text("3.0.14-1"), &["web-2"]),
            // Shorter than what is indexed.
            (text("22"), &["web-1", "web-2"]),
            (text("%"), &["db-1"]),
            (text("100%_sure!\""), &["db-1"]),
            (text("0__s"), &[]),
            (text("straße"), &["db-1"]),
            (text("strasse"), &[]),
            (text("OPENSSL"), &all[..]),
            (text("openssl 3"), &[]),
            (text("nothing of the kind"), &[]),
            (text("\" OR \""), &[]),
            (ItemFilter::TextIn("services".to_owned(), "nginx".to_owned()), &["db-1"]),
            (ItemFilter::TextIn("services".to_owned(), "ng".to_owned()), &["db-1"]),
            (ItemFilter::Name("packages".to_owned(), "nginx".to_owned()), &["web-1", "web-2"]),
            (ItemFilter::Name("packages".to_owned(), "ngin".to_owned()), &[]),
            (ItemFilter::NamePrefix("packages".to_owned(), "ngin".to_owned()), &["web-1", "web-2"]),
            (ItemFilter::NamePrefix("packages".to_owned(), "1%".to_owned()), &[]),
            (ItemFilter::NamePrefix("packages".to_owned(), "100%_".to_owned()), &["db-1"]),
        ] {
            assert_eq!(who(&store, filter.clone()), expected, "{filter:?}");
        }
    });
}

#[test]
fn an_item_goes_when_nobody_has_it_any_more() {
    on_both(|open| {
        let store = open();
        for (name, version) in [("web-1", "3.0.11-1"), ("web-2", "3.0.14-1"), ("db-1", "3.0.11-1")]
        {
            put(&store, name, "packages", vec![item("openssl", version)], vec![]);
        }
        let text = |text: &str| ItemFilter::Text(text.to_owned());
        let all = ["web-1", "web-2", "db-1"];
        put(
            &store,
            "web-1",
            "packages",
            vec![item("openssl", "3.0.14-1")],
            vec![item("openssl", "3.0.11-1")],
        );
        assert_eq!(who(&store, text("3.0.11")), ["db-1"]);
        put(
            &store,
            "db-1",
            "packages",
            vec![item("openssl", "3.0.14-1")],
            vec![item("openssl", "3.0.11-1")],
        );
        assert_eq!(who(&store, text("3.0.14")), all);
        let left = write(&store, move |tx| tx.find_items(&ItemFilter::Text("3.0.11".to_owned())));
        assert_eq!(left, []);
        let found = write(&store, |tx| {
            tx.find_items(&ItemFilter::Name("packages".to_owned(), "openssl".to_owned()))
        });
        assert_eq!(
            found.iter().map(|item| (item.uses, item.version.as_deref())).collect::<Vec<_>>(),
            [(3, Some("3.0.14-1"))]
        );
        // Written twice it is there once.
        put(&store, "db-1", "packages", vec![item("openssl", "3.0.14-1")], vec![]);
        let found = write(&store, |tx| {
            tx.find_items(&ItemFilter::Name("packages".to_owned(), "openssl".to_owned()))
        });
        assert_eq!(found.first().map(|item| item.uses), Some(3));
    });
}

#[test]
fn sections_survive_a_restart_and_parts_wait_for_each_other() {
    on_both(|open| {
        let store = open();
        let body = b"items ".repeat(10_000);
        let record = section("packages", &body);
        let (kept, id) = (record.clone(), endpoint("web-1"));
        write(&store, move |tx| {
            tx.put_section(
                id,
                &SectionWrite { section: &record, added: &[], removed: &[], changes: &[] },
            )
        });
        drop(store);
        let store = open();
        assert_eq!(write(&store, move |tx| tx.section(id, "packages")), Some(kept.clone()));
        assert_eq!(write(&store, move |tx| tx.sections(id)), [kept]);
        assert_eq!(write(&store, move |tx| tx.section_counts(id)), (1, 1));
        assert_eq!(write(&store, move |tx| tx.section(id, "os")), None);

        let part =
            |hash: &[u8], part: u64| PartRecord { hash: Sha256::of(hash), part, bytes: vec![7] };
        let take =
            |part: PartRecord| write(&store, move |tx| tx.put_part(id, "packages", &part)).len();
        assert_eq!(take(part(b"a", 0)), 1);
        assert_eq!(take(part(b"a", 1)), 2);
        // Sent again from its beginning, or another change: the rest of before is worth nothing.
        assert_eq!(take(part(b"a", 0)), 1);
        assert_eq!(take(part(b"a", 1)), 2);
        assert_eq!(take(part(b"b", 1)), 1);
        write(&store, move |tx| tx.drop_parts(id, "packages"));
        assert_eq!(take(part(b"b", 2)), 1);
    });
}

#[test]
fn history_is_bounded_and_newest_first() {
    on_both(|open| {
        let store = open();
        let change = |who: EndpointId, number: u64| ChangeRecord {
            endpoint: who,
            section: if number.is_multiple_of(2) { "packages" } else { "ports" }.to_owned(),
            key: format!("item {number}"),
            at: 1000 + number,
            own_at: 900 + number,
            before: None,
            after: Some("{}".to_owned()),
        };
        let (one, other) = (endpoint("web-1"), endpoint("db-1"));
        for (who, count) in [(one, CHANGES_MAX + 5), (other, 3)] {
            let all: Vec<ChangeRecord> = (0..count).map(|number| change(who, number)).collect();
            write(&store, move |tx| {
                let section = section("packages", b"x");
                tx.put_section(
                    who,
                    &SectionWrite { section: &section, added: &[], removed: &[], changes: &all },
                )
            });
        }
        let ask =
            |of: Option<EndpointId>, section: Option<&'static str>, since: u64, limit: u64| {
                write(&store, move |tx| tx.changes(of, section, since, limit))
            };
        let all = ask(Some(one), None, 0, 10_000);
        assert_eq!(u64::try_from(all.len()).expect("a number"), CHANGES_MAX);
        assert_eq!(all.first(), Some(&change(one, CHANGES_MAX + 4)));
        assert_eq!(all.last(), Some(&change(one, 5)));
        assert_eq!(ask(Some(other), None, 0, 10).len(), 3);
        assert_eq!(ask(Some(other), Some("ports"), 0, 10).len(), 1);
        assert_eq!(ask(Some(other), None, 1002, 10), [change(other, 2)]);
        assert_eq!(ask(None, None, 1000 + CHANGES_MAX, 10).len(), 5);
        assert_eq!(ask(None, None, 0, 7).len(), 7);
    });
}

#[test]
fn fields_tags_and_groups_are_kept_with_who_set_them() {
    on_both(|open| {
        let store = open();
        let id = endpoint("web-1");
        let field = FieldRecord {
            name: "owner".to_owned(),
            kind: "text".to_owned(),
            choices: String::new(),
            by: "op_alice".to_owned(),
            at: 1,
        };
        let made = field.clone();
        write(&store, move |tx| tx.put_field(&made));
        assert_eq!(write(&store, |tx| Ok((tx.fields()?, 0))).0, [field]);
        let value = |text: &str| ValueRecord {
            field: "owner".to_owned(),
            scope: "endpoint".to_owned(),
            target: id.to_string(),
            value: text.to_owned(),
            by: "op_alice".to_owned(),
            at: 2,
        };
        let set = |text: &'static str, keep: bool| {
            let value = value(text);
            write(&store, move |tx| tx.set_value(&value, keep))
        };
        assert_eq!(set("alice", true), None);
        assert_eq!(set("bob", true), Some("alice".to_owned()));
        assert_eq!(write(&store, |tx| tx.values(Some("owner"))), [value("bob")]);
        assert_eq!(write(&store, |tx| tx.values(Some("other"))), []);
        assert_eq!(set("", false), Some("bob".to_owned()));
        assert_eq!(write(&store, |tx| tx.values(None)), []);
        set("carol", true);
        assert!(write(&store, |tx| tx.drop_field("owner")));
        assert!(!write(&store, |tx| tx.drop_field("owner")));
        assert_eq!(write(&store, |tx| tx.values(None)), []);

        let tag = |at: Option<u64>| write(&store, move |tx| tx.set_tag(id, "vip", "op_alice", at));
        assert_eq!((tag(Some(1)), tag(Some(2))), (true, false));
        assert_eq!(write(&store, |tx| tx.tagged("vip")), [id]);
        assert_eq!(write(&store, move |tx| tx.tags(Some(id))), [(id, "vip".to_owned())]);
        assert_eq!(write(&store, |tx| tx.tags(None)).len(), 1);
        assert_eq!((tag(None), tag(None)), (true, false));

        let group = GroupRecord {
            name: "web".to_owned(),
            query: "service:nginx".to_owned(),
            by: "op_alice".to_owned(),
            at: 3,
        };
        let newer = GroupRecord { query: "port:443".to_owned(), ..group.clone() };
        let kept = newer.clone();
        write(&store, move |tx| {
            tx.put_group(&group)?;
            tx.put_group(&newer)
        });
        assert_eq!(write(&store, |tx| Ok((tx.groups()?, 0))).0, [kept]);
        assert!(write(&store, |tx| tx.drop_group("web")));

        let mark = MarkRecord {
            at: 4,
            by: "op_alice".to_owned(),
            kind: "tag".to_owned(),
            name: "vip".to_owned(),
            target: id.to_string(),
            before: None,
            after: Some("vip".to_owned()),
        };
        let noted = mark.clone();
        write(&store, move |tx| tx.note_mark(&noted));
        assert_eq!(write(&store, |tx| tx.marks(10)), [mark]);
    });
}
