//! One bit of a delivery, turned round.

use super::*;

pub(super) fn flip(delivery: &mut Delivery, part: Part, at: Index, bit: u8) {
    let flip_in = |bytes: &mut [u8]| {
        if !bytes.is_empty() {
            bytes[at.index(bytes.len())] ^= 1 << bit;
        }
    };
    match part {
        Part::Envelope => flip_in(&mut delivery.envelope),
        Part::Proof => flip_in(&mut delivery.proof),
        Part::Content => delivery.content.iter_mut().for_each(|content| flip_in(content)),
        Part::Promotion => {
            delivery.promotions.iter_mut().for_each(|logged| flip_in(&mut logged.envelope));
        }
        Part::Path => {
            for hash in &mut delivery.path {
                let mut bytes = *hash.as_bytes();
                flip_in(&mut bytes);
                *hash = Sha256::from_bytes(bytes);
            }
        }
    }
}
