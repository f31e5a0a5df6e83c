//! Tokens that read series, alike on both engines.

use bartizan_store::{ReadTokenRecord, StoreError, Tx};
use bartizan_trust::id::Sha256;

use crate::{on_both, write};

fn token(name: &str, tenant: Option<&str>) -> ReadTokenRecord {
    ReadTokenRecord {
        name: name.to_owned(),
        tenant: tenant.map(|tenant| tenant.parse().expect("tenant")),
        operator: "op_alice".parse().expect("operator"),
        at: 5,
        exp: 9,
    }
}

fn all(tx: &mut Tx<'_>) -> Result<Vec<ReadTokenRecord>, StoreError> {
    tx.read_tokens()
}

#[test]
fn a_token_is_found_by_its_hash_until_it_is_dropped() {
    on_both(|open| {
        let store = open();
        let (a, b) = (token("a", Some("tn_acme")), token("b", None));
        for (hash, token) in [(Sha256::of(b"1"), a.clone()), (Sha256::of(b"2"), b.clone())] {
            assert!(write(&store, move |tx| tx.put_read_token(&hash, &token)));
        }
        let again = token("a", None);
        assert!(!write(&store, move |tx| tx.put_read_token(&Sha256::of(b"3"), &again)));
        assert_eq!(write(&store, all), [a.clone(), b.clone()]);
        let of =
            |secret: &'static [u8]| write(&store, move |tx| tx.read_token(&Sha256::of(secret)));
        assert_eq!((of(b"1"), of(b"2"), of(b"3")), (Some(a), Some(b), None));
        assert!(write(&store, |tx| tx.drop_read_token("a")));
        assert!(!write(&store, |tx| tx.drop_read_token("a")));
        assert_eq!(of(b"1"), None);
    });
}
