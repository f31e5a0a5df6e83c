//! Encrypts for people: the format age-encryption.org/v1, binary, for X25519 and `ssh-ed25519` recipients. Only this direction:
//! the endpoint can read nothing of what it wrote.
//!
//! The maintained crate would bring some forty packages, translations and a pre-release of another key exchange among them, into a
//! program that runs as root on every endpoint. The tests open what is written here with stock `age`.

use anyhow::{Context, Result, anyhow, bail};
use bartizan_trust::keys::PublicKey;
use curve25519_dalek::edwards::CompressedEdwardsY;
use curve25519_dalek::montgomery::MontgomeryPoint;
use data_encoding::{BASE64, BASE64_NOPAD};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use ring::rand::{SecureRandom as _, SystemRandom};
use ring::{digest, hkdf, hmac};

const VERSION: &str = "age-encryption.org/v1";
/// Bytes of the payload that are sealed together.
const CHUNK_BYTES: usize = 64 * 1024;
const TAG_BYTES: usize = 16;
/// Bytes of a header: its first and last line, and a stanza of each recipient.
const HEAD_BYTES_MAX: usize = 96;
const STANZA_BYTES_MAX: usize = 128;
const BECH32: &str = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

/// Somebody who can read it.
#[derive(Debug, Clone)]
pub(crate) enum Recipient {
    /// `age1…`
    X25519([u8; 32]),
    /// `ssh-ed25519 …`: the blob, and its point on the curve that keys are agreed on.
    Ssh(Vec<u8>, [u8; 32]),
}

impl Recipient {
    /// Reads one; the sum at the end of `age1…` must fit.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        if text.starts_with("age1") {
            let key = bech32(text)
                .with_context(|| format!("{text} is no recipient of age: copy it again"))?;
            return Ok(Self::X25519(key));
        }
        let blob = text
            .strip_prefix("ssh-ed25519 ")
            .and_then(|encoded| BASE64.decode(encoded.as_bytes()).ok())
            .filter(|_| PublicKey::parse_openssh(text).is_ok());
        let Some(blob) = blob else {
            bail!("{text}: give a recipient as `age1…` or `ssh-ed25519 …`, without a comment");
        };
        let key = blob.last_chunk().context("a key of 32 bytes")?;
        let point = CompressedEdwardsY(*key).decompress().context("a point on the curve")?;
        Ok(Self::Ssh(blob, point.to_montgomery().to_bytes()))
    }

    /// The file key, so that this recipient finds it.
    fn stanza(&self, file_key: &[u8; 16], secret: [u8; 32]) -> Result<String> {
        let share = MontgomeryPoint::mul_base_clamped(secret).to_bytes();
        let (label, arguments, point, shared) = match self {
            Self::X25519(point) => {
                let shared = agree(secret, point)?;
                ("X25519", format!("X25519 {}", BASE64_NOPAD.encode(&share)), point, shared)
            }
            Self::Ssh(blob, point) => {
                let tag = digest::digest(&digest::SHA256, blob);
                let tag = tag.as_ref().get(..4).unwrap_or_default();
                let (tag, share) = (BASE64_NOPAD.encode(tag), BASE64_NOPAD.encode(&share));
                let tweak = derive(b"", blob, &format!("{VERSION}/ssh-ed25519"))?;
                let shared = agree(tweak, &agree(secret, point)?)?;
                ("ssh-ed25519", format!("ssh-ed25519 {tag} {share}"), point, shared)
            }
        };
        let salt = [share, *point].concat();
        let key = derive(&shared, &salt, &format!("{VERSION}/{label}"))?;
        let wrapped = seal(&key, [0; 12], file_key)?;
        Ok(format!("-> {arguments}\n{}\n", BASE64_NOPAD.encode(&wrapped)))
    }
}

/// Bytes that so many take when encrypted, at most.
pub(crate) const fn encrypted_max(bytes: usize, recipients: usize) -> usize {
    let chunks = bytes / CHUNK_BYTES + 1;
    HEAD_BYTES_MAX + recipients * STANZA_BYTES_MAX + TAG_BYTES + chunks * TAG_BYTES + bytes
}

/// Encrypts for all of them.
pub(crate) fn encrypt(plain: &[u8], recipients: &[Recipient]) -> Result<Vec<u8>> {
    let file_key: [u8; 16] = random()?;
    let mut head = format!("{VERSION}\n");
    for recipient in recipients {
        head += &recipient.stanza(&file_key, random()?)?;
    }
    head += "---";
    let mac = hmac::Key::new(hmac::HMAC_SHA256, &derive(&file_key, b"", "header")?);
    let mac = hmac::sign(&mac, head.as_bytes());
    let mut file = format!("{head} {}\n", BASE64_NOPAD.encode(mac.as_ref())).into_bytes();
    let nonce: [u8; 16] = random()?;
    file.extend_from_slice(&nonce);
    let key = derive(&file_key, &nonce, "payload")?;
    let mut chunks = plain.chunks(CHUNK_BYTES).peekable();
    // Nothing is one empty chunk.
    let mut number = 0_u64;
    loop {
        let chunk = chunks.next().unwrap_or_default();
        let last = chunks.peek().is_none();
        file.extend(seal(&key, chunk_nonce(number, last), chunk)?);
        number += 1;
        if last {
            return Ok(file);
        }
    }
}

/// Eleven bytes of counter, and whether it is the last.
fn chunk_nonce(number: u64, last: bool) -> [u8; 12] {
    let mut nonce = [0; 12];
    if let Some(counter) = nonce.get_mut(3..11) {
        counter.copy_from_slice(&number.to_be_bytes());
    }
    if let Some(flag) = nonce.last_mut() {
        *flag = u8::from(last);
    }
    nonce
}

fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| anyhow!("no randomness"))?;
    Ok(bytes)
}

/// What two agree on. A point of low order agrees with everybody on nothing: refused.
fn agree(secret: [u8; 32], point: &[u8; 32]) -> Result<[u8; 32]> {
    let shared = MontgomeryPoint(*point).mul_clamped(secret).to_bytes();
    if shared == [0; 32] {
        bail!("a recipient whose key hides nothing");
    }
    Ok(shared)
}

/// HKDF-SHA-256 to 32 bytes.
fn derive(secret: &[u8], salt: &[u8], info: &str) -> Result<[u8; 32]> {
    let mut key = [0; 32];
    let extracted = hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(secret);
    let info = [info.as_bytes()];
    let filled = extracted.expand(&info, hkdf::HKDF_SHA256).and_then(|okm| okm.fill(&mut key));
    filled.map_err(|_| anyhow!("derive a key"))?;
    Ok(key)
}

/// Each key seals once with each nonce: the format fixes them.
fn seal(key: &[u8; 32], nonce: [u8; 12], plain: &[u8]) -> Result<Vec<u8>> {
    let mut bytes = plain.to_vec();
    let key = UnboundKey::new(&CHACHA20_POLY1305, key).map(LessSafeKey::new);
    let key = key.map_err(|_| anyhow!("a key of 32 bytes"))?;
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut bytes)
        .map_err(|_| anyhow!("encrypt"))?;
    Ok(bytes)
}

/// The 32 bytes of `age1…`, if its sum fits.
fn bech32(text: &str) -> Option<[u8; 32]> {
    let digits: Vec<u32> = text
        .strip_prefix("age1")?
        .chars()
        .map(|char| BECH32.find(char).and_then(|digit| u32::try_from(digit).ok()))
        .collect::<Option<_>>()?;
    // The name of the form, in two halves around a zero.
    let name = "age".bytes().map(u32::from);
    let high = name.clone().map(|byte| byte >> 5);
    let low = name.map(|byte| byte & 31);
    let all = high.chain([0]).chain(low).chain(digits.iter().copied());
    if all.fold(1, sum_step) != 1 {
        return None;
    }
    let (data, _) = digits.split_at_checked(digits.len().checked_sub(6)?)?;
    let (mut bits, mut count, mut bytes) = (0_u32, 0_u32, Vec::new());
    for digit in data {
        bits = (bits << 5 | digit) & 0xfff;
        count += 5;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).ok()?);
        }
    }
    // What is left over is padding, and is zero.
    (count < 5 && bits & ((1 << count) - 1) == 0).then_some(())?;
    bytes.try_into().ok()
}

/// BIP 173.
fn sum_step(sum: u32, digit: u32) -> u32 {
    const GENERATOR: [u32; 5] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];
    let top = sum >> 25;
    let next = (sum & 0x01ff_ffff) << 5 ^ digit;
    let terms = GENERATOR.iter().enumerate().filter(|(bit, _)| top >> bit & 1 == 1);
    terms.fold(next, |sum, (_, term)| sum ^ term)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recipients_are_read_and_slips_of_the_pen_are_noticed() {
        let good = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";
        let Recipient::X25519(key) = Recipient::parse(good).unwrap() else { panic!("x25519") };
        assert_ne!(key, [0; 32]);
        for at in 4..good.len() {
            let mut bad = good.to_owned();
            let other = if &good[at..=at] == "q" { "p" } else { "q" };
            bad.replace_range(at..=at, other);
            assert!(Recipient::parse(&bad).is_err(), "{at}");
        }
        for bad in ["age1", "age1ql3z7", "ssh-ed25519 AAAA", "ssh-rsa AAAA", ""] {
            assert!(Recipient::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn no_archive_is_larger_than_was_said() {
        let age =
            Recipient::parse("age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p");
        let recipients = vec![age.unwrap(); 3];
        for size in [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES] {
            let encrypted = encrypt(&vec![7; size], &recipients).unwrap();
            assert!(encrypted.len() <= encrypted_max(size, 3), "{size}: {}", encrypted.len());
            assert!(!encrypted.windows(16).any(|window| window == [7; 16]));
        }
    }

    #[test]
    fn a_key_of_low_order_is_refused() {
        assert!(encrypt(b"x", &[Recipient::X25519([0; 32])]).is_err());
    }
}
