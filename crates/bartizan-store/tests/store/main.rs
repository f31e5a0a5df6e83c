//! Every store test runs on both engines, with the same expectations.
#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

mod alerts;
mod files;
mod fleet;
mod inventory;
mod lanes;
mod monitoring;
mod outgoing;
mod read_tokens;
mod reports;
mod results;
mod series;

use bartizan_store::{
    Access, Admission, Answer, CosignatureRecord, EndpointFilter, Introduction, Location, LogName,
    NewJob, ReceiptRecord, SessionRecord, Standing, Store, StoreError, Tx,
};
use bartizan_testkit::postgres::Postgres;
use bartizan_trust::id::{EndpointId, Sha256, SiteId, StatementId, TenantId};
use postgres as driver;

/// Runs a test on SQLite and on PostgreSQL.
fn on_both(test: impl Fn(&dyn Fn() -> Store)) {
    let dir = tempfile::tempdir().expect("temp dir");
    let sqlite = Location::Sqlite(dir.path().join("server.db"));
    test(&|| Store::open(&sqlite).expect("open SQLite"));
    let server = Postgres::start().expect("PostgreSQL");
    let postgres = Location::Postgres(server.address());
    test(&|| Store::open(&postgres).expect("open PostgreSQL"));
}

fn write<T: Send + 'static>(
    store: &Store,
    operation: impl FnOnce(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
) -> T {
    store.call(Access::Write, operation).expect("write")
}

fn endpoint(name: &str) -> EndpointId {
    EndpointId::new(Sha256::of(name.as_bytes()))
}

fn statement(name: &str) -> StatementId {
    StatementId::new(Sha256::of(name.as_bytes()))
}

fn introduction(name: &str) -> Introduction {
    Introduction {
        id: endpoint(name),
        hostname: format!("{name}.example"),
        os: "Debian".to_owned(),
        descriptor: b"descriptor".to_vec(),
        enrolment: b"enrolment".to_vec(),
        control_size: 0,
        jobs_size: 0,
    }
}

fn admission(uses_max: u64, auto: bool) -> Admission {
    Admission {
        enrolment: statement("enrolment"),
        tenant: TenantId::from_name("acme").expect("tenant"),
        site: SiteId::from_name("hq").expect("site"),
        uses_max,
        auto,
    }
}

/// An endpoint that was admitted at a site.
fn introduced(store: &Store, name: &'static str, tenant: &str, site: &str) {
    write(store, |tx| tx.put_enrolment(statement("enrolment"), b"enrolment"));
    let admission = Admission {
        tenant: TenantId::from_name(tenant).expect("tenant"),
        site: SiteId::from_name(site).expect("site"),
        ..admission(100, true)
    };
    let who = introduction(name);
    assert!(write(store, move |tx| tx.introduce(&who, Some(&admission), 7)).admitted);
}

fn job(name: &str, targets: &[&str]) -> NewJob {
    let mut targets: Vec<EndpointId> = targets.iter().map(|name| endpoint(name)).collect();
    targets.sort_unstable();
    NewJob {
        id: statement(name),
        class: "routine".to_owned(),
        title: name.to_owned(),
        tenant: "tn_acme".to_owned(),
        submitted: 100,
        exp: 200,
        state: "active",
        envelope: b"envelope".to_vec(),
        content: b"echo".to_vec(),
        log_index: 0,
        targets,
    }
}

fn receipt(
    seq: u64,
    by: &str,
    of: &str,
    state: &'static str,
    code: &str,
) -> (ReceiptRecord, Answer) {
    let record = ReceiptRecord {
        endpoint: endpoint(by),
        id: statement(&format!("receipt {by} {seq}")),
        seq,
        job: statement(of),
        envelope: format!("receipt {seq}").into_bytes(),
        at: 150,
    };
    let decision = if state == "refused" { "refused" } else { "done" };
    let answer = Answer {
        job: statement(of),
        state,
        code: code.to_owned(),
        decision,
        exit: Some(0),
        output: Some(b"hello".to_vec()),
    };
    (record, answer)
}

#[test]
fn log_entries_keep_order_and_survive_a_restart() {
    on_both(|open| {
        let store = open();
        for number in 0..5_u8 {
            let index = write(&store, move |tx| {
                tx.append(LogName::Jobs, &[number], &Sha256::of(&[number]))
            });
            assert_eq!(index, u64::from(number));
        }
        drop(store);
        let store = open();
        assert_eq!(write(&store, |tx| tx.log_entries(LogName::Jobs, 1, 3)), [[1], [2]]);
        assert_eq!(
            write(&store, |tx| tx.log_leaves(LogName::Jobs, 3, 9)),
            [Sha256::of(&[3]), Sha256::of(&[4])]
        );
        assert_eq!(write(&store, |tx| tx.log_size(LogName::Control)), 0);
    });
}

#[test]
fn a_failed_operation_leaves_no_trace_and_its_neighbours_stay() {
    on_both(|open| {
        let store = open();
        let (sender, replies) = std::sync::mpsc::channel();
        for number in 0..20_u8 {
            let sender = sender.clone();
            let operation = move |tx: &mut Tx<'_>| {
                tx.append(LogName::Jobs, &[number], &Sha256::of(&[number]))?;
                if number % 2 == 1 { Err(StoreError::Column("wanted")) } else { Ok(()) }
            };
            store
                .submit(Access::Write, operation, move |result| {
                    sender.send(result.is_ok()).expect("send");
                })
                .expect("submit");
        }
        drop(sender);
        assert_eq!(replies.iter().filter(|done| *done).count(), 10);
        let entries = write(&store, |tx| tx.log_entries(LogName::Jobs, 0, 99));
        assert_eq!(entries, (0..20).step_by(2).map(|number: u8| vec![number]).collect::<Vec<_>>());
    });
}

#[test]
fn an_enrolment_is_used_up_and_counts_each_endpoint_once() {
    on_both(|open| {
        let store = open();
        let come = |name: &str, admission: Option<Admission>| {
            let who = introduction(name);
            let standing = write(&store, move |tx| tx.introduce(&who, admission.as_ref(), 7));
            // It belongs to a place as soon as an enrolment counted it, and from then on.
            assert_eq!(standing.place.0.is_some(), standing.admitted, "{name}");
            standing.admitted
        };
        assert!(
            !come("early", Some(admission(2, true))),
            "the enrolment is not known to the server"
        );
        write(&store, |tx| tx.put_enrolment(statement("enrolment"), b"envelope"));
        assert!(come("a", Some(admission(2, true))));
        assert!(come("a", Some(admission(2, true))), "again");
        assert!(come("b", Some(admission(2, true))));
        assert!(!come("c", Some(admission(2, true))), "used up");
        assert!(!come("d", None), "no valid enrolment");
        let filter = EndpointFilter {
            search: Some("A.EXA".to_owned()),
            limit: 10,
            ..EndpointFilter::default()
        };
        let found = write(&store, move |tx| tx.endpoints(&filter));
        assert_eq!(found.iter().map(|e| e.hostname.as_str()).collect::<Vec<_>>(), ["a.example"]);
        assert_eq!(found[0].tenant, Some(admission(1, true).tenant));
    });
}

#[test]
fn a_manual_enrolment_waits_for_a_person() {
    on_both(|open| {
        let store = open();
        write(&store, |tx| tx.put_enrolment(statement("enrolment"), b"envelope"));
        let come =
            || write(&store, |tx| tx.introduce(&introduction("a"), Some(&admission(9, false)), 7));
        let place = (Some(admission(9, false).tenant), Some(admission(9, false).site));
        assert_eq!(come(), Standing { admitted: false, place: place.clone() });
        assert!(write(&store, |tx| tx.admit(endpoint("a"))));
        assert_eq!(come(), Standing { admitted: true, place });
        assert!(!write(&store, |tx| tx.admit(endpoint("nobody"))));
    });
}

#[test]
fn a_search_means_its_characters() {
    on_both(|open| {
        let store = open();
        write(&store, |tx| tx.introduce(&introduction("100%_sure"), None, 7));
        let count = |text: &str| {
            let filter = EndpointFilter {
                search: Some(text.to_owned()),
                limit: 10,
                ..EndpointFilter::default()
            };
            write(&store, move |tx| tx.endpoints(&filter)).len()
        };
        assert_eq!((count("%_s"), count("0_s"), count("!"), count("' OR 1=1 --")), (1, 0, 0, 0));
    });
}

#[test]
fn jobs_wait_for_their_endpoints_until_they_end() {
    on_both(|open| {
        let store = open();
        write(&store, |tx| tx.put_job(&job("j", &["a", "b"])));
        let due = |name: &str, now: u64| {
            let id = endpoint(name);
            write(&store, move |tx| tx.due_jobs(id, now)).len()
        };
        assert_eq!((due("a", 150), due("b", 150), due("c", 150), due("a", 200)), (1, 1, 0, 0));
        let (record, answer) = receipt(1, "a", "j", "done", "ok");
        assert!(write(&store, move |tx| tx.put_receipt(&record, &answer)).is_some());
        assert_eq!((due("a", 150), due("b", 150)), (0, 1));
        assert!(
            !write(&store, |tx| tx.finish_job(statement("j"), |_| false)),
            "b has not answered"
        );
        let (record, answer) = receipt(1, "b", "j", "refused", "window.expired");
        assert!(write(&store, move |tx| tx.put_receipt(&record, &answer)).is_some());
        assert!(write(&store, |tx| tx.finish_job(statement("j"), |code| code == "window.expired")));
    });
}

#[test]
fn a_late_refusal_does_not_hide_that_a_job_ran() {
    on_both(|open| {
        let store = open();
        write(&store, |tx| tx.put_job(&job("j", &["a"])));
        for (seq, state, code, moved) in [
            (1, "done", "ok", true),
            (2, "refused", "replay.seen", false),
            (1, "done", "ok", false),
        ] {
            let (record, answer) = receipt(seq, "a", "j", state, code);
            let target = write(&store, move |tx| tx.put_receipt(&record, &answer));
            assert_eq!(
                target.map(|target| target.state),
                moved.then(|| state.to_owned()),
                "{seq} {state}"
            );
        }
        let target =
            write(&store, |tx| tx.job_target(statement("j"), endpoint("a"))).expect("target");
        assert_eq!(
            (target.state.as_str(), target.output.as_deref()),
            ("done", Some(b"hello".as_slice()))
        );
        assert_eq!(write(&store, |tx| tx.receipts(statement("j"), ("", 0), 10)).len(), 2);
    });
}

#[test]
fn windows_that_pass_end_jobs() {
    on_both(|open| {
        let store = open();
        write(&store, |tx| tx.put_job(&job("j", &["a"])));
        assert!(!write(&store, |tx| tx.due_to_expire(199)));
        assert!(write(&store, |tx| tx.due_to_expire(200)));
        assert_eq!(write(&store, |tx| tx.expire_jobs(200)), [statement("j")]);
        let found = write(&store, |tx| tx.jobs(Some("expired"), 9));
        assert_eq!((found.len(), found[0].targets), (1, 1));
        assert!(write(&store, |tx| tx.jobs(Some("active"), 9)).is_empty());
    });
}

#[test]
fn only_the_newest_cosignature_of_a_witness_counts() {
    on_both(|open| {
        let store = open();
        for at in [5_u64, 9, 7] {
            let line = format!("line {at}");
            let record = CosignatureRecord {
                size: 3,
                witness: "w".to_owned(),
                root: Sha256::of(b"root"),
                line,
                at,
            };
            write(&store, move |tx| tx.put_cosignature(LogName::Control, &record));
        }
        let kept = write(&store, |tx| tx.cosignatures(LogName::Control, 0));
        assert_eq!(kept.iter().map(|c| c.at).collect::<Vec<_>>(), [9]);
        write(&store, |tx| tx.drop_cosignatures(LogName::Control, 4));
        assert!(write(&store, |tx| tx.cosignatures(LogName::Control, 0)).is_empty());
    });
}

#[test]
fn sessions_and_statements_are_found_again() {
    on_both(|open| {
        let store = open();
        let console = Sha256::of(b"console");
        let session = SessionRecord { ssh: "ssh-ed25519 AAAA".to_owned(), exp: 50 };
        let wanted = session.clone();
        write(&store, move |tx| tx.put_session(&console, &session));
        assert_eq!(write(&store, move |tx| tx.session(&console)), Some(wanted));
        write(&store, |tx| tx.drop_sessions(50));
        assert_eq!(write(&store, move |tx| tx.session(&console)), None);
        write(&store, |tx| tx.note_logged(3, 70));
        write(&store, |tx| tx.note_logged(3, 90));
        assert_eq!(write(&store, |tx| tx.logged(0)), [(3, 70)], "the first time counts");
        assert_eq!(write(&store, |tx| tx.logged(4)), []);
        write(&store, |tx| tx.put_statement(statement("s"), "bundle", b"bytes"));
        assert_eq!(write(&store, |tx| tx.statement(statement("s"))), Some(b"bytes".to_vec()));
        assert_eq!(write(&store, |tx| tx.statement(statement("t"))), None);
    });
}

#[test]
fn a_newer_schema_is_refused() {
    let dir = tempfile::tempdir().expect("temp dir");
    let path = dir.path().join("server.db");
    drop(Store::open(&Location::Sqlite(path.clone())).expect("open"));
    let sqlite = rusqlite::Connection::open(&path).expect("open");
    sqlite.execute("INSERT INTO migration (version) VALUES (999)", []).expect("insert");
    let refused = Store::open(&Location::Sqlite(path)).expect_err("newer");
    assert!(matches!(refused, StoreError::Newer { found: 999, .. }), "{refused}");

    let server = Postgres::start().expect("PostgreSQL");
    let location = Location::Postgres(server.address());
    drop(Store::open(&location).expect("open"));
    let mut client = driver::Client::connect(&server.address(), driver::NoTls).expect("connect");
    client.batch_execute("INSERT INTO migration (version) VALUES (999)").expect("insert");
    assert!(matches!(
        Store::open(&location).expect_err("newer"),
        StoreError::Newer { found: 999, .. }
    ));
}
