//! What only files can do: be damaged, and be changed by somebody else.

use bartizan_store::{Access, Location, Store, StoreError, Tx};

fn outside(tx: &mut Tx<'_>) -> Result<i64, StoreError> {
    tx.outside_changes()
}

#[test]
fn a_damaged_file_is_reported_and_left_as_it_is() {
    let dir = tempfile::tempdir().expect("temp dir");
    let path = dir.path().join("server.db");
    std::fs::write(&path, b"this is no database, but somebody may want to look at it")
        .expect("write");
    let before = std::fs::read(&path).expect("read");
    let refused = Store::open(&Location::Sqlite(path.clone())).expect_err("damaged");
    assert!(
        matches!(&refused, StoreError::Damaged { path: named, .. } if *named == path),
        "{refused}"
    );
    assert_eq!(std::fs::read(&path).expect("read"), before);

    let kept = bartizan_store::set_aside(&path, "1").expect("set aside");
    assert_eq!(std::fs::read(kept).expect("read"), before);
    assert!(Store::open(&Location::Sqlite(path)).is_ok());
}

#[test]
fn changes_by_another_program_are_noticed_and_own_ones_are_not() {
    let dir = tempfile::tempdir().expect("temp dir");
    let path = dir.path().join("server.db");
    let store = Store::open(&Location::Sqlite(path.clone())).expect("open");
    let version = || store.call(Access::Read, outside).expect("version");
    let first = version();
    store.call(Access::Write, |tx| tx.set_meta("mine", "1")).expect("write");
    assert_eq!(version(), first);
    let other = rusqlite::Connection::open(&path).expect("open");
    other.execute("INSERT INTO meta (key, value) VALUES ('theirs', '2')", []).expect("insert");
    assert_ne!(version(), first);
    assert_eq!(
        store.call(Access::Read, |tx| tx.meta("theirs")).expect("read"),
        Some("2".to_owned())
    );
}
