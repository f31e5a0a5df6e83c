//! Public keys in the OpenSSH encoding. Specification: `docs/spec/keys.md`.

use data_encoding::{BASE64, BASE64_NOPAD};

use crate::id::{EndpointId, Sha256};
use crate::wire::{Reader, WireError, Writer};

/// Not a supported key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a supported public key: {0}")]
pub struct KeyError(pub &'static str);

impl From<WireError> for KeyError {
    fn from(_: WireError) -> Self {
        Self("the key blob is malformed")
    }
}

/// Which algorithm, and whether hardware holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum KeyType {
    /// `ssh-ed25519`
    Ed25519,
    /// `sk-ssh-ed25519@openssh.com`
    SkEd25519,
    /// `sk-ecdsa-sha2-nistp256@openssh.com`, native or WebAuthn signatures
    SkEcdsaP256,
}

impl KeyType {
    /// Every supported type.
    pub const ALL: &'static [Self] = &[Self::Ed25519, Self::SkEd25519, Self::SkEcdsaP256];

    /// The OpenSSH name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ed25519 => "ssh-ed25519",
            Self::SkEd25519 => "sk-ssh-ed25519@openssh.com",
            Self::SkEcdsaP256 => "sk-ecdsa-sha2-nistp256@openssh.com",
        }
    }

    /// Whether a security key holds the private half.
    pub const fn is_hardware(self) -> bool {
        match self {
            Self::Ed25519 => false,
            Self::SkEd25519 | Self::SkEcdsaP256 => true,
        }
    }
}

/// A parsed, canonical public key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PublicKey {
    // INVARIANT: `blob` is the one encoding of `point` and `application`.
    blob: Vec<u8>,
    point: Point,
    application: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Point {
    Ed25519([u8; 32]),
    SkEd25519([u8; 32]),
    /// Uncompressed: 0x04, x, y.
    SkEcdsaP256([u8; 65]),
}

impl PublicKey {
    /// Reads `type base64` exactly: one space, no comment, padding as OpenSSH writes it.
    pub fn parse_openssh(text: &str) -> Result<Self, KeyError> {
        let (name, encoded) = text.split_once(' ').ok_or(KeyError("not `type base64`"))?;
        let blob = crate::base64::decode(encoded).ok_or(KeyError("the base64 is not canonical"))?;
        let key = Self::decode(&blob)?;
        if key.key_type().name() == name {
            Ok(key)
        } else {
            Err(KeyError("type and blob disagree"))
        }
    }

    /// Reads the SSH key blob.
    pub fn decode(blob: &[u8]) -> Result<Self, KeyError> {
        let mut r = Reader::new(blob);
        let name = r.text()?;
        let key_type = KeyType::ALL.iter().find(|known| known.name() == name).ok_or(KeyError(
            "only ssh-ed25519, sk-ssh-ed25519 and sk-ecdsa-sha2-nistp256 are supported",
        ))?;
        let point = match key_type {
            KeyType::Ed25519 => Point::Ed25519(read_ed25519(&mut r)?),
            KeyType::SkEd25519 => Point::SkEd25519(read_ed25519(&mut r)?),
            KeyType::SkEcdsaP256 => Point::SkEcdsaP256(read_p256(&mut r)?),
        };
        let application =
            if key_type.is_hardware() { read_application(&mut r)? } else { String::new() };
        r.finish()?;
        Ok(Self { blob: blob.to_vec(), point, application })
    }

    /// An `ssh-ed25519` key from its 32 bytes, which the caller made or verified itself.
    pub fn from_ed25519(bytes: [u8; 32]) -> Self {
        let blob = Writer::new().text(KeyType::Ed25519.name()).bytes(&bytes).into_bytes();
        Self { blob, point: Point::Ed25519(bytes), application: String::new() }
    }

    /// The SSH key blob.
    pub fn blob(&self) -> &[u8] {
        &self.blob
    }

    /// `type base64`.
    pub fn to_openssh(&self) -> String {
        format!("{} {}", self.key_type().name(), BASE64.encode(&self.blob))
    }

    /// `SHA256:…` as `ssh-keygen -l` prints it.
    pub fn fingerprint(&self) -> String {
        format!("SHA256:{}", BASE64_NOPAD.encode(Sha256::of(&self.blob).as_bytes()))
    }

    /// Its algorithm.
    pub const fn key_type(&self) -> KeyType {
        match self.point {
            Point::Ed25519(_) => KeyType::Ed25519,
            Point::SkEd25519(_) => KeyType::SkEd25519,
            Point::SkEcdsaP256(_) => KeyType::SkEcdsaP256,
        }
    }

    /// The FIDO application (`ssh:…`, or a relying party id); empty for software keys.
    pub fn application(&self) -> &str {
        &self.application
    }

    /// The 32 bytes of an `ssh-ed25519` key (not of `sk-`).
    pub const fn ed25519_bytes(&self) -> Option<[u8; 32]> {
        match self.point {
            Point::Ed25519(bytes) => Some(bytes),
            Point::SkEd25519(_) | Point::SkEcdsaP256(_) => None,
        }
    }

    /// The endpoint this device key names: SHA-256 of the blob.
    pub fn endpoint_id(&self) -> EndpointId {
        EndpointId::new(Sha256::of(&self.blob))
    }

    pub(crate) const fn point(&self) -> &Point {
        &self.point
    }
}

fn read_ed25519(r: &mut Reader<'_>) -> Result<[u8; 32], KeyError> {
    let bytes: [u8; 32] =
        r.bytes()?.try_into().map_err(|_| KeyError("an Ed25519 key has 32 bytes"))?;
    if is_low_order(&bytes) {
        Err(KeyError("a point of low order is nobody's key"))
    } else {
        Ok(bytes)
    }
}

fn read_p256(r: &mut Reader<'_>) -> Result<[u8; 65], KeyError> {
    if r.text()? != "nistp256" {
        return Err(KeyError("the curve is not nistp256"));
    }
    let point: [u8; 65] =
        r.bytes()?.try_into().map_err(|_| KeyError("a P-256 point has 65 bytes"))?;
    if point.first() == Some(&4) {
        Ok(point)
    } else {
        Err(KeyError("the P-256 point is not uncompressed"))
    }
}

fn read_application(r: &mut Reader<'_>) -> Result<String, KeyError> {
    let text = r.text()?;
    let plain = text.bytes().all(|b| b.is_ascii_graphic());
    if text.is_empty() || text.len() > crate::limits::TEXT_BYTES_MAX || !plain {
        return Err(KeyError("the application is not short, plain text"));
    }
    Ok(text.to_owned())
}

/// The points of order 1, 2, 4 and 8 in every encoding a verifier might accept. A signature under one
/// of them proves nothing.
fn is_low_order(bytes: &[u8; 32]) -> bool {
    const ORDER_8_A: &[u8; 32] = b"\x26\xe8\x95\x8f\xc2\xb2\x27\xb0\x45\xc3\xf4\x89\xf2\xef\x98\xf0\xd5\xdf\xac\x05\xd3\xc6\x33\x39\xb1\x38\x02\x88\x6d\x53\xfc\x05";
    const ORDER_8_B: &[u8; 32] = b"\xc7\x17\x6a\x70\x3d\x4d\xd8\x4f\xba\x3c\x0b\x76\x0d\x10\x67\x0f\x2a\x20\x53\xfa\x2c\x39\xcc\xc6\x4e\xc7\xfd\x77\x92\xac\x03\x7a";
    // The sign bit does not change the order.
    let mut y = *bytes;
    if let Some(last) = y.last_mut() {
        *last &= 0x7f;
    }
    let [first, middle @ .., last] = &y;
    let all = |value: u8| middle.iter().all(|byte| *byte == value);
    let small = *last == 0 && all(0) && *first <= 1;
    // p − 1, p and p + 1.
    let near_p = *last == 0x7f && all(0xff) && (0xec..=0xee).contains(first);
    small || near_p || y == *ORDER_8_A || y == *ORDER_8_B
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blob(fields: &[&[u8]]) -> Vec<u8> {
        fields.iter().fold(Writer::new(), |w, field| w.bytes(field)).into_bytes()
    }

    #[test]
    fn every_type_reads_back_from_both_forms() {
        let point = [&[4_u8][..], &[7; 64]].concat();
        for bytes in [
            blob(&[b"ssh-ed25519", &[9; 32]]),
            blob(&[b"sk-ssh-ed25519@openssh.com", &[9; 32], b"ssh:"]),
            blob(&[b"sk-ecdsa-sha2-nistp256@openssh.com", b"nistp256", &point, b"localhost"]),
        ] {
            let key = PublicKey::decode(&bytes).expect("decodes");
            assert_eq!(key.blob(), bytes);
            assert_eq!(PublicKey::parse_openssh(&key.to_openssh()), Ok(key));
        }
    }

    #[test]
    fn other_algorithms_and_malformed_keys_are_refused() {
        let point = [&[4_u8][..], &[7; 64]].concat();
        let compressed = [&[2_u8][..], &[7; 32]].concat();
        for bytes in [
            blob(&[b"ssh-rsa", &[1, 0, 1], &[9; 256]]),
            blob(&[b"ecdsa-sha2-nistp256", b"nistp256", &point]),
            blob(&[b"ssh-ed25519", &[9; 31]]),
            blob(&[b"ssh-ed25519", &[9; 33]]),
            blob(&[b"ssh-ed25519", &[9; 32], b"ssh:"]),
            blob(&[b"sk-ssh-ed25519@openssh.com", &[9; 32]]),
            blob(&[b"sk-ssh-ed25519@openssh.com", &[9; 32], b""]),
            blob(&[b"sk-ssh-ed25519@openssh.com", &[9; 32], &[b'a'; 257]]),
            blob(&[b"sk-ecdsa-sha2-nistp256@openssh.com", b"nistp384", &point, b"localhost"]),
            blob(&[b"sk-ecdsa-sha2-nistp256@openssh.com", b"nistp256", &compressed, b"localhost"]),
            Vec::new(),
        ] {
            assert!(PublicKey::decode(&bytes).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn text_around_a_key_is_refused() {
        let text = PublicKey::from_ed25519([9; 32]).to_openssh();
        for bad in [
            format!("{text} alice@laptop"),
            format!(" {text}"),
            format!("{text}\n"),
            text.replace(' ', "  "),
            text.replace("ssh-ed25519 ", "sk-ssh-ed25519@openssh.com "),
            text.trim_end_matches('=').to_owned() + "A",
        ] {
            assert!(PublicKey::parse_openssh(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn points_of_low_order_are_refused() {
        for (first, rest, last) in [
            (0, 0, 0),
            (1, 0, 0),
            (1, 0, 0x80),
            (0xec, 0xff, 0x7f),
            (0xed, 0xff, 0xff),
            (0xee, 0xff, 0x7f),
        ] {
            let mut bytes = [rest; 32];
            bytes[0] = first;
            bytes[31] = last;
            assert!(PublicKey::decode(&blob(&[b"ssh-ed25519", &bytes])).is_err(), "{bytes:?}");
        }
        assert!(PublicKey::decode(&blob(&[b"ssh-ed25519", &[2; 32]])).is_ok());
    }
}
