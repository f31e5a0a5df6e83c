//! The self-signed X.509 certificate of a device key: one fixed form, written, never read.
//!
//! TLS wants a certificate; the endpoint's identity is the hash of the key in it and nothing else.

use crate::device::DeviceKey;

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OID: u8 = 0x06;
const UTF8_STRING: u8 = 0x0c;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const VERSION: u8 = 0xa0;

/// A version 3 certificate for `key`, signed by itself, valid for ever (RFC 5280, RFC 8410).
pub(crate) fn self_signed(key: &DeviceKey) -> Vec<u8> {
    let algorithm = tlv(SEQUENCE, &tlv(OID, &[0x2b, 0x65, 0x70]));
    let name = common_name("bartizan endpoint");
    let validity = tlv(
        SEQUENCE,
        &[tlv(UTC_TIME, b"700101000000Z"), tlv(GENERALIZED_TIME, b"99991231235959Z")].concat(),
    );
    let public = tlv(SEQUENCE, &[algorithm.clone(), bits(key.public_bytes())].concat());
    let body = tlv(
        SEQUENCE,
        &[
            tlv(VERSION, &tlv(INTEGER, &[2])),
            tlv(INTEGER, &[1]),
            algorithm.clone(),
            name.clone(),
            validity,
            name,
            public,
        ]
        .concat(),
    );
    let signature = bits(&key.sign_certificate_body(&body));
    tlv(SEQUENCE, &[body, algorithm, signature].concat())
}

fn common_name(text: &str) -> Vec<u8> {
    let attribute = [tlv(OID, &[0x55, 0x04, 0x03]), tlv(UTF8_STRING, text.as_bytes())].concat();
    tlv(SEQUENCE, &tlv(SET, &tlv(SEQUENCE, &attribute)))
}

fn bits(bytes: &[u8]) -> Vec<u8> {
    tlv(BIT_STRING, &[&[0], bytes].concat())
}

/// Tag, length, value; lengths below 65,536, which is all a certificate of ours needs.
fn tlv(tag: u8, value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(value.len()).unwrap_or(u16::MAX);
    let [high, low] = length.to_be_bytes();
    let mut out = vec![tag];
    match (high, low) {
        (0, 0..=0x7f) => out.push(low),
        (0, _) => out.extend([0x81, low]),
        _ => out.extend([0x82, high, low]),
    }
    out.extend_from_slice(value);
    out
}
